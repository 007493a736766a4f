//! The JWS compact serialization (RFC 7515 sections 3.1 and 7.1), read strictly and not yet verified.

use std::fmt;

use serde_json::{Map, Value};

use super::digest::decode_base64url;
use super::strict_json::{StrictJsonError, parse_object};

/// The longest compact JWS that is looked at, in bytes.
pub const MAX_LENGTH: usize = 16 * 1024;

/// Why a text is not a compact JWS that grantd accepts. It never repeats the text.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompactError {
    /// Longer than [`MAX_LENGTH`].
    #[error("longer than {MAX_LENGTH} bytes")]
    TooLong,
    #[error("not three parts separated by dots")]
    PartCount,
    #[error("the header is empty")]
    EmptyHeader,
    /// No payload: a detached one (RFC 7515 appendix F) is not read.
    #[error("the payload is empty or detached")]
    EmptyPayload,
    #[error("the signature is empty")]
    EmptySignature,
    #[error("the header is not base64url")]
    HeaderEncoding,
    #[error("the payload is not base64url")]
    PayloadEncoding,
    #[error("the signature is not base64url")]
    SignatureEncoding,
    #[error("the header is {0}")]
    Header(StrictJsonError),
    #[error("the payload is {0}")]
    Payload(StrictJsonError),
    #[error("`alg` is absent, empty or not a string")]
    Alg,
    #[error("`kid` is not a string")]
    Kid,
    #[error("`typ` is not a string")]
    Typ,
    /// `crit` (RFC 7515 section 4.1.11): no extension is understood, and an empty list is not valid.
    #[error("`crit` asks for extensions, and none is supported")]
    Crit,
    /// `b64` (RFC 7797).
    #[error("`b64` is not supported")]
    B64,
    /// `zip`: belongs to JWE.
    #[error("`zip` is for encrypted tokens")]
    Zip,
    /// `enc`: belongs to JWE.
    #[error("`enc` is for encrypted tokens")]
    Enc,
}

/// A JWS whose form is right; nothing says yet that its signature is. Its payload is read as claims, or left as the
/// octets that it is.
pub struct CompactJws<P = Map<String, Value>> {
    text: String,
    /// Where the signing input ends.
    second_dot: usize,
    header: Map<String, Value>,
    payload: P,
    signature: Vec<u8>,
}

impl CompactJws {
    /// Reads `text`, whose payload is a JSON object.
    ///
    /// # Errors
    /// One variant per fault (JOSE-05, JOSE-06, JOSE-07).
    pub fn parse(text: &str) -> Result<Self, CompactError> {
        let jws = CompactJws::parse_any_payload(text)?;
        Ok(Self {
            text: jws.text,
            second_dot: jws.second_dot,
            header: jws.header,
            payload: parse_object(&jws.payload).map_err(CompactError::Payload)?,
            signature: jws.signature,
        })
    }

    /// The payload: what the sender claims.
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.payload
    }

    /// The same, by value.
    #[must_use]
    pub fn into_claims(self) -> Map<String, Value> {
        self.payload
    }
}

impl CompactJws<Vec<u8>> {
    /// Reads `text`, whatever its payload says.
    ///
    /// # Errors
    /// As [`CompactJws::parse`], but for what the payload holds.
    pub fn parse_any_payload(text: &str) -> Result<Self, CompactError> {
        let (header, payload, signature) = parts(text)?;
        let header = decode_base64url(header).ok_or(CompactError::HeaderEncoding)?;
        let header = parse_object(&header).map_err(CompactError::Header)?;
        check_header(&header)?;
        let payload = decode_base64url(payload).ok_or(CompactError::PayloadEncoding)?;
        let second_dot = text.len() - signature.len() - 1;
        let signature = decode_base64url(signature).ok_or(CompactError::SignatureEncoding)?;
        Ok(Self {
            text: text.to_owned(),
            second_dot,
            header,
            payload,
            signature,
        })
    }
}

impl<P> CompactJws<P> {
    /// `alg`, as the sender wrote it.
    #[must_use]
    pub fn alg(&self) -> &str {
        self.header_text("alg").unwrap_or_default()
    }

    /// `kid`, where there is one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header_text("kid")
    }

    /// `typ`, where there is one.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.header_text("typ")
    }

    /// The whole header.
    #[must_use]
    pub const fn header(&self) -> &Map<String, Value> {
        &self.header
    }

    /// What is signed: header, dot and payload as they came.
    #[must_use]
    pub fn signing_input(&self) -> &[u8] {
        self.text
            .as_bytes()
            .get(..self.second_dot)
            .unwrap_or_default()
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    fn header_text(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }
}

impl<P> fmt::Debug for CompactJws<P> {
    /// Shows nothing of it: it may be a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CompactJws(hidden)")
    }
}

fn parts(text: &str) -> Result<(&str, &str, &str), CompactError> {
    if text.len() > MAX_LENGTH {
        return Err(CompactError::TooLong);
    }
    let mut parts = text.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(CompactError::PartCount);
    };
    match (header, payload, signature) {
        ("", _, _) => Err(CompactError::EmptyHeader),
        (_, "", _) => Err(CompactError::EmptyPayload),
        (_, _, "") => Err(CompactError::EmptySignature),
        found => Ok(found),
    }
}

fn check_header(header: &Map<String, Value>) -> Result<(), CompactError> {
    let refused = [
        ("crit", CompactError::Crit),
        ("b64", CompactError::B64),
        ("zip", CompactError::Zip),
        ("enc", CompactError::Enc),
    ];
    if let Some((_, error)) = refused
        .into_iter()
        .find(|(name, _)| header.contains_key(*name))
    {
        return Err(error);
    }
    let not_text = |name| header.get(name).is_some_and(|value| !value.is_string());
    let alg = header.get("alg").and_then(Value::as_str);
    if alg.is_none_or(str::is_empty) {
        return Err(CompactError::Alg);
    }
    if not_text("kid") {
        return Err(CompactError::Kid);
    }
    if not_text("typ") {
        return Err(CompactError::Typ);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::crypto::digest::base64url;

    fn jws(header: &str, payload: &str) -> String {
        format!(
            "{}.{}.c2ln",
            base64url(header.as_bytes()),
            base64url(payload.as_bytes())
        )
    }

    fn fault(text: &str) -> CompactError {
        CompactJws::parse(text).unwrap_err()
    }

    #[test]
    fn the_parts_are_read() {
        let text = jws(
            r#"{"alg":"ES256","kid":"k","typ":"at+jwt"}"#,
            r#"{"sub":"a"}"#,
        );
        let read = CompactJws::parse(&text).unwrap();
        assert_eq!(
            (read.alg(), read.kid(), read.typ()),
            ("ES256", Some("k"), Some("at+jwt"))
        );
        assert_eq!(read.claims()["sub"], "a");
        assert_eq!(read.header().len(), 3);
        assert_eq!(read.signature(), b"sig");
        assert_eq!(
            read.signing_input(),
            text.strip_suffix(".c2ln").unwrap().as_bytes()
        );
        assert_eq!(format!("{read:?}"), "CompactJws(hidden)");
    }

    /// JOSE-07.
    #[test]
    fn only_the_compact_serialization_is_read() {
        let good = jws(r#"{"alg":"ES256"}"#, "{}");
        let [header, payload] = [0, 1].map(|part| good.split('.').nth(part).unwrap());
        for wrong in [
            "",
            "a.b",
            r#"{"payload":"","signatures":[]}"#,
            &format!("{good}."),
            &format!("{good}.x.y"),
        ] {
            assert_eq!(fault(wrong), CompactError::PartCount, "{wrong}");
        }
        assert_eq!(
            fault(&format!(".{payload}.c2ln")),
            CompactError::EmptyHeader
        );
        assert_eq!(
            fault(&format!("{header}..c2ln")),
            CompactError::EmptyPayload
        );
        assert_eq!(
            fault(&format!("{header}.{payload}.")),
            CompactError::EmptySignature
        );
        assert_eq!(fault(&format!(" {good}")), CompactError::HeaderEncoding);
        assert_eq!(
            fault(&format!("{header}=.{payload}.c2ln")),
            CompactError::HeaderEncoding
        );
        assert_eq!(
            fault(&format!("{header}.e3=.c2ln")),
            CompactError::PayloadEncoding
        );
        assert_eq!(
            fault(&format!("{header}.e31.c2ln")),
            CompactError::PayloadEncoding
        );
        for signature in ["c2l", "c2ln\n", "c2ln=", "c2l+", "YR"] {
            let text = format!("{header}.{payload}.{signature}");
            assert_eq!(fault(&text), CompactError::SignatureEncoding, "{signature}");
        }
        assert_eq!(fault(&"a".repeat(MAX_LENGTH + 1)), CompactError::TooLong);
    }

    /// JOSE-05.
    #[test]
    fn any_crit_is_refused() {
        for crit in [
            "[]",
            r#"["exp"]"#,
            r#"["unknown"]"#,
            "null",
            "true",
            r#""exp""#,
        ] {
            let header = format!(r#"{{"alg":"ES256","crit":{crit}}}"#);
            assert_eq!(fault(&jws(&header, "{}")), CompactError::Crit, "{crit}");
        }
        let header = r#"{"alg":"ES256","crit":["b64"],"b64":false}"#;
        assert_eq!(fault(&jws(header, "{}")), CompactError::Crit);
    }

    #[test]
    fn a_header_is_strict() {
        let cases = [
            ("{}", CompactError::Alg),
            (r#"{"alg":null}"#, CompactError::Alg),
            (r#"{"alg":""}"#, CompactError::Alg),
            (r#"{"alg":["ES256"]}"#, CompactError::Alg),
            (r#"{"alg":"ES256","kid":1}"#, CompactError::Kid),
            (r#"{"alg":"ES256","kid":null}"#, CompactError::Kid),
            (r#"{"alg":"ES256","typ":{}}"#, CompactError::Typ),
            (r#"{"alg":"ES256","b64":true}"#, CompactError::B64),
            (r#"{"alg":"ES256","zip":"DEF"}"#, CompactError::Zip),
            (r#"{"alg":"ES256","enc":"A128GCM"}"#, CompactError::Enc),
            ("[]", CompactError::Header(StrictJsonError::NotAnObject)),
            (
                r#"{"alg":"a"}x"#,
                CompactError::Header(StrictJsonError::Syntax),
            ),
            // JOSE-06.
            (
                r#"{"alg":"a","alg":"a"}"#,
                CompactError::Header(StrictJsonError::DuplicateMember),
            ),
        ];
        for (header, expected) in cases {
            assert_eq!(fault(&jws(header, "{}")), expected, "{header}");
        }
    }

    /// JOSE-06.
    #[test]
    fn a_claim_may_not_stand_twice() {
        let text = jws(r#"{"alg":"ES256"}"#, r#"{"sub":"a","sub":"b"}"#);
        assert_eq!(
            fault(&text),
            CompactError::Payload(StrictJsonError::DuplicateMember)
        );
        let text = jws(r#"{"alg":"ES256"}"#, r#""sub""#);
        assert_eq!(
            fault(&text),
            CompactError::Payload(StrictJsonError::NotAnObject)
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}") {
            let _ = CompactJws::parse(&text);
        }

        #[test]
        fn no_header_or_payload_makes_it_panic(
            header in "\\{[\\[\\]{}\":,0-9a-z]{0,40}\\}?",
            payload in "\\{[\\[\\]{}\":,0-9a-z]{0,40}\\}?",
        ) {
            let _ = CompactJws::parse(&jws(&header, &payload));
        }
    }
}
