//! What a test has go wrong, and what it sees of what was asked.

use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::{Client, Grantd, encoded};

/// What makes answers go wrong, with the other members of its rule.
#[derive(Clone, Debug, Deserialize)]
pub struct Fault {
    pub id: u64,
    /// How often it did.
    pub struck: u64,
    #[serde(flatten)]
    pub rule: Map<String, Value>,
}

/// A request that came. What is secret is shown by its length alone.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    pub id: u64,
    pub at: String,
    pub endpoint: String,
    pub http: String,
    pub client_id: Option<String>,
    pub method: Option<String>,
    /// `issued`, `active`, `inactive`, `revoked`, `served`, `fault`, `abandoned` or an error code.
    pub outcome: String,
    /// What it would have been without the fault.
    pub judged: Option<String>,
    /// The id of the fault that struck.
    pub fault: Option<u64>,
    pub check: Option<Value>,
    pub headers: Value,
    pub form: Option<Value>,
    pub assertion: Option<Value>,
    pub proof: Option<Value>,
    pub token: Option<Value>,
    pub request_id: Option<String>,
    pub took_ms: f64,
}

/// Whether a client caches its tokens.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Waste {
    pub tokens: u64,
    /// Those that it got while an equal one had more than half of its life left.
    pub wasted: u64,
}

impl Grantd {
    /// A new client, with the members of one in a catalog. Those left out are as of the first one there, with a secret.
    pub async fn client(&self, members: Value) -> Client {
        read(self.call(Method::POST, "/clients", members).await)
    }

    /// `active` or `disabled`.
    pub async fn set_status(&self, client: &Client, status: &str) {
        let members = json!({ "status": status });
        self.call(Method::PATCH, &path(client), members).await;
    }

    pub async fn delete(&self, client: &Client) {
        self.call(Method::DELETE, &path(client), Value::Null).await;
    }

    /// Makes answers go wrong, and gives the id of that: `endpoint`, `client_id`, `status`, `times`, … A `client_id`
    /// keeps it away from other tests.
    pub async fn add_fault(&self, rule: Value) -> u64 {
        let made = self.call(Method::POST, "/faults", rule).await;
        made["id"].as_u64().expect("an id")
    }

    pub async fn faults(&self) -> Vec<Fault> {
        read(self.get("/faults", &[]).await)
    }

    pub async fn remove_fault(&self, id: u64) {
        let path = format!("/faults/{id}");
        self.call(Method::DELETE, &path, Value::Null).await;
    }

    pub async fn clear_faults(&self) {
        self.call(Method::DELETE, "/faults", Value::Null).await;
    }

    /// Those of the last 1,000 that fit, oldest first: `endpoint`, `client_id`, `outcome`, `after`.
    pub async fn requests(&self, which: &[(&str, &str)]) -> Vec<Request> {
        read(self.get("/requests", which).await)
    }

    /// The first `count` of them, as soon as they have come `within` such a time as `5s`; else it panics with those that
    /// did come.
    pub async fn await_requests(&self, which: Value) -> Vec<Request> {
        read(self.call(Method::POST, "/requests/await", which).await)
    }

    pub async fn waste(&self, client: &Client) -> Waste {
        read(self.get(&format!("{}/waste", path(client)), &[]).await)
    }

    /// As at the start: clock, faults, requests, other issuers, clients, catalog, revocations. For tests one by one.
    pub async fn reset(&self) {
        self.call(Method::POST, "/reset", json!({})).await;
    }
}

fn path(client: &Client) -> String {
    format!(
        "/clients/{}",
        encoded(&client.client_id).replace('+', "%20")
    )
}

fn read<T: DeserializeOwned>(answer: Value) -> T {
    serde_json::from_value(answer).expect("what grantd answers")
}
