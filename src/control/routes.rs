//! All paths of the control interface. A new one is a line here and a file that answers it.

use super::table::Table;
use super::{
    battery, client_keys, clock, faults, index, issuers, openapi, requests, strangers, tokens,
};

/// Every path, in the order in which `GET /_test` shows them.
pub(super) fn all() -> Table {
    let all = Table::none();
    let all = index::routes(all);
    let all = openapi::routes(all);
    let all = clock::routes(all);
    let all = tokens::routes(all);
    let all = battery::routes(all);
    let all = issuers::routes(all);
    let all = strangers::routes(all);
    let all = client_keys::routes(all);
    let all = faults::routes(all);
    requests::routes(all)
}
