//! `grantd explain REQUEST_ID`: a request that came.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::screen;
use crate::cli::output::{Output, counted, say};
use crate::cli::target::Opened;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::operations::explain::{Explained, Unknown, explain_recorded};

/// The exit status where nothing is known of what is asked for.
const NOTHING_KNOWN: u8 = 3;
/// An event is written up to a second after its request.
const LATE: Seconds = Seconds::new(2);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) async fn explain(opened: &Opened, id: Uuid, output: Output) -> anyhow::Result<ExitCode> {
    match found(opened, id).await? {
        Ok(explained) => {
            screen::print(&explained, output)?;
            Ok(ExitCode::FAILURE)
        }
        Err(unknown) => {
            say_unknown(opened, (id, &unknown), output).await?;
            Ok(ExitCode::from(NOTHING_KNOWN))
        }
    }
}

/// Waits for an event that may be about to be written.
async fn found(opened: &Opened, id: Uuid) -> anyhow::Result<Result<Explained, Unknown>> {
    loop {
        let unknown = match explain_recorded(&opened.store, id).await? {
            Ok(explained) => return Ok(Ok(explained)),
            Err(unknown) => unknown,
        };
        let now = opened.now().await?;
        let is_new = |at: Timestamp| at >= now.minus(LATE) && at <= now.plus(LATE);
        if !unknown.at.is_some_and(is_new) {
            return Ok(Err(unknown));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn say_unknown(
    opened: &Opened,
    (id, unknown): (Uuid, &Unknown),
    output: Output,
) -> anyhow::Result<()> {
    let audit = opened.settings.as_ref().map(|it| it.audit.clone());
    let kept = audit.unwrap_or_default().keep_refusals;
    let message = message(unknown, kept, opened.now().await?);
    if output == Output::Json {
        let told = json!({
            "request_id": id.to_string(),
            "at": unknown.at,
            "outcome": null,
            "suppressed": unknown.suppressed,
            "keep_refusals": kept.to_string(),
            "message": message,
        });
        return Ok(say!("{told:#}")?);
    }
    // Who closed standard error wants no remarks.
    let _ = writeln!(io::stderr(), "grantd: nothing is known of {id}: {message}");
    Ok(())
}

/// Why that may be.
fn message(unknown: &Unknown, kept: Seconds, now: Timestamp) -> String {
    let Some(at) = unknown.at else {
        return "grantd gave no request this id: its ids are UUIDs of version 7, in the header x-request-id and in the \
                log"
            .to_owned();
    };
    if at < now.minus(kept) {
        return format!(
            "it came at {at}, and refusals are kept for {kept} ([audit] keep_refusals); the log may have it"
        );
    }
    let number = usize::try_from(unknown.suppressed).unwrap_or(usize::MAX);
    if number > 0 {
        return format!(
            "{} of about that second ({at}) had no room in the audit log, and its own may be among them; the log has its \
             line",
            counted(number, "event")
        );
    }
    format!(
        "it came at {at}. Kept are requests that were refused or abandoned, and inactive tokens: not what was granted, \
         refused before any endpoint, or answered 503, of which the log has a line. Is it the database of that server, \
         and were there more refusals since than most_refusals?"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_nothing_is_known_is_told() {
        let at = Timestamp::from_unix(1_767_225_600);
        let week = Seconds::new(7 * 86_400);
        let told = |at, suppressed, later: i64| {
            let now = Timestamp::from_unix(1_767_225_600 + later);
            message(&Unknown { at, suppressed }, week, now)
        };
        assert!(told(None, 0, 0).contains("version 7"));
        assert!(told(Some(at), 3, 7 * 86_400 + 1).contains("kept for 7d"));
        assert!(told(Some(at), 3, 60).starts_with("3 events of about that second"));
        assert!(told(Some(at), 1, 60).starts_with("1 event of about that second"));
        assert!(told(Some(at), 0, 60).contains("answered 503"));
    }
}
