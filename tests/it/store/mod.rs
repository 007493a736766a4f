//! The store as replicas use it: the feed, the memory, several writers, and a database that fails.

mod abandoned;
mod answers;
mod conflicts;
mod ended_transactions;
pub(crate) mod env;
mod fake_postgres;
mod feed;
mod issuers;
mod migrations;
mod outage;
mod outage_page;
mod pooler;
mod primary;
mod races;
mod set_back;
mod told;
mod unknown_clients;
mod unwritable;
mod writers;
