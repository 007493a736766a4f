//! Certificates that `grantd dev` makes: a throw-away CA, a server certificate, and client certificates (RFC 5280).

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use crate::domain::credential::{SubjectKind, SubjectName};
use crate::domain::distinguished_name::{self, AttributeValue};
use crate::domain::timestamp::Timestamp;

/// How long a CA and a self-signed certificate hold.
const LONG: Duration = Duration::days(3650);
/// How long a certificate of the CA holds: Apple's systems refuse more than 825 days.
const SHORT: Duration = Duration::days(800);

/// Why a certificate cannot be made.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    #[error("cannot make a certificate: {0}")]
    Rcgen(#[from] rcgen::Error),
    #[error(
        "cannot make a certificate for a subject with two attributes of one type or with # values"
    )]
    Subject,
    #[error("cannot make a certificate for the current time")]
    Time,
}

/// A key for a certificate, ECDSA on P-256.
pub struct CertificateKey(KeyPair);

impl CertificateKey {
    /// Draws a new key.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub fn generate() -> Result<Self, MakeError> {
        Ok(Self(KeyPair::generate()?))
    }

    /// Reads a key in PEM form.
    ///
    /// # Errors
    /// Anything else.
    pub fn from_pem(pem: &str) -> Result<Self, MakeError> {
        Ok(Self(KeyPair::from_pem(pem)?))
    }

    /// The private key in PEM form.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.serialize_pem())
    }

    /// A certificate of its own for a client of `self_signed_tls_client_auth`, in PEM form.
    ///
    /// # Errors
    /// rcgen's.
    pub fn self_signed(&self, name: &str, now: Timestamp) -> Result<String, MakeError> {
        let mut params = params(now, LONG)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        Ok(params.self_signed(&self.0)?.pem())
    }
}

/// A CA whose name is fixed, so that its key alone brings it back.
pub struct ThrowAwayCa(CertificateKey);

impl ThrowAwayCa {
    /// The CA with this key.
    #[must_use]
    pub const fn new(key: CertificateKey) -> Self {
        Self(key)
    }

    /// Its certificate in PEM form.
    ///
    /// # Errors
    /// rcgen's.
    pub fn certificate(&self, now: Timestamp) -> Result<String, MakeError> {
        Ok(ca_params(now)?.self_signed(&self.0.0)?.pem())
    }

    /// A certificate for a server that is reached by these names and addresses, in PEM form.
    ///
    /// # Errors
    /// rcgen's.
    pub fn server(
        &self,
        key: &CertificateKey,
        names: &[&str],
        now: Timestamp,
    ) -> Result<String, MakeError> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = params(now, SHORT)?;
        params.subject_alt_names = CertificateParams::new(names)?.subject_alt_names;
        params
            .distinguished_name
            .push(DnType::CommonName, "grantd dev");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params, key, now)
    }

    /// A certificate for a client of `tls_client_auth`, in PEM form.
    ///
    /// # Errors
    /// A subject that rcgen cannot write.
    pub fn client(
        &self,
        key: &CertificateKey,
        subject: &SubjectName,
        now: Timestamp,
    ) -> Result<String, MakeError> {
        let mut params = params(now, SHORT)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if subject.kind == SubjectKind::Dn {
            params.distinguished_name = name(&subject.value)?;
        } else {
            params
                .distinguished_name
                .push(DnType::CommonName, "grantd dev client");
            params.subject_alt_names = vec![san(subject)?];
        }
        self.sign(params, key, now)
    }

    fn sign(
        &self,
        mut params: CertificateParams,
        key: &CertificateKey,
        now: Timestamp,
    ) -> Result<String, MakeError> {
        let ca = ca_params(now)?;
        params.use_authority_key_identifier_extension = true;
        Ok(params
            .signed_by(&key.0, &Issuer::from_params(&ca, &self.0.0))?
            .pem())
    }
}

fn ca_params(now: Timestamp) -> Result<CertificateParams, MakeError> {
    let mut params = params(now, LONG)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "grantd dev throw-away CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// Without a name; clocks of clients may be a day behind.
fn params(now: Timestamp, life: Duration) -> Result<CertificateParams, MakeError> {
    let now = OffsetDateTime::from_unix_timestamp(now.unix()).map_err(|_| MakeError::Time)?;
    let mut params = CertificateParams::default();
    params.not_before = now.checked_sub(Duration::days(1)).ok_or(MakeError::Time)?;
    params.not_after = now.checked_add(life).ok_or(MakeError::Time)?;
    params.distinguished_name = DistinguishedName::new();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    Ok(params)
}

fn san(subject: &SubjectName) -> Result<SanType, MakeError> {
    let text = || subject.value.as_str().try_into();
    Ok(match subject.kind {
        SubjectKind::Dn => return Err(MakeError::Subject),
        SubjectKind::Dns => SanType::DnsName(text()?),
        SubjectKind::Uri => SanType::URI(text()?),
        SubjectKind::Email => SanType::Rfc822Name(text()?),
        SubjectKind::Ip => {
            SanType::IpAddress(subject.value.parse().map_err(|_| MakeError::Subject)?)
        }
    })
}

/// A name whose relative names have one attribute each, each of another type.
fn name(text: &str) -> Result<DistinguishedName, MakeError> {
    let parsed = distinguished_name::DistinguishedName::parse(text);
    let mut name = DistinguishedName::new();
    for part in parsed.map_err(|_| MakeError::Subject)?.parts() {
        let [attribute] = part.as_slice() else {
            return Err(MakeError::Subject);
        };
        let AttributeValue::Text(value) = &attribute.value else {
            return Err(MakeError::Subject);
        };
        let arcs: Result<Vec<u64>, _> = attribute.oid.split('.').map(str::parse).collect();
        let kind = DnType::from_oid(&arcs.map_err(|_| MakeError::Subject)?);
        if name.get(&kind).is_some() {
            return Err(MakeError::Subject);
        }
        name.push(kind, value);
    }
    Ok(name)
}
