//! Client certificates that tests get, each with a key of its own.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use zeroize::Zeroizing;

use crate::control::fault::Fault;
use crate::control::state::{Control, Text};
use crate::crypto::certificates::made::{CertificateKey, MakeError, ThrowAwayCa};
use crate::crypto::digest::certificate_thumbprint;
use crate::domain::credential::SubjectName;

/// A certificate and its private key.
pub(in crate::control) struct MadeCertificate {
    /// As PEM.
    pub(in crate::control) certificate: String,
    /// PKCS#8 in PEM.
    pub(in crate::control) key: Zeroizing<String>,
    /// `x5t#S256`, RFC 8705 section 3.1.
    pub(in crate::control) thumbprint: String,
}

impl MadeCertificate {
    /// One of the CA whose clients are accepted; `None` where somebody else has the key of that.
    ///
    /// # Errors
    /// 503 where no certificate can say that subject.
    pub(in crate::control) fn of_client_ca(
        control: &Control,
        subject: &SubjectName,
    ) -> Result<Option<Self>, Fault> {
        let ca = control.world().client_ca_key.as_ref().and_then(Text::read);
        let Some(ca) = ca.map(Zeroizing::new) else {
            return Ok(None);
        };
        let now = control.grantd().clock().now();
        Self::made(|key| {
            let ca = ThrowAwayCa::new(CertificateKey::from_pem(&ca)?);
            ca.client(key, subject, now)
        })
        .map(Some)
    }

    /// One that its own key signs.
    ///
    /// # Errors
    /// 503.
    pub(in crate::control) fn self_signed(control: &Control, name: &str) -> Result<Self, Fault> {
        let now = control.grantd().clock().now();
        Self::made(|key| key.self_signed(name, now))
    }

    fn made(
        certify: impl FnOnce(&CertificateKey) -> Result<String, MakeError>,
    ) -> Result<Self, Fault> {
        let pair = || -> Result<_, MakeError> {
            let key = CertificateKey::generate()?;
            Ok((certify(&key)?, key.to_pem()))
        };
        let (certificate, key) = pair().map_err(|error| Fault::unavailable(&error))?;
        let thumbprint = thumbprint(&certificate);
        let thumbprint =
            thumbprint.ok_or_else(|| Fault::unavailable(&"no certificate was made"))?;
        Ok(Self {
            certificate,
            key,
            thumbprint,
        })
    }
}

/// The `x5t#S256` of a certificate in PEM form.
pub(in crate::control) fn thumbprint(pem: &str) -> Option<String> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    Some(certificate_thumbprint(&der))
}
