//! `[[issuer]]` in a catalog: what may stand there, who may not be called so, and what of it commands show.

use grantd::config::catalog::{Catalog, CatalogOptions};
use grantd::crypto::jws::generate;
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::operations::apply_catalog::{Action, Subject};
use grantd::operations::restore::{OfKeys, Stock};
use serde_json::{Value, json};

use crate::catalogs::{client, reads};
use crate::harness::*;
use crate::site::Site;

/// A set of one public key.
fn key_set(kid: &str) -> Value {
    let mut key = generate(SigningAlgorithm::Es256)
        .unwrap()
        .public_jwk
        .key_members();
    key.insert("kid".to_owned(), json!(kid));
    json!({ "keys": [key] })
}

fn issuer(id: &str, url: &str, lines: &str) -> String {
    format!("\n[[issuer]]\nid = \"{id}\"\nurl = \"{url}\"\n{lines}\n")
}

fn ci(lines: &str) -> String {
    CATALOG.to_owned() + &issuer("ci", "https://ci.example", lines)
}

/// A client that a token of an issuer is.
fn workload(issuer: &str, subject: &str, lines: &str) -> String {
    let identity =
        format!("[[client.identity]]\nissuer = \"{issuer}\"\nsubject = \"{subject}\"\n{lines}\n");
    client("workload", "auth = \"private_key_jwt\"", &reads("pricing")) + &identity
}

/// What `grantd apply` says of a file in `folder`.
fn read_strictly(folder: &std::path::Path, text: &str) -> Result<Catalog, String> {
    let file = folder.join("catalog.toml");
    std::fs::write(&file, text).unwrap();
    let none = |_: &str| None;
    Catalog::read(&[file], &CatalogOptions::strict(&none)).map_err(|error| error.to_string())
}

#[test]
fn what_is_wrong_with_an_issuer_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = |text: &str, why: &str| {
        let error = read_strictly(folder.path(), text).unwrap_err();
        assert!(
            error.contains("catalog.toml:") && error.contains(why),
            "{why}: {error}"
        );
    };
    for (lines, why) in [
        ("keyz = \"discovery\"", "the nearest known one is `keys`"),
        ("preset = \"githib\"", "the nearest is \"github\""),
        ("use = [\"clients\"]", "the nearest is \"client\""),
        ("use = []", "name at least one"),
        ("jti = \"once\"", "single_use, if_present, ignore"),
        ("algorithms = [\"HS256\"]", "ES512"),
        ("algorithms = []", "name at least one"),
        ("max_lifetime = \"26h\"", "from 1s to 25h"),
        ("keys = \"http://ci.example/jwks\"", "begins with https://"),
        ("keys = \"http://127.0.0.1/jwks\"", "begins with https://"),
        ("keys = \"cluster.jwks.json\"", "\"file:PATH\""),
        ("keys = \"discover\"", "\"discovery\""),
        ("keys = \"file:nowhere.json\"", "nowhere.json"),
        ("ca_file = \"nowhere.pem\"", "nowhere.pem"),
        ("ca = \"no PEM\"", "certificates of CAs"),
        ("bearer_token_file = \"token\"", "absolute path"),
        ("preset = \"spiffe\"", "the url is a trust domain"),
        ("audience = \"\"", "1 to 1024"),
    ] {
        wrong(&issuer("ci", "https://ci.example", lines), why);
    }
    for algorithms in ["none", "HS256", "none\", \"HS256"] {
        let lines = format!("algorithms = [\"{algorithms}\"]");
        let error = read_strictly(folder.path(), &issuer("ci", "https://ci.example", &lines));
        let error = error.unwrap_err();
        assert!(
            error.contains("algorithms") && !error.contains("empty"),
            "{error}"
        );
    }
    for (url, lines, why) in [
        ("https://ci.example?a", "", "no query"),
        ("http://ci.example", "", "begins with https://"),
        ("http://127.0.0.1:1", "", "begins with https://"),
        ("spiffe://example.org", "", "preset = \"spiffe\""),
        (
            "spiffe://example.org",
            "preset = \"spiffe\"",
            "name its URL, or its file",
        ),
        (
            "spiffe://example.org/a",
            "preset = \"spiffe\"",
            "without a path",
        ),
    ] {
        wrong(&issuer("ci", url, lines), why);
    }
    wrong(
        "[[issuer]]\nid = \"ci\"",
        "write what its tokens say in `iss`",
    );
    wrong(
        "[[issuer]]\nurl = \"https://ci.example\"",
        "write what clients and logs call it",
    );
    wrong(
        "[[issuer]]\nid = \"C I\"\nurl = \"https://ci.example\"",
        "a-z, 0-9 and -",
    );
    let two = |id: &str, url: &str| issuer("ci", "https://ci.example", "") + &issuer(id, url, "");
    wrong(
        &two("ci", "https://other.example"),
        "issuer \"ci\": the one at",
    );
    wrong(
        &two("other", "https://ci.example"),
        "issuer ci has this url already",
    );
}

#[test]
fn keys_in_a_file_are_kept_as_public_keys_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = issuer("ci", "https://ci.example", "keys = \"file:keys.json\"");
    let with = |set: &Value| {
        std::fs::write(folder.path().join("keys.json"), set.to_string()).unwrap();
        let catalog = read_strictly(folder.path(), &text)?;
        let keys = catalog.issuers[0].key_place().unwrap();
        Ok::<Value, String>(serde_json::from_str(keys.as_str()).unwrap())
    };
    let set = key_set("1");
    let mut more = set.clone();
    more["note"] = json!("of no use");
    assert_eq!(with(&more).unwrap(), set);
    for (broken, why) in [
        (json!({ "keys": [] }), "no key that verifies"),
        (
            json!({ "keys": [set["keys"][0], set["keys"][0]] }),
            "have the kid 1",
        ),
        (json!({}), "expected a JWK set"),
        (json!([]), "no JWK set"),
    ] {
        let error = with(&broken).unwrap_err();
        assert!(
            error.contains("keys: ") && error.contains(why),
            "{why}: {error}"
        );
    }
    // What is for something else is told of, and its secret goes nowhere.
    let mut mixed = set.clone();
    mixed["keys"].as_array_mut().unwrap().extend([
        json!({ "kty": "oct", "k": "dGhpcyBpcyBhIHNlY3JldCBvZiAx", "kid": "o" }),
        json!({ "kty": "oct", "k": "dGhpcyBpcyBhIHNlY3JldCBvZiAx", "kid": "1" }),
        json!({ "kty": "NEW", "kid": "n", "key": "dGhpcyBpcyBhIHNlY3JldCBvZiAx" }),
        json!("dGhpcyBpcyBhIHNlY3JldCBvZiAx"),
    ]);
    let kept = with(&mixed).unwrap();
    assert_eq!(kept["keys"][0], set["keys"][0]);
    assert_eq!(
        kept["keys"].as_array().unwrap()[1..],
        [
            json!({ "kty": "oct", "kid": "o" }),
            json!({ "kty": "oct", "kid": "1" }),
            json!({ "kty": "NEW", "kid": "n" }),
            Value::Null,
        ]
    );
    let error = with(&json!({ "keys": [{ "kty": "oct", "k": "dGhpcy" }] })).unwrap_err();
    assert!(
        error.contains("no key that verifies") && !error.contains("dGhpcy"),
        "{error}"
    );
    for member in ["d", "p", "priv"] {
        let mut private = set.clone();
        private["keys"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "kty": "RSA", member: "dGhpcyBpcyBhIHNlY3JldCBvZiAx" }));
        let error = with(&private).unwrap_err();
        assert!(
            error.contains("private member") && !error.contains("dGhpcy"),
            "{error}"
        );
    }
}

on_both! {
    /// FED-01: nobody else calls himself as we do.
    async fn our_own_issuer_is_nobody_else_to_trust(env) {
        let error = env.try_apply(&(CATALOG.to_owned() + &issuer("us", ISSUER, "")), false).await.unwrap_err();
        assert!(error.contains("issuer \"us\": url: this is our own issuer"), "{error}");
    }

    /// FED-03: in the catalog, against what is stored, and by a command.
    async fn no_client_is_called_like_an_issuer_or_a_subject_of_one(env) {
        let of = |id: &str| client(id, "auth = \"private_key_jwt\"", &reads("pricing"));
        for (id, why) in [
            ("https://ci.example", "the url of the trusted issuer ci"),
            ("ci|repo:acme/shop", "may not begin with \"ci|\""),
        ] {
            let error = env.try_apply(&(ci("") + &of(id)), false).await.unwrap_err();
            assert!(error.contains(why), "{error}");
            // First the client, then the issuer; and the other way round.
            env.prune(&(CATALOG.to_owned() + &of(id))).await;
            let error = env.try_apply(&issuer("ci", "https://ci.example", ""), false).await.unwrap_err();
            assert!(error.contains("issuer \"ci\"") && error.contains(&format!("there is a client {id}")), "{error}");
            env.prune(&ci("")).await;
            let error = env.try_apply(&(CATALOG.to_owned() + &of(id)), false).await.unwrap_err();
            assert!(error.contains(why), "{error}");
            env.prune(CATALOG).await;
        }
        env.apply(&ci("")).await;
        let site = Site::new(env).await;
        for id in ["https://ci.example", "ci|a"] {
            let refused = site.refused(&format!("client create {id}"), 1);
            assert!(refused.contains("trusted issuer ci"), "{refused}");
        }
    }

    async fn two_issuers_never_share_a_url_once_they_are_applied(env) {
        env.apply(&ci("")).await;
        let error = env.try_apply(&issuer("other", "https://ci.example", ""), false).await.unwrap_err();
        assert!(error.contains("issuer \"other\": url: issuer ci has this url already"), "{error}");
        env.prune(&(CATALOG.to_owned() + &issuer("other", "https://ci.example", ""))).await;
        let all = env.store.load_issuers().await.unwrap().value;
        assert_eq!(all.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["other"]);
    }

    async fn the_plan_tells_what_happens_to_an_issuer_and_an_export_reads_back(env) {
        let action = |plan: grantd::operations::apply_catalog::Plan| {
            let mut steps = plan.steps.into_iter().filter(|it| it.subject == Subject::Issuer);
            steps.next().map(|it| (it.action, it.changes))
        };
        let set = key_set("1");
        let full = format!(
            "preset = \"kubernetes\"\nuse = [\"client\", \"exchange\"]\nkeys = '''{set}'''\naudience = \"a\"\n\
             algorithms = [\"ES256\"]\nmax_lifetime = \"2h\"\njti = \"single_use\""
        );
        assert_eq!(action(env.prune(&ci("")).await), Some((Action::Created, vec![])));
        assert_eq!(action(env.prune(&ci("")).await), Some((Action::Unchanged, vec![])));
        let (done, changes) = action(env.prune(&ci(&full)).await).unwrap();
        let keys: Vec<_> = changes.iter().map(|it| it.key.as_str()).collect();
        assert_eq!(done, Action::Changed);
        assert_eq!(keys, ["use", "preset", "keys", "audience", "algorithms", "max_lifetime", "jti"]);
        let export = env.exported().await;
        assert!(export.contains("[[issuer]]") && export.contains("max_lifetime = \"2h\""), "{export}");
        assert_eq!(env.prune(&export).await.changes(), 0, "{export}");
        assert_eq!(action(env.apply(CATALOG).await), Some((Action::Kept, vec![])));
        assert_eq!(action(env.prune(CATALOG).await), Some((Action::Removed, vec![])));
        let replica = env.replica().await;
        for event in ["issuer_created", "issuer_changed", "issuer_removed"] {
            assert_eq!(replica.audit_events(event).await, 1, "{event}");
        }
    }

    async fn a_reset_puts_issuers_back(env) {
        env.apply(&ci("")).await;
        let replica = env.replica().await;
        let stock = Stock::take(&env.store).await.unwrap().unwrap();
        let before = env.store.load_issuers().await.unwrap().value;
        for other in [CATALOG.to_owned(), ci("jti = \"ignore\"") + &issuer("more", "https://more.example", "")] {
            env.prune(&other).await;
            replica.follow().await;
            replica.grantd.restore(&stock, OfKeys::Stay, &env.actor).await.unwrap();
            assert_eq!(env.store.load_issuers().await.unwrap().value, before);
            let known = replica.grantd.directory().issuers().await.unwrap();
            assert_eq!(known.all().len(), 1);
        }
    }

    async fn issuers_are_listed_and_shown(env) {
        let set = key_set("1");
        let cluster = issuer("cluster", "https://10.0.0.1", &format!("preset = \"kubernetes\"\nkeys = '''{set}'''"));
        env.apply(&(ci("") + &cluster)).await;
        let site = Site::new(env).await;
        let all = site.json("issuer list");
        assert_eq!((&all[0]["id"], &all[1]["preset"]), (&json!("ci"), &json!("kubernetes")));
        let shown = site.json("issuer show cluster");
        assert_eq!(shown["url"], all[1]["url"]);
        let in_force = &shown["in_force"];
        assert_eq!((&in_force["jti"], &in_force["max_lifetime"]), (&json!("ignore"), &json!("25h")));
        assert_eq!(in_force["algorithms"], json!(["RS256", "ES256"]));
        assert_eq!(in_force["keys"], "here, 1 key");
        let table = site.done("issuer list").stdout;
        assert!(table.contains("discovery") && table.contains("here, 1 key"), "{table}");
        assert!(site.done("issuer show ci").stdout.contains("if_present"));
        let refused = site.refused("issuer show cii", 1);
        assert!(refused.contains("the nearest is ci"), "{refused}");
    }

    /// FED-15, FED-16: what a preset knows to let strangers in is told with its place; what could never fit is refused.
    async fn an_identity_that_lets_strangers_in_is_told_with_its_place(env) {
        let github = issuer("ci", "https://ci.example", "preset = \"github\"");
        let cluster = issuer("ci", "https://ci.example", "preset = \"kubernetes\"\nmax_lifetime = \"2h\"");
        for (issuer, subject, lines, warnings) in [
            (&github, "repo:acme@65/shop@74:environment:production", "claims = { ref = \"refs/heads/main\" }", &[][..]),
            (&github, "repo:acme@65/shop@74:environment:production", "", &["fork fulfils it (pull_request)"]),
            (&github, "repo:acme@65/shop@74:ref:refs/heads/**", "", &["or with a pattern for any"]),
            (&github, "repo:acme/shop:*", "", &["neither repository_id", "no environment, ref", "write ** where", "fork fulfils it (pull_request)"]),
            (&github, "repo:acme@65/shop@74:ref:x", "claims = { repository_id = 74 }", &["repository_id: the platform sends text"]),
            (&cluster, "system:serviceaccount:*:default", "", &["serves him for up to 2h", "account of every pod", "its namespace is a pattern"]),
        ] {
            let plan = env.prune(&(CATALOG.to_owned() + issuer + &workload("ci", subject, lines))).await;
            assert_eq!(plan.warnings.len(), warnings.len(), "{:?}", plan.warnings);
            for (number, why) in warnings.iter().enumerate() {
                let mut told = plan.warnings.iter().filter(|it| it.starts_with("test.toml:"));
                assert!(told.any(|it| it.contains(why)), "{number} {why}: {:?}", plan.warnings);
            }
        }
        let mut set = key_set("1");
        set["keys"][0]["use"] = json!("jwt-svid");
        let mesh = issuer("ci", "spiffe://example.org", &format!("preset = \"spiffe\"\nkeys = '''{set}'''"));
        let within = workload("ci", "spiffe://example.org/ns/shop/sa/orders", "");
        assert!(env.prune(&(CATALOG.to_owned() + &mesh + &within)).await.warnings.is_empty());
        let nowhere = workload("ci", "spiffe://example.org/ns//orders", "");
        let error = env.try_apply(&(CATALOG.to_owned() + &mesh + &nowhere), false).await.unwrap_err();
        assert!(error.contains("identity: subject: no SPIFFE ID fits the subject"), "{error}");
        let bare = issuer("ci", "https://token.actions.githubusercontent.com", "");
        let plan = env.prune(&(CATALOG.to_owned() + &bare)).await;
        let [told] = &plan.warnings[..] else { panic!("{plan:?}") };
        assert!(told.starts_with("test.toml:") && told.contains("issuer ci: ") && told.contains("write preset = \"github\""), "{told}");
        let beyond = workload("ci", "spiffe://other.example/ns/shop/sa/orders", "");
        let error = env.try_apply(&(CATALOG.to_owned() + &mesh + &beyond), false).await.unwrap_err();
        assert!(error.contains("identity: subject: the subject must begin with spiffe://example.org/"), "{error}");
    }

    /// EXC-01: an issuer that a policy names must be there, be trusted with it, and cannot go.
    async fn no_policy_exchanges_the_tokens_of_an_issuer_that_is_not_there(env) {
        let stated = |issuer: &str| {
            let lines = "grants = [\"token-exchange\"]\nsecret = \"a secret of caller 1\"";
            let policy = format!("{}exchange = {{ from = [\"issuer:ci\"] }}\n", reads("pricing")[0]);
            CATALOG.to_owned() + issuer + &client("caller", lines, &[policy])
        };
        for (issuer, why) in [
            (issuer("cii", "https://ci.example", ""), "there is no issuer ci; the nearest is cii"),
            (issuer("ci", "https://ci.example", ""), "add \"exchange\" to its `use`"),
        ] {
            let error = env.try_apply(&stated(&issuer), false).await.unwrap_err();
            assert!(error.starts_with("test.toml:"), "{error}");
            assert!(error.contains("client \"caller\": policy: exchange: from: ") && error.contains(why), "{error}");
        }
        env.apply(&stated(&issuer("ci", "https://ci.example", "use = [\"client\", \"exchange\"]"))).await;
        // It is in the database, and stays.
        env.apply(&stated("")).await;
        let error = env.try_apply(&stated(""), true).await.unwrap_err();
        assert!(error.contains("there is no issuer ci"), "{error}");
    }
}
