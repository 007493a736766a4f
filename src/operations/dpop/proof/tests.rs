//! RFC 9449's own proofs, and every rule of section 4.3 broken once.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding,
};
use serde_json::json;

use super::*;
use crate::crypto::digest::base64url;
use crate::crypto::jws::{NewKey, generate};
use crate::crypto::sealing::{SealingKey, SealingKeys};
use crate::domain::issuer::Issuer;
use crate::domain::shown::unknown;
use crate::domain::timestamp::{Seconds, Timestamp};
use crate::operations::dpop::nonce::Nonces;

const NOW: i64 = 1_767_225_600;
const TOKEN: &str = "https://auth.example/oauth2/token";

/// RFC 9449 figure 1 (section 4.1).
const FIGURE_1: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
/// RFC 9449 figure 6 (section 5).
const FIGURE_6: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjY1Mjk2fQ.pAqut2IRDm_De6PR93SYmGBPXpwrAk90e8cP2hjiaG5QsGSuKDYW7_X620BxqhvYC8ynrrvZLTk41mSRroapUA";
/// RFC 9449 figure 12 (section 7.1); it has a claim `ath`.
const FIGURE_12: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
/// RFC 9449 section 6.1.
const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

fn judge(proof: &str, method: &str, uri: &str, now: i64) -> Result<AcceptedProof, DpopFault> {
    judge_bytes(proof.as_bytes(), method, uri, now)
}

fn judge_bytes(
    proof: &[u8],
    method: &str,
    uri: &str,
    now: i64,
) -> Result<AcceptedProof, DpopFault> {
    let sealing = SealingKeys::new(SealingKey::generate());
    let nonces = Nonces::new(
        Issuer::parse("https://auth.example", false).unwrap(),
        &sealing,
        false,
    );
    let uris = [TargetUri::parse(uri).unwrap()];
    let expected = Expected {
        method,
        uris: &uris,
        nonces: &nonces,
        now: Timestamp::from_unix(now),
    };
    judge_proof(proof, Profile::Default, &expected)
}

/// The thumbprint, where the proof is for a token request at [`NOW`].
fn judged(proof: &str) -> Result<String, DpopFault> {
    judge(proof, "POST", TOKEN, NOW).map(|accepted| accepted.key().clone())
}

struct Prover {
    key: NewKey,
    algorithm: SigningAlgorithm,
    header: Value,
    claims: Value,
}

impl Prover {
    fn new(algorithm: SigningAlgorithm) -> Self {
        // A key that is marked for PSS alone is nothing that the other library reads.
        let kind = match algorithm {
            SigningAlgorithm::Ps256 => SigningAlgorithm::Rs256,
            other => other,
        };
        let key = generate(kind).unwrap();
        let header = json!({
            "typ": "dpop+jwt", "alg": algorithm.as_str(), "jwk": key.public_jwk.key_members(),
        });
        let claims = json!({ "jti": "j", "htm": "POST", "htu": TOKEN, "iat": NOW });
        Self {
            key,
            algorithm,
            header,
            claims,
        }
    }

    /// By another library than the one that verifies.
    fn signature(&self, input: &[u8]) -> Vec<u8> {
        let der = self.key.private.as_slice();
        let random = SystemRandom::new();
        let rsa = |padding: &'static dyn RsaEncoding| {
            let pair = RsaKeyPair::from_pkcs8(der).unwrap();
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(padding, &random, input, &mut signature).unwrap();
            signature
        };
        match self.algorithm {
            SigningAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).unwrap();
                pair.sign(&random, input).unwrap().as_ref().to_vec()
            }
            SigningAlgorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).unwrap();
                pair.sign(input).as_ref().to_vec()
            }
            SigningAlgorithm::Rs256 => rsa(&RSA_PKCS1_SHA256),
            SigningAlgorithm::Ps256 => rsa(&RSA_PSS_SHA256),
        }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let input = format!("{}.{}", part(header), part(claims));
        format!("{input}.{}", base64url(&self.signature(input.as_bytes())))
    }

    fn proof(&self) -> String {
        self.sign(&self.header, &self.claims)
    }

    /// With one member of the header replaced, or taken out by `null`.
    fn header(&self, name: &str, value: impl Into<Value>) -> String {
        self.sign(&with(&self.header, name, value.into()), &self.claims)
    }

    /// With one claim replaced, or taken out by `null`.
    fn claim(&self, name: &str, value: impl Into<Value>) -> String {
        self.sign(&self.header, &with(&self.claims, name, value.into()))
    }
}

fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    let members = object.as_object_mut().unwrap();
    match value {
        Value::Null => members.remove(name),
        value => members.insert(name.to_owned(), value),
    };
    object
}

/// C03 and 9449-01.
#[test]
fn the_examples_of_rfc_9449_hold_at_their_time() {
    let server = "https://server.example.com/token";
    let resource = "https://resource.example.org/protectedresource";
    for (proof, method, uri, issued_at) in [
        (FIGURE_1, "POST", server, 1_562_262_616),
        (FIGURE_6, "POST", server, 1_562_265_296),
        (FIGURE_12, "GET", resource, 1_562_262_618),
    ] {
        let thumbprint =
            |now| judge(proof, method, uri, now).map(|accepted| accepted.key().clone());
        assert_eq!(thumbprint(issued_at).as_deref(), Ok(THUMBPRINT));
        assert_eq!(thumbprint(issued_at + 61), Err(DpopFault::TooOld(61)));
        assert_eq!(
            judge(proof, "PUT", uri, issued_at).err(),
            Some(DpopFault::Method(method.to_owned()))
        );
        assert_eq!(
            judge(proof, method, TOKEN, issued_at).err(),
            Some(DpopFault::Uri(uri.to_owned()))
        );
    }
}

/// 9449-04.
#[test]
fn each_listed_algorithm_proves_its_key() {
    for algorithm in SigningAlgorithm::ALL {
        let prover = Prover::new(algorithm);
        assert_eq!(
            judged(&prover.proof()).as_ref(),
            Ok(&prover.key.kid),
            "{algorithm}"
        );
        assert!(
            Profile::Default
                .proof_algorithms()
                .contains(&algorithm.as_str())
        );
    }
    let ed25519 = Prover::new(SigningAlgorithm::EdDsa);
    assert_eq!(
        judged(&ed25519.header("alg", "Ed25519")).as_ref(),
        Ok(&ed25519.key.kid)
    );
    let listed = Profile::Default.proof_algorithms();
    assert!(
        listed
            .iter()
            .all(|name| SigningAlgorithm::of_header(name).is_some())
    );
}

/// B-J01: an algorithm that is none, symmetric, unlisted or in another spelling, or that is another key's.
/// (9449-02).
#[test]
fn no_other_algorithm_proves_anything() {
    let prover = Prover::new(SigningAlgorithm::Es256);
    for name in [
        "none", "None", "nOnE", "HS256", "HS512", "ES384", "ES512", "es256", "Ed448", "RS512",
    ] {
        assert_eq!(
            judged(&prover.header("alg", name)),
            Err(DpopFault::Algorithm(name.to_owned())),
            "{name}"
        );
    }
    for name in ["EdDSA", "Ed25519", "RS256", "PS256"] {
        let fault = judged(&prover.header("alg", name));
        assert!(matches!(fault, Err(DpopFault::Key(_))), "{name}: {fault:?}");
    }
    let unsigned = prover.header("alg", "none");
    let (input, _) = unsigned.rsplit_once('.').unwrap();
    assert!(matches!(
        judged(&format!("{input}.")),
        Err(DpopFault::Form(_))
    ));
    for absent in [Value::Null, json!("")] {
        assert!(matches!(
            judged(&prover.header("alg", absent)),
            Err(DpopFault::Form(_))
        ));
    }
}

/// 9449-02.
#[test]
fn a_proof_carries_a_public_key() {
    let prover = Prover::new(SigningAlgorithm::Es256);
    assert_eq!(
        judged(&prover.header("jwk", Value::Null)),
        Err(DpopFault::KeyAbsent)
    );
    let jwk = prover.header["jwk"].clone();
    let weak = base64url(&[0xff; 128]);
    for (case, jwk) in [
        ("private", with(&jwk, "d", base64url(&[1; 32]).into())),
        ("symmetric", json!({ "kty": "oct", "k": "AAAA" })),
        ("no y", with(&jwk, "y", Value::Null)),
        ("off the curve", with(&jwk, "y", base64url(&[1; 32]).into())),
        ("another curve", with(&jwk, "crv", "secp256k1".into())),
        (
            "rsa of 1024 bits",
            json!({ "kty": "RSA", "n": weak, "e": "AQAB" }),
        ),
        ("empty", json!({})),
        ("a text", jwk.to_string().into()),
        ("a list", json!([jwk])),
    ] {
        let fault = judged(&prover.header("jwk", jwk));
        assert!(matches!(fault, Err(DpopFault::Key(_))), "{case}: {fault:?}");
    }
}

/// B-J03: only the embedded key counts, whatever else the header names (9449-02).
#[test]
fn the_signature_is_that_of_the_embedded_key() {
    let prover = Prover::new(SigningAlgorithm::Es256);
    let other = Prover::new(SigningAlgorithm::Es256);
    let stolen = other.header["jwk"].clone();
    assert_eq!(
        judged(&prover.header("jwk", stolen)),
        Err(DpopFault::Signature)
    );
    let proof = prover.proof();
    let (input, _) = proof.rsplit_once('.').unwrap();
    for length in [1, 63, 64, 65, 128] {
        let forged = format!("{input}.{}", base64url(&vec![0; length]));
        assert_eq!(judged(&forged), Err(DpopFault::Signature), "{length}");
    }
    let (_, signature) = other
        .proof()
        .rsplit_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    assert_eq!(
        judged(&format!("{input}.{signature}")),
        Err(DpopFault::Signature)
    );
    for (name, value) in [
        ("kid", "x"),
        ("jku", "http://169.254.169.254/"),
        ("x5u", "file:///etc"),
    ] {
        assert_eq!(
            judged(&prover.header(name, value)).as_ref(),
            Ok(&prover.key.kid),
            "{name}"
        );
    }
}

/// B-J14: no other JWT is a proof (9449-02).
#[test]
fn a_proof_says_what_it_is() {
    let prover = Prover::new(SigningAlgorithm::Es256);
    for typ in [
        "JWT",
        "at+jwt",
        "client-authentication+jwt",
        "token-introspection+jwt",
        "dpop",
        "DPOP+JWT",
        "",
    ] {
        assert_eq!(
            judged(&prover.header("typ", typ)),
            Err(DpopFault::Typ(unknown(typ, []))),
            "{typ}"
        );
    }
    assert_eq!(
        judged(&prover.header("typ", Value::Null)),
        Err(DpopFault::Typ("none".to_owned()))
    );
}

/// B-J10: shapes that cost others their memory (9449-02).
#[test]
fn what_is_no_compact_jws_is_no_proof() {
    let prover = Prover::new(SigningAlgorithm::Es256);
    let proof = prover.proof();
    let nested = base64url(format!("{{\"a\":{}", "[".repeat(5000)).as_bytes());
    let doubled = {
        let header = prover.header.to_string();
        let claims = prover
            .claims
            .to_string()
            .replacen('{', "{\"htm\":\"POST\",", 1);
        let input = format!(
            "{}.{}",
            base64url(header.as_bytes()),
            base64url(claims.as_bytes())
        );
        format!("{input}.{}", base64url(&prover.signature(input.as_bytes())))
    };
    for (case, text) in [
        ("empty", String::new()),
        ("a word", "proof".to_owned()),
        ("two parts", proof.rsplit_once('.').unwrap().0.to_owned()),
        ("four parts", format!("{proof}.AA")),
        ("five parts", "a.b.c.d.e".to_owned()),
        ("padded", format!("{proof}=")),
        ("two in one", format!("{proof}, {proof}")),
        ("a blank", format!(" {proof}")),
        ("dots", ".".repeat(16 * 1024)),
        ("nested", format!("{nested}.{nested}.AA")),
        ("long", format!("{proof}{}", "A".repeat(16 * 1024))),
        ("a member twice", doubled),
        ("crit", prover.header("crit", json!([]))),
        (
            "json",
            json!({ "payload": "a", "signature": "b" }).to_string(),
        ),
    ] {
        let fault = judged(&text);
        assert!(
            matches!(fault, Err(DpopFault::Form(_))),
            "{case}: {fault:?}"
        );
    }
    let bytes = judge_bytes(b"\xff\xfe", "POST", TOKEN, NOW);
    assert!(matches!(bytes.err(), Some(DpopFault::Form(_))));
}

/// 9449-02.
#[test]
fn a_proof_is_for_this_method_and_this_uri() {
    let prover = Prover::new(SigningAlgorithm::Es256);
    for method in [
        json!("GET"),
        json!("post"),
        json!(""),
        json!(["POST"]),
        Value::Null,
        json!(7),
    ] {
        let fault = judged(&prover.claim("htm", method));
        assert!(matches!(fault, Err(DpopFault::Method(_))), "{fault:?}");
    }
    for uri in [
        json!("https://auth.example/oauth2/introspect"),
        json!("http://auth.example/oauth2/token"),
        json!("https://auth.example:8443/oauth2/token"),
        json!("https://auth.example"),
        json!("/oauth2/token"),
        json!(""),
        json!([TOKEN]),
        Value::Null,
    ] {
        let fault = judged(&prover.claim("htu", uri.clone()));
        assert!(matches!(fault, Err(DpopFault::Uri(_))), "{uri}: {fault:?}");
    }
}

/// 9449-03.
#[test]
fn a_uri_counts_in_every_equal_form_and_unknown_claims_do_not_count() {
    let prover = Prover::new(SigningAlgorithm::Es256);
    for uri in [
        "HTTPS://AUTH.example:443/oauth2/token",
        "https://auth.example/oauth2/token?x=1#y",
        "https://auth.example/./oauth2/%74oken",
    ] {
        assert!(judged(&prover.claim("htu", uri)).is_ok(), "{uri}");
    }
    for (name, value) in [
        ("ath", json!("x")),
        ("nonce", json!("any")),
        ("x", json!({ "y": [1] })),
    ] {
        assert!(judged(&prover.claim(name, value)).is_ok(), "{name}");
    }
}

/// 9449-03.
#[test]
fn a_proof_is_made_within_a_minute_and_ten_seconds_ahead() {
    let prover = Prover::new(SigningAlgorithm::Es256);
    let judged = |claim: &str, value: Value| judged(&prover.claim(claim, value)).err();
    for (offset, fault) in [
        (-61, Some(DpopFault::TooOld(61))),
        (-60, None),
        (-10, None),
        (10, None),
        (11, Some(DpopFault::TooEarly(11))),
    ] {
        assert_eq!(judged("iat", json!(NOW + offset)), fault, "{offset}");
    }
    assert_eq!(judged("iat", json!(1_767_225_600.5)), None);
    for wrong in [
        Value::Null,
        json!("1767225600"),
        json!(true),
        json!(1e19),
        json!(1e300),
        json!(-1),
    ] {
        assert_eq!(
            judged("iat", wrong.clone()),
            Some(DpopFault::Time("iat")),
            "{wrong}"
        );
    }
}

/// 9449-03.
#[test]
fn exp_and_nbf_count_where_they_are_there() {
    let prover = Prover::new(SigningAlgorithm::Es256);
    let judged = |claim: &str, value: Value| judged(&prover.claim(claim, value)).err();
    for (offset, fault) in [(-10, Some(DpopFault::Expired(10))), (-9, None), (300, None)] {
        assert_eq!(judged("exp", json!(NOW + offset)), fault, "{offset}");
    }
    for (offset, fault) in [
        (-300, None),
        (10, None),
        (11, Some(DpopFault::NotYetValid(11))),
    ] {
        assert_eq!(judged("nbf", json!(NOW + offset)), fault, "{offset}");
    }
    for wrong in [json!("1"), json!(1e300), json!([])] {
        assert_eq!(
            judged("exp", wrong.clone()),
            Some(DpopFault::Time("exp")),
            "{wrong}"
        );
        assert_eq!(
            judged("nbf", wrong.clone()),
            Some(DpopFault::Time("nbf")),
            "{wrong}"
        );
    }
}

/// 9449-02.
#[test]
fn a_proof_has_a_name_of_1_to_256_bytes() {
    let prover = Prover::new(SigningAlgorithm::Es256);
    let judged = |jti: Value| judged(&prover.claim("jti", jti)).err();
    assert_eq!(judged("j".into()), None);
    assert_eq!(judged("j".repeat(256).into()), None);
    for wrong in [
        Value::Null,
        "".into(),
        "j".repeat(257).into(),
        "ä".repeat(129).into(),
        7.into(),
    ] {
        assert_eq!(judged(wrong), Some(DpopFault::Jti));
    }
}

#[test]
fn the_record_of_a_proof_outlives_its_last_instant() {
    let prover = Prover::new(SigningAlgorithm::Es256);
    for offset in [-60, 0, 10] {
        let proof = prover.claim("iat", NOW + offset);
        let accepted = judge(&proof, "POST", TOKEN, NOW).unwrap();
        let dead_at = accepted.once().life.dead_at;
        assert!(judge(&proof, "POST", TOKEN, dead_at.minus(Seconds::new(1)).unix()).is_ok());
        assert!(judge(&proof, "POST", TOKEN, dead_at.unix()).is_err());
    }
}
