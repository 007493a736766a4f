//! What every request passes: the token is taken from the one place where it may stand, and checked whole.

use std::sync::Arc;

use anyhow::Context as _;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use jsonwebtoken::get_current_timestamp;

use crate::answer::{Fault, Refusal, Scheme};
use crate::certificate::Peer;
use crate::confirmation::{self, Shown};
use crate::introspection::Introspection;
use crate::keys::Keys;
use crate::proof::{self, Proof};
use crate::settings::Settings;
use crate::spent_proofs::SpentProofs;
use crate::token::{self, Claims};

/// The longest body, in bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// What all requests share.
pub(crate) struct Api {
    pub(crate) settings: Settings,
    /// The URL by which callers know us, without a path.
    url: String,
    keys: Arc<Keys>,
    introspection: Option<Introspection>,
    spent_proofs: SpentProofs,
}

impl Api {
    pub(crate) fn new(settings: Settings, keys: Arc<Keys>) -> anyhow::Result<Self> {
        let url = settings.url.as_deref().context("no URL")?;
        url.parse::<Uri>().with_context(|| format!("--url {url}"))?;
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self {
            introspection: Introspection::new(&settings)?,
            settings,
            url,
            keys,
            spent_proofs: SpentProofs::default(),
        })
    }
}

/// One route's demand.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) api: Arc<Api>,
    pub(crate) scope: Arc<str>,
}

/// Who calls; for the handlers behind the guard.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) client: String,
    /// For whom it calls: itself, or who called it.
    pub(crate) subject: String,
    /// Who acts for the subject, where it is another.
    pub(crate) actors: Vec<String>,
    /// Whoever has it can use it: it goes to the issuer alone.
    pub(crate) token: String,
}

pub(crate) async fn guard(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let scheme = offered_scheme(&parts.headers);
    let method = parts.method.clone();
    match admitted(&gate, &parts, body).await {
        Ok((claims, token, body)) => {
            // The token's id says which it was; the token itself is never logged.
            let (client, subject, jti) = (&claims.client_id, &claims.sub, &claims.jti);
            tracing::info!(%method, scope = %gate.scope, ?client, ?subject, ?jti, "allowed");
            let caller = Caller {
                actors: claims.actors(),
                client: claims.client_id,
                subject: claims.sub,
                token,
            };
            let mut request = Request::from_parts(parts, body);
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(fault) => {
            tracing::warn!(%method, scope = %gate.scope, reason = fault.reason(), "denied");
            Refusal { fault, scheme }.into_response()
        }
    }
}

async fn admitted(gate: &Gate, parts: &Parts, body: Body) -> Result<(Claims, String, Body), Fault> {
    let (scheme, token) = credentials(&parts.headers)?;
    let body = single_place(parts, body).await?;
    let api = &gate.api;
    let claims = token::verified(token, &api.keys, &api.settings).await?;
    let now = get_current_timestamp();
    let proof = match scheme {
        Scheme::Bearer => None,
        Scheme::Dpop => Some(proof(parts, api, token, now)?),
    };
    let peer = parts.extensions.get::<ConnectInfo<Peer>>();
    let shown = Shown {
        certificate: peer.and_then(|ConnectInfo(peer)| peer.certificate.as_deref()),
        proof_key: proof.as_ref().map(|proof| proof.key.as_str()),
    };
    confirmation::check(claims.confirmation.as_ref(), &shown)?;
    let clients = &api.settings.clients;
    if !clients.is_empty() && !clients.contains(&claims.client_id) {
        return Err(Fault::Client);
    }
    if !claims.has_scope(&gate.scope) {
        return Err(Fault::Scope(gate.scope.to_string()));
    }
    if let Some(introspection) = &api.introspection {
        introspection.check(token).await?;
    }
    proof.map_or(Ok(()), |proof| api.spent_proofs.spend(&proof, now))?;
    Ok((claims, token.to_owned(), body))
}

fn proof(parts: &Parts, api: &Api, token: &str, now: u64) -> Result<Proof, Fault> {
    let proof = single(&parts.headers, "dpop")?.ok_or(Fault::Proof("no DPoP header"))?;
    let url = format!("{}{}", api.url, parts.uri.path());
    let request = proof::Request {
        method: parts.method.as_str(),
        url: &url,
        token,
        now,
    };
    proof::verified(proof, &request)
}

/// Scheme and token of the header `Authorization`, the only place where we take one.
fn credentials(headers: &HeaderMap) -> Result<(Scheme, &str), Fault> {
    let value = single(headers, "authorization")?.ok_or(Fault::NoCredentials)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let scheme = scheme_named(scheme).ok_or(Fault::NoCredentials)?;
    let token = token.trim_start_matches(' ');
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.is_empty() || !token.bytes().all(is_token) {
        return Err(Fault::Request("no token after the scheme"));
    }
    Ok((scheme, token))
}

/// Schemes are the same in either case (RFC 9110 section 11.1).
fn scheme_named(name: &str) -> Option<Scheme> {
    match name {
        name if name.eq_ignore_ascii_case("bearer") => Some(Scheme::Bearer),
        name if name.eq_ignore_ascii_case("dpop") => Some(Scheme::Dpop),
        _ => None,
    }
}

/// The scheme in which a refusal is answered.
fn offered_scheme(headers: &HeaderMap) -> Scheme {
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let name = value.and_then(|value| value.split(' ').next());
    name.and_then(scheme_named).unwrap_or(Scheme::Bearer)
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Fault> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Fault::Request("a header twice"));
    }
    value
        .to_str()
        .map(Some)
        .map_err(|_| Fault::Request("a header that is no ASCII"))
}

/// Refuses a second token in the URL or in a form (RFC 6750 section 2). Alone, those count as no token: URLs
/// end up in logs.
async fn single_place(parts: &Parts, body: Body) -> Result<Body, Fault> {
    let named = |text: &[u8]| {
        text.split(|byte| *byte == b'&')
            .any(|pair| pair.split(|byte| *byte == b'=').next() == Some(b"access_token".as_slice()))
    };
    if named(parts.uri.query().unwrap_or_default().as_bytes()) {
        return Err(Fault::Request("a second token in the URL"));
    }
    let content_type = parts
        .headers
        .get(header::CONTENT_TYPE)
        .map(|value| value.as_bytes().to_ascii_lowercase());
    if !content_type.is_some_and(|value| value.starts_with(b"application/x-www-form-urlencoded")) {
        return Ok(body);
    }
    let body = to_bytes(body, LONGEST_BODY)
        .await
        .map_err(|_| Fault::Request("a long form"))?;
    if named(&body) {
        return Err(Fault::Request("a second token in the form"));
    }
    Ok(body.into())
}
