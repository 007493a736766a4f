//! The standards' own examples (RFC 7515 appendix A, RFC 7520 section 4, RFC 7638, RFC 8037 appendix A) against the
//! functions that verify assertions. Those that are beside this code (`crypto::jws`) are not repeated.

use grantd::crypto::client_key::{ClientKey, ClientKeyError};
use grantd::crypto::compact::{CompactError, CompactJws};
use grantd::crypto::digest::decode_base64url;
use grantd::crypto::public_jwk::PublicJwkError;

/// RFC 7520 section 3.3.
const BILBO: &str = r#"{"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","n":"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw","e":"AQAB"}"#;
/// RFC 7520 section 3.1: P-521.
const BILBO_P521: &str = r#"{"kty":"EC","kid":"bilbo.baggins@hobbiton.example","use":"sig","crv":"P-521","x":"AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt","y":"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1"}"#;
/// RFC 7520 section 4: the payload of each example, which is no JSON.
const FRODO: &str = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";
/// RFC 7520 section 4.1: RS256.
const RS256: [&str; 2] = [
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9",
    "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg",
];
/// RFC 7520 section 4.2: PS384.
const PS384: [&str; 2] = [
    "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9",
    "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw",
];
/// RFC 7515 appendix A.4: ES512 and its P-521 key.
const A4_KEY: &str = r#"{"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}"#;
/// RFC 7515 appendix A.5: an unsecured JWS.
const UNSECURED: &str = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
/// RFC 7515 appendix A.1: HS256.
const HS256: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// RFC 7638 section 3.1.
const RFC7638_KEY: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
/// RFC 8037 appendix A.2.
const ED25519_KEY: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// Whether `key` verifies an example of RFC 7520, as `alg`.
fn verifies(key: &ClientKey, alg: &str, [header, signature]: [&str; 2]) -> bool {
    let input = format!("{header}.{FRODO}");
    let signature = decode_base64url(signature).unwrap();
    key.verifier(alg)
        .is_some_and(|verifier| verifier.verify(input.as_bytes(), &signature))
}

#[test]
fn the_cookbooks_rs256_signature_verifies_7520_section_4_1() {
    let key = ClientKey::parse(BILBO).unwrap();
    assert!(key.is_named("bilbo.baggins@hobbiton.example"));
    assert!(verifies(&key, "RS256", RS256));
    assert!(!verifies(&key, "PS256", RS256), "the padding is another");
    assert!(
        !verifies(&key, "RS256", [PS384[0], RS256[1]]),
        "the header is signed, too"
    );
}

#[test]
fn the_cookbooks_ps384_signature_verifies_and_es512_is_none_of_ours_7520_sections_4_2_and_4_3() {
    let key = ClientKey::parse(BILBO).unwrap();
    assert!(verifies(&key, "PS384", PS384));
    for alg in ["RS256", "PS256", "RS384"] {
        assert!(!verifies(&key, alg, PS384), "{alg}");
    }
    for key in [BILBO_P521, A4_KEY] {
        let error = ClientKey::parse(key).unwrap_err();
        assert_eq!(error, ClientKeyError::Key(PublicJwkError::Curve));
    }
}

#[test]
fn a_payload_that_is_no_json_is_no_assertion() {
    let text = format!("{}.{FRODO}.{}", RS256[0], RS256[1]);
    assert!(matches!(
        CompactJws::parse(&text),
        Err(CompactError::Payload(_))
    ));
}

#[test]
fn unsecured_and_symmetric_examples_are_refused_7515_appendices_a_1_and_a_5() {
    assert_eq!(
        CompactJws::parse(UNSECURED).unwrap_err(),
        CompactError::EmptySignature
    );
    let read = CompactJws::parse(HS256).unwrap();
    for key in [BILBO, RFC7638_KEY, ED25519_KEY] {
        assert!(
            ClientKey::parse(key)
                .unwrap()
                .verifier(read.alg())
                .is_none()
        );
    }
    let octets = r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
    assert_eq!(
        ClientKey::parse(octets).unwrap_err(),
        ClientKeyError::Key(PublicJwkError::Private("k"))
    );
}

#[test]
fn a_key_without_kid_is_known_by_the_thumbprint_of_7638_and_8037() {
    let key = ClientKey::parse(RFC7638_KEY).unwrap();
    assert_eq!(
        key.thumbprint(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
    assert_eq!(key.name(), "2011-04-29");
    let key = ClientKey::parse(ED25519_KEY).unwrap();
    assert_eq!(key.name(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}
