//! Signed answers of introspection, RFC 9701.

use grantd::config::catalog::{Catalog, CatalogOptions};
use grantd::domain::profile::Profile;
use grantd::domain::timestamp::Seconds;
use grantd::operations::apply_catalog::{ApplyOptions, apply_catalog};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::{Value, json};

use crate::catalogs::{audience, by_secret, reads};
use crate::harness::*;

const SIGNED: &str = "application/token-introspection+jwt";
const PATH: &str = "/oauth2/introspect";

/// What another library reads in a signed answer, and its header.
struct Read {
    header: Value,
    claims: Value,
    jwt: String,
}

impl Replica {
    async fn introspect_accepting(&self, accept: &str, token: &str) -> Answer {
        let authorization = basic("api", API);
        let headers = [
            ("authorization", authorization.as_str()),
            ("accept", accept),
        ];
        self.post(PATH, &headers, &format!("token={token}")).await
    }

    /// What `api` is told of the token, signed for it.
    async fn told_signed(&self, token: &str) -> Read {
        let answer = self.introspect_accepting(SIGNED, token).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.headers["content-type"], SIGNED);
        assert_eq!(answer.headers["cache-control"], "no-store");
        let jwt = String::from_utf8(answer.body).unwrap();
        let header = jsonwebtoken::decode_header(&jwt).unwrap();
        let jwks: JwkSet = serde_json::from_value(self.get("/oauth2/jwks").await.json()).unwrap();
        let key = jwks
            .find(header.kid.as_deref().unwrap())
            .expect("a published key");
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&["api"]);
        validation.set_required_spec_claims(&["iss", "aud"]);
        validation.validate_exp = false;
        let key = DecodingKey::from_jwk(key).unwrap();
        let claims = jsonwebtoken::decode::<Value>(&jwt, &key, &validation)
            .unwrap()
            .claims;
        let (header, _) = decoded(&jwt);
        Read {
            header,
            claims,
            jwt,
        }
    }
}

/// [`CATALOG`] with this line of its audience.
fn with(line: &str) -> String {
    CATALOG.replacen("served_by", &format!("{line}\nserved_by"), 1)
}

on_both! {
    /// 9701-01: what the plain answer holds, signed for the caller.
    async fn an_active_token_is_told_as_in_the_plain_answer(env) {
        for line in ["", "format = \"opaque\""] {
            env.apply(&with(line)).await;
            let replica = env.replica().await;
            let token = replica.issued("reader", READER, "").await;
            let plain = replica.introspect("api", API, &token).await.json();
            assert_eq!(plain["active"], true);
            let Read { header, claims, .. } = replica.told_signed(&token).await;
            assert_eq!((&header["typ"], &header["alg"]), (&json!("token-introspection+jwt"), &json!("ES256")));
            let expected = json!({ "iss": ISSUER, "aud": "api", "iat": START, "token_introspection": plain });
            assert_eq!(claims, expected, "neither sub nor exp beside");
        }
    }

    /// 9701-01: no token is embedded, whatever is wrong with it, and each looks like garbage.
    async fn an_inactive_token_is_told_in_one_word(env) {
        let billing = audience("billing", "read", "served_by = [\"reader\"]");
        let policies = [reads("pricing"), reads("billing")].concat();
        let ledger = by_secret("ledger", "ledger secret of tests", &policies);
        env.apply(&(CATALOG.to_owned() + &billing + &ledger)).await;
        let replica = env.replica().await;
        let revoked = replica.issued("reader", READER, "").await;
        assert_eq!(replica.revoke("reader", READER, &revoked).await.status, 200);
        let not_served = replica.issued("ledger", "ledger secret of tests", "&audience=billing").await;
        for token in ["garbage", &revoked, &not_served, "grantd_at_garbage"] {
            let Read { header, claims, .. } = replica.told_signed(token).await;
            assert_eq!(header["alg"], "ES256");
            let inactive = json!({ "active": false });
            let expected = json!({ "iss": ISSUER, "aud": "api", "iat": START, "token_introspection": inactive });
            assert_eq!(claims, expected, "{token}");
        }
    }

    /// 9701-01: JSON for everybody else, and for whoever wants it more; refusals are JSON in any case.
    async fn who_does_not_ask_for_it_gets_json(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        let plain = replica.introspect("api", API, &token).await.same();
        for accept in [
            "*/*",
            "application/json",
            "application/token-introspection+jwt;q=0",
            "application/token-introspection+jwt;q=0.5, application/json",
            "application/token-introspection+jwt;q=0.5, application/*;q=0.8, */*;q=0.1",
        ] {
            assert_eq!(replica.introspect_accepting(accept, &token).await.same(), plain, "{accept}");
        }
        let wanted = "application/json;q=0.9, application/token-introspection+jwt";
        let answer = replica.introspect_accepting(wanted, &token).await;
        assert_eq!(answer.headers["content-type"], SIGNED);
        let refused = replica.introspect_accepting(SIGNED, "").await;
        refused.assert_error(400, "invalid_request");
        let headers = [("authorization", basic("api", "another secret of 1")), ("accept", SIGNED.to_owned())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let refused = replica.post(PATH, &headers, &format!("token={token}")).await;
        refused.assert_error(401, "invalid_client");
    }

    /// 9701-01: one algorithm signs them all, and the metadata name it.
    async fn the_metadata_name_the_algorithm(env) {
        let named = async |replica: &Replica| {
            let metadata = replica.get("/.well-known/oauth-authorization-server").await.json();
            metadata["introspection_signing_alg_values_supported"].clone()
        };
        let none = env.replica().await;
        assert_eq!(named(&none).await, Value::Null, "without an audience there is no key");
        env.apply(&with("algorithm = \"PS256\"")).await;
        let replica = env.replica().await;
        assert_eq!(named(&replica).await, json!(["PS256"]));
        let token = replica.issued("reader", READER, "").await;
        assert_eq!(replica.told_signed(&token).await.header["alg"], "PS256");
        assert_eq!(replica.told_signed("garbage").await.header["alg"], "PS256");

        env.apply(&(with("algorithm = \"PS256\"") + &audience("billing", "read", "algorithm = \"EdDSA\""))).await;
        replica.follow().await;
        assert_eq!(named(&replica).await, json!(["EdDSA"]));
        assert_eq!(replica.told_signed(&token).await.header["alg"], "EdDSA");
    }

    /// A key that was just made signs nothing for a moment: until then another does.
    async fn answers_are_signed_while_a_new_algorithm_comes_into_use(env) {
        let first = with("algorithm = \"EdDSA\"");
        env.apply(&first).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        let none = |_: &str| None;
        let more = audience("billing", "read", "algorithm = \"ES256\"");
        let catalog = Catalog::parse("more.toml", &more, &CatalogOptions::dev(&none)).unwrap();
        let options = ApplyOptions { key_delay: Seconds::new(2), ..env.options() };
        apply_catalog(&env.store, &catalog, options).await.unwrap();
        replica.follow().await;
        assert_eq!(replica.told_signed(&token).await.header["alg"], "EdDSA");
        env.clock.advance(Seconds::new(3));
        assert_eq!(replica.told_signed(&token).await.header["alg"], "ES256");
    }

    /// FAPI 2.0 section 5.4: RS256 signs nothing there, though another program's `apply` has brought it in.
    async fn the_profile_fapi2_signs_by_no_other_algorithm_than_it_allows(env) {
        env.apply(&(with("algorithm = \"PS256\"") + &audience("old", "read", "algorithm = \"RS256\""))).await;
        let replica = env.replica_with(|settings| settings.profile = Profile::Fapi2).await;
        assert_eq!(replica.grantd.introspection_algorithm().unwrap().as_str(), "PS256");
        env.apply(&with("algorithm = \"RS256\"")).await;
        replica.follow().await;
        assert_eq!(replica.grantd.introspection_algorithm(), None);
    }

    /// RFC 9701 section 8.1: a signed answer is no access token, and no client assertion.
    async fn a_signed_answer_is_no_token(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        let jwt = replica.told_signed(&token).await.jwt;
        assert!(!replica.is_active(&jwt).await);
        let form = format!(
            "grant_type=client_credentials&client_assertion_type=\
             urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={jwt}"
        );
        replica.post("/oauth2/token", &[], &form).await.assert_error(401, "invalid_client");
    }

    /// It is said that the answer cannot be signed, rather than sent without a signature.
    async fn without_a_key_that_signs_there_is_no_signed_answer(env) {
        env.apply(&with("format = \"opaque\"")).await;
        let replica = env.replica().await;
        let token = replica.issued("reader", READER, "").await;
        env.database.execute("DELETE FROM signing_keys").await;
        let replica = env.replica().await;
        assert!(replica.is_active(&token).await);
        let answer = replica.introspect_accepting(SIGNED, &token).await;
        answer.assert_error(503, "temporarily_unavailable");
    }
}
