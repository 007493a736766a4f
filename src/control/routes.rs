//! All paths of the control interface. A new one is a line here and a file that answers it.

use super::table::Table;
use super::{
    battery, catalog, client_keys, clients, clock, faults, index, issuers, keys, openapi, requests,
    reset, strangers, tokens,
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
    let all = requests::routes(all);
    let all = clients::routes(all);
    let all = catalog::routes(all);
    let all = keys::routes(all);
    reset::routes(all)
}
