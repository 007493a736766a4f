//! Client certificates (RFC 8705): chains within bounds, their thumbprint, strength and dates.

pub mod authorities;
pub mod made;
pub mod registration;
mod subject;

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::signature_algorithm::SignatureAlgorithm;
use x509_parser::x509::AlgorithmIdentifier;

use super::digest::certificate_thumbprint;
use super::rsa_weakness::{LEAST_BITS, bits};
use crate::domain::certificate_fault::CertificateFault;
use crate::domain::credential::SubjectName;
use crate::domain::timestamp::Timestamp;

/// The most certificates of a chain.
pub const MOST_CERTIFICATES: usize = 10;
/// The most bytes of a chain.
pub const MOST_BYTES: usize = 64 * 1024;

/// RSA and ECDSA over SHA-256, SHA-384 and SHA-512, and Ed25519.
const STRONG_SIGNATURES: [&str; 7] = [
    "1.2.840.113549.1.1.11",
    "1.2.840.113549.1.1.12",
    "1.2.840.113549.1.1.13",
    "1.2.840.10045.4.3.2",
    "1.2.840.10045.4.3.3",
    "1.2.840.10045.4.3.4",
    "1.3.101.112",
];
/// RSASSA-PSS, whose parameters name the hash.
const PSS: &str = "1.2.840.113549.1.1.10";
/// SHA-256, SHA-384 and SHA-512.
const STRONG_HASHES: [&str; 3] = [
    "2.16.840.1.101.3.4.2.1",
    "2.16.840.1.101.3.4.2.2",
    "2.16.840.1.101.3.4.2.3",
];

/// A certificate with those that were sent beside it; clones are the same one.
///
/// The maker vouches that the peer holds the leaf's key; nothing else of it is believed yet.
#[derive(Clone)]
pub struct CertificateChain {
    certificates: Arc<[CertificateDer<'static>]>,
    thumbprint: Arc<str>,
}

impl CertificateChain {
    /// A chain, the leaf first.
    ///
    /// # Errors
    /// [`CertificateFault::TooLarge`] beyond [`MOST_CERTIFICATES`] or [`MOST_BYTES`], and
    /// [`CertificateFault::Unreadable`] without a leaf.
    pub fn new(certificates: &[CertificateDer<'_>]) -> Result<Self, CertificateFault> {
        check_size(certificates.iter())?;
        let leaf = certificates.first().ok_or(CertificateFault::Unreadable)?;
        Ok(Self {
            thumbprint: certificate_thumbprint(leaf).into(),
            certificates: certificates
                .iter()
                .map(|it| it.clone().into_owned())
                .collect(),
        })
    }

    /// A chain in DER, the leaf first, which must be a certificate.
    ///
    /// # Errors
    /// As [`Self::new`]; also [`CertificateFault::Unreadable`] for a leaf that is not a certificate.
    pub fn from_der(certificates: Vec<Vec<u8>>) -> Result<Self, CertificateFault> {
        let certificates: Vec<_> = certificates.into_iter().map(CertificateDer::from).collect();
        let chain = Self::new(&certificates)?;
        chain.leaf()?;
        Ok(chain)
    }

    /// A chain in PEM, the leaf first, which must be a certificate.
    ///
    /// # Errors
    /// As [`Self::from_der`]; also [`CertificateFault::Unreadable`] for other PEM.
    pub fn from_pem(pem: &[u8]) -> Result<Self, CertificateFault> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem)
            .map(|certificate| certificate.map(|it| it.to_vec()))
            .collect();
        Self::from_der(certificates.map_err(|_| CertificateFault::Unreadable)?)
    }

    /// How many certificates it has.
    #[must_use]
    pub fn number(&self) -> usize {
        self.certificates.len()
    }

    /// The leaf's `x5t#S256`: 43 characters base64url (RFC 8705 section 3.1).
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    fn leaf(&self) -> Result<X509Certificate<'_>, CertificateFault> {
        let der = self
            .certificates
            .first()
            .ok_or(CertificateFault::Unreadable)?;
        match X509Certificate::from_der(der) {
            Ok(([], certificate)) => Ok(certificate),
            _ => Err(CertificateFault::Unreadable),
        }
    }

    /// Holds a leaf that is registered by its thumbprint to its own dates and to today's strengths. Its signature is
    /// its own and proves nothing, so neither path nor extensions are looked at.
    ///
    /// # Errors
    /// A [`CertificateFault`].
    pub fn check_alone(&self, now: Timestamp) -> Result<(), CertificateFault> {
        let leaf = self.leaf()?;
        check_dates(&leaf, now)?;
        check_key(&leaf)?;
        check_signature(&leaf.signature_algorithm)
    }

    /// Whether the leaf bears this subject.
    ///
    /// # Errors
    /// [`CertificateFault::OtherSubject`], and [`CertificateFault::Unreadable`].
    pub fn check_subject(&self, registered: &SubjectName) -> Result<(), CertificateFault> {
        let leaf = self.leaf()?;
        check_key(&leaf)?;
        if subject::bears(&leaf, registered)? {
            Ok(())
        } else {
            Err(CertificateFault::OtherSubject)
        }
    }

    /// That the leaf has one URI and no other: an X.509-SVID with several says of nobody who it is (SPIFFE X.509-SVID section 2).
    ///
    /// # Errors
    /// [`CertificateFault::SeveralUris`], and [`CertificateFault::Unreadable`].
    pub fn check_one_uri(&self) -> Result<(), CertificateFault> {
        match subject::number_of_uris(&self.leaf()?)? {
            1 => Ok(()),
            _ => Err(CertificateFault::SeveralUris),
        }
    }
}

/// When the first of some certificates ends; those that cannot be read are left out.
#[must_use]
pub fn first_expiry(certificates: &[CertificateDer<'_>]) -> Option<Timestamp> {
    let ends = certificates.iter().filter_map(|der| {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        Some(certificate.validity().not_after.timestamp())
    });
    ends.min().map(Timestamp::from_unix)
}

/// As [`first_expiry`], of those in a PEM file.
#[must_use]
pub fn first_expiry_of_pem(pem: &[u8]) -> Option<Timestamp> {
    let all = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok);
    first_expiry(&all.collect::<Vec<_>>())
}

/// Whether a chain is within bounds.
///
/// # Errors
/// [`CertificateFault::TooLarge`].
pub fn check_size<'a, 'b: 'a>(
    certificates: impl Iterator<Item = &'a CertificateDer<'b>>,
) -> Result<(), CertificateFault> {
    let (mut number, mut bytes) = (0_usize, 0_usize);
    for certificate in certificates {
        number += 1;
        bytes += certificate.len();
        if number > MOST_CERTIFICATES || bytes > MOST_BYTES {
            return Err(CertificateFault::TooLarge);
        }
    }
    Ok(())
}

fn check_dates(leaf: &X509Certificate<'_>, now: Timestamp) -> Result<(), CertificateFault> {
    let validity = leaf.validity();
    if now.unix() < validity.not_before.timestamp() {
        return Err(CertificateFault::NotYetValid);
    }
    // RFC 5280 section 4.1.2.5: the last second is within.
    if now.unix() > validity.not_after.timestamp() {
        return Err(CertificateFault::Expired);
    }
    Ok(())
}

fn check_key(leaf: &X509Certificate<'_>) -> Result<(), CertificateFault> {
    match leaf.public_key().parsed() {
        Ok(PublicKey::RSA(key)) if bits(key.modulus) < LEAST_BITS => Err(CertificateFault::WeakKey),
        Ok(PublicKey::DSA(_) | PublicKey::GostR3410(_) | PublicKey::GostR3410_2012(_)) => {
            Err(CertificateFault::WeakKey)
        }
        Ok(_) => Ok(()),
        Err(_) => Err(CertificateFault::Unreadable),
    }
}

fn check_signature(algorithm: &AlgorithmIdentifier<'_>) -> Result<(), CertificateFault> {
    let oid = algorithm.algorithm.to_id_string();
    let strong = if oid == PSS {
        matches!(
            SignatureAlgorithm::try_from(algorithm),
            Ok(SignatureAlgorithm::RSASSA_PSS(parameters))
                if STRONG_HASHES.contains(&parameters.hash_algorithm_oid().to_id_string().as_str())
        )
    } else {
        STRONG_SIGNATURES.contains(&oid.as_str())
    };
    if strong {
        Ok(())
    } else {
        Err(CertificateFault::WeakSignature)
    }
}

impl fmt::Debug for CertificateChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.certificates.len();
        f.debug_struct("CertificateChain")
            .field("x5t#S256", &self.thumbprint)
            .field("certificates", &number)
            .finish()
    }
}

#[cfg(test)]
mod tests;
