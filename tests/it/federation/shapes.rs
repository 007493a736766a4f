//! Tokens as the platforms document them, each with the identity that pins it (FED-18), and what must not fit (FED-15).

use grantd::domain::algorithm::SigningAlgorithm;
use serde_json::{Value, json};

use super::{Platform, asks, changed, workload};
use crate::harness::{CATALOG, Env, ISSUER, START, on_both};

/// A platform's token: what it says, which identity pins it, and changes of one claim each that make it another's.
struct Shape {
    preset: &'static str,
    url: &'static str,
    algorithm: SigningAlgorithm,
    claims: Value,
    identity: &'static str,
    others: Vec<Value>,
}

fn shapes() -> Vec<Shape> {
    vec![
        github(),
        gitlab(),
        kubernetes(),
        buildkite(),
        circleci(),
        google(),
        azure(),
    ]
}

/// <https://docs.github.com/actions/reference/security/oidc>
fn github() -> Shape {
    Shape {
        preset: "github",
        url: "https://token.actions.githubusercontent.com",
        algorithm: SigningAlgorithm::Rs256,
        claims: json!({
            "jti": "a2f0e1d0-3b6c-4f0a-8e51-8d7e3f9c0b1a", "sub": "repo:acme@65/shop@74:environment:production", "aud": ISSUER,
            "ref": "refs/heads/main", "sha": "8d7e3f9c0b1a2d4e5f60718293a4b5c6d7e8f901", "repository": "acme/shop",
            "repository_owner": "acme", "repository_owner_id": "65", "run_id": "9876543210", "run_number": "10",
            "run_attempt": "1", "repository_visibility": "private", "repository_id": "74", "actor_id": "12",
            "actor": "octocat", "workflow": "deploy", "head_ref": "", "base_ref": "", "event_name": "push",
            "ref_protected": "true", "ref_type": "branch", "environment": "production",
            "workflow_ref": "acme/shop/.github/workflows/deploy.yml@refs/heads/main",
            "job_workflow_ref": "acme/shop/.github/workflows/deploy.yml@refs/heads/main",
            "runner_environment": "github-hosted", "nbf": START - 600, "iat": START, "exp": START + 300,
        }),
        identity: "subject = \"repo:acme@65/shop@74:environment:production\"\n\
            claims = { repository_id = \"74\", ref = [\"refs/heads/main\", \"refs/tags/v*\"] }\n\
            except = { event_name = [\"pull_request\", \"pull_request_target\"] }",
        others: vec![
            json!({ "sub": "repo:acme@66/shop@74:environment:production" }),
            json!({ "sub": "repo:acme@65/shop@74:environment:production2" }),
            json!({ "sub": "repo:acme@65/shop@74:pull_request" }),
            json!({ "repository_id": "75" }),
            json!({ "repository_id": 74 }),
            json!({ "ref": "refs/pull/7/merge" }),
            json!({ "event_name": "pull_request" }),
            json!({ "event_name": "pull_request_target" }),
        ],
    }
}

/// <https://docs.gitlab.com/ci/secrets/id_token_authentication/>
fn gitlab() -> Shape {
    Shape {
        preset: "gitlab",
        url: "https://gitlab.example",
        algorithm: SigningAlgorithm::Rs256,
        claims: json!({
            "namespace_id": "72", "namespace_path": "acme", "project_id": "20", "project_path": "acme/shop", "user_id": "1",
            "user_login": "sample-user", "user_email": "sample-user@acme.example", "user_identities": [
                { "provider": "github", "extern_uid": "2435223452345" },
            ],
            "pipeline_id": "574", "pipeline_source": "push", "job_id": "302", "ref": "main", "ref_type": "branch",
            "ref_path": "refs/heads/main", "ref_protected": "true", "groups_direct": ["acme", "acme/ops"],
            "environment": "production", "environment_protected": "true", "deployment_tier": "production",
            "runner_id": 1, "runner_environment": "self-hosted", "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
            "project_visibility": "private", "ci_config_ref_uri": "gitlab.example/acme/shop//.gitlab-ci.yml@refs/heads/main",
            "jti": "235b3a54-b797-45c7-ae9a-f72d7bc6ef5b", "iat": START, "nbf": START - 5, "exp": START + 3600,
            "sub": "project_path:acme/shop:ref_type:branch:ref:main", "aud": ISSUER,
        }),
        identity: "subject = \"project_path:acme/shop:ref_type:branch:ref:main\"\n\
            claims = { project_id = \"20\", ref_protected = \"true\", groups_direct = \"acme/ops\", runner_id = 1 }",
        others: vec![
            json!({ "sub": "project_path:acme/shop:ref_type:branch:ref:main2" }),
            json!({ "sub": "project_path:acme/shop/x:ref_type:branch:ref:main" }),
            json!({ "project_id": "21" }),
            json!({ "ref_protected": "false" }),
            json!({ "ref_protected": true }),
            json!({ "groups_direct": ["acme"] }),
            json!({ "runner_id": "1" }),
        ],
    }
}

/// A bound service account token (KEP-1205), as `kubectl create token` gives it.
fn kubernetes() -> Shape {
    Shape {
        preset: "kubernetes",
        url: "https://kubernetes.default.svc.cluster.local",
        algorithm: SigningAlgorithm::Rs256,
        claims: json!({
            "aud": [ISSUER], "exp": START + 3607, "iat": START, "jti": "5d2d6b9c-0a3a-4a45-8c3a-8b4a5f0f7c11",
            "kubernetes.io": {
                "namespace": "shop",
                "node": { "name": "node-1", "uid": "646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1" },
                "pod": { "name": "orders-7d4b9c6f5-x2x9p", "uid": "5e0bd49b-f040-43b0-99b7-22765a53f7f3" },
                "serviceaccount": { "name": "orders", "uid": "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798" },
                "warnafter": START + 3607,
            },
            "nbf": START, "sub": "system:serviceaccount:shop:orders",
        }),
        identity: "subject = \"system:serviceaccount:shop:orders\"\n\
            claims.\"kubernetes.io\".serviceaccount.uid = \"14ee3fa4-a7e2-420f-9f9a-dbc4507c3798\"\n\
            claims.\"kubernetes.io\".namespace = \"shop\"",
        others: vec![
            json!({ "sub": "system:serviceaccount:shop:default" }),
            json!({ "sub": "system:serviceaccount:other:orders" }),
            json!({ "kubernetes.io": { "namespace": "shop", "serviceaccount": { "name": "orders", "uid": "another" } } }),
            json!({ "kubernetes.io": { "namespace": "shop", "serviceaccount": "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798" } }),
            json!({ "kubernetes.io": null }),
        ],
    }
}

/// <https://buildkite.com/docs/agent/v3/cli-oidc>
fn buildkite() -> Shape {
    Shape {
        preset: "none",
        url: "https://agent.buildkite.com",
        algorithm: SigningAlgorithm::Rs256,
        claims: json!({
            "aud": ISSUER, "iat": START, "nbf": START, "exp": START + 300,
            "sub": "organization:acme:pipeline:shop:ref:refs/heads/main:commit:9f3182061f1e2cca4702c368cbc039b7dc9d4485:step:deploy",
            "organization_slug": "acme", "pipeline_slug": "shop", "build_number": 1, "build_branch": "main",
            "build_commit": "9f3182061f1e2cca4702c368cbc039b7dc9d4485", "step_key": "deploy",
            "job_id": "0184990a-477b-4fa8-9968-496074483cee", "agent_id": "0184990a-4782-42b5-afc1-16715b10b8ff",
            "pipeline_id": "0184990a-477b-4fa8-9968-496074483k77", "organization_id": "0184990a-4782-42b5-afc1-16715b10b1l0",
        }),
        identity: "subject = \"organization:acme:pipeline:shop:ref:refs/heads/main:commit:*:step:deploy\"\n\
            claims = { pipeline_id = \"0184990a-477b-4fa8-9968-496074483k77\" }",
        others: vec![
            json!({ "sub": "organization:acme:pipeline:shop:ref:refs/heads/main:commit:1:2:step:deploy" }),
            json!({ "sub": "organization:acme:pipeline:shop:ref:refs/heads/other:commit:1:step:deploy" }),
            json!({ "pipeline_id": "0184990a-477b-4fa8-9968-496074483k78" }),
        ],
    }
}

/// <https://circleci.com/docs/openid-connect-tokens/>
fn circleci() -> Shape {
    Shape {
        preset: "none",
        url: "https://oidc.circleci.com/org/6fa2e3a0-0a5f-4bd5-a4a6-1f0d2f6a1c11",
        algorithm: SigningAlgorithm::Rs256,
        claims: json!({
            "aud": ISSUER, "iat": START, "exp": START + 3600,
            "sub": "org/6fa2e3a0-0a5f-4bd5-a4a6-1f0d2f6a1c11/project/8a1f2c3d-1111-4222-8333-444455556666/user/0b2d",
            "oidc.circleci.com/project-id": "8a1f2c3d-1111-4222-8333-444455556666",
            "oidc.circleci.com/context-ids": ["ctx-1", "ctx-2"], "oidc.circleci.com/vcs-ref": "refs/heads/main",
            "oidc.circleci.com/ssh-rerun": false,
        }),
        identity: "subject = \"org/6fa2e3a0-0a5f-4bd5-a4a6-1f0d2f6a1c11/project/8a1f2c3d-1111-4222-8333-444455556666/user/*\"\n\
            claims = { \"oidc.circleci.com/context-ids\" = \"ctx-2\", \"oidc.circleci.com/ssh-rerun\" = false }",
        others: vec![
            json!({ "sub": "org/6fa2e3a0-0a5f-4bd5-a4a6-1f0d2f6a1c11/project/8a1f2c3d-1111-4222-8333-444455556666/user/a/b" }),
            json!({ "oidc.circleci.com/context-ids": ["ctx-1"] }),
            json!({ "oidc.circleci.com/ssh-rerun": true }),
            json!({ "oidc.circleci.com/ssh-rerun": "false" }),
        ],
    }
}

/// A service account's ID token, <https://cloud.google.com/docs/authentication/token-types#id-contents>
fn google() -> Shape {
    Shape {
        preset: "google",
        url: "https://accounts.google.com",
        algorithm: SigningAlgorithm::Rs256,
        claims: json!({
            "aud": ISSUER, "azp": "103698487531834264419", "email": "orders@acme.iam.gserviceaccount.com",
            "email_verified": true, "exp": START + 3600, "iat": START, "sub": "103698487531834264419",
        }),
        identity: "subject = \"103698487531834264419\"\n\
            claims = { email = \"orders@acme.iam.gserviceaccount.com\", email_verified = true }",
        others: vec![
            json!({ "sub": "103698487531834264418" }),
            json!({ "email": "orders@other.iam.gserviceaccount.com" }),
            json!({ "email_verified": false }),
            json!({ "email_verified": "true" }),
        ],
    }
}

/// The access token of a managed identity, <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>
fn azure() -> Shape {
    Shape {
        preset: "azure",
        url: "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
        algorithm: SigningAlgorithm::Rs256,
        claims: json!({
            "aud": ISSUER, "iat": START, "nbf": START, "exp": START + 86_399, "aio": "E2JgYFhq", "azp": "5f9a7b1e-1",
            "azpacr": "2", "idtyp": "app", "oid": "b6d12e07-7d1c-4c4c-9f53-9f4a5d1b7b52", "rh": "0.AXcA",
            "sub": "b6d12e07-7d1c-4c4c-9f53-9f4a5d1b7b52", "tid": "9188040d-6c67-4c5b-b112-36a304b66dad", "uti": "xyz",
            "ver": "2.0",
        }),
        identity: "subject = \"b6d12e07-7d1c-4c4c-9f53-9f4a5d1b7b52\"\n\
            claims = { tid = \"9188040d-6c67-4c5b-b112-36a304b66dad\", idtyp = \"app\" }",
        others: vec![
            json!({ "sub": "b6d12e07-7d1c-4c4c-9f53-9f4a5d1b7b53" }),
            json!({ "tid": "another" }),
            json!({ "idtyp": "user" }),
        ],
    }
}

on_both! {
    /// FED-18, FED-15.
    async fn each_platforms_token_is_its_workload_and_with_one_claim_changed_is_not(env) {
        for shape in shapes() {
            judge(&env, shape).await;
        }
    }

    /// FED-15: from a fork, for the branch of somebody else; and by the event that carries the base's branch.
    async fn a_pull_request_of_a_fork_is_not_the_main_branch(env) {
        let shape = github();
        let platform = Platform::new("ci", shape.url, shape.algorithm).await;
        let identity = "subject = \"repo:acme/shop:**\"\nclaims = { repository_id = \"74\", ref = \"refs/heads/main\" }";
        let issuer = platform.lines("preset = \"github\"");
        let replica = {
            env.prune(&(CATALOG.to_owned() + &issuer + &workload("deploy", "ci", identity))).await;
            env.replica().await
        };
        let by_event = |sub: &str, reference: &str, event: &str| {
            let changes = json!({
                "sub": sub, "ref": reference, "event_name": event, "jti": grantd::crypto::random::token_id(), "iss": shape.url,
            });
            platform.key.sign(&changed(&shape.claims, &changes))
        };
        let main = "repo:acme/shop:ref:refs/heads/main";
        for (token, status) in [
            (by_event(main, "refs/heads/main", "push"), 200),
            (by_event("repo:acme/shop:pull_request", "refs/pull/7/merge", "pull_request"), 401),
            (by_event("repo:acme/shop:pull_request", "refs/heads/main", "pull_request_target"), 401),
            (by_event(main, "refs/heads/main", "pull_request_target"), 401),
        ] {
            assert_eq!(asks(&replica, &token, "").await.status, status);
        }
        // Who means that event says so.
        let named = identity.replace("ref = ", "event_name = \"pull_request_target\", ref = ");
        env.prune(&(CATALOG.to_owned() + &issuer + &workload("deploy", "ci", &named))).await;
        replica.follow().await;
        let token = by_event("repo:acme/shop:pull_request", "refs/heads/main", "pull_request_target");
        assert_eq!(asks(&replica, &token, "").await.status, 200);
    }
}

async fn judge(env: &Env, shape: Shape) {
    let platform = Platform::new("ci", shape.url, shape.algorithm).await;
    let preset = format!("preset = \"{}\"", shape.preset);
    let catalog =
        CATALOG.to_owned() + &platform.lines(&preset) + &workload("deploy", "ci", shape.identity);
    env.prune(&catalog).await;
    let replica = env.replica().await;
    let token = |changes: &Value| {
        let mut claims = changed(&shape.claims, &json!({ "iss": shape.url }));
        if claims.get("jti").is_some() {
            claims["jti"] = json!(grantd::crypto::random::token_id());
        }
        platform.key.sign(&changed(&claims, changes))
    };
    let answer = asks(&replica, &token(&json!({})), "").await;
    assert_eq!(answer.status, 200, "{}: {answer:?}", shape.url);
    for other in &shape.others {
        let answer = asks(&replica, &token(other), "").await;
        assert_eq!(answer.status, 401, "{} {other}: {answer:?}", shape.url);
    }
}
