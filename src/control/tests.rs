//! Sample paths, asked as tests ask: what a handler takes, and what is said of anything else.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body as HttpBody;
use axum::http::Request;
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use utoipa::{IntoParams, ToSchema};

use super::answer::{Done, Json};
use super::fault::Fault;
use super::input::{AnyBody, Body, Name, Query};
use super::openapi::document;
use super::state::Control;
use super::surrounded::surrounded;
use super::table::Table;
use super::{Entrance, World};
use crate::clock::Clock;
use crate::config::catalog::Catalog;
use crate::config::settings::Settings;
use crate::crypto::sealing::{SealingKey, SealingKeys};
use crate::domain::issuer::Issuer;
use crate::domain::secret_format::Secret;
use crate::domain::timestamp::Seconds;
use crate::server::listener::bind;
use crate::server::replica::Replica;
use crate::server::shutdown::Shutdown;
use crate::server::sockets::Sockets;
use crate::store::{DatabaseOptions, Store};

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Move {
    #[schema(value_type = Option<String>, example = "61m")]
    advance: Option<Seconds>,
    times: Option<u32>,
}

#[derive(Deserialize, IntoParams)]
struct Filter {
    /// How many.
    count: Option<u32>,
}

fn sample() -> Table {
    let moved = async |_: Control, Body(it): Body<Move>| Ok(Json(it));
    let maybe = async |_: Control, it: Option<Body<Move>>| {
        Ok(Json(it.map_or(0, |Body(it)| it.times.unwrap_or(1))))
    };
    let named = async |_: Control, Name(name): Name, Query(it): Query<Filter>| match name.as_str() {
        "one" => Ok(Json(it.count)),
        other => Err(Fault::unknown("thing", other, ["one", "two"])),
    };
    let any = async |_: Control, it: AnyBody| Ok(Json((it.media_type, it.bytes.len()).1));
    Table::none()
        .put("/_test/move", "moves", moved)
        .post("/_test/move", "may move", maybe)
        .get("/_test/things/{name}", "shows a thing", named)
        .delete("/_test/things", "forgets all", async |_: Control| Ok(Done))
        .patch("/_test/things", "forgets all, too", async |_: Control| {
            Ok(Done)
        })
        .post("/_test/any", "takes anything", any)
}

fn router() -> Router {
    let settings = Settings::new(
        Issuer::parse("http://localhost:8080", true).unwrap(),
        Secret::new("sqlite:///nowhere/grantd.db".to_owned()),
    );
    let store = Arc::new(Store::open(DatabaseOptions::of(&settings)).unwrap());
    let (clock, hand) = Clock::steered();
    let sealing = SealingKeys::new(SealingKey::generate());
    let replica = Replica::new(settings, Sockets::default(), store, clock, sealing.clone());
    let entrance = Entrance {
        sockets: vec![bind("127.0.0.1:0".parse().unwrap()).unwrap()],
        known_as: None,
    };
    let world = World {
        hand,
        sealing,
        catalog: Catalog::default(),
        held: Vec::new(),
        stock: None,
        ca: PathBuf::new(),
        client_ca_key: None,
        shutdown: Shutdown::manual().1,
    };
    let (answering, routes) = sample().parts();
    let control = Control::new(&replica.unwrap(), (&entrance, routes), world).unwrap();
    surrounded(answering, control)
}

/// Status and body of an answer; a body that is there is JSON.
async fn ask(line: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
    let (method, target) = line.split_once(' ').unwrap();
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(HttpBody::from(body.to_owned())).unwrap();
    let (head, body) = router().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    if head.status != 204 {
        assert_eq!(head.headers["content-type"], "application/json", "{line}");
    }
    assert!(head.headers.contains_key("x-request-id"), "{line}");
    (
        head.status.as_u16(),
        serde_json::from_slice(&body).unwrap_or_default(),
    )
}

async fn json(line: &str, body: &str) -> (u16, Value) {
    ask(line, &[("content-type", "application/json")], body).await
}

#[tokio::test]
async fn what_fits_is_done() {
    let moved = json("PUT /_test/move", r#"{"advance":"90s"}"#).await;
    assert_eq!(moved, (200, json!({ "advance": "90s", "times": null })));
    let charset = [("content-type", "Application/JSON; charset=utf-8")];
    assert_eq!(
        ask("PUT /_test/move", &charset, r#"{"times":1}"#).await.0,
        200
    );
    assert_eq!(ask("POST /_test/move", &[], "").await, (200, json!(0)));
    assert_eq!(
        json("POST /_test/move", r#"{"times":7}"#).await,
        (200, json!(7))
    );
    assert_eq!(
        ask("GET /_test/things/one?count=3", &[], "").await,
        (200, json!(3))
    );
    assert_eq!(
        ask("DELETE /_test/things", &[], "").await,
        (204, Value::Null)
    );
    assert_eq!(
        ask(
            "POST /_test/any?",
            &[("content-type", "text/plain")],
            "a = 1"
        )
        .await,
        (200, json!(5))
    );
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_its_place() {
    for (line, body, at, nearest) in [
        (
            "PUT /_test/move",
            r#"{"advanse":"90s"}"#,
            "advanse",
            Some("advance"),
        ),
        ("PUT /_test/move", r#"{"advance":90}"#, "advance", None),
        ("POST /_test/move", r#"{"times":"1"}"#, "times", None),
        ("PUT /_test/move?cuont=1", r#"{"times":1}"#, "cuont", None),
        ("GET /_test/things/one?cuont=1", "", "cuont", Some("count")),
        ("GET /_test/things/one?count=x", "", "count", None),
        ("GET /_test/things/one?count=1&count=1", "", "", None),
        ("PUT /_test/move", "", "", None),
        ("PUT /_test/move", "{", "", None),
        ("PUT /_test/move", "[]", "", None),
        ("PUT /_test/move", r#"{"times":1,"times":1}"#, "", None),
        ("DELETE /_test/things", "{}", "", None),
    ] {
        let (status, told) = json(line, body).await;
        assert_eq!(
            (status, &told["error"]),
            (400, &json!("invalid_request")),
            "{line} {body}: {told}"
        );
        assert_eq!(
            told["at"].as_str().unwrap_or_default(),
            at,
            "{line} {body}: {told}"
        );
        assert_eq!(told["nearest"].as_str(), nearest, "{line} {body}: {told}");
        assert!(told["message"].as_str().unwrap().len() > 10, "{told}");
    }
    for other in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
    ] {
        let told = ask("PUT /_test/move", &[("content-type", other)], "{}").await;
        assert_eq!(
            (told.0, &told.1["error"]),
            (400, &json!("invalid_request")),
            "{other}"
        );
    }
    let syntax = json("PUT /_test/move", "{\"times\": 1,\n nonsense}")
        .await
        .1;
    assert!(
        syntax["message"]
            .as_str()
            .unwrap()
            .contains("line 2 column 2"),
        "{syntax}"
    );
}

#[tokio::test]
async fn what_is_not_there_is_told_with_what_is() {
    let (status, told) = ask("GET /_test/things/tow", &[], "").await;
    assert_eq!(
        (status, told),
        (
            404,
            json!({ "error": "not_found", "message": "there is no thing tow", "at": "tow", "nearest": "two" })
        )
    );
    let (status, told) = ask("GET /_test/moves", &[], "").await;
    assert_eq!((status, &told["nearest"]), (404, &json!("/_test/move")));
    let (status, told) = ask("GET /_test/move", &[], "").await;
    assert_eq!(
        (status, &told["error"]),
        (405, &json!("method_not_allowed"))
    );
}

#[tokio::test]
async fn no_web_page_learns_anything() {
    for line in [
        "GET /_test/things/one",
        "PUT /_test/move",
        "GET /nowhere",
        "OPTIONS /_test/move",
    ] {
        let (status, told) = ask(line, &[("origin", "http://localhost:3000")], "").await;
        assert_eq!(
            (status, &told["error"]),
            (403, &json!("forbidden")),
            "{line}"
        );
    }
    let foreign = [("host", "evil.example")];
    // The first host is ours; two are none.
    assert_eq!(ask("GET /_test/things/one", &foreign, "").await.0, 400);
}

#[test]
fn the_document_is_made_of_what_handlers_take() {
    let document =
        serde_json::to_value(document(&sample().parts().1, "http://127.0.0.1:1")).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths["/_test/move"].as_object().unwrap().len(), 2);
    let put = &paths["/_test/move"]["put"];
    let body = &put["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(
        (body, &put["requestBody"]["required"]),
        (
            &json!({ "$ref": "#/components/schemas/Move" }),
            &json!(true)
        )
    );
    assert_eq!(
        paths["/_test/move"]["post"]["requestBody"]["required"],
        false
    );
    let schema = &document["components"]["schemas"]["Move"];
    assert_eq!(schema["additionalProperties"], false, "{schema}");
    assert!(
        schema["properties"]["advance"]["type"]
            .to_string()
            .contains("string"),
        "{schema}"
    );
    let parameters = paths["/_test/things/{name}"]["get"]["parameters"]
        .as_array()
        .unwrap();
    let shown = |it: &Value| {
        format!(
            "{} {}",
            it["in"].as_str().unwrap(),
            it["name"].as_str().unwrap()
        )
    };
    let names: Vec<String> = parameters.iter().map(shown).collect();
    assert_eq!(names, ["path name", "query count"]);
    assert!(document["components"]["schemas"]["Fault"]["properties"]["nearest"].is_object());
}
