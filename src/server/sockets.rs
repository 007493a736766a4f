//! The bound sockets of the listeners, by their names.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::listener::{BindError, bind};
use crate::config::settings::Settings;

/// The sockets of each listener; a listener without any does not run.
#[derive(Debug, Default)]
pub struct Sockets(BTreeMap<&'static str, Vec<TcpListener>>);

impl Sockets {
    /// These, and for each listener of the settings that has none of them a socket at its address. Needs a tokio
    /// runtime.
    ///
    /// # Errors
    /// An address is taken, not ours, or not allowed.
    pub fn bind(
        settings: &Settings,
        inherited: Vec<(&'static str, Vec<TcpListener>)>,
    ) -> Result<Self, BindError> {
        let mut sockets = Self(inherited.into_iter().collect());
        for (name, address) in settings.listeners() {
            if !sockets.0.contains_key(name) {
                sockets.0.insert(name, vec![bind(address)?]);
            }
        }
        Ok(sockets)
    }

    /// With these for the listener `name`.
    #[must_use]
    pub fn with(mut self, name: &'static str, sockets: Vec<TcpListener>) -> Self {
        self.0.insert(name, sockets);
        self
    }

    /// The first address of the listener `name`.
    ///
    /// # Errors
    /// It has none, or the system does not say it.
    pub fn address(&self, name: &str) -> io::Result<SocketAddr> {
        let first = self.0.get(name).and_then(|sockets| sockets.first());
        first
            .ok_or_else(|| io::Error::other(format!("the listener {name} is not bound")))?
            .local_addr()
    }

    pub(super) fn take(&mut self, name: &str) -> Vec<TcpListener> {
        self.0.remove(name).unwrap_or_default()
    }
}
