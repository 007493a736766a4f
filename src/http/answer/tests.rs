//! The whole table, each variant of [`Refusal`].

use std::fmt::Write;

use http_body_util::BodyExt;

use super::*;
use crate::domain::certificate_fault::CertificateFault;
use crate::domain::client::{AuthMethod, GrantType};
use crate::domain::client_assertion::AssertionFault;
use crate::domain::credential::CredentialState;
use crate::domain::dpop_fault::DpopFault;
use crate::domain::forwarded_fault::ForwardedFault;
use crate::domain::identifier::{AudienceId, ClientId, CredentialId};
use crate::domain::refusal::{ClientFault, ExchangeFault, GrantFault, TargetRefused};
use crate::domain::secret_format::Oddity;
use crate::domain::timestamp::Timestamp;
use crate::domain::token_fault::TokenFault;

fn request_faults() -> Vec<Refusal> {
    use RequestFault as F;
    [
        F::UnknownPath,
        F::Method("POST"),
        F::BodyTooLarge,
        F::BodyIncomplete,
        F::ContentEncoding,
        F::Host,
        F::MediaType("application/json".to_owned()),
        F::Charset("charset=latin1".to_owned()),
        F::FormEncoding,
        F::TooManyParameters,
        F::RepeatedParameter("scope".to_owned()),
        F::QueryParameters,
        F::MissingGrantType,
        F::MissingToken,
        F::BasicEncoding("a NUL"),
        F::SeveralAuthMethods("client_secret and client_assertion".to_owned()),
        F::AssertionType("t".to_owned()),
        F::AssertionPair("client_assertion"),
        F::ClientIdMismatch {
            body: "a".to_owned(),
            header: "b".to_owned(),
        },
        F::UnsupportedGrantType("password".to_owned()),
        F::NoAuthorization,
        F::MissingConfirmation("dpop"),
        F::MissingSubjectToken,
        F::TokenPair("actor_token_type"),
        F::TokenType("subject_token", "urn:x".to_owned()),
        F::RequestedTokenType("urn:x".to_owned()),
        F::UnprovenToken {
            token: "subject token",
            what: "client certificate",
        },
        F::Forwarded(ForwardedFault::HopByHop),
    ]
    .map(Refusal::Request)
    .into()
}

fn client_faults() -> Vec<Refusal> {
    use ClientFault as F;
    [
        F::NoCredentials,
        F::UnknownScheme("Bearer"),
        F::Assertion(AssertionFault::Signature),
        F::Assertion(AssertionFault::Audience("\"\\\r\n".to_owned())),
        F::Assertion(AssertionFault::Replayed),
        F::UnknownClient,
        F::Disabled,
        F::Deleted,
        F::MethodNotRegistered {
            used: AuthMethod::ClientSecretPost,
            registered: vec![AuthMethod::ClientSecretBasic],
        },
        F::SecretMistyped(None),
        F::SecretImpossible(Oddity::LineBreak),
        F::SecretWrong(Some(Oddity::Blank)),
        F::SecretNotYetActive(credential_id()),
        F::SecretExpired(credential_id()),
        F::SecretRetired(credential_id()),
    ]
    .map(Refusal::Client)
    .into()
}

fn assertion_faults() -> Vec<Refusal> {
    use AssertionFault as F;
    [
        F::Form("not three parts separated by dots".to_owned()),
        F::Surrounded(Oddity::LineBreak),
        F::Type("at+jwt".to_owned()),
        F::ClientId("other".to_owned()),
        F::Absent("exp"),
        F::Malformed("jti"),
        F::NotTheClient("iss", "other".to_owned()),
        F::AudienceList("[a,b]".to_owned()),
        F::Expired(60),
        F::LivesTooLong(3600),
        F::IssuedAhead(11),
        F::TooOld(400),
        F::NotYetValid(11),
        F::UnknownKey("key-1".to_owned()),
        F::DeadKey(credential_id(), CredentialState::Retired),
        F::AmbiguousKey,
        F::Algorithm("HS256".to_owned()),
        F::MadeBeforeLoss,
    ]
    .map(|fault| ClientFault::Assertion(fault).into())
    .into()
}

fn certificate_faults() -> Vec<Refusal> {
    use CertificateFault as F;
    [
        F::TooLarge,
        F::Unreadable,
        F::NotYetValid,
        F::Expired,
        F::WeakKey,
        F::WeakSignature,
        F::NotRegistered("a-thumbprint".to_owned()),
        F::NotLive(credential_id(), CredentialState::Retired),
        F::NoClientCas,
        F::Chain("UnknownIssuer".to_owned()),
        F::OtherSubject,
    ]
    .map(|fault| ClientFault::Certificate(fault).into())
    .into()
}

fn credential_id() -> CredentialId {
    CredentialId::parse("k3v9x0q2ma").unwrap()
}

fn dpop_faults() -> Vec<Refusal> {
    use DpopFault as F;
    [
        F::SeveralProofs,
        F::Form("not three parts separated by dots".to_owned()),
        F::Typ("JWT".to_owned()),
        F::Algorithm("HS256".to_owned()),
        F::KeyAbsent,
        F::Key("`kty` is not EC, OKP or RSA".to_owned()),
        F::Signature,
        F::Method("GET".to_owned()),
        F::Uri("https://other.example/".to_owned()),
        F::Time("iat"),
        F::TooOld(61),
        F::TooEarly(11),
        F::Expired(10),
        F::NotYetValid(11),
        F::Jti,
        F::NonceAbsent("a-nonce".to_owned()),
        F::NonceWrong("a-nonce".to_owned()),
        F::Replayed,
    ]
    .map(Refusal::Dpop)
    .into()
}

fn grant_faults() -> Vec<Refusal> {
    use GrantFault as F;
    let audience = || AudienceId::parse("pricing-api").unwrap();
    [
        F::GrantNotRegistered(GrantType::ClientCredentials),
        F::NoPolicy(Vec::new()),
        F::ScopeGrammar("a  b".to_owned()),
        F::ScopeUnknown("\"\\\r\n".to_owned()),
        F::ScopesOfSeveralAudiences(vec![audience()]),
        F::ScopeOutsidePolicy {
            audience: audience(),
            scope: "x".to_owned(),
        },
        F::NoDefaultScopes(audience()),
        F::TargetGrammar("/a".to_owned()),
        F::SeveralTargets("a".to_owned(), "b".to_owned()),
        F::TargetRefused {
            target: "pricing-api/".to_owned(),
            why: TargetRefused::NearOwn(audience()),
        },
        F::TargetAmbiguous(vec![audience()]),
        F::TokenOfAnotherClient("reader".to_owned()),
    ]
    .map(Refusal::Grant)
    .into()
}

fn exchange_faults() -> Vec<Refusal> {
    use ExchangeFault as F;
    let audience = || AudienceId::parse("pricing-api").unwrap();
    [
        F::SubjectToken(TokenFault::Signature),
        F::SubjectToken(TokenFault::NotServed(audience())),
        F::SubjectToken(TokenFault::Named(ClientId::parse("web").unwrap(), None)),
        F::SubjectToken(TokenFault::NamedMark(
            ClientId::parse("web").unwrap(),
            Timestamp::EPOCH,
        )),
        F::ActorToken(TokenFault::Revoked),
        F::ActorOfAnother("web".to_owned()),
        F::MayAct("web".to_owned()),
        F::TooManyActors,
        F::KeptClaim("roles, of another type".to_owned()),
        F::ScopeOutsideSubject {
            audience: audience(),
            scope: "x".to_owned(),
        },
        F::NoScopeOfSubject(audience()),
    ]
    .map(|fault| Refusal::Grant(fault.into()))
    .into()
}

fn all() -> Vec<Refusal> {
    [
        request_faults(),
        client_faults(),
        assertion_faults(),
        certificate_faults(),
        dpop_faults(),
        grant_faults(),
        exchange_faults(),
    ]
    .concat()
}

async fn shown(response: Response) -> String {
    let (head, body) = response.into_parts();
    let mut text = format!("{}\n", head.status);
    for (name, value) in &head.headers {
        writeln!(text, "  {name}: {}", value.to_str().unwrap()).unwrap();
    }
    let body = body.collect().await.unwrap().to_bytes();
    writeln!(text, "  {}", String::from_utf8(body.to_vec()).unwrap()).unwrap();
    text
}

/// 6749-19, 6749-23, 6749-31: status, challenge, no-store and body of every refusal.
#[tokio::test]
async fn the_whole_table() {
    let mut table = String::new();
    for refusal in all() {
        writeln!(table, "{refusal:?}\n  {}", shown(refuse(&refusal)).await).unwrap();
    }
    writeln!(table, "unavailable\n  {}", shown(unavailable(2)).await).unwrap();
    insta::assert_snapshot!("refusals", table);
}

/// 6749-21.
#[tokio::test]
async fn a_refused_client_always_gets_the_same_bytes() {
    let reference = shown(refuse(&Refusal::Client(ClientFault::NoCredentials))).await;
    let all = [client_faults(), assertion_faults(), certificate_faults()];
    for refusal in all.concat() {
        assert_eq!(shown(refuse(&refusal)).await, reference, "{refusal:?}");
    }
}

/// No name of ours stands for what was found, and somebody can do something about each of them.
#[test]
fn each_refusal_says_what_was_found_and_what_to_do() {
    for refusal in all() {
        let finding = refusal.explain().finding;
        let found = &*finding.found;
        // What stands between quotation marks is of the request.
        let debug = format!("{refusal:?}");
        let ours: String = debug.split('"').step_by(2).collect();
        let is_ours = ours
            .split(|c: char| !c.is_alphanumeric())
            .any(|name| name == found);
        assert!(!is_ours && !found.is_empty(), "{debug}: {found}");
        let remedy = finding.remedy.unwrap_or_default();
        assert!(remedy.len() > 15, "{debug}: {remedy}");
    }
}

/// 6749-30.
#[test]
fn descriptions_stay_within_their_characters() {
    for refusal in all() {
        let description = refusal.explain().description;
        let fits = |c| matches!(c, '\x20'..='\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e');
        assert!(
            !description.is_empty() && description.chars().all(fits),
            "{description}"
        );
    }
}

#[test]
fn a_cacheable_document_says_for_how_long() {
    let answer = cacheable_json(
        "application/jwk-set+json",
        b"{}".to_vec(),
        300,
        Some("\"x\""),
    );
    assert_eq!(answer.headers()[CACHE_CONTROL], "public, max-age=300");
    assert_eq!(answer.headers()[ETAG], "\"x\"");
    assert!(!answer.headers().contains_key(PRAGMA));
}
