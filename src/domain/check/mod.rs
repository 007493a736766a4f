//! Every check of a request, in the order in which they are made: its name and what it expects. A fault says which of
//! them failed; a [`Decision`](super::decision::Decision) which of them passed.

mod finding;
mod passed;

pub use finding::Finding;
pub use passed::Passed;

use serde::{Deserialize, Serialize};

use super::client::AuthMethod;

macro_rules! checks {
    ($($(#[$meta:meta])* $chain:ident { $($check:ident: $name:literal, $expected:literal;)+ })+) => {
        /// Checks that are made together, one after the other: the first that fails ends the request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Chain { $($(#[$meta])* $chain),+ }

        /// One check.
        #[expect(missing_docs, reason = "`expected` says it")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Check { $($($check),+),+ }

        impl Chain {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$chain),+];

            /// Its checks, in order.
            #[must_use]
            pub const fn checks(self) -> &'static [Check] {
                match self { $(Self::$chain => &[$(Check::$check),+]),+ }
            }
        }

        impl Check {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$($(Self::$check),+),+];

            /// `check` of a log line; related ones share it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($(Self::$check => $name),+),+ }
            }

            /// `expected` of a log line.
            #[must_use]
            pub const fn expected(self) -> &'static str {
                match self { $($(Self::$check => $expected),+),+ }
            }

            /// The chain that it belongs to.
            #[must_use]
            pub const fn chain(self) -> Chain {
                match self { $($(Self::$check => Chain::$chain),+),+ }
            }
        }
    };
}

impl Chain {
    /// Whether a client that proves itself by `method` is judged by it. What is no matter of methods judges all.
    #[must_use]
    pub const fn is_for(self, method: AuthMethod) -> bool {
        match self {
            Self::SecretForm | Self::Secret => matches!(
                method,
                AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost
            ),
            Self::AssertionForm => {
                matches!(method, AuthMethod::PrivateKeyJwt | AuthMethod::Federated)
            }
            Self::AssertionKey | Self::AssertionClaims | Self::AssertionFresh => {
                matches!(method, AuthMethod::PrivateKeyJwt)
            }
            Self::ForeignToken | Self::ForeignClaims | Self::Identity | Self::ForeignFresh => {
                matches!(method, AuthMethod::Federated)
            }
            Self::Certificate => method.is_mutual_tls(),
            _ => true,
        }
    }
}

impl Check {
    /// Whether it is made of what the server knows of a client and of what is asked for, and needs nothing that only the
    /// client itself can send.
    #[must_use]
    pub const fn needs_no_sender(self) -> bool {
        match self.chain() {
            Chain::GrantType
            | Chain::Client
            | Chain::Identity
            | Chain::Certificate
            | Chain::Standing
            | Chain::Exchange
            | Chain::Assertion
            | Chain::ForeignToken
            | Chain::ForeignClaims
            | Chain::Token
            | Chain::TokenStanding
            | Chain::ActorToken
            | Chain::Delegation
            | Chain::Policy
            | Chain::Grant
            | Chain::Kept
            | Chain::Binding => true,
            _ => matches!(
                self,
                Self::MethodAllowed | Self::SecretTimes | Self::AssertionLiveKey
            ),
        }
    }
}

checks! {
    /// The path, before any endpoint.
    Route {
        Path: "request", "a path of this server";
        HttpMethod: "request", "a method that the path allows, see the Allow header";
        Host: "request", "exactly one valid Host";
        Endpoint: "request", "a grant without a user, at the token endpoint";
    }
    /// Who sends it.
    Origin {
        Proxy: "proxy", "valid headers from a trusted proxy";
        Connection: "request", "the Host that the connection was opened for";
    }
    /// The form in its body.
    Form {
        Query: "request", "parameters in the body only";
        MediaType: "request", "the Content-Type application/x-www-form-urlencoded";
        Charset: "request", "the charset UTF-8, or none";
        ContentEncoding: "request", "a body that is not compressed";
        BodySize: "request", "a body of at most body_bytes";
        BodyWhole: "request", "a body that arrives whole within body_timeout";
        ParameterCount: "request", "at most 64 parameters";
        FormEncoding: "request", "a correctly encoded form";
        ParameterOnce: "request", "each parameter once";
    }
    /// At the token endpoint.
    GrantType {
        GrantType: "request", "a grant_type that the metadata lists";
    }
    /// The tokens that an exchange is asked for, as parameters.
    Exchange {
        SubjectParameter: "request", "subject_token, with a subject_token_type that is supported";
        ActorParameter: "request", "actor_token with an actor_token_type that is supported, or neither";
        RequestedType: "request", "requested_token_type of an access token, or none";
    }
    /// The token of a trusted issuer that is a grant, as parameter.
    Assertion {
        AssertionParameter: "request", "assertion, a token of a trusted issuer";
    }
    /// At the other two.
    TokenParameter {
        TokenParameter: "request", "the parameter token";
    }
    /// How the client presents itself.
    Presentation {
        OneMethod: "request", "one method of client authentication";
        BasicEncoding: "request", "a correctly encoded Basic header";
        SameClientId: "request", "the same client_id in body and Basic header";
        AssertionParameters: "request", "client_assertion, with the client_assertion_type of RFC 7523";
    }
    /// Whether anything is presented at all.
    Credentials {
        Credentials: "credentials", "client credentials";
    }
    /// A secret, before it is hashed.
    SecretForm {
        MethodAllowed: "method", "a method that the profile allows";
        SecretForm: "secret", "at most 1024 printable ASCII characters";
        SecretChecksum: "secret", "a correct checksum";
    }
    /// Before a secret is hashed at full cost.
    FailureBudget {
        FailureBudget: "budget", "failures left to this client id at this address, see [budget]";
        SourceFailureBudget: "budget", "failures left to this address, see [budget]";
    }
    /// An assertion, before its client is known.
    AssertionForm {
        AssertionForm: "assertion", "a compact JWS of strict JSON";
        AssertionType: "assertion", "typ JWT, client-authentication+jwt or none";
        AssertionClientId: "assertion", "sub, and the same client_id if present";
    }
    /// Who the client is.
    Client {
        Client: "client", "a registered client";
    }
    /// The key that signed an assertion.
    AssertionKey {
        AssertionKey: "assertion", "the kid of a registered key";
        AssertionOneKey: "assertion", "a kid, as several keys are registered";
        AssertionAlgorithm: "assertion", "an alg that the key is registered for";
        AssertionSignature: "assertion", "a signature by the registered key";
        AssertionLiveKey: "assertion", "a live key";
    }
    /// What an assertion claims.
    AssertionClaims {
        AssertionClient: "assertion", "iss and sub equal to the client";
        AssertionAudience: "assertion", "aud equal to the issuer";
        AssertionExpiry: "assertion", "exp in the future";
        AssertionLifetime: "assertion", "exp within max_assertion_lifetime";
        AssertionIssued: "assertion", "iat in the past, if present";
        AssertionAge: "assertion", "a recent iat, if present";
        AssertionBegin: "assertion", "nbf in the past, if present";
        AssertionJti: "assertion", "jti, a text of 1 to 256 bytes";
    }
    /// A token of somebody else, by itself.
    ForeignToken {
        ForeignIssuer: "foreign token", "iss of an issuer that is trusted for this";
        ForeignType: "foreign token", "typ JWT, JOSE or none; to be exchanged also at+jwt";
        ForeignAlgorithm: "foreign token", "an alg of the issuer and of its key";
        ForeignKey: "foreign token", "the kid of a key of the issuer";
        ForeignSignature: "foreign token", "a signature by that key";
    }
    /// What it claims.
    ForeignClaims {
        ForeignSubject: "foreign token", "sub, a text; of SPIFFE an ID of the trust domain";
        ForeignAudience: "foreign token", "aud, the issuer's audience alone; to be exchanged also one that the client serves";
        ForeignExpiry: "foreign token", "exp in the future";
        ForeignLifetime: "foreign token", "exp within max_lifetime of iat";
        ForeignBegin: "foreign token", "iat and nbf in the past, if present";
        ForeignJti: "foreign token", "jti, a text of 1 to 256 bytes, where it counts once";
    }
    /// Whose it is.
    Identity {
        Identity: "identity", "an identity of one client";
        IdentityLive: "identity", "a live identity";
    }
    /// A secret that was hashed, or was verified before.
    Secret {
        Secret: "secret", "a live secret of the client";
        SecretTimes: "secret times", "active, neither expired nor retired";
    }
    /// The certificate of the connection.
    Certificate {
        Certificate: "certificate", "a live certificate of the client";
    }
    /// Whether the client may authenticate so.
    Standing {
        Status: "client status", "active";
        MethodRegistered: "method", "a registered method";
    }
    /// A DPoP proof, before its `jti` is spent.
    DpopProof {
        DpopOne: "dpop proof", "exactly one DPoP header";
        DpopForm: "dpop proof", "a compact JWS of strict JSON";
        DpopType: "dpop proof", "typ dpop+jwt";
        DpopAlgorithm: "dpop proof", "an alg that the metadata lists";
        DpopKey: "dpop proof", "jwk, a public key for its alg";
        DpopSignature: "dpop proof", "a signature by its jwk";
        DpopMethod: "dpop proof", "htm POST";
        DpopUri: "dpop proof", "htu, the URI of the token endpoint";
        DpopAge: "dpop proof", "iat at most 60 s ago";
        DpopIssued: "dpop proof", "iat at most 10 s ahead";
        DpopExpiry: "dpop proof", "exp in the future, if present";
        DpopBegin: "dpop proof", "nbf in the past, if present";
        DpopJti: "dpop proof", "jti, a text of 1 to 256 bytes";
        DpopNonce: "dpop proof", "the nonce of the DPoP-Nonce header";
    }
    /// The `jti` of an assertion.
    AssertionFresh {
        AssertionOnce: "assertion", "a jti that was not used before";
        AssertionSinceLoss: "assertion", "an assertion made after the database lost data";
    }
    /// The `jti` of a foreign token.
    ForeignFresh {
        ForeignOnce: "foreign token", "a jti that was not used before";
        ForeignSinceLoss: "foreign token", "a token made after the database lost data";
    }
    /// The `jti` of a proof.
    DpopFresh {
        DpopOnce: "dpop proof", "a jti that was not used before";
        DpopSinceLoss: "dpop proof", "a proof made after the database lost data";
    }
    /// A token, by itself.
    Token {
        TokenForm: "token", "a compact JWS of strict JSON, or a sealed token";
        TokenType: "token", "the typ of an access token";
        TokenKey: "token", "a kid of this issuer, or the sealing key of this server";
        TokenAlgorithm: "token", "the alg of its key";
        TokenSignature: "token", "a signature or a seal by its key";
        TokenClaims: "token", "the claims of an access token";
        TokenIssuer: "token", "iss, this issuer";
        TokenBegin: "token", "iat and nbf in the past";
        TokenExpiry: "token", "exp in the future";
    }
    /// A token before what stands in the database.
    TokenStanding {
        TokenAudience: "token", "an audience that exists";
        TokenServedBy: "token", "a caller in served_by of the token's audience";
        TokenHolder: "token", "a client that exists and is active";
        TokenHolderMark: "token", "issued after the last kill of its client's tokens";
        TokenPolicy: "token", "a policy of its client for its audience";
        TokenPolicyMark: "token", "issued after its policy was last denied";
        TokenCredentialMark: "token", "issued after the last kill of its credential's tokens";
        TokenSubject: "token", "a subject and actors that exist and are active";
        TokenSubjectMark: "token", "issued after the last kill of the tokens of its subject and actors";
        TokenAlive: "token", "not revoked";
    }
    /// The token of who asks to act for another.
    ActorToken {
        ActorToken: "actor token", "a live token of the client itself, if present";
    }
    /// Who may act for the subject of a token.
    Delegation {
        MayAct: "actor", "the client in may_act of the subject token, if present";
        ActorCount: "actor", "at most five actors";
    }
    /// What the client may have at all, here and now.
    Policy {
        GrantRegistered: "grant", "a grant that the client registered";
        Policy: "policy", "a policy that holds for this request";
    }
    /// What the request asks for.
    Grant {
        ScopeForm: "scope", "scope names separated by single spaces";
        TargetForm: "audience", "resource, an absolute URI without fragment";
        OneTarget: "audience", "one audience";
        ScopeKnown: "scope", "scopes that the client's audiences have";
        ScopesTogether: "scope", "scopes of one audience";
        TargetNamed: "audience", "an audience, as the client has several";
        Target: "audience", "an audience that the client has a policy for";
        ScopeNamed: "scope", "scopes, as the policy has no default";
        ScopeGranted: "scope", "scopes that audience and policy grant";
    }
    /// What is carried over from the subject token.
    Kept {
        KeptClaims: "claims", "claims that a token may carry over";
    }
    /// What the token is bound to.
    Binding {
        Binding: "request", "something to bind the token to";
    }
    /// How many tokens it gets.
    TokenBudget {
        TokenBudget: "budget", "tokens left in this minute, see max_tokens_per_minute";
    }
    /// A token before who wants to revoke it.
    TokenOwner {
        TokenOwner: "token", "a token that was issued to the caller";
    }
}
