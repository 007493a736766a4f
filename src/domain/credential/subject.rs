//! Registered subject attributes of certificates (RFC 8705 section 2.1.2).

use std::net::IpAddr;

use crate::domain::client::named;
use crate::domain::distinguished_name::DistinguishedName;

/// One registered subject attribute of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectName {
    /// Which attribute.
    pub kind: SubjectKind,
    /// Its value as registered.
    pub value: String,
}

impl SubjectName {
    /// Whether both mean the same certificates, however they are written.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let (one, two) = (self.value.as_str(), other.value.as_str());
        self.kind == other.kind
            && match self.kind {
                SubjectKind::Dn => DistinguishedName::parse(one)
                    .is_ok_and(|one| DistinguishedName::parse(two) == Ok(one)),
                SubjectKind::Dns => one.eq_ignore_ascii_case(two),
                SubjectKind::Uri => one == two,
                SubjectKind::Ip => one
                    .parse::<IpAddr>()
                    .is_ok_and(|one| two.parse() == Ok(one)),
                SubjectKind::Email => is_same_mailbox(one, two),
            }
    }
}

impl SubjectName {
    /// What an operator should know of a name that is registered.
    #[must_use]
    pub fn warning(&self) -> Option<&'static str> {
        let name = DistinguishedName::parse(&self.value).ok()?;
        (self.kind == SubjectKind::Dn && name.seems_reversed()).then_some(
            "this subject_dn begins with C=, the most general part: RFC 4514 begins with the most particular one, as \
             `openssl x509 -noout -subject -nameopt RFC2253` prints it; without that option the order is the other one",
        )
    }
}

/// The domain of a mailbox has no case, what stands before it does (RFC 5280 section 7.5).
#[must_use]
pub fn is_same_mailbox(one: &str, other: &str) -> bool {
    match (one.rsplit_once('@'), other.rsplit_once('@')) {
        (Some((local, domain)), Some((other_local, other_domain))) => {
            local == other_local && domain.eq_ignore_ascii_case(other_domain)
        }
        _ => false,
    }
}

named! {
    /// The subject attributes of RFC 8705 section 2.1.2.
    SubjectKind {
        /// The distinguished name.
        Dn = "subject_dn",
        /// A DNS name among the alternative names.
        Dns = "san_dns",
        /// A URI among the alternative names.
        Uri = "san_uri",
        /// An IP address among the alternative names.
        Ip = "san_ip",
        /// An e-mail address among the alternative names.
        Email = "san_email",
    }
}
