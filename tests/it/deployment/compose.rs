//! `docker-compose.yml`, with the secrets that `deploy/make-secrets` makes.

use std::fs;

use serde_json::Value;

use super::container::Container;
use super::{documents, list, text, texts};
use crate::harness::Database;
use crate::place::{Place, ended};
use crate::process::token;
use crate::source_tree::root;

/// The file, in which each `${NAME:-DEFAULT}` is its default.
fn compose() -> Value {
    let mut all = documents("docker-compose.yml");
    assert_eq!(all.len(), 1);
    let mut compose = all.remove(0);
    substitute(&mut compose);
    compose
}

fn substitute(value: &mut Value) {
    match value {
        Value::String(text) => {
            let inner = text.strip_prefix("${").and_then(|it| it.strip_suffix('}'));
            if let Some((_, default)) = inner.and_then(|it| it.split_once(":-")) {
                *text = default.to_owned();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(substitute),
        Value::Object(members) => members.values_mut().for_each(substitute),
        _ => {}
    }
}

/// Makes the secrets in `place`, where the database is that of the test.
fn make_secrets(place: &Place, database: &Database) {
    fs::create_dir(place.path("deploy")).unwrap();
    let script = "deploy/make-secrets";
    fs::copy(root().join(script), place.path(script)).unwrap();
    for _ in 0..2 {
        let made = ended(place.command("bash").arg(script));
        assert_eq!(made.code, Some(0), "{made:?}");
    }
    let url = fs::read_to_string(place.path("deploy/secrets/database_url")).unwrap();
    assert!(url.starts_with("postgres://grantd:"), "{url}");
    let url = place.path("deploy/secrets/database_url");
    fs::remove_file(&url).unwrap();
    fs::write(url, &database.url).unwrap();
}

fn container(compose: &Value, place: &Place, service: &str) -> Container {
    let service = &compose["services"][service];
    let mut container = Container {
        arguments: texts(service, "/command")
            .iter()
            .map(|&it| it.to_owned())
            .collect(),
        ..Container::default()
    };
    for (name, value) in service["environment"].as_object().unwrap() {
        let value = value.as_str().expect(name).to_owned();
        container.environment.insert(name.clone(), value);
    }
    for file in texts(service, "/env_file") {
        let lines = fs::read_to_string(place.path(file)).unwrap();
        for line in lines.lines() {
            let (name, value) = line.split_once('=').unwrap();
            container
                .environment
                .insert(name.to_owned(), value.to_owned());
        }
    }
    for secret in texts(service, "/secrets") {
        let file = text(compose, &format!("/secrets/{secret}/file"));
        let bytes = fs::read(place.path(file)).unwrap();
        container
            .files
            .insert(format!("/run/secrets/{secret}"), bytes);
    }
    for volume in service["volumes"].as_array().into_iter().flatten() {
        let [from, to, "ro"] = volume.as_str().unwrap().split(':').collect::<Vec<_>>()[..] else {
            panic!("{volume}");
        };
        container
            .files
            .insert(to.to_owned(), fs::read(root().join(from)).unwrap());
    }
    container
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_services_of_compose_run_one_after_the_other_and_a_client_gets_a_token() {
    let database = Database::postgres().await;
    let place = Place::new();
    make_secrets(&place, &database);
    let compose = compose();
    container(&compose, &place, "migrate").done(&place);
    container(&compose, &place, "apply").done(&place);
    let grantd = container(&compose, &place, "grantd");
    let served = grantd.serve(&place);
    let secret = fs::read_to_string(place.path("deploy/secrets/orders_secret")).unwrap();
    let (status, answer) = token(served.public, "orders-service", &secret).unwrap();
    assert_eq!(status, 200, "{answer}");

    let settings = grantd.settings(&place);
    let published = texts(&compose, "/services/grantd/ports")[0];
    let (_, inside) = published.rsplit_once(':').unwrap();
    assert_eq!(settings.public.listen.port().to_string(), inside);
    assert_eq!(settings.issuer.as_str(), "http://localhost:8080");
    // The check of the container asks where the variable says.
    let health = list(&compose, "/services/grantd/healthcheck/test");
    assert_eq!(health[1..], ["/grantd", "health"]);
    let listen = &grantd.environment["GRANTD_OPERATIONS__LISTEN"];
    assert_eq!(*listen, settings.operations.listen.to_string());
}
