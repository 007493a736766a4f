//! Reads registered subject names of certificates (RFC 8705 section 2.1.2), and refuses those that no certificate can
//! have.

use std::net::IpAddr;

use crate::config::fault::Problem;
use crate::domain::credential::{SubjectKind, SubjectName};
use crate::domain::distinguished_name::DistinguishedName;
use crate::domain::issuer_url::{has_spiffe_scheme, trust_domain_of};

/// What a URI of the scheme spiffe must be.
const SPIFFE_ID: &str = "the SPIFFE ID of a workload, spiffe://TRUST-DOMAIN/PATH: the trust domain in small letters, without a \
    port, and a path whose parts have letters, digits, '.', '-' and '_' and are not empty, \".\" or \"..\"; no CA vouches for \
    another URI of this scheme";

/// The subject name of `kind`.
pub(super) fn read(kind: SubjectKind, value: String) -> Result<SubjectName, Problem> {
    let visible = (1..=1024).contains(&value.len()) && !value.chars().any(char::is_control);
    let (fits, expected) = match kind {
        SubjectKind::Dn => (
            DistinguishedName::parse(&value).is_ok(),
            "a distinguished name of RFC 4514 as `openssl x509 -noout -subject -nameopt RFC2253` prints it, for example \
             CN=ledger,O=Example",
        ),
        SubjectKind::Dns => (
            is_dns_name(&value),
            "a DNS name without wildcard, and without a dot at its end",
        ),
        SubjectKind::Uri if has_spiffe_scheme(&value) => {
            (trust_domain_of(&value).is_some(), SPIFFE_ID)
        }
        SubjectKind::Uri => (
            fluent_uri::Uri::parse(value.as_str()).is_ok(),
            "an absolute URI, for example spiffe://example.org/job",
        ),
        SubjectKind::Ip => (value.parse::<IpAddr>().is_ok(), "an IP address"),
        SubjectKind::Email => (is_mailbox(&value), "an e-mail address in ASCII"),
    };
    if visible && fits {
        Ok(SubjectName { kind, value })
    } else {
        Err(Problem::Expected(expected))
    }
}

/// A name as certificates hold it (RFC 5280 section 4.2.1.6): labels of 1 to 63 characters, the root's not among them.
/// An underscore is not in RFC 1034, but in use.
fn is_dns_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(plain);
    name.len() <= 253 && name.split('.').all(is_label)
}

/// `local@host`, which a certificate holds as IA5 (RFC 5280 section 4.2.1.6).
fn is_mailbox(text: &str) -> bool {
    let is_ascii = text.bytes().all(|byte| byte.is_ascii_graphic());
    is_ascii
        && text
            .rsplit_once('@')
            .is_some_and(|(local, host)| !local.is_empty() && !host.is_empty())
}
