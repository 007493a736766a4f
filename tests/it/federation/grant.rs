//! The JWT bearer grant (RFC 7523 section 2.1; FEDERATION section 4): `job-api` asks for whom the platform's token speaks of.

use grantd::domain::check::Check;
use grantd::domain::client::AuthMethod;
use grantd::domain::identifier::IssuerId;
use grantd::domain::timestamp::Timestamp;
use grantd::operations::caller::Caller;
use grantd::operations::explain::{Supposed, explain_recorded, explain_unsent};
use serde_json::{Value, json};

use super::{Platform, asks};
use crate::assertion::signer::Key;
use crate::catalogs::{client, policy};
use crate::dpop::Prover;
use crate::harness::*;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SECRET: &str = "a secret of grants 1";
const NAMED: &str = "ci|repo:acme/shop:ref:refs/heads/main";
pub(super) const OF_CI: &str = "issuer = \"ci\"\nsubjects = [\"repo:acme/shop:**\"]\n";

/// A client that may use the grant; `of_policy` are further lines of its policy for `pricing`.
pub(super) fn asker(of_policy: &str) -> String {
    let policy = policy("pricing", "read write", "read") + of_policy;
    let lines = format!("secret = \"{SECRET}\"\ngrants = [\"client_credentials\", \"jwt-bearer\"]");
    client("job-api", &lines, &[policy])
}

fn catalog(platform: &Platform, issuer: &str, of_policy: &str) -> String {
    CATALOG.to_owned() + &platform.lines(issuer) + &asker(of_policy)
}

fn with_grant(platform: &Platform) -> String {
    catalog(platform, "use = [\"grant\"]", OF_CI)
}

pub(super) async fn grants(replica: &Replica, assertion: &str, headers: &[(&str, &str)]) -> Answer {
    let authorization = basic("job-api", SECRET);
    let mut all = vec![("authorization", authorization.as_str())];
    all.extend(headers);
    let form = format!("grant_type={GRANT}&assertion={assertion}");
    let answer = replica.post("/oauth2/token", &all, &form).await;
    if answer.status == 503 && headers.is_empty() {
        // A busy machine may need more than the two seconds that a request waits for keys.
        return replica.post("/oauth2/token", &all, &form).await;
    }
    answer
}

fn claims_of(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    decoded(answer.json()["access_token"].as_str().unwrap()).1
}

on_both! {
    async fn a_client_gets_a_token_for_whom_an_issuer_speaks_of(env) {
        let platform = Platform::ci().await;
        env.apply(&with_grant(&platform)).await;
        let replica = env.replica().await;
        let assertion = platform.token(&json!({ "exp": START + 60, "act": { "sub": "phone" } }));
        let answer = grants(&replica, &assertion, &[]).await;
        let claims = claims_of(&answer);
        for (claim, value) in [
            ("sub", NAMED), ("client_id", "job-api"), ("azp", "job-api"), ("aud", "pricing"), ("scope", "read"),
        ] {
            assert_eq!(claims[claim], value, "{claim}");
        }
        assert!(claims.get("act").is_none(), "{claims}");
        let members = answer.json();
        assert_eq!(members["expires_in"], 60, "no longer than the assertion");
        assert!(members.get("issued_token_type").is_none());
        let token = members["access_token"].as_str().unwrap();
        let told = replica.introspect("api", API, token).await.json();
        assert_eq!((&told["active"], &told["sub"]), (&json!(true), &json!(NAMED)));
        // Who is trusted no more vouches for nobody.
        let mut change = env.store.begin_change("issuer".to_owned()).await.unwrap();
        change.delete_issuer(&IssuerId::parse("ci").unwrap(), Timestamp::EPOCH).await.unwrap();
        change.commit().await.unwrap();
        replica.follow().await;
        let told = replica.introspect("api", API, token).await.json();
        assert_eq!(told, json!({ "active": false }));
        grants(&replica, &platform.token(&json!({})), &[]).await.assert_error(400, "invalid_grant");
    }

    /// Nor does it spend what another may use, or make us ask anybody for keys.
    async fn who_may_not_ask_so_learns_nothing_else(env) {
        let platform = Platform::ci().await;
        let others = [("without", "[\"client_credentials\"]", OF_CI), ("idle", "[\"jwt-bearer\"]", "")];
        let others = others.map(|(id, grants, of_policy)| {
            let lines = format!("secret = \"{SECRET}\"\ngrants = {grants}");
            client(id, &lines, &[policy("pricing", "read", "read") + of_policy])
        });
        env.apply(&(with_grant(&platform) + &others.concat())).await;
        let replica = env.replica().await;
        let assertion = platform.token(&json!({}));
        let refused = async || {
            for id in ["without", "idle"] {
                for assertion in [&assertion, "garbage"] {
                    let form = format!("grant_type={GRANT}&assertion={assertion}");
                    let headers = [("authorization", &basic(id, SECRET)[..])];
                    let answer = replica.post("/oauth2/token", &headers, &form).await;
                    answer.assert_error(400, "unauthorized_client");
                }
            }
        };
        refused().await;
        assert_eq!(platform.publisher.fetches(), 0);
        assert_eq!(grants(&replica, &assertion, &[]).await.status, 200);
        refused().await;
        grants(&replica, &assertion, &[]).await.assert_error(400, "invalid_grant");
        replica.grantd.write_waiting().await;
        let actions = crate::raw_sql::texts(&env.database, "SELECT action FROM audit_events").await;
        assert!(actions.contains(&"assertion_replayed".to_owned()), "{actions:?}");
    }

    async fn an_assertion_that_does_not_count_is_an_invalid_grant(env) {
        let platform = Platform::ci().await;
        env.apply(&with_grant(&platform)).await;
        let replica = env.replica().await;
        grants(&replica, &platform.token(&json!({})), &[]).await;
        let stranger = Key::new(grantd::domain::algorithm::SigningAlgorithm::Es256);
        let right = platform.claims(&json!({})).to_string();
        let usual = platform.key.header("");
        let access = platform.key.header(r#","typ":"at+jwt""#);
        for (case, assertion) in [
            ("garbage", "garbage".to_owned()),
            ("unsigned", "eyJhbGciOiJub25lIn0.e30.".to_owned()),
            ("an access token", platform.key.sign_raw(&access, &right)),
            ("wrong key", stranger.sign_raw(&usual, &right)),
            ("no issuer", platform.token(&json!({ "iss": null }))),
            ("nobody's", platform.token(&json!({ "iss": "https://ci.example/" }))),
            ("ours", platform.token(&json!({ "iss": ISSUER }))),
            ("the client's own", platform.token(&json!({ "iss": "job-api", "sub": "job-api" }))),
            ("another audience", platform.token(&json!({ "aud": "pricing" }))),
            ("token endpoint", platform.token(&json!({ "aud": format!("{ISSUER}/oauth2/token") }))),
            ("two audiences", platform.token(&json!({ "aud": [ISSUER, "pricing"] }))),
            ("no audience", platform.token(&json!({ "aud": null }))),
            ("expired within what clocks may differ", platform.token(&json!({ "exp": START }))),
            ("too long", platform.token(&json!({ "exp": START + 3601 }))),
            ("ahead", platform.token(&json!({ "nbf": START + 60 }))),
            ("nobody", platform.token(&json!({ "sub": "" }))),
            ("an actor in another form", platform.token(&json!({ "act": [] }))),
        ] {
            let answer = grants(&replica, &assertion, &[]).await;
            assert_eq!((answer.status.as_u16(), answer.error().as_str()), (400, "invalid_grant"), "{case}");
        }
        let authorization = basic("job-api", SECRET);
        let headers = [("authorization", authorization.as_str())];
        let form = format!("grant_type={GRANT}");
        let answer = replica.post("/oauth2/token", &headers, &form).await;
        answer.assert_error(400, "invalid_request");
        // Who asks must say so himself: the assertion is not the client's.
        let form = format!("grant_type={GRANT}&assertion={}", platform.token(&json!({})));
        let answer = replica.post("/oauth2/token", &[], &form).await;
        answer.assert_error(401, "invalid_client");
    }

    async fn only_a_policy_that_names_issuer_and_subject_holds(env) {
        let platform = Platform::ci().await;
        let more = "use = [\"grant\", \"exchange\"]";
        for (of_policy, error) in [
            ("", "unauthorized_client"),
            ("issuer = \"ci\"\n", ""),
            ("issuer = \"ci\"\nsubjects = [\"repo:acme/*:ref:refs/heads/main\"]\n", ""),
            ("issuer = \"ci\"\nsubjects = [\"repo:acme/*\"]\n", "unauthorized_client"),
            ("issuer = \"ci\"\nsubjects = [\"repo:acme/shop\", \"web\"]\n", "unauthorized_client"),
            ("issuer = \"ci\"\ngrants = [\"client_credentials\"]\n", "unauthorized_client"),
            ("issuer = \"ci\"\ngrants = [\"jwt-bearer\"]\n", ""),
            ("exchange = { from = [\"issuer:ci\"] }\n", "unauthorized_client"),
        ] {
            env.apply(&catalog(&platform, more, of_policy)).await;
            let replica = env.replica().await;
            let answer = grants(&replica, &platform.token(&json!({})), &[]).await;
            assert_eq!(answer.error(), error, "{of_policy}: {answer:?}");
            let own = replica.token("job-api", SECRET, "").await;
            let is_narrowed = of_policy.contains("jwt-bearer");
            assert_eq!(own.status == 200, !is_narrowed, "{of_policy}: {own:?}");
        }
        // Without the grant there is none, whatever the policy says.
        let without = catalog(&platform, more, OF_CI).replace(", \"jwt-bearer\"", "");
        env.apply(&without).await;
        let replica = env.replica().await;
        let answer = grants(&replica, &platform.token(&json!({})), &[]).await;
        answer.assert_error(400, "unauthorized_client");
    }

    async fn an_issuer_that_is_trusted_for_something_else_grants_nothing(env) {
        let platform = Platform::ci().await;
        let trusted = "[[issuer]]\nid = \"other\"\nurl = \"https://other.example\"\nuse = [\"grant\"]\n";
        let other = catalog(&platform, "use = [\"client\", \"exchange\"]", "issuer = \"other\"\n") + trusted;
        env.apply(&other).await;
        let replica = env.replica().await;
        let answer = grants(&replica, &platform.token(&json!({})), &[]).await;
        answer.assert_error(400, "invalid_grant");
        // And a grant is nobody's proof of himself.
        env.apply(&with_grant(&platform)).await;
        replica.follow().await;
        asks(&replica, &platform.token(&json!({})), "").await.assert_error(401, "invalid_client");
    }

    /// FED-13: one space for all that an issuer's token may be.
    async fn an_assertion_counts_once_where_its_issuer_says_so(env) {
        let platform = Platform::ci().await;
        env.apply(&catalog(&platform, "use = [\"grant\"]\njti = \"single_use\"", OF_CI)).await;
        let replicas = [env.replica().await, env.replica().await];
        for replica in &replicas {
            assert_eq!(grants(replica, &platform.token(&json!({})), &[]).await.status, 200);
        }
        let once = platform.token(&json!({}));
        let tries = (0..40).map(|n| grants(&replicas[n % 2], &once, &[]));
        let answers = futures_util::future::join_all(tries).await;
        assert_eq!(answers.iter().filter(|it| it.status == 200).count(), 1);
        for lost in answers.iter().filter(|it| it.status != 200) {
            lost.assert_error(400, "invalid_grant");
        }
        let without = platform.token(&json!({ "jti": null }));
        grants(&replicas[0], &without, &[]).await.assert_error(400, "invalid_grant");
    }

    /// `grantd explain --client ID --grant jwt-bearer --subject-token FILE`, and then the request itself.
    async fn a_request_that_nobody_sent_ends_as_one_that_was(env) {
        let platform = Platform::ci().await;
        env.apply(&with_grant(&platform)).await;
        let replica = env.replica().await;
        grants(&replica, &platform.token(&json!({})), &[]).await;
        let prover = Prover::new();
        let cnf = json!({ "jkt": prover.thumbprint() });
        for (changes, brings_proof, expected) in [
            (json!({}), false, "issued"),
            (json!({}), true, "issued"),
            (json!({ "cnf": cnf }), true, "issued"),
            (json!({ "cnf": cnf }), false, "invalid_request"),
            (json!({ "sub": "repo:other/shop:x" }), false, "unauthorized_client"),
            (json!({ "aud": "pricing" }), false, "invalid_grant"),
            (json!({ "exp": START }), false, "invalid_grant"),
        ] {
            let statement = platform.token(&changes);
            let request = Supposed {
                client: "job-api",
                method: AuthMethod::ClientSecretBasic,
                grant: GRANT,
                subject_token: Some(&statement),
                scope: None,
                audience: None,
                brings_proof,
            };
            let caller = Caller {
                source: std::net::Ipv4Addr::LOCALHOST.into(),
                proxy: None,
                certificate: None,
                hashing_turn: std::sync::Arc::default(),
            };
            let supposed = explain_unsent(&replica.grantd, request, &caller).await.unwrap();
            assert_eq!(supposed.outcome, expected, "{changes} {brings_proof}: {supposed:?}");
            let proof = prover.right();
            let headers = [("dpop", proof.as_str())];
            let sent = grants(&replica, &statement, if brings_proof { &headers } else { &[] }).await;
            let outcome = if sent.status == 200 { "issued".to_owned() } else { sent.error() };
            assert_eq!(outcome, expected, "{changes} {brings_proof}: {sent:?}");
            if outcome != "issued" {
                continue;
            }
            let would = json!(supposed)["would_issue"]["claims"].clone();
            let claims = claims_of(&sent);
            for claim in ["iss", "sub", "client_id", "azp", "aud", "scope", "iat", "exp", "act", "tenant"] {
                assert_eq!(would.get(claim), claims.get(claim), "{claim}");
            }
        }
    }

    /// What a policy keeps of tokens that are exchanged, it does not keep of statements, nor does it bind those anew.
    async fn what_a_policy_says_of_exchanges_is_not_said_of_grants(env) {
        let platform = Platform::ci().await;
        let exchange = "exchange = { from = [\"pricing\"], keep = [\"tenant\", \"roles\"], rebind = true, lifetime = \"1m\" }\n";
        env.apply(&catalog(&platform, "use = [\"grant\"]", &(OF_CI.to_owned() + exchange))).await;
        let replica = env.replica().await;
        let said = json!({ "tenant": "theirs", "roles": ["admin"] });
        let claims = claims_of(&grants(&replica, &platform.token(&said), &[]).await);
        for claim in ["tenant", "roles", "act"] {
            assert!(claims.get(claim).is_none(), "{claims}");
        }
        let (prover, own) = (Prover::new(), Prover::new().right());
        let bound = platform.token(&json!({ "cnf": { "jkt": prover.thumbprint() } }));
        grants(&replica, &bound, &[("dpop", &own)]).await.assert_error(400, "invalid_request");
        // A kept claim of another type would be a fault of an exchange.
        let odd = platform.token(&json!({ "tenant": 1 }));
        assert_eq!(grants(&replica, &odd, &[]).await.status, 200);
    }

    async fn what_can_never_be_granted_or_exchanged_is_warned_of(env) {
        let platform = Platform::ci().await;
        for (of_policy, told) in [
            ("issuer = \"ci\"\ngrants = [\"client_credentials\"]\n", "its own `grants` lack \"jwt-bearer\""),
            ("grants = [\"jwt-bearer\"]\n", "no `issuer` says whose tokens are grants"),
            ("exchange = { from = [\"issuer:ci\"] }\n", "the client's `grants` lack \"token-exchange\""),
            ("exchange = { from = [\"ci\"] }\n", "from ci, which is no audience; write issuer:ci for"),
            ("exchange = { from = [\"elsewhere\"] }\n", "from elsewhere, which is no audience"),
        ] {
            let stated = catalog(&platform, "use = [\"grant\", \"exchange\"]", of_policy);
            let warnings = env.apply(&stated).await.warnings;
            let is_told = |it: &String| it.starts_with("test.toml:") && it.contains(told);
            assert!(warnings.iter().any(is_told), "{of_policy}: {warnings:?}");
        }
        assert!(env.apply(&with_grant(&platform)).await.warnings.is_empty());
    }

    /// As of a client assertion: a file that a shell wrote is sent as it is.
    async fn what_stands_around_an_assertion_is_told(env) {
        let platform = Platform::ci().await;
        env.apply(&with_grant(&platform)).await;
        let replica = env.replica().await;
        let assertion = platform.token(&json!({}));
        for (sent, found) in [
            (format!("{assertion}%0A"), "one with a line break at its beginning or end"),
            (format!("%20{assertion}"), "one with a space or tab at its beginning or end"),
            (format!("{assertion}%00"), "the signature is not base64url"),
        ] {
            let answer = grants(&replica, &sent, &[]).await;
            answer.assert_error(400, "invalid_grant");
            let id = answer.headers["x-request-id"].to_str().unwrap().parse().unwrap();
            replica.grantd.write_waiting().await;
            let explained = explain_recorded(&env.store, id).await.unwrap().unwrap();
            let failed = explained.failed().unwrap();
            assert_eq!((failed.check, failed.found.as_deref()), (Check::AssertionForm, Some(found)));
        }
        assert_eq!(grants(&replica, &assertion, &[]).await.status, 200, "nothing of it was spent");
    }

    /// A dry run spends nothing, and tells what is spent.
    async fn an_assertion_that_was_used_is_explained_so(env) {
        let platform = Platform::ci().await;
        env.apply(&with_grant(&platform)).await;
        let replica = env.replica().await;
        let assertion = platform.token(&json!({}));
        let supposed = Supposed {
            client: "job-api",
            method: AuthMethod::ClientSecretBasic,
            grant: GRANT,
            subject_token: Some(&assertion),
            scope: None,
            audience: None,
            brings_proof: false,
        };
        let caller = Caller {
            source: std::net::Ipv4Addr::LOCALHOST.into(),
            proxy: None,
            certificate: None,
            hashing_turn: std::sync::Arc::default(),
        };
        assert_eq!(grants(&replica, &platform.token(&json!({})), &[]).await.status, 200);
        for _ in 0..2 {
            let explained = explain_unsent(&replica.grantd, supposed, &caller).await.unwrap();
            assert!(explained.is_granted(), "{explained:?}");
            let told = json!(explained);
            // Nobody acts: the client asks for a token that has no `act`.
            assert!(told["subject"].is_string() && told["actors"].is_null(), "{told}");
        }
        assert_eq!(grants(&replica, &assertion, &[]).await.status, 200);
        // Of another replica, too.
        for replica in [&replica, &env.replica().await] {
            let explained = explain_unsent(&replica.grantd, supposed, &caller).await.unwrap();
            let failed = explained.failed().unwrap();
            assert_eq!((explained.outcome.as_str(), failed.check), ("invalid_grant", Check::ForeignOnce));
        }
    }

    async fn a_bound_assertion_is_proven(env) {
        let platform = Platform::ci().await;
        env.apply(&with_grant(&platform)).await;
        let replica = env.replica().await;
        grants(&replica, &platform.token(&json!({})), &[]).await;
        let (prover, other) = (Prover::new(), Prover::new());
        let bound = || platform.token(&json!({ "cnf": { "jkt": prover.thumbprint() } }));
        grants(&replica, &bound(), &[]).await.assert_error(400, "invalid_request");
        let wrong = other.right();
        grants(&replica, &bound(), &[("dpop", &wrong)]).await.assert_error(400, "invalid_request");
        let right = prover.right();
        let answer = grants(&replica, &bound(), &[("dpop", &right)]).await;
        assert_eq!(claims_of(&answer)["cnf"]["jkt"], prover.thumbprint());
    }
}
