//! Why a token of somebody else proves nothing here.

use crate::domain::check::{Check, Finding};
use crate::domain::identifier::{ClientId, IssuerId};
use crate::domain::jwt_claims::ClaimFault;
use crate::domain::secret_format::Oddity;
use crate::domain::timestamp::Seconds;
use crate::domain::trusted_issuer::IssuerUse;

const CLOCK: &str = "compare our clock with the issuer's";

/// Why a foreign token is not accepted. A text in it is what came, as [`shown`](crate::domain::shown) shows it; a number is
/// the seconds between the time that it names and ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForeignFault {
    /// Not a compact JWS of strict JSON; with the reason.
    Form(String),
    /// It would be one without what stands around it.
    Surrounded(Oddity),
    /// Its `iss` is that of nobody who is trusted; what it is, and who was probably meant.
    UnknownIssuer(String, Option<IssuerId>),
    /// Its `iss` is ours.
    Ours,
    /// Its issuer is trusted, but not for this.
    NotForThis(IssuerId, IssuerUse),
    /// Its `typ` is that of something else.
    Type(String),
    /// No key of the issuer has its `kid`; what it is.
    UnknownKey(IssuerId, String),
    /// It names no `kid`, and the issuer has several keys.
    AmbiguousKey(IssuerId),
    /// The issuer may not sign with its `alg`, or its key does not.
    Algorithm(String),
    /// The signature is not of that key.
    Signature,
    /// A claim is absent.
    Absent(&'static str),
    /// A claim is of a wrong JSON type, or out of any sense.
    Malformed(&'static str),
    /// `sub` is no SPIFFE ID of the trust domain; what it is.
    NotOfTrustDomain(String),
    /// `aud` is not exactly what it must be; what it is, and what it must be.
    Audience(String, String),
    /// `exp` is past.
    Expired(i64),
    /// It lives longer than the issuer's tokens may: how long, and how long they may.
    LivesTooLong(i64, Seconds),
    /// `iat` or `nbf` is ahead.
    Ahead(&'static str, i64),
    /// It fits no identity: of whom it was compared, and in what the nearest differs.
    NoIdentity(IssuerId, String),
    /// Several clients have an identity that it fits.
    SeveralClients(Vec<ClientId>),
    /// It was used before.
    Replayed,
    /// Made before the database lost its record of used ones, so it may have been used.
    MadeBeforeLoss,
}

impl From<ClaimFault> for ForeignFault {
    fn from(fault: ClaimFault) -> Self {
        match fault {
            ClaimFault::Absent(claim) => Self::Absent(claim),
            ClaimFault::Malformed(claim) => Self::Malformed(claim),
        }
    }
}

impl ForeignFault {
    /// What failed, what came instead, and what to do about it.
    #[must_use]
    pub fn explain(&self) -> Finding<'_> {
        match self {
            Self::Form(reason) => Finding::new(Check::AssertionForm, reason).remedy(
                "let the client send the token as its platform gave it, with nothing around it",
            ),
            Self::Surrounded(oddity) => {
                Finding::new(Check::AssertionForm, oddity.found()).remedy(oddity.remedy())
            }
            Self::UnknownIssuer(iss, near) => unknown_issuer(iss, near.as_ref()),
            Self::Ours => Finding::new(Check::ForeignIssuer, "our own issuer").remedy(
                "a token of ours says for whom a client asks where it is exchanged (grant_type token-exchange), and proves no client",
            ),
            Self::NotForThis(issuer, what) => Finding::new(
                Check::ForeignIssuer,
                format!("{issuer}, which is not trusted as {what}"),
            )
            .remedy(format!(
                "where its tokens may be that, add {:?} to the issuer's use in the catalog",
                what.as_str()
            )),
            Self::Type(typ) => Finding::new(Check::ForeignType, typ)
                .remedy("let the client send its identity token: an access token is none"),
            Self::UnknownKey(issuer, kid) => {
                Finding::new(Check::ForeignKey, format!("{kid}, of {issuer}")).remedy(format!(
                    "compare it with the keys at the issuer's place, which grantd issuer test {issuer} fetches and lists"
                ))
            }
            Self::AmbiguousKey(issuer) => {
                Finding::new(Check::ForeignKey, format!("no kid, and {issuer} has several keys"))
                    .remedy("let the issuer write the kid of its key into the header")
            }
            Self::Algorithm(alg) => Finding::new(Check::ForeignAlgorithm, alg).remedy(
                "where the issuer signs so, and the profile allows it, add it to the issuer's algorithms in the catalog",
            ),
            Self::Signature => Finding::new(Check::ForeignSignature, "one that this key did not make")
                .remedy(
                    "where it is a token of this issuer, its keys are elsewhere than the catalog says: grantd issuer test ID \
                     tells where they are fetched, and which there are",
                ),
            Self::NoIdentity(issuer, compared) => {
                Finding::new(Check::Identity, format!("of {issuer}: {compared}")).remedy(
                    "where this workload is a client, write what its token says into a [[client.identity]]; a * in its patterns \
                     stands for anything but : and /",
                )
            }
            Self::SeveralClients(clients) => {
                let names: Vec<&str> = clients.iter().map(ClientId::as_str).collect();
                Finding::new(Check::Identity, format!("one of {}", names.join(" and ")))
                    .remedy("let the client send its client_id, or tell the identities apart")
            }
            Self::Replayed => Finding::new(Check::ForeignOnce, "one that was used before")
                .remedy("let the client get a new token of its platform for each request"),
            Self::MadeBeforeLoss => {
                Finding::new(Check::ForeignSinceLoss, "an older one, which may have been used")
                    .remedy("let the client get a new token of its platform")
            }
            Self::Absent(claim) => Finding::new(check_of(claim), format!("no {claim}"))
                .remedy(format!("let the client get a token with {claim}")),
            Self::NotOfTrustDomain(sub) => Finding::new(Check::ForeignSubject, sub)
                .remedy("let the client send a JWT-SVID of the trust domain that is the issuer's url"),
            Self::Audience(aud, expected) => {
                Finding::new(Check::ForeignAudience, format!("{aud}, not {expected}")).remedy(
                    format!("let the client ask its platform for a token for {expected}, and for nobody else"),
                )
            }
            Self::Expired(ago) => Finding::new(Check::ForeignExpiry, format!("exp {ago} s ago"))
                .remedy("let the client get a new token before each request, or read its file anew"),
            Self::LivesTooLong(lives, most) => {
                Finding::new(Check::ForeignLifetime, format!("{lives} s, more than {most}")).remedy(
                    "let the platform make shorter tokens, or raise the issuer's max_lifetime in the catalog",
                )
            }
            Self::Ahead(claim, ahead) => {
                Finding::new(Check::ForeignBegin, format!("{claim} {ahead} s ahead")).remedy(CLOCK)
            }
            Self::Malformed(claim) => {
                Finding::new(check_of(claim), format!("{claim} in another form"))
                    .remedy("times are numbers of seconds, and iss, sub and jti are texts")
            }
        }
    }
}

fn unknown_issuer<'f>(iss: &'f str, near: Option<&IssuerId>) -> Finding<'f> {
    let remedy = match near {
        Some(near) => format!(
            "it is almost the url of {near}: a url is compared byte by byte, so write it as the token does"
        ),
        None => "where it is to be trusted, add it as an [[issuer]] to the catalog".to_owned(),
    };
    Finding::new(Check::ForeignIssuer, iss).remedy(remedy)
}

/// The check that `claim` must pass first.
fn check_of(claim: &str) -> Check {
    match claim {
        "aud" => Check::ForeignAudience,
        "exp" => Check::ForeignExpiry,
        "iat" | "nbf" => Check::ForeignBegin,
        "jti" => Check::ForeignJti,
        _ => Check::ForeignSubject,
    }
}
