//! What a token is bound to: one rule from what is demanded and what the request brings (RFC 8705 section 3,
//! RFC 9449 section 5, RFC 7800 section 3.1).

use serde_json::{Map, Value};

use super::audience::SenderConstraint;
use super::client::{AuthMethod, Client};
use super::refusal::RequestFault;

/// The member of `cnf` that names a certificate (RFC 8705 section 3.1).
const CERTIFICATE: &str = "x5t#S256";
/// The member of `cnf` that names a DPoP key (RFC 9449 section 6.1).
const KEY: &str = "jkt";

/// What a request brings to bind a token to; each is proved possession of, and is a thumbprint.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// How the client authenticated.
    pub method: AuthMethod,
    /// `x5t#S256` of the connection's certificate, whether or not the client authenticated with it.
    pub certificate: Option<&'a str>,
    /// RFC 7638 thumbprint of the key of a DPoP proof.
    pub key: Option<&'a str>,
}

/// What a token is bound to; the claim `cnf`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Confirmation {
    /// `x5t#S256` of a certificate.
    pub certificate: Option<String>,
    /// `jkt`: the RFC 7638 thumbprint of a DPoP key.
    pub key: Option<String>,
}

impl Confirmation {
    /// Binds a token of `client` for an audience of this `constraint` to what the request brings.
    ///
    /// A DPoP proof always binds. A certificate binds where it is demanded, or where the client authenticated
    /// with it and sends no proof; one that merely is on the connection (a mesh sidecar's) binds nothing.
    ///
    /// # Errors
    /// [`RequestFault::MissingConfirmation`] where client or audience demand what the request does not bring.
    pub fn bind(
        client: &Client,
        constraint: SenderConstraint,
        evidence: Evidence<'_>,
    ) -> Result<Self, RequestFault> {
        use SenderConstraint as Demand;
        let missing = match (evidence.certificate, evidence.key) {
            (_, None) if client.dpop_bound_access_tokens => "DPoP proof, demanded by the client",
            (_, None) if constraint == Demand::Dpop => "DPoP proof, demanded by the audience",
            (None, _) if client.certificate_bound_access_tokens => {
                "client certificate, demanded by the client"
            }
            (None, _) if constraint == Demand::Mtls => {
                "client certificate, demanded by the audience"
            }
            (None, None) if constraint == Demand::Any => {
                "DPoP proof and no client certificate, one of them demanded by the audience"
            }
            (certificate, key) => {
                let demanded = client.certificate_bound_access_tokens || constraint == Demand::Mtls;
                let instead = constraint == Demand::Any || evidence.method.is_mutual_tls();
                let binds = demanded || (instead && key.is_none());
                return Ok(Self {
                    certificate: certificate.filter(|_| binds).map(str::to_owned),
                    key: key.map(str::to_owned),
                });
            }
        };
        Err(RequestFault::MissingConfirmation(missing))
    }

    /// The same for a token that takes the place of one which is bound by `cnf`: a bound token never becomes one that
    /// whoever has it can use.
    ///
    /// # Errors
    /// The request proves to hold less than what `cnf` of that `token` names, and another binding may not take its place (`rebind`) or
    /// there is none.
    pub fn in_place_of(
        self,
        cnf: &Map<String, Value>,
        rebind: bool,
        (token, evidence): (&'static str, Evidence<'_>),
    ) -> Result<Self, RequestFault> {
        let (mut certificate, mut key) = (self.certificate, self.key);
        let mut unproven = None;
        for (name, value) in cnf {
            let (held, bound, what) = match name.as_str() {
                CERTIFICATE => (evidence.certificate, &mut certificate, "client certificate"),
                KEY => (evidence.key, &mut key, "DPoP proof by the key"),
                _ => (None, &mut key, "proof of a kind that is known here"),
            };
            if held.is_some() && held == value.as_str() {
                *bound = held.map(str::to_owned);
            } else {
                unproven = Some(what);
            }
        }
        match unproven {
            None => Ok(Self { certificate, key }),
            Some(what) if !rebind => Err(RequestFault::UnprovenToken { token, what }),
            Some(_) if certificate.is_some() || key.is_some() => Ok(Self { certificate, key }),
            // One that merely is on the connection will do.
            Some(_) => match evidence.certificate {
                Some(held) => Ok(Self {
                    certificate: Some(held.to_owned()),
                    key: None,
                }),
                None => Err(RequestFault::MissingConfirmation(
                    "DPoP proof and no client certificate, one of them demanded as the subject token is bound",
                )),
            },
        }
    }

    /// The claim `cnf`; nothing for a bearer token.
    #[must_use]
    pub fn to_claim(&self) -> Option<Map<String, Value>> {
        let members = [(CERTIFICATE, &self.certificate), (KEY, &self.key)];
        let claim: Map<String, Value> = members
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?.into())))
            .collect();
        (!claim.is_empty()).then_some(claim)
    }
}

/// The thumbprint of the DPoP key that a `cnf` names.
#[must_use]
pub fn bound_key(cnf: &Map<String, Value>) -> Option<&str> {
    cnf.get(KEY)?.as_str()
}

/// The `token_type` of a token whose `cnf` this is: a token bound to a key is no bearer token, one that is bound
/// to a certificate alone still has that name (RFC 9449 section 5, RFC 8705 section 3).
#[must_use]
pub fn token_type(cnf: Option<&Map<String, Value>>) -> &'static str {
    if cnf.is_some_and(|cnf| cnf.contains_key(KEY)) {
        "DPoP"
    } else {
        "Bearer"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: AuthMethod = AuthMethod::ClientSecretBasic;
    const MTLS: AuthMethod = AuthMethod::SelfSignedTlsClientAuth;
    const NONE: SenderConstraint = SenderConstraint::None;

    fn client(dpop: bool, certificate: bool) -> Client {
        Client {
            dpop_bound_access_tokens: dpop,
            certificate_bound_access_tokens: certificate,
            ..Client::bare("reader")
        }
    }

    /// `certificate`, `key`: what is bound; nothing where the request is refused.
    fn bound(
        client: &Client,
        constraint: SenderConstraint,
        (method, certificate, key): (AuthMethod, bool, bool),
    ) -> Option<(bool, bool)> {
        let evidence = Evidence {
            method,
            certificate: certificate.then_some("x5t"),
            key: key.then_some("jkt"),
        };
        let confirmation = Confirmation::bind(client, constraint, evidence).ok()?;
        Some((
            confirmation.certificate.is_some(),
            confirmation.key.is_some(),
        ))
    }

    /// 9449-01.
    #[test]
    fn what_nobody_demands_binds_by_what_the_client_does() {
        let free = client(false, false);
        assert_eq!(
            bound(&free, NONE, (SECRET, false, false)),
            Some((false, false))
        );
        assert_eq!(
            bound(&free, NONE, (SECRET, false, true)),
            Some((false, true))
        );
        assert_eq!(bound(&free, NONE, (MTLS, true, false)), Some((true, false)));
        assert_eq!(bound(&free, NONE, (MTLS, true, true)), Some((false, true)));
    }

    #[test]
    fn a_certificate_that_merely_is_there_binds_nothing() {
        let free = client(false, false);
        assert_eq!(
            bound(&free, NONE, (SECRET, true, false)),
            Some((false, false))
        );
        assert_eq!(
            bound(&free, NONE, (SECRET, true, true)),
            Some((false, true))
        );
        assert_eq!(
            bound(&free, SenderConstraint::Dpop, (SECRET, true, true)),
            Some((false, true))
        );
    }

    /// 9449-01.
    #[test]
    fn what_is_demanded_and_absent_is_refused() {
        let free = client(false, false);
        for (constraint, certificate, key) in [
            (SenderConstraint::Mtls, false, true),
            (SenderConstraint::Mtls, false, false),
            (SenderConstraint::Dpop, true, false),
            (SenderConstraint::Dpop, false, false),
            (SenderConstraint::Any, false, false),
        ] {
            assert_eq!(
                bound(&free, constraint, (SECRET, certificate, key)),
                None,
                "{constraint}"
            );
        }
        assert_eq!(bound(&client(true, false), NONE, (MTLS, true, false)), None);
        assert_eq!(
            bound(&client(false, true), NONE, (SECRET, false, true)),
            None
        );
        assert_eq!(
            bound(&client(true, true), NONE, (SECRET, true, false)),
            None
        );
        assert_eq!(
            bound(&client(true, true), NONE, (SECRET, false, true)),
            None
        );
    }

    #[test]
    fn what_is_demanded_and_there_is_bound() {
        let free = client(false, false);
        let both = (SECRET, true, true);
        assert_eq!(
            bound(&free, SenderConstraint::Mtls, (SECRET, true, false)),
            Some((true, false))
        );
        assert_eq!(
            bound(&free, SenderConstraint::Any, (SECRET, true, false)),
            Some((true, false))
        );
        assert_eq!(
            bound(&free, SenderConstraint::Any, both),
            Some((false, true))
        );
        assert_eq!(
            bound(&free, SenderConstraint::Mtls, both),
            Some((true, true))
        );
        assert_eq!(bound(&client(false, true), NONE, both), Some((true, true)));
        assert_eq!(
            bound(&client(true, false), SenderConstraint::Mtls, both),
            Some((true, true))
        );
    }

    /// EXC-05.
    #[test]
    fn a_bound_token_is_exchanged_for_one_that_is_bound_as_well() {
        let cnf = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        let (by_key, by_certificate) = (cnf(r#"{"jkt":"k"}"#), cnf(r#"{"x5t#S256":"c"}"#));
        let (both, other) = (cnf(r#"{"jkt":"k","x5t#S256":"c"}"#), cnf(r#"{"kid":"k"}"#));
        let exchanged = |cnf, rebind, certificate, key| {
            let evidence = Evidence {
                method: SECRET,
                certificate,
                key,
            };
            let bound = Confirmation::bind(&client(false, false), NONE, evidence).unwrap();
            let bound = bound
                .in_place_of(cnf, rebind, ("subject token", evidence))
                .ok()?;
            assert_ne!(bound, Confirmation::default());
            Some((bound.certificate, bound.key))
        };
        let to = |certificate: Option<&str>, key: Option<&str>| {
            Some((certificate.map(str::to_owned), key.map(str::to_owned)))
        };
        for rebind in [false, true] {
            let exchanged = |cnf, certificate, key| exchanged(cnf, rebind, certificate, key);
            assert_eq!(exchanged(&by_key, None, Some("k")), to(None, Some("k")));
            assert_eq!(
                exchanged(&by_certificate, Some("c"), None),
                to(Some("c"), None)
            );
            let two = exchanged(&both, Some("c"), Some("k"));
            assert_eq!(two, to(Some("c"), Some("k")));
            assert_eq!(exchanged(&by_key, None, None), None);
            assert_eq!(exchanged(&by_certificate, None, None), None);
            assert_eq!(exchanged(&other, None, None), None);
            let another = exchanged(&by_key, None, Some("other"));
            assert_eq!(
                another,
                if rebind {
                    to(None, Some("other"))
                } else {
                    None
                }
            );
            let another = exchanged(&by_key, Some("c"), None);
            assert_eq!(another, if rebind { to(Some("c"), None) } else { None });
            let half = exchanged(&both, None, Some("k"));
            assert_eq!(half, if rebind { to(None, Some("k")) } else { None });
            let unknown = exchanged(&other, None, Some("k"));
            assert_eq!(unknown, if rebind { to(None, Some("k")) } else { None });
        }
    }

    #[test]
    fn the_claim_names_what_is_bound_and_only_a_key_changes_the_token_type() {
        let confirmation = |certificate: Option<&str>, key: Option<&str>| Confirmation {
            certificate: certificate.map(str::to_owned),
            key: key.map(str::to_owned),
        };
        let shown = |confirmation: Confirmation| {
            let claim = confirmation.to_claim();
            let kind = token_type(claim.as_ref());
            (claim.map(|claim| Value::Object(claim).to_string()), kind)
        };
        assert_eq!(shown(confirmation(None, None)), (None, "Bearer"));
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            shown(confirmation(Some("c"), None)),
            (text(r#"{"x5t#S256":"c"}"#), "Bearer")
        );
        assert_eq!(
            shown(confirmation(None, Some("k"))),
            (text(r#"{"jkt":"k"}"#), "DPoP")
        );
        assert_eq!(shown(confirmation(Some("c"), Some("k"))).1, "DPoP");
    }
}
