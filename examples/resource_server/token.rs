//! Whether an access token is what we take: RFC 9068 section 4.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode, decode_header, get_current_timestamp};
use serde::Deserialize;

use crate::answer::Fault;
use crate::confirmation::Confirmation;
use crate::keys::{Keys, NoKey};
use crate::settings::Settings;

/// Longer ones are not looked at, in bytes.
const LONGEST: usize = 16 * 1024;
/// How far our clock may be from the issuer's, in seconds.
const LEEWAY: u64 = 5;

/// What we need of the claims beside those that the library checks. Strict: a claim twice, or of another JSON type, is a
/// refusal.
#[derive(Deserialize)]
pub(crate) struct Claims {
    /// In seconds, perhaps with a fraction (RFC 7519 section 2).
    iat: f64,
    /// For whom it is.
    pub(crate) sub: String,
    /// Who got it, and calls.
    pub(crate) client_id: String,
    /// Who acts for the subject, where that is another.
    act: Option<Actor>,
    /// Names the token in log lines without giving it away.
    pub(crate) jti: String,
    #[serde(default)]
    scope: String,
    #[serde(rename = "cnf")]
    pub(crate) confirmation: Option<Confirmation>,
}

/// RFC 8693 section 4.1. Those inside tell the way that a call took; only the outermost calls.
#[derive(Deserialize)]
struct Actor {
    sub: String,
    act: Option<Box<Self>>,
}

impl Claims {
    /// Who acts for the subject, the one that calls first.
    pub(crate) fn actors(&self) -> Vec<String> {
        let mut actors = Vec::new();
        let mut rest = self.act.as_ref();
        while let Some(actor) = rest {
            actors.push(actor.sub.clone());
            rest = actor.act.as_deref();
        }
        actors
    }

    /// Whole names, never a part of one.
    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|had| had == scope)
    }
}

/// The claims of a token of our issuer, for us, that has not expired. Scope, client and binding are the
/// caller's to check.
pub(crate) async fn verified(
    token: &str,
    keys: &Keys,
    settings: &Settings,
) -> Result<Claims, Fault> {
    if token.len() > LONGEST {
        return Err(Fault::Token("too long"));
    }
    // An algorithm that the library does not know, `none` first of all, ends here.
    let header = decode_header(token).map_err(|_| Fault::Token("no signed JWT"))?;
    let typ = header.typ.unwrap_or_default().to_lowercase();
    // Else any JWT of the issuer would do, such as one that is about something else (RFC 8725 section 3.11).
    if !["at+jwt", "application/at+jwt"].contains(&typ.as_str()) {
        return Err(Fault::Token("no access token by its type"));
    }
    if header.crit.is_some() {
        return Err(Fault::Token("critical extensions"));
    }
    let kid = header.kid.ok_or(Fault::Token("no key id"))?;
    let key = keys.find(&kid).await.map_err(|none| match none {
        NoKey::Unknown => Fault::Token("none of the issuer's keys"),
        NoKey::NeverRead => Fault::NoKeysYet,
    })?;
    // The algorithm is the key's: what the header says must agree.
    let mut validation = Validation::new(key.algorithm);
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.set_issuer(&[&settings.issuer]);
    validation.set_audience(&[&settings.audience]);
    let token = decode::<Claims>(token, &key.public, &validation);
    let claims = token.map_err(|error| Fault::Token(reason(error.kind())))?;
    not_from_the_future(claims.claims)
}

/// The library checks no `iat`. A token that is issued later than now was made up, or a clock is wrong.
#[expect(clippy::cast_precision_loss, reason = "seconds fit a double")]
fn not_from_the_future(claims: Claims) -> Result<Claims, Fault> {
    if claims.iat > (get_current_timestamp() + LEEWAY) as f64 {
        Err(Fault::Token("issued in the future"))
    } else {
        Ok(claims)
    }
}

/// For the log; nothing of the token's own text.
fn reason(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ExpiredSignature => "expired",
        ErrorKind::ImmatureSignature => "not yet valid",
        ErrorKind::InvalidIssuer => "another issuer",
        ErrorKind::InvalidAudience => "another audience",
        ErrorKind::InvalidSignature => "a wrong signature",
        ErrorKind::InvalidAlgorithm => "another algorithm than the key's",
        ErrorKind::MissingRequiredClaim(_) => "a claim is missing",
        _ => "malformed",
    }
}
