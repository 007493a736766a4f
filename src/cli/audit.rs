//! `grantd audit`: the audit log, newest last.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use serde_json::Value;

use super::output::{Output, cell, print};
use super::target::{Opened, Where};
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::store::audit_events::{AuditKind, AuditPage, EventPlace, StoredEvent};

/// Events that one statement reads.
const PAGE: u32 = 2000;
/// Between two looks for new events.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long after it happened an event may be written, if the database was out of reach.
const LATE: Seconds = Seconds::new(60);

/// How programs read it.
const PROGRAMS: &str = "With --output json each line is one event.";

#[derive(Args, Debug)]
#[command(after_help = PROGRAMS)]
pub(super) struct Arguments {
    /// Then follow what happens, until Ctrl-C
    #[arg(long)]
    follow: bool,
    /// Only what this client did, and what was done to it
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// Only this action, such as `refused`, `client_changed` or `retired_credential_used`
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// Only what happened since then: 24h, or an instant such as 2026-12-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Only what is later than the event with this id
    #[arg(long, value_name = "EVENT")]
    after: Option<String>,
    #[command(flatten)]
    at: Where,
}

/// An instant, or a time before now.
#[derive(Clone, Copy, Debug)]
enum Since {
    Ago(Seconds),
    At(Timestamp),
}

impl std::str::FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let span = text.parse().map(Self::Ago);
        span.or_else(|_| text.parse().map(Self::At)).map_err(|_| {
            "write a time before now, such as 24h, or an instant, such as 2026-12-31T00:00:00Z"
                .to_owned()
        })
    }
}

pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let opened = arguments.at.target.open().await?;
    let first = first_place(arguments, &opened).await?;
    let mut last = first.clone();
    let mut shown = Shown::default();
    loop {
        let mut after = shown.look_back(&first, &last);
        loop {
            let page = AuditPage {
                after: &after,
                client: arguments.client.as_deref(),
                action: arguments.action.as_deref(),
                most: PAGE,
            };
            let events = opened.store.audit_events(page).await?;
            let mut text = String::new();
            for event in &events {
                after = event.place();
                // Who does not follow reads each once, however many there are.
                if !arguments.follow || shown.is_new(&after) {
                    add(&mut text, arguments.at.output(), event)?;
                }
            }
            print(format_args!("{text}"))?;
            if events.len() < PAGE as usize {
                break;
            }
        }
        last = last.max(after);
        if !arguments.follow {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Before the first event that is wanted.
async fn first_place(arguments: &Arguments, opened: &Opened) -> anyhow::Result<EventPlace> {
    let since = match arguments.since {
        None => Timestamp::EPOCH,
        Some(Since::At(at)) => at,
        Some(Since::Ago(span)) => opened.now().await?.minus(span),
    };
    let since = EventPlace {
        at: since,
        id: String::new(),
    };
    let Some(id) = &arguments.after else {
        return Ok(since);
    };
    match opened.store.place_of_event(id).await? {
        Some(place) => Ok(place.max(since)),
        None => {
            bail!("no event has the id {id:?}: it is mistyped, or older than what [audit] keeps")
        }
    }
}

/// What was shown lately: an event that is written late belongs before others that were shown.
#[derive(Default)]
struct Shown(BTreeSet<EventPlace>);

impl Shown {
    /// Where to look from, and forgets what is older.
    fn look_back(&mut self, first: &EventPlace, last: &EventPlace) -> EventPlace {
        let from = EventPlace {
            at: last.at.minus(LATE),
            id: String::new(),
        };
        let from = from.max(first.clone());
        self.0 = self.0.split_off(&from);
        from
    }

    fn is_new(&mut self, place: &EventPlace) -> bool {
        self.0.insert(place.clone())
    }
}

fn add(text: &mut String, output: Output, event: &StoredEvent) -> anyhow::Result<()> {
    match output {
        Output::Json => text.push_str(&serde_json::to_string(event)?),
        Output::Table => text.push_str(&line(event)),
    }
    text.push('\n');
    Ok(())
}

fn line(event: &StoredEvent) -> String {
    let shown = |text: &str| match text {
        "" => "-".to_owned(),
        text => cell(&Value::from(text)),
    };
    let times = match (event.kind, event.count) {
        (AuditKind::Alert, count) if count > 1 => format!(" ({count} times)"),
        _ => String::new(),
    };
    format!(
        "{}  {}  {:<24}  {:<24}  {}{times}{}",
        event.at,
        event.id,
        shown(&event.actor),
        event.action,
        shown(&event.target),
        more(&event.details)
    )
}

/// What a line tells of the details.
fn more(details: &Value) -> String {
    let told = [
        "credential",
        "audience",
        "object",
        "outcome",
        "request_id",
        "source",
        "expires_at",
        "found",
        "count",
        "reason",
    ];
    let told = told.iter().filter_map(|name| {
        let value = details.get(name).filter(|it| !it.is_null())?;
        (value != "").then(|| format!("  {name}={}", cell(value)))
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(at: i64, id: &str) -> EventPlace {
        let at = Timestamp::from_unix(at);
        EventPlace {
            at,
            id: id.to_owned(),
        }
    }

    #[test]
    fn an_event_that_is_written_late_is_shown_once() {
        let (first, mut shown) = (place(0, ""), Shown::default());
        assert!(shown.is_new(&place(1000, "b")));
        assert_eq!(shown.look_back(&first, &place(1000, "b")), place(940, ""));
        assert!(shown.is_new(&place(1000, "a")) && !shown.is_new(&place(1000, "b")));
        assert_eq!(shown.look_back(&first, &place(5000, "c")), place(4940, ""));
        assert!(shown.0.is_empty());
        let first = place(990, "a");
        assert_eq!(shown.look_back(&first, &place(1000, "b")), first);
    }

    #[test]
    fn since_is_a_span_or_an_instant() {
        assert!(matches!("24h".parse(), Ok(Since::Ago(span)) if span == Seconds::new(86_400)));
        assert!(matches!("2026-01-01T00:00:00Z".parse(), Ok(Since::At(_))));
        assert!("yesterday".parse::<Since>().is_err());
    }
}
