//! The holes that an API of these tests can have: each is one check that is missing, or one that is too lenient.

/// What an API does wrong, and which entries of the battery find it out.
macro_rules! holes {
    ($($(#[doc = $doc:literal])* $hole:ident => [$($name:literal),+];)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Hole { $($(#[doc = $doc])* $hole),+ }

        impl Hole {
            pub(super) const ALL: &'static [Self] = &[$(Self::$hole),+];

            /// Exactly the entries that it accepts and must not.
            pub(super) fn found_by(self) -> Vec<&'static str> {
                match self { $(Self::$hole => vec![$($name),+]),+ }
            }
        }
    };
}

holes! {
    // Times.
    LeewayOfTenMinutes => ["expired"];
    NoExp => ["expired", "expired_an_hour_ago", "exp_missing", "exp_as_text"];
    LongExpired => ["expired_an_hour_ago"];
    ExpOptional => ["exp_missing"];
    ExpAsText => ["exp_as_text"];
    NoNbf => ["not_yet_valid"];
    NoIat => ["issued_in_the_future"];

    // Who and for whom.
    NoIssuer => ["wrong_issuer", "issuer_with_slash", "issuer_missing"];
    OtherIssuers => ["wrong_issuer"];
    TrimsIssuer => ["issuer_with_slash"];
    IssuerOptional => ["issuer_missing"];
    TrustsStaging => ["staging_issuer"];
    NoAudience => [
        "wrong_audience", "audience_prefix", "audience_other_case", "audience_missing", "duplicate_claim"
    ];
    OtherAudiences => ["wrong_audience", "duplicate_claim"];
    AudienceBegins => ["audience_prefix"];
    AudienceInAnyCase => ["audience_other_case"];
    AudienceOptional => ["audience_missing"];
    NoScope => ["scope_missing", "scope_other", "scope_prefix"];
    ScopeOptional => ["scope_missing"];
    AnyScopeOfTheApi => ["scope_other"];
    ScopeAnywhereInTheText => ["scope_prefix"];

    // Signature.
    AlgNone => ["alg_none"];
    AlgNoneInAnyOtherCase => ["alg_none_mixed_case"];
    AlgOfTheHeader => ["hs256_with_public_key"];
    NoSignature => [
        "signature_missing", "signature_changed", "payload_changed", "signature_as_der", "signature_all_zero",
        "foreign_key_same_kid", "huge"
    ];
    EmptySignature => ["signature_missing"];
    OneBitMore => ["signature_changed"];
    OtherSubject => ["payload_changed"];
    DerSignature => ["signature_as_der"];
    ZeroSignature => ["signature_all_zero"];
    AnyKid => ["unknown_kid"];
    StrangersKey => ["foreign_key_same_kid", "huge"];
    NeverForgetsKeys => ["retired_key"];
    EmbeddedJwk => ["embedded_jwk"];
    Jku => ["jku_header"];
    X5u => ["x5u_header"];

    // Form.
    NoCrit => ["crit_unknown"];
    NoTyp => ["typ_of_another_token"];
    AssertionsToo => ["client_assertion_as_token"];
    FirstOfDoubled => ["duplicate_claim"];
    FirstOfTwo => ["two_tokens"];
    AnyText => ["no_jwt"];
    TooLongToCheck => ["huge"];

    // Binding to a key.
    NoProof => ["bound_without_proof"];
    BearerToo => ["bound_as_bearer"];
    AnyProofKey => ["bound_to_another_key"];
    ProofsTwice => ["proof_replayed"];
    AnyMethod => ["proof_of_another_method"];
    AnyUrl => ["proof_of_another_url"];
    AnyToken => ["proof_of_another_token"];
    OldProofs => ["proof_expired"];
}

impl Hole {
    /// Whether only an API with bound tokens can have it.
    pub(super) fn is_about_proofs(self) -> bool {
        self.found_by()
            .iter()
            .all(|name| name.contains("proof") || name.contains("bound"))
    }
}
