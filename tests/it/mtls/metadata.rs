//! What the metadata says of mutual TLS, RFC 8705 sections 3.3 and 5.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::*;

const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";

pub(super) async fn document(router: &axum::Router) -> Value {
    let request = Request::get(WELL_KNOWN).header("host", "auth.example");
    let answer = router
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

on_both! {
    /// 8705-08 (8705-09).
    async fn the_aliases_name_the_listener_that_asks_for_certificates(env) {
        env.apply(CATALOG).await;
        let listening = listen(&env).await;
        let document = document(&listening.router).await;
        let origin = format!("https://{HOST}:8444");
        assert_eq!(document["issuer"], ISSUER);
        for (endpoint, path) in
            [("token", "token"), ("introspection", "introspect"), ("revocation", "revoke")]
        {
            let member = format!("{endpoint}_endpoint");
            assert_eq!(document[&member], format!("{ISSUER}/oauth2/{path}"));
            let alias = &document["mtls_endpoint_aliases"][&member];
            assert_eq!(*alias, format!("{origin}/oauth2/{path}"));
            let methods = &document[format!("{member}_auth_methods_supported")];
            let methods = methods.as_array().unwrap();
            assert!(methods.contains(&"tls_client_auth".into()));
            assert!(methods.contains(&"self_signed_tls_client_auth".into()));
        }
        assert_eq!(document["mtls_endpoint_aliases"].as_object().unwrap().len(), 3);
        assert_eq!(document["tls_client_certificate_bound_access_tokens"], true);
    }

    /// 8705-08.
    async fn nothing_is_advertised_that_is_not_there(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let without = document(&replica.router).await;
        assert!(without.get("mtls_endpoint_aliases").is_none());
        assert!(without.get("tls_client_certificate_bound_access_tokens").is_none());
        assert!(!without.to_string().contains("tls_client_auth"));
        let router = replica.router_as(|settings| {
            settings.issuer = Issuer::parse("https://auth.example/t1", false).unwrap();
            let mtls = mutual_tls("https://m.example");
            settings.mtls = Some(MutualTls { client_ca_files: Vec::new(), ..mtls });
        });
        let request = Request::get(format!("{WELL_KNOWN}/t1")).header("host", "auth.example");
        let answer = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let some: Value = serde_json::from_slice(&body).unwrap();
        let methods = some["token_endpoint_auth_methods_supported"].as_array().unwrap();
        assert!(methods.contains(&"self_signed_tls_client_auth".into()));
        assert!(!methods.contains(&"tls_client_auth".into()));
        let alias = &some["mtls_endpoint_aliases"]["token_endpoint"];
        assert_eq!(*alias, "https://m.example/t1/oauth2/token");
    }
}
