//! Compares the subject of a certificate with a registered one (RFC 8705 section 2.1.2).

use std::net::IpAddr;

use x509_parser::asn1_rs::ToDer as _;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::x509::AttributeTypeAndValue;

use crate::domain::certificate_fault::CertificateFault;
use crate::domain::credential::{SubjectKind, SubjectName, is_same_mailbox};
use crate::domain::distinguished_name::{Attribute, AttributeValue, DistinguishedName};

/// Whether `leaf` bears the subject that is registered. Names are compared as structures; a common name is never
/// taken for a DNS name, and a wildcard is a name like any other.
pub(super) fn bears(
    leaf: &X509Certificate<'_>,
    registered: &SubjectName,
) -> Result<bool, CertificateFault> {
    if registered.kind == SubjectKind::Dn {
        let name = DistinguishedName::parse(&registered.value)
            .map_err(|_| CertificateFault::OtherSubject)?;
        return Ok(subject(leaf)? == name);
    }
    let names = alternative_names(leaf)?;
    Ok(names.iter().any(|name| is_name(name, registered)))
}

/// How many URIs are among the names of `leaf`.
pub(super) fn number_of_uris(leaf: &X509Certificate<'_>) -> Result<usize, CertificateFault> {
    let is_uri = |name: &&GeneralName<'_>| matches!(name, GeneralName::URI(_));
    let names = alternative_names(leaf)?;
    Ok(names.iter().filter(is_uri).count())
}

fn alternative_names<'l>(
    leaf: &'l X509Certificate<'_>,
) -> Result<&'l [GeneralName<'l>], CertificateFault> {
    // A doubled extension is an error of x509-parser's.
    let names = leaf
        .subject_alternative_name()
        .map_err(|_| CertificateFault::Unreadable)?;
    Ok(names.map_or(&[][..], |extension| &extension.value.general_names))
}

fn is_name(name: &GeneralName<'_>, registered: &SubjectName) -> bool {
    let value = registered.value.as_str();
    match (registered.kind, name) {
        (SubjectKind::Dns, GeneralName::DNSName(name)) => name.eq_ignore_ascii_case(value),
        (SubjectKind::Uri, GeneralName::URI(name)) => *name == value,
        (SubjectKind::Ip, GeneralName::IPAddress(bytes)) => match value.parse() {
            Ok(IpAddr::V4(address)) => *bytes == address.octets(),
            Ok(IpAddr::V6(address)) => *bytes == address.octets(),
            Err(_) => false,
        },
        (SubjectKind::Email, GeneralName::RFC822Name(name)) => is_same_mailbox(name, value),
        _ => false,
    }
}

fn subject(leaf: &X509Certificate<'_>) -> Result<DistinguishedName, CertificateFault> {
    let parts = leaf
        .subject()
        .iter_rdn()
        .map(|part| part.iter().map(attribute).collect());
    Ok(DistinguishedName::from_parts(
        parts.collect::<Result<_, _>>()?,
    ))
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> Result<Attribute, CertificateFault> {
    let oid = attribute.attr_type().to_id_string();
    let der = attribute
        .attr_value()
        .to_der_vec()
        .map_err(|_| CertificateFault::Unreadable)?;
    let value = AttributeValue::from_der(&der).ok_or(CertificateFault::Unreadable)?;
    Ok(Attribute { oid, value })
}
