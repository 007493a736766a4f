//! What a token is bound to: `cnf` of RFC 7800, by certificate (RFC 8705 section 3) or by key (RFC 9449 section 6).

use serde_json::{Map, Value};

use super::audience::SenderConstraint;
use super::client::{AuthMethod, Client};
use super::refusal::RequestFault;

/// What a token is bound to, or what a request brings to bind to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confirmation {
    /// The `x5t#S256` of a certificate whose key the caller holds.
    pub certificate: Option<String>,
    /// The `jkt`, the RFC 7638 thumbprint of a DPoP key that the caller holds.
    pub key: Option<String>,
}

/// What decides about the binding of one token.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    certificate: Option<&'static str>,
    key: Option<&'static str>,
    either: bool,
    by_certificate: bool,
}

impl Demand {
    /// The demands of a client that authenticated by `method`, for a token of an audience.
    #[must_use]
    pub const fn new(client: &Client, method: AuthMethod, audience: SenderConstraint) -> Self {
        let certificate = if client.certificate_bound_access_tokens {
            Some("a client certificate, demanded by the client")
        } else if matches!(audience, SenderConstraint::Mtls) {
            Some("a client certificate, demanded by the audience")
        } else {
            None
        };
        let key = if client.dpop_bound_access_tokens {
            Some("a DPoP proof, demanded by the client")
        } else if matches!(audience, SenderConstraint::Dpop) {
            Some("a DPoP proof, demanded by the audience")
        } else {
            None
        };
        Self {
            certificate,
            key,
            either: matches!(audience, SenderConstraint::Any),
            by_certificate: method.is_mutual_tls(),
        }
    }

    /// What the token is bound to, of what the request `brings`. A DPoP proof always binds; a certificate only
    /// where it authenticated the client and no proof was sent, or where a binding is demanded: one that merely is
    /// on the connection (a mesh sidecar's) is none of ours.
    ///
    /// # Errors
    /// [`RequestFault::MissingConfirmation`] where what is demanded is absent.
    pub fn bind(self, brings: Confirmation) -> Result<Confirmation, RequestFault> {
        if let (Some(demand), None) = (self.certificate, &brings.certificate) {
            return Err(RequestFault::MissingConfirmation(demand));
        }
        if let (Some(demand), None) = (self.key, &brings.key) {
            return Err(RequestFault::MissingConfirmation(demand));
        }
        if self.either && brings == Confirmation::default() {
            let demand = "a client certificate or a DPoP proof, demanded by the audience";
            return Err(RequestFault::MissingConfirmation(demand));
        }
        let instead_of_key = brings.key.is_none() && (self.by_certificate || self.either);
        let binds = self.certificate.is_some() || instead_of_key;
        Ok(Confirmation { certificate: brings.certificate.filter(|_| binds), key: brings.key })
    }
}

impl Confirmation {
    /// The claim `cnf`; none where the token is bound to nothing.
    #[must_use]
    pub fn claim(self) -> Option<Map<String, Value>> {
        let mut members = Map::new();
        for (name, value) in [("x5t#S256", self.certificate), ("jkt", self.key)] {
            if let Some(value) = value {
                members.insert(name.to_owned(), Value::String(value));
            }
        }
        (!members.is_empty()).then_some(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMANDS_NOTHING: Demand =
        Demand { certificate: None, key: None, either: false, by_certificate: false };

    fn brings(certificate: bool, key: bool) -> Confirmation {
        Confirmation {
            certificate: certificate.then(|| "C".to_owned()),
            key: key.then(|| "K".to_owned()),
        }
    }

    /// Binds for each of: nothing, a certificate, a key, both.
    fn bound(demand: Demand) -> [Option<Confirmation>; 4] {
        [(false, false), (true, false), (false, true), (true, true)]
            .map(|(certificate, key)| demand.bind(brings(certificate, key)).ok())
    }

    #[test]
    fn a_certificate_that_merely_is_there_binds_nothing() {
        let none = Some(brings(false, false));
        let key = Some(brings(false, true));
        assert_eq!(bound(DEMANDS_NOTHING), [none.clone(), none, key.clone(), key]);
    }

    #[test]
    fn a_certificate_that_authenticated_binds_unless_a_proof_does() {
        let demand = Demand { by_certificate: true, ..DEMANDS_NOTHING };
        let key = Some(brings(false, true));
        assert_eq!(bound(demand)[1..], [Some(brings(true, false)), key.clone(), key]);
    }

    #[test]
    fn what_is_demanded_and_absent_is_refused_8705_07() {
        let certificate = Demand { certificate: Some("c"), ..DEMANDS_NOTHING };
        let both = Some(brings(true, true));
        assert_eq!(bound(certificate), [None, Some(brings(true, false)), None, both.clone()]);
        let key = Demand { key: Some("k"), ..DEMANDS_NOTHING };
        assert_eq!(bound(key), [None, None, Some(brings(false, true)), Some(brings(false, true))]);
        let two = Demand { certificate: Some("c"), ..key };
        assert_eq!(bound(two), [None, None, None, both]);
        let either = Demand { either: true, ..DEMANDS_NOTHING };
        let key = Some(brings(false, true));
        assert_eq!(bound(either), [None, Some(brings(true, false)), key.clone(), key]);
    }

    #[test]
    fn the_claim_holds_what_is_bound_and_no_more_8705_06() {
        assert_eq!(brings(false, false).claim(), None);
        let claim = Value::Object(brings(true, true).claim().unwrap());
        assert_eq!(claim, serde_json::json!({ "x5t#S256": "C", "jkt": "K" }));
    }
}
