//! `POST /_test/tokens`: one token, as a client would get it but for what a test wants otherwise. No policy is asked.

mod made;
mod wanted;

use serde_json::{Map, Value};

use super::answer::Json;
use super::battery::entry::Entry;
use super::battery::maker::{Asked, Maker};
use super::battery::scope;
use super::fault::Fault;
use super::input::Body;
use super::mint::holder::Holder;
use super::mint::other_issuers::OtherIssuer;
use super::mint::signing::{Key, Signed};
use super::state::Control;
use super::table::Table;
use crate::crypto::random;
use crate::domain::audience::TokenFormat;
use crate::domain::battery::selection::Binding;
use crate::domain::battery::{Case, Topic};
use crate::domain::deviation::{KeyChoice, lay_over};
use crate::domain::provider::{Frame, Provider};
use crate::domain::timestamp::Timestamp;
use made::TokenMade;
use wanted::TokenWanted;

pub(super) fn routes(all: Table) -> Table {
    all.post(
        "/_test/tokens",
        "makes one token, with whatever differs from a real one",
        make,
    )
}

async fn make(
    control: Control,
    wanted: Option<Body<TokenWanted>>,
) -> Result<Json<TokenMade>, Fault> {
    let wanted = Body::or_default(wanted);
    let now = control.grantd().clock().now();
    if let Some(flaw) = wanted.flaw {
        let (entry, signed) = flawed(&control, flaw, wanted).await?;
        return Ok(Json(TokenMade::of_entry(entry, signed, now)));
    }
    if wanted.method.is_some() || wanted.url.is_some() {
        let only = "method and url belong to a flaw of a proof; POST /_test/proofs makes proofs";
        return Err(Fault::invalid(only).at(if wanted.url.is_some() {
            "url"
        } else {
            "method"
        }));
    }
    let signed = match wanted.issuer.as_deref() {
        None => of_ours(&control, wanted, now).await?,
        Some(name) => {
            let issuer = control.mint().issuers.named(name);
            let issuer = issuer.map_err(|fault| fault.at("issuer"))?;
            match issuer.provider {
                None => of_another(&control, &issuer, wanted, now).await?,
                Some(provider) => of_provider(&control, (&issuer, provider), wanted, now).await?,
            }
        }
    };
    Ok(Json(TokenMade::new(signed, now)))
}

async fn of_ours(control: &Control, wanted: TokenWanted, now: Timestamp) -> Result<Signed, Fault> {
    let holder = wanted.holder(control).await?;
    let claims = holder.claims(control, wanted.terms(now)?)?;
    if holder.audience.format == TokenFormat::Opaque {
        return sealed(control, (&holder, claims), &wanted);
    }
    let algorithm = wanted.algorithm().unwrap_or(holder.audience.algorithm);
    let typ = holder.audience.jwt_typ.as_str();
    let deviation = wanted.deviation();
    let key = match (&deviation.key, wanted.algorithm()) {
        (KeyChoice::Given(jwk), algorithm) => Key::given(jwk, algorithm)?,
        (choice, _) => Key::chosen(control, choice, algorithm).await?,
    };
    key.sign_token(control, (Some(typ), claims), &deviation)
}

/// An opaque token of these claims.
fn sealed(
    control: &Control,
    (holder, mut claims): (&Holder, Map<String, Value>),
    wanted: &TokenWanted,
) -> Result<Signed, Fault> {
    if let Some(name) = wanted.of_jwts() {
        let none = format!(
            "the tokens of {} are opaque: they have neither header nor signature",
            holder.audience.id
        );
        return Err(Fault::invalid(none).at(name));
    }
    lay_over(&mut claims, &wanted.claims);
    let content = Value::Object(claims.clone()).to_string();
    let tokens = control.grantd().opaque_tokens();
    let token = tokens.seal(holder.audience.id.as_str(), content.as_bytes());
    Ok(Signed {
        token: token.ok_or_else(|| Fault::unavailable(&"sealing failed"))?,
        header: Map::new(),
        claims,
    })
}

/// As ours but for `iss` and the key.
async fn of_another(
    control: &Control,
    issuer: &OtherIssuer,
    wanted: TokenWanted,
    now: Timestamp,
) -> Result<Signed, Fault> {
    let holder = wanted.holder(control).await?;
    let mut claims = holder.claims(control, wanted.terms(now)?)?;
    claims.insert("iss".to_owned(), issuer.url(control.url()).into());
    let typ = holder.audience.jwt_typ.as_str();
    let key = wanted.key_of(control, issuer).await?;
    key.sign_token(control, (Some(typ), claims), &wanted.deviation())
}

/// As the provider makes them; it knows nothing of clients and scopes.
async fn of_provider(
    control: &Control,
    (issuer, provider): (&OtherIssuer, Provider),
    wanted: TokenWanted,
    now: Timestamp,
) -> Result<Signed, Fault> {
    for (name, is_there) in [
        ("client_id", wanted.client_id.is_some()),
        ("scope", wanted.scope.is_some()),
        ("confirmation", wanted.confirmation.is_some()),
    ] {
        if is_there {
            let none = format!("tokens of {provider} have none: say what they have in claims");
            return Err(Fault::invalid(none).at(name));
        }
    }
    let url = issuer.url(control.url());
    let ours = control.settings().issuer.as_str();
    let claims = provider.claims(&Frame {
        issuer: &url,
        audience: wanted.audience.as_deref().unwrap_or(ours),
        issued_at: wanted.issued_at.map_or(now, |it| it.seen_from(now)),
        lifetime: wanted.lifetime.unwrap_or(provider.lifetime()),
        id: &random::token_id(),
    });
    let key = wanted.key_of(control, issuer).await?;
    key.sign_token(control, (provider.typ(), claims), &wanted.deviation())
}

/// An entry of the battery by itself.
async fn flawed(
    control: &Control,
    flaw: Case,
    wanted: TokenWanted,
) -> Result<(Entry, Signed), Fault> {
    if let Some(name) = wanted.beside_flaw() {
        let alone = "a flaw stands in place of this: leave one of them out";
        return Err(Fault::invalid(alone).at(name));
    }
    let is_bound = flaw.expectation().topic == Topic::Binding;
    let binding = match flaw {
        Case::BoundToAnotherCertificate => Some(Binding::Mtls),
        Case::BoundWithoutProof if wanted.url.is_none() => Some(Binding::Mtls),
        _ => is_bound.then_some(Binding::Dpop),
    };
    let asked = Asked {
        audience: wanted.audience,
        client_id: wanted.client_id,
        scope: scope(wanted.scope.as_deref())?,
        binding,
        method: wanted.method,
        url: wanted.url,
        introspects: true,
    };
    let maker = Maker::new(control, asked).await?;
    if !maker.cases().contains(&flaw) {
        let none = format!("the audience, its clients or its algorithm have nothing for {flaw}");
        return Err(Fault::invalid(none).at("flaw"));
    }
    maker.make(flaw).await
}
