//! Compact JWS of any header and payload, also such as nobody should make: what tests send to see it refused.

use aws_lc_rs::hmac;
use serde_json::{Map, Value};

use super::JwsError;
use crate::crypto::digest::{base64url, decode_base64url};
use crate::domain::deviation::SignatureForm;

/// What is written, and what becomes of its signature.
#[derive(Clone, Copy, Debug)]
pub struct Deviant<'a> {
    /// The header, whatever it says.
    pub header: &'a Map<String, Value>,
    /// What is signed, as JSON text.
    pub signed: &'a str,
    /// What is sent in its place.
    pub sent: &'a str,
    /// What is done to the signature.
    pub form: SignatureForm,
}

impl Deviant<'_> {
    /// The compact form; `sign` gives the signature over its input, in base64url.
    ///
    /// # Errors
    /// Where `sign` fails.
    pub fn compact(
        &self,
        sign: impl FnOnce(&str) -> Result<String, JwsError>,
    ) -> Result<String, JwsError> {
        let header = Value::Object(self.header.clone()).to_string();
        let with = |payload: &str| {
            [header.as_str(), payload]
                .map(|part| base64url(part.as_bytes()))
                .join(".")
        };
        let signature = match self.form {
            SignatureForm::Empty => String::new(),
            form => deformed(&sign(&with(self.signed))?, form),
        };
        Ok(format!("{}.{signature}", with(self.sent)))
    }
}

/// HMAC with SHA-256 (RFC 7518 section 3.2) over `input`, in base64url; the secret is the text of a public key.
#[must_use]
pub fn hs256(public_key_pem: &str, input: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, public_key_pem.as_bytes());
    base64url(hmac::sign(&key, input.as_bytes()).as_ref())
}

fn deformed(signature: &str, form: SignatureForm) -> String {
    let mut bytes = decode_base64url(signature).unwrap_or_default();
    match form {
        SignatureForm::Whole | SignatureForm::Empty => {}
        SignatureForm::BitChanged => {
            if let Some(first) = bytes.first_mut() {
                *first ^= 1;
            }
        }
        SignatureForm::Zeros => bytes.fill(0),
        SignatureForm::Der => bytes = der(&bytes),
    }
    base64url(&bytes)
}

/// `ECDSA-Sig-Value` of RFC 3279 section 2.2.3 for the numbers R and S, each in half of the bytes. They are shorter than
/// 128 bytes together, so each length is one byte.
fn der(signature: &[u8]) -> Vec<u8> {
    const SEQUENCE: u8 = 0x30;
    let (r, s) = signature.split_at(signature.len() / 2);
    element(SEQUENCE, [integer(r), integer(s)].concat())
}

/// Without leading zeros, but for one that keeps a number positive.
fn integer(number: &[u8]) -> Vec<u8> {
    const INTEGER: u8 = 0x02;
    let significant = number.iter().skip_while(|byte| **byte == 0);
    let mut bytes: Vec<u8> = significant.copied().collect();
    if bytes.first().is_none_or(|first| *first >= 0x80) {
        bytes.insert(0, 0);
    }
    element(INTEGER, bytes)
}

fn element(tag: u8, content: Vec<u8>) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap_or(u8::MAX);
    [vec![tag, length], content].concat()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
    use serde_json::json;

    use super::*;
    use crate::crypto::compact::CompactJws;
    use crate::crypto::jws::Verifier;
    use crate::crypto::jws::held_key::HeldKey;
    use crate::crypto::public_jwk::PublicJwk;
    use crate::domain::algorithm::SigningAlgorithm;

    fn signature(token: &str) -> Vec<u8> {
        decode_base64url(token.rsplit('.').next().unwrap()).unwrap()
    }

    #[test]
    fn only_the_signature_is_deformed() {
        let held = HeldKey::generate(SigningAlgorithm::Es256).unwrap();
        let verifier = Verifier::new(SigningAlgorithm::Es256, held.key().public()).unwrap();
        let header = json!({ "alg": "ES256", "kid": "k" });
        let made = |form| {
            let deviant = Deviant {
                header: header.as_object().unwrap(),
                signed: r#"{"a":1}"#,
                sent: r#"{"a":1}"#,
                form,
            };
            deviant
                .compact(|input| held.key().sign_input(input))
                .unwrap()
        };
        let whole = made(SignatureForm::Whole);
        let jws = CompactJws::parse(&whole).unwrap();
        assert!(verifier.verify(jws.signing_input(), jws.signature()));
        let (input, _) = whole.rsplit_once('.').unwrap();
        for form in [
            SignatureForm::Empty,
            SignatureForm::BitChanged,
            SignatureForm::Zeros,
            SignatureForm::Der,
        ] {
            let token = made(form);
            assert!(token.starts_with(&format!("{input}.")), "{form:?}");
            assert!(
                !verifier.verify(input.as_bytes(), &signature(&token)),
                "{form:?}"
            );
        }
        assert_eq!(made(SignatureForm::Empty), format!("{input}."));
        assert_eq!(signature(&made(SignatureForm::Zeros)), [0; 64]);
        let PublicJwk::P256 { x, y } = held.key().public() else {
            panic!("another kind of key");
        };
        let point = [&[4], &x[..], &y[..]].concat();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
        let in_der = signature(&made(SignatureForm::Der));
        key.verify(input.as_bytes(), &in_der).unwrap();
    }

    #[test]
    fn der_has_the_shortest_form_of_each_number() {
        let numbers = [[vec![0; 31], vec![0x80]], [vec![0; 30], vec![1, 2]]];
        let signature: Vec<u8> = numbers.concat().concat();
        let expected = [0x30, 8, 2, 2, 0, 0x80, 2, 2, 1, 2];
        assert_eq!(der(&signature), expected);
        assert_eq!(der(&[0; 64]), [0x30, 6, 2, 1, 0, 2, 1, 0]);
    }

    #[test]
    fn what_is_sent_may_differ_from_what_is_signed() {
        let header = json!({ "alg": "HS256" });
        let deviant = Deviant {
            header: header.as_object().unwrap(),
            signed: r#"{"a":1}"#,
            sent: r#"{"a":2}"#,
            form: SignatureForm::Whole,
        };
        let token = deviant
            .compact(|input| Ok(hs256("the public key", input)))
            .unwrap();
        let right = hs256(
            "the public key",
            &format!(
                "{}.{}",
                base64url(header.to_string().as_bytes()),
                base64url(br#"{"a":1}"#)
            ),
        );
        assert!(token.ends_with(&right));
        assert_eq!(CompactJws::parse(&token).unwrap().claims()["a"], 2);
    }
}
