//! The discovery document, RFC 8414: it says what the server does, and the server does what it says.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::http::Request;
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::issuer::Issuer;
use grantd::domain::profile::Profile;
use serde_json::{Value, json};

use crate::assertion::signer::{Key, TYPE, claims, present};
use crate::catalogs::{audience, by_secret, policy};
use crate::harness::*;

/// The key of every client here.
static KEY: LazyLock<Key> = LazyLock::new(|| Key::new(SigningAlgorithm::Es256));
/// Makes each `jti` another one.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// Clients that registered every method, for each of the endpoints.
fn catalog() -> String {
    let jwks = json!({ "keys": [KEY.jwk()] });
    let methods = format!(
        "auth = [\"client_secret_basic\", \"client_secret_post\", \"private_key_jwt\"]\n\
         jwks = '''{jwks}'''"
    );
    let issuer = format!(
        "[[issuer]]\nid = \"ci\"\nurl = \"{CI}\"\nuse = [\"grant\"]\nkeys = '''{jwks}'''\n"
    );
    let catalog = CATALOG
        .replace("auth = \"client_secret_basic\"", &methods)
        .replace(
            "auth = [\"client_secret_basic\", \"client_secret_post\"]\n",
            &format!(
                "grants = [\"client_credentials\", \"token-exchange\", \"jwt-bearer\"]\n{methods}\n"
            ),
        )
        .replace(
            "default_scopes",
            "exchange = { from = [\"pricing\"] }\n  issuer = \"ci\"\n  default_scopes",
        );
    catalog + &issuer
}

/// An issuer with a path.
const TENANT: &str = "https://auth.example/t1";
const NAMES: [&str; 2] = ["oauth-authorization-server", "openid-configuration"];
/// Every method of client authentication that has a name.
const ALL_METHODS: [&str; 8] = [
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
    "none",
    "bearer",
];
const ALL_GRANTS: [&str; 8] = [
    "client_credentials",
    "authorization_code",
    "implicit",
    "password",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:device_code",
    JWT_BEARER,
    EXCHANGE,
];
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// A trusted issuer.
const CI: &str = "https://ci.example";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

async fn tenant_replica(env: &Env) -> Replica {
    env.replica_with(|settings| settings.issuer = Issuer::parse(TENANT, false).unwrap())
        .await
}

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect()
}

/// The path of a URL on our host.
fn path(url: &Value) -> &str {
    url.as_str()
        .unwrap()
        .strip_prefix("https://auth.example")
        .unwrap()
}

impl Replica {
    /// Sends a form as a client that proves itself, or tries to, by `method`.
    async fn post_by(&self, method: &str, path: &str, form: &str, client: (&str, &str)) -> Answer {
        let (id, secret) = client;
        let secret = form_encoded(secret);
        match method {
            "client_secret_basic" => {
                self.post(path, &[("authorization", &basic(id, client.1))], form)
                    .await
            }
            "client_secret_post" => {
                let form = format!("{form}&client_id={id}&client_secret={secret}");
                self.post(path, &[], &form).await
            }
            "client_secret_jwt" => {
                let form = format!(
                    "{form}&client_id={id}&client_assertion=e30.e30.e30&client_assertion_type={TYPE}"
                );
                self.post(path, &[], &form).await
            }
            "private_key_jwt" => {
                let jti = COUNTER.fetch_add(1, Ordering::Relaxed).to_string();
                let mut claims = claims(id, &jti);
                claims["aud"] = json!(self.settings.issuer.as_str());
                present(self, path, form, &KEY.sign(&claims)).await
            }
            "bearer" => {
                let bearer = format!("Bearer {}", client.1.replace(' ', "-"));
                self.post(path, &[("authorization", &bearer)], form).await
            }
            _ => {
                self.post(path, &[], &format!("{form}&client_id={id}"))
                    .await
            }
        }
    }
}

/// Uses every method at every endpoint of the document: what is advertised works, and nothing else does.
async fn walk(replica: &Replica, document: &Value) {
    let token = path(&document["token_endpoint"]);
    let introspection = path(&document["introspection_endpoint"]);
    let revocation = path(&document["revocation_endpoint"]);
    let (reader, api) = (("reader", READER), ("api", API));
    for method in ALL_METHODS {
        let advertised = |endpoint: &str| {
            let member = format!("{endpoint}_endpoint_auth_methods_supported");
            texts(&document[&member]).contains(&method)
        };
        for grant in ALL_GRANTS {
            let mut form = format!("grant_type={}", form_encoded(grant));
            if grant == EXCHANGE {
                let own = replica.post_by(
                    "client_secret_basic",
                    token,
                    "grant_type=client_credentials",
                    reader,
                );
                let own = own.await.json()["access_token"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                form = format!("{form}&subject_token={own}&subject_token_type={ACCESS_TOKEN}");
            }
            if grant == JWT_BEARER {
                let assertion = KEY.sign(&json!({
                    "iss": CI, "sub": "job", "aud": document["issuer"], "iat": START, "exp": START + 300,
                }));
                form = format!("{form}&assertion={assertion}");
            }
            let answer = replica.post_by(method, token, &form, reader).await;
            if !texts(&document["grant_types_supported"]).contains(&grant) {
                answer.assert_error(400, "unsupported_grant_type");
            } else if advertised("token") {
                assert_eq!(answer.status, 200, "{method} {grant}: {answer:?}");
            } else {
                answer.assert_error(401, "invalid_client");
            }
        }
        let form = "grant_type=client_credentials";
        let issued = replica
            .post_by("client_secret_basic", token, form, reader)
            .await
            .json();
        let form = format!("token={}", issued["access_token"].as_str().unwrap());
        let told = replica.post_by(method, introspection, &form, api).await;
        if advertised("introspection") {
            assert_eq!(told.json()["active"], true, "{method}");
        } else {
            told.assert_error(401, "invalid_client");
        }
        let revoked = replica.post_by(method, revocation, &form, reader).await;
        let told = replica
            .post_by("client_secret_basic", introspection, &form, api)
            .await;
        if advertised("revocation") {
            assert_eq!(revoked.status, 200, "{method}");
            assert_eq!(told.body, br#"{"active":false}"#);
        } else {
            revoked.assert_error(401, "invalid_client");
            assert_eq!(told.json()["active"], true);
        }
    }
}

on_both! {
    /// 8414-01.
    async fn the_document_lies_at_both_well_known_names(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let documents = [
            replica.get("/.well-known/oauth-authorization-server").await,
            replica.get("/.well-known/openid-configuration").await,
        ];
        for document in &documents {
            assert_eq!(document.status, 200);
            assert_eq!(document.headers["content-type"], "application/json");
            assert_eq!(document.headers["cache-control"], "public, max-age=300");
            assert_eq!(document.same(), documents[0].same());
        }
        for name in NAMES {
            for path in ["t1", "/", "t1/", "t1/x"] {
                let unknown = format!("/.well-known/{name}/{path}");
                replica.get(&unknown).await.assert_error(404, "not_found");
            }
            replica.get(&format!("/t1/.well-known/{name}")).await.assert_error(404, "not_found");
        }
        replica.get("/.well-known/").await.assert_error(404, "not_found");
        replica.get("/.well-known/webfinger").await.assert_error(404, "not_found");
    }

    /// 8414-01.
    async fn an_issuer_with_a_path_is_found_by_insertion_and_by_appending(env) {
        env.apply(CATALOG).await;
        let replica = tenant_replica(&env).await;
        let mut documents = Vec::new();
        for name in NAMES {
            documents.push(replica.get(&format!("/.well-known/{name}/t1")).await);
            documents.push(replica.get(&format!("/t1/.well-known/{name}")).await);
            for path in [
                format!("/.well-known/{name}"),
                format!("/.well-known/{name}/t2"),
                format!("/.well-known/{name}/t1/"),
                format!("/t2/.well-known/{name}"),
                format!("/t1/t1/.well-known/{name}"),
            ] {
                replica.get(&path).await.assert_error(404, "not_found");
            }
        }
        for document in &documents {
            assert_eq!(document.status, 200);
            assert_eq!(document.same(), documents[0].same());
            assert_eq!(document.json()["issuer"], TENANT);
        }
    }

    async fn endpoints_lie_below_the_issuers_path_and_the_jwks_also_at_the_root(env) {
        env.apply(&catalog()).await;
        let replica = tenant_replica(&env).await;
        let document = replica.get("/t1/.well-known/oauth-authorization-server").await.json();
        assert_eq!(document["token_endpoint"], "https://auth.example/t1/oauth2/token");
        walk(&replica, &document).await;
        let keys = replica.get(path(&document["jwks_uri"])).await;
        assert_eq!(keys.status, 200);
        assert_eq!(keys.same(), replica.get("/.well-known/jwks.json").await.same());
        for path in ["/oauth2/jwks", "/t1/.well-known/jwks.json", "/.well-known/jwks.json/t1"] {
            replica.get(path).await.assert_error(404, "not_found");
        }
        replica.token("reader", READER, "").await.assert_error(404, "not_found");
    }

    /// 8414-02.
    async fn one_string_names_the_issuer_everywhere(env) {
        env.apply(CATALOG).await;
        for issuer in [ISSUER, TENANT] {
            let replica =
                env.replica_with(|it| it.issuer = Issuer::parse(issuer, false).unwrap()).await;
            let root = issuer.strip_prefix("https://auth.example").unwrap();
            let document =
                replica.get(&format!("/.well-known/oauth-authorization-server{root}")).await.json();
            assert_eq!(document["issuer"], issuer);
            let form = "grant_type=client_credentials";
            let token = path(&document["token_endpoint"]);
            let client = ("reader", READER);
            let issued = replica.post_by("client_secret_basic", token, form, client).await.json();
            let (_, claims) = decoded(issued["access_token"].as_str().unwrap());
            assert_eq!(claims["iss"], issuer);
        }
    }

    /// 8414-03 8414-05
    async fn the_document_names_what_it_must_and_nothing_empty(env) {
        env.apply(CATALOG).await;
        let document =
            env.replica().await.get("/.well-known/oauth-authorization-server").await.json();
        for name in [
            "issuer",
            "token_endpoint",
            "jwks_uri",
            "introspection_endpoint",
            "revocation_endpoint",
        ] {
            assert!(document[name].is_string(), "{name}");
        }
        assert_eq!(texts(&document["grant_types_supported"]), ["client_credentials", EXCHANGE, JWT_BEARER]);
        assert_eq!(texts(&document["subject_types_supported"]), ["public"]);
        for (name, value) in document.as_object().unwrap() {
            assert!(!value.is_null(), "{name}");
            if name.ends_with("_supported") {
                assert!(!texts(value).is_empty(), "{name}");
                let none = texts(value).contains(&"none");
                assert_eq!(none, name == "response_types_supported", "{name}");
            }
        }
        for absent in ["registration_endpoint", "userinfo_endpoint", "scopes_supported"] {
            assert!(document[absent].is_null(), "{absent}");
        }
    }

    /// 8414-04
    async fn private_key_jwt_comes_with_its_algorithms_and_none_is_none(env) {
        env.apply(CATALOG).await;
        let document = env.replica().await.get("/.well-known/oauth-authorization-server").await.json();
        for endpoint in ["token", "introspection", "revocation"] {
            let methods = &document[format!("{endpoint}_endpoint_auth_methods_supported")];
            assert!(texts(methods).contains(&"private_key_jwt"), "{endpoint}");
            let member = format!("{endpoint}_endpoint_auth_signing_alg_values_supported");
            let algorithms = texts(&document[&member]);
            assert!(!algorithms.is_empty() && !algorithms.contains(&"none"), "{endpoint}");
        }
    }

    /// FEDERATION 2: what a trusted issuer signs by is told while it is in use for clients.
    async fn the_algorithms_of_assertions_grow_by_those_of_issuers(env) {
        let issuer = |uses: &str, algorithms: &str| {
            let lines = "[[issuer]]\nid = \"mesh\"\nurl = \"https://mesh.example\"";
            format!("{CATALOG}{lines}\nuse = [\"{uses}\"]\nalgorithms = [{algorithms}]\n")
        };
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let fapi2 = env.replica_with(|settings| settings.profile = Profile::Fapi2).await;
        let usual = ["ES256", "EdDSA", "Ed25519", "PS256", "RS256", "ES384", "PS384", "RS384"];
        let mut grown = usual.to_vec();
        grown.extend(["ES512", "RS512"]);
        for (catalog, expected) in [
            (CATALOG.to_owned(), &usual[..]),
            (issuer("client", r#""RS256", "ES384""#), &usual),
            (issuer("exchange", r#""ES256", "RS512""#), &usual),
            (issuer("client", r#""RS512", "ES256", "ES512""#), &grown),
            (issuer("client", r#""ES512", "ES256""#), &grown[..9]),
            (CATALOG.to_owned(), &usual),
        ] {
            env.prune(&catalog).await;
            for (replica, expected) in [(&replica, expected), (&fapi2, &usual[..4])] {
                replica.follow().await;
                let document = replica.get("/.well-known/oauth-authorization-server").await.json();
                for endpoint in ["token", "introspection", "revocation"] {
                    let member = format!("{endpoint}_endpoint_auth_signing_alg_values_supported");
                    assert_eq!(texts(&document[&member]), expected, "{catalog}");
                }
            }
        }
    }

    /// 8414-06.
    async fn what_is_advertised_works_and_nothing_else_does(env) {
        env.apply(&catalog()).await;
        let replica = env.replica().await;
        let document = replica.get("/.well-known/oauth-authorization-server").await.json();
        for endpoint in ["token", "introspection", "revocation"] {
            let member = format!("{endpoint}_endpoint_auth_methods_supported");
            assert!(texts(&document[&member]).iter().all(|name| ALL_METHODS.contains(name)));
        }
        walk(&replica, &document).await;
        let published = replica.get(path(&document["jwks_uri"])).await.json();
        let token = replica.issued("reader", READER, "").await;
        let kid = decoded(&token).0["kid"].clone();
        let keys = published["keys"].as_array().unwrap();
        assert!(keys.iter().any(|key| key["kid"] == kid));
    }

    /// 8414-07: nobody can make grantd name another host, and private scopes are not listed.
    async fn the_document_does_not_depend_on_the_request(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let well_known = "/.well-known/oauth-authorization-server";
        let reference = replica.get(well_known).await;
        let text = String::from_utf8(reference.body.clone()).unwrap();
        for url in text.split('"').filter(|text| text.contains("://")) {
            assert!(url == ISSUER || url.starts_with(&format!("{ISSUER}/")), "{url}");
        }
        assert!(reference.json()["scopes_supported"].is_null());
        for (target, host) in [
            (well_known.to_owned(), "evil.example"),
            (well_known.to_owned(), "auth.example:8443"),
            (format!("http://evil.example{well_known}"), "auth.example"),
        ] {
            let request = Request::get(&target)
                .header("host", host)
                .header("x-forwarded-host", "evil.example")
                .header("x-forwarded-proto", "http")
                .header("x-forwarded-prefix", "/evil")
                .header("x-forwarded-port", "1")
                .header("x-original-url", "/evil")
                .header("forwarded", "host=evil.example;proto=http")
                .header("accept", "text/html");
            let answer = replica.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.same(), reference.same(), "{target} {host}");
        }
    }

    /// 8414-07: before its keys are loaded a replica says so; afterwards it answers without the database.
    async fn the_document_answers_without_a_database_once_keys_are_loaded(env) {
        env.apply(CATALOG).await;
        let starting = env.unloaded_replica(|_| {});
        for path in
            ["/.well-known/oauth-authorization-server", "/oauth2/jwks", "/oauth2/authorize"]
        {
            let answer = starting.get(path).await;
            answer.assert_error(503, "temporarily_unavailable");
            assert!(answer.headers.contains_key("retry-after"));
        }
        starting.follow().await;
        for table in ["changes", "feed_head", "signing_keys"] {
            env.database.hide_table(table).await;
        }
        assert!(starting.grantd.follow_feed().await.is_err());
        for path in ["/.well-known/oauth-authorization-server", "/oauth2/jwks"] {
            assert_eq!(starting.get(path).await.status, 200, "{path}");
        }
        starting.get("/oauth2/authorize").await.assert_error(400, "unsupported_response_type");
    }

    /// go-oidc, and so oauth2-proxy and Kubernetes, take these for the algorithms of access tokens (8414-08).
    async fn the_algorithms_of_tokens_are_those_in_use_es256_first(env) {
        env.apply("[[client]]\nid = \"c\"\n").await;
        let replica = env.replica().await;
        let well_known = "/.well-known/openid-configuration";
        let member = "id_token_signing_alg_values_supported";
        assert!(replica.get(well_known).await.json().get(member).is_none());
        let mut catalog = String::new();
        for (algorithm, expected) in [
            ("RS256", &["RS256"][..]),
            ("EdDSA", &["EdDSA", "RS256"]),
            ("ES256", &["ES256", "EdDSA", "RS256"]),
            ("PS256", &["ES256", "EdDSA", "RS256", "PS256"]),
        ] {
            catalog += &audience(algorithm, "a", &format!("algorithm = {algorithm:?}"));
            let reader = by_secret("reader", READER, &[policy(algorithm, "a", "")]);
            env.apply(&format!("{catalog}{reader}")).await;
            replica.follow().await;
            let document = replica.get(well_known).await.json();
            assert_eq!(texts(&document[member]), expected);
            let form = format!("&audience={algorithm}&scope=a");
            let (header, _) = decoded(&replica.issued("reader", READER, &form).await);
            assert_eq!(header["alg"], algorithm);
            let keys = replica.get(path(&document["jwks_uri"])).await.json();
            let published = keys["keys"].as_array().unwrap().len();
            assert_eq!(published, expected.len(), "{keys}");
        }
    }

    /// Its URL is there for readers that demand one; nobody is authorized, and nobody is sent anywhere.
    /// (8414-05).
    async fn whatever_comes_to_the_authorization_endpoint_is_refused(env) {
        env.apply(CATALOG).await;
        let replica = tenant_replica(&env).await;
        let document = replica.get("/t1/.well-known/openid-configuration").await.json();
        assert_eq!(document["authorization_endpoint"], "https://auth.example/t1/oauth2/authorize");
        assert_eq!(texts(&document["response_types_supported"]), ["none"]);
        let authorize = path(&document["authorization_endpoint"]);
        let reference = replica.get(authorize).await;
        reference.assert_error(400, "unsupported_response_type");
        let parameters = "response_type=none&client_id=reader&state=marked\
                          &redirect_uri=https%3A%2F%2Fevil.example";
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
            for (query, body) in [("", ""), (parameters, ""), ("", parameters), ("%ff=%", "\0")] {
                let request = Request::builder()
                    .method(method)
                    .uri(format!("{authorize}?{query}"))
                    .header("host", "auth.example")
                    .header("authorization", basic("reader", READER))
                    .header("content-type", "application/x-www-form-urlencoded");
                let answer = replica.send(request.body(Body::from(body)).unwrap()).await;
                assert_eq!(answer.same(), reference.same(), "{method} {query} {body}");
            }
        }
        replica.get("/oauth2/authorize").await.assert_error(404, "not_found");
    }

    async fn without_strict_readers_there_is_no_authorization_endpoint(env) {
        env.apply(CATALOG).await;
        let whole = env.replica().await.get("/.well-known/openid-configuration").await.json();
        let switched_off = env.replica().await.published_as(|it| it.metadata.for_strict_readers = false);
        let fapi2 = env.replica().await.published_as(|it| it.profile = Profile::Fapi2);
        for replica in [switched_off, fapi2] {
            let document = replica.get("/.well-known/openid-configuration").await.json();
            for name in ["authorization_endpoint", "response_types_supported"] {
                assert!(document.get(name).is_none() && whole.get(name).is_some(), "{name}");
            }
            assert_eq!(texts(&document["id_token_signing_alg_values_supported"]), ["ES256"]);
            assert_eq!(document.as_object().unwrap().len() + 2, whole.as_object().unwrap().len());
            replica.get("/oauth2/authorize").await.assert_error(404, "not_found");
        }
    }

    async fn the_operators_members_stand_beside_ours(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let mut expected = replica.get("/.well-known/openid-configuration").await.json();
        let added = json!({ "service_documentation": "https://wiki.example/auth", "x": [1, {}] });
        let added = added.as_object().unwrap().clone();
        expected.as_object_mut().unwrap().extend(added.clone());
        let replica = replica.published_as(|it| it.metadata.extra = added);
        for name in NAMES {
            assert_eq!(replica.get(&format!("/.well-known/{name}")).await.json(), expected);
        }
    }
}
