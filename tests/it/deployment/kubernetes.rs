//! `deploy/kubernetes` and docs/kubernetes.md.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::container::Container;
use super::{documents, list, number, text, texts};
use crate::harness::Database;
use crate::place::{Place, ended};
use crate::process::{access_token, request};
use crate::readme::missing;
use crate::source_tree::root;

const FOLDER: &str = "deploy/kubernetes";
const PAGE: &str = "docs/kubernetes.md";
/// What every Secret of the type `kubernetes.io/tls` holds.
const OF_TLS: [&str; 2] = ["tls.crt", "tls.key"];
/// The longest that the last writes of a server may take, in seconds.
const LAST_WRITES: u32 = 5;

/// The objects of the kustomization.
fn objects() -> Vec<Value> {
    let kustomization = &documents(&format!("{FOLDER}/kustomization.yaml"))[0];
    let files = texts(kustomization, "/resources");
    let objects = files
        .iter()
        .map(|file| documents(&format!("{FOLDER}/{file}")));
    objects.flatten().collect()
}

/// The object of a kind, with its name.
#[track_caller]
fn object(kind: &str, name: &str) -> Value {
    let mut objects = objects().into_iter();
    let found = objects.find(|it| it["kind"] == kind && it["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("there is no {kind} {name}"))
}

/// The files of the `ConfigMap` called `name`, which the kustomization makes.
fn config_map(name: &str) -> BTreeMap<String, Vec<u8>> {
    let kustomization = &documents(&format!("{FOLDER}/kustomization.yaml"))[0];
    let mut made = list(kustomization, "/configMapGenerator").iter();
    let map = made.find(|it| it["name"] == name).expect(name);
    let files = texts(map, "/files").into_iter();
    files
        .map(|file| {
            let bytes = fs::read(root().join(FOLDER).join(file)).unwrap();
            (file.to_owned(), bytes)
        })
        .collect()
}

/// The lines that the page types with kubectl.
fn kubectl() -> Vec<String> {
    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    let lines = page.lines().filter_map(|it| it.strip_prefix("$ kubectl "));
    lines.map(str::to_owned).collect()
}

/// The files of the Secret `name`, which the page makes.
fn secret(name: &str, database: &Database) -> BTreeMap<String, Vec<u8>> {
    let lines = kubectl();
    let generic = format!("create secret generic {name} ");
    let names: Vec<String> = if let Some(line) = lines.iter().find(|it| it.contains(&generic)) {
        let words = line.split(' ');
        let files = words.filter_map(|it| it.strip_prefix("--from-file="));
        files.map(str::to_owned).collect()
    } else {
        let of_tls = format!("create secret tls {name} ");
        assert!(lines.iter().any(|it| it.contains(&of_tls)), "{name}");
        OF_TLS.map(str::to_owned).into()
    };
    let certificate = root().join("src/server/tls/testdata");
    let content = |name: &str| match name {
        "sealing.key" => vec![7; 32],
        "database-url" => database.url.clone().into_bytes(),
        "tls.crt" => fs::read(certificate.join("first.certificate.pem")).unwrap(),
        "tls.key" => fs::read(certificate.join("first.key.pem")).unwrap(),
        other => panic!("what is {other}?"),
    };
    names
        .into_iter()
        .map(|it| (it.clone(), content(&it)))
        .collect()
}

/// A container of `pod`, with the files of its volumes.
fn container(pod: &Value, container: &Value, database: &Database) -> Container {
    let owned = |it: &str| it.to_owned();
    let mut files = BTreeMap::new();
    for mount in list(container, "/volumeMounts") {
        let mut volumes = list(pod, "/volumes").iter();
        let volume = volumes.find(|it| it["name"] == mount["name"]).unwrap();
        let held = match volume.pointer("/secret/secretName") {
            Some(name) => secret(name.as_str().unwrap(), database),
            None => config_map(text(volume, "/configMap/name")),
        };
        let path = text(mount, "/mountPath");
        files.extend(
            held.into_iter()
                .map(|(name, it)| (format!("{path}/{name}"), it)),
        );
    }
    let variables = list(container, "/env").iter();
    Container {
        arguments: texts(container, "/args").into_iter().map(owned).collect(),
        environment: variables
            .map(|it| (owned(text(it, "/name")), owned(text(it, "/value"))))
            .collect(),
        files,
    }
}

fn pod(kind: &str, name: &str) -> Value {
    object(kind, name)["spec"]["template"]["spec"].clone()
}

/// The replica's container, with its manifest.
fn replica(database: &Database) -> (Container, Value) {
    let pod = pod("Deployment", "grantd");
    let manifest = list(&pod, "/containers")[0].clone();
    (container(&pod, &manifest, database), manifest)
}

fn port(manifest: &Value, name: &str) -> u64 {
    let mut ports = list(manifest, "/ports").iter();
    let port = ports.find(|it| it["name"] == name).expect(name);
    number(port, "/containerPort")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_job_and_then_a_replica_run_and_a_client_gets_a_token() {
    let database = Database::postgres().await;
    let place = Place::new();
    let job = pod("Job", "grantd-setup");
    let apply = container(&job, &list(&job, "/containers")[0], &database);
    let [verb, catalog] = &apply.arguments[..] else {
        panic!("{apply:?}");
    };
    assert_eq!(verb, "apply");
    let check = ["check-config", "--without-secrets", "--catalog", catalog];
    apply.exec(&place, &check);
    // Twice, as each change of the catalog does.
    for _ in 0..2 {
        for pointer in ["/initContainers", "/containers"] {
            for manifest in list(&job, pointer) {
                container(&job, manifest, &database).done(&place);
            }
        }
    }
    let (container, manifest) = replica(&database);
    let served = container.serve(&place);
    for (probe, path) in [
        ("startupProbe", "/startupz"),
        ("livenessProbe", "/livez"),
        ("readinessProbe", "/readyz"),
    ] {
        let asked = &manifest[probe]["httpGet"];
        assert_eq!(
            (text(asked, "/path"), text(asked, "/port")),
            (path, "operations")
        );
        let answer = request(served.operations, &format!("GET {path}"), "");
        assert_eq!(answer.unwrap().0, 200, "{path}");
    }
    let mut secret = String::new();
    for line in kubectl() {
        if let Some((_, arguments)) = line.split_once(" -- /grantd ") {
            let arguments: Vec<&str> = arguments.split(' ').collect();
            let printed = container.exec(&place, &arguments);
            if arguments.contains(&"add-secret") {
                printed.trim_end().clone_into(&mut secret);
            }
        }
    }
    if missing(&["curl"]).is_empty() {
        let form = format!("client_id=orders-service&client_secret={secret}");
        let url = format!("https://{}/oauth2/token", served.public);
        let answer = ended(place.command("curl").args([
            "--silent",
            "--insecure",
            "-d",
            "grant_type=client_credentials",
            "-d",
            &form,
            &url,
        ]));
        access_token(&answer.stdout);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ports_and_times_of_the_deployment_are_those_of_its_settings() {
    let database = Database::postgres().await;
    let (container, manifest) = replica(&database);
    let settings = container.settings(&Place::new());
    let listens = [
        ("public", settings.public.listen),
        ("operations", settings.operations.listen),
    ];
    for (name, address) in listens {
        assert_eq!(u64::from(address.port()), port(&manifest, name), "{name}");
        assert!(
            address.ip().is_unspecified(),
            "{name}: others must reach it"
        );
    }
    let limits = &settings.limits;
    assert_eq!(limits.drain_delay.get(), 5);
    let longest = limits.drain_delay.get() + limits.drain_timeout.get() + LAST_WRITES;
    let pod = pod("Deployment", "grantd");
    let grace = number(&pod, "/terminationGracePeriodSeconds");
    assert!(u64::from(longest) <= grace, "{longest} s in {grace} s");
    // Else there are as many as half of the node's cores.
    let text = String::from_utf8(config_map("grantd-settings")["grantd.toml"].clone()).unwrap();
    assert!(text.contains("[hashing]") && text.contains("\nthreads = "));
}

#[test]
fn the_image_is_of_this_version() {
    let kustomization = &documents(&format!("{FOLDER}/kustomization.yaml"))[0];
    let image = &list(kustomization, "/images")[0];
    assert_eq!(text(image, "/newTag"), env!("CARGO_PKG_VERSION"));
    let tag = format!("{}:{}", text(image, "/newName"), env!("CARGO_PKG_VERSION"));
    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    assert_eq!(page.matches(&tag).count(), 2, "{tag}");
}

/// Files, objects and the namespace that the page types.
#[test]
fn what_the_page_types_into_kubectl_is_there() {
    let namespace = text(&object("Namespace", "grantd"), "/metadata/name").to_owned();
    let kustomization = &documents(&format!("{FOLDER}/kustomization.yaml"))[0];
    assert_eq!(text(kustomization, "/namespace"), namespace);
    let lines = kubectl();
    assert!(lines.len() > 8, "{lines:?}");
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        if let ["-n", named, ..] = words.as_slice() {
            assert_eq!(*named, namespace, "{line}");
        }
        for pair in words.windows(2) {
            match pair {
                ["-k", folder] => assert_eq!(*folder, FOLDER, "{line}"),
                ["-f", file] => assert!(root().join(file).is_file(), "{line}"),
                ["job", name] => _ = object("Job", name),
                _ => {}
            }
        }
        let is_file = |word: &str| root().join(word).exists();
        for word in words.into_iter().filter(|it| !is_file(it)) {
            match word.split_once('/') {
                Some(("deploy" | "deployment", name)) => _ = object("Deployment", name),
                Some(("job", name)) => _ = object("Job", name),
                _ => {}
            }
        }
    }
}
