//! Binds, serves and drains: the listeners with the timers and limits that `axum::serve` does not expose.

mod any_certificate;
pub mod client_ca_files;
mod framing;
pub mod limits;
pub mod listener;
mod protocol;
pub mod replica;
pub mod serve;
mod session;
pub mod shutdown;
pub mod tls;
mod wire;

#[cfg(test)]
mod tests;
