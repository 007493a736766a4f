//! The control listener of `grantd dev`, and what it may show of the clients: the only place that knows of `control`.

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::Args;

use super::dev_screen::{Screen, demo_secrets};
use super::listen_address::listen_address;
use crate::config::catalog::token_line::Lines;
use crate::control::{Entrance, Held, Text};
use crate::domain::identifier::ClientId;
use crate::domain::issuer::Issuer;
use crate::server::listener::{bind, bind_loopback_pair};

/// Of a large catalog so many clients are shown with what they prove themselves with.
const MOST_HELD: usize = 200;

#[derive(Args, Debug)]
pub(super) struct ControlArguments {
    /// Let tests steer this process at this address: clock, tokens, faults [default: a free loopback port]
    #[arg(long, value_name = "ADDR", value_parser = listen_address, conflicts_with = "no_control")]
    control: Option<SocketAddr>,
    /// Have no such address
    #[arg(long)]
    no_control: bool,
    /// Say that others reach it at this URL, such as the mapped port of a container
    #[arg(long, value_name = "URL", conflicts_with = "no_control")]
    control_url: Option<String>,
}

impl ControlArguments {
    /// Where tests come in; `None` where none shall.
    ///
    /// # Errors
    /// The address is taken, or the URL is none.
    pub(super) fn entrance(&self) -> anyhow::Result<Option<Entrance>> {
        if self.no_control {
            return Ok(None);
        }
        let known_as = self.control_url.as_deref().map(|text| {
            let bare = text.strip_suffix('/').unwrap_or(text);
            Issuer::parse(bare, true).with_context(|| format!("--control-url {text}"))
        });
        let sockets = match self.control {
            Some(address) => vec![bind(address)?],
            None => bind_loopback_pair(0)?,
        };
        Ok(Some(Entrance {
            sockets,
            known_as: known_as.transpose()?,
        }))
    }
}

/// What the first clients of the screen prove themselves with.
pub(super) fn held(screen: &Screen<'_>) -> Vec<(ClientId, Held)> {
    let (demo, words) = (demo_secrets(), screen.words());
    let lines = Lines {
        shows_secrets: true,
        ..screen.lines(&demo, &words)
    };
    let clients = screen.catalog.clients.iter().take(MOST_HELD);
    let held = clients.map(|client| {
        let certificate = screen.certificates.of(&client.id).map(|made| {
            (
                Text::File(made.certificate.clone()),
                Text::File(made.key.clone()),
            )
        });
        let private_jwk = screen.keys.of(&client.id);
        let held = Held {
            secret: lines.clear_secret(client),
            private_jwk: private_jwk.map(|path| Text::File(path.to_owned())),
            certificate,
            curl: lines.of(client).ok().map(|line| line.text),
        };
        (client.id.clone(), held)
    });
    held.collect()
}
