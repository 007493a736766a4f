//! Sockets that systemd opened for us and passes on by name (`sd_listen_fds(3)`; OPERATING section 9).

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener as Socket};

use listenfd::ListenFd;
use tokio::net::TcpListener;

use crate::config::settings::{MTLS, OPERATIONS, PUBLIC, Settings};

/// The sockets that were passed on, by the names of their listeners.
#[derive(Debug, Default)]
pub struct Inherited(BTreeMap<&'static str, Vec<Socket>>);

/// Why the sockets that were passed on cannot be used.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Debug, thiserror::Error)]
pub enum InheritedError {
    #[error(
        "systemd passes {sockets} sockets and {names} names: set FileDescriptorName= to public, mtls or operations in each socket unit"
    )]
    Names { sockets: usize, names: usize },
    #[error(
        "systemd passes a socket named {0:?}: set FileDescriptorName= to public, mtls or operations in its socket unit"
    )]
    Unknown(String),
    #[error(
        "systemd passes a socket for the listener mtls, but the settings have no table [mtls] with a listener"
    )]
    NoListener,
    #[error(
        "cannot use the socket that systemd passes for the listener {name}: {source}; it must be a listening TCP socket (ListenStream=)"
    )]
    Socket {
        name: &'static str,
        #[source]
        source: io::Error,
    },
    #[error(
        "refusing plain HTTP on {0}, which systemd passes for the listener public: set tls_certificate_file and tls_key_file in [public], or allow_plain_http = true behind a proxy"
    )]
    PlainHttp(SocketAddr),
}

impl Inherited {
    /// Those that are meant for this process: `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES`. They can be taken once.
    ///
    /// # Errors
    /// A name that is not a listener's, or a socket that does not listen to TCP.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self, InheritedError> {
        // listenfd takes those without LISTEN_PID as well, which sd_listen_fds(3) does not.
        if variable("LISTEN_PID") != Some(std::process::id().to_string()) {
            return Ok(Self::default());
        }
        let names = variable("LISTEN_FDNAMES").unwrap_or_default();
        let mut passed = ListenFd::from_env();
        let names = named(passed.len(), &names)?;
        let mut inherited = Self::default();
        for (index, name) in names.into_iter().enumerate() {
            let fault = |source| InheritedError::Socket { name, source };
            if let Some(socket) = passed.take_tcp_listener(index).map_err(fault)? {
                socket.set_nonblocking(true).map_err(fault)?;
                inherited.0.entry(name).or_default().push(socket);
            }
        }
        Ok(inherited)
    }

    /// The sockets of each listener that has some, whose `listen` in the settings becomes their address. Needs a tokio
    /// runtime.
    ///
    /// # Errors
    /// There is no such listener, or it would speak plain HTTP to strangers.
    pub fn adopt(
        self,
        settings: &mut Settings,
    ) -> Result<Vec<(&'static str, Vec<TcpListener>)>, InheritedError> {
        let mut adopted = Vec::new();
        for (name, sockets) in self.0 {
            let fault = |source| InheritedError::Socket { name, source };
            for socket in &sockets {
                let address = socket.local_addr().map_err(fault)?;
                listens_at(settings, name, address)?;
            }
            let sockets: Result<_, _> = sockets.into_iter().map(TcpListener::from_std).collect();
            adopted.push((name, sockets.map_err(fault)?));
        }
        Ok(adopted)
    }
}

/// A name of a listener for each of `sockets`, of a list that is separated by colons.
fn named(sockets: usize, names: &str) -> Result<Vec<&'static str>, InheritedError> {
    let texts: Vec<&str> = names.split(':').filter(|it| !it.is_empty()).collect();
    if texts.len() != sockets {
        let names = texts.len();
        return Err(InheritedError::Names { sockets, names });
    }
    let known = |text: &str| {
        [PUBLIC, MTLS, OPERATIONS]
            .into_iter()
            .find(|it| *it == text)
    };
    texts
        .into_iter()
        .map(|text| known(text).ok_or_else(|| InheritedError::Unknown(text.to_owned())))
        .collect()
}

fn listens_at(
    settings: &mut Settings,
    name: &str,
    address: SocketAddr,
) -> Result<(), InheritedError> {
    match name {
        PUBLIC => {
            let public = &mut settings.public;
            // The settings were judged by their own `listen`.
            if public.tls().is_none() && !public.allow_plain_http && !address.ip().is_loopback() {
                return Err(InheritedError::PlainHttp(address));
            }
            public.listen = address;
        }
        MTLS => {
            let mutual = settings.mtls.as_mut().filter(|it| it.listen().is_some());
            mutual.ok_or(InheritedError::NoListener)?.listen = address;
        }
        _ => settings.operations.listen = address,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_socket_has_the_name_of_a_listener() {
        let names = named(3, "public:mtls:public").unwrap();
        assert_eq!(names, [PUBLIC, MTLS, PUBLIC]);
        assert_eq!(named(0, "").unwrap(), <[&str; 0]>::default());
        for (sockets, text, part) in [
            (2, "public", "2 sockets and 1 names"),
            (1, "", "1 sockets and 0 names"),
            (1, "grantd.socket", "a socket named \"grantd.socket\""),
            (1, "Public", "a socket named \"Public\""),
        ] {
            let error = named(sockets, text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn sockets_of_another_process_are_left_alone() {
        for pid in [None, Some("1".to_owned())] {
            let variable = |name: &str| match name {
                "LISTEN_PID" => pid.clone(),
                "LISTEN_FDS" => Some("1".to_owned()),
                _ => Some("nonsense".to_owned()),
            };
            assert!(Inherited::of(variable).unwrap().0.is_empty());
        }
    }
}
