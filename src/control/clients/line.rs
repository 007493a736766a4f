//! The line for a shell that gets a token for a client whose key or certificate is in memory alone.

use std::sync::Arc;

use serde_json::Map;

use crate::config::catalog::CatalogClient;
use crate::config::catalog::token_line::{Lines, Words, quoted};
use crate::control::client_keys::{sign_assertion, sign_proof};
use crate::control::fault::Fault;
use crate::control::mint::signing::Key;
use crate::control::state::{Control, Held};
use crate::crypto::jws::held_key::HeldKey;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::audience::Audience;
use crate::domain::deviation::Deviation;
use crate::domain::identifier::ClientId;

/// What a client holds, written into the line itself.
struct InTheLine<'a> {
    control: &'a Control,
    held: &'a Held,
    /// Signs DPoP proofs. Absent where a line shall last: a proof, like an assertion, is good for one request.
    caller: Option<Arc<HeldKey>>,
}

/// The line as it works now, once where it holds an assertion or a proof.
///
/// # Errors
/// 503.
pub(super) async fn fresh(
    control: &Control,
    client: &CatalogClient,
    (held, audiences): (&Held, &[Audience]),
) -> Result<Option<String>, Fault> {
    let caller = control.mint().callers.key(SigningAlgorithm::Es256).await?;
    let words = InTheLine {
        control,
        held,
        caller: Some(caller),
    };
    Ok(line(&words, client, audiences))
}

/// A line that works again and again; `None` where there is none.
pub(in crate::control) fn lasting(
    control: &Control,
    client: &CatalogClient,
    (held, audiences): (&Held, &[Audience]),
) -> Option<String> {
    let words = InTheLine {
        control,
        held,
        caller: None,
    };
    line(&words, client, audiences)
}

fn line(words: &InTheLine<'_>, client: &CatalogClient, audiences: &[Audience]) -> Option<String> {
    let settings = words.control.settings();
    let endpoint = settings.issuer.endpoint("/oauth2/token");
    let mutual_endpoint = settings.mutual_endpoint("/oauth2/token");
    let lines = Lines {
        endpoint: &endpoint,
        mutual_endpoint: mutual_endpoint.as_deref(),
        ca: &words.control.world().ca,
        words,
        audiences: audiences.iter().collect(),
        demo: &[],
        shows_secrets: true,
        has_tls: settings.public.tls().is_some(),
    };
    lines.of(client).ok().map(|line| line.text)
}

impl Words for InTheLine<'_> {
    /// What bash and zsh make a file of.
    fn certificate(&self, _: &ClientId) -> Option<(String, String)> {
        let (certificate, key) = self.held.certificate.as_ref()?;
        let file = |pem: String| format!("<(printf %s {})", quoted(pem));
        Some((file(certificate.read()?), file(key.read()?)))
    }

    fn assertion(&self, client: &ClientId) -> Option<String> {
        self.caller.as_ref()?;
        let jwk = self.held.private_jwk.as_ref()?.read()?;
        let made = sign_assertion(self.control, (client, &jwk), &Deviation::default());
        Some(made.ok()?.token)
    }

    fn proof(&self, endpoint: &str) -> Option<String> {
        let key = Key::Held(Arc::clone(self.caller.as_ref()?));
        let made = sign_proof(self.control, &key, ("POST", endpoint, None), Map::new());
        Some(made.ok()?.token)
    }
}
