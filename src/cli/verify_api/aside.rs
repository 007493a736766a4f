//! What is said besides the report.

use std::io::Write as _;

/// Standard output is the report's. Who closed standard error wants no remarks.
pub(super) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
