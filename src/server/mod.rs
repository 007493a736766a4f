//! Binds, serves and drains: the listeners with the timers and limits that `axum::serve` does not expose.

mod any_certificate;
pub mod bounds;
pub mod client_ca_files;
pub mod descriptors;
mod door;
pub mod file_fault;
mod frames;
mod framing;
mod hpack;

pub mod inherited;
pub mod listener;
mod meter;
mod protocol;
mod refused_handshakes;
pub mod reload;
pub mod replica;
pub mod room;
mod run;
pub mod serve;
pub mod server_metrics;
pub mod service_manager;
mod session;
pub mod shutdown;
pub mod sockets;
pub mod tls;
pub mod traffic;
mod watched;
mod wire;

#[cfg(test)]
mod tests;
