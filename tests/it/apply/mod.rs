//! Applying catalogs: the plan, and what stands in the database afterwards.

mod audit;
mod meanwhile;
mod removals;
mod retirement;
mod rules;

use std::collections::BTreeMap;

use grantd::config::catalog::write::to_toml;
use grantd::config::catalog::{Catalog, CatalogOptions};
use grantd::crypto::random;
use grantd::crypto::sealing::{SealingKey, SealingKeys};
use grantd::crypto::secret_hash::{self, HashCost};
use grantd::domain::credential::{Credential, SecretForm};
use grantd::domain::identifier::ClientId;
use grantd::domain::secret_format::Secret;
use grantd::domain::timestamp::Seconds;
use grantd::operations::apply_catalog::{Action, ApplyOptions, Plan, Step, Subject, apply_catalog};
use grantd::store::{DatabaseOptions, Store};

use crate::harness::*;

impl Env {
    async fn apply_with(&self, catalog: &str, options: ApplyOptions<'_>) -> Result<Plan, String> {
        apply_catalog(&self.store, &parsed(catalog), options)
            .await
            .map(|(plan, _)| plan)
            .map_err(|error| error.to_string())
    }

    /// What `grantd export` prints.
    pub(crate) async fn exported(&self) -> String {
        let audiences = self.store.all_audiences().await.unwrap();
        let issuers = self.store.load_issuers().await.unwrap().value;
        to_toml(
            &audiences,
            &issuers,
            &self.store.all_clients().await.unwrap(),
        )
        .unwrap()
    }

    /// The same database, on connections of another process.
    fn other_store(&self) -> Store {
        let other = Store::open(DatabaseOptions::new(self.database.url.clone())).unwrap();
        other.following(self.clock.clone())
    }

    pub(crate) async fn credentials(&self, client: &str) -> Vec<Credential> {
        let id = ClientId::parse(client).unwrap();
        self.store
            .load_client(&id)
            .await
            .unwrap()
            .value
            .unwrap()
            .credentials
    }
}

fn parsed(catalog: &str) -> Catalog {
    let none = |_: &str| None;
    Catalog::parse("test.toml", catalog, &CatalogOptions::dev(&none)).unwrap()
}

/// The plan, a line a step; ids of credentials, which are random, are left out.
fn lines(plan: &Plan) -> Vec<String> {
    let line = |step: &Step| {
        let name = match step.subject {
            Subject::Credential => step.name.rsplit_once(' ').unwrap().0,
            _ => &step.name,
        };
        let line = format!(
            "{} {} {name} {}",
            step.action,
            step.subject,
            keys(step).join(",")
        );
        line.trim_end().to_owned()
    };
    plan.steps.iter().map(line).collect()
}

/// The keys in which a thing changes.
pub(crate) fn keys(step: &Step) -> Vec<&str> {
    step.changes.iter().map(|it| it.key.as_str()).collect()
}

/// The line of `needle` in `text`, counted from one.
fn line_of(text: &str, needle: &str) -> usize {
    text[..text.find(needle).unwrap()].matches('\n').count() + 1
}

/// A catalog with all that a catalog can say of a client with secrets, and its secrets.
pub(crate) fn rich_catalog() -> (String, [(String, String); 4]) {
    let generated = || {
        random::generated_secret(&random::credential_id())
            .expose()
            .to_owned()
    };
    let (old, new, alone) = (generated(), generated(), generated());
    let catalog = format!(
        r#"
[[audience]]
id = "https://pricing.example/api"
scopes = {{ "read" = "Read prices", "write" = "" }}
token_lifetime = "1m"
max_token_lifetime = "10m"
algorithm = "EdDSA"
jwt_typ = "JWT"
served_by = ["api"]

[[client]]
id = "orders service"
name = "Orders \"1\""
owner = "team-orders"
environment = "dev"
tenant = "acme"
claims = {{ region = "eu", level = 3, list = [1, "two"] }}
auth = ["client_secret_basic", "client_secret_post"]
secrets = [
    "{old}",
    {{ value = "{new}", label = "2026-Q4", expires_at = "2030-01-01T00:00:00Z" }},
    {{ value = "imported secret", label = "by hand", active_from = 7 }},
]
  [[client.policy]]
  audience = "https://pricing.example/api"
  scopes = ["read", "write"]
  default_scopes = ["read"]
  token_lifetime = "2m"
  claims = {{ region = "us", roles = ["reader", "writer"] }}
  networks = ["0.0.0.0/0"]
  methods = ["client_secret_basic"]

[[client]]
id = "api"
grants = []
auth = "client_secret_basic"
secret = "{alone}"

[[client]]
id = "sleeper"
status = "disabled"
auth = "client_secret_post"
secret = "the sleeper's secret"
  [[client.policy]]
  audience = "https://pricing.example/api"
  scopes = ["read"]
  enabled = false
"#
    );
    let secret = |client: &str, secret: &str| (client.to_owned(), secret.to_owned());
    let secrets = [
        secret("orders service", &old),
        secret("orders service", &new),
        secret("orders service", "imported secret"),
        secret("api", &alone),
    ];
    (catalog, secrets)
}

on_both! {
    async fn the_plan_says_what_was_done(env) {
        let created = env.apply(CATALOG).await;
        assert_eq!(
            lines(&created),
            [
                "created audience pricing",
                "created client reader",
                "created credential reader secret",
                "created policy reader pricing",
                "created client api",
                "created credential api secret",
                "created signing key ES256",
            ]
        );
        assert!(created.warnings.is_empty(), "{created:?}");

        let changed = CATALOG
            .replace("\"write\"]\nserved_by", "\"write\", \"more\"]\nserved_by")
            .replace("id = \"api\"", "id = \"new-api\"\nowner = \"me\"")
            .replace("default_scopes = [\"read\"]", "default_scopes = [\"write\"]")
            .replace(READER, "another secret of 1");
        let plan = env.apply(&changed).await;
        assert_eq!(
            lines(&plan),
            [
                "changed audience pricing scopes",
                "unchanged client reader",
                "created credential reader secret",
                "kept credential reader secret",
                "changed policy reader pricing default_scopes",
                "created client new-api",
                "created credential new-api secret",
                "kept client api",
            ]
        );
        let plan = env.prune(&changed).await;
        assert_eq!(
            lines(&plan),
            [
                "unchanged audience pricing",
                "unchanged client reader",
                "unchanged credential reader secret",
                "removed credential reader secret",
                "unchanged policy reader pricing",
                "unchanged client new-api",
                "unchanged credential new-api secret",
                "removed client api",
            ]
        );
        let [served_by_nobody, idle] = &plan.warnings[..] else {
            panic!("{plan:?}");
        };
        assert!(served_by_nobody.contains("pricing is served by api, which is not a client"));
        assert!(idle.contains("new-api has no policy and serves no audience"));
        assert_eq!(plan.count(Action::Removed), 2);
    }

    async fn what_is_kept_still_works_and_what_is_pruned_does_not(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let rotated = CATALOG.replace(READER, "another secret of 1");
        env.apply(&rotated).await;
        replica.follow().await;
        for secret in [READER, "another secret of 1"] {
            assert_eq!(replica.token("reader", secret, "").await.status, 200);
        }
        env.prune(&rotated).await;
        replica.follow().await;
        replica.token("reader", READER, "").await.assert_error(401, "invalid_client");
        assert_eq!(replica.token("reader", "another secret of 1", "").await.status, 200);
    }

    async fn a_dry_run_tells_the_plan_and_changes_nothing(env) {
        let options = ApplyOptions { dry_run: true, ..env.options() };
        let before = env.store.feed_position().await.unwrap();
        let told = env.apply_with(CATALOG, options).await.unwrap();
        assert_eq!(env.exported().await, "");
        assert!(env.store.load_signing_keys().await.unwrap().value.keys.is_empty());
        assert_eq!(env.store.feed_position().await.unwrap(), before);
        assert_eq!(env.store.count_audit_events("catalog_applied").await.unwrap(), 0);
        let done = env.apply(CATALOG).await;
        assert_eq!(lines(&told), lines(&done));

        let applied = env.exported().await;
        let empty = "[[audience]]\nid = \"other\"\nscopes = [\"a\"]";
        let options = ApplyOptions { dry_run: true, prune: true, ..env.options() };
        let told = env.apply_with(empty, options).await.unwrap();
        assert_eq!(told.count(Action::Removed), 3, "{told:?}");
        assert_eq!(env.exported().await, applied);
    }

    async fn applying_again_changes_nothing(env) {
        let (catalog, _) = rich_catalog();
        assert!(env.apply(&catalog).await.changes() > 0);
        let before = env.store.feed_position().await.unwrap();
        for _ in 0..2 {
            let again = env.apply(&catalog).await;
            assert_eq!(again.changes(), 0, "{again:?}");
            assert_eq!(env.prune(&catalog).await.changes(), 0);
        }
        assert_eq!(env.store.feed_position().await.unwrap(), before);
        assert_eq!(env.store.count_audit_events("catalog_applied").await.unwrap(), 1);
    }

    /// A foreign hash gives way to our own when its secret is seen; the catalog still states the old one.
    async fn applying_again_changes_nothing_after_a_hash_was_renewed(env) {
        let cost = HashCost { memory_kib: 64, ..HashCost::GENERATED };
        let secret = Secret::new(READER.to_owned());
        let phc = secret_hash::hash(&secret, b"a salt of others", cost).unwrap().to_string();
        let catalog = CATALOG.replace(READER, &phc);
        let plan = env.apply(&catalog).await;
        assert_eq!(plan.warnings.len(), 1, "{plan:?}");
        let replica = env.replica().await;
        replica.issued("reader", READER, "").await;
        let form = async || env.credentials("reader").await[0].secret().unwrap().form;
        // It is renewed beside the requests; each use of the foreign hash tries.
        for _ in 0..1000 {
            if form().await != SecretForm::Phc {
                break;
            }
            replica.issued("reader", READER, "").await;
        }
        let again = env.apply(&catalog).await;
        assert_eq!(again.changes(), 0, "{again:?}");
        assert!(again.warnings.is_empty(), "{again:?}");
        assert_eq!(form().await, SecretForm::Imported);
        replica.follow().await;
        replica.issued("reader", READER, "").await;
    }

    async fn a_policy_with_an_unknown_scope_or_audience_is_refused_with_its_line(env) {
        let scopes =
            CATALOG.replace("  scopes = [\"read\", \"write\"]", "  scopes = [\"read\", \"admin\"]");
        let refused = env.try_apply(&scopes, false).await.unwrap_err();
        let line = line_of(&scopes, "  scopes = [\"read\", \"admin\"]");
        assert!(refused.starts_with(&format!("test.toml:{line}: ")), "{refused}");
        assert!(refused.contains("admin"), "{refused}");

        let audience = CATALOG.replace("audience = \"pricing\"", "audience = \"princing\"");
        let refused = env.try_apply(&audience, false).await.unwrap_err();
        let line = line_of(&audience, "audience = \"princing\"");
        assert!(refused.starts_with(&format!("test.toml:{line}: ")), "{refused}");
        assert!(refused.contains("princing"), "{refused}");
        assert_eq!(env.exported().await, "", "nothing of it was applied");
    }

    /// The audience may be in the database alone: then it is judged there.
    async fn a_policy_for_a_stored_audience_is_held_to_it(env) {
        env.apply(CATALOG).await;
        let client = |scope: &str| {
            format!(
                "[[client]]\nid = \"late\"\nauth = \"client_secret_basic\"\n\
                 secret = \"late secret of 1\"\n[[client.policy]]\naudience = \"pricing\"\n\
                 scopes = [\"{scope}\"]\n"
            )
        };
        let refused = env.try_apply(&client("admin"), false).await.unwrap_err();
        assert!(refused.starts_with("test.toml:7: "), "{refused}");
        let lifetime = format!("{}token_lifetime = \"1h\"\n", client("read"));
        let refused = env.try_apply(&lifetime, false).await.unwrap_err();
        assert!(refused.starts_with("test.toml:8: "), "{refused}");
        env.try_apply(&client("read"), false).await.unwrap();
    }

    async fn an_audience_cannot_lose_what_a_stored_policy_still_gives(env) {
        env.apply(CATALOG).await;
        let applied = env.exported().await;
        let audience = |more: &str| {
            format!(
                "[[audience]]\nid = \"pricing\"\nserved_by = [\"api\"]\nscopes = [\"read\"{more}]\n"
            )
        };
        let refused = env.try_apply(&audience(""), false).await.unwrap_err();
        assert!(refused.starts_with("test.toml:4: "), "{refused}");
        assert!(refused.contains("write") && refused.contains("reader"), "{refused}");
        assert_eq!(env.exported().await, applied);
        env.try_apply(&audience(", \"write\""), false).await.unwrap();

        // Where the same catalog takes the scope from the policy, it may go.
        let narrower = CATALOG.replace("[\"read\", \"write\"]", "[\"read\"]");
        let plan = env.apply(&narrower).await;
        assert_eq!(plan.count(Action::Changed), 2, "{plan:?}");
        // And where prune takes the client.
        let pruned = env.prune("[[audience]]\nid = \"pricing\"\nscopes = [\"other\"]\n").await;
        assert_eq!(pruned.count(Action::Removed), 2, "{pruned:?}");
    }

    async fn nothing_is_removed_without_prune(env) {
        let (catalog, secrets) = rich_catalog();
        env.apply(&catalog).await;
        let before = env.exported().await;
        let plan = env.apply("").await;
        assert_eq!(plan.changes(), 0, "{plan:?}");
        assert_eq!(env.exported().await, before);
        let replica = env.replica().await;
        let (client, secret) = &secrets[0];
        replica.issued(client, secret, "").await;
        env.prune("").await;
        assert_eq!(env.exported().await, "");
    }

    async fn two_applies_at_once_make_one_key_per_algorithm(env) {
        let mut catalog = CATALOG.to_owned();
        for algorithm in ["EdDSA", "PS256"] {
            let audience = format!("id = \"{algorithm}\"\nalgorithm = \"{algorithm}\"\n");
            catalog += "[[audience]]\nscopes = [\"a\"]\n";
            catalog += &audience;
        }
        let other = env.other_store();
        // Both are connected, so that they begin together.
        env.store.feed_position().await.unwrap();
        other.feed_position().await.unwrap();
        let catalog = parsed(&catalog);
        let (first, second) = tokio::join!(
            apply_catalog(&env.store, &catalog, env.options()),
            apply_catalog(&other, &catalog, env.options()),
        );
        let changes = [first.unwrap().0.changes(), second.unwrap().0.changes()];
        assert_eq!(changes.iter().min(), Some(&0), "one of them did it all: {changes:?}");
        let mut keys = BTreeMap::new();
        for key in env.store.load_signing_keys().await.unwrap().value.keys {
            *keys.entry(key.algorithm).or_insert(0) += 1;
        }
        assert_eq!(keys.into_values().collect::<Vec<_>>(), [1, 1, 1]);
    }

    /// Nobody could open what it seals: each replica would turn unready.
    async fn a_key_is_not_made_with_another_sealing_key_than_the_servers_have(env) {
        env.apply(CATALOG).await;
        let other = SealingKeys::new(SealingKey::generate());
        let more = CATALOG.replacen("id = \"pricing\"", "id = \"pricing\"\nalgorithm = \"EdDSA\"", 1);
        let with = |sealing| ApplyOptions { sealing: Some(sealing), ..env.options() };
        let error = env.apply_with(&more, with(&other)).await.unwrap_err();
        assert!(error.contains("give the servers' sealing key"), "{error}");
        // Nor is anything else done with it; what needs no key needs none.
        assert!(env.apply_with(CATALOG, with(&other)).await.is_err());
        let none = ApplyOptions { sealing: None, ..env.options() };
        assert!(env.apply_with(CATALOG, none).await.is_ok());
        let both = SealingKeys { first: other.first.clone(), old: vec![env.sealing.first.clone()] };
        assert!(env.apply_with(&more, with(&both)).await.is_ok());
    }

    async fn a_catalog_that_needs_a_key_is_refused_without_a_sealing_key(env) {
        let options = ApplyOptions { sealing: None, ..env.options() };
        let refused = env.apply_with(CATALOG, options).await.unwrap_err();
        assert!(refused.contains("key_file"), "{refused}");
        assert_eq!(env.exported().await, "");
        env.apply(CATALOG).await;
        let options = ApplyOptions { sealing: None, ..env.options() };
        assert_eq!(env.apply_with(CATALOG, options).await.unwrap().changes(), 0);
    }

    /// DESIGN section 5: a new key begins to sign when every replica has it, and requests wait for it.
    async fn a_new_algorithm_gets_its_key_in_the_same_transaction(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let changed = CATALOG.replace("served_by", "algorithm = \"EdDSA\"\nserved_by");
        let options = ApplyOptions { key_delay: Seconds::new(2), ..env.options() };
        let plan = env.apply_with(&changed, options).await.unwrap();
        assert_eq!(
            lines(&plan).iter().filter(|line| !line.starts_with("unchanged")).collect::<Vec<_>>(),
            ["changed audience pricing algorithm", "created signing key EdDSA"]
        );
        replica.follow().await;
        let token = replica.issued("reader", READER, "").await;
        assert_eq!(decoded(&token).0["alg"], "EdDSA");
        assert_eq!(decoded(&token).1["iat"], START + 2);
    }
}
