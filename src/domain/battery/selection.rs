//! Which entries the battery has for one API.

use super::flaws::in_other_case;
use super::{Case, Topic};
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::audience::JwtTyp;
use crate::domain::client::named;

named! {
    /// What all tokens of a battery are bound to.
    Binding {
        /// A key that signs a proof for each request, RFC 9449.
        Dpop = "dpop",
        /// A client certificate, RFC 8705.
        Mtls = "mtls",
    }
}

/// What is known of the API and its audience.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The audience.
    pub audience: &'a str,
    /// What signs its tokens.
    pub algorithm: SigningAlgorithm,
    /// Their `typ`.
    pub jwt_typ: JwtTyp,
    /// Whether requests need a scope.
    pub has_scope: bool,
    /// Whether there is a second client.
    pub has_other_client: bool,
    /// What the tokens are bound to, if anything.
    pub binding: Option<Binding>,
    /// Whether the API asks at each request whether a token still holds.
    pub introspects: bool,
}

/// The entries for `subject`, in the order in which they are sent.
pub fn entries(subject: Subject<'_>) -> impl Iterator<Item = Case> {
    let all = Case::ALL.iter().copied();
    all.filter(move |case| subject.has(*case))
}

impl Subject<'_> {
    fn has(&self, case: Case) -> bool {
        match case {
            Case::OtherClient => self.has_other_client,
            Case::TypFullMediaType => self.jwt_typ == JwtTyp::AccessToken,
            Case::AudienceOtherCase => in_other_case(self.audience) != self.audience,
            Case::SignatureAsDer => self.algorithm == SigningAlgorithm::Es256,
            Case::BoundWithoutProof => self.binding.is_some(),
            Case::BoundToAnotherCertificate => self.binding == Some(Binding::Mtls),
            _ => match case.expectation().topic {
                Topic::Scope => self.has_scope,
                Topic::Binding => self.binding == Some(Binding::Dpop),
                Topic::State => self.introspects,
                _ => true,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Subject<'_> = Subject {
        audience: "pricing-api",
        algorithm: SigningAlgorithm::Es256,
        jwt_typ: JwtTyp::AccessToken,
        has_scope: true,
        has_other_client: true,
        binding: None,
        introspects: false,
    };

    fn names(subject: Subject<'_>) -> Vec<&'static str> {
        entries(subject).map(Case::as_str).collect()
    }

    /// What `more` has that `less` lacks.
    fn only_in(more: Subject<'_>, less: Subject<'_>) -> String {
        let less = names(less);
        let only = names(more).into_iter().filter(|it| !less.contains(it));
        only.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_api_gets_the_entries_that_it_can_be_right_about() {
        assert_eq!(names(PLAIN).first(), Some(&"good"));
        for (subject, lacks) in [
            (
                Subject {
                    has_other_client: false,
                    ..PLAIN
                },
                "other_client",
            ),
            (
                Subject {
                    jwt_typ: JwtTyp::Jwt,
                    ..PLAIN
                },
                "typ_full_media_type",
            ),
            (
                Subject {
                    audience: "1234",
                    ..PLAIN
                },
                "audience_other_case",
            ),
            (
                Subject {
                    algorithm: SigningAlgorithm::Rs256,
                    ..PLAIN
                },
                "signature_as_der",
            ),
            (
                Subject {
                    has_scope: false,
                    ..PLAIN
                },
                "scope_missing scope_other scope_prefix",
            ),
        ] {
            assert_eq!(only_in(PLAIN, subject), lacks);
            assert_eq!(only_in(subject, PLAIN), "");
        }
        for (subject, adds) in [
            (
                Subject {
                    introspects: true,
                    ..PLAIN
                },
                "revoked client_disabled",
            ),
            (
                Subject {
                    binding: Some(Binding::Mtls),
                    ..PLAIN
                },
                "bound_without_proof bound_to_another_certificate",
            ),
            (
                Subject {
                    binding: Some(Binding::Dpop),
                    ..PLAIN
                },
                "bound_without_proof bound_to_another_key proof_replayed proof_of_another_method proof_of_another_url \
                 proof_of_another_token proof_expired bound_as_bearer",
            ),
        ] {
            assert_eq!(only_in(subject, PLAIN), adds);
            assert_eq!(only_in(PLAIN, subject), "");
        }
    }
}
