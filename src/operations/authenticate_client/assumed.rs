//! A client as if it had proved itself by a method, for a request that nobody sent. What of its proof can be judged without
//! a sender is judged by the code that judges proofs: the profile, the client, its credential, and whether it may use them.

use super::super::caller::Caller;
use super::super::error::OperationError;
use super::Authenticator;
use super::proof::AssumedClient;
use crate::domain::check::Chain;
use crate::domain::client::AuthMethod;
use crate::domain::credential::{Credential, CredentialMaterial, CredentialState};
use crate::domain::decision::{ClaimedClient, Decision};
use crate::domain::known_client::KnownClient;
use crate::domain::refusal::ClientFault;

/// In place of a thumbprint that only the client's certificate tells.
const ITS_CERTIFICATE: &str = "(x5t#S256 of its certificate)";

/// What is judged of a credential.
const OF_CREDENTIALS: [Chain; 4] = [
    Chain::Secret,
    Chain::AssertionKey,
    Chain::Identity,
    Chain::Certificate,
];

/// Who is assumed, and what that takes along.
pub struct Assumption {
    /// The client.
    pub client: AssumedClient,
    /// The thumbprint of the certificate that is on its connection.
    pub certificate: Option<String>,
}

impl Authenticator {
    /// Assumes that the client `id` proves itself by `method`: with the certificate of `caller`, where it has one and the
    /// method takes one, else with a live credential that serves the method.
    ///
    /// # Errors
    /// Why no client of this id could prove itself so, or a database out of reach.
    pub(in super::super) async fn assume_client(
        &self,
        (id, method): (&str, AuthMethod),
        caller: &Caller,
        decision: &mut Decision,
    ) -> Result<Assumption, OperationError> {
        decision.client = Some(ClaimedClient::new(id));
        decision.method = Some(method);
        self.check_allowed(method)?;
        pass_those_for(method, &[Chain::SecretForm], decision);
        let known = Self::recognise(self.find_client(id).await?.as_ref(), decision)?;
        let credential = self.assumed_credential(&known, method, caller).await?;
        decision.credential = Some(credential.id.clone());
        pass_those_for(method, &OF_CREDENTIALS, decision);
        let certificate = caller.certificate.as_ref();
        let certificate = certificate.map(|it| it.chain.thumbprint().to_owned());
        let client = AssumedClient::new(&known, method, credential.id.clone())?;
        decision.passed(Chain::Standing);
        Ok(Assumption {
            client,
            certificate: certificate.or_else(|| certificate_of(credential)),
        })
    }

    async fn assumed_credential<'k>(
        &self,
        known: &'k KnownClient,
        method: AuthMethod,
        caller: &Caller,
    ) -> Result<&'k Credential, OperationError> {
        let registered = &known.client.auth_methods;
        if method.is_mutual_tls() && !registered.contains(&method) {
            let fault = ClientFault::MethodNotRegistered {
                used: method,
                registered: registered.clone(),
            };
            return Err(fault.into());
        }
        if let (true, Some(certificate)) = (method.is_mutual_tls(), &caller.certificate) {
            return self.matched_by(method, known, certificate).await;
        }
        let now = self.clocks.database_now();
        let serving = known.credentials.iter();
        let serving = serving.filter(|it| it.kind().serves(method));
        // Of dead ones the one that lived last: it is what the client is likely to have.
        let best = serving.max_by_key(|it| (it.state(now) == CredentialState::Live, it.created_at));
        let best = best.ok_or(ClientFault::NoCredential(method))?;
        match best.state(now) {
            CredentialState::Live => Ok(best),
            state => Err(ClientFault::dead_credential(method, &best.id, state).into()),
        }
    }
}

/// The checks of other methods were not made.
fn pass_those_for(method: AuthMethod, chains: &[Chain], decision: &mut Decision) {
    for chain in chains.iter().filter(|it| it.is_for(method)) {
        decision.passed(*chain);
    }
}

/// What a client of mutual TLS has on its connection: who is chosen by a subject may have any certificate that names it.
fn certificate_of(credential: &Credential) -> Option<String> {
    match &credential.material {
        CredentialMaterial::Certificate(thumbprint) => Some(thumbprint.clone()),
        CredentialMaterial::Subject(_) => Some(ITS_CERTIFICATE.to_owned()),
        CredentialMaterial::Secret(_)
        | CredentialMaterial::Jwk(_)
        | CredentialMaterial::KeySource(_)
        | CredentialMaterial::Identity(_) => None,
    }
}
