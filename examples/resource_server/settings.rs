//! What the operator says: whose tokens, for which API, with which scopes, from which clients.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser;
use rustls::ServerConfig;

use crate::certificate;

/// An API protected by the tokens of an OAuth 2.0 authorization server.
#[derive(Parser, Debug)]
pub(crate) struct Settings {
    /// The issuer of the tokens, byte for byte as in `iss`
    #[arg(long, env = "API_ISSUER", value_name = "URL")]
    pub(crate) issuer: String,
    /// The name of this API, as in `aud`
    #[arg(long, env = "API_AUDIENCE", value_name = "ID")]
    pub(crate) audience: String,
    /// The scope that reading needs
    #[arg(long, env = "API_SCOPE", value_name = "SCOPE")]
    pub(crate) scope: String,
    /// The scope that writing needs
    #[arg(
        long,
        env = "API_WRITE_SCOPE",
        value_name = "SCOPE",
        default_value = "archive:write"
    )]
    pub(crate) write_scope: String,
    /// A client that may call, once for each; without it every client with the right token
    #[arg(
        long = "client",
        env = "API_CLIENTS",
        value_name = "ID",
        value_delimiter = ','
    )]
    pub(crate) clients: Vec<String>,
    /// Ask the issuer at each request whether the token still holds, as this client [default: check tokens here alone]
    #[arg(
        long,
        env = "API_INTROSPECT_AS",
        value_name = "ID",
        requires = "introspection_secret"
    )]
    pub(crate) introspect_as: Option<String>,
    /// The secret of that client; other users of the machine can read options
    #[arg(
        long,
        env = "API_INTROSPECTION_SECRET",
        value_name = "SECRET",
        requires = "introspect_as",
        hide_env_values = true
    )]
    pub(crate) introspection_secret: Option<String>,
    /// Call this API for whoever calls this one, at /callers, by a token in exchange for theirs (RFC 8693)
    #[arg(long, value_name = "URL", requires = "next_audience")]
    pub(crate) next_url: Option<String>,
    /// The name of that API, as in `aud`
    #[arg(long, value_name = "ID", requires_all = ["next_url", "introspect_as"])]
    pub(crate) next_audience: Option<String>,
    /// Where to listen
    #[arg(
        long,
        env = "API_LISTEN",
        value_name = "ADDR",
        default_value = "127.0.0.1:8090"
    )]
    pub(crate) listen: SocketAddr,
    /// The URL under which clients reach this API, for `htu` of DPoP proofs [default: the listener's]
    ///
    /// Not taken from the Host header: that is the caller's word.
    #[arg(long, env = "API_URL", value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Serve TLS and ask for client certificates: the server's certificate chain, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The key of the server's certificate, PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
}

impl Settings {
    /// How to serve TLS; nothing where plain HTTP is wanted.
    pub(crate) fn tls(&self) -> anyhow::Result<Option<Arc<ServerConfig>>> {
        let (Some(certificate), Some(key)) = (&self.tls_certificate, &self.tls_key) else {
            return Ok(None);
        };
        let config = certificate::server_config(certificate, key);
        Ok(Some(config.context("--tls-certificate, --tls-key")?))
    }
}
