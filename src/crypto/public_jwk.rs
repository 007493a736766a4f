//! Public keys as JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037) and their thumbprints.

use serde_json::{Map, Value, json};

use super::digest::{base64url, decode_base64url, sha256};
use super::rsa_weakness::{LEAST_BITS, bits};
use super::strict_json::{StrictJsonError, parse_object};
use crate::domain::accepted_algorithm::AcceptedAlgorithm;
use crate::domain::algorithm::SigningAlgorithm;

/// The largest RSA modulus in bits, so that one verification stays cheap.
const MAX_RSA_BITS: usize = 8192;
/// The longest RSA exponent in octets: AWS-LC verifies with no longer one.
const MAX_RSA_EXPONENT: usize = 4;
/// What only private and symmetric keys have.
const PRIVATE_MEMBERS: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "priv", "k"];

/// A public key whose members have the right form; whether a point lies on its curve is seen when
/// a verifier is made of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PublicJwk {
    /// `EC` on P-256; the coordinates in full width.
    P256 {
        /// The x coordinate.
        x: [u8; 32],
        /// The y coordinate.
        y: [u8; 32],
    },
    /// `EC` on P-384, for what others sign; the coordinates in full width.
    P384 {
        /// The x coordinate.
        x: [u8; 48],
        /// The y coordinate.
        y: [u8; 48],
    },
    /// `EC` on P-521, for trusted issuers only; the coordinates in full width.
    P521 {
        /// The x coordinate.
        x: [u8; 66],
        /// The y coordinate.
        y: [u8; 66],
    },
    /// `OKP` on Ed25519.
    Ed25519 {
        /// The public key.
        x: [u8; 32],
    },
    /// `RSA`; big-endian without leading zero octets.
    Rsa {
        /// The modulus, 2048 to 8192 bits.
        n: Vec<u8>,
        /// The public exponent.
        e: Vec<u8>,
    },
}

/// Why grantd cannot use a public key.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicJwkError {
    #[error("the key is {0}")]
    Json(#[from] StrictJsonError),
    #[error(
        "the key has the private member `{0}`; register the public key only and replace this key pair"
    )]
    Private(&'static str),
    #[error("`kty` is not EC, OKP or RSA")]
    KeyType,
    #[error("`crv` is not P-256 or P-384 (EC), or Ed25519 (OKP)")]
    Curve,
    /// A member that is absent, no string, no base64url or of the wrong width.
    #[error("`{0}` is absent or not base64url of the right length")]
    Member(&'static str),
    #[error("the RSA modulus has fewer than {LEAST_BITS} or more than {MAX_RSA_BITS} bits")]
    ModulusSize,
    #[error("the RSA modulus is even, so this is not an RSA key")]
    EvenModulus,
    /// An RSA exponent that is even, 1 or too long.
    #[error("the RSA exponent is not an odd number from 3 to 32 bits")]
    Exponent,
}

impl PublicJwk {
    /// Reads a JWK, for example a stored one.
    ///
    /// # Errors
    /// What is not one public key of a kind that grantd uses.
    pub fn parse(text: &str) -> Result<Self, PublicJwkError> {
        Self::from_members(&parse_object(text.as_bytes())?)
    }

    /// Reads the members of a JWK. Members that are not about the key itself are ignored.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn from_members(members: &Map<String, Value>) -> Result<Self, PublicJwkError> {
        if let Some(name) = PRIVATE_MEMBERS
            .into_iter()
            .find(|name| members.contains_key(*name))
        {
            return Err(PublicJwkError::Private(name));
        }
        let text = |name| members.get(name).and_then(Value::as_str);
        match (text("kty"), text("crv")) {
            (Some("EC"), Some("P-256")) => Ok(Self::P256 {
                x: coordinate(members, "x")?,
                y: coordinate(members, "y")?,
            }),
            (Some("EC"), Some("P-384")) => Ok(Self::P384 {
                x: coordinate(members, "x")?,
                y: coordinate(members, "y")?,
            }),
            (Some("OKP"), Some("Ed25519")) => Ok(Self::Ed25519 {
                x: coordinate(members, "x")?,
            }),
            (Some("RSA"), _) => Self::rsa(octets(members, "n")?, octets(members, "e")?),
            (Some("EC" | "OKP"), _) => Err(PublicJwkError::Curve),
            _ => Err(PublicJwkError::KeyType),
        }
    }

    /// As [`Self::from_members`], of a key of a trusted issuer, which may be on P-521, too.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn from_issuer_members(members: &Map<String, Value>) -> Result<Self, PublicJwkError> {
        let is = |name, value| members.get(name).and_then(Value::as_str) == Some(value);
        match Self::from_members(members) {
            Err(PublicJwkError::Curve) if is("kty", "EC") && is("crv", "P-521") => Ok(Self::P521 {
                x: coordinate(members, "x")?,
                y: coordinate(members, "y")?,
            }),
            read => read,
        }
    }

    /// `Base64urlUInt` has no leading zero octet (RFC 7518 sections 2 and 6.3.1), so that one key has one
    /// thumbprint. The bits are counted, not the octets.
    pub(super) fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Self, PublicJwkError> {
        let (Some(1..), Some(last)) = (n.first().copied(), n.last()) else {
            return Err(PublicJwkError::Member("n"));
        };
        let (Some(1..), Some(parity)) = (e.first().copied(), e.last()) else {
            return Err(PublicJwkError::Member("e"));
        };
        if !(LEAST_BITS..=MAX_RSA_BITS).contains(&bits(&n)) {
            return Err(PublicJwkError::ModulusSize);
        }
        if last % 2 == 0 {
            return Err(PublicJwkError::EvenModulus);
        }
        if parity % 2 == 0 || e == [1] || e.len() > MAX_RSA_EXPONENT {
            return Err(PublicJwkError::Exponent);
        }
        Ok(Self::Rsa { n, e })
    }

    /// Whether keys of this kind make signatures of `algorithm`.
    #[must_use]
    pub fn fits(&self, algorithm: impl Into<AcceptedAlgorithm>) -> bool {
        use AcceptedAlgorithm::{Es384, Es512, Ours, Ps384, Rs384, Rs512};
        use SigningAlgorithm::{EdDsa, Es256, Ps256, Rs256};
        matches!(
            (self, algorithm.into()),
            (Self::P256 { .. }, Ours(Es256))
                | (Self::P384 { .. }, Es384)
                | (Self::P521 { .. }, Es512)
                | (Self::Ed25519 { .. }, Ours(EdDsa))
                | (
                    Self::Rsa { .. },
                    Ours(Rs256 | Ps256) | Rs384 | Ps384 | Rs512
                )
        )
    }

    /// The key as the JWKS publishes it (JOSE-01).
    #[must_use]
    pub fn to_json(&self, kid: &str, algorithm: SigningAlgorithm) -> Value {
        let mut members = self.key_members();
        members.insert("kid".to_owned(), json!(kid));
        members.insert("use".to_owned(), json!("sig"));
        members.insert("alg".to_owned(), json!(algorithm.as_str()));
        Value::Object(members)
    }

    /// `kty` and the key itself: what a verifier is made of, and what RFC 7638 hashes, so in alphabetical order.
    #[must_use]
    pub fn key_members(&self) -> Map<String, Value> {
        let members = match self {
            Self::P256 { x, y } => on_curve("P-256", x, y),
            Self::P384 { x, y } => on_curve("P-384", x, y),
            Self::P521 { x, y } => on_curve("P-521", x, y),
            Self::Ed25519 { x } => json!({ "crv": "Ed25519", "kty": "OKP", "x": base64url(x) }),
            Self::Rsa { n, e } => json!({ "e": base64url(e), "kty": "RSA", "n": base64url(n) }),
        };
        match members {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }

    /// The thumbprint of RFC 7638, which is the `kid` of our own keys.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let text = Value::Object(self.key_members()).to_string();
        base64url(&sha256(text.as_bytes()))
    }
}

fn on_curve(name: &str, x: &[u8], y: &[u8]) -> Value {
    json!({ "crv": name, "kty": "EC", "x": base64url(x), "y": base64url(y) })
}

fn octets(members: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, PublicJwkError> {
    members
        .get(name)
        .and_then(Value::as_str)
        .and_then(decode_base64url)
        .ok_or(PublicJwkError::Member(name))
}

fn coordinate<const WIDTH: usize>(
    members: &Map<String, Value>,
    name: &'static str,
) -> Result<[u8; WIDTH], PublicJwkError> {
    octets(members, name)?
        .try_into()
        .map_err(|_| PublicJwkError::Member(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7638 section 3.1.
    const RSA: &str = r#"{
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB",
        "alg": "RS256",
        "kid": "2011-04-29"
    }"#;
    /// RFC 8037 appendix A.2.
    const ED25519: &str =
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// RFC 7515 appendix A.3.
    const P256: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;

    /// As Node.js 22 makes one.
    const P384: &str = r#"{"kty":"EC","crv":"P-384","x":"DjYovgkj38umQR4TQcOr4zcNHOG25gFbvif7jQAw1MR9P20wfk08bInSACDnqhoO","y":"wDGiZ2iNWa1TL_-Evr9KTI5zRu21Tny6Z2aVZGUxcmL8QyPaIwH_bhNKWt-dXIeI"}"#;

    /// JOSE-03: RFC 7638 section 3.1 and RFC 8037 appendix A.3.
    #[test]
    fn thumbprints_are_those_of_the_standards() {
        let rsa = PublicJwk::parse(RSA).unwrap();
        assert_eq!(
            rsa.thumbprint(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
        let ed25519 = PublicJwk::parse(ED25519).unwrap();
        assert_eq!(
            ed25519.thumbprint(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }

    /// JOSE-01 and JOSE-03: the thumbprint comes out of what is published.
    #[test]
    fn a_published_key_reads_back() {
        for (text, algorithm) in [
            (RSA, SigningAlgorithm::Ps256),
            (ED25519, SigningAlgorithm::EdDsa),
            (P256, SigningAlgorithm::Es256),
        ] {
            let key = PublicJwk::parse(text).unwrap();
            assert!(key.fits(algorithm));
            let published = key.to_json(&key.thumbprint(), algorithm);
            assert_eq!(published["use"], "sig");
            assert_eq!(published["alg"], algorithm.as_str());
            assert_eq!(published["kid"], key.thumbprint());
            let read = PublicJwk::parse(&published.to_string()).unwrap();
            assert_eq!(read, key);
            let sorted = Value::Object(key.key_members()).to_string();
            assert_eq!(base64url(&sha256(sorted.as_bytes())), key.thumbprint());
        }
    }

    /// JOSE-02.
    #[test]
    fn a_coordinate_has_its_full_width() {
        for (x, fits) in [
            (vec![0; 32], true),
            (vec![1; 31], false),
            (vec![0; 33], false),
        ] {
            let text = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, base64url(&x));
            assert_eq!(PublicJwk::parse(&text).is_ok(), fits);
        }
        let no_y =
            r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}"#;
        assert_eq!(PublicJwk::parse(no_y), Err(PublicJwkError::Member("y")));
    }

    /// JOSE-02.
    #[test]
    fn an_rsa_key_is_large_enough_and_has_no_leading_zero() {
        let parse = |n: &[u8], e: &[u8]| {
            let (n, e) = (base64url(n), base64url(e));
            PublicJwk::parse(&format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#))
        };
        let e = [1, 0, 1];
        assert!(parse(&[0xff; 256], &e).is_ok());
        assert_eq!(parse(&[0x7f; 256], &e), Err(PublicJwkError::ModulusSize));
        assert_eq!(parse(&[0xff; 1025], &e), Err(PublicJwkError::ModulusSize));
        assert_eq!(
            parse(&[&[0], [0xff; 256].as_slice()].concat(), &e),
            Err(PublicJwkError::Member("n"))
        );
        assert_eq!(parse(&[0xfe; 256], &e), Err(PublicJwkError::EvenModulus));
        assert_eq!(parse(&[], &e), Err(PublicJwkError::Member("n")));
        assert_eq!(
            parse(&[0xff; 256], &[0, 1, 0, 1]),
            Err(PublicJwkError::Member("e"))
        );
        assert_eq!(parse(&[0xff; 256], &[]), Err(PublicJwkError::Member("e")));
        for exponent in [[1].as_slice(), &[2], &[0xff; 5]] {
            assert_eq!(parse(&[0xff; 256], exponent), Err(PublicJwkError::Exponent));
        }
    }

    #[test]
    fn private_symmetric_and_foreign_keys_are_refused() {
        let with_d = P256.replace("\"kty\"", "\"d\":\"AA\",\"kty\"");
        assert_eq!(PublicJwk::parse(&with_d), Err(PublicJwkError::Private("d")));
        let oct = r#"{"kty":"oct","k":"AA"}"#;
        assert_eq!(PublicJwk::parse(oct), Err(PublicJwkError::Private("k")));
        let foreign = P256.replace("P-256", "P-521");
        assert_eq!(PublicJwk::parse(&foreign), Err(PublicJwkError::Curve));
        let narrow = P256.replace("P-256", "P-384");
        assert_eq!(PublicJwk::parse(&narrow), Err(PublicJwkError::Member("x")));
        let members = parse_object(foreign.as_bytes()).unwrap();
        let of_issuer = PublicJwk::from_issuer_members(&members);
        assert_eq!(of_issuer, Err(PublicJwkError::Member("x")));
        assert_eq!(PublicJwk::parse("{}"), Err(PublicJwkError::KeyType));
        assert_eq!(
            PublicJwk::parse("[]"),
            Err(PublicJwkError::Json(StrictJsonError::NotAnObject))
        );
    }

    #[test]
    fn a_key_serves_only_its_own_algorithms() {
        let fitting = |text| {
            let key = PublicJwk::parse(text).unwrap();
            let all = AcceptedAlgorithm::ALL.into_iter();
            let fitting = all
                .filter(|it| key.fits(*it))
                .map(AcceptedAlgorithm::as_str);
            fitting.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(fitting(P256), "ES256");
        assert_eq!(fitting(P384), "ES384");
        assert_eq!(fitting(ED25519), "EdDSA");
        assert_eq!(fitting(RSA), "RS256 PS256 RS384 PS384 RS512");
    }
}
