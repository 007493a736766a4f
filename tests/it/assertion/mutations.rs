//! C02: what Wycheproof's vectors of signatures do to the text `foo`, done to a real assertion and sent; `rsa_mutations`
//! has those of RSA. What stands in `jose`, `signature` and `keys` already (embedded keys, JSON serialization, parts
//! that lack) is not repeated.

use aws_lc_rs::hmac;
use grantd::crypto::digest::{base64url, decode_base64url};
use grantd::domain::algorithm::SigningAlgorithm;
use openssl::bn::BigNum;
use openssl::pkey::PKey;
use serde_json::{Value, json};

use super::signature::ORDER;
use super::signer::{Key, assert_refused, catalog, claims, token, worker};
use crate::harness::on_both;
use crate::wycheproof::signature_vectors;

/// Header and claims of an assertion, to be signed.
pub(super) fn input(key: &Key, alg: &str, jti: &str) -> String {
    let header = json!({ "alg": alg, "kid": key.kid() }).to_string();
    unsigned(&header, &claims("worker", jti).to_string())
}

fn unsigned(header: &str, claims: &str) -> String {
    format!(
        "{}.{}",
        base64url(header.as_bytes()),
        base64url(claims.as_bytes())
    )
}

/// The whole assertion.
pub(super) fn with(input: &str, signature: &[u8]) -> String {
    format!("{input}.{}", base64url(signature))
}

/// With other bits at one place.
pub(super) fn flipped(bytes: &[u8], place: usize, mask: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[place] ^= mask;
    bytes
}

/// Every form in which a library may take the public half of a P-256 key for a shared secret.
fn public_forms(key: &Key) -> Vec<Vec<u8>> {
    let jwk = Value::Object(key.jwk());
    let octets = |name: &str| decode_base64url(jwk[name].as_str().unwrap()).unwrap();
    let (x, y) = (octets("x"), octets("y"));
    let pair = PKey::private_key_from_pkcs8(key.private()).unwrap();
    let pem = pair.public_key_to_pem().unwrap();
    vec![
        [&[4], &x[..], &y].concat(),
        [&[2 + y[31] % 2], &x[..]].concat(),
        [&x[..], &y].concat(),
        x,
        y,
        jwk["x"].as_str().unwrap().as_bytes().to_vec(),
        pair.public_key_to_der().unwrap(),
        pem.trim_ascii().to_vec(),
        pem,
        jwk.to_string().into_bytes(),
        key.kid().as_bytes().to_vec(),
        Vec::new(),
    ]
}

/// The same octets with a bit set that means nothing, where the last character has one.
fn other_bits(text: &str) -> Option<String> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = text.split_at(text.len() - 1);
    let value = ALPHABET.find(last).unwrap();
    (!text.len().is_multiple_of(4)).then(|| format!("{rest}{}", &ALPHABET[value + 1..value + 2]))
}

/// Two numbers, each in this many octets.
fn halves(r: &BigNum, s: &BigNum, octets: i32) -> Vec<u8> {
    [r, s]
        .map(|number| number.to_vec_padded(octets).unwrap())
        .concat()
}

on_both! {
    /// C02 JOSE-08 B-J06: 0, 1, n - 1 and n in both halves, and halves that are wider than 32 octets.
    async fn no_special_value_is_an_es256_signature(env) {
        let (replica, key) = worker(&env).await;
        let text = input(&key, "ES256", "1");
        let good = key.sign_bytes(text.as_bytes());
        let vectors = signature_vectors();
        let special = vectors.iter().filter(|it| it.group == "SpecialCaseEs256" && !it.is_valid);
        let mut wrong: Vec<String> = special
            .map(|vector| format!("{text}.{}", vector.jws.rsplit_once('.').unwrap().1))
            .collect();
        assert_eq!(wrong.len(), 23);
        let number = |octets: &[u8]| BigNum::from_slice(octets).unwrap();
        let (r, s) = (number(&good[..32]), number(&good[32..]));
        let order = number(&decode_base64url(ORDER).unwrap());
        let (zero, all) = (number(&[]), number(&[&[1][..], &[0; 32]].concat()));
        let wide = [
            (&zero, &zero, 33),
            (&order, &zero, 33),
            (&zero, &order, 33),
            (&all, &zero, 33),
            (&zero, &all, 33),
            (&zero, &zero, 257),
        ];
        wrong.extend(wide.map(|(more_r, more_s, octets)| {
            with(&text, &halves(&(&r + more_r), &(&s + more_s), octets))
        }));
        wrong.push(with(&text, &[&good[..], &[0, 0]].concat()));
        assert_refused(&replica, &wrong).await;
        assert_eq!(halves(&r, &s, 32), good);
        assert_eq!(token(&replica, &with(&text, &good)).await.status, 200);
    }

    /// C02: one bit of signature, payload or header.
    async fn what_was_changed_after_it_was_signed_is_refused(env) {
        let keys = [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa, SigningAlgorithm::Rs256];
        let keys = keys.map(Key::new);
        env.apply(&catalog(&keys.each_ref(), "")).await;
        let replica = env.replica().await;
        for key in &keys {
            let (header, body) = (key.header(""), claims("worker", key.kid()).to_string());
            let good = key.sign_raw(&header, &body);
            let signature = decode_base64url(good.rsplit_once('.').unwrap().1).unwrap();
            let (middle, last) = (signature.len() / 2, signature.len() - 1);
            let text = unsigned(&header, &body);
            let places = [(0, 1), (0, 0x80), (middle - 1, 1), (middle, 1), (last, 1), (last, 0x80)];
            let mut wrong = places
                .map(|(place, mask)| with(&text, &flipped(&signature, place, mask)))
                .to_vec();
            wrong.push(with(&unsigned(&header, &body.replace(key.kid(), "other")), &signature));
            wrong.push(with(&unsigned(&header, &format!("{body} ")), &signature));
            wrong.push(with(&unsigned(&format!("{header} "), &body), &signature));
            wrong.push(with(&unsigned(&key.header(r#","typ":"JWT""#), &body), &signature));
            assert_refused(&replica, &wrong).await;
            assert_eq!(token(&replica, &good).await.status, 200);
        }
    }

    /// C02 B-J02: the confusion of symmetric and public keys, for a key of a curve.
    async fn no_form_of_a_public_key_of_a_curve_is_a_secret(env) {
        let (replica, key) = worker(&env).await;
        let mut wrong = Vec::new();
        for form in public_forms(&key) {
            for (alg, hash) in [
                ("HS256", hmac::HMAC_SHA256),
                ("HS512", hmac::HMAC_SHA512),
                ("ES256", hmac::HMAC_SHA512),
            ] {
                let text = input(&key, alg, "1");
                let tag = hmac::sign(&hmac::Key::new(hash, &form), text.as_bytes());
                wrong.push(with(&text, tag.as_ref()));
            }
        }
        assert_eq!(wrong.len(), 36);
        assert_refused(&replica, &wrong).await;
        assert_eq!(token(&replica, &key.sign(&claims("worker", "1"))).await.status, 200);
    }

    /// C02 B-J01: as an attacker would have it, who need not say whose key it is.
    async fn nothing_unsigned_is_taken_whatever_its_kid(env) {
        let (replica, key) = worker(&env).await;
        let body = claims("worker", "1").to_string();
        let headers = ["none", "NONE", "None"].into_iter().flat_map(|alg| {
            let of = |kid: &str| json!({ "alg": alg, "kid": kid });
            [json!({ "alg": alg }), of("none"), of(key.kid())]
        });
        let wrong: Vec<String> = headers
            .flat_map(|header| {
                let text = unsigned(&header.to_string(), &body);
                [text.clone(), format!("{text}."), format!("{text}.AA")]
            })
            .collect();
        assert_refused(&replica, &wrong).await;
        assert_eq!(token(&replica, &key.sign(&claims("worker", "1"))).await.status, 200);
    }

    /// C02 JOSE-07: what base64url does not have, in each part, under a signature over the text as it stands.
    async fn no_part_is_written_in_another_way(env) {
        const ODD: [&str; 8] = ["    ", "?", "####", "=", "==", "\t", "\n", "\u{e9}"];
        let (replica, key) = worker(&env).await;
        let signed = |header: &str, payload: &str| {
            let text = format!("{header}.{payload}");
            with(&text, &key.sign_bytes(text.as_bytes()))
        };
        let parts = [key.header(""), claims("worker", "1").to_string()];
        let [header, payload] = parts.each_ref().map(|part| base64url(part.as_bytes()));
        let good = signed(&header, &payload);
        let signature = good.rsplit_once('.').unwrap().1;
        let mut wrong = Vec::new();
        for odd in ODD {
            let in_three_places = |part: &str| {
                let (left, right) = part.split_at(part.len() - 1);
                [format!("{odd}{part}"), format!("{part}{odd}"), format!("{left}{odd}{right}")]
            };
            wrong.extend(in_three_places(&header).map(|changed| signed(&changed, &payload)));
            wrong.extend(in_three_places(&payload).map(|changed| signed(&header, &changed)));
            wrong.extend(
                in_three_places(signature).map(|changed| format!("{header}.{payload}.{changed}")),
            );
        }
        assert_refused(&replica, &wrong).await;
        // Blanks between the members are JSON's own.
        let spaced = |jti: &str, text: &str| {
            key.sign_raw(&text.replace("KID", key.kid()), &claims("worker", jti).to_string())
        };
        for (jti, header) in [
            ("2", r#"{ "kid" : "KID", "alg" : "ES256" }"#),
            ("3", "{\"kid\":\"KID\",\n\t\"alg\":\"ES256\"}"),
        ] {
            assert_eq!(token(&replica, &spaced(jti, header)).await.status, 200, "{header}");
        }
        assert_eq!(token(&replica, &good).await.status, 200);
    }

    /// C02 JOSE-07: the bits of the last character that mean nothing, in header and payload.
    async fn bits_that_mean_nothing_are_zero_in_each_part(env) {
        let (replica, key) = worker(&env).await;
        let mut wrong = Vec::new();
        for blanks in 0..3 {
            let blanks = " ".repeat(blanks);
            let parts = [key.header(&blanks), claims("worker", "1").to_string() + &blanks];
            let [header, payload] = parts.each_ref().map(|part| base64url(part.as_bytes()));
            let signed = |header: &str, payload: &str| {
                let text = format!("{header}.{payload}");
                with(&text, &key.sign_bytes(text.as_bytes()))
            };
            wrong.extend(other_bits(&header).map(|header| signed(&header, &payload)));
            wrong.extend(other_bits(&payload).map(|payload| signed(&header, &payload)));
        }
        assert_eq!(wrong.len(), 4, "of three lengths in a row two have such bits");
        assert_refused(&replica, &wrong).await;
        assert_eq!(token(&replica, &key.sign(&claims("worker", "1"))).await.status, 200);
    }
}
