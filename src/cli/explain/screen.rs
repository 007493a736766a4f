//! How an explanation is shown: what is known of the request, each check in a line, and what to do.

use std::io;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::output::{Output, cell, print_rows, say};
use crate::domain::credential::CredentialState;
use crate::operations::explain::{ComparedIdentity, Explained, Stopped};

/// The exit status: by how it would end.
pub(super) fn status(explained: &Explained) -> ExitCode {
    if explained.is_granted() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Prints it whole.
pub(in crate::cli) fn print(explained: &Explained, output: Output) -> anyhow::Result<()> {
    if output == Output::Json {
        return Ok(say!("{}", serde_json::to_string_pretty(explained)?)?);
    }
    print_about(explained)?;
    say!("")?;
    print_checks(explained)?;
    print_identities(explained)?;
    print_objects(explained)?;
    print_advice(explained)?;
    Ok(())
}

fn print_about(explained: &Explained) -> io::Result<()> {
    let about = explained.about.iter();
    let about = about.filter(|(_, value)| !value.is_null() && !value.is_object());
    let mut rows: Vec<Vec<Value>> = about
        .map(|(name, value)| vec![json!(name), value.clone()])
        .collect();
    rows.push(vec![json!("outcome"), json!(explained.outcome)]);
    print_rows(Output::Table, &["request", ""], &rows)
}

fn print_checks(explained: &Explained) -> io::Result<()> {
    let row = |judged: &crate::domain::decision::Judged| {
        let passed = match judged.passed {
            Some(true) => "passed",
            Some(false) => "FAILED",
            None => "not reached",
        };
        let check = judged.check;
        vec![
            json!(check.name()),
            json!(passed),
            json!(check.expected()),
            json!(judged.found),
        ]
    };
    let rows: Vec<Vec<Value>> = explained.checks.iter().map(row).collect();
    print_rows(Output::Table, &["check", "", "expected", "found"], &rows)
}

/// A line for each that fits, and of the others one for each claim that differs.
fn print_identities(explained: &Explained) -> io::Result<()> {
    let Some(identities) = &explained.identities else {
        return Ok(());
    };
    let issuer = explained.text("issuer").unwrap_or("its issuer");
    if identities.number == 0 {
        return say!("\nno client has an identity of {issuer}");
    }
    let rows: Vec<Vec<Value>> = identities.told.iter().flat_map(rows_of).collect();
    say!("")?;
    let columns = [
        "identity of",
        "credential",
        "",
        "claim",
        "expected",
        "found",
    ];
    print_rows(Output::Table, &columns, &rows)?;
    match identities.untold() {
        0 => Ok(()),
        more => say!(
            "{more} more {} of {issuer} {} less alike",
            if more == 1 { "identity" } else { "identities" },
            if more == 1 { "is" } else { "are" },
        ),
    }
}

fn rows_of(identity: &ComparedIdentity) -> Vec<Vec<Value>> {
    let state = match identity.state {
        CredentialState::Live => String::new(),
        state => format!(", {state}"),
    };
    let fits = if identity.fits { "fits" } else { "differs" };
    let mut head = [
        json!(identity.client),
        json!(identity.credential),
        json!(format!("{fits}{state}")),
    ];
    if identity.fits {
        return vec![[&head[..], &[json!(""), json!(""), json!("")]].concat()];
    }
    let mut rows = Vec::new();
    for it in &identity.differs {
        let of_claim = [json!(it.claim), json!(it.expected), json!(it.found)];
        rows.push([&head[..], &of_claim].concat());
        head = [json!(""), json!(""), json!("")];
    }
    rows
}

/// A token, or an answer.
fn print_objects(explained: &Explained) -> io::Result<()> {
    let objects = explained.about.iter().filter(|it| it.1.is_object());
    for (name, object) in objects {
        say!("\n{}:\n{object:#}", name.replace('_', " "))?;
    }
    Ok(())
}

fn print_advice(explained: &Explained) -> io::Result<()> {
    if let Some(stopped) = &explained.stopped {
        say!("\nstopped: {}", told(stopped))?;
    }
    if let Some(remedy) = &explained.remedy {
        say!("\nwhat to do: {}", cell(&json!(remedy)))?;
    }
    Ok(())
}

fn told(stopped: &Stopped) -> String {
    let shown = |text: &str| cell(&json!(text));
    let reason = stopped.reason.as_ref();
    let reason = reason.map_or_else(|| "no reason was given".to_owned(), |it| shown(it));
    format!(
        "{} by {} at {}: {reason}",
        stopped.action,
        shown(&stopped.actor),
        stopped.at
    )
}
