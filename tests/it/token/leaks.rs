//! That no secret and no token reaches the log at any level, the audit events or the database.

use grantd::domain::algorithm::SigningAlgorithm;

use super::*;
use crate::assertion::signer::{self, Key, TYPE};
use crate::captured_log::{Watch, watch};
use crate::raw_sql;

/// A text that stands nowhere else.
fn mark(name: &str) -> String {
    format!("{name}{}", uuid::Uuid::new_v4().simple())
}

/// What must not be seen: the mark itself and the base64 of Basic.
struct Marked {
    marks: Vec<String>,
    seen: Vec<Watch>,
}

impl Marked {
    fn new() -> Self {
        Self {
            marks: Vec::new(),
            seen: Vec::new(),
        }
    }

    fn add(&mut self, mark: &str) {
        self.seen.push(watch(mark));
        self.marks.push(mark.to_owned());
    }

    async fn assert_unseen(&self, env: &Env) {
        for watch in &self.seen {
            assert_eq!(watch.lines(), Vec::<String>::new());
        }
        for text in raw_sql::everything(&env.database).await {
            assert!(!self.marks.iter().any(|mark| text.contains(mark)), "{text}");
        }
    }
}

/// Every place where a secret may stand, right or wrong.
async fn present_everywhere(replica: &Replica, client: &str, secret: &str) {
    let grant = "grant_type=client_credentials";
    replica.token(client, secret, "").await;
    replica.token(client, secret, "&scope=nothing").await;
    replica.token(client, secret, "&audience=nobody").await;
    replica.token("nobody", secret, "").await;
    replica.introspect(client, secret, secret).await;
    replica.revoke(client, secret, secret).await;
    let encoded = form_encoded(secret);
    for form in [
        format!("{grant}&client_id={client}&client_secret={encoded}"),
        format!("{grant}&client_id=nobody&client_secret={encoded}"),
        format!("{grant}&client_secret={encoded}"),
        format!("{grant}&client_id={client}&client_secret={encoded}&client_secret={encoded}"),
        format!("{grant}&client_id={client}&client_assertion={encoded}"),
        format!("{grant}&client_id={client}&client_assertion={encoded}&client_secret={encoded}"),
        format!("grant_type=password&client_id={client}&password={encoded}"),
        format!("{grant}&client_id={client}&other={encoded}&other={encoded}"),
        format!("{grant}&client_id={client}&{encoded}=%FF"),
        format!("grant_type={encoded}&client_id={client}"),
    ] {
        replica.ask(&form).await;
    }
    for authorization in [
        format!("Bearer {secret}"),
        format!("Basic {secret}"),
        secret.to_owned(),
    ] {
        replica.ask_with(&authorization, grant).await;
    }
    replica
        .post(
            &format!("/oauth2/token?client_secret={encoded}"),
            &[],
            grant,
        )
        .await;
    replica.get(&format!("/oauth2/{encoded}")).await;
}

on_both! {
    /// B-H08.
    async fn no_secret_reaches_log_audit_or_database(env) {
        let client = mark("client");
        let imported = mark("imported");
        let generated = generated_secret("aaaaaaaaaa", "Q");
        let catalog = with_clients(&[(
            &client,
            &format!(
                "auth = [\"client_secret_basic\", \"client_secret_post\"]\nsecrets = [\"{imported}\", \"{generated}\"]"
            ),
        )]);
        let mut marked = Marked::new();
        let wrong = mark("wrong");
        let mistyped = format!("grantd_{}", mark("mistyped"));
        let long = mark("long").repeat(40);
        for secret in [&imported, &generated, &wrong, &mistyped, &long[..50].to_owned()] {
            marked.add(secret);
        }
        for secret in [&imported, &generated, &wrong] {
            let basic = basic(&client, secret);
            marked.add(basic.strip_prefix("Basic ").unwrap());
        }
        let shown = watch(&client);
        let started = watch("a retired credential was used");
        env.apply(&catalog).await;
        let replica = env.replica().await;
        for secret in [&imported, &generated, &wrong, &mistyped, &long] {
            present_everywhere(&replica, &client, secret).await;
        }
        assert_eq!(replica.token(&client, &imported, "").await.status, 200);
        env.apply(&catalog.replace(
            &format!("\"{imported}\""),
            &format!("{{ value = \"{imported}\", retired_at = {START} }}"),
        ))
        .await;
        replica.follow().await;
        present_everywhere(&replica, &client, &imported).await;
        assert!(replica.audit_events("refused").await > 50);
        replica.grantd.sweep().await;
        // Not because nothing was written.
        assert!(shown.lines().len() > 20);
        assert!(!started.lines().is_empty());
        assert!(raw_sql::everything(&env.database).await.iter().any(|text| text.contains(&client)));
        marked.assert_unseen(&env).await;
    }

    /// Who types a secret where an id, a scope or an audience belongs must not find it in the log (B-H08).
    async fn a_secret_in_the_place_of_a_name_reaches_log_audit_and_database_nowhere(env) {
        let secret = mark("kJ8v");
        let key = Key::new(SigningAlgorithm::Es256);
        env.apply(&signer::catalog(&[&key], "")).await;
        let replica = env.replica().await;
        let mut marked = Marked::new();
        marked.add(&secret);
        let shown = watch("kJ8v… (36 characters)");
        let grant = "grant_type=client_credentials";
        for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
            let form = format!("{grant}&token=x&client_id={secret}");
            replica.post(path, &[], &form).await.assert_error(401, "invalid_client");
            let form = format!("{form}&client_secret=a+secret+of+nobody");
            replica.post(path, &[], &form).await.assert_error(401, "invalid_client");
        }
        replica.token(&secret, READER, "").await.assert_error(401, "invalid_client");
        let scope = format!("&scope={secret}");
        replica.token("reader", READER, &scope).await.assert_error(400, "invalid_scope");
        let scope = format!("&scope=read+{secret}&audience=pricing");
        replica.token("reader", READER, &scope).await.assert_error(400, "invalid_scope");
        for name in ["audience", "resource"] {
            let target = format!("&{name}=urn:x:{secret}");
            replica.token("reader", READER, &target).await.assert_error(400, "invalid_target");
        }
        let assertion = |claim: &str, value: &str| {
            let mut claims = signer::claims("worker", &mark("jti"));
            claims[claim] = value.into();
            if claim == "sub" {
                claims["iss"] = value.into();
            }
            format!("{grant}&client_assertion_type={TYPE}&client_assertion={}", key.sign(&claims))
        };
        for (claim, value) in [
            ("sub", secret.clone()),
            ("aud", secret.clone()),
            ("aud", format!("https://auth.example/{secret}")),
        ] {
            let form = assertion(claim, &value);
            replica.post("/oauth2/token", &[], &form).await.assert_error(401, "invalid_client");
        }
        assert!(replica.audit_events("refused").await > 10);
        assert!(shown.lines().len() > 10, "{:?}", shown.lines());
        marked.assert_unseen(&env).await;
    }

    /// A long id of a client is shown, and so is a typing error in one.
    async fn a_known_id_is_shown_whatever_it_looks_like(env) {
        let id = mark("client-");
        env.apply(&with_clients(&[(&id, "secret = \"a secret of somebody\"")])).await;
        let replica = env.replica().await;
        let known = watch(&format!("client=\"{id}\""));
        replica.token(&id, "another secret", "").await.assert_error(401, "invalid_client");
        assert_eq!(known.lines().len(), 1);
        replica.token(&id, "grantd_mistyped", "").await.assert_error(401, "invalid_client");
        assert_eq!(known.lines().len(), 2);
        let typing_error = id.replacen("client-", "cleint-", 1);
        let near = watch(&format!("client=\"{typing_error}\""));
        replica.token(&typing_error, "another secret", "").await.assert_error(401, "invalid_client");
        assert_eq!(near.lines().len(), 1);
    }

    /// B-H08.
    async fn no_token_and_no_private_key_reaches_log_audit_or_database(env) {
        let mut marked = Marked::new();
        // PKCS#8 of a P-256 key begins so, as base64, as hex and as text.
        for private in [
            "MIGHAgEAMBMGByqGSM49",
            "308187020100301306072a8648ce3d",
            "PRIVATE KEY",
            "[48, 129, 135, 2, 1, 0",
        ] {
            marked.add(private);
        }
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let first = replica.issued("reader", READER, "").await;
        // All tokens of this key begin so; the first one could not be watched for before it was there.
        let header = first.split('.').next().unwrap();
        marked.add(header);
        let token = replica.issued("reader", READER, "").await;
        for token in [&first, &token] {
            replica.introspect("api", API, token).await;
            replica.introspect("reader", READER, token).await;
            replica.introspect("api", "wrong", token).await;
            replica.introspect("api", API, &format!("{token}x")).await;
            replica.revoke("api", API, token).await;
            replica.revoke("reader", READER, token).await;
            replica.introspect("api", API, token).await;
            replica.ask_with(&format!("Bearer {token}"), "grant_type=client_credentials").await;
            replica.ask(&format!("{FORM}&client_assertion={token}")).await;
            replica.ask(&format!("grant_type=client_credentials&client_assertion={token}")).await;
        }
        assert!(replica.audit_events("refused").await > 4);
        replica.grantd.sweep().await;
        marked.assert_unseen(&env).await;
    }
}
