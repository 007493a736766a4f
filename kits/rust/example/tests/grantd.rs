//! What else a test has.

use grantd_test::Grantd;
use serde_json::json;

#[tokio::test]
async fn a_fault_strikes_as_often_as_it_should() {
    let grantd = Grantd::shared().await;
    let client = grantd.client(json!({ "auth": "private_key_jwt" })).await;
    let id = client.client_id.as_str();
    let rule = json!({ "client_id": id, "after": 1, "times": 1, "lie": "scope_missing" });
    let fault = grantd.add_fault(rule).await;
    for _ in 0..3 {
        grantd.token(&client, "", "").await;
    }
    let faults = grantd.faults().await;
    let struck = faults.iter().find(|it| it.id == fault).unwrap();
    assert_eq!((struck.struck, &struck.rule["after"]), (1, &json!(1)));
    let which = json!({ "client_id": id, "count": 3, "within": "5s" });
    let seen = grantd.await_requests(which).await;
    let by: Vec<Option<u64>> = seen.iter().map(|it| it.fault).collect();
    assert_eq!(by, [None, Some(fault), None]);
    let after = seen[1].id.to_string();
    let rest = [("client_id", id), ("after", &after)];
    assert_eq!(grantd.requests(&rest).await.len(), 1);
}

#[tokio::test]
async fn a_reset_puts_everything_back() {
    let grantd = Grantd::start(&[]).await;
    let client = grantd.client(json!({})).await;
    grantd.add_fault(json!({ "status": 503 })).await;
    let later = grantd.clock(json!({ "advance": "61m" })).await;
    grantd.set_status(&client, "disabled").await;
    grantd.reset().await;
    assert!(grantd.faults().await.is_empty() && grantd.requests(&[]).await.is_empty());
    assert!(grantd.clock(json!({ "freeze": true })).await < later);
    let page = grantd.get("", &[]).await;
    assert!(!page["clients"].to_string().contains(&client.client_id));
}
