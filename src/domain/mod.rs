//! What grantd decides, as pure functions and types: no async, no clock, no HTTP, no SQL, no JOSE.

pub mod algorithm;
pub mod audience;
pub mod client;
pub mod credential;
pub mod identifier;
pub mod issuer;
pub mod policy;
pub mod scope;
pub mod secret_format;
pub mod timestamp;
