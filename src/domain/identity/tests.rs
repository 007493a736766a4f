use serde_json::json;

use super::*;

fn identity(stated: &Value) -> Identity {
    let mut document = json!({ "issuer": "github", "subject": "repo:acme/shop:**" });
    for (name, value) in stated.as_object().unwrap() {
        document[name] = value.clone();
    }
    serde_json::from_value(document).unwrap()
}

fn claims(stated: &Value) -> Map<String, Value> {
    let mut claims = json!({ "sub": "repo:acme/shop:ref:refs/heads/main" });
    for (name, value) in stated.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object().unwrap().clone()
}

/// FED-07.
#[test]
fn a_claim_holds_by_its_value_and_its_type() {
    let by = |stated: &Value, claim: Value| {
        let identity = identity(&json!({ "claims": { "c": stated } }));
        let claims = claims(&json!({ "c": claim }));
        let fits = identity.fits(&claims);
        assert_eq!(identity.compare(&claims).iter().all(|it| it.fits), fits);
        fits
    };
    for (stated, claim, fits) in [
        (json!("74"), json!("74"), true),
        (json!("74"), json!(74), false),
        (json!(74), json!("74"), false),
        (json!(74), json!(74.0), true),
        (
            json!(9_007_199_254_740_993_u64),
            json!(9_007_199_254_740_992_u64),
            false,
        ),
        (json!(true), json!(true), true),
        (json!(true), json!("true"), false),
        (json!(true), json!(1), false),
        (json!(["a", "b"]), json!("b"), true),
        (json!(["a", "b"]), json!("c"), false),
        (
            json!(["refs/heads/main", "refs/tags/v*"]),
            json!("refs/tags/v1"),
            true,
        ),
        (json!("a"), json!(["b", "a"]), true),
        (json!("a"), json!(["b"]), false),
        (json!("a"), json!([]), false),
        (json!("a"), json!([["a"]]), false),
        (json!("a"), json!(null), false),
        (json!("**"), json!(null), false),
        (json!("**"), json!({ "a": 1 }), false),
        (json!("a"), json!("A"), false),
        (json!("a"), json!("*"), false),
    ] {
        assert_eq!(by(&stated, claim.clone()), fits, "{stated} {claim}");
    }
    let missing = identity(&json!({ "claims": { "c": "**" } }));
    assert!(!missing.fits(&claims(&json!({}))));
}

/// FED-07: `claims."kubernetes.io".serviceaccount.uid`.
#[test]
fn tables_mean_the_members_of_objects() {
    let stated =
        json!({ "kubernetes.io": { "namespace": "shop", "serviceaccount": { "uid": "u1" } } });
    let nested = identity(&json!({ "claims": stated }));
    let of = |value: Value| claims(&json!({ "kubernetes.io": value }));
    let right = json!({ "namespace": "shop", "serviceaccount": { "uid": "u1", "name": "x" } });
    assert!(nested.fits(&of(right.clone())));
    for (pointer, wrong) in [
        ("/namespace", json!("other")),
        ("/serviceaccount/uid", json!("u2")),
        ("/serviceaccount", json!("u1")),
        ("/serviceaccount", json!([{ "uid": "u1" }])),
    ] {
        let mut changed = right.clone();
        *changed.pointer_mut(pointer).unwrap() = wrong;
        let claims = of(changed);
        assert!(!nested.fits(&claims), "{pointer}");
        let differing = nested
            .compare(&claims)
            .into_iter()
            .find(|it| !it.fits)
            .unwrap();
        assert!(
            differing.what.starts_with("kubernetes.io."),
            "{differing:?}"
        );
    }
    let flat = claims(&json!({ "kubernetes.io.namespace": "shop" }));
    assert!(!nested.fits(&flat), "a dot in a name is a dot");
}

/// FED-15: what a pull request of a fork brings.
#[test]
fn what_is_excepted_is_refused() {
    let identity = identity(&json!({
        "claims": { "ref": "refs/heads/main" },
        "except": { "event_name": ["pull_request", "pull_request_target"] },
    }));
    let of = |event: &str| claims(&json!({ "ref": "refs/heads/main", "event_name": event }));
    assert!(identity.fits(&of("push")));
    assert!(!identity.fits(&of("pull_request_target")));
    assert!(identity.fits(&claims(&json!({ "ref": "refs/heads/main" }))));
    let compared = identity.compare(&of("pull_request"));
    let differing: Vec<_> = compared.iter().filter(|it| !it.fits).collect();
    assert_eq!(differing.len(), 1);
    assert_eq!(
        differing[0].expected,
        "not pull_request or pull_request_target"
    );
    assert_eq!(
        (differing[0].what.as_str(), differing[0].found.as_str()),
        ("event_name", "pull_request")
    );
}

/// FED-06.
#[test]
fn the_subject_is_a_text_that_fits_whole() {
    let identity = identity(&json!({}));
    for (subject, fits) in [
        (json!("repo:acme/shop:ref:refs/heads/main"), true),
        (json!("repo:acme/shop"), false),
        (json!("xrepo:acme/shop:ref"), false),
        (json!("repo:acme/**"), false),
        (json!(["repo:acme/shop:ref"]), false),
        (json!(null), false),
    ] {
        let claims = claims(&json!({ "sub": subject }));
        assert_eq!(identity.fits(&claims), fits, "{subject}");
        assert_eq!(identity.compare(&claims)[0].fits, fits);
    }
    assert!(!identity.fits(&Map::new()));
    assert_eq!(identity.compare(&Map::new())[0].found, "nothing");
}

#[test]
fn a_document_reads_back_and_what_means_nothing_is_refused() {
    let document = json!({
        "issuer": "k8s-1",
        "subject": "system:serviceaccount:shop:*",
        "claims": { "a": ["x", 1, true], "b": { "c": "d" } },
    });
    let read: Identity = serde_json::from_value(document.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), document);
    assert!(read.claims.names("b") && !read.claims.names("c"));
    for (name, wrong, why) in [
        ("issuer", json!("GitHub"), "1 to 32 characters"),
        ("issuer", json!("x".repeat(33)), "1 to 32 characters"),
        ("subject", json!("a***"), "more stars"),
        ("claims", json!({ "a": [] }), "a: name at least one value"),
        ("claims", json!({ "a": {} }), "a: name at least one value"),
        (
            "claims",
            json!({ "a": { "b": null } }),
            "a.b: a claim is compared",
        ),
        ("claims", json!({ "a": [["x"]] }), "a: a claim is compared"),
        ("claims", json!({ "a": "***" }), "a: write *"),
    ] {
        let mut document = document.clone();
        document[name] = wrong;
        let error = serde_json::from_value::<Identity>(document).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}
