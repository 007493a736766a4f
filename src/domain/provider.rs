//! The providers whose tokens tell who a workload is, and what stands in them: so that `grantd dev` can play each of
//! them. The shapes are those of the providers' documentation.

use serde_json::{Map, Value, json};

use super::algorithm::SigningAlgorithm;
use super::client::named;
use super::timestamp::{Seconds, Timestamp};

named! {
    /// Somebody who gives workloads signed statements of who they are.
    Provider {
        /// GitHub Actions, <https://docs.github.com/actions/reference/security/oidc>.
        Github = "github",
        /// GitLab CI/CD, <https://docs.gitlab.com/ci/secrets/id_token_authentication/>.
        Gitlab = "gitlab",
        /// Bound service account tokens of Kubernetes (KEP-1205).
        Kubernetes = "kubernetes",
        /// JWT-SVIDs of SPIFFE.
        Spiffe = "spiffe",
    }
}

/// What every token has, whoever gives it.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The `iss`.
    pub issuer: &'a str,
    /// For whom it is.
    pub audience: &'a str,
    /// When it is given.
    pub issued_at: Timestamp,
    /// How long it is good.
    pub lifetime: Seconds,
    /// A name that no other token has: 22 characters of base64url.
    pub id: &'a str,
}

impl Provider {
    /// What signs its tokens.
    #[must_use]
    pub const fn algorithm(self) -> SigningAlgorithm {
        match self {
            Self::Github | Self::Gitlab | Self::Kubernetes => SigningAlgorithm::Rs256,
            Self::Spiffe => SigningAlgorithm::Es256,
        }
    }

    /// The `typ` of its tokens; Kubernetes writes none.
    #[must_use]
    pub const fn typ(self) -> Option<&'static str> {
        match self {
            Self::Github | Self::Gitlab | Self::Spiffe => Some("JWT"),
            Self::Kubernetes => None,
        }
    }

    /// The `use` of its keys: a SPIFFE bundle says which of its keys are for JWT-SVIDs.
    #[must_use]
    pub const fn key_use(self) -> &'static str {
        match self {
            Self::Spiffe => "jwt-svid",
            _ => "sig",
        }
    }

    /// How long its tokens are good where nobody says.
    #[must_use]
    pub const fn lifetime(self) -> Seconds {
        match self {
            Self::Github | Self::Spiffe => Seconds::new(300),
            Self::Gitlab | Self::Kubernetes => Seconds::new(3600),
        }
    }

    /// The claims of a token.
    #[must_use]
    pub fn claims(self, frame: &Frame<'_>) -> Map<String, Value> {
        let mut claims = match self {
            Self::Github => github(),
            Self::Gitlab => gitlab(),
            Self::Kubernetes => kubernetes(),
            Self::Spiffe => json!({ "sub": "spiffe://example.org/ns/jobs/sa/nightly" }),
        };
        let (begin, end) = (frame.issued_at, frame.issued_at.plus(frame.lifetime));
        for (name, value) in [
            ("iss", json!(frame.issuer)),
            ("aud", self.audience(frame)),
            ("iat", json!(begin.unix())),
            ("exp", json!(end.unix())),
        ] {
            insert(&mut claims, name, value);
        }
        if let Some(early) = self.not_before(begin) {
            insert(&mut claims, "nbf", json!(early.unix()));
        }
        if self != Self::Spiffe {
            insert(&mut claims, "jti", json!(frame.id));
        }
        match claims {
            Value::Object(claims) => claims,
            _ => Map::new(),
        }
    }

    /// Those whose tokens may be for several write a list.
    fn audience(self, frame: &Frame<'_>) -> Value {
        match self {
            Self::Github | Self::Gitlab => json!(frame.audience),
            Self::Kubernetes | Self::Spiffe => json!([frame.audience]),
        }
    }

    /// GitHub and GitLab allow for clocks that are behind.
    fn not_before(self, begin: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Github => Some(begin.minus(Seconds::new(600))),
            Self::Gitlab => Some(begin.minus(Seconds::new(5))),
            Self::Kubernetes => Some(begin),
            Self::Spiffe => None,
        }
    }
}

fn insert(claims: &mut Value, name: &str, value: Value) {
    if let Value::Object(claims) = claims {
        claims.insert(name.to_owned(), value);
    }
}

fn github() -> Value {
    json!({
        "sub": "repo:acme/shop:environment:production",
        "actor": "octocat",
        "actor_id": "12",
        "base_ref": "",
        "environment": "production",
        "environment_node_id": "EN_kwDOAAAAAc4AAAAB",
        "event_name": "push",
        "head_ref": "",
        "job_workflow_ref": "acme/shop/.github/workflows/deploy.yml@refs/heads/main",
        "job_workflow_sha": SHA,
        "ref": "refs/heads/main",
        "ref_protected": "true",
        "ref_type": "branch",
        "repository": "acme/shop",
        "repository_id": "74",
        "repository_owner": "acme",
        "repository_owner_id": "65",
        "repository_visibility": "private",
        "run_attempt": "1",
        "run_id": "9876543210",
        "run_number": "10",
        "runner_environment": "github-hosted",
        "sha": SHA,
        "workflow": "deploy",
        "workflow_ref": "acme/shop/.github/workflows/deploy.yml@refs/heads/main",
        "workflow_sha": SHA,
    })
}

fn gitlab() -> Value {
    json!({
        "sub": "project_path:acme/shop:ref_type:branch:ref:main",
        "ci_config_ref_uri": "gitlab.example/acme/shop//.gitlab-ci.yml@refs/heads/main",
        "ci_config_sha": SHA,
        "deployment_tier": "production",
        "environment": "production",
        "environment_action": "start",
        "environment_protected": "true",
        "groups_direct": ["acme"],
        "job_id": "302",
        "namespace_id": "65",
        "namespace_path": "acme",
        "pipeline_id": "574",
        "pipeline_source": "push",
        "project_id": "74",
        "project_path": "acme/shop",
        "project_visibility": "private",
        "ref": "main",
        "ref_path": "refs/heads/main",
        "ref_protected": "true",
        "ref_type": "branch",
        "runner_environment": "gitlab-hosted",
        "runner_id": 1,
        "sha": SHA,
        "user_access_level": "maintainer",
        "user_email": "octocat@acme.example",
        "user_id": "12",
        "user_login": "octocat",
    })
}

fn kubernetes() -> Value {
    json!({
        "sub": "system:serviceaccount:jobs:nightly",
        "kubernetes.io": {
            "namespace": "jobs",
            "node": { "name": "node-1", "uid": "646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1" },
            "pod": { "name": "nightly-29104", "uid": "b8dbcbc9-1c5f-4a4f-9e5e-1d7c1a1d2f66" },
            "serviceaccount": { "name": "nightly", "uid": "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798" },
        },
    })
}

/// A commit.
const SHA: &str = "8d7e3f9c0b1a2d4e5f60718293a4b5c6d7e8f901";

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(provider: Provider) -> Value {
        let frame = Frame {
            issuer: "http://127.0.0.1:9/_test/issuers/x",
            audience: "http://localhost:8080",
            issued_at: Timestamp::from_unix(1_800_000_000),
            lifetime: provider.lifetime(),
            id: "the id",
        };
        Value::Object(provider.claims(&frame))
    }

    #[test]
    fn each_provider_has_its_own_subject_and_audience_and_all_have_an_end() {
        for (provider, subject, audience) in [
            (
                Provider::Github,
                "repo:acme/shop:environment:production",
                json!("http://localhost:8080"),
            ),
            (
                Provider::Gitlab,
                "project_path:acme/shop:ref_type:branch:ref:main",
                json!("http://localhost:8080"),
            ),
            (
                Provider::Kubernetes,
                "system:serviceaccount:jobs:nightly",
                json!(["http://localhost:8080"]),
            ),
            (
                Provider::Spiffe,
                "spiffe://example.org/ns/jobs/sa/nightly",
                json!(["http://localhost:8080"]),
            ),
        ] {
            let claims = claims(provider);
            assert_eq!(claims["sub"], subject);
            assert_eq!(claims["aud"], audience);
            assert_eq!(claims["iss"], "http://127.0.0.1:9/_test/issuers/x");
            let lifetime = i64::from(provider.lifetime().get());
            assert_eq!(claims["exp"], 1_800_000_000 + lifetime);
            assert!(
                claims
                    .get("nbf")
                    .is_none_or(|nbf| nbf.as_i64() <= Some(1_800_000_000))
            );
            assert_eq!(claims.get("jti").is_some(), provider != Provider::Spiffe);
        }
        assert_eq!(claims(Provider::Github)["repository_id"], "74", "a text");
        assert_eq!(
            claims(Provider::Kubernetes)["kubernetes.io"]["namespace"],
            "jobs"
        );
    }
}
