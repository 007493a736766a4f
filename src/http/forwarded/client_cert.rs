//! `Client-Cert` and `Client-Cert-Chain`, RFC 9440 section 2: DER as byte sequences of structured fields (RFC 9651).

use sfv::{BareItem, Item, List, ListEntry, Parser};

use crate::crypto::certificates::CertificateChain;
use crate::domain::forwarded_fault::ForwardedFault;

/// The header with the certificates between leaf and CA.
pub(super) const CHAIN: &str = "client-cert-chain";

/// The chain that the value of `Client-Cert` and the lines of `Client-Cert-Chain` make.
///
/// # Errors
/// A [`ForwardedFault`] where they are no such fields, or hold more than any chain needs.
pub fn read<'a>(
    leaf: &[u8],
    between: impl Iterator<Item = &'a [u8]>,
) -> Result<CertificateChain, ForwardedFault> {
    let leaf: Item = Parser::new(leaf)
        .parse()
        .map_err(|_| ForwardedFault::CertificateHeader)?;
    let mut certificates = vec![der(ListEntry::Item(leaf))?];
    for line in between {
        let line: List = Parser::new(line)
            .parse()
            .map_err(|_| ForwardedFault::CertificateHeader)?;
        for entry in line {
            certificates.push(der(entry)?);
        }
    }
    Ok(CertificateChain::from_der(certificates)?)
}

/// A byte sequence and nothing beside it.
fn der(entry: ListEntry) -> Result<Vec<u8>, ForwardedFault> {
    match entry {
        ListEntry::Item(Item {
            bare_item: BareItem::ByteSequence(bytes),
            params,
        }) if params.is_empty() => Ok(bytes),
        _ => Err(ForwardedFault::CertificateHeader),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::domain::certificate_fault::CertificateFault;

    fn field(der: &[u8]) -> String {
        format!(":{}:", STANDARD.encode(der))
    }

    /// The base64 within PEM is that of the field.
    fn leaf() -> String {
        let pem = include_str!("../../crypto/certificates/testdata/rsa2048.pem");
        format!(
            ":{}:",
            pem.lines()
                .filter(|line| !line.starts_with('-'))
                .collect::<String>()
        )
    }

    fn read_text(leaf: &str, between: &[&str]) -> Result<CertificateChain, ForwardedFault> {
        read(leaf.as_bytes(), between.iter().map(|line| line.as_bytes()))
    }

    #[test]
    fn the_chain_is_gathered_from_all_lines() {
        let two = format!("{}, {}", field(b"one"), field(b"two"));
        let chain = read_text(&leaf(), &[&two, &field(b"three")]).unwrap();
        assert_eq!(chain.number(), 4);
        assert_eq!(
            chain.thumbprint(),
            read_text(&leaf(), &[]).unwrap().thumbprint()
        );
    }

    #[test]
    fn anything_but_one_byte_sequence_is_no_certificate() {
        let one = leaf();
        let two = format!("{one}, {one}");
        let with_parameter = format!("{one};a=1");
        let bare = one.trim_matches(':');
        for value in [
            "",
            " ",
            "a",
            "1",
            "\"a\"",
            ":",
            ":a",
            "?1",
            ":%%%:",
            "::,",
            bare,
            &two,
            &with_parameter,
        ] {
            let fault = read_text(value, &[]).unwrap_err();
            assert_eq!(fault, ForwardedFault::CertificateHeader, "{value}");
        }
        for line in ["a", "(:YQ==:)", ":YQ==:;a", ":YQ==:,"] {
            let fault = read_text(&one, &[line]).unwrap_err();
            assert_eq!(fault, ForwardedFault::CertificateHeader, "{line}");
        }
    }

    #[test]
    fn the_leaf_is_a_certificate_and_the_chain_is_bounded() {
        let fault = |leaf: &str, between: &[&str]| read_text(leaf, between).unwrap_err();
        let expected = ForwardedFault::Certificate(CertificateFault::Unreadable);
        assert_eq!(fault("::", &[]), expected);
        assert_eq!(fault(&field(b"garbage"), &[]), expected);
        let long = vec![field(b"x"); 10].join(", ");
        let expected = ForwardedFault::Certificate(CertificateFault::TooLarge);
        assert_eq!(fault(&leaf(), &[&long]), expected);
    }
}
