//! Every entry of the battery: its name, what is due, and why.

use super::{Expectation, List, Topic, Verdict};
use crate::domain::client::named;

/// Defines the entries: the enum of their names, and what is expected of each.
macro_rules! cases {
    ($($variant:ident = $name:literal: $list:ident $topic:ident $due:ident $against:ident $standard:literal
        $why:literal $harm:literal;)+) => {
        named! {
            /// One entry of the battery, in the order in which they are sent.
            Case { $(#[doc = $why] $variant = $name),+ }
        }

        impl Case {
            /// What an API should do with it.
            #[must_use]
            pub const fn expectation(self) -> Expectation {
                match self {
                    $(Self::$variant => Expectation {
                        list: List::$list,
                        topic: Topic::$topic,
                        due: $due,
                        against: Verdict::$against,
                        standard: $standard,
                        why: $why,
                        harm: $harm,
                    }),+
                }
            }
        }
    };
}

const OK: &[u16] = &[200];
const UNAUTHORIZED: &[u16] = &[401];
const FORBIDDEN: &[u16] = &[403];
/// RFC 6750 section 3.1 has 400 for a request that is malformed, and many servers see no more than a bad token.
const UNAUTHORIZED_OR_BAD: &[u16] = &[400, 401];
/// Whatever stands in front of an API may refuse what is too long.
const ANY_4XX: &[u16] = &FOUR_HUNDREDS;

const FOUR_HUNDREDS: [u16; 100] = {
    let mut all = [0; 100];
    let mut status = 400;
    let mut rest: &mut [u16] = &mut all;
    while let [first, others @ ..] = rest {
        *first = status;
        status += 1;
        rest = others;
    }
    all
};

cases! {
    Good = "good": Accept Whole OK Fault "RFC 9068 section 4"
        "It is what a client gets that asks for a token."
        "";
    OtherClient = "other_client": Accept Whole OK Note "RFC 9068 section 4"
        "Another client got it for the same API and with the same scope."
        "";
    AudienceAsArray = "audience_as_array": Accept Audience OK Note "RFC 7519 section 4.1.3"
        "`aud` is a list with the API as its only member, which says the same as the text alone."
        "";
    UnknownClaim = "unknown_claim": Accept Form OK Note "RFC 7519 section 4"
        "It has a claim that the API does not know, and such claims are ignored."
        "";
    NextKey = "next_key": Accept Keys OK Note "OpenID Connect Core section 10.1.1"
        "It is signed by the key that signs next: it is in the JWKS, which is read again for an unknown `kid`."
        "";
    TypFullMediaType = "typ_full_media_type": Accept Type OK Note "RFC 9068 section 4"
        "`typ` is application/at+jwt, which is at+jwt written in full."
        "";
    ExpAsFraction = "exp_as_fraction": Accept Times OK Note "RFC 7519 section 2"
        "`exp` has a fraction of a second, which a `NumericDate` may have."
        "";

    Expired = "expired": Refuse Times UNAUTHORIZED Hole "RFC 7519 section 4.1.4"
        "It expired two minutes ago, longer than any usual leeway."
        "A token that leaked is good beyond its end.";
    ExpiredAnHourAgo = "expired_an_hour_ago": Refuse Times UNAUTHORIZED Hole "RFC 7519 section 4.1.4"
        "It expired an hour ago."
        "A token that leaked, into an old log for example, is good for as long as its key is published.";
    NotYetValid = "not_yet_valid": Refuse Times UNAUTHORIZED Hole "RFC 7519 section 4.1.5"
        "It begins to be valid in ten minutes (`nbf`)."
        "A token that was made for later is good now.";
    IssuedInTheFuture = "issued_in_the_future": Refuse Times UNAUTHORIZED Note "RFC 7519 section 4.1.6"
        "It was issued an hour from now: a clock is wrong, or somebody made it up."
        "Tokens can be made in advance by whoever once has the key.";
    ExpMissing = "exp_missing": Refuse Times UNAUTHORIZED Hole "RFC 9068 section 2.2"
        "It has no `exp`, so it would never expire."
        "A token without an end is good for ever once it leaks.";
    ExpAsText = "exp_as_text": Refuse Times UNAUTHORIZED Hole "RFC 7519 section 4.1.4"
        "`exp` is a text where a number is due."
        "A comparison of text with numbers may always hold, and then the token never expires.";

    WrongIssuer = "wrong_issuer": Refuse Issuer UNAUTHORIZED Hole "RFC 9068 section 4"
        "`iss` is not the issuer that the API trusts."
        "Any issuer whose keys the API has, that of another tenant for example, can speak for yours.";
    IssuerWithSlash = "issuer_with_slash": Refuse Issuer UNAUTHORIZED Hole "RFC 9068 section 4"
        "`iss` is the issuer with a slash after it, and issuers are compared byte for byte."
        "Issuers are compared leniently, so one with a similar URL may pass for yours.";
    IssuerMissing = "issuer_missing": Refuse Issuer UNAUTHORIZED Hole "RFC 9068 section 2.2"
        "It has no `iss`, so it does not say who issued it."
        "Any issuer whose keys the API has can speak for yours by naming nobody.";
    StagingIssuer = "staging_issuer": Refuse Issuer UNAUTHORIZED Hole "RFC 9068 section 4"
        "Another issuer made it with its own key, as that of a staging environment would."
        "Whoever gets a token in staging gets into production.";
    WrongAudience = "wrong_audience": Refuse Audience UNAUTHORIZED Hole "RFC 9068 section 4"
        "It is for another API."
        "Every API can use here the tokens that it receives.";
    AudiencePrefix = "audience_prefix": Refuse Audience UNAUTHORIZED Hole "RFC 9068 section 4"
        "It is for another API, whose name begins with this one's."
        "An API with a longer name can use here the tokens that it receives.";
    AudienceOtherCase = "audience_other_case": Refuse Audience UNAUTHORIZED Hole "RFC 7519 section 4.1.3"
        "`aud` is the API in another case, and names are compared exactly."
        "An API whose name differs in case alone can use here the tokens that it receives.";
    AudienceMissing = "audience_missing": Refuse Audience UNAUTHORIZED Hole "RFC 9068 section 2.2"
        "It has no `aud`, so it does not say which API it is for."
        "A token that was made for something else, an ID token for example, is good here.";
    ScopeMissing = "scope_missing": Refuse Scope FORBIDDEN Hole "RFC 6750 section 3.1"
        "It has no scope."
        "Every client that may call the API at all may do everything.";
    ScopeOther = "scope_other": Refuse Scope FORBIDDEN Hole "RFC 6750 section 3.1"
        "Its scope is another one than the request needs."
        "A client with any scope may do everything.";
    ScopePrefix = "scope_prefix": Refuse Scope FORBIDDEN Hole "RFC 6749 section 3.3"
        "Each of its scopes begins with one that the request needs, and is another one."
        "A lesser scope with a longer name, such as read-own beside read, gives the greater one.";

    AlgNone = "alg_none": Refuse Algorithm UNAUTHORIZED Hole "RFC 8725 section 3.2"
        "`alg` is none: it is not signed."
        "Anyone can write a token with any content.";
    AlgNoneMixedCase = "alg_none_mixed_case": Refuse Algorithm UNAUTHORIZED Hole "RFC 8725 section 3.2"
        "`alg` is nOnE: it is not signed, which a comparison with none misses."
        "Anyone can write a token with any content.";
    Hs256WithPublicKey = "hs256_with_public_key": Refuse Algorithm UNAUTHORIZED Hole "RFC 8725 section 2.1"
        "`alg` is HS256, and the secret is the issuer's public key."
        "Everybody has the public key, so anyone can sign a token with any content.";
    SignatureMissing = "signature_missing": Refuse Signature UNAUTHORIZED Hole "RFC 7515 section 5.2"
        "Its signature is empty."
        "Anyone can write a token with any content.";
    SignatureChanged = "signature_changed": Refuse Signature UNAUTHORIZED Hole "RFC 7515 section 5.2"
        "One bit of its signature is changed."
        "Anyone can write a token with any content.";
    PayloadChanged = "payload_changed": Refuse Signature UNAUTHORIZED Hole "RFC 7515 section 5.2"
        "Its `sub` was changed after it was signed."
        "Whoever has a token can make it say anything.";
    SignatureAsDer = "signature_as_der": Refuse Signature UNAUTHORIZED Hole "RFC 7518 section 3.4"
        "Its signature is in DER, where JWS has two numbers of 32 bytes each."
        "One token has several texts, so whatever knows tokens by their text, a list of blocked ones for example, \
         misses some.";
    SignatureAllZero = "signature_all_zero": Refuse Signature UNAUTHORIZED Hole "RFC 7515 section 5.2"
        "Its signature is all zeros, which broken libraries took for right (CVE-2022-21449)."
        "Anyone can write a token with any content.";
    UnknownKid = "unknown_kid": Refuse Keys UNAUTHORIZED Hole "RFC 7515 section 4.1.4"
        "Its `kid` names no key of the issuer."
        "A key counts whatever it is called, so one that is meant for something else does, too.";
    ForeignKeySameKid = "foreign_key_same_kid": Refuse Signature UNAUTHORIZED Hole "RFC 7515 section 5.2"
        "It is signed by a stranger's key under the `kid` of the issuer's."
        "Anyone can sign a token with any content.";
    RetiredKey = "retired_key": Refuse Keys UNAUTHORIZED Hole "OpenID Connect Core section 10.1.1"
        "It is signed by a key that the issuer has withdrawn from its JWKS."
        "A key that was withdrawn because it leaked goes on signing tokens.";
    EmbeddedJwk = "embedded_jwk": Refuse Keys UNAUTHORIZED Hole "RFC 7515 section 4.1.3"
        "It brings a stranger's key in its header (`jwk`) and is signed by that."
        "Anyone can sign a token with any content.";
    JkuHeader = "jku_header": Refuse Keys UNAUTHORIZED Hole "RFC 8725 section 3.10"
        "Its header names a URL with a stranger's key (`jku`), and it is signed by that."
        "Anyone can sign a token with any content, and make the API fetch any URL.";
    X5uHeader = "x5u_header": Refuse Keys UNAUTHORIZED Hole "RFC 8725 section 3.10"
        "Its header names a URL with a stranger's certificate (`x5u`), and it is signed by that one's key."
        "Anyone can sign a token with any content, and make the API fetch any URL.";

    CritUnknown = "crit_unknown": Refuse Form UNAUTHORIZED Hole "RFC 7515 section 4.1.11"
        "`crit` names an extension that must be understood, and nobody knows it."
        "Conditions that an issuer puts on a token are ignored.";
    TypOfAnotherToken = "typ_of_another_token": Refuse Type UNAUTHORIZED Hole "RFC 8725 section 3.11"
        "Its `typ` says that it is a security event (secevent+jwt) and no access token."
        "What the issuer signs for another purpose is good as an access token.";
    ClientAssertionAsToken = "client_assertion_as_token": Refuse Type UNAUTHORIZED Hole "RFC 8725 section 3.12"
        "It is an assertion by which a client authenticates, and no access token."
        "Whoever receives a client's assertion can call the API as that client.";
    DuplicateClaim = "duplicate_claim": Refuse Form UNAUTHORIZED Hole "RFC 7519 section 4"
        "It has `aud` twice: first this API, and last another one."
        "A gateway and the API can read two different tokens from one text.";
    TwoTokens = "two_tokens": Refuse Form UNAUTHORIZED_OR_BAD Hole "RFC 6750 section 2"
        "Two tokens are sent at once."
        "A gateway can check one token while the API acts on the other.";
    NoJwt = "no_jwt": Refuse Form UNAUTHORIZED Hole "RFC 6750 section 3.1"
        "It is a random text and no JWT."
        "Anything passes for a token.";
    Huge = "huge": Refuse Form ANY_4XX Hole "RFC 6585 section 5"
        "It is 64 KiB long, and a stranger's key signed it."
        "Anyone can sign a token with any content.";

    BoundWithoutProof = "bound_without_proof": Refuse Binding UNAUTHORIZED Hole "RFC 9449 section 7.1, RFC 8705 section 3"
        "It is bound to a key or a certificate, and nothing shows that the sender has that."
        "A bound token that was stolen is good without its key.";
    BoundToAnotherCertificate = "bound_to_another_certificate": Refuse Binding UNAUTHORIZED Hole "RFC 8705 section 3"
        "It is bound to another certificate than the sender shows."
        "A bound token that was stolen is good with any certificate.";
    BoundToAnotherKey = "bound_to_another_key": Refuse Binding UNAUTHORIZED Hole "RFC 9449 section 4.3"
        "It is bound to another key than the one that signed the proof."
        "A bound token that was stolen is good with any key.";
    ProofReplayed = "proof_replayed": Refuse Binding UNAUTHORIZED Note "RFC 9449 section 11.1"
        "Its proof was used before, with `good`."
        "Whoever sees a request can send it again for as long as its proof lives.";
    ProofOfAnotherMethod = "proof_of_another_method": Refuse Binding UNAUTHORIZED Hole "RFC 9449 section 4.3"
        "Its proof is for another method (`htm`)."
        "A proof that was seen in a harmless request is good for another one.";
    ProofOfAnotherUrl = "proof_of_another_url": Refuse Binding UNAUTHORIZED Hole "RFC 9449 section 4.3"
        "Its proof is for another URL (`htu`)."
        "Any server that receives a proof can use it here.";
    ProofOfAnotherToken = "proof_of_another_token": Refuse Binding UNAUTHORIZED Hole "RFC 9449 section 4.3"
        "Its proof is for another token (`ath`)."
        "A proof that was seen beside one token is good for all tokens of its key.";
    ProofExpired = "proof_expired": Refuse Binding UNAUTHORIZED Hole "RFC 9449 section 4.3"
        "Its proof was made an hour ago (`iat`)."
        "Proofs that were stored or leaked are good for ever.";
    BoundAsBearer = "bound_as_bearer": Refuse Binding UNAUTHORIZED Hole "RFC 9449 section 7.2"
        "It is bound to a key and sent as a plain Bearer token."
        "A bound token that was stolen is good without its key.";

    Revoked = "revoked": Refuse State UNAUTHORIZED Hole "RFC 7662 section 2.2"
        "It has been revoked."
        "A token that was revoked because it leaked is good until its end.";
    ClientDisabled = "client_disabled": Refuse State UNAUTHORIZED Hole "RFC 7662 section 2.2"
        "The client that got it has been disabled since."
        "A client that was stopped goes on until its tokens end.";
}
