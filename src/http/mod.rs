//! Requests in, answers out: the only user of axum. Everything a stranger sends is parsed strictly here,
//! and one table turns a refusal into an answer.

mod accept;
pub mod answer;
mod authorize;
pub mod basic;
pub mod body;
mod call;
pub mod client_credentials;
pub mod connection;
mod dpop;
pub mod form;
mod form_encoding;
pub mod forwarded;
pub mod health;
mod introspect;
mod jwks;
pub mod layers;
mod log_level;
mod media_type;
mod metadata;
mod metrics;
mod origin;
mod quoted;
pub mod request_id;
mod revoke;
pub mod routes;
pub mod state;
mod token;
pub mod witness;

#[cfg(test)]
pub(crate) mod sample;
