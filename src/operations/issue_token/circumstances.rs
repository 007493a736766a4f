//! What a token request asks for, and what comes with it.

use std::net::IpAddr;

use crate::domain::client::GrantType;
use crate::domain::presented::PresentedProof;
use crate::operations::basis::Basis;

/// What a token request asks for, before its grammar is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The `grant_type` parameter.
    pub grant: GrantType,
    /// The `scope` parameter.
    pub scope: Option<&'a str>,
    /// Each `resource` parameter.
    pub resources: &'a [&'a str],
    /// The `audience` parameter.
    pub audience: Option<&'a str>,
    /// The DPoP proof.
    pub proof: PresentedProof<'a>,
}

/// What a token request is judged by beside its client.
pub(super) struct Circumstances<'a, B: Basis> {
    pub(super) asked: Asked<'a>,
    /// Where the request comes from.
    pub(super) source: IpAddr,
    pub(super) held: B::Held<'a>,
}
