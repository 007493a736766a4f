//! What each entry of the battery has other than `good`: that alone which its name says.

use serde_json::{Map, Value, json};

use super::Case;
use crate::domain::client_jwt;
use crate::domain::deviation::{Algorithm, Deviation, KeyChoice, SignatureForm};
use crate::domain::timestamp::{Seconds, Timestamp};

/// Longer than any usual leeway, which is a minute.
const TWO_MINUTES: Seconds = Seconds::new(120);
const TEN_MINUTES: Seconds = Seconds::new(600);
const AN_HOUR: Seconds = Seconds::new(3600);
/// How long a client's assertion lives.
const A_MINUTE: Seconds = Seconds::new(60);
/// In base64url these are 64 KiB.
const HUGE: usize = 48 * 1024;
/// The extension that nobody knows.
const EXTENSION: &str = "urn:example:unknown-extension";

/// What entries are made of besides the good token.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The time at which the good token was issued.
    pub now: Timestamp,
    /// The `kid` of the good token.
    pub kid: &'a str,
    /// A scope that the good token does not have.
    pub other_scope: &'a str,
    /// What another key or certificate than the good token's is bound by, as `cnf`.
    pub other_confirmation: &'a Value,
    /// The public JWK of a key that is nobody's.
    pub stranger_jwk: &'a Value,
    /// Where that key is in a JWKS.
    pub stranger_jwks_url: &'a str,
    /// Where its certificate is.
    pub stranger_certificate_url: &'a str,
}

/// How the token of an entry differs from a good one with these `claims`. Entries that differ by what is sent beside the
/// token, or by what became of it since, have a good token.
#[must_use]
pub fn deviation(case: Case, claims: &Map<String, Value>, around: &Surroundings<'_>) -> Deviation {
    let good = Good { claims, around };
    let mut differs = Deviation::default();
    match case {
        Case::NextKey => differs.key = KeyChoice::Next,
        Case::RetiredKey => differs.key = KeyChoice::Retired,
        Case::AlgNone => differs.algorithm = Some(Algorithm::None),
        Case::Hs256WithPublicKey => differs.algorithm = Some(Algorithm::Hs256),
        Case::SignatureMissing => differs.signature = SignatureForm::Empty,
        Case::SignatureChanged => differs.signature = SignatureForm::BitChanged,
        Case::SignatureAsDer => differs.signature = SignatureForm::Der,
        Case::SignatureAllZero => differs.signature = SignatureForm::Zeros,
        Case::AlgNoneMixedCase => {
            differs.header = object(json!({ "alg": "nOnE" }));
            differs.signature = SignatureForm::Empty;
        }
        Case::PayloadChanged => differs.after_signing = object(json!({ "sub": "somebody-else" })),
        Case::DuplicateClaim => differs.again = Some(("aud", good.other_audience())),
        Case::ForeignKeySameKid | Case::Huge => {
            differs.key = KeyChoice::Unknown;
            differs.header = object(json!({ "kid": around.kid }));
        }
        Case::EmbeddedJwk | Case::JkuHeader | Case::X5uHeader => {
            differs.key = KeyChoice::Unknown;
            differs.header = good.brought_key(case);
        }
        Case::UnknownKid => differs.header = object(json!({ "kid": "no-such-key" })),
        Case::TypFullMediaType => differs.header = object(json!({ "typ": "application/at+jwt" })),
        Case::TypOfAnotherToken => differs.header = object(json!({ "typ": "secevent+jwt" })),
        Case::CritUnknown => {
            differs.header = object(json!({ "crit": [EXTENSION], EXTENSION: true }));
        }
        Case::ClientAssertionAsToken => differs.header = object(json!({ "typ": "JWT" })),
        _ => {}
    }
    differs.claims = good.claims_of(case);
    differs
}

struct Good<'a> {
    claims: &'a Map<String, Value>,
    around: &'a Surroundings<'a>,
}

impl Good<'_> {
    /// What is laid over its claims.
    fn claims_of(&self, case: Case) -> Map<String, Value> {
        let now = self.around.now;
        object(match case {
            Case::AudienceAsArray => json!({ "aud": [self.text("aud")] }),
            Case::UnknownClaim => json!({ "unknown_to_every_api": { "any": ["thing"] } }),
            Case::ExpAsFraction => json!({ "exp": self.fractional_end() }),
            Case::Expired => self.ended(now.minus(TWO_MINUTES)),
            Case::ExpiredAnHourAgo => self.ended(now.minus(AN_HOUR)),
            Case::NotYetValid => json!({ "nbf": now.plus(TEN_MINUTES).unix() }),
            Case::IssuedInTheFuture => {
                let begin = now.plus(AN_HOUR).unix();
                json!({ "iat": begin, "exp": begin + self.lifetime() })
            }
            Case::ExpMissing => json!({ "exp": null }),
            Case::ExpAsText => json!({ "exp": self.number("exp").to_string() }),
            Case::WrongIssuer => json!({ "iss": "https://another-issuer.example" }),
            Case::IssuerWithSlash => json!({ "iss": format!("{}/", self.text("iss")) }),
            Case::IssuerMissing => json!({ "iss": null }),
            Case::WrongAudience => json!({ "aud": self.other_audience() }),
            Case::AudiencePrefix => json!({ "aud": format!("{}-internal", self.text("aud")) }),
            Case::AudienceOtherCase => json!({ "aud": in_other_case(self.text("aud")) }),
            Case::AudienceMissing => json!({ "aud": null }),
            Case::ScopeMissing => json!({ "scope": null }),
            Case::ScopeOther => json!({ "scope": self.around.other_scope }),
            Case::ScopePrefix => json!({ "scope": self.longer_scopes() }),
            Case::Huge => json!({ "padding": "x".repeat(HUGE) }),
            Case::ClientAssertionAsToken => self.assertion(),
            Case::BoundToAnotherKey | Case::BoundToAnotherCertificate => {
                json!({ "cnf": self.around.other_confirmation })
            }
            _ => json!({}),
        })
    }

    fn text(&self, name: &str) -> &str {
        self.claims
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn number(&self, name: &str) -> i64 {
        self.claims
            .get(name)
            .and_then(Value::as_i64)
            .unwrap_or_default()
    }

    fn lifetime(&self) -> i64 {
        self.number("exp") - self.number("iat")
    }

    /// It lived as long as the good one does, until `end`.
    fn ended(&self, end: Timestamp) -> Value {
        json!({ "iat": end.unix() - self.lifetime(), "exp": end.unix() })
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds fit a double")]
    fn fractional_end(&self) -> f64 {
        self.number("exp") as f64 + 0.5
    }

    fn other_audience(&self) -> Value {
        let names = ["another-api", "yet-another-api"];
        let other = names.into_iter().find(|it| *it != self.text("aud"));
        other.into()
    }

    fn longer_scopes(&self) -> String {
        let longer = self
            .text("scope")
            .split(' ')
            .map(|scope| format!("{scope}-own"));
        longer.collect::<Vec<_>>().join(" ")
    }

    /// RFC 7523 section 3: nothing of the good token but who has it and when.
    fn assertion(&self) -> Value {
        let mut claims: Map<String, Value> = self
            .claims
            .keys()
            .map(|name| (name.clone(), Value::Null))
            .collect();
        claims.extend(client_jwt::assertion(
            (self.text("client_id"), self.text("iss")),
            (self.around.now, A_MINUTE),
            self.text("jti"),
        ));
        claims.into()
    }

    /// The header that leads to a stranger's key.
    fn brought_key(&self, case: Case) -> Map<String, Value> {
        object(match case {
            Case::EmbeddedJwk => json!({ "jwk": self.around.stranger_jwk }),
            Case::JkuHeader => json!({ "jku": self.around.stranger_jwks_url }),
            _ => json!({ "x5u": self.around.stranger_certificate_url }),
        })
    }
}

/// With capitals, or without where it has no small letters.
pub(super) fn in_other_case(text: &str) -> String {
    let upper = text.to_ascii_uppercase();
    if upper == text {
        text.to_ascii_lowercase()
    } else {
        upper
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

    fn good() -> Map<String, Value> {
        object(json!({
            "iss": "http://localhost:8080", "sub": "orders", "client_id": "orders", "azp": "orders",
            "aud": "pricing-api", "scope": "pricing:read", "iat": NOW.unix(), "exp": NOW.unix() + 300,
            "jti": "one", "tenant": "acme",
        }))
    }

    fn of(case: Case) -> Deviation {
        let around = Surroundings {
            now: NOW,
            kid: "k1",
            other_scope: "pricing:quote",
            other_confirmation: &json!({ "jkt": "other" }),
            stranger_jwk: &json!({ "kty": "EC" }),
            stranger_jwks_url: "http://127.0.0.1:9/jwks",
            stranger_certificate_url: "http://127.0.0.1:9/certificate",
        };
        deviation(case, &good(), &around)
    }

    /// Everything that is not the one point that the name says is as in a good token.
    #[test]
    fn an_entry_differs_in_its_named_point_alone() {
        for case in Case::ALL {
            let Deviation {
                claims,
                header,
                again,
                after_signing,
                key,
                algorithm,
                signature,
            } = of(*case);
            let points = [
                !claims.is_empty(),
                again.is_some(),
                !after_signing.is_empty(),
                !header.is_empty() || key != KeyChoice::Active || algorithm.is_some(),
                signature != SignatureForm::Whole && header.is_empty(),
            ];
            let points = points.iter().filter(|it| **it).count();
            let most = match case {
                // The one is another token altogether; the other has a stranger's key, so that nobody spends time on
                // 64 KiB for nothing.
                Case::ClientAssertionAsToken | Case::Huge => 2,
                _ => 1,
            };
            assert!(points <= most, "{case}");
        }
    }

    #[test]
    fn times_are_clearly_over_and_of_one_length() {
        for (case, end) in [(Case::Expired, -120), (Case::ExpiredAnHourAgo, -3600)] {
            let claims = of(case).claims;
            assert_eq!(claims["exp"], NOW.unix() + end);
            assert_eq!(claims["iat"], NOW.unix() + end - 300);
        }
        assert_eq!(of(Case::ExpAsText).claims["exp"], "1800000300");
        assert_eq!(of(Case::ExpAsFraction).claims["exp"], 1_800_000_300.5);
        assert_eq!(of(Case::IssuedInTheFuture).claims["iat"], NOW.unix() + 3600);
    }

    #[test]
    fn a_client_assertion_has_nothing_of_an_access_token() {
        let mut claims = good();
        crate::domain::deviation::lay_over(&mut claims, &of(Case::ClientAssertionAsToken).claims);
        let mut names: Vec<&str> = claims.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["aud", "exp", "iat", "iss", "jti", "sub"]);
        assert_eq!(
            (&claims["iss"], &claims["sub"]),
            (&json!("orders"), &json!("orders"))
        );
        assert_eq!(claims["aud"], "http://localhost:8080");
    }

    #[test]
    fn names_that_only_look_alike_are_other_names() {
        assert_eq!(
            of(Case::AudiencePrefix).claims["aud"],
            "pricing-api-internal"
        );
        assert_eq!(of(Case::AudienceOtherCase).claims["aud"], "PRICING-API");
        assert_eq!(of(Case::ScopePrefix).claims["scope"], "pricing:read-own");
        assert_eq!(
            of(Case::IssuerWithSlash).claims["iss"],
            "http://localhost:8080/"
        );
        assert_eq!(in_other_case("API-1"), "api-1");
    }
}
