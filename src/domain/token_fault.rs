//! Why an access token is inactive. It is logged, but the API that asks does not learn it (RFC 7662 section 2.2).

use super::check::{Check, Finding};
use super::client::ClientStatus;
use super::identifier::{AudienceId, ClientId, CredentialId, IssuerId};
use super::secret_format::Oddity;
use super::timestamp::Timestamp;

/// One fault of a token. A text in it is what came, as [`shown`](super::shown) shows it; a number is the seconds between
/// the time that it names and ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// Not a compact JWS of strict JSON; with the reason.
    Form(String),
    /// It would be one without what stands around it.
    Surrounded(Oddity),
    /// Its `typ` is that of something else.
    Type(String),
    /// No key of this issuer that verifies now has its `kid`.
    Key(String),
    /// Its `alg` is not that of its key.
    Algorithm(String),
    /// The signature is not of its key.
    Signature,
    /// It was sealed by the sealing key of this id, which is not here.
    SealingKey(String),
    /// It was changed since it was sealed, or sealed by another issuer.
    Seal,
    /// It is signed by us, and no access token.
    Claims,
    /// `iss` is another issuer.
    Issuer(String),
    /// `iat` or `nbf` is ahead.
    NotYetValid(i64),
    /// `exp` is past.
    Expired(i64),
    /// Its audience does not exist any more.
    NoAudience(AudienceId),
    /// Who asks does not serve its audience.
    NotServed(AudienceId),
    /// Its client does not exist any more.
    NoHolder,
    /// Its client may do nothing.
    Holder(ClientStatus),
    /// All tokens that its client got up to this second are dead.
    HolderMark(Timestamp),
    /// Its client may get nothing for its audience any more.
    NoPolicy(AudienceId),
    /// All tokens that its client got for its audience up to this second are dead.
    PolicyMark(AudienceId, Timestamp),
    /// All tokens that its credential got up to this second are dead.
    CredentialMark(CredentialId, Timestamp),
    /// Its subject, or who acted with it, does not exist any more; or may do nothing.
    Named(ClientId, Option<ClientStatus>),
    /// Its subject is that of an issuer which is not trusted any more.
    NoIssuer(IssuerId),
    /// All tokens for subjects of this issuer up to this second are those of another, or of nobody.
    IssuerMark(IssuerId, Timestamp),
    /// All tokens that its subject, or who acted with it, got up to this second are dead.
    NamedMark(ClientId, Timestamp),
    /// It was revoked by itself.
    Revoked,
}

const NEW_TOKEN: &str = "let the client ask for a new token";
const NOT_OURS: &str =
    "the token is of another server, or was changed: compare its iss with the issuer";

impl TokenFault {
    /// What failed, what came instead, and what to do about it.
    #[must_use]
    pub fn explain(&self) -> Finding<'_> {
        match self {
            Self::Form(reason) => Finding::new(Check::TokenForm, reason).remedy(
                "let the API send the access token alone, without the word Bearer before it",
            ),
            Self::Surrounded(oddity) => {
                Finding::new(Check::TokenForm, oddity.found()).remedy(oddity.remedy())
            }
            Self::Type(found) => Finding::new(Check::TokenType, found)
                .remedy("send an access token, not an assertion, a proof or an ID token"),
            Self::Key(kid) => Finding::new(Check::TokenKey, kid).remedy(NOT_OURS),
            Self::Algorithm(alg) => Finding::new(Check::TokenAlgorithm, alg).remedy(NOT_OURS),
            Self::Signature => {
                Finding::new(Check::TokenSignature, "one that this key did not make")
                    .remedy(NOT_OURS)
            }
            Self::SealingKey(id) => Finding::new(Check::TokenKey, format!("the sealing key {id}"))
                .remedy("list that key in old_key_files, if it was changed lately"),
            Self::Seal => {
                Finding::new(Check::TokenSignature, "a seal that does not open").remedy(NOT_OURS)
            }
            Self::Claims => Finding::new(Check::TokenClaims, "other claims").remedy(NEW_TOKEN),
            Self::Issuer(iss) => Finding::new(Check::TokenIssuer, iss).remedy(NEW_TOKEN),
            Self::NotYetValid(ahead) => Finding::new(Check::TokenBegin, format!("{ahead} s ahead"))
                .remedy("compare the clocks of the replicas"),
            Self::Expired(ago) => {
                Finding::new(Check::TokenExpiry, format!("exp {ago} s ago")).remedy(NEW_TOKEN)
            }
            Self::NoAudience(audience) => Finding::new(Check::TokenAudience, audience.to_string())
                .remedy("put the audience into the catalog, then grantd apply"),
            Self::NotServed(audience) => Finding::new(
                Check::TokenServedBy,
                format!("a caller that does not serve {audience}"),
            )
            .remedy(format!(
                "where it does, put it into served_by of {audience}, then grantd apply"
            )),
            Self::NoHolder => Finding::new(Check::TokenHolder, "a client that is gone")
                .remedy("put the client into the catalog, then grantd apply"),
            Self::Holder(status) => {
                Finding::new(Check::TokenHolder, format!("a client that is {status}"))
                    .remedy("where it may go on: grantd client enable")
            }
            Self::HolderMark(mark) => Finding::new(
                Check::TokenHolderMark,
                format!("all up to {mark} were killed"),
            )
            .remedy(NEW_TOKEN),
            Self::NoPolicy(audience) => Finding::new(
                Check::TokenPolicy,
                format!("none that is enabled for {audience}"),
            )
            .remedy("where it may go on: grantd policy allow"),
            Self::PolicyMark(audience, mark) => Finding::new(
                Check::TokenPolicyMark,
                format!("all for {audience} up to {mark} were killed"),
            )
            .remedy(NEW_TOKEN),
            Self::CredentialMark(id, mark) => Finding::new(
                Check::TokenCredentialMark,
                format!("all of {id} up to {mark} were killed"),
            )
            .remedy(NEW_TOKEN),
            Self::Named(id, status) => {
                let status = status.map_or("gone", ClientStatus::as_str);
                Finding::new(Check::TokenSubject, format!("{id}, {status}"))
                    .remedy("where it may go on: grantd client enable, or put it into the catalog, then grantd apply")
            }
            Self::NoIssuer(issuer) => Finding::new(
                Check::TokenSubject,
                format!("one of {issuer}, which is no trusted issuer"),
            )
            .remedy(
                "where it is trusted, put it into the catalog as an [[issuer]], then grantd apply",
            ),
            Self::IssuerMark(issuer, mark) => Finding::new(
                Check::TokenSubjectMark,
                format!("a subject of {issuer}, which was not trusted up to {mark}"),
            )
            .remedy(NEW_TOKEN),
            Self::NamedMark(id, mark) => Finding::new(
                Check::TokenSubjectMark,
                format!("{id}, of whom all up to {mark} were killed"),
            )
            .remedy(NEW_TOKEN),
            Self::Revoked => Finding::new(Check::TokenAlive, "revoked").remedy(NEW_TOKEN),
        }
    }

    /// Whether the configuration may be wrong rather than the token, so that an operator must act.
    #[must_use]
    pub const fn is_of_setup(&self) -> bool {
        matches!(
            self,
            Self::NoAudience(_) | Self::NotServed(_) | Self::SealingKey(_)
        )
    }
}
