//! What the page shows for a platform, run beside the servers that play it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;

use serde_json::{Value, json};

use super::platform::minted;
use super::{Site, TOKEN_FILE, aws, azure, client_of, google};
use crate::page_block::Block;

/// The page's blocks of a language, under a heading.
fn of<'b>(blocks: &'b [Block], section: &str, language: &str) -> Vec<&'b Block> {
    let found = blocks.iter();
    let found: Vec<&Block> = found
        .filter(|it| it.section == section && it.language == language)
        .collect();
    assert!(!found.is_empty(), "{section}: {language}");
    found
}

fn yaml(block: &Block) -> Value {
    serde_saphyr::from_str(&block.text).unwrap()
}

/// A platform and its client: a token of it, and one of its neighbour.
pub(super) fn everybody_is_himself_alone(site: &Site) {
    let named = |name: &str| json!({ "issuer": name });
    let of_main = "project_path:acme/shop:ref_type:branch:ref:main";
    for (wanted, client, other) in [
        (
            named("github"),
            "deploy-prod",
            json!({ "repository_id": "75" }),
        ),
        (
            named("github"),
            "deploy-prod",
            json!({ "event_name": "pull_request_target" }),
        ),
        (
            named("gitlab"),
            "deploy-shop",
            json!({ "sub": of_main, "ref_protected": "false" }),
        ),
        (
            named("cluster"),
            "orders",
            json!({ "sub": "system:serviceaccount:jobs:default" }),
        ),
        (
            named("mesh"),
            "mesh-nightly",
            json!({ "sub": "spiffe://example.org/ns/jobs/sa/x" }),
        ),
        (azure(), "azure-reports", json!({ "sub": "another" })),
        (
            google(),
            "google-reports",
            json!({ "email_verified": false }),
        ),
        (
            aws(),
            "aws-reports",
            json!({ "https://sts.amazonaws.com/": { "aws_account": "1" } }),
        ),
    ] {
        let control = site.control();
        assert_eq!(
            site.client_by(&minted(&control, &wanted)).as_deref(),
            Some(client)
        );
        let mut stranger = wanted;
        for (name, value) in other.as_object().unwrap() {
            stranger["claims"][name] = value.clone();
        }
        assert_eq!(
            site.client_by(&minted(&control, &stranger)),
            None,
            "{stranger}"
        );
    }
}

pub(super) fn a_workflow_gets_its_token(site: &Site, blocks: &[Block]) {
    let workflow = yaml(of(blocks, "GitHub Actions", "yaml")[0]);
    assert_eq!(workflow["permissions"]["id-token"], "write");
    let job = &workflow["jobs"]["deploy"];
    assert_eq!(job["environment"], "production");
    let script = job["steps"][0]["run"].as_str().unwrap();
    let url = format!("{}/github?api-version=2.0", site.platform.url());
    let variables = [
        ("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "a-token-of-the-runner"),
        ("GITHUB_ENV", "github-env"),
    ];
    let ended = site.runs(("sh", "workflow-step"), script, &variables);
    assert!(ended.stdout.starts_with("::add-mask::ey"), "{ended:?}");
    let left = fs::read_to_string(site.reader.place.path("github-env")).unwrap();
    let token = left.trim_end().strip_prefix("ORDERS_TOKEN=").unwrap();
    assert_eq!(client_of(token), "deploy-prod");
}

pub(super) fn a_job_of_gitlab_gets_its_token(site: &Site, blocks: &[Block]) {
    let job = &yaml(of(blocks, "GitLab CI/CD", "yaml")[0])["deploy"];
    let audience = site.here(
        job["id_tokens"]["GRANTD_ASSERTION"]["aud"]
            .as_str()
            .unwrap(),
    );
    let assertion = minted(
        &site.control(),
        &json!({ "issuer": "gitlab", "audience": audience }),
    );
    let script = job["script"][0].as_str().unwrap().to_owned() + "\nprintf %s \"$token\"\n";
    let variables = [("GRANTD_ASSERTION", assertion.as_str())];
    let ended = site.runs(("sh", "gitlab-script"), &script, &variables);
    assert_eq!(client_of(&ended.stdout), "deploy-shop");
}

pub(super) fn a_pod_gets_its_token(site: &Site, blocks: &[Block]) {
    let pod = yaml(of(blocks, "Kubernetes", "yaml")[0]);
    let spec = &pod["spec"];
    let token = &spec["volumes"][0]["projected"]["sources"][0]["serviceAccountToken"];
    let mount = &spec["containers"][0]["volumeMounts"][0];
    assert_eq!(mount["name"], spec["volumes"][0]["name"]);
    let path = [&mount["mountPath"], &token["path"]].map(|it| it.as_str().unwrap());
    assert_eq!(path.join("/"), TOKEN_FILE);
    let (namespace, account) = (&pod["metadata"]["namespace"], &spec["serviceAccountName"]);
    let subject = [namespace, account]
        .map(|it| it.as_str().unwrap())
        .join(":");
    let given = minted(
        &site.control(),
        &json!({
            "issuer": "cluster",
            "audience": site.here(token["audience"].as_str().unwrap()),
            "lifetime": format!("{}s", token["expirationSeconds"]),
            "claims": { "sub": format!("system:serviceaccount:{subject}") },
        }),
    );
    site.reader.place.write("token", &given);
    let codes = BTreeMap::from([
        (
            "python",
            ("python3", "client.py", "\nprint(access_token())\n"),
        ),
        (
            "javascript",
            (
                "node",
                "client.mjs",
                "\nconsole.log(await accessToken());\n",
            ),
        ),
    ]);
    for (language, (program, name, more)) in codes {
        let code = of(blocks, "Kubernetes", language)[0];
        if is_there(program, &code.at) {
            let ended = site.runs((program, name), &(code.text.clone() + more), &[]);
            assert_eq!(client_of(ended.stdout.trim_end()), "orders", "{program}");
        }
    }
}

/// kubectl and curl, as the page types them on a platform.
pub(super) fn what_is_typed_on_a_platform_works(site: &Site, blocks: &[Block]) {
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{ "name": "c", "cluster": { "server": site.platform.url() } }],
        "contexts": [{ "name": "c", "context": { "cluster": "c", "user": "u" } }],
        "users": [{ "name": "u", "user": {} }],
    });
    site.reader
        .place
        .write("kubeconfig", &kubeconfig.to_string());
    let variables = [("KUBECONFIG", "kubeconfig"), ("HOME", ".")];
    let mut seen = 0;
    for block in blocks.iter().filter(|it| it.language == "console") {
        let line = block.text.strip_prefix("$ ").unwrap().trim_end();
        let program = line.split(' ').next().unwrap();
        if program == "grantd" || !is_there(program, &block.at) {
            continue;
        }
        let ended = site.runs(("sh", "line"), line, &variables);
        let client = match block.section.as_str() {
            "Kubernetes" if line.contains("--raw") => {
                let document: Value = serde_json::from_str(&ended.stdout).unwrap();
                assert!(document["keys"].is_array() || document["jwks_uri"].is_string());
                continue;
            }
            "Kubernetes" => (ended.stdout, "orders"),
            "Azure" => {
                let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
                let token = answer["access_token"].as_str().unwrap().to_owned();
                (token, "azure-reports")
            }
            "Google Cloud" => (ended.stdout, "google-reports"),
            other => panic!("{other}: {line}"),
        };
        assert_eq!(
            site.client_by(&client.0).as_deref(),
            Some(client.1),
            "{line}"
        );
        seen += 1;
    }
    assert!(seen >= 2, "{seen}");
}

/// Whether a program can be run; where not, that is said.
fn is_there(program: &str, at: &str) -> bool {
    let flag = if program == "kubectl" {
        "version --client"
    } else {
        "--version"
    };
    let place = crate::place::Place::new();
    let found = place.command(program).args(flag.split(' ')).output();
    let found = found.is_ok_and(|it| it.status.success());
    if !found {
        let _ = writeln!(
            std::io::stderr(),
            "{at}: NOT RUN, for there is no {program}"
        );
    }
    found
}
