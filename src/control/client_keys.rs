//! `POST /_test/assertions` and `POST /_test/proofs`: what clients sign, by the keys that `grantd dev` holds for them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::answer::Json;
use super::fault::Fault;
use super::input::Body;
use super::mint::signing::{Key, Signed};
use super::state::Control;
use super::table::Table;
use crate::crypto::dpop_proof;
use crate::crypto::public_jwk::PublicJwk;
use crate::crypto::random;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::assertion_flaw::AssertionFlaw;
use crate::domain::client_jwt::{self, ASSERTION_TYPE};
use crate::domain::deviation::Deviation;
use crate::domain::identifier::ClientId;
use crate::domain::target_uri::TargetUri;
use crate::domain::timestamp::Seconds;

/// How long an assertion lives.
const A_MINUTE: Seconds = Seconds::new(60);

/// An assertion of a client of `private_key_jwt`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AssertionWanted {
    client_id: String,
    /// Laid over the claims; null takes one away.
    #[serde(default)]
    #[schema(value_type = Object)]
    claims: Map<String, Value>,
    /// Laid over the header; null takes a member away.
    #[serde(default)]
    #[schema(value_type = Object)]
    header: Map<String, Value>,
    /// `expired`, `wrong_audience`, `wrong_issuer`, `signature_changed`, `alg_none`, `jti_missing` or `unknown_kid`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    flaw: Option<AssertionFlaw>,
}

#[derive(Serialize, ToSchema)]
struct AssertionMade {
    /// What to send as `client_assertion`.
    client_assertion: String,
    /// What to send as `client_assertion_type`.
    client_assertion_type: &'static str,
    #[schema(value_type = Object)]
    header: Map<String, Value>,
    #[schema(value_type = Object)]
    claims: Map<String, Value>,
}

/// A DPoP proof.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProofWanted {
    /// Absent: POST without a `url`, else GET.
    method: Option<String>,
    /// Absent: the token endpoint.
    url: Option<String>,
    /// The token that is sent beside it, where it goes to an API.
    access_token: Option<String>,
    /// A private JWK; absent: one that stays the same as long as grantd runs.
    #[schema(value_type = Option<Object>)]
    key: Option<Map<String, Value>>,
    /// Laid over the claims; null takes one away.
    #[serde(default)]
    #[schema(value_type = Object)]
    claims: Map<String, Value>,
}

#[derive(Serialize, ToSchema)]
struct ProofMade {
    /// What to send in the header `DPoP`.
    proof: String,
    /// The thumbprint of its key, as `cnf.jkt` has it.
    jkt: String,
    #[schema(value_type = Object)]
    header: Map<String, Value>,
    #[schema(value_type = Object)]
    claims: Map<String, Value>,
}

pub(super) fn routes(all: Table) -> Table {
    all.post(
        "/_test/assertions",
        "makes a client assertion by the key of a client of private_key_jwt",
        assertion,
    )
    .post("/_test/proofs", "makes a DPoP proof", proof)
}

async fn assertion(
    control: Control,
    Body(wanted): Body<AssertionWanted>,
) -> Result<Json<AssertionMade>, Fault> {
    let client = control.client(&wanted.client_id).await?;
    let held = control.held(&client.client.id).unwrap_or_default();
    let jwk = held.private_jwk.and_then(|jwk| jwk.read());
    let jwk = jwk.ok_or_else(|| {
        let none = "grantd holds no private key of this client: it makes one for a client of private_key_jwt whose \
                    catalog states none";
        Fault::conflict(none).at("client_id")
    })?;
    let flaw = wanted
        .flaw
        .map(|flaw| flaw.deviation(control.grantd().clock().now()));
    let mut differs = flaw.unwrap_or_default();
    differs.claims.extend(wanted.claims);
    differs.header.extend(wanted.header);
    let signed = sign_assertion(&control, (&client.client.id, &jwk), &differs)?;
    Ok(Json(AssertionMade {
        client_assertion: signed.token,
        client_assertion_type: ASSERTION_TYPE,
        header: signed.header,
        claims: signed.claims,
    }))
}

async fn proof(
    control: Control,
    wanted: Option<Body<ProofWanted>>,
) -> Result<Json<ProofMade>, Fault> {
    let wanted = Body::or_default(wanted);
    let key = match wanted.key {
        Some(jwk) => Key::given(&Value::Object(jwk).to_string(), None)?,
        None => Key::Held(control.mint().callers.key(SigningAlgorithm::Es256).await?),
    };
    let endpoint = control.settings().issuer.endpoint("/oauth2/token");
    let (usual, url) = match wanted.url {
        None => ("POST", endpoint),
        Some(url) => ("GET", url),
    };
    let url = TargetUri::parse(&url).ok_or_else(|| {
        Fault::invalid("write a URL such as http://localhost:8090/documents").at("url")
    })?;
    let method = wanted.method.as_deref().unwrap_or(usual);
    let token = wanted.access_token.as_deref();
    let signed = sign_proof(&control, &key, (method, url.as_str(), token), wanted.claims)?;
    let Signed {
        token,
        header,
        claims,
    } = signed;
    Ok(Json(ProofMade {
        proof: token,
        jkt: public_half(&key)?.thumbprint(),
        header,
        claims,
    }))
}

/// An assertion for the issuer by a client's private JWK, right but for what `differs`.
///
/// # Errors
/// 400 for a JWK that is none, 503.
pub(super) fn sign_assertion(
    control: &Control,
    (client, jwk): (&ClientId, &str),
    differs: &Deviation,
) -> Result<Signed, Fault> {
    let now = control.grantd().clock().now();
    let issuer = control.settings().issuer.as_str();
    let claims = client_jwt::assertion(
        (client.as_str(), issuer),
        (now, A_MINUTE),
        &random::token_id(),
    );
    Key::given(jwk, None)?.sign_token(control, (Some("JWT"), claims), differs)
}

/// A DPoP proof for a request by `method` to `url`, with a token where it has one; `claims` are laid over.
///
/// # Errors
/// 503.
pub(super) fn sign_proof(
    control: &Control,
    key: &Key,
    (method, url, token): (&str, &str, Option<&str>),
    claims: Map<String, Value>,
) -> Result<Signed, Fault> {
    let now = control.grantd().clock().now();
    let jwk = public_half(key)?.key_members();
    let differs = Deviation {
        claims,
        header: Map::from_iter([
            ("kid".to_owned(), Value::Null),
            ("jwk".to_owned(), Value::Object(jwk)),
        ]),
        ..Deviation::default()
    };
    let claims = dpop_proof::claims((method, url), token, now);
    key.sign_token(control, (Some("dpop+jwt"), claims), &differs)
}

fn public_half(key: &Key) -> Result<&PublicJwk, Fault> {
    let public = key.public();
    public.ok_or_else(|| Fault::unavailable(&"the key has no public half"))
}
