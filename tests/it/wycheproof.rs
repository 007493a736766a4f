//! C02: Wycheproof's vectors for JWS and JWK (RFC 7515, RFC 7517) against the functions that register keys and verify
//! assertions. Most payloads are no JSON, so the form is read as `CompactJws::parse` reads it, without the claims.

use grantd::crypto::client_key::ClientKey;
use grantd::crypto::compact::CompactJws;
use serde_json::{Value, json};

use crate::assertion::signer::catalog_of;
use crate::harness::on_both;

const SIGNATURES: &str = include_str!("../vectors/wycheproof/json_web_signature_test.json");
const KEYS: &str = include_str!("../vectors/wycheproof/json_web_key_test.json");

/// What comes of vectors: what Wycheproof calls them, a part of why we refuse them, and how many there are.
type Verdicts = [(&'static str, &'static str, usize)];

const ACCEPTED: &str = "accepted";

/// Every refusal of a `valid` one is meant: no symmetric key is registered, no SHA-512 and no P-521 is spoken, and no
/// payload is empty.
const SIGNATURE_VERDICTS: &Verdicts = &[
    ("valid", ACCEPTED, 20),
    ("valid", "private member `k`", 10),
    ("valid", "`alg` is not ES256", 8),
    ("valid", "`crv` is not P-256", 2),
    ("valid", "serves another algorithm", 2),
    ("valid", "payload is empty", 4),
    ("invalid", "signature is wrong", 284),
    ("invalid", "private member `k`", 30),
    ("invalid", "`alg` is not ES256", 16),
    ("invalid", "not three parts", 10),
    ("invalid", "header is empty", 4),
    ("invalid", "payload is empty", 2),
    ("invalid", "signature is empty", 2),
    ("invalid", "`use` is not sig", 2),
    ("invalid", "`key_ops` lacks verify", 2),
    ("invalid", "no key has its kid", 2),
    ("invalid", "serves another algorithm", 1),
];

/// Every `valid` set that is refused is of symmetric keys.
const KEY_VERDICTS: &Verdicts = &[
    ("valid", ACCEPTED, 1),
    ("valid", "private member `k`", 4),
    ("invalid", "private member `k`", 11),
    ("invalid", "`use` is not sig", 2),
    ("invalid", "`alg` is not ES256", 2),
    ("invalid", "`x` is absent", 1),
    ("invalid", "`n` is absent", 1),
    ("invalid", "the key is not valid", 1),
    ("invalid", "the RSA exponent", 1),
    ("invalid", "fewer than 2048", 1),
    ("invalid", "ROCA", 1),
];

/// One vector with the key of its group: the public one, or the one that there is.
pub(crate) struct Vector {
    pub(crate) group: String,
    pub(crate) key: Value,
    pub(crate) number: u64,
    pub(crate) is_valid: bool,
    pub(crate) comment: String,
    pub(crate) flags: Vec<Value>,
    pub(crate) jws: String,
}

/// All vectors of a file; none is of the third kind, `acceptable`.
fn vectors(file: &str) -> Vec<Vector> {
    let file: Value = serde_json::from_str(file).unwrap();
    let mut found = Vec::new();
    for group in file["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            found.push(Vector {
                group: text(&group["comment"]),
                key: group.get("public").unwrap_or(&group["private"]).clone(),
                number: test["tcId"].as_u64().unwrap(),
                is_valid: match test["result"].as_str() {
                    Some("valid") => true,
                    Some("invalid") => false,
                    other => panic!("{other:?}"),
                },
                comment: text(&test["comment"]),
                flags: test["flags"].as_array().unwrap().clone(),
                jws: text(&test["jws"]),
            });
        }
    }
    assert_eq!(Some(found.len() as u64), file["numberOfTests"].as_u64());
    found
}

pub(crate) fn signature_vectors() -> Vec<Vector> {
    vectors(SIGNATURES)
}

/// Takes `jws` through the steps of an assertion, or says why not.
fn verify(keys: &[ClientKey], jws: &str) -> Result<(), String> {
    let jws = CompactJws::parse_any_payload(jws).map_err(|error| error.to_string())?;
    let named = |key: &&ClientKey| match jws.kid() {
        Some(kid) => key.is_named(kid),
        None => key.verifier(jws.alg()).is_some(),
    };
    let key = keys.iter().find(named).ok_or("no key has its kid")?;
    let verifier = key
        .verifier(jws.alg())
        .ok_or("the key serves another algorithm")?;
    let is_right = verifier.verify(jws.signing_input(), jws.signature());
    if is_right {
        Ok(())
    } else {
        Err("the signature is wrong".to_owned())
    }
}

/// Holds what comes of all vectors to a table, each row of which must come true as often as it says; no `invalid` one
/// may pass, whatever the table says.
fn assert_verdicts(outcomes: &[(&Vector, Result<(), String>)], verdicts: &Verdicts) {
    let mut counts = vec![0; verdicts.len()];
    for (vector, outcome) in outcomes {
        let of = format!("number {} ({})", vector.number, vector.comment);
        assert!(vector.is_valid || outcome.is_err(), "{of} passes");
        let called = if vector.is_valid { "valid" } else { "invalid" };
        let said = outcome.as_ref().err().map_or(ACCEPTED, String::as_str);
        let row = verdicts
            .iter()
            .position(|row| row.0 == called && said.contains(row.1));
        counts[row.unwrap_or_else(|| panic!("{of}, {called}: {said}"))] += 1;
    }
    for (row, count) in verdicts.iter().zip(counts) {
        assert_eq!(count, row.2, "{row:?}");
    }
}

/// C02.
#[test]
fn each_signature_vector_comes_to_what_it_should() {
    let vectors = signature_vectors();
    let judge = |vector: &Vector| {
        let key = ClientKey::parse(&vector.key.to_string()).map_err(|error| error.to_string())?;
        verify(&[key], &vector.jws)
    };
    let outcomes: Vec<_> = vectors
        .iter()
        .map(|vector| (vector, judge(vector)))
        .collect();
    assert_verdicts(&outcomes, SIGNATURE_VERDICTS);
}

/// The vectors of base64 have a symmetric key, so the test above stops at that: here the form is judged alone.
/// (C02).
#[test]
fn the_form_alone_refuses_every_wrong_encoding() {
    let vectors = signature_vectors();
    let of_base64: Vec<&Vector> = vectors.iter().filter(|it| it.group == "base64").collect();
    assert_eq!(of_base64.len(), 21);
    let of_valid: Vec<&str> = of_base64
        .iter()
        .filter(|it| it.is_valid)
        .map(|it| it.jws.as_str())
        .collect();
    for vector in of_base64 {
        let passes = CompactJws::parse_any_payload(&vector.jws).is_ok();
        let expected = match vector.number {
            // They are called invalid for padding that the file has lost: they are number 357, which is valid.
            367 | 370 => {
                assert!(of_valid.contains(&vector.jws.as_str()));
                true
            }
            // They are called valid with a `?` inside, which base64url does not have (RFC 7515 section 2).
            372 | 373 => {
                assert!(vector.jws.contains('?'));
                false
            }
            _ => vector.is_valid,
        };
        assert_eq!(passes, expected, "{}: {}", vector.number, vector.comment);
    }
}

on_both! {
    /// C02 JOSE-10 B-J07: sets as `apply` registers them.
    async fn each_set_of_keys_comes_to_what_it_should(env) {
        let vectors = vectors(KEYS);
        let mut outcomes = Vec::new();
        for vector in &vectors {
            let registered = env.try_apply(&catalog_of(&vector.key, ""), true).await;
            outcomes.push((vector, registered.and_then(|_| {
                let keys = vector.key["keys"].as_array().unwrap().iter();
                let keys: Vec<_> =
                    keys.map(|key| ClientKey::parse(&key.to_string()).unwrap()).collect();
                verify(&keys, &vector.jws)
            })));
        }
        assert_verdicts(&outcomes, KEY_VERDICTS);
    }

    /// Of vectors 1 and 4, whose keys are symmetric: the same of public keys (C02).
    async fn a_set_with_a_symmetric_key_or_a_doubled_kid_is_refused_whole(env) {
        let vectors = vectors(KEYS);
        let [mixed, doubled] = [1, 4].map(|number| {
            vectors.iter().find(|it| it.number == number).unwrap().key["keys"].as_array().unwrap()
        });
        let ec = &mixed[1];
        let sets = [
            (json!([ec, mixed[0]]), "private member `k`"),
            (json!([mixed[0], ec]), "private member `k`"),
            (json!([ec, ec]), "worker has this jwk already"),
            (json!(doubled), "private member `k`"),
        ];
        for (keys, why) in sets {
            let catalog = catalog_of(&json!({ "keys": keys }), "");
            let error = env.try_apply(&catalog, false).await.unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        env.try_apply(&catalog_of(&json!({ "keys": [ec] }), ""), false).await.unwrap();
    }
}
