//! `tls_client_auth` and `self_signed_tls_client_auth`, RFC 8705 section 2.
//!
//! The client is chosen by its `client_id`, then its certificate is compared; nobody is looked up by certificate.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::super::caller::ClientCertificate;
use super::super::error::OperationError;
use super::Authenticator;
use super::proof::{MatchedCertificate, ProvenClient};
use crate::crypto::certificates::authorities::ClientCas;
use crate::domain::certificate_fault::CertificateFault;
use crate::domain::check::Chain;
use crate::domain::client::AuthMethod;
use crate::domain::credential::{Credential, CredentialMaterial, CredentialState, SubjectKind};
use crate::domain::decision::Decision;
use crate::domain::issuer_url::{has_spiffe_scheme, trust_domain_of};
use crate::domain::known_client::KnownClient;
use crate::domain::refusal::ClientFault;
use crate::domain::timestamp::Timestamp;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::store::error::StoreError;

/// The CAs of `tls_client_auth`. Clones are the same ones: who reads their files gives them new ones.
#[derive(Clone, Debug, Default)]
pub struct TrustedCas(Arc<ArcSwapOption<ClientCas>>);

impl TrustedCas {
    /// Trusts these CAs, and no others, from the next request on.
    pub fn trust(&self, cas: ClientCas) {
        self.0.store(Some(Arc::new(cas)));
    }
}

impl Authenticator {
    pub(super) async fn prove_by_certificate(
        &self,
        client_id: &str,
        certificate: &ClientCertificate,
        decision: &mut Decision,
    ) -> Result<ProvenClient, OperationError> {
        let known = Self::recognise(self.find_client(client_id).await?.as_ref(), decision)?;
        let proof = self.matched(&known, certificate, decision).await?;
        decision.credential = Some(proof.credential.clone());
        decision.passed(Chain::Certificate);
        let client = ProvenClient::by_certificate(known, proof)?;
        decision.passed(Chain::Standing);
        Ok(client)
    }

    /// Tries the methods that the client registered; if both fail, returns the fault of the second.
    async fn matched(
        &self,
        known: &Arc<KnownClient>,
        certificate: &ClientCertificate,
        decision: &mut Decision,
    ) -> Result<MatchedCertificate, OperationError> {
        let mut result = Err(ClientFault::NoCredentials.into());
        for method in [
            AuthMethod::SelfSignedTlsClientAuth,
            AuthMethod::TlsClientAuth,
        ] {
            if result.is_ok() || !known.client.auth_methods.contains(&method) {
                continue;
            }
            decision.method = Some(method);
            let credential = self.matched_by(method, known, certificate).await;
            result = credential.map(|credential| MatchedCertificate {
                credential: credential.id.clone(),
                method,
            });
        }
        result
    }

    /// The credential that the certificate is right for by `method`.
    pub(super) async fn matched_by<'a>(
        &self,
        method: AuthMethod,
        known: &'a KnownClient,
        certificate: &ClientCertificate,
    ) -> Result<&'a Credential, OperationError> {
        match method {
            AuthMethod::TlsClientAuth => self.named(known, certificate).await,
            _ => Ok(self
                .registered(known, certificate)
                .map_err(ClientFault::Certificate)?),
        }
    }

    /// `self_signed_tls_client_auth`: the leaf itself is registered (RFC 8705 section 2.2).
    fn registered<'a>(
        &self,
        known: &'a KnownClient,
        certificate: &ClientCertificate,
    ) -> Result<&'a Credential, CertificateFault> {
        let (now, presented) = (self.clocks.now(), certificate.chain.thumbprint());
        let equal = |credential: &&Credential| matches!(&credential.material, CredentialMaterial::Certificate(print) if print == presented);
        let matching: Vec<_> = known.credentials.iter().filter(equal).collect();
        let credential = live_certificate(&matching, self.clocks.database_now())?;
        let credential =
            credential.ok_or_else(|| CertificateFault::NotRegistered(presented.to_owned()))?;
        certificate.chain.check_alone(now)?;
        Ok(credential)
    }

    /// `tls_client_auth`: a path to a CA that counts for it, and the registered subject (RFC 8705 section 2.1).
    async fn named<'a>(
        &self,
        known: &'a KnownClient,
        certificate: &ClientCertificate,
    ) -> Result<&'a Credential, OperationError> {
        let bears = |credential: &&Credential| {
            matches!(&credential.material, CredentialMaterial::Subject(name)
                if certificate.chain.check_subject(name).is_ok())
        };
        let matching: Vec<_> = known.credentials.iter().filter(bears).collect();
        let live = live_certificate(&matching, self.clocks.database_now());
        let meant = live
            .as_ref()
            .ok()
            .copied()
            .flatten()
            .or(matching.first().copied());
        let checked = match self.vouching(meant).await? {
            Vouching::TrustDomain(domain) => {
                self.foreign_tokens.check_svid(&domain, certificate).await?
            }
            Vouching::ClientCas => self.check_path(certificate),
            Vouching::Nobody => Err(CertificateFault::NoSpiffeId),
        };
        let live = checked.and(live).map_err(ClientFault::Certificate)?;
        Ok(live.ok_or(ClientFault::Certificate(CertificateFault::OtherSubject))?)
    }

    /// Who vouches for the subject of a credential. A URI of the scheme spiffe that is no ID of a workload may name a trust
    /// domain in ways that only some readers understand, so nobody does.
    async fn vouching(&self, credential: Option<&Credential>) -> Result<Vouching, StoreError> {
        let uri = credential.and_then(|it| match &it.material {
            CredentialMaterial::Subject(name) if name.kind == SubjectKind::Uri => Some(&name.value),
            _ => None,
        });
        let Some(id) = uri.filter(|uri| has_spiffe_scheme(uri)) else {
            return Ok(Vouching::ClientCas);
        };
        let Some(domain) = trust_domain_of(id) else {
            return Ok(Vouching::Nobody);
        };
        let issuer = self.memory.directory.issuer_of_trust_domain(domain).await?;
        Ok(issuer.map_or(Vouching::ClientCas, Vouching::TrustDomain))
    }

    fn check_path(&self, certificate: &ClientCertificate) -> Result<(), CertificateFault> {
        let cas = self.client_cas.0.load_full();
        let cas = cas.ok_or(CertificateFault::NoClientCas)?;
        cas.check(&certificate.chain, self.clocks.now())
    }
}

/// Whose CAs count for a subject.
enum Vouching {
    /// Those of the settings.
    ClientCas,
    /// Those in the bundle of this issuer, and no other.
    TrustDomain(Arc<TrustedIssuer>),
    /// None.
    Nobody,
}

/// The live one of those that match.
fn live_certificate<'a>(
    matching: &[&'a Credential],
    now: Timestamp,
) -> Result<Option<&'a Credential>, CertificateFault> {
    let is_live = |credential: &&&Credential| credential.state(now) == CredentialState::Live;
    if let Some(live) = matching.iter().find(is_live) {
        return Ok(Some(live));
    }
    let Some(dead) = matching.first() else {
        return Ok(None);
    };
    Err(CertificateFault::NotLive(dead.id.clone(), dead.state(now)))
}
