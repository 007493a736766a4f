//! Tokens that an API must accept, and tokens with one flaw each that it must refuse.

use std::collections::HashMap;

use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

/// One token of the battery.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    pub name: String,
    #[serde(default)]
    pub must_accept: bool,
    pub access_token: String,
    headers: HashMap<String, String>,
    pub why: String,
    pub standard: String,
    /// The status codes that are right for a refusal: one, or a list.
    status: Value,
    /// What it is if an API does otherwise.
    verdict: Verdict,
    cached_for_seconds: Option<u64>,
    pub certificate_pem: Option<String>,
    pub private_key_pem: Option<String>,
}

/// What an answer of an API comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Ok,
    /// Worth a look; no standard demands otherwise.
    Note,
    Hole,
    Fault,
}

impl Case {
    pub(crate) fn all(mut lists: Value) -> Vec<Self> {
        let of = |list: Value| serde_json::from_value::<Vec<Self>>(list).expect("a list of tokens");
        let mut all = of(lists["accept"].take());
        all.iter_mut().for_each(|it| it.must_accept = true);
        all.extend(of(lists["refuse"].take()));
        all
    }

    /// Exactly what to send.
    pub fn headers(&self) -> HeaderMap {
        (&self.headers).try_into().expect("headers")
    }

    /// What an answer with this status comes to.
    pub fn judge(&self, status: u16) -> Verdict {
        let due = self.status.as_array().map_or(vec![], Vec::clone);
        let is_due = self.status == status || due.contains(&status.into());
        let is_right = (200..300).contains(&status) == self.must_accept;
        match self.cached_for_seconds {
            _ if status >= 500 => Verdict::Fault,
            None if !is_right => self.verdict,
            _ if is_right && (self.must_accept || is_due) => Verdict::Ok,
            // Also where an API may still have the key in its cache.
            _ => Verdict::Note,
        }
    }
}

/// Sends each of `cases` by `send`, which gives the status of the answer; panics with all holes and faults. Notes pass.
pub async fn check_all(cases: &[Case], send: impl AsyncFn(&Case) -> u16) {
    let mut wrong = Vec::new();
    for case in cases {
        let status = send(case).await;
        if let verdict @ (Verdict::Hole | Verdict::Fault) = case.judge(status) {
            let (name, why, standard) = (&case.name, &case.why, &case.standard);
            let told = format!("{verdict:?}: {status} for {name}. {why} ({standard})");
            wrong.push(told);
        }
    }
    let (count, all) = (wrong.len(), cases.len());
    assert!(count == 0, "{count} of {all} tokens:\n{}", wrong.join("\n"));
}
