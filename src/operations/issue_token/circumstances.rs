//! What a token request asks for, and what comes with it.

use std::net::IpAddr;

use super::exchanged::Exchanged;
use super::foreign_subject::ForeignSubject;
use crate::domain::check::Chain;
use crate::domain::client::GrantType;
use crate::domain::confirmation::bound_key;
use crate::domain::decision::Decision;
use crate::domain::foreign_token::ForeignFault;
use crate::domain::grant_decision::check_may_ask;
use crate::domain::identifier::ClientId;
use crate::domain::policy::{Circumstance, Purpose};
use crate::domain::presented::PresentedProof;
use crate::domain::presented_exchange::{PresentedAssertion, PresentedExchange};
use crate::domain::refusal::RequestFault;
use crate::operations::Grantd;
use crate::operations::authenticate_client::{IdentifiedClient, StandingClient};
use crate::operations::basis::Basis;
use crate::operations::error::OperationError;
use crate::operations::foreign_tokens::AcceptedForeign;
use crate::store::memory::look::Named;

/// What a token request asks for, before its grammar is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The `grant_type` parameter, and what comes with it.
    pub grant: AskedGrant<'a>,
    /// The `scope` parameter.
    pub scope: Option<&'a str>,
    /// Each `resource` parameter.
    pub resources: &'a [&'a str],
    /// The `audience` parameter.
    pub audience: Option<&'a str>,
    /// The DPoP proof.
    pub proof: PresentedProof<'a>,
}

/// A grant, with the parameters that it alone has.
#[derive(Clone, Copy, Debug)]
pub enum AskedGrant<'a> {
    /// RFC 6749 section 4.4.
    ClientCredentials,
    /// RFC 8693.
    TokenExchange(PresentedExchange<'a>),
    /// RFC 7523 section 2.1.
    JwtBearer(PresentedAssertion<'a>),
}

impl<'a> AskedGrant<'a> {
    const fn grant_type(&self) -> GrantType {
        match self {
            Self::ClientCredentials => GrantType::ClientCredentials,
            Self::TokenExchange(_) => GrantType::TokenExchange,
            Self::JwtBearer(_) => GrantType::JwtBearer,
        }
    }

    /// Reads the parameters of `grant`; `parameter` gives the value of one that is there and not empty.
    ///
    /// # Errors
    /// A parameter that is missing or not supported.
    pub fn read(
        grant: GrantType,
        parameter: impl Fn(&'static str) -> Option<&'a str>,
        decision: &mut Decision,
    ) -> Result<Self, RequestFault> {
        decision.grant = Some(grant);
        decision.passed(Chain::GrantType);
        match grant {
            GrantType::ClientCredentials => Ok(Self::ClientCredentials),
            GrantType::TokenExchange => {
                let presented = PresentedExchange::read(parameter)?;
                decision.passed(Chain::Exchange);
                Ok(Self::TokenExchange(presented))
            }
            GrantType::JwtBearer => {
                let presented = PresentedAssertion::read(parameter)?;
                decision.passed(Chain::Assertion);
                Ok(Self::JwtBearer(presented))
            }
        }
    }
}

/// What a request brings that says for whom its client asks, as it was read before the last look.
#[derive(Debug)]
pub(super) enum Brought {
    /// Nothing: the client asks for itself.
    Nothing,
    /// The tokens of an exchange.
    Exchanged(Box<Exchanged>),
    /// A trusted issuer's token that is a grant.
    Asserted(Result<Box<ForeignSubject>, ForeignFault>),
}

impl Brought {
    /// The key that `client` has, as far as this tells: a statement that is a grant is bound to whoever brings it, and a
    /// subject token to its subject, unless the client got it for itself.
    pub(super) fn key_of(&self, client: &ClientId) -> Option<&str> {
        let token = match self {
            Self::Asserted(Ok(subject)) => &subject.token,
            Self::Exchanged(exchanged) => {
                let token = exchanged.subject.as_ref().ok()?.token();
                let is_own = token.actors.is_none() && token.subject == client.as_str();
                Some(token).filter(|_| is_own)?
            }
            Self::Asserted(Err(_)) | Self::Nothing => return None,
        };
        bound_key(token.bound_to.as_ref()?)
    }

    /// What the last look must be about.
    pub(super) fn named(&self) -> Vec<Named<'_>> {
        match self {
            Self::Nothing | Self::Asserted(Err(_)) => Vec::new(),
            Self::Exchanged(exchanged) => exchanged.named(),
            Self::Asserted(Ok(subject)) => vec![subject.named()],
        }
    }
}

impl Grantd {
    /// Reads what comes with `grant`, and gives what of it is still to be spent. Of a client that may not ask so nothing is
    /// read: it makes nobody fetch keys, and spends nothing that is another's.
    ///
    /// # Errors
    /// A client that may not ask by this grant, or what cannot be told now.
    pub(super) async fn read_brought<B: Basis>(
        &self,
        grant: AskedGrant<'_>,
        (client, source): (&IdentifiedClient<B>, IpAddr),
        decision: &mut Decision,
    ) -> Result<(Brought, Option<AcceptedForeign>), OperationError> {
        let by = (source, client.method());
        let client = client.id();
        if !matches!(grant, AskedGrant::ClientCredentials)
            && let Some(known) = self.memory.directory.client(client).await?
        {
            check_may_ask(&known.client, &known.policies, (by, grant.grant_type()))?;
        }
        match grant {
            AskedGrant::ClientCredentials => Ok((Brought::Nothing, None)),
            AskedGrant::TokenExchange(presented) => {
                let exchanged = self.read_exchanged(presented, client, decision).await?;
                Ok((Brought::Exchanged(Box::new(exchanged)), None))
            }
            AskedGrant::JwtBearer(PresentedAssertion(text)) => {
                match self.read_asserted(text, decision).await? {
                    Ok((subject, unspent)) => {
                        Ok((Brought::Asserted(Ok(Box::new(subject))), Some(unspent)))
                    }
                    Err(fault) => Ok((Brought::Asserted(Err(fault)), None)),
                }
            }
        }
    }
}

/// What a token request is judged by beside its client.
pub(super) struct Circumstances<'a, B: Basis> {
    pub(super) asked: Asked<'a>,
    /// Where the request comes from.
    pub(super) source: IpAddr,
    pub(super) held: B::Held<'a>,
    pub(super) brought: Brought,
}

impl<B: Basis> Circumstances<'_, B> {
    /// What the policies of `client` are held against.
    pub(super) fn of<'p>(
        &self,
        client: &StandingClient<'_, B>,
        purpose: Purpose<'p>,
    ) -> Circumstance<'p> {
        Circumstance {
            source: self.source,
            method: client.method(),
            purpose,
        }
    }
}
