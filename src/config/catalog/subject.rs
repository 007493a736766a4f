//! Reads registered subject names of certificates (RFC 8705 section 2.1.2).

use std::net::IpAddr;

use crate::config::fault::Problem;
use crate::domain::credential::{SubjectKind, SubjectName};
use crate::domain::distinguished_name::DistinguishedName;

/// The subject name of `kind`.
pub(super) fn read(kind: SubjectKind, value: String) -> Result<SubjectName, Problem> {
    let visible = (1..=1024).contains(&value.len()) && !value.chars().any(char::is_control);
    let (fits, expected) = match kind {
        SubjectKind::Dn => (
            DistinguishedName::parse(&value).is_ok(),
            "a distinguished name, for example CN=ledger,O=Example",
        ),
        SubjectKind::Dns => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            (value.bytes().all(plain), "a DNS name without wildcard")
        }
        SubjectKind::Uri => (
            fluent_uri::Uri::parse(value.as_str()).is_ok(),
            "an absolute URI, for example spiffe://example.org/job",
        ),
        SubjectKind::Ip => (value.parse::<IpAddr>().is_ok(), "an IP address"),
        SubjectKind::Email => (value.contains('@') && value.is_ascii(), "an e-mail address"),
    };
    if visible && fits { Ok(SubjectName { kind, value }) } else { Err(Problem::Subject(expected)) }
}
