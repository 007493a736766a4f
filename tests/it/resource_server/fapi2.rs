//! What the `OpenID` conformance plan `fapi2-security-profile-final` asks of the API; a test has its module's name.

use grantd::crypto::digest::{base64url, sha256};
use grantd::crypto::jws::{NewKey, generate};
use grantd::domain::algorithm::SigningAlgorithm;
use josekit::jws::{JwsSigner as _, RS256};
use serde_json::{Value, json};

use super::issuer::{Issuer, now};
use super::proof::{bound, claims, header};
use super::{Answer, Api};
use crate::forgery::{new_key, signed, signing_input};

/// The API as its callers know it.
const URL: &str = "https://archive.example/documents";

/// An API, and a token that is bound to a key.
struct Bound {
    issuer: Issuer,
    api: Api,
    key: NewKey,
    token: String,
}

impl Bound {
    fn new() -> Self {
        let issuer = Issuer::start();
        let api = Api::with_options(&issuer.url, &["--url", "https://archive.example"]);
        let key = new_key();
        let token = bound(&issuer, &key);
        Self {
            issuer,
            api,
            key,
            token,
        }
    }

    /// Header and claims of a right proof; `null` takes a member out.
    fn parts(&self, header_with: &Value, claims_with: &Value) -> (Value, Value) {
        let mut parts = (header(&self.key), claims(&self.api, &self.token));
        parts.1["htu"] = json!(URL);
        for (part, with) in [(&mut parts.0, header_with), (&mut parts.1, claims_with)] {
            for (name, value) in with.as_object().unwrap() {
                part[name] = value.clone();
            }
            part.as_object_mut()
                .unwrap()
                .retain(|_, value| !value.is_null());
        }
        parts
    }

    fn proof(&self, header_with: &Value, claims_with: &Value) -> String {
        let (header, claims) = self.parts(header_with, claims_with);
        signed(&self.key, &header, &claims)
    }

    fn right(&self) -> String {
        self.proof(&json!({}), &json!({}))
    }

    fn call(&self, line: &str, more: &[(&str, &str)]) -> Answer {
        let authorization = format!("DPoP {}", self.token);
        let headers = [&[("Authorization", authorization.as_str())], more].concat();
        self.api.call(line, &headers, "")
    }

    #[track_caller]
    fn assert_taken(&self, step: &str, proof: &str) {
        let answer = self.call("GET /documents", &[("DPoP", proof)]);
        assert_eq!(
            answer.status,
            200,
            "{step}: {answer:?}: {}",
            self.api.last_reason()
        );
    }

    #[track_caller]
    fn assert_refused(&self, step: &str, proof: &str) {
        let answer = self.call("GET /documents", &[("DPoP", proof)]);
        assert_eq!(answer.status, 401, "{step}: {answer:?}");
    }
}

/// access-token-type-header-case-sensitivity: the scheme in any case, for both types of token (RFC 9110 section
/// 11.1).
#[test]
fn access_token_type_header_case_sensitivity() {
    let bound = Bound::new();
    let bearer = bound.issuer.token(|_| {});
    for scheme in ["Bearer", "bearer", "BEARER", "bEARER"] {
        assert_eq!(
            bound.api.read(&format!("{scheme} {bearer}")).status,
            200,
            "{scheme}"
        );
    }
    for scheme in ["DPoP", "dpop", "DPOP", "dpOp"] {
        let (authorization, proof) = (format!("{scheme} {}", bound.token), bound.right());
        let headers = [("Authorization", authorization.as_str()), ("DPoP", &proof)];
        let answer = bound.api.call("GET /documents", &headers, "");
        assert_eq!(answer.status, 200, "{scheme}: {answer:?}");
    }
}

/// check-dpop-proof-nbf-exp, ensure-dpopproof-with-iat-10seconds-before-succeeds,
/// ensure-dpopproof-with-iat-10seconds-after-succeeds
#[test]
fn proofs_within_their_times_are_taken() {
    let bound = Bound::new();
    for claims in [
        json!({ "nbf": now(), "exp": now() + 300 }),
        json!({ "iat": now() - 10 }),
        json!({ "iat": now() + 10 }),
    ] {
        bound.assert_taken(&claims.to_string(), &bound.proof(&json!({}), &claims));
    }
}

/// happy-flow: its calls of the API. One client's key is no proof for another's token, no token counts in the URL,
/// and what a client says in other headers does not matter.
#[test]
fn happy_flow() {
    let bound = Bound::new();
    for headers in [
        &[][..],
        &[("Accept", "application/json;charset=UTF-8")],
        &[
            ("Accept", "application/json, */*"),
            ("x-fapi-customer-ip-address", "2001:db8::1"),
        ],
        &[(
            "x-fapi-interaction-id",
            "c770aef3-6784-41f7-8e0e-ff5f97bddb3a",
        )],
    ] {
        let proof = bound.right();
        let headers = [headers, &[("DPoP", &proof)]].concat();
        let answer = bound.call("GET /documents", &headers);
        assert_eq!(answer.status, 200, "{headers:?}: {answer:?}");
    }
    let (proof, token) = (bound.right(), &bound.token);
    let line = format!("GET /documents?access_token={token}");
    assert_eq!(bound.api.call(&line, &[("DPoP", &proof)], "").status, 401);
    let other = Bound {
        key: new_key(),
        ..bound
    };
    other.assert_refused("another client's key", &other.right());
}

/// dpop-negative-tests: the module's steps in its order.
#[test]
fn dpop_negative_tests() {
    let bound = Bound::new();
    let nothing = json!({});
    let upper = bound.call("GET /documents", &[("DPOP", &bound.right())]);
    assert_eq!(
        upper.status, 200,
        "the header's name in capitals: {upper:?}"
    );
    let two = [("DPoP", &*bound.right()), ("DPoP", &*bound.right())];
    assert_eq!(bound.call("GET /documents", &two).status, 400, "two proofs");
    let (right, other) = (bound.right(), bound.right());
    let (input, _) = right.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    bound.assert_refused("two parts", input);
    bound.assert_refused("another signature", &format!("{input}.{signature}"));
    for member in ["typ", "alg", "jwk"] {
        bound.assert_refused(member, &bound.proof(&json!({ member: null }), &nothing));
    }
    for claim in ["jti", "htm", "htu", "iat", "ath"] {
        bound.assert_refused(claim, &bound.proof(&nothing, &json!({ claim: null })));
    }
    let other_typ = json!({ "typ": "dpop+jwt+wrongyousee" });
    bound.assert_refused("another typ", &bound.proof(&other_typ, &nothing));
    let (_, claims) = bound.parts(&nothing, &nothing);
    let unsigned = signing_input(&json!({ "alg": "none", "typ": "dpop+jwt" }), &claims);
    bound.assert_refused("alg none", &format!("{unsigned}."));
    let mut private = header(&bound.key)["jwk"].clone();
    private["d"] = json!(base64url(&[1; 32]));
    bound.assert_refused(
        "a private key",
        &bound.proof(&json!({ "jwk": private }), &nothing),
    );
    bound.assert_refused("htm", &bound.proof(&nothing, &json!({ "htm": "PUT" })));
    let with_query = bound.proof(&nothing, &json!({ "htu": format!("{URL}?a=b#c") }));
    bound.assert_taken("htu with a query", &with_query);
    let answer = bound.call("GET /documents?page=2", &[("DPoP", &bound.right())]);
    assert_eq!(
        answer.status, 200,
        "htu without the request's query: {answer:?}"
    );
    let elsewhere = json!({ "htu": "https://other.example/documents" });
    bound.assert_refused("htu", &bound.proof(&nothing, &elsewhere));
    for hour in [3600, -3600] {
        bound.assert_refused(
            "iat",
            &bound.proof(&nothing, &json!({ "iat": now() + hour })),
        );
    }
    // Two proofs, and not one twice.
    let named = json!({ "jti": "the same" });
    bound.assert_taken("first use of a jti", &bound.proof(&nothing, &named));
    let again = json!({ "jti": "the same", "iat": now() - 1 });
    bound.assert_refused("second use of a jti", &bound.proof(&nothing, &again));
    let ath = json!({ "ath": base64url(&sha256(b"another token")) });
    bound.assert_refused("ath", &bound.proof(&nothing, &ath));
    let (header_of_key, claims) = bound.parts(&nothing, &nothing);
    let by_another = signed(&new_key(), &header_of_key, &claims);
    bound.assert_refused("another key's signature", &by_another);
    let more = bound.proof(&json!({ "tx_id": 1 }), &json!({ "tx_id_key": 1 }));
    bound.assert_taken("further members", &more);
    for htu in [
        "HTTPS://ARCHIVE.EXAMPLE/documents",
        "https://archive.example:443/documents",
    ] {
        bound.assert_taken(htu, &bound.proof(&nothing, &json!({ "htu": htu })));
    }
    assert_eq!(bound.call("GET /documents", &[]).status, 401, "no proof");
    assert_eq!(bound.api.bearer(&bound.token).status, 401, "as Bearer");
    bound.assert_taken("a right one still works", &bound.right());
}

/// dpop-negative-tests: its step with RS256, by the very key that the token is bound to.
#[test]
fn a_proof_with_rs256_is_refused() {
    let rsa = generate(SigningAlgorithm::Rs256).unwrap();
    let bound = Bound::new();
    let token = bound.issuer.token(|claims| {
        claims["cnf"] = json!({ "jkt": rsa.public_jwk.thumbprint() });
    });
    let bound = Bound { token, ..bound };
    let with = json!({ "alg": "RS256", "jwk": rsa.public_jwk.key_members() });
    let (header, claims) = bound.parts(&with, &json!({}));
    let input = signing_input(&header, &claims);
    let signer = RS256.signer_from_der(&rsa.private[..]).unwrap();
    let signature = base64url(&signer.sign(input.as_bytes()).unwrap());
    bound.assert_refused("RS256", &format!("{input}.{signature}"));
    assert_eq!(bound.api.last_reason(), "another type or algorithm");
}
