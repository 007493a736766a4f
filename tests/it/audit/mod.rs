//! The audit log: what is kept of what, for how long, and how it is read.

mod alerts;
mod changes;
mod command;
mod limits;
mod retention;

use serde_json::Value;

use crate::harness::*;
use crate::raw_sql;

/// The events with this action, oldest first: how often it happened, its target and its details.
async fn events(env: &Env, action: &str) -> Vec<(u64, String, Value)> {
    let sql = format!(
        "SELECT CAST(count AS TEXT) || '|' || target || '|' || details FROM audit_events \
         WHERE action = '{action}' ORDER BY at, id"
    );
    let texts = raw_sql::texts(&env.database, &sql).await;
    let read = |text: &String| {
        let mut parts = text.splitn(3, '|');
        let mut part = || parts.next().unwrap();
        let count = part().parse().unwrap();
        let target = part().to_owned();
        (count, target, serde_json::from_str(part()).unwrap())
    };
    texts.iter().map(read).collect()
}
