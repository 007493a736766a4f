//! The paths themselves: what is shown of them, and who has none of them.

use std::collections::BTreeSet;

use grantd::http::health::HealthState;
use grantd::http::routes;
use grantd::server::server_metrics::ServerMetrics;
use serde_json::{Value, json};

use super::*;

/// Method and path of each, as the page shows them.
fn shown(index: &Value) -> BTreeSet<(String, String)> {
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    let paths = index["paths"].as_array().unwrap().iter();
    paths
        .map(|it| (text(&it["method"]), text(&it["path"])))
        .collect()
}

on_both! {
    async fn the_page_shows_what_there_is(env) {
        let lab = Lab::new(env, CATALOG).await;
        let (status, index) = lab.ask("GET /_test", "").await;
        assert_eq!(status, 200, "{index}");
        assert_eq!((&index["version"], &index["issuer"]), (&json!(env!("CARGO_PKG_VERSION")), &json!(ISSUER)));
        assert_eq!(index["endpoints"]["token_endpoint"], format!("{ISSUER}/oauth2/token"));
        assert_eq!(index["audiences"][0]["id"], "pricing");
        assert_eq!(index["audiences"][0]["scopes"], json!(["read", "write"]));
        let clients = index["clients"].as_array().unwrap();
        let ids: Vec<&Value> = clients.iter().map(|it| &it["client_id"]).collect();
        assert_eq!(ids, ["api", "reader"]);
        assert_eq!(clients[1]["policies"][0]["audience"], "pricing");
        assert_eq!(index["clock"]["unix"], START);
        assert!(shown(&index).contains(&("PUT".to_owned(), "/_test/clock".to_owned())), "{index}");
        let told = index["paths"].as_array().unwrap().iter().all(|it| it["does"].as_str().unwrap().len() > 5);
        assert!(told, "{index}");
    }

    async fn each_path_is_described_and_no_unknown_key_goes_into_any(env) {
        let lab = Lab::new(env, CATALOG).await;
        let (_, index) = lab.ask("GET /_test", "").await;
        let (status, document) = lab.ask("GET /_test/openapi.json", "").await;
        assert_eq!((status, &document["openapi"]), (200, &json!("3.1.0")));
        let mut described = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                described.insert((method.to_uppercase(), path.clone()));
                assert!(operation["responses"].as_object().unwrap().len() > 1, "{method} {path}");
                let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
                let Some(name) = schema["$ref"].as_str() else { continue };
                let name = name.strip_prefix("#/components/schemas/").unwrap();
                let schema = &document["components"]["schemas"][name];
                assert_eq!(schema["additionalProperties"], false, "{method} {path}: {schema}");
                let (status, told) = lab.ask(&format!("{} {path}", method.to_uppercase()), r#"{"nonsens":1}"#).await;
                assert_eq!((status, &told["at"]), (400, &json!("nonsens")), "{method} {path}: {told}");
            }
        }
        assert_eq!(described, shown(&index));
        // Every schema that is meant is there.
        let text = document.to_string();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
    }

    /// What `serve` and `dev` show to everybody: nothing below `/_test` leads anywhere.
    async fn no_other_listener_has_any_of_them(env) {
        let lab = Lab::new(env, CATALOG).await;
        let operations = routes::operations(HealthState {
            grantd: Arc::clone(&lab.replica.grantd),
            draining: Arc::default(),
            server: Arc::new(ServerMetrics::default()),
        });
        let (_, index) = lab.ask("GET /_test", "").await;
        let paths = shown(&index);
        assert!(paths.len() > 3, "{paths:?}");
        for (method, path) in paths {
            for router in [&lab.replica.router, &operations] {
                for target in [path.clone(), format!("{path}/"), format!("/{path}"), format!("/x/..{path}")] {
                    let request = Request::builder().method(method.as_str()).uri(&target);
                    let request = request.header("host", "localhost").body(Body::empty()).unwrap();
                    let answer = router.clone().oneshot(request).await.unwrap();
                    assert_eq!(answer.status(), 404, "{method} {target}");
                }
            }
        }
    }
}
