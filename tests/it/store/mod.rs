//! The store as replicas use it: the feed, the memory, several writers, and a database that fails.

mod abandoned;
mod conflicts;
pub(crate) mod env;
mod feed;
mod migrations;
mod outage;
mod races;
mod set_back;
mod unknown_clients;
mod writers;
