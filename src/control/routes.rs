//! All paths of the control interface. A new one is a line here and a file that answers it.

use super::table::Table;
use super::{clock, index, openapi};

/// Every path, in the order in which `GET /_test` shows them.
pub(super) fn all() -> Table {
    let all = Table::none();
    let all = index::routes(all);
    let all = openapi::routes(all);
    clock::routes(all)
}
