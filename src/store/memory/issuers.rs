//! All trusted issuers in memory: they are few, and a request names one by what its token says.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::identifier::IssuerId;
use crate::domain::trusted_issuer::TrustedIssuer;

/// Every issuer that there was at one moment.
#[derive(Debug, Default)]
pub struct Issuers {
    /// Sorted by id.
    all: Vec<Arc<TrustedIssuer>>,
    by_url: HashMap<String, Arc<TrustedIssuer>>,
    by_trust_domain: HashMap<String, Arc<TrustedIssuer>>,
}

impl Issuers {
    /// The issuer that its tokens call by exactly this `iss`.
    #[must_use]
    pub fn by_url(&self, url: &str) -> Option<&Arc<TrustedIssuer>> {
        self.by_url.get(url)
    }

    /// The issuer of the SPIFFE trust domain of this name, without a scheme.
    #[must_use]
    pub fn of_trust_domain(&self, name: &str) -> Option<&Arc<TrustedIssuer>> {
        self.by_trust_domain.get(name)
    }

    /// The issuer that we call by this id.
    #[must_use]
    pub fn get(&self, id: &IssuerId) -> Option<&Arc<TrustedIssuer>> {
        let place = self.all.binary_search_by(|issuer| issuer.id.cmp(id)).ok()?;
        self.all.get(place)
    }

    /// All of them, sorted by id.
    #[must_use]
    pub fn all(&self) -> &[Arc<TrustedIssuer>] {
        &self.all
    }
}

impl FromIterator<TrustedIssuer> for Issuers {
    fn from_iter<I: IntoIterator<Item = TrustedIssuer>>(issuers: I) -> Self {
        let mut all: Vec<_> = issuers.into_iter().map(Arc::new).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        let each = || all.iter().map(|issuer| (issuer, Arc::clone(issuer)));
        let of_domain = |(issuer, it): (&Arc<TrustedIssuer>, _)| {
            issuer.trust_domain().map(|name| (name.to_owned(), it))
        };
        Self {
            by_url: each()
                .map(|(issuer, it)| (issuer.url.to_string(), it))
                .collect(),
            by_trust_domain: each().filter_map(of_domain).collect(),
            all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(id: &str, url: &str) -> TrustedIssuer {
        serde_json::from_value(serde_json::json!({ "id": id, "url": url })).unwrap()
    }

    /// FED-01: another case, or one more slash, is another issuer.
    #[test]
    fn an_issuer_is_found_by_its_url_byte_for_byte() {
        let issuers: Issuers = [
            issuer("mesh", "spiffe://example.org"),
            issuer("ci", "https://ci.example"),
        ]
        .into_iter()
        .collect();
        let called = |found: Option<&Arc<TrustedIssuer>>| found.map(|it| it.id.to_string());
        for (url, id) in [
            ("https://ci.example", Some("ci")),
            ("https://ci.example/", None),
            ("https://CI.example", None),
            ("HTTPS://ci.example", None),
            ("spiffe://example.org", Some("mesh")),
            ("example.org", None),
            ("", None),
        ] {
            assert_eq!(called(issuers.by_url(url)).as_deref(), id, "{url}");
        }
        for (domain, id) in [
            ("example.org", Some("mesh")),
            ("ci.example", None),
            ("example.org/a", None),
            ("spiffe://example.org", None),
        ] {
            assert_eq!(
                called(issuers.of_trust_domain(domain)).as_deref(),
                id,
                "{domain}"
            );
        }
        for id in ["ci", "mesh"] {
            let id = IssuerId::parse(id).unwrap();
            assert_eq!(called(issuers.get(&id)).as_deref(), Some(id.as_str()));
        }
        assert!(issuers.get(&IssuerId::parse("m").unwrap()).is_none());
        assert_eq!(issuers.all().len(), 2);
    }
}
