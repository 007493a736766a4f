//! Whatever strangers send, and however many clients there are: metrics stay within their bounds.

use super::*;
use crate::catalogs::{audience, by_secret, reads};

/// A catalog of `number` clients with the secret of `reader`.
fn many(number: usize) -> String {
    let client = |n: usize| by_secret(&format!("c{n}"), READER, &reads("pricing"));
    let clients: String = (0..number).map(client).collect();
    format!("{}{clients}", audience("pricing", "read", ""))
}

on_both! {
    /// B-H08 too: what a stranger sends stands nowhere.
    async fn strangers_add_no_series(env) {
        env.apply(CATALOG).await;
        // As from so many addresses that no budget is spent.
        let replica = env.replica_with(|settings| settings.budget.source_failures = 0).await;
        let tries = async |n: u32| {
            let authorization = basic(&format!("stranger{n}"), &format!("secret of stranger {n}"));
            let headers = [("authorization", authorization.as_str())];
            let form = format!(
                "grant_type=client_credentials&scope=stranger{n}&audience=stranger{n}"
            );
            replica.post("/oauth2/token", &headers, &form).await;
            replica.post("/oauth2/token", &[], &format!("grant_type=stranger{n}")).await;
            replica.post("/oauth2/introspect", &headers, &format!("token=stranger{n}")).await;
            replica.post("/oauth2/revoke", &headers, &format!("token=stranger{n}")).await;
            let form = format!("client_id=stranger{n}&client_assertion=a.b.{n}&grant_type=client_credentials");
            replica.post("/oauth2/token", &[], &form).await;
        };
        tries(0).await;
        let before = scrape(&replica).await.len();
        for n in 1..200 {
            tries(n).await;
        }
        let answer = answer(&replica, "").await;
        let text = String::from_utf8(answer.body).unwrap();
        assert!(!text.contains("stranger"), "{text}");
        assert_eq!(Scrape::of(&text).len(), before);
    }

    async fn so_many_clients_have_a_label_and_the_rest_share_one(env) {
        env.apply(&many(5)).await;
        let replica = env.replica_with(|settings| settings.metrics.clients = 3).await;
        for n in (0..5).chain(0..5) {
            replica.issued(&format!("c{n}"), READER, "").await;
        }
        let clients = async || {
            let scrape = scrape(&replica).await;
            let series = scrape.all("grantd_token_requests_total");
            let client = |labels: &str| labels.split('"').nth(1).unwrap().to_owned();
            series.into_iter().map(|(labels, count)| format!("{}={count}", client(labels))).collect::<Vec<_>>()
        };
        assert_eq!(clients().await, ["(other)=4", "c0=2", "c1=2", "c2=2"]);
        env.prune(&many(5).replace("\"c0\"", "\"d\"")).await;
        replica.follow().await;
        replica.grantd.survey().await;
        replica.issued("d", READER, "").await;
        assert_eq!(clients().await, ["(other)=4", "c1=2", "c2=2", "d=1"], "a place came free");
        let uses = scrape(&replica).await;
        let other = uses.get("grantd_credential_uses_total{client=\"(other)\",credential=\"(other)\",kind=\"secret\"}");
        assert_eq!(other, Some(4.0));
        assert_eq!(uses.all("grantd_credential_uses_total").len(), 4);
    }
}
