//! What clients of `grantd dev` reach: where it listens, how it is called, by http or https, and whether pages of other
//! origins may ask it.

use std::net::{IpAddr, SocketAddr};

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;

use super::dev_certificates::DevCertificates;
use super::listen_address::{PORT, TLS_PORT, listen_address};
use crate::config::settings::PublicListener;
use crate::control::for_pages;
use crate::domain::issuer::Issuer;
use crate::server::listener::{BindError, bind, bind_loopback_pair};
use crate::server::replica::Replica;

#[derive(Args, Debug)]
pub(super) struct PublicArguments {
    /// Listen here; 127.0.0.1:0 takes a free port [default: port 8080 of both loopback addresses, 8443 with --tls]
    #[arg(long, value_name = "ADDR", value_parser = listen_address)]
    listen: Option<SocketAddr>,
    /// Use this issuer instead of the listener's own URL
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Serve https, with a certificate of the throw-away CA that the screen names
    #[arg(long)]
    tls: bool,
    /// Let web pages of this origin ask for tokens, metadata and keys; may stand several times
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    cors: Vec<Issuer>,
}

impl PublicArguments {
    pub(super) fn bind(&self) -> Result<Vec<TcpListener>, BindError> {
        match self.listen {
            Some(address) => Ok(vec![bind(address)?]),
            None if self.tls => bind_loopback_pair(TLS_PORT),
            None => bind_loopback_pair(PORT),
        }
    }

    /// The issuer follows the listener unless it is given.
    pub(super) fn issuer(&self, address: SocketAddr) -> anyhow::Result<Issuer> {
        if let Some(text) = &self.issuer {
            return Issuer::parse(text, true).with_context(|| format!("--issuer {text}"));
        }
        let host = match (self.listen, address.ip()) {
            (None, _) => "localhost".to_owned(),
            (Some(_), ip) if ip.is_unspecified() => {
                tracing::warn!(
                    "other machines use another name for this one: set it with --issuer URL"
                );
                "localhost".to_owned()
            }
            (Some(_), IpAddr::V4(ip)) => ip.to_string(),
            (Some(_), IpAddr::V6(ip)) => format!("[{ip}]"),
        };
        let (scheme, implied) = if self.tls {
            ("https", 443)
        } else {
            ("http", 80)
        };
        let text = match address.port() {
            port if port == implied => format!("{scheme}://{host}"),
            port => format!("{scheme}://{host}:{port}"),
        };
        Ok(Issuer::parse(&text, true)?)
    }

    /// Its settings.
    pub(super) fn listener(
        &self,
        listen: SocketAddr,
        certificates: &DevCertificates,
    ) -> PublicListener {
        let file = |path: &std::path::PathBuf| self.tls.then(|| path.clone());
        PublicListener {
            listen,
            tls_certificate_file: file(&certificates.server),
            tls_key_file: file(&certificates.server_key),
            ..PublicListener::default()
        }
    }

    /// `replica`, which lets the pages ask that it shall.
    pub(super) fn shown_to_pages(&self, replica: Replica) -> Replica {
        if self.cors.is_empty() {
            return replica;
        }
        let routes = for_pages(replica.routes.clone(), &replica.settings.issuer, &self.cors);
        replica.answering_by(routes)
    }
}

/// An origin as browsers send it: scheme, host, and a port that is not the scheme's own (RFC 6454 section 6.2).
fn origin(text: &str) -> Result<Issuer, String> {
    let origin = Issuer::parse(text, true).ok();
    origin.filter(|it| it.path().is_empty()).ok_or_else(|| {
        "write an origin as browsers send it, without a slash at its end: http://localhost:3000"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        public: PublicArguments,
    }

    impl PublicArguments {
        /// Those of `--listen`.
        pub(in crate::cli) fn at(address: SocketAddr) -> Self {
            read(&["--listen", &address.to_string()]).unwrap()
        }
    }

    fn read(arguments: &[&str]) -> Option<PublicArguments> {
        let line = Line::try_parse_from([&["dev"], arguments].concat());
        line.ok().map(|line| line.public)
    }

    #[test]
    fn the_issuer_follows_the_listener() {
        for (arguments, address, issuer) in [
            (&[][..], "127.0.0.1:8080", "http://localhost:8080"),
            (&["--tls"], "127.0.0.1:8443", "https://localhost:8443"),
            (&["--tls"], "127.0.0.1:443", "https://localhost"),
            (
                &["--listen", "127.0.0.1:80"],
                "127.0.0.1:80",
                "http://127.0.0.1",
            ),
            (
                &["--listen", "127.0.0.1:80", "--tls"],
                "127.0.0.1:80",
                "https://127.0.0.1:80",
            ),
            (
                &["--listen", "[::1]:0", "--tls"],
                "[::1]:4711",
                "https://[::1]:4711",
            ),
            (
                &["--listen", "0.0.0.0:0", "--tls"],
                "0.0.0.0:4711",
                "https://localhost:4711",
            ),
            (
                &["--tls", "--issuer", "https://grantd:8443"],
                "0.0.0.0:1",
                "https://grantd:8443",
            ),
        ] {
            let public = read(arguments).unwrap();
            let found = public.issuer(address.parse().unwrap()).unwrap();
            assert_eq!(found.as_str(), issuer, "{arguments:?}");
        }
    }

    #[test]
    fn an_origin_is_written_as_browsers_send_it() {
        for good in [
            "http://localhost:3000",
            "https://swagger.example",
            "http://[::1]:1",
        ] {
            assert!(read(&["--cors", good]).is_some(), "{good}");
        }
        for wrong in [
            "*",
            "null",
            "localhost:3000",
            "http://localhost:3000/",
            "http://localhost:3000/app",
            "http://LOCALHOST",
            "http://localhost:80",
        ] {
            assert!(read(&["--cors", wrong]).is_none(), "{wrong}");
        }
        assert_eq!(
            read(&["--cors", "http://a", "--cors", "http://b"])
                .unwrap()
                .cors
                .len(),
            2
        );
    }
}
