//! `grantd explain` (OPERATING section 1).

mod by_id;
mod cases;
mod stopped;
