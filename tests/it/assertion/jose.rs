//! Assertions whose form, header or encoding is wrong (RFC 7515, RFC 8725): no claim of theirs counts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use grantd::crypto::digest::base64url;
use serde_json::{Value, json};

use super::signer::{Key, assert_refused, claims, token, worker};
use crate::harness::{API, ISSUER, on_both};

/// An assertion that is right but for these further members of its header.
fn with_header(key: &Key, more: &str) -> String {
    key.sign_raw(&key.header(more), &claims("worker", "1").to_string())
}

/// The claims as text with `member` before or after them.
fn with_member(member: &str, before: bool) -> String {
    let text = claims("worker", "1").to_string();
    let inner = &text[1..text.len() - 1];
    if before {
        format!("{{{member},{inner}}}")
    } else {
        format!("{{{inner},{member}}}")
    }
}

fn parts(assertion: &str) -> [&str; 3] {
    assertion.split('.').collect::<Vec<_>>().try_into().unwrap()
}

/// The same 64 octets, written with one of the four bits set that mean nothing.
fn with_trailing_bits(assertion: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = assertion.split_at(assertion.len() - 1);
    let value = ALPHABET.find(last).unwrap();
    assert_eq!(value % 16, 0, "canonical");
    format!("{rest}{}", &ALPHABET[value + 1..value + 2])
}

on_both! {
    /// JOSE-05 B-J08
    async fn no_critical_extension_is_understood(env) {
        let (replica, key) = worker(&env).await;
        let wrong = [
            r#","crit":["exp"]"#,
            r#","crit":["exp"],"exp":1"#,
            r#","crit":[]"#,
            r#","crit":"exp""#,
            r#","crit":null"#,
            r#","crit":{}"#,
            r#","crit":["unknown"],"unknown":1"#,
            r#","crit":["unknown","unknown"],"unknown":1"#,
            r#","crit":["b64"],"b64":false"#,
            r#","b64":false"#,
            r#","b64":true"#,
        ];
        assert_refused(&replica, &wrong.map(|more| with_header(&key, more))).await;
        assert_eq!(token(&replica, &with_header(&key, r#","unknown":1"#)).await.status, 200);
    }

    /// JOSE-06 B-J12
    async fn no_member_of_header_or_claims_stands_twice(env) {
        let (replica, key) = worker(&env).await;
        let mut wrong: Vec<String> = [
            format!(r#","kid":"{}""#, key.kid()),
            r#","kid":"other""#.to_owned(),
            r#","alg":"ES256""#.to_owned(),
            r#","alg":"none""#.to_owned(),
            r#","typ":"JWT","typ":"JWT""#.to_owned(),
            r#","x":{"a":1,"a":1}"#.to_owned(),
        ]
        .iter()
        .map(|more| with_header(&key, more))
        .collect();
        for member in [
            r#""sub":"reader""#,
            r#""sub":"worker""#,
            r#""s\u0075b":"reader""#,
            r#""iss":"reader""#,
            r#""aud":"https://evil.example""#,
            r#""aud":"https://auth.example""#,
            r#""exp":1767225660"#,
            r#""exp":1"#,
            r#""jti":"2""#,
            r#""iat":1767225600"#,
            r#""x":[{"a":1,"a":2}]"#,
        ] {
            wrong.push(key.sign_raw(&key.header(""), &with_member(member, true)));
            wrong.push(key.sign_raw(&key.header(""), &with_member(member, false)));
        }
        assert_refused(&replica, &wrong).await;
        let good = key.sign_raw(&key.header(""), &with_member(r#""x":[{"a":1},{"a":2}]"#, true));
        assert_eq!(token(&replica, &good).await.status, 200);
    }

    /// JOSE-07 B-J09: RFC 7515 section 7.1 and nothing beside it.
    async fn only_the_compact_serialization_is_read(env) {
        let (replica, key) = worker(&env).await;
        let good = with_header(&key, "");
        let [header, payload, signature] = parts(&good);
        let flattened =
            json!({ "protected": header, "payload": payload, "signature": signature });
        let general = json!({
            "payload": payload, "signatures": [{ "protected": header, "signature": signature }],
        });
        let polyglot = json!({
            good.as_str(): "", "protected": header, "payload": payload, "signature": signature,
        });
        assert_refused(&replica, &[
            flattened.to_string(),
            general.to_string(),
            polyglot.to_string(),
            format!("{{\"{header}.{payload}.\":\"\",\"x\":\"{signature}\"}}"),
            format!("{header}.{payload}"),
            format!("{good}.{signature}"),
            format!("{good}."),
            format!(".{good}"),
            format!("{header}..{signature}"),
            format!(".{payload}.{signature}"),
            format!("{header}.{payload}."),
            format!(" {good}"),
            format!("{good} "),
            format!("{good}\n"),
            format!("{header}. {payload}.{signature}"),
            format!("{header}.{payload}\n.{signature}"),
            format!("{good}\0"),
            format!("\u{feff}{good}"),
            good.replace('.', "\u{3002}"),
            format!("Bearer {good}"),
        ]).await;
        assert_eq!(token(&replica, &good).await.status, 200);
    }

    /// B-J16: what counts is the `jti`, and a text has one way to be written.
    async fn a_used_assertion_written_in_another_way_is_refused(env) {
        let (replica, key) = worker(&env).await;
        let good = with_header(&key, "");
        assert_eq!(token(&replica, &good).await.status, 200);
        let [header, payload, signature] = parts(&good);
        assert_refused(&replica, &[
            good.clone(),
            with_trailing_bits(&good),
            format!("{good}="),
            format!("{good}=="),
            format!("{header}=.{payload}.{signature}"),
            format!("{header}.{payload}=.{signature}"),
            format!("{good}\n"),
            format!("{good}\r\n"),
        ]).await;
    }

    /// JOSE-07: each of these says the same as an assertion that was never used, so nothing but its form is wrong.
    async fn an_encoding_that_is_not_canonical_is_refused(env) {
        let (replica, key) = worker(&env).await;
        let good = (0..1000)
            .map(|number| key.sign(&claims("worker", &number.to_string())))
            .find(|text| text.rsplit('.').next().unwrap().contains(['-', '_']))
            .unwrap();
        let standard = |part: &str| part.replace('-', "+").replace('_', "/");
        let [header, payload, signature] = parts(&good);
        let padded = base64::engine::general_purpose::URL_SAFE.encode([0; 64]);
        assert!(padded.ends_with("=="));
        assert_refused(&replica, &[
            with_trailing_bits(&good),
            format!("{header}.{payload}.{}", standard(signature)),
            format!("{good}=="),
            format!("{header}.{payload}.{}", signature.to_uppercase()),
        ]).await;
        // Signed over a text in the other alphabet: the signature is right, the encoding is not.
        let odd = json!({ "alg": "ES256", "kid": key.kid(), "x": "\u{fb}\u{ff}~~~???>>>" });
        let odd = STANDARD_NO_PAD.encode(odd.to_string());
        assert!(odd.contains(['+', '/']), "{odd}");
        let input = format!("{odd}.{payload}");
        let other = format!("{input}.{}", base64url(&key.sign_bytes(input.as_bytes())));
        assert_refused(&replica, &[other]).await;
        assert_eq!(token(&replica, &good).await.status, 200);
    }

    /// JOSE-13 B-J01
    async fn an_algorithm_is_one_of_ours_to_the_letter(env) {
        let (replica, key) = worker(&env).await;
        let text = claims("worker", "1").to_string();
        let mut wrong = Vec::new();
        for alg in [
            r#""none""#, r#""None""#, r#""nOnE""#, r#""NONE""#, r#""""#, r#""es256""#, r#""Es256""#,
            r#""ES256 ""#, r#"" ES256""#, r#""ES256K""#, r#""ES384""#, r#""ES512""#, r#""RS256""#,
            r#""PS256""#, r#""rs256""#, r#""EdDSA""#, r#""HS256""#, r#""RS1""#, "null", "1",
            r#"["ES256"]"#, "{}",
        ] {
            let header = format!(r#"{{"alg":{alg},"kid":"{}"}}"#, key.kid());
            let signed = key.sign_raw(&header, &text);
            let (input, _) = signed.rsplit_once('.').unwrap();
            wrong.push(format!("{input}."));
            wrong.push(format!("{input}.{}", base64url(&[0; 64])));
            wrong.push(signed);
        }
        wrong.push(key.sign_raw(&format!(r#"{{"kid":"{}"}}"#, key.kid()), &text));
        wrong.push(key.sign_raw(r#"{"typ":"JWT"}"#, &text));
        let unsigned = wrong[0].clone();
        assert_refused(&replica, &wrong).await;
        let answer = replica.introspect("api", API, &unsigned).await;
        assert_eq!(answer.json(), json!({ "active": false }));
        assert_eq!(token(&replica, &with_header(&key, "")).await.status, 200);
    }

    /// B-J11 8725-02: what is encrypted is refused before anything is decrypted or inflated.
    async fn nothing_encrypted_is_read(env) {
        let (replica, key) = worker(&env).await;
        let signed = with_header(&key, "");
        let five = |header: &Value| {
            let part = base64url(&[7; 100]);
            format!("{}.{part}.{part}.{}.{part}", base64url(header.to_string().as_bytes()), base64url(signed.as_bytes()))
        };
        assert_refused(&replica, &[
            five(&json!({ "alg": "RSA-OAEP", "enc": "A128GCM" })),
            five(&json!({ "alg": "dir", "enc": "A128GCM", "zip": "DEF" })),
            five(&json!({
                "alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2s": "AAAA", "p2c": 2_147_483_647,
            })),
            five(&json!({ "alg": "ES256", "kid": key.kid(), "cty": "JWT" })),
            with_header(&key, r#","enc":"A128GCM""#),
            with_header(&key, r#","zip":"DEF""#),
            with_header(&key, r#","alg":"dir","enc":"A128GCM","zip":"DEF""#),
        ]).await;
        assert_eq!(token(&replica, &signed).await.status, 200);
    }

    /// 8725-01: an explicit type of something else, or none of text, is no client assertion.
    async fn another_type_of_jwt_is_refused(env) {
        let (replica, key) = worker(&env).await;
        let wrong = [
            r#""at+jwt""#, r#""application/at+jwt""#, r#""dpop+jwt""#, r#""token-introspection+jwt""#,
            r#""secevent+jwt""#, r#""jwt""#, r#""JOSE""#, r#""""#, "null", "1", r#"["JWT"]"#,
        ];
        let wrong = wrong.map(|typ| with_header(&key, &format!(r#","typ":{typ}"#)));
        assert_refused(&replica, &wrong).await;
        for (index, typ) in
            ["JWT", "client-authentication+jwt", "application/client-authentication+jwt"]
                .iter()
                .enumerate()
        {
            let header = key.header(&format!(r#","typ":"{typ}","aud":"{ISSUER}""#));
            let good = key.sign_raw(&header, &claims("worker", &index.to_string()).to_string());
            assert_eq!(token(&replica, &good).await.status, 200, "{typ}");
        }
    }
}
