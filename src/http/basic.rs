//! Reads `Authorization: Basic` as OAuth means it: both halves form-encoded (RFC 6749 section 2.3.1, RFC 7617).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::{Zeroize, Zeroizing};

use super::form_encoding::decode;
use crate::domain::refusal::RequestFault;
use crate::domain::secret_format::Secret;

/// Schemes that a log may name: another word may be a secret without a scheme.
const OTHER_SCHEMES: [&str; 5] = ["Bearer", "DPoP", "Digest", "Negotiate", "NTLM"];

/// What an `Authorization` header says, unverified.
#[derive(Clone, Debug)]
pub enum Authorization {
    /// The scheme Basic.
    Basic {
        /// The user: the `client_id`.
        client_id: String,
        /// The password: the secret.
        secret: Secret,
    },
    /// Any other scheme; its name, where it has one.
    OtherScheme(&'static str),
}

/// Reads the value of one `Authorization` header.
///
/// # Errors
/// The scheme is Basic, in any case, but what follows is not strict padded base64 of two form-encoded texts
/// with a colon between, or holds a NUL.
pub fn parse_authorization(value: &[u8]) -> Result<Authorization, RequestFault> {
    let mut parts = value.splitn(2, |byte| *byte == b' ');
    let scheme = parts.next().unwrap_or_default();
    if !scheme.eq_ignore_ascii_case(b"basic") {
        let is_it = |known: &&str| scheme.eq_ignore_ascii_case(known.as_bytes());
        let name = OTHER_SCHEMES.into_iter().find(is_it);
        return Ok(Authorization::OtherScheme(name.unwrap_or("another one")));
    }
    let encoded = parts.next().unwrap_or_default().trim_ascii_start();
    let (client_id, secret) = credentials(encoded).map_err(RequestFault::BasicEncoding)?;
    Ok(Authorization::Basic { client_id, secret })
}

fn credentials(encoded: &[u8]) -> Result<(String, Secret), &'static str> {
    let decoded = STANDARD
        .decode(encoded)
        .map_err(|_| "no base64 with padding")?;
    let decoded = Zeroizing::new(decoded);
    // Only the first colon parts them: a password may hold more, an encoded `%3A` in the id stays data.
    let mut halves = decoded.splitn(2, |byte| *byte == b':');
    let client_id = half(halves.next())?;
    let secret = half(halves.next())?;
    Ok((client_id, Secret::new(secret)))
}

fn half(encoded: Option<&[u8]>) -> Result<String, &'static str> {
    let encoded = encoded.ok_or("no colon between id and secret")?;
    let mut text =
        decode(encoded).ok_or("a % that begins no escape, or bytes that are no UTF-8")?;
    if text.contains('\0') {
        text.zeroize();
        return Err("a NUL");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::form_encoding::encode;
    use super::*;

    fn basic(user_and_password: &[u8]) -> String {
        format!("Basic {}", STANDARD.encode(user_and_password))
    }

    fn read(value: &str) -> Option<(String, String)> {
        match parse_authorization(value.as_bytes()).unwrap() {
            Authorization::Basic { client_id, secret } => {
                Some((client_id, secret.expose().to_owned()))
            }
            Authorization::OtherScheme(_) => None,
        }
    }

    fn pair(client_id: &str, secret: &str) -> (String, String) {
        (client_id.to_owned(), secret.to_owned())
    }

    fn is_refused(value: &str) -> bool {
        matches!(
            parse_authorization(value.as_bytes()),
            Err(RequestFault::BasicEncoding(_))
        )
    }

    /// The vector of AppAuth-iOS#233, encoded; sent raw it reads as something else (6749-13).
    #[test]
    fn both_halves_are_form_decoded() {
        let (id, secret) = (
            "1PpG/Q 1",
            "z/tZ9VwFZqApmIQ+ZH1I5pLk/uB4ud:X2/8bL+wfFTt1rFw=",
        );
        let encoded = "1PpG%2FQ+1:z%2FtZ9VwFZqApmIQ%2BZH1I5pLk%2FuB4ud%3AX2%2F8bL%2BwfFTt1rFw%3D";
        assert_eq!(read(&basic(encoded.as_bytes())), Some(pair(id, secret)));
        assert_ne!(
            read(&basic(format!("{id}:{secret}").as_bytes())),
            Some(pair(id, secret))
        );
        assert!(is_refused(&basic(b"id:50%")));
    }

    /// 6749-15.
    #[test]
    fn only_the_first_colon_parts_them() {
        assert_eq!(read(&basic(b"id:a:b:c")), Some(pair("id", "a:b:c")));
        assert_eq!(read(&basic(b"urn%3Aid:s")), Some(pair("urn:id", "s")));
    }

    /// 6749-16.
    #[test]
    fn the_scheme_is_read_in_any_case_and_the_rest_strictly() {
        for scheme in ["basic", "BASIC", "Basic", "Basic  "] {
            assert_eq!(
                read(&format!("{scheme} aWQ6cw==")),
                Some(pair("id", "s")),
                "{scheme}"
            );
        }
        for wrong in [
            "Basic",
            "Basic ",
            "Basic !!!!",
            "Basic aWQ6cw",
            "Basic aWQ6cw=",
            "Basic aWQ6cw===",
            "Basic aWQ6cx==",
            "Basic aWQ6cw==x",
            "Basic aWQ6cw== x",
            "Basic aWQ6_-8=",
        ] {
            assert!(is_refused(wrong), "{wrong}");
        }
        let no_pairs: [&[u8]; 6] = [
            b"no-colon",
            b"i\0d:s",
            b"id:s\0",
            b"id:%00",
            b"id:\xff",
            b"id:%FF",
        ];
        for wrong in no_pairs {
            assert!(is_refused(&basic(wrong)), "{wrong:?}");
        }
    }

    /// 6749-22.
    #[test]
    fn other_schemes_are_told_apart() {
        for other in [
            "Digest a=b",
            "Negotiate x",
            "Bearer aWQ6cw==",
            "Basic\taWQ6cw==",
            "",
            "\u{e9}",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    proptest! {
        /// 6749-14.
        #[test]
        fn printable_ascii_comes_back(id in "[ -~]{0,40}", secret in "[ -~]{0,80}") {
            let value = basic(format!("{}:{}", encode(&id), encode(&secret)).as_bytes());
            prop_assert_eq!(read(&value), Some(pair(&id, &secret)));
        }

        #[test]
        fn no_header_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_authorization(&bytes);
            let _ = parse_authorization(basic(&bytes).as_bytes());
        }
    }
}
