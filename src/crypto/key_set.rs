//! JWK sets that somebody else publishes (RFC 7517 section 5): which of their keys verify assertions.
//!
//! A publisher has keys for other purposes, too: these are left out, and the set counts all the same. Two keys of one
//! name make the set useless: which of them is meant nobody can tell.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use serde_json::{Map, Value};

use super::certificates::authorities::ClientCas;
use super::client_key::{ClientKey, ClientKeyError};
use super::public_jwk::PublicJwkError;
use super::strict_json::{Bounds, StrictJsonError, parse_object_within};
use crate::domain::shown;
use crate::domain::trusted_issuer::TrustedIssuer;

/// The most keys of a set, of whatever kind: large publishers have some ten.
const MOST: usize = 200;
/// What a set of so many keys may hold.
const BOUNDS: Bounds = Bounds {
    depth: 16,
    members: MOST * 24,
};

/// The keys of a set that verify assertions, and in a bundle of SPIFFE the CAs of its X.509-SVIDs: at least one of either. No
/// two keys have one name.
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<Arc<ClientKey>>,
    authorities: ClientCas,
    left_out: Vec<LeftOut>,
    refresh_hint: Option<Duration>,
}

/// A key of a set that does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its `kid`, as it may be shown; none where it has none that is a text.
    pub kid: Option<String>,
    /// Why, in words that repeat nothing of the key.
    pub why: String,
}

impl LeftOut {
    fn new(member: &Value, why: &impl ToString) -> Self {
        let kid = member.get("kid").and_then(Value::as_str);
        Self {
            kid: kid.map(shown::plain),
            why: why.to_string(),
        }
    }
}

/// Whose set it is, and so which of its keys count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publisher {
    /// A client's: those that it could also register.
    Client,
    /// A trusted issuer's: those for any algorithm that grantd verifies.
    Issuer,
    /// `use` is `jwt-svid` in a bundle of SPIFFE; what issues JWT-SVIDs by `OpenID` Connect writes `sig` or nothing.
    TrustDomain,
}

impl Publisher {
    /// What an issuer publishes: of SPIFFE a bundle.
    #[must_use]
    pub fn of(issuer: &TrustedIssuer) -> Self {
        if issuer.trust_domain().is_some() {
            Self::TrustDomain
        } else {
            Self::Issuer
        }
    }
}

/// Why a set is of no use. No variant repeats what stands in a key, but for its `kid`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Not strict JSON, or more of it than a set has.
    #[error("the answer is {0}")]
    Json(#[from] StrictJsonError),
    /// Not a JWK set.
    #[error("the answer is no JWK set: it has no list `keys`")]
    NoSet,
    /// More keys than anybody has.
    #[error("the set has more than {MOST} keys")]
    TooMany,
    /// No key is left; why the others are left out.
    #[error("the set has no key that verifies assertions{0}")]
    NoneUsable(String),
    /// Two usable keys have one name (RFC 7517 section 4.5).
    #[error("two keys of the set have the kid {0}")]
    SharedKid(String),
}

impl KeySet {
    /// Reads a set; its length must be bounded already. Many RSA keys take milliseconds.
    ///
    /// # Errors
    /// See [`KeySetError`].
    pub fn parse(text: &[u8]) -> Result<Self, KeySetError> {
        Self::parse_of(Publisher::Client, text)
    }

    /// As [`Self::parse`], of somebody's set; that of a trust domain is a bundle (SPIFFE Trust Domain and Bundle section 4).
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_of(publisher: Publisher, text: &[u8]) -> Result<Self, KeySetError> {
        let document = parse_object_within(text, BOUNDS)?;
        let Some(Value::Array(members)) = document.get("keys") else {
            return Err(KeySetError::NoSet);
        };
        if members.len() > MOST {
            return Err(KeySetError::TooMany);
        }
        let mut set = Self {
            keys: Vec::new(),
            authorities: ClientCas::none(),
            left_out: Vec::new(),
            refresh_hint: refresh_hint(&document).filter(|_| publisher == Publisher::TrustDomain),
        };
        for member in members {
            match key(member, publisher) {
                Ok(Member::Key(key)) => set.keys.push(Arc::new(key)),
                Ok(Member::Authority(certificate)) => {
                    if let Err(error) = set.authorities.add(&certificate) {
                        set.left_out.push(LeftOut::new(member, &error));
                    }
                }
                Err(error) => set.left_out.push(LeftOut::new(member, &error)),
            }
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = set.keys.iter().find(|key| !names.insert(key.name())) {
            return Err(KeySetError::SharedKid(shown::plain(twice.name())));
        }
        if set.keys.is_empty() && set.authorities.is_empty() {
            let why = set.why_left_out().map(|why| format!(": {why}"));
            return Err(KeySetError::NoneUsable(why.unwrap_or_default()));
        }
        Ok(set)
    }

    /// Its keys.
    #[must_use]
    pub fn keys(&self) -> &[Arc<ClientKey>] {
        &self.keys
    }

    /// The CAs of the X.509-SVIDs of a trust domain.
    #[must_use]
    pub const fn authorities(&self) -> &ClientCas {
        &self.authorities
    }

    /// How soon a trust domain wants its bundle to be fetched again.
    #[must_use]
    pub const fn refresh_hint(&self) -> Option<Duration> {
        self.refresh_hint
    }

    /// Those of its keys that do not count.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// How many of its keys are left out for which reason, in words; none where all count.
    #[must_use]
    pub fn why_left_out(&self) -> Option<String> {
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for key in &self.left_out {
            *reasons.entry(&key.why).or_default() += 1;
        }
        let reasons = reasons.into_iter();
        let reasons: Vec<String> = reasons.map(|(why, n)| format!("{n} × {why}")).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

/// What a set has.
enum Member {
    Key(ClientKey),
    Authority(CertificateDer<'static>),
}

fn key(member: &Value, publisher: Publisher) -> Result<Member, ClientKeyError> {
    let members = member.as_object();
    let members = members.ok_or(PublicJwkError::Json(StrictJsonError::NotAnObject))?;
    match (publisher, members.get("use").and_then(Value::as_str)) {
        (Publisher::TrustDomain, Some("jwt-svid")) => {
            let mut members = members.clone();
            members.remove("use");
            ClientKey::of_issuer(&members).map(Member::Key)
        }
        (Publisher::TrustDomain, Some("x509-svid")) => {
            authority(members).ok_or(ClientKeyError::Use)
        }
        (Publisher::Client, _) => ClientKey::from_members(members).map(Member::Key),
        _ => ClientKey::of_issuer(members).map(Member::Key),
    }
}

/// A CA stands in `x5c` alone (SPIFFE X.509-SVID section 6.2).
fn authority(members: &Map<String, Value>) -> Option<Member> {
    let chain = members.get("x5c")?.as_array()?;
    let [Value::String(certificate)] = chain.as_slice() else {
        return None;
    };
    let der = STANDARD.decode(certificate).ok()?;
    Some(Member::Authority(CertificateDer::from(der)))
}

fn refresh_hint(document: &Map<String, Value>) -> Option<Duration> {
    let seconds = document.get("spiffe_refresh_hint")?.as_u64()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::crypto::jws::generate;
    use crate::domain::algorithm::SigningAlgorithm;

    fn jwk(kid: &str) -> Value {
        let mut members = generate(SigningAlgorithm::Es256)
            .unwrap()
            .public_jwk
            .key_members();
        members.insert("kid".to_owned(), json!(kid));
        Value::Object(members)
    }

    fn with(mut jwk: Value, name: &str, value: Value) -> Value {
        jwk[name] = value;
        jwk
    }

    fn read(keys: &[Value]) -> Result<KeySet, KeySetError> {
        KeySet::parse(json!({ "keys": keys, "more": 1 }).to_string().as_bytes())
    }

    /// Each fault of JSON ends the sentences that tell it.
    #[test]
    fn a_set_that_is_no_json_is_told_in_a_sentence() {
        for (text, told) in [
            (
                r#"{"keys":[],"keys":[]}"#.to_owned(),
                "the answer is JSON in which a member name appears twice",
            ),
            (
                format!("{{\"keys\":{}{}}}", "[".repeat(17), "]".repeat(17)),
                "the answer is JSON nested deeper than 16",
            ),
            ("<html>".to_owned(), "the answer is not one JSON text"),
            ("[]".to_owned(), "the answer is not a JSON object"),
        ] {
            let fault = KeySet::parse(text.as_bytes()).unwrap_err();
            assert_eq!(fault.to_string(), told);
        }
        let many: Map<String, Value> = (0..=BOUNDS.members)
            .map(|at| (at.to_string(), json!(1)))
            .collect();
        let fault = KeySet::parse(Value::Object(many).to_string().as_bytes()).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "the answer is JSON with more than 4800 members"
        );
    }

    /// FED-11: what is not for us is left out with a reason, and the others count.
    /// `spiffe_refresh_hint` is a word of bundles: elsewhere a set's age is what its server says.
    #[test]
    fn only_a_trust_domain_says_in_its_set_when_to_come_again() {
        let set = json!({ "keys": [jwk("a")], "spiffe_refresh_hint": 3600 }).to_string();
        for (publisher, hint) in [
            (Publisher::Client, None),
            (Publisher::Issuer, None),
            (Publisher::TrustDomain, Some(Duration::from_hours(1))),
        ] {
            let mut set: Value = serde_json::from_str(&set).unwrap();
            if publisher == Publisher::TrustDomain {
                set["keys"][0]["use"] = json!("jwt-svid");
            }
            let set = KeySet::parse_of(publisher, set.to_string().as_bytes()).unwrap();
            assert_eq!(set.refresh_hint(), hint, "{publisher:?}");
        }
    }

    #[test]
    fn keys_for_something_else_are_left_out() {
        let for_encryption = with(jwk("2"), "use", json!("enc"));
        let on_p521 = with(jwk("3"), "crv", json!("P-521"));
        let symmetric = json!({ "kty": "oct", "k": "bWFya2Vk", "kid": "4" });
        let private = with(jwk("5"), "d", json!("bWFya2Vk"));
        let unknown = json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AA" });
        let others = [
            for_encryption,
            on_p521,
            symmetric,
            private,
            unknown,
            json!(7),
        ];
        let set = read(&[&[jwk("1")], &others[..], &[jwk("6")]].concat()).unwrap();
        let names: Vec<&str> = set.keys().iter().map(|key| key.name()).collect();
        assert_eq!(names, ["1", "6"]);
        let why = set.why_left_out().unwrap();
        for part in [
            "`use` is not sig",
            "`crv`",
            "member `k`",
            "member `d`",
            "`kty`",
        ] {
            assert!(why.contains(part), "{part}: {why}");
        }
        assert!(!why.contains("bWFya2Vk"), "{why}");
        let error = read(&others).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("no key that verifies assertions: 1 × "),
            "{error}"
        );
        assert_eq!(read(&[jwk("1")]).unwrap().why_left_out(), None);
        let kids: Vec<_> = set.left_out().iter().map(|it| it.kid.as_deref()).collect();
        assert_eq!(
            kids,
            [Some("2"), Some("3"), Some("4"), Some("5"), None, None]
        );
    }

    /// FED-11.
    #[test]
    fn a_set_that_cannot_be_used_is_refused_whole() {
        let parse = |text: &str| KeySet::parse(text.as_bytes()).unwrap_err();
        for text in [
            "",
            "<html></html>",
            "[]",
            "{}{}",
            r#"{"keys":[],"keys":[]}"#,
        ] {
            assert!(matches!(parse(text), KeySetError::Json(_)), "{text}");
        }
        for text in ["{}", r#"{"keys":{}}"#, r#"{"keys":null}"#] {
            assert_eq!(parse(text), KeySetError::NoSet, "{text}");
        }
        assert_eq!(
            parse(r#"{"keys":[]}"#),
            KeySetError::NoneUsable(String::new())
        );
        let shared = read(&[jwk("1"), jwk("2"), jwk("1")]).unwrap_err();
        assert_eq!(shared, KeySetError::SharedKid("1".to_owned()));
        let for_encryption = with(jwk("1"), "use", json!("enc"));
        assert!(
            read(&[jwk("1"), for_encryption]).is_ok(),
            "that one is not for us"
        );
        let nothing = vec![Value::Object(Map::new()); MOST + 1];
        assert_eq!(read(&nothing).unwrap_err(), KeySetError::TooMany);
    }
}
