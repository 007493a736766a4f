//! Who sends a request, as far as the connection tells.

use std::net::IpAddr;
use std::sync::Arc;

/// The origin of one request: one value, made once.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The source address.
    pub source: IpAddr,
    /// Held while a secret of this connection waits to be hashed, so that each connection has one waiting.
    pub hashing_turn: Arc<tokio::sync::Mutex<()>>,
}
