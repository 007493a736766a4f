//! A small API that grantd's tokens protect.

pub mod api;
