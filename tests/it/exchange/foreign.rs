//! Subject tokens of trusted issuers.

use grantd::domain::identifier::IssuerId;
use grantd::domain::timestamp::Seconds;
use grantd::domain::trusted_issuer::{IssuerUse, TrustedIssuer};
use serde_json::json;

use super::*;
use crate::dpop::Prover;
use crate::federation::Platform;

const FROM_CI: &str = "exchange = { from = [\"issuer:ci\"] }";
const EXCHANGED: &str = "use = [\"exchange\"]";
/// What the platform calls its job, and what we do.
const JOB: &str = "repo:acme/shop:ref:refs/heads/main";
const NAMED: &str = "ci|repo:acme/shop:ref:refs/heads/main";

/// `orders` may exchange the platform's tokens.
fn catalog_of(platform: &Platform, of_orders: &str) -> String {
    catalog_with(of_orders, &platform.lines(EXCHANGED))
}

/// The same, asked once more where a busy machine needed longer for the keys than a request waits.
async fn gives(replica: &Replica, client: &str, subject: &str, more: &str) -> Answer {
    let answer = replica.give_for(client, subject, more).await;
    if answer.status == 503 {
        return replica.give_for(client, subject, more).await;
    }
    answer
}

async fn write_use(env: &Env, uses: Option<IssuerUse>) {
    let mut change = env.store.begin_change("issuer".to_owned()).await.unwrap();
    let issuers = env.store.load_issuers().await.unwrap().value;
    match uses {
        None => change
            .delete_issuer(&IssuerId::parse("ci").unwrap(), change.now())
            .await
            .unwrap(),
        Some(uses) => {
            let narrowed = issuers.into_iter().map(|it| TrustedIssuer {
                uses: vec![uses],
                ..it
            });
            change
                .put_issuers(&narrowed.collect::<Vec<_>>())
                .await
                .unwrap();
        }
    }
    change.commit().await.unwrap();
}

on_both! {
    async fn a_service_gets_a_token_for_somebody_whom_an_issuer_knows(env) {
        let platform = Platform::ci().await;
        env.apply(&catalog_of(&platform, FROM_CI)).await;
        let replica = env.replica().await;
        let subject = platform.token(&json!({ "exp": START + 60, "tenant": "theirs", "scope": "count" }));
        let answer = gives(&replica, "orders", &subject, "").await;
        let token = access_token(&answer);
        let members = answer.json();
        assert_eq!(members["issued_token_type"], ACCESS_TOKEN);
        assert_eq!(members["expires_in"], 60, "no longer than the token that it takes the place of");
        let (_, claims) = decoded(&token);
        for (claim, value) in [
            ("sub", NAMED), ("client_id", "orders"), ("azp", "orders"), ("aud", "stock-api"), ("scope", "read"),
        ] {
            assert_eq!(claims[claim], value, "{claim}");
        }
        assert_eq!(claims["act"], json!({ "sub": "orders" }));
        assert!(claims.get("tenant").is_none(), "what is not kept is not told");
        let told = replica.told("stock", &token).await;
        assert_eq!((&told["active"], &told["sub"]), (&json!(true), &json!(NAMED)));
        // Its `jti` is not spent.
        for _ in 0..3 {
            replica.exchanged("orders", &subject, "").await;
        }
        let typed = platform.key.header(r#","typ":"at+jwt""#);
        let access = platform.key.sign_raw(&typed, &platform.claims(&json!({})).to_string());
        replica.exchanged("orders", &access, "&scope=read+count").await;
    }

    /// EXC-01.
    async fn without_trust_or_a_policy_nothing_is_exchanged(env) {
        let platform = Platform::ci().await;
        let subject = || platform.token(&json!({}));
        for (case, of_orders, more, error) in [
            ("no issuer", FROM_ORDERS, String::new(), "invalid_request"),
            ("another use", FROM_ORDERS, platform.lines("use = [\"client\", \"grant\"]"), "invalid_request"),
            ("another policy", FROM_ORDERS, platform.lines(EXCHANGED), "unauthorized_client"),
            ("no exchange", "", platform.lines(EXCHANGED), "unauthorized_client"),
        ] {
            env.prune(&catalog_with(of_orders, &more)).await;
            let replica = env.replica().await;
            let answer = gives(&replica, "orders", &subject(), "").await;
            assert_eq!(answer.error(), error, "{case}");
        }
        let fetched = platform.publisher.fetches();
        let web = gives(&env.replica().await, "web", &subject(), "").await;
        web.assert_error(400, "unauthorized_client");
        assert_eq!(platform.publisher.fetches(), fetched, "who may not ask makes nobody fetch keys");
    }

    /// EXC-03: what an issuer's token must be for a client's proof, it must be here as well.
    async fn a_token_that_does_not_count_is_not_exchanged(env) {
        let platform = Platform::ci().await;
        let stranger = crate::assertion::signer::Key::new(grantd::domain::algorithm::SigningAlgorithm::Es256);
        env.apply(&catalog_of(&platform, FROM_CI)).await;
        let replica = env.replica().await;
        gives(&replica, "orders", &platform.token(&json!({})), "").await;
        let right = platform.claims(&json!({})).to_string();
        let usual = platform.key.header("");
        for (case, token) in [
            ("wrong key", stranger.sign_raw(&usual, &right)),
            ("another type", platform.key.sign_raw(&platform.key.header(r#","typ":"secevent+jwt""#), &right)),
            ("expired within what clocks may differ", platform.token(&json!({ "exp": START }))),
            ("no end", platform.token(&json!({ "exp": null }))),
            ("too long", platform.token(&json!({ "exp": START + 3601 }))),
            ("ahead", platform.token(&json!({ "iat": START + 60 }))),
            ("nobody", platform.token(&json!({ "sub": null }))),
            ("an actor in another form", platform.token(&json!({ "act": "gateway" }))),
            ("bound in another form", platform.token(&json!({ "cnf": "key" }))),
        ] {
            let answer = replica.give_for("orders", &token, "").await;
            assert_eq!((answer.status.as_u16(), answer.error().as_str()), (400, "invalid_request"), "{case}");
        }
    }

    /// EXC-04: one that is meant for another API cannot be passed on by whoever was shown it.
    async fn a_token_is_for_us_or_for_the_client_that_exchanges_it(env) {
        let platform = Platform::ci().await;
        env.apply(&catalog_of(&platform, FROM_CI)).await;
        let replica = env.replica().await;
        for aud in [json!(ISSUER), json!([ISSUER]), json!("orders-api")] {
            let answer = gives(&replica, "orders", &platform.token(&json!({ "aud": aud })), "").await;
            assert_eq!(answer.status, 200, "{aud}: {answer:?}");
        }
        for aud in [
            json!("stock-api"), json!("https://other.example"), json!(["orders-api", ISSUER]), json!(null), json!(""),
            json!(format!("{ISSUER}/oauth2/token")), json!("orders"),
        ] {
            let answer = replica.give_for("orders", &platform.token(&json!({ "aud": aud })), "").await;
            assert_eq!(answer.error(), "invalid_request", "{aud}");
        }
        // All call the API as the issuer says, and it is another one's.
        let lines = platform.lines("use = [\"exchange\"]\naudience = \"stock-api\"");
        env.apply(&catalog_with(FROM_CI, &lines)).await;
        replica.follow().await;
        let answer = replica.give_for("orders", &platform.token(&json!({ "aud": "stock-api" })), "").await;
        answer.assert_error(400, "invalid_request");
        let answer = replica.give_for("orders", &platform.token(&json!({})), "").await;
        answer.assert_error(400, "invalid_request");
    }

    async fn a_policy_says_whose_tokens_by_the_issuers_name_or_by_ours(env) {
        let platform = Platform::ci().await;
        for (from, subject, status) in [
            ("\"issuer:ci\"", JOB, 200),
            ("\"issuer:ci\"", NAMED, 200),
            ("\"issuer:ci\"", "repo:acme/*:ref:refs/heads/main", 200),
            ("\"issuer:ci\"", "repo:acme/*", 400),
            ("\"issuer:ci\"", "ci", 400),
            ("\"issuer:ci\"", "other|**", 400),
            // Beside tokens of ours that would be a client of ours.
            ("\"orders-api\", \"issuer:ci\"", JOB, 400),
            ("\"orders-api\", \"issuer:ci\"", NAMED, 200),
            // Nor is everybody of an issuer meant by how some clients are called, or those of another by its name.
            ("\"orders-api\", \"issuer:ci\"", "ci**", 400),
            ("\"orders-api\", \"issuer:ci\"", "**", 200),
        ] {
            let exchange = format!("exchange = {{ from = [{from}], subjects = [\"{subject}\"] }}");
            env.apply(&catalog_of(&platform, &exchange)).await;
            let replica = env.replica().await;
            let answer = gives(&replica, "orders", &platform.token(&json!({})), "").await;
            assert_eq!(answer.status, status, "{from} {subject}: {answer:?}");
        }
    }

    /// EXC-05.
    async fn a_bound_token_of_an_issuer_never_becomes_a_bearer_token(env) {
        let platform = Platform::ci().await;
        env.apply(&catalog_of(&platform, FROM_CI)).await;
        let replica = env.replica().await;
        let (prover, other) = (Prover::new(), Prover::new());
        let bound = |prover: &Prover| platform.token(&json!({ "cnf": { "jkt": prover.thumbprint() } }));
        gives(&replica, "orders", &platform.token(&json!({})), "").await;
        replica.give_for("orders", &bound(&prover), "").await.assert_error(400, "invalid_request");
        let wrong = other.right();
        let answer = replica.give_with("orders", &bound(&prover), (&[("dpop", &wrong)], "")).await;
        answer.assert_error(400, "invalid_request");
        let right = prover.right();
        let answer = replica.give_with("orders", &bound(&prover), (&[("dpop", &right)], "")).await;
        assert_eq!(decoded(&access_token(&answer)).1["cnf"]["jkt"], prover.thumbprint());
    }

    /// EXC-06: nobody of theirs acts under the name of a client of ours.
    async fn who_acted_there_stays_inside_under_a_name_of_ours(env) {
        let platform = Platform::ci().await;
        env.apply(&catalog_of(&platform, FROM_CI)).await;
        let replica = env.replica().await;
        let act = json!({ "sub": "stock", "iss": "x", "act": { "sub": "phone" } });
        let subject = platform.token(&json!({ "act": act, "may_act": { "sub": "orders" } }));
        let token = access_token(&gives(&replica, "orders", &subject, "").await);
        let expected = json!({ "sub": "orders", "act": { "sub": "ci|stock", "act": { "sub": "ci|phone" } } });
        assert_eq!(decoded(&token).1["act"], expected);
        assert_eq!(replica.told("stock", &token).await["active"], true);
        // EXC-08: it keeps its subject through the next exchange.
        let next = replica.exchanged("stock", &token, "").await;
        let (_, claims) = decoded(&next);
        assert_eq!(claims["sub"], NAMED);
        assert_eq!(claims["act"], json!({ "sub": "stock", "act": expected }));
        assert_eq!(replica.told("ledger", &next).await["active"], true);
        let five = (0..5).fold(json!({ "sub": "a" }), |inner, _| json!({ "sub": "a", "act": inner }))["act"].clone();
        for refused in [json!({ "act": five }), json!({ "may_act": { "sub": "stock" } })] {
            let answer = replica.give_for("orders", &platform.token(&refused), "").await;
            assert_eq!(answer.error(), "invalid_request", "{refused}");
        }
    }

    /// EXC-08. What holds for the issuer holds on every replica that has read of it.
    async fn an_issuer_that_is_not_trusted_any_more_vouches_for_nobody(env) {
        let platform = Platform::ci().await;
        env.apply(&catalog_of(&platform, FROM_CI)).await;
        let replica = env.replica().await;
        let token = access_token(&gives(&replica, "orders", &platform.token(&json!({})), "").await);
        write_use(&env, Some(IssuerUse::Client)).await;
        replica.follow().await;
        let answer = replica.give_for("orders", &platform.token(&json!({})), "").await;
        answer.assert_error(400, "invalid_request");
        assert_eq!(replica.told("stock", &token).await["active"], true, "it was issued before");
        write_use(&env, None).await;
        replica.follow().await;
        assert_eq!(replica.told("stock", &token).await, json!({ "active": false }));
        replica.give_for("stock", &token, "").await.assert_error(400, "invalid_request");
        let answer = replica.give_for("orders", &platform.token(&json!({})), "").await;
        answer.assert_error(400, "invalid_request");
    }

    /// Nor is a client of ours taken for a foreign one: our tokens are ours, whatever domain their subject is called after.
    async fn a_client_that_is_called_by_a_spiffe_id_is_exchanged_for(env) {
        let mesh = "[[issuer]]\nid = \"mesh\"\nurl = \"spiffe://example.org\"\npreset = \"spiffe\"\n\
                    keys = \"https://127.0.0.1:9/bundle\"\nuse = [\"client\", \"exchange\"]\n";
        let called = "spiffe://example.org/web";
        let web = client(called, &lines(""), &[policy("orders-api", "read", "read")]);
        env.apply(&catalog_with(FROM_ORDERS, &(mesh.to_owned() + &web))).await;
        let replica = env.replica().await;
        let form = "grant_type=client_credentials";
        let authorization = basic(called, SECRET);
        let answer = replica.post("/oauth2/token", &[("authorization", &authorization)], form).await;
        let token = replica.exchanged("orders", &access_token(&answer), "").await;
        assert_eq!(decoded(&token).1["sub"], called);
        assert_eq!(replica.told("stock", &token).await["active"], true);
    }

    /// EXC-08: who asked for somebody by a statement of an issuer stays inside as well, so that what stops it stops the rest.
    async fn who_got_a_grant_for_somebody_acts_in_what_is_given_for_its_token(env) {
        let platform = Platform::ci().await;
        let of_job = policy("orders-api", "read", "read") + "issuer = \"ci\"\n";
        let job = client("job", &lines("grants = [\"jwt-bearer\"]"), &[of_job]);
        env.apply(&catalog_with(FROM_ORDERS, &(platform.lines("use = [\"grant\"]") + &job))).await;
        let replica = env.replica().await;
        let ask = async || {
            let authorization = basic("job", SECRET);
            let grant = "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=";
            let form = format!("{grant}{}", platform.token(&json!({})));
            replica.post("/oauth2/token", &[("authorization", authorization.as_str())], &form).await
        };
        let mut answer = ask().await;
        if answer.status == 503 {
            answer = ask().await;
        }
        let token = replica.exchanged("orders", &access_token(&answer), "").await;
        let (_, claims) = decoded(&token);
        assert_eq!(claims["sub"], NAMED);
        assert_eq!(claims["act"], json!({ "sub": "orders", "act": { "sub": "job" } }));
        assert_eq!(replica.told("stock", &token).await["active"], true);
        grantd::operations::change_client::disable_client(&env.store, &id("job"), env.options()).await.unwrap();
        replica.follow().await;
        assert_eq!(replica.told("stock", &token).await, json!({ "active": false }));
    }

    /// No foreign name is taken for a client: not by introspection either.
    async fn a_foreign_subject_is_no_client_of_ours(env) {
        let platform = Platform::ci().await;
        env.apply(&catalog_of(&platform, FROM_CI)).await;
        let replica = env.replica().await;
        let subject = platform.token(&json!({ "sub": "web" }));
        let token = access_token(&gives(&replica, "orders", &subject, "").await);
        assert_eq!(decoded(&token).1["sub"], "ci|web");
        grantd::operations::change_client::disable_client(&env.store, &id("web"), env.options()).await.unwrap();
        replica.follow().await;
        assert_eq!(replica.told("stock", &token).await["active"], true);
        // A subject of any form: no name of a client, and longer than one may be.
        for odd in [format!("ümlaut {}", "x".repeat(400)), "a|b".to_owned(), "\u{7}".to_owned()] {
            let token = replica.exchanged("orders", &platform.token(&json!({ "sub": odd })), "").await;
            assert_eq!(decoded(&token).1["sub"], format!("ci|{odd}"));
            assert_eq!(replica.told("stock", &token).await["active"], true, "{odd}");
        }
        // But none that makes a token which is too long to be introspected, or revoked.
        let long = "x".repeat(4000);
        for changes in [json!({ "sub": long }), json!({ "act": { "sub": long } })] {
            let answer = replica.give_for("orders", &platform.token(&changes), "").await;
            answer.assert_error(400, "invalid_request");
        }
        write_use(&env, None).await;
        replica.follow().await;
        let odd = replica.told("stock", &token).await;
        assert_eq!(odd, json!({ "active": false }));
    }
}

on_both! {
    async fn the_record_names_whose_token_came_and_never_the_token(env) {
        let platform = Platform::ci().await;
        env.apply(&catalog_of(&platform, FROM_CI)).await;
        let replica = env.replica().await;
        gives(&replica, "orders", &platform.token(&json!({})), "").await;
        let source = std::net::Ipv6Addr::from(uuid::Uuid::new_v4().as_u128()).to_string();
        let log = crate::captured_log::watch(&format!("source={source}"));
        let elsewhere = platform.token(&json!({ "aud": "https://other.example" }));
        replica.at(&source).give_for("orders", &elsewhere, "").await.assert_error(400, "invalid_request");
        let accepted = platform.token(&json!({}));
        assert_eq!(replica.at(&source).give_for("orders", &accepted, "").await.status, 200);
        let lines = log.lines();
        let line = |word: &str| lines.iter().find(|it| it.contains(word)).unwrap();
        let (refused, issued) = (line("error="), line(" issued"));
        for part in [
            "check=\"foreign token\"", "from=\"issuer:ci\"", "other.example", "grant=\"token-exchange\"", "client=\"orders\"",
        ] {
            assert!(refused.contains(part), "{part}: {refused}");
        }
        for part in ["from=\"issuer:ci\"", &format!("subject=\"{NAMED}\""), "actors=\"orders\""] {
            assert!(issued.contains(part), "{part}: {issued}");
        }
        // Another issuer may call somebody as two are called here.
        let acted = platform.token(&json!({ "act": { "sub": "web, stock" } }));
        assert_eq!(replica.at(&source).give_for("orders", &acted, "").await.status, 200);
        let lines = log.lines();
        let (line, part) = (lines.last().unwrap(), r#"actors="orders, \"ci|web, stock\"""#);
        assert!(line.contains(part), "{line}");
        for token in [elsewhere, accepted, acted] {
            let (input, _) = token.rsplit_once('.').unwrap();
            assert!(lines.iter().all(|it| !it.contains(input)));
        }
    }
}

on_both! {
    /// EXC-08: nor within the second of the change, nor what a replica issues that has not heard of it.
    async fn what_was_issued_around_a_change_of_an_issuer_is_dead_as_well(env) {
        let platform = Platform::ci().await;
        let catalog = catalog_of(&platform, FROM_CI);
        env.apply(&catalog).await;
        let (replica, late) = (env.replica().await, env.replica().await);
        let issue = async |replica: &Replica| {
            access_token(&gives(replica, "orders", &platform.token(&json!({})), "").await)
        };
        let active = async |token: &str| replica.told("stock", token).await["active"] == true;
        issue(&late).await;
        let at_first = issue(&replica).await;
        assert!(active(&at_first).await, "at once where nobody was called so before");
        let without = catalog.replace(&platform.lines(EXCHANGED), "").replace(FROM_CI, FROM_ORDERS);
        let moved = catalog.replace("https://ci.example", "https://other.example");
        for changes in [&[&without, &catalog][..], &[&moved]] {
            let before = issue(&replica).await;
            for changed in changes {
                env.prune(changed).await;
            }
            let after = issue(&late).await;
            replica.follow().await;
            assert!(!active(&before).await && !active(&after).await);
            env.clock.advance(Seconds::new(1));
            let later = issue(&late).await;
            assert!(!active(&later).await, "as late as a replica may issue");
            late.follow().await;
            env.prune(&catalog).await;
            env.clock.advance(Seconds::new(2));
            replica.follow().await;
            late.follow().await;
            assert!(!active(&before).await && !active(&after).await && !active(&later).await);
            assert!(active(&issue(&replica).await).await);
        }
    }

    /// A client that is called as somebody was whom an issuer knew is another, and the other way round.
    async fn nobody_inherits_what_another_of_the_same_name_got(env) {
        let platform = Platform::ci().await;
        let catalog = catalog_of(&platform, FROM_CI);
        env.apply(&catalog).await;
        let replica = env.replica().await;
        let active = async |token: &str| replica.told("stock", token).await["active"] == true;
        let subject = platform.token(&json!({ "sub": "bob" }));
        let of_issuer = access_token(&gives(&replica, "orders", &subject, "").await);
        assert!(active(&of_issuer).await);
        let without = catalog_with(FROM_ORDERS, "");
        let bob = client("ci|bob", &lines(""), &[policy("orders-api", "read", "read")]);
        let with_client = format!("{without}{bob}");
        // At once, and where nobody was called so for a while.
        for steps in [&[&with_client][..], &[&catalog, &without, &with_client]] {
            for step in steps {
                env.prune(step).await;
            }
            replica.follow().await;
            assert!(!active(&of_issuer).await);
        }
        env.clock.advance(Seconds::new(2));
        let own = replica.issued("ci|bob", SECRET, "").await;
        let exchanged = replica.exchanged("orders", &own, "").await;
        assert_eq!(decoded(&exchanged).1["sub"], "ci|bob");
        assert!(active(&exchanged).await);
        env.prune(&catalog).await;
        replica.follow().await;
        assert!(!active(&exchanged).await && !active(&of_issuer).await);
    }

    /// EXC-08: who is trusted under that name now may be somebody else.
    async fn an_issuer_that_comes_back_revives_nothing(env) {
        let platform = Platform::ci().await;
        let catalog = catalog_of(&platform, FROM_CI);
        env.apply(&catalog).await;
        let replica = env.replica().await;
        let before = access_token(&gives(&replica, "orders", &platform.token(&json!({})), "").await);
        let next = replica.exchanged("stock", &before, "").await;
        let alive = async |token: &str| {
            let api = if token == next { "ledger" } else { "stock" };
            replica.told(api, token).await["active"] == true
        };
        assert!(alive(&before).await && alive(&next).await);
        // What is changed of it but its URL makes nobody else of it.
        env.clock.advance(Seconds::new(2));
        env.apply(&catalog.replace(EXCHANGED, "use = [\"exchange\", \"grant\"]")).await;
        replica.follow().await;
        assert!(alive(&before).await && alive(&next).await);
        write_use(&env, None).await;
        replica.follow().await;
        env.clock.advance(Seconds::new(2));
        env.apply(&catalog).await;
        replica.follow().await;
        assert!(!alive(&before).await && !alive(&next).await);
        replica.give_for("stock", &before, "").await.assert_error(400, "invalid_request");
        let after = access_token(&gives(&replica, "orders", &platform.token(&json!({})), "").await);
        assert!(alive(&after).await);
        // The same name, and another URL.
        env.clock.advance(Seconds::new(2));
        env.apply(&catalog.replace("https://ci.example", "https://other.example")).await;
        replica.follow().await;
        assert!(!alive(&after).await);
    }
}
