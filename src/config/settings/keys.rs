//! Every settings key: what a file may hold and which environment variables exist.

use super::declare::Table;
use super::listeners::{MutualTls, OperationsListener, PublicListener};
use super::metadata::Metadata;
use super::proxy::ProxyTable;
use super::root::Root;
use super::sealing::Sealing;
use super::tables::{
    Alerts, Assertions, Audit, Budget, Cache, Database, Dpop, Feed, Hashing, Keys, Limits, Log,
    Metrics, Tokens,
};

/// What our variables begin with.
pub(super) const PREFIX: &str = "GRANTD_";

/// Every table, in the order of the example file; first the keys that stand outside any table.
pub(super) const TABLES: [Table; 21] = [
    Table::of::<Root>(),
    Table::of::<PublicListener>(),
    Table::of::<MutualTls>(),
    Table::of::<ProxyTable>(),
    Table::of::<OperationsListener>(),
    Table::of::<Sealing>(),
    Table::of::<Tokens>(),
    Table::of::<Assertions>(),
    Table::of::<Dpop>(),
    Table::of::<Hashing>(),
    Table::of::<Budget>(),
    Table::of::<Cache>(),
    Table::of::<Feed>(),
    Table::of::<Database>(),
    Table::of::<Limits>(),
    Table::of::<Metadata>(),
    Table::of::<Keys>(),
    Table::of::<Metrics>(),
    Table::of::<Log>(),
    Table::of::<Audit>(),
    Table::of::<Alerts>(),
];

/// Every environment variable with the table (none: at the top) and the key that it sets.
pub(super) fn variables() -> impl Iterator<Item = (String, Option<&'static str>, &'static str)> {
    TABLES.iter().flat_map(|table| {
        let inside = (!table.name.is_empty()).then_some(table.name);
        let variable = move |key: &&'static str| (variable(inside, key), inside, *key);
        table.keys.iter().map(variable)
    })
}

fn variable(table: Option<&str>, key: &str) -> String {
    let name = table.map_or_else(|| key.to_owned(), |table| format!("{table}__{key}"));
    format!("{}{}", PREFIX, name.to_uppercase())
}
