//! The checks of an API, each of which one hole leaves out. Signatures and keys are `jsonwebtoken`'s business.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, get_current_timestamp};
use openssl::bn::{BigNum, BigNumContext};
use openssl::ecdsa::EcdsaSig;
use openssl::x509::X509;
use serde_json::{Map, Value};

use super::hole::Hole;

const LEEWAY: f64 = 30.0;

/// What an API knows.
pub(super) struct Checks {
    pub(super) hole: Option<Hole>,
    pub(super) issuer: String,
    pub(super) staging: String,
    pub(super) audience: String,
    pub(super) scope: String,
    pub(super) keys: HashMap<String, (Algorithm, DecodingKey)>,
    /// What strangers sign with.
    pub(super) strangers: HashMap<String, (Algorithm, DecodingKey)>,
    /// Of the key that signs, as PEM.
    pub(super) pem: String,
    /// Fetches a document.
    pub(super) fetch: fn(&str) -> String,
}

/// Why not.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum No {
    Request,
    Token,
    Scope,
}

/// A token in its parts.
pub(super) struct Token {
    text: String,
    header: Value,
    claims: Value,
    /// The first value of each claim.
    first: Map<String, Value>,
    input: String,
    signature: String,
}

pub(super) fn keys(jwks: &str) -> HashMap<String, (Algorithm, DecodingKey)> {
    let set: JwkSet = serde_json::from_str(jwks).unwrap();
    let key = |jwk: &Jwk| {
        let algorithm = Algorithm::try_from(jwk.common.key_algorithm?).ok()?;
        let key = DecodingKey::from_jwk(jwk).ok()?;
        Some((jwk.common.key_id.clone()?, (algorithm, key)))
    };
    set.keys.iter().filter_map(key).collect()
}

impl Token {
    fn parse(text: &str) -> Option<Self> {
        let [header, payload, signature] = text.split('.').collect::<Vec<_>>().try_into().ok()?;
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let payload_text = String::from_utf8(decoded(payload)?).ok()?;
        Some(Self {
            text: text.to_owned(),
            header: serde_json::from_slice(&decoded(header)?).ok()?,
            claims: serde_json::from_str(&payload_text).ok()?,
            first: first_members(&payload_text),
            input: format!("{header}.{payload}"),
            signature: signature.to_owned(),
        })
    }

    fn header(&self, name: &str) -> &str {
        self.header[name].as_str().unwrap_or_default()
    }

    /// As it was sent.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The thumbprint of the key that it is bound to.
    pub(super) fn bound_to(&self) -> Option<&str> {
        self.claims["cnf"]["jkt"].as_str()
    }
}

/// A JSON object as a reader sees it that keeps the first of doubled members.
fn first_members(text: &str) -> Map<String, Value> {
    struct First(Map<String, Value>);
    impl<'de> serde::Deserialize<'de> for First {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = First;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(
                    self,
                    mut members: A,
                ) -> Result<First, A::Error> {
                    let mut first = Map::new();
                    while let Some((name, value)) = members.next_entry::<String, Value>()? {
                        first.entry(name).or_insert(value);
                    }
                    Ok(First(first))
                }
            }
            deserializer.deserialize_map(Visitor)
        }
    }
    serde_json::from_str::<First>(text)
        .map(|it| it.0)
        .unwrap_or_default()
}

impl Checks {
    pub(super) fn has(&self, hole: Hole) -> bool {
        self.hole == Some(hole)
    }

    /// The token of a request with this value behind the scheme.
    pub(super) fn token(&self, credentials: &str) -> Result<Option<Token>, No> {
        let text = match credentials.split_once(',') {
            None => credentials,
            Some((first, _)) if self.has(Hole::FirstOfTwo) => first,
            Some(_) => return Err(No::Request),
        };
        let Some(token) = Token::parse(text) else {
            return if self.has(Hole::AnyText) {
                Ok(None)
            } else {
                Err(No::Token)
            };
        };
        if self.has(Hole::TooLongToCheck) && text.len() > 60_000 {
            return Ok(None);
        }
        if self.has(Hole::AssertionsToo) && self.is_assertion(&token) {
            return Ok(None);
        }
        self.check_header(&token)?;
        self.check_signature(&token)?;
        self.check_claims(&token)?;
        self.check_scope(&token)?;
        Ok(Some(token))
    }

    fn is_assertion(&self, token: &Token) -> bool {
        token.header("typ") == "JWT"
            && token.claims["iss"] == token.claims["sub"]
            && token.claims["aud"] == self.issuer.as_str()
    }

    fn check_header(&self, token: &Token) -> Result<(), No> {
        let is_access_token = ["at+jwt", "application/at+jwt"].contains(&token.header("typ"));
        if !is_access_token && !self.has(Hole::NoTyp) {
            return Err(No::Token);
        }
        if !token.header["crit"].is_null() && !self.has(Hole::NoCrit) {
            return Err(No::Token);
        }
        Ok(())
    }

    fn check_signature(&self, token: &Token) -> Result<(), No> {
        let alg = token.header("alg");
        if alg.eq_ignore_ascii_case("none") {
            let hole = if alg == "none" {
                Hole::AlgNone
            } else {
                Hole::AlgNoneInAnyOtherCase
            };
            return if self.has(hole) {
                Ok(())
            } else {
                Err(No::Token)
            };
        }
        if alg == "HS256" && self.has(Hole::AlgOfTheHeader) {
            let secret = DecodingKey::from_secret(self.pem.as_bytes());
            return self.verified(token, (Algorithm::HS256, &secret));
        }
        let brought = self.brought_key(token);
        let (algorithm, key) = match (&brought, self.keys.get(token.header("kid"))) {
            (Some((algorithm, key)), _) | (None, Some((algorithm, key))) => (*algorithm, key),
            (None, None) if self.has(Hole::AnyKid) => {
                let all = self.keys.values();
                let mut fits = all.filter(|key| self.verified(token, (key.0, &key.1)).is_ok());
                return fits.next().map(|_| ()).ok_or(No::Token);
            }
            (None, None) => return Err(No::Token),
        };
        if format!("{algorithm:?}") != alg {
            return Err(No::Token);
        }
        self.verified(token, (algorithm, key))
    }

    /// A key that the token itself names, for an API that follows it.
    fn brought_key(&self, token: &Token) -> Option<(Algorithm, DecodingKey)> {
        let (jwk, jku, x5u) = (
            &token.header["jwk"],
            token.header("jku"),
            token.header("x5u"),
        );
        if self.has(Hole::EmbeddedJwk) && !jwk.is_null() {
            let jwk: Jwk = serde_json::from_value(jwk.clone()).unwrap();
            return Some((Algorithm::ES256, DecodingKey::from_jwk(&jwk).unwrap()));
        }
        if self.has(Hole::Jku) && !jku.is_empty() {
            return keys(&(self.fetch)(jku)).remove(token.header("kid"));
        }
        if self.has(Hole::X5u) && !x5u.is_empty() {
            let certificate = X509::from_pem((self.fetch)(x5u).as_bytes()).unwrap();
            let public = certificate.public_key().unwrap().ec_key().unwrap();
            let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
            let mut context = BigNumContext::new().unwrap();
            let point = public.public_key();
            point
                .affine_coordinates(public.group(), &mut x, &mut y, &mut context)
                .unwrap();
            let [x, y] = [x, y].map(|it| URL_SAFE_NO_PAD.encode(it.to_vec_padded(32).unwrap()));
            return Some((
                Algorithm::ES256,
                DecodingKey::from_ec_components(&x, &y).unwrap(),
            ));
        }
        None
    }

    fn verified(
        &self,
        token: &Token,
        (algorithm, key): (Algorithm, &DecodingKey),
    ) -> Result<(), No> {
        let is_signed = |signature: &str| {
            let input = token.input.as_bytes();
            jsonwebtoken::crypto::verify(signature, input, key, algorithm) == Ok(true)
        };
        let bytes = URL_SAFE_NO_PAD.decode(&token.signature).unwrap_or_default();
        let passes = match self.hole {
            Some(Hole::NoSignature) => true,
            Some(Hole::StrangersKey) => self.strangers.values().any(|(_, stranger)| {
                let input = token.input.as_bytes();
                let verified =
                    jsonwebtoken::crypto::verify(&token.signature, input, stranger, algorithm);
                verified == Ok(true)
            }),
            Some(Hole::EmptySignature) => bytes.is_empty(),
            Some(Hole::ZeroSignature) => bytes == [0; 64],
            Some(Hole::DerSignature) => from_der(&bytes).is_some_and(|it| is_signed(&it)),
            Some(Hole::OneBitMore) => other_first_bit(&bytes).is_some_and(|it| is_signed(&it)),
            Some(Hole::OtherSubject) => token.claims["sub"] == "somebody-else",
            _ => false,
        };
        if passes || is_signed(&token.signature) {
            Ok(())
        } else {
            Err(No::Token)
        }
    }

    fn check_claims(&self, token: &Token) -> Result<(), No> {
        let claims = &token.claims;
        let fine = self.issuer_is_right(&claims["iss"])
            && self.audience_is_right(if self.has(Hole::FirstOfDoubled) {
                token.first.get("aud").unwrap_or(&Value::Null)
            } else {
                &claims["aud"]
            })
            && self.times_are_right(claims);
        if fine { Ok(()) } else { Err(No::Token) }
    }

    fn issuer_is_right(&self, issuer: &Value) -> bool {
        let text = issuer.as_str();
        match self.hole {
            Some(Hole::NoIssuer) => true,
            Some(Hole::OtherIssuers) if text == Some("https://another-issuer.example") => true,
            Some(Hole::IssuerOptional) if issuer.is_null() => true,
            Some(Hole::TrimsIssuer) => {
                text.map(|it| it.trim_end_matches('/')) == Some(&self.issuer)
            }
            Some(Hole::TrustsStaging) if text == Some(&self.staging) => true,
            _ => text == Some(&self.issuer),
        }
    }

    fn audience_is_right(&self, audience: &Value) -> bool {
        let is_right = |it: &Value| match (self.hole, it.as_str()) {
            (Some(Hole::AudienceBegins), Some(it)) => it.starts_with(&self.audience),
            (Some(Hole::AudienceInAnyCase), Some(it)) => it.eq_ignore_ascii_case(&self.audience),
            (Some(Hole::OtherAudiences), Some("another-api")) => true,
            (_, it) => it == Some(&self.audience),
        };
        match (self.hole, audience) {
            (Some(Hole::NoAudience), _) | (Some(Hole::AudienceOptional), Value::Null) => true,
            (_, Value::Array(several)) => several.iter().any(is_right),
            (_, one) => is_right(one),
        }
    }

    fn times_are_right(&self, claims: &Value) -> bool {
        let now = f64::from(u32::try_from(get_current_timestamp()).unwrap());
        let time = |name: &str| claims[name].as_f64();
        let since_end = time("exp").map(|end| now - end);
        let is_alive = match (self.hole, since_end) {
            (Some(Hole::NoExp), _) => true,
            (Some(Hole::LeewayOfTenMinutes), Some(since)) => since < 600.0,
            (Some(Hole::LongExpired), Some(since)) => !(LEEWAY..=3000.0).contains(&since),
            (_, Some(since)) => since < LEEWAY,
            (Some(Hole::ExpOptional), None) => claims["exp"].is_null(),
            (Some(Hole::ExpAsText), None) => claims["exp"].is_string(),
            (_, None) => false,
        };
        let has_begun = |name: &str| time(name).is_none_or(|at| at <= now + LEEWAY);
        is_alive
            && (self.has(Hole::NoNbf) || has_begun("nbf"))
            && (self.has(Hole::NoIat) || has_begun("iat"))
    }

    fn check_scope(&self, token: &Token) -> Result<(), No> {
        let scope = token.claims["scope"].as_str();
        let fine = match (self.hole, scope) {
            (Some(Hole::NoScope), _) | (Some(Hole::ScopeOptional), None) => true,
            (Some(Hole::ScopeAnywhereInTheText), Some(text)) => text.contains(&self.scope),
            (Some(Hole::AnyScopeOfTheApi), Some(text)) => ["pricing:read", "pricing:quote"]
                .iter()
                .any(|it| text.split(' ').any(|had| had == *it)),
            (_, Some(text)) => text.split(' ').any(|had| had == self.scope),
            (_, None) => false,
        };
        if fine { Ok(()) } else { Err(No::Scope) }
    }
}

fn other_first_bit(signature: &[u8]) -> Option<String> {
    let mut bytes = signature.to_vec();
    *bytes.first_mut()? ^= 1;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

/// The form of JWS for a signature in DER.
fn from_der(der: &[u8]) -> Option<String> {
    let signature = EcdsaSig::from_der(der).ok()?;
    let number = |it: &openssl::bn::BigNumRef| it.to_vec_padded(32).ok();
    let both = [number(signature.r())?, number(signature.s())?].concat();
    Some(URL_SAFE_NO_PAD.encode(both))
}
