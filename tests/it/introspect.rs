//! `POST /oauth2/introspect`: RFC 7662.

use grantd::crypto::digest::base64url;
use grantd::crypto::random;
use grantd::domain::timestamp::{Seconds, Timestamp};
use serde_json::json;

use crate::catalogs::{audience, by_secret, reads};
use crate::forgery::{Forger, new_key, signed, signing_input};
use crate::harness::*;

/// A second API, and a client that serves it and gets tokens for the first.
fn two_apis() -> String {
    let billing = audience("billing", "bill", "served_by = [\"ledger\"]");
    let ledger = by_secret("ledger", LEDGER, &reads("pricing"));
    format!("{CATALOG}{billing}{ledger}")
}
/// The secret of `ledger`.
const LEDGER: &str = "ledger secret of tests";

/// The instant half a second later, as a claim.
fn half_past(second: i64) -> serde_json::Value {
    serde_json::from_str(&format!("{second}.5")).unwrap()
}

impl Replica {
    /// Whether `api` is told that the token is active.
    pub(crate) async fn is_active(&self, token: &str) -> bool {
        let answer = self.introspect("api", API, token).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["active"].as_bool().unwrap()
    }

    /// That `api` gets for each token exactly what it gets for garbage.
    #[track_caller]
    fn assert_inactive(&self, tokens: Vec<(&str, String)>) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let garbage = self.introspect("api", API, "garbage").await;
            assert_eq!(garbage.status, 200);
            assert_eq!(garbage.body, br#"{"active":false}"#);
            assert_eq!(garbage.headers["cache-control"], "no-store");
            for (case, token) in tokens {
                let answer = self.introspect("api", API, &token).await;
                assert_eq!(answer.same(), garbage.same(), "{case}, {place}");
            }
        }
    }
}

on_both! {
    /// 7662-01.
    async fn only_a_posted_form_of_an_authenticated_client_is_answered(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        let get = replica.get("/oauth2/introspect").await;
        get.assert_error(405, "method_not_allowed");
        assert_eq!(get.headers["allow"], "POST");

        let form = format!("token={token}");
        let bearer = format!("Bearer {token}");
        let basic = basic("api", API);
        let path = "/oauth2/introspect";
        replica.post(path, &[], &form).await.assert_error(401, "invalid_client");
        let bearer = replica.post(path, &[("authorization", &bearer)], &form).await;
        bearer.assert_error(401, "invalid_client");
        replica
            .introspect("api", "another secret of 1", &token)
            .await
            .assert_error(401, "invalid_client");
        let query = format!("{path}?token={token}");
        let query = replica.post(&query, &[("authorization", &basic)], &form).await;
        query.assert_error(400, "invalid_request");
        let json = replica
            .send(
                axum::http::Request::post(path)
                    .header("host", "auth.example")
                    .header("authorization", basic)
                    .header("content-type", "application/json")
                    .body(json!({ "token": token }).to_string().into())
                    .unwrap(),
            )
            .await;
        json.assert_error(400, "invalid_request");
    }

    /// 7662-02.
    async fn a_request_without_exactly_one_token_is_refused(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let basic = basic("api", API);
        for form in ["", "token=", "token=a&token=a", "token=a&token=b", "Token=a"] {
            let answer =
                replica.post("/oauth2/introspect", &[("authorization", &basic)], form).await;
            answer.assert_error(400, "invalid_request");
        }
    }

    /// 7662-03 B-T01: whatever is wrong with a token, the answer is the same, byte for byte.
    async fn every_token_that_is_not_active_gets_the_same_answer(env) {
        let (replica, forger) = Forger::new(&env, &two_apis()).await;
        let untouched = signed(&forger.key, &forger.header, &forger.claims);
        assert!(replica.is_active(&untouched).await, "what the forger leaves alone is active");

        let stranger = new_key();
        let revoked = replica.issued("reader", READER, "").await;
        assert_eq!(replica.revoke("reader", READER, &revoked).await.status, 200);
        let mut none = forger.header.clone();
        none["alg"] = "none".into();
        let (input, signature) = untouched.rsplit_once('.').unwrap();
        replica
            .assert_inactive(vec![
                ("random", random::token_id()),
                ("empty JWT", "..".to_owned()),
                ("empty objects", "e30.e30.".to_owned()),
                ("10 KiB", "a".repeat(10 * 1024)),
                ("10 KiB of dots", ".".repeat(10 * 1024)),
                ("expired", forger.claim("exp", START)),
                ("not yet issued", forger.claim("iat", START + 3)),
                ("not yet valid", forger.claim("nbf", START + 3)),
                ("times of another type", forger.claim("exp", (START + 300).to_string())),
                ("revoked", revoked),
                (
                    "signed by a stranger under our kid",
                    signed(&stranger, &forger.header, &forger.claims),
                ),
                ("kid of a stranger", forger.header("kid", stranger.kid.as_str())),
                ("alg none", format!("{}.", signing_input(&none, &forger.claims))),
                ("alg none, signed", signed(&forger.key, &none, &forger.claims)),
                ("another alg", forger.header("alg", "RS256")),
                ("alg in small letters", forger.header("alg", "es256")),
                ("no signature", format!("{input}.")),
                ("cut signature", untouched[..untouched.len() - 1].to_owned()),
                ("padded signature", format!("{input}.{signature}%3D%3D")),
                ("two tokens in one", format!("{untouched}.{untouched}")),
                ("another issuer", forger.claim("iss", "https://other.example")),
                ("issuer with a slash", forger.claim("iss", format!("{ISSUER}/"))),
                ("issuer in capitals", forger.claim("iss", ISSUER.to_uppercase())),
                ("unknown client", forger.claim("client_id", "nobody")),
                ("unknown audience", forger.claim("aud", "nothing")),
                ("audience that the caller does not serve", forger.claim("aud", "billing")),
                ("several audiences", forger.claim("aud", json!(["pricing", "billing"]))),
                ("no audience in the list", forger.claim("aud", json!([]))),
                ("a list in the list", forger.claim("aud", json!([["pricing"]]))),
                ("no jti", forger.without("jti")),
                ("no exp", forger.without("exp")),
                ("no client_id", forger.without("client_id")),
            ])
            .await;
    }

    /// RFC 7519 sections 2 and 4.1.3, RFC 7515 section 4.1.9.
    async fn what_the_standards_let_one_write_otherwise_is_the_same_token(env) {
        let (replica, forger) = Forger::new(&env, CATALOG).await;
        let end = forger.claims["exp"].as_i64().unwrap();
        for (what, token) in [
            ("the audience as a list", forger.claim("aud", json!(["pricing"]))),
            ("a fraction", forger.claim("exp", half_past(end))),
            ("an exponent", forger.claim("iat", json!(1e9))),
            ("the media type in full", forger.header("typ", "application/at+jwt")),
        ] {
            assert!(replica.is_active(&token).await, "{what}");
        }
        let over = forger.claim("exp", half_past(START));
        assert!(!replica.is_active(&over).await, "a fraction is dropped");
    }

    /// B-J14: no other kind of JWT is an access token, even when our own key signed it.
    async fn other_kinds_of_jwt_are_inactive(env) {
        let (replica, forger) = Forger::new(&env, CATALOG).await;
        let kinds = [
            "client-authentication+jwt",
            "dpop+jwt",
            "token-introspection+jwt",
            "secevent+jwt",
            "logout+jwt",
            "oauth-authz-req+jwt",
            "",
            "JOSE",
        ];
        let mut tokens: Vec<_> =
            kinds.iter().map(|typ| (*typ, forger.header("typ", *typ))).collect();
        let jwt = json!({ "alg": "ES256", "kid": forger.key.kid, "typ": "JWT" });
        let without_typ = json!({ "alg": "ES256", "kid": forger.key.kid });
        let assertion = json!({
            "iss": "reader", "sub": "reader", "aud": ISSUER, "jti": "j", "iat": START,
            "exp": START + 60,
        });
        let id_token = json!({
            "iss": ISSUER, "sub": "reader", "aud": "reader", "iat": START, "exp": START + 60,
            "nonce": "n",
        });
        let introspection = json!({
            "iss": ISSUER, "aud": "api", "iat": START, "token_introspection": forger.claims,
        });
        tokens.extend([
            ("no typ", signed(&forger.key, &without_typ, &forger.claims)),
            ("client assertion", signed(&forger.key, &jwt, &assertion)),
            ("id token", signed(&forger.key, &jwt, &id_token)),
            ("introspection as JWT", signed(&forger.key, &jwt, &introspection)),
        ]);
        replica.assert_inactive(tokens).await;

        let token = signed(&forger.key, &forger.header, &forger.claims);
        let form = format!(
            "grant_type=client_credentials&client_assertion_type=\
             urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={token}"
        );
        replica.post("/oauth2/token", &[], &form).await.assert_error(401, "invalid_client");
    }

    /// 7662-04.
    async fn an_active_token_is_told_with_the_values_of_its_claims(env) {
        let claims = "\nclaims = { region = \"eu\" }\ntenant = \"acme\"\nenvironment = \"dev\"";
        let secret = format!("secret = \"{READER}\"");
        env.apply(&CATALOG.replace(&secret, &format!("{secret}{claims}"))).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "&scope=write+read").await;
        let answer = replica.introspect("api", API, &token).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.headers["cache-control"], "no-store");
        let (_, claims) = decoded(&token);
        let mut expected = claims.clone();
        expected["active"] = true.into();
        expected["token_type"] = "Bearer".into();
        assert_eq!(answer.json(), expected);
        let required = ["iss", "client_id", "sub", "aud", "scope", "exp", "iat", "jti"];
        assert!(required.iter().all(|name| !claims[*name].is_null()), "{claims}");
        assert_eq!(claims["region"], "eu");
    }

    /// 7662-05 B-T02: who asks decides, not whose token it is.
    async fn only_who_serves_the_audience_learns_of_a_token_and_no_hint_matters(env) {
        env.apply(&two_apis()).await;
        let replica = env.replica().await;
        let token = replica.issued("ledger", LEDGER, "").await;
        for hint in ["access_token", "refresh_token", "id_token", "nonsense", ""] {
            let form = format!("{token}&token_type_hint={hint}");
            assert!(replica.is_active(&form).await, "{hint}");
        }
        let garbage = replica.introspect("ledger", LEDGER, "garbage").await;
        for (caller, secret) in [("ledger", LEDGER), ("reader", READER)] {
            let answer = replica.introspect(caller, secret, &token).await;
            assert_eq!(answer.same(), garbage.same(), "{caller}");
        }
    }

    /// B-T02.
    async fn a_deleted_caller_is_refused(env) {
        env.apply(&two_apis()).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        assert!(replica.is_active(&token).await);
        let without_api = two_apis().replace("id = \"api\"", "id = \"another-api\"");
        env.prune(&without_api).await;
        replica.follow().await;
        let answer = replica.introspect("api", API, &token).await;
        answer.assert_error(401, "invalid_client");
        assert_eq!(answer.same(), replica.introspect("nobody", API, &token).await.same());
    }

    /// 7662-06.
    async fn a_token_is_inactive_from_the_second_of_its_exp_on(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        let exp = Timestamp::from_unix(decoded(&token).1["exp"].as_i64().unwrap());
        assert!(replica.is_active(&token).await);
        env.clock.sleep_until(exp.minus(Seconds::new(1))).await;
        replica.follow().await;
        assert!(replica.is_active(&token).await);
        env.clock.advance(Seconds::new(1));
        assert!(!replica.is_active(&token).await);
    }

    /// 7662-06.
    async fn a_revoked_token_is_inactive_at_once_whatever_was_told_before(env) {
        env.apply(CATALOG).await;
        let (here, there) = (env.replica().await, env.replica().await);
        let token = here.issued("reader", READER, "").await;
        assert!(here.is_active(&token).await && there.is_active(&token).await);
        assert_eq!(here.revoke("reader", READER, &token).await.status, 200);
        assert!(!here.is_active(&token).await);
        there.follow().await;
        assert!(!there.is_active(&token).await);
    }

    /// 7662-07: neither asks the database, so neither waits for it: it may be away.
    async fn a_token_of_another_api_costs_no_more_than_garbage(env) {
        env.apply(&two_apis()).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        let learned = replica.introspect("ledger", LEDGER, &token).await;
        for table in ["revoked_tokens", "clients", "audiences"] {
            env.database.hide_table(table).await;
        }
        let garbage = replica.introspect("ledger", LEDGER, "garbage").await;
        let foreign = replica.introspect("ledger", LEDGER, &token).await;
        assert_eq!(garbage.same(), learned.same());
        assert_eq!(foreign.same(), learned.same());
    }

    /// B-T03.
    async fn thousands_of_random_tokens_get_one_answer(env) {
        let (replica, forger) = Forger::new(&env, CATALOG).await;
        let garbage = replica.introspect("api", API, "garbage").await.same();
        let hashed = replica.grantd.hashing().counts();
        let (input, _) = forger
            .claim("jti", "x")
            .rsplit_once('.')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        for number in 0..2000_usize {
            let bytes = random::random_bytes::<64>();
            let token = match number % 3 {
                0 => random::token_id(),
                1 => format!("{input}.{}", base64url(&bytes)),
                _ => base64url(&bytes[..number % 64]) + "." + &base64url(&bytes),
            };
            assert_eq!(replica.introspect("api", API, &token).await.same(), garbage, "{token}");
        }
        assert_eq!(replica.grantd.hashing().counts(), hashed, "no token costs a hash");
    }

    /// What was revoked before a replica started is dead there from its first answer on.
    async fn a_replica_that_has_not_loaded_its_revocations_asks_the_database(env) {
        env.apply(CATALOG).await;
        let first = env.replica().await;
        let dead = first.issued("reader", READER, "").await;
        let live = first.issued("reader", READER, "").await;
        assert_eq!(first.revoke("reader", READER, &dead).await.status, 200);

        let starting = env.unloaded_replica(|_| {});
        starting.introspect("api", API, &live).await.assert_error(503, "temporarily_unavailable");
        starting.follow().await;
        // A load that never ends: what is in memory proves nothing.
        let _ = starting.grantd.revocations().begin_load();
        assert!(!starting.is_active(&dead).await);
        assert!(starting.is_active(&live).await);
        env.database.hide_table("revoked_tokens").await;
        starting.introspect("api", API, &live).await.assert_error(503, "temporarily_unavailable");
    }
}
