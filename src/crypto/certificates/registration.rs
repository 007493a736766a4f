//! Whether a certificate that is to be registered could ever prove its client: what TLS and we refuse whenever it comes
//! is refused when it is registered.

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use webpki::{EndEntityCert, Error};

use super::{CertificateChain, check_key, check_signature};
use crate::domain::certificate_fault::CertificateFault;

/// Why a certificate is not registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableCertificate {
    /// X.509 v1 or v2, which rustls ends the handshake for.
    #[error(
        "this certificate is X.509 v1, which TLS refuses: make it v3; with `openssl x509 -req` by -extfile with a line \
         such as basicConstraints=CA:FALSE"
    )]
    Version,
    /// A short key, or one of a kind that signs no handshake.
    #[error(
        "TLS cannot use the key of this certificate: make a new one with RSA of at least 2048 bits, ECDSA or Ed25519"
    )]
    Key,
    /// A signature over SHA-1, MD5, or something unknown.
    #[error(
        "this certificate is signed with a weak algorithm: have it signed with SHA-256 or better"
    )]
    Signature,
    /// No X.509 certificate.
    #[error("TLS cannot read this as an X.509 certificate: make a new one")]
    Unreadable,
}

/// The `x5t#S256` of a certificate that can be registered. Its dates are not looked at: what they forbid may change.
///
/// # Errors
/// A certificate that no client could ever use.
pub fn registrable_thumbprint(
    certificate: &CertificateDer<'_>,
) -> Result<String, UnusableCertificate> {
    let chain = CertificateChain::new(std::slice::from_ref(certificate))?;
    let leaf = EndEntityCert::try_from(certificate).map_err(|error| match error {
        Error::UnsupportedCertVersion => UnusableCertificate::Version,
        _ => UnusableCertificate::Unreadable,
    })?;
    if !signs_handshakes(&leaf) {
        return Err(UnusableCertificate::Key);
    }
    let leaf = chain.leaf()?;
    check_key(&leaf)?;
    check_signature(&leaf.signature_algorithm)?;
    Ok(chain.thumbprint().to_owned())
}

/// Whether the key is of a kind that TLS verifies: a wrong signature is then told from one that it cannot judge.
fn signs_handshakes(leaf: &EndEntityCert<'_>) -> bool {
    aws_lc_rs::default_provider()
        .signature_verification_algorithms
        .all
        .iter()
        .any(|algorithm| {
            !matches!(
                leaf.verify_signature(*algorithm, &[], &[]),
                Err(Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_))
            )
        })
}

impl From<CertificateFault> for UnusableCertificate {
    fn from(fault: CertificateFault) -> Self {
        match fault {
            CertificateFault::WeakKey => Self::Key,
            CertificateFault::WeakSignature => Self::Signature,
            _ => Self::Unreadable,
        }
    }
}

#[cfg(test)]
mod tests {
    use openssl::asn1::Asn1Time;
    use openssl::ec::{EcGroup, EcKey};
    use openssl::hash::MessageDigest;
    use openssl::nid::Nid;
    use openssl::pkey::{PKey, Private};
    use openssl::rsa::Rsa;
    use openssl::x509::X509;

    use super::*;

    /// rcgen makes neither old versions nor weak keys.
    fn certificate(
        version: i32,
        key: &PKey<Private>,
        digest: MessageDigest,
    ) -> CertificateDer<'static> {
        let mut builder = X509::builder().unwrap();
        builder.set_version(version - 1).unwrap();
        builder.set_pubkey(key).unwrap();
        builder
            .set_not_before(&Asn1Time::days_from_now(0).unwrap())
            .unwrap();
        builder
            .set_not_after(&Asn1Time::days_from_now(9).unwrap())
            .unwrap();
        builder.sign(key, digest).unwrap();
        CertificateDer::from(builder.build().to_der().unwrap())
    }

    fn ec(curve: Nid) -> PKey<Private> {
        let group = EcGroup::from_curve_name(curve).unwrap();
        PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
    }

    fn rsa(bits: u32) -> PKey<Private> {
        PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap()
    }

    #[test]
    fn a_certificate_that_no_handshake_takes_is_not_registered() {
        let (p256, sha256) = (ec(Nid::X9_62_PRIME256V1), MessageDigest::sha256());
        for key in [&p256, &ec(Nid::SECP384R1), &rsa(2048)] {
            assert!(registrable_thumbprint(&certificate(3, key, sha256)).is_ok());
        }
        let ed25519 = PKey::generate_ed25519().unwrap();
        let unhashed = MessageDigest::null();
        assert!(registrable_thumbprint(&certificate(3, &ed25519, unhashed)).is_ok());

        let fault = |certificate| registrable_thumbprint(&certificate).unwrap_err();
        assert_eq!(
            fault(certificate(1, &p256, sha256)),
            UnusableCertificate::Version
        );
        for key in [ec(Nid::SECP256K1), rsa(1024)] {
            assert_eq!(
                fault(certificate(3, &key, sha256)),
                UnusableCertificate::Key
            );
        }
        let ed448 = PKey::generate_ed448().unwrap();
        assert_eq!(
            fault(certificate(3, &ed448, unhashed)),
            UnusableCertificate::Key
        );
        let sha1 = MessageDigest::sha1();
        assert_eq!(
            fault(certificate(3, &p256, sha1)),
            UnusableCertificate::Signature
        );
        let nothing = CertificateDer::from(b"abc".to_vec());
        assert_eq!(fault(nothing), UnusableCertificate::Unreadable);
    }
}
