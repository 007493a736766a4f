//! A small API that grantd's tokens protect, and a client of it.

pub mod api;
pub mod client;
