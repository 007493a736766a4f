//! Public keys in PEM form, as OpenSSL prints them (RFC 7468 section 13, RFC 5480, RFC 8410), read into JWKs and written
//! from them.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::signature::RsaPublicKeyComponents;
use pem::{EncodeConfig, LineEnding, Pem};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::public_jwk::{PublicJwk, PublicJwkError};
use super::rsa_weakness::without_zeros;

/// The curves P-256, P-384 and P-521, and the algorithm Ed25519.
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const P521: &str = "1.3.132.0.35";
const ED25519: &str = "1.3.101.112";

/// Why a PEM text has no public keys to register. None says anything of its content.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PemKeyError {
    #[error(
        "this is a private key, which stays with the client; its public half is what \
         `openssl pkey -in FILE -pubout` prints"
    )]
    Private,
    #[error("expected a public key in PEM form (-----BEGIN PUBLIC KEY-----)")]
    NoKey,
    #[error("the public key is not P-256, P-384, P-521, Ed25519 or RSA")]
    Kind,
    #[error(transparent)]
    Key(#[from] PublicJwkError),
}

/// Whether a text is PEM rather than JSON.
#[must_use]
pub fn is_pem(text: &str) -> bool {
    text.contains("-----BEGIN ") && !text.trim_start().starts_with('{')
}

/// The public keys of a PEM text, at least one.
///
/// # Errors
/// See [`PemKeyError`]; a private key anywhere in the text is one.
pub fn public_keys(pem: &str) -> Result<Vec<PublicJwk>, PemKeyError> {
    if pem.contains("PRIVATE KEY-----") {
        return Err(PemKeyError::Private);
    }
    let keys = SubjectPublicKeyInfoDer::pem_slice_iter(pem.as_bytes())
        .map(|der| public_key(&der.map_err(|_| PemKeyError::NoKey)?))
        .collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        Err(PemKeyError::NoKey)
    } else {
        Ok(keys)
    }
}

fn public_key(der: &[u8]) -> Result<PublicJwk, PemKeyError> {
    let Ok(([], info)) = SubjectPublicKeyInfo::from_der(der) else {
        return Err(PemKeyError::NoKey);
    };
    match info.parsed() {
        Ok(PublicKey::RSA(key)) => Ok(PublicJwk::rsa(
            without_zeros(key.modulus).to_vec(),
            without_zeros(key.exponent).to_vec(),
        )?),
        Ok(PublicKey::EC(point)) => {
            on_curve(parameter(&info).as_deref(), point.data()).ok_or(PemKeyError::Kind)
        }
        Ok(PublicKey::Unknown(x)) if info.algorithm.algorithm.to_id_string() == ED25519 => {
            let x = x.try_into().map_err(|_| PemKeyError::Kind)?;
            Ok(PublicJwk::Ed25519 { x })
        }
        _ => Err(PemKeyError::Kind),
    }
}

fn on_curve(curve: Option<&str>, point: &[u8]) -> Option<PublicJwk> {
    match curve? {
        P256 => coordinates(point).map(|(x, y)| PublicJwk::P256 { x, y }),
        P384 => coordinates(point).map(|(x, y)| PublicJwk::P384 { x, y }),
        P521 => coordinates(point).map(|(x, y)| PublicJwk::P521 { x, y }),
        _ => None,
    }
}

/// What stands before the point of a P-256, P-384 or P-521 key (RFC 5480 section 2) and before an Ed25519 key (RFC 8410
/// section 4).
const BEFORE_P256: &[u8] =
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";
const BEFORE_P384: &[u8] =
    b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00\x04";
const BEFORE_P521: &[u8] =
    b"\x30\x81\x9b\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23\x03\x81\x86\x00\x04";
const BEFORE_ED25519: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

/// The key in PEM form, in lines of 64 characters; nothing where AWS-LC takes it for no RSA key.
#[must_use]
pub fn to_pem(key: &PublicJwk) -> Option<String> {
    let der = match key {
        PublicJwk::P256 { x, y } => [BEFORE_P256, x, y].concat(),
        PublicJwk::P384 { x, y } => [BEFORE_P384, x, y].concat(),
        PublicJwk::P521 { x, y } => [BEFORE_P521, x, y].concat(),
        PublicJwk::Ed25519 { x } => [BEFORE_ED25519, x].concat(),
        PublicJwk::Rsa { n, e } => {
            let der = RsaPublicKeyComponents { n, e }.as_der().ok()?;
            der.as_ref().to_vec()
        }
    };
    let lines = EncodeConfig::new().set_line_ending(LineEnding::LF);
    Some(pem::encode_config(&Pem::new("PUBLIC KEY", der), lines))
}

/// The named curve of an EC key.
fn parameter(info: &SubjectPublicKeyInfo<'_>) -> Option<String> {
    let curve = info.algorithm.parameters.as_ref()?.as_oid().ok()?;
    Some(curve.to_id_string())
}

/// The two halves of an uncompressed point.
fn coordinates<const WIDTH: usize>(point: &[u8]) -> Option<([u8; WIDTH], [u8; WIDTH])> {
    let (x, y) = point.strip_prefix(&[4])?.split_at_checked(WIDTH)?;
    Some((x.try_into().ok()?, y.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Each key as Node.js 22 exports it, in PEM form and as JWK.
    const EC: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJcN7m6IXABfyK/q8FTrjLwCiNt3ycH/lIjbghfLYxD5kETYef+cr\
        d4Raiqq2ffz9eMOAm63tVwTIABFQVakj8Q==";
    const EC_JWK: &str = r#"{"kty":"EC","x":"JcN7m6IXABfyK_q8FTrjLwCiNt3ycH_lIjbghfLYxD4",
        "y":"ZBE2Hn_nK3eEWoqqtn38_XjDgJut7VcEyAARUFWpI_E","crv":"P-256"}"#;
    const ED25519: &str = "MCowBQYDK2VwAyEAVgw9AjS+9dCKtZpbOjBgqbmf0BxOop0QPMJw2YrzSy0=";
    const ED25519_JWK: &str =
        r#"{"crv":"Ed25519","x":"Vgw9AjS-9dCKtZpbOjBgqbmf0BxOop0QPMJw2YrzSy0","kty":"OKP"}"#;
    const RSA: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA6hvJy16pkJpEYiM8voQ8Vpm+nf/OerQDzq4ktQipIYq0\
        kdtu3Oc27GEfuttcOv1hN83xmtv8I0iccv1uoEVxdiX48mlUxUHE68mT/U82RyeglPhUQbhEmXWJYDUhubNQAQo+Ut918o1A74KaptTT\
        YxMXwYOv8AIRHb/RWm9EOkCLAUku5egP7YeTiGH8kmDaMh6prTX7LKLpf8Ta5QEOFazWCHNS8oCszHzOJWHJ93tXhKLMpwNSQKBo1DcD\
        tEJnSeod3A65e+tjm+/fri+2snt2l6kZFyjUKZFcLP0g4ckzNYrl75TLHivx7lNC6HmsUFWrp++Q1tdwqY2DuRO/NQIDAQAB";
    const RSA_JWK: &str = concat!(
        r#"{"kty":"RSA","n":"6hvJy16pkJpEYiM8voQ8Vpm-nf_OerQDzq4ktQipIYq0kdtu3Oc27GEfuttcOv1hN83xmtv8I0ic"#,
        "cv1uoEVxdiX48mlUxUHE68mT_U82RyeglPhUQbhEmXWJYDUhubNQAQo-Ut918o1A74KaptTTYxMXwYOv8AIRHb_RWm9EOkCL",
        "AUku5egP7YeTiGH8kmDaMh6prTX7LKLpf8Ta5QEOFazWCHNS8oCszHzOJWHJ93tXhKLMpwNSQKBo1DcDtEJnSeod3A65e-tj",
        r#"m-_fri-2snt2l6kZFyjUKZFcLP0g4ckzNYrl75TLHivx7lNC6HmsUFWrp--Q1tdwqY2DuRO_NQ","e":"AQAB"}"#,
    );
    /// 2047 bits, which fill as many octets as 2048.
    const SHORT_RSA: &str = "MIIBITANBgkqhkiG9w0BAQEFAAOCAQ4AMIIBCQKCAQBOzBUFFMVdej0O/1TG3C2RWC3Tlhun9l+FmMJFLEhP\
        D3T1AFBqEi6r2GwBoEwHHNbS1opcSoJ5QApUmuwkBPFSoM+aUkAdY6irXalVNPAUCj1PAUG72xgmAQNlWNR5us101X7z5fUPopsaKWsU\
        12kdUZigkcPpsgZTZYT8/mYkWcp+UB3kZ0/ZTfLYpiBafsyUEZdnAt9WbLZZ9N8LOg01LS7gkzrhBDB2rAVpnSaO5IrdBTpThaede+dM\
        NtH4wmHKamVpGwjPPr0U+/7u2sXvbcoboyy18SPQ1n7wuMjYQ0HD2OnKJLeEvWgSLyfHBJQ93VnVIze7Iis2tlYWFtEDAgMBAAE=";
    const ON_P384: &str = "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEDjYovgkj38umQR4TQcOr4zcNHOG25gFbvif7jQAw1MR9P20wfk08bInS\
        ACDnqhoOwDGiZ2iNWa1TL/+Evr9KTI5zRu21Tny6Z2aVZGUxcmL8QyPaIwH/bhNKWt+dXIeI";
    const ON_P384_JWK: &str = r#"{"kty":"EC","x":"DjYovgkj38umQR4TQcOr4zcNHOG25gFbvif7jQAw1MR9P20wfk08bInSACDnqhoO",
        "y":"wDGiZ2iNWa1TL_-Evr9KTI5zRu21Tny6Z2aVZGUxcmL8QyPaIwH_bhNKWt-dXIeI","crv":"P-384"}"#;

    /// A point of the same width on another curve.
    const SECP256K1: &str = "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEWHzPyJoJkLhpgnW86nW4qwzqVSzEFe63oxX+d/X2xFmKXlov\
        zZiYszZeYQ8ySyFfQf5T9zY+MEMhVCqt5qNvdw==";

    fn pem(label: &str, body: &str) -> String {
        let lines: Vec<&str> = (0..body.len())
            .step_by(64)
            .map(|at| &body[at..body.len().min(at + 64)])
            .collect();
        format!(
            "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
            lines.join("\n")
        )
    }

    #[test]
    fn a_public_key_is_the_same_in_pem_form_and_as_jwk() {
        let mut all = "Key: first\n".to_owned();
        let mut jwks = Vec::new();
        for (body, jwk) in [
            (EC, EC_JWK),
            (ON_P384, ON_P384_JWK),
            (ED25519, ED25519_JWK),
            (RSA, RSA_JWK),
        ] {
            let text = pem("PUBLIC KEY", body);
            assert!(is_pem(&text) && !is_pem(jwk));
            let jwk = PublicJwk::parse(jwk).unwrap();
            assert_eq!(public_keys(&text).unwrap(), std::slice::from_ref(&jwk));
            assert_eq!(to_pem(&jwk).as_ref(), Some(&text));
            all.push_str(&text);
            jwks.push(jwk);
        }
        assert_eq!(public_keys(&all).unwrap(), jwks);
    }

    #[test]
    fn nothing_else_is_a_public_key() {
        let public = |body| pem("PUBLIC KEY", body);
        let cut = &EC[..EC.len() - 8];
        for (text, error) in [
            (pem("PRIVATE KEY", EC), PemKeyError::Private),
            (
                public(EC) + &pem("EC PRIVATE KEY", EC),
                PemKeyError::Private,
            ),
            (pem("ENCRYPTED PRIVATE KEY", EC), PemKeyError::Private),
            (pem("CERTIFICATE", EC), PemKeyError::NoKey),
            (
                public(EC).replace("-----END PUBLIC KEY-----", ""),
                PemKeyError::NoKey,
            ),
            (public("****"), PemKeyError::NoKey),
            (public(cut), PemKeyError::NoKey),
            (public(EC) + &public(cut), PemKeyError::NoKey),
            (public(SECP256K1), PemKeyError::Kind),
            (
                public(SHORT_RSA),
                PemKeyError::Key(PublicJwkError::ModulusSize),
            ),
        ] {
            assert_eq!(public_keys(&text), Err(error), "{text}");
        }
    }
}
