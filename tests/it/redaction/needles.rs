//! The forms in which a mark may be written.

use std::fmt::Write as _;

use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use super::marks::{Kind, Mark};

/// Bytes of a mark that are looked for: enough that nothing else has them.
const LONGEST: usize = 24;

/// One form of a mark.
#[derive(Clone, Debug)]
pub(super) struct Needle {
    pub(super) kind: Kind,
    pub(super) form: &'static str,
    pub(super) text: Vec<u8>,
}

/// How every JWS and every opaque token begins, and every private key of an algorithm of ours, as PKCS #8 and as a JWK.
const BEGINNINGS: [(Kind, &str, &str); 16] = [
    (Kind::Token, "the begin of a JWS", "eyJhbGciOi"),
    (Kind::Token, "the begin of a JWS", "eyJ0eXAiOi"),
    (Kind::Token, "the begin of a JWS", "eyJraWQiOi"),
    (Kind::Token, "the begin of an opaque token", "grantd_at_"),
    (Kind::Key, "PEM", "PRIVATE KEY"),
    (Kind::Key, "a JWK", "\"d\":\""),
    (Kind::Key, "a JWK", "\\\"d\\\":\\\""),
    (Kind::Key, "P-256, base64", "MIGHAgEAMBMGByqGSM49"),
    (Kind::Key, "P-256, hex", "308187020100301306072a8648ce3d"),
    (Kind::Key, "P-256, numbers", "48, 129, 135, 2, 1, 0, 48, 19"),
    (Kind::Key, "Ed25519, base64", "BQYDK2VwBCIE"),
    (Kind::Key, "Ed25519, hex", "06032b65700422"),
    (Kind::Key, "Ed25519, numbers", "6, 3, 43, 101, 112, 4, 34"),
    (Kind::Key, "RSA, base64", "ADANBgkqhkiG9w0BAQEFAASC"),
    (
        Kind::Key,
        "RSA, hex",
        "020100300d06092a864886f70d01010105000482",
    ),
    (Kind::Key, "RSA, numbers", "2, 1, 0, 48, 13, 6, 9, 42, 134"),
];

/// What is looked for whatever was noted.
pub(super) fn beginnings() -> impl Iterator<Item = Needle> {
    let needle = |(kind, form, text): (Kind, &'static str, &str)| Needle {
        kind,
        form,
        text: text.as_bytes().to_vec(),
    };
    BEGINNINGS.into_iter().map(needle)
}

/// What is looked for of a mark.
pub(super) fn looked_for(mark: &[u8]) -> &[u8] {
    mark.get(..LONGEST).unwrap_or(mark)
}

/// Each form of a mark.
pub(super) fn needles(mark: &Mark) -> Vec<Needle> {
    let bytes = looked_for(&mark.bytes);
    let mut needles = vec![("as it is", bytes.to_vec())];
    let mut add = |form: &'static str, text: String| {
        if !needles.iter().any(|(_, it)| it == text.as_bytes()) {
            needles.push((form, text.into_bytes()));
        }
    };
    add("hex", hex(bytes, "", |text, it| write!(text, "{it:02x}")));
    add("hex", hex(bytes, "", |text, it| write!(text, "{it:02X}")));
    add("numbers", hex(bytes, ", ", |text, it| write!(text, "{it}")));
    add("percent-encoded", percent(bytes, |_| true));
    add(
        "percent-encoded",
        percent(bytes, |it| {
            !it.is_ascii_alphanumeric() && !b"-._~".contains(&it)
        }),
    );
    add(
        "form-encoded",
        percent(bytes, |it| {
            !it.is_ascii_alphanumeric() && !b"-._* ".contains(&it)
        })
        .replace(' ', "+"),
    );
    if let Ok(text) = std::str::from_utf8(bytes) {
        add("escaped", text.escape_debug().to_string());
    }
    for shift in 0..3 {
        add("base64", inner(bytes, shift, &STANDARD));
        add("base64url", inner(bytes, shift, &URL_SAFE));
    }
    let needle = |(form, text)| Needle {
        kind: mark.kind,
        form,
        text,
    };
    needles.into_iter().map(needle).collect()
}

fn hex(bytes: &[u8], between: &str, write: impl Fn(&mut String, u8) -> std::fmt::Result) -> String {
    let mut text = String::new();
    for (index, byte) in bytes.iter().enumerate() {
        text.push_str(if index == 0 { "" } else { between });
        write(&mut text, *byte).unwrap();
    }
    text
}

fn percent(bytes: &[u8], is_encoded: impl Fn(u8) -> bool) -> String {
    let mut text = String::new();
    for byte in bytes {
        if is_encoded(*byte) {
            write!(text, "%{byte:02X}").unwrap();
        } else {
            text.push(char::from(*byte));
        }
    }
    text
}

/// The digits of base64 that these bytes alone decide, where `shift` bytes of a group of three stand before them.
fn inner(bytes: &[u8], shift: usize, engine: &impl base64::Engine) -> String {
    let whole = (shift + bytes.len()) / 3 * 3 - shift;
    let padded = [&vec![0; shift], &bytes[..whole]].concat();
    let first = [0, 2, 3][shift];
    engine.encode(padded)[first..].to_owned()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    fn is_found(written: &str, secret: &str) -> bool {
        let mark = Mark {
            kind: Kind::Secret,
            bytes: secret.as_bytes().to_vec(),
        };
        let written = written.as_bytes();
        needles(&mark).iter().any(|it| {
            written
                .windows(it.text.len())
                .any(|window| window == it.text)
        })
    }

    #[test]
    fn a_mark_is_found_in_each_form_that_it_may_have() {
        let secret = "k?J8 v\"x>~/+0123456789abcdefgh";
        for written in [
            format!("the secret {secret} was wrong"),
            format!("{secret:?}"),
            format!("{:?}", secret.as_bytes()),
            serde_json::json!({ "secret": secret }).to_string(),
            hex(secret.as_bytes(), "", |text, it| write!(text, "{it:02X}")),
            format!("client_secret={}", crate::harness::form_encoded(secret)),
            crate::harness::basic_raw(&format!("ab:{secret}")),
            crate::harness::basic_raw(&format!("abc:{secret}")),
            crate::harness::basic_raw(&format!("abcd:{secret}")),
            URL_SAFE.encode(format!("x{secret}")),
            secret
                .bytes()
                .fold(String::new(), |text, it| format!("{text}%{it:02X}")),
        ] {
            assert!(is_found(&written, secret), "{written}");
        }
        assert!(!is_found(
            "the secret k?J8… (30 characters) was wrong",
            secret
        ));
    }
}
