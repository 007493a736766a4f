//! What a token request asks for, and what comes with it.

use std::net::IpAddr;

use super::exchanged::Exchanged;
use crate::domain::check::Chain;
use crate::domain::client::GrantType;
use crate::domain::decision::Decision;
use crate::domain::policy::{Circumstance, Purpose};
use crate::domain::presented::PresentedProof;
use crate::domain::presented_exchange::PresentedExchange;
use crate::domain::refusal::RequestFault;
use crate::operations::authenticate_client::StandingClient;
use crate::operations::basis::Basis;

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
}

impl<'a> AskedGrant<'a> {
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
        }
    }
}

impl<'a> AskedGrant<'a> {
    /// The tokens of an exchange.
    pub(super) const fn exchange(&self) -> Option<PresentedExchange<'a>> {
        match self {
            Self::ClientCredentials => None,
            Self::TokenExchange(presented) => Some(*presented),
        }
    }
}

/// What a token request is judged by beside its client.
pub(super) struct Circumstances<'a, B: Basis> {
    pub(super) asked: Asked<'a>,
    /// Where the request comes from.
    pub(super) source: IpAddr,
    pub(super) held: B::Held<'a>,
    /// The tokens that an exchange is asked for.
    pub(super) exchanged: Option<Exchanged>,
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
