//! The client CAs, and the judgement of a chain by them: RFC 5280 section 6, by webpki, at a time that we give.

use std::fmt;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{
    ALL_VERIFICATION_ALGS, EndEntityCert, Error, KeyUsage, VerifiedPath, anchor_from_trusted_cert,
};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use super::CertificateChain;
use crate::domain::certificate_fault::CertificateFault;
use crate::domain::timestamp::Timestamp;

/// The CAs whose client certificates count for `tls_client_auth`. Those of the system never do.
pub struct ClientCas {
    anchors: Vec<TrustAnchor<'static>>,
    /// What the certificate of each anchor says beside name and key; webpki leaves it out.
    constraints: Vec<Constraints>,
}

/// How far and how long a CA may be trusted.
struct Constraints {
    not_before: i64,
    not_after: i64,
    most_between: Option<u32>,
}

/// What cannot be trusted as client CAs.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCas {
    #[error("no certificate in PEM form (-----BEGIN CERTIFICATE-----)")]
    Empty,
    #[error("a certificate that cannot be read")]
    Unreadable,
    #[error("a certificate that does not belong to a CA")]
    NoCa,
}

impl Constraints {
    fn of(certificate: &[u8]) -> Result<Self, InvalidCas> {
        let (_, certificate) =
            X509Certificate::from_der(certificate).map_err(|_| InvalidCas::Unreadable)?;
        let basic = certificate
            .basic_constraints()
            .map_err(|_| InvalidCas::Unreadable)?
            .map(|it| it.value);
        if basic.is_some_and(|it| !it.ca) {
            return Err(InvalidCas::NoCa);
        }
        Ok(Self {
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
            most_between: basic.and_then(|it| it.path_len_constraint),
        })
    }

    fn allow(&self, between: usize, now: Timestamp) -> bool {
        (self.not_before..=self.not_after).contains(&now.unix())
            && self
                .most_between
                .is_none_or(|most| between <= most as usize)
    }
}

impl ClientCas {
    /// No CA at all; add some by [`Self::add_pem`].
    #[must_use]
    pub const fn none() -> Self {
        Self {
            anchors: Vec::new(),
            constraints: Vec::new(),
        }
    }

    /// Adds the certificates of a PEM file.
    ///
    /// # Errors
    /// The file holds none, or one that cannot be read.
    pub fn add_pem(&mut self, pem: &[u8]) -> Result<(), InvalidCas> {
        let before = self.anchors.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| InvalidCas::Unreadable)?;
            self.add(&certificate)?;
        }
        if self.anchors.len() == before {
            Err(InvalidCas::Empty)
        } else {
            Ok(())
        }
    }

    /// Adds one certificate.
    ///
    /// # Errors
    /// It cannot be read, or is none of a CA.
    pub fn add(&mut self, certificate: &CertificateDer<'_>) -> Result<(), InvalidCas> {
        let anchor = anchor_from_trusted_cert(certificate).map_err(|_| InvalidCas::Unreadable)?;
        self.constraints.push(Constraints::of(certificate)?);
        self.anchors.push(anchor.to_owned());
        Ok(())
    }

    /// Whether there is no CA at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.anchors.len()
    }

    /// Looks for a path from the leaf to one of the CAs that holds at `now`: signatures, dates, path length, name
    /// constraints, and the extended key usage `clientAuth` where the leaf names any. webpki refuses SHA-1, MD5 and
    /// short RSA keys, a CA as leaf, and bounds its search.
    ///
    /// # Errors
    /// A [`CertificateFault`].
    pub fn check(&self, chain: &CertificateChain, now: Timestamp) -> Result<(), CertificateFault> {
        let (leaf, between) = chain
            .certificates
            .split_first()
            .ok_or(CertificateFault::Unreadable)?;
        let leaf = EndEntityCert::try_from(leaf).map_err(|_| CertificateFault::Unreadable)?;
        let seconds = u64::try_from(now.unix()).map_err(|_| CertificateFault::NotYetValid)?;
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let usage = KeyUsage::client_auth();
        let allowed = |path: &VerifiedPath<'_>| self.allow(path, now);
        leaf.verify_for_usage(
            ALL_VERIFICATION_ALGS,
            &self.anchors,
            between,
            time,
            usage,
            None,
            Some(&allowed),
        )
        .map(drop)
        .map_err(fault)
    }

    /// Whether a CA with the name and key at the path's end allows it; a renewed one has both in common with the
    /// old one.
    fn allow(&self, path: &VerifiedPath<'_>, now: Timestamp) -> Result<(), Error> {
        let between = path.intermediate_certificates().count();
        let allows = |(anchor, constraints): (&TrustAnchor<'_>, &Constraints)| {
            anchor == path.anchor() && constraints.allow(between, now)
        };
        if self.anchors.iter().zip(&self.constraints).any(allows) {
            Ok(())
        } else {
            Err(Error::UnknownIssuer)
        }
    }
}

fn fault(error: Error) -> CertificateFault {
    match error {
        Error::CertExpired { .. } => CertificateFault::Expired,
        Error::CertNotValidYet { .. } => CertificateFault::NotYetValid,
        other => CertificateFault::Chain(other.to_string()),
    }
}

impl fmt::Debug for ClientCas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCas")
            .field("number", &self.anchors.len())
            .finish_non_exhaustive()
    }
}
