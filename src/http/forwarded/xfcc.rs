//! Envoy's `X-Forwarded-Client-Cert`: one element whose `Cert` or `Chain` is PEM in percent-encoding.

use percent_encoding::percent_decode_str;

use super::pairs::{self, Malformed};
use crate::crypto::certificates::CertificateChain;
use crate::crypto::digest::decode_base64url;
use crate::domain::forwarded_fault::ForwardedFault;

/// The chain of the only element; `Chain` has the leaf first, and so it is where both are given. `Hash` (hexadecimal
/// SHA-256 of the leaf) must agree; `By`, `Subject`, `URI` and `DNS` are not needed, as the certificate says that.
///
/// # Errors
/// A [`ForwardedFault`] if the value is not such an element, holds no certificate, or contradicts itself.
pub fn read(value: &[u8]) -> Result<CertificateChain, ForwardedFault> {
    let elements = pairs::elements(value)?;
    let [element] = elements.as_slice() else {
        return Err(match elements.len() {
            0 => ForwardedFault::CertificateHeader,
            _ => ForwardedFault::SeveralElements,
        });
    };
    let leaf = pairs::only(element, "Cert")?.map(pem).transpose()?;
    let chain = pairs::only(element, "Chain")?.map(pem).transpose()?;
    let chain = match (leaf, chain) {
        (Some(leaf), Some(chain)) if leaf.thumbprint() == chain.thumbprint() => chain,
        (Some(_), Some(_)) => return Err(ForwardedFault::Contradiction),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => return Err(ForwardedFault::NoCertificate),
    };
    match pairs::only(element, "Hash")? {
        Some(hash) if !is_hash(hash, chain.thumbprint()) => Err(ForwardedFault::Contradiction),
        _ => Ok(chain),
    }
}

fn pem(encoded: &str) -> Result<CertificateChain, ForwardedFault> {
    let text: Vec<u8> = percent_decode_str(encoded).collect();
    Ok(CertificateChain::from_pem(&text)?)
}

/// Whether hexadecimal text and a thumbprint are the same bytes.
fn is_hash(hexadecimal: &str, thumbprint: &str) -> bool {
    let bytes = decode_base64url(thumbprint).unwrap_or_default();
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let given = hexadecimal.chars().map(|digit| digit.to_digit(16));
    digits.map(|digit| Some(u32::from(digit))).eq(given)
}

impl From<Malformed> for ForwardedFault {
    fn from(_: Malformed) -> Self {
        Self::CertificateHeader
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::certificate_fault::CertificateFault;

    const LEAF: &str = include_str!("../../crypto/certificates/testdata/rsa2048.pem");
    const OTHER: &str = include_str!("../../crypto/certificates/testdata/pss.pem");

    /// PEM as Envoy encodes it.
    fn encoded(pem: &str) -> String {
        let escapes = [
            (" ", "%20"),
            ("\n", "%0A"),
            ("+", "%2B"),
            ("/", "%2F"),
            ("=", "%3D"),
        ];
        escapes
            .iter()
            .fold(pem.to_owned(), |text, (from, to)| text.replace(from, to))
    }

    fn thumbprint(pem: &str) -> String {
        CertificateChain::from_pem(pem.as_bytes())
            .unwrap()
            .thumbprint()
            .to_owned()
    }

    fn envoys_hash(pem: &str) -> String {
        let bytes = decode_base64url(&thumbprint(pem)).unwrap();
        bytes
            .iter()
            .fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"))
    }

    #[test]
    fn an_element_is_read_as_envoy_writes_it() {
        let (leaf, other) = (encoded(LEAF), encoded(OTHER));
        let hash = envoys_hash(LEAF);
        for value in [
            format!(
                "By=http://frontend;Hash={hash};Cert=\"{leaf}\";Subject=\"/C=US/CN=a, b\";URI=spiffe://a/b"
            ),
            format!("Cert=\"{leaf}\""),
            format!("cert={leaf}"),
            format!("Hash={};Chain=\"{leaf}{other}\"", hash.to_uppercase()),
            format!("Cert=\"{leaf}\";Chain=\"{leaf}{other}\""),
        ] {
            let chain = read(value.as_bytes()).unwrap();
            assert_eq!(chain.thumbprint(), thumbprint(LEAF), "{value}");
            assert_eq!(
                chain.number(),
                1 + usize::from(value.contains("Chain")),
                "{value}"
            );
        }
    }

    #[test]
    fn contradictions_and_gaps_are_faults() {
        use ForwardedFault as F;
        let unreadable = F::Certificate(CertificateFault::Unreadable);
        let (leaf, other) = (encoded(LEAF), encoded(OTHER));
        let hash = envoys_hash(OTHER);
        for (value, expected) in [
            (String::new(), F::CertificateHeader),
            (format!("Cert={leaf},Cert={leaf}"), F::SeveralElements),
            (format!("Cert={leaf};Cert={leaf}"), F::CertificateHeader),
            (format!("Cert={leaf};cert={other}"), F::CertificateHeader),
            (format!("By=a;Hash={hash}"), F::NoCertificate),
            ("Cert=\"\"".to_owned(), unreadable.clone()),
            ("Cert=garbage".to_owned(), unreadable.clone()),
            (
                format!("Cert={}", encoded(LEAF).replace("MII", "MIJ")),
                unreadable,
            ),
            (format!("Cert=\"{leaf}"), F::CertificateHeader),
            (format!("Cert={leaf};Hash={hash}"), F::Contradiction),
            (format!("Cert={leaf};Hash="), F::Contradiction),
            (format!("Cert={leaf};Chain={other}{leaf}"), F::Contradiction),
        ] {
            assert_eq!(read(value.as_bytes()).unwrap_err(), expected, "{value}");
        }
    }
}
