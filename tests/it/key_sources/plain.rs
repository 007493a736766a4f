//! Keys at an `http` URL, which a `grantd dev` wrote into the database: a `serve` on it does not fetch them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{asks, assert_unavailable, key};
use crate::assertion::signer::Key;
use crate::catalogs::{client, reads};
use crate::federation::{self, Platform, workload};
use crate::harness::{CATALOG, on_both};
use crate::site::Site;

/// Publishes these keys without TLS. Gives the URL, and how many connections there were.
async fn publish(keys: &[&Key]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    let set: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
    let body = json!({ "keys": set }).to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, connections)
}

on_both! {
    /// FED-19: `dev` fetches them; `serve` asks nobody, and log, `/readyz` and `issuer test` say what to do.
    async fn only_dev_fetches_keys_without_tls(env) {
        let (own, platform) = (key(), Platform::ci().await);
        let (url, connections) = publish(&[&own, &platform.key]).await;
        let issuer = format!("[[issuer]]\nid = \"ci\"\nurl = \"{}\"\nkeys = \"{url}\"\n", federation::CI);
        let jwks_url = format!("auth = \"private_key_jwt\"\njwks_url = \"{url}\"");
        env.apply(
            &(CATALOG.to_owned()
                + &issuer
                + &workload("deploy", "ci", "subject = \"repo:**\"")
                + &client("worker", &jwks_url, &reads("pricing"))),
        )
        .await;
        let serve = env.replica().await;
        let token = platform.token(&json!({}));
        assert_unavailable(&asks(&serve, &own).await);
        assert_unavailable(&federation::asks(&serve, &token, "").await);
        assert_eq!(connections.load(Ordering::SeqCst), 0);
        let told = &serve.grantd.degraded()[0].message;
        for part in ["client worker: ", "issuer ci: ", "only `grantd dev` fetches: write an https one"] {
            assert!(told.contains(part), "{told}");
        }
        let dev = env.replica_with(|it| it.fetches_plain_keys = true).await;
        assert_eq!(asks(&dev, &own).await.status, 200);
        assert_eq!(federation::asks(&dev, &token, "").await.status, 200);
        assert_eq!(connections.load(Ordering::SeqCst), 2);
        let site = Site::new(env).await;
        let tested = site.run("issuer test ci");
        assert_eq!(tested.code, Some(1), "{tested:?}");
        assert!(tested.stdout.contains("write an https one"), "{tested:?}");
        assert_eq!(connections.load(Ordering::SeqCst), 2);
    }
}
