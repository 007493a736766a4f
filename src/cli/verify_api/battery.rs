//! The battery as the control listener gives it, and the clock that it is made by.

use anyhow::{Context as _, anyhow, bail};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use indexmap::IndexMap;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::http::Http;
use crate::domain::battery::{Case, List, Verdict};

/// One entry, in whichever list it stands.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) list: List,
    pub(super) name: String,
    pub(super) access_token: String,
    pub(super) headers: IndexMap<String, String>,
    pub(super) certificate_pem: Option<String>,
    pub(super) private_key_pem: Option<String>,
    pub(super) why: String,
    pub(super) standard: String,
    /// The status codes that are right.
    pub(super) status: Vec<u16>,
    /// What it is if the API does otherwise.
    pub(super) verdict: Verdict,
    /// For so long an API may still have in its cache what it should know no more.
    pub(super) cached_for_seconds: Option<u64>,
}

impl Entry {
    /// The status codes that are right, for a sentence.
    pub(super) fn due(&self) -> String {
        match self.status.as_slice() {
            [400, .., 499] => "any 4xx".to_owned(),
            several => {
                let several: Vec<String> = several.iter().map(u16::to_string).collect();
                several.join(" or ")
            }
        }
    }

    /// The entry of a battery with this token.
    #[cfg(test)]
    pub(super) fn of(case: Case, token: &str) -> Self {
        let expectation = case.expectation();
        Self {
            list: expectation.list,
            name: case.as_str().to_owned(),
            access_token: token.to_owned(),
            headers: IndexMap::new(),
            certificate_pem: None,
            private_key_pem: None,
            why: expectation.why.to_owned(),
            standard: expectation.standard.to_owned(),
            status: expectation.due.to_vec(),
            verdict: expectation.against,
            cached_for_seconds: None,
        }
    }

    /// As this version of grantd knows it; another one may have entries that this one does not know.
    pub(super) fn case(&self) -> Option<Case> {
        Case::from_text(&self.name)
    }
}

/// An entry as it is written.
#[derive(Deserialize)]
struct Written {
    name: String,
    access_token: String,
    headers: IndexMap<String, String>,
    certificate_pem: Option<String>,
    private_key_pem: Option<String>,
    why: String,
    standard: String,
    status: Status,
    verdict: Verdict,
    cached_for_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Status {
    One(u16),
    Several(Vec<u16>),
}

#[derive(Deserialize)]
struct Lists {
    accept: Vec<Written>,
    refuse: Vec<Written>,
}

#[derive(Deserialize)]
struct ClockShown {
    now: String,
    offset_seconds: i64,
    frozen: bool,
}

/// What a refused request is told.
#[derive(Deserialize)]
struct Refused {
    message: String,
    nearest: Option<String>,
}

impl Refused {
    fn told(&self) -> String {
        let nearest = self.nearest.as_ref().map(|it| format!("; nearest: {it}"));
        format!(": {}{}", self.message, nearest.unwrap_or_default())
    }
}

/// The control listener of a `grantd dev`.
pub(super) struct ControlListener {
    pub(super) url: String,
    pub(super) http: Http,
}

impl ControlListener {
    /// An API has the machine's clock: tokens by another one tell nothing of it.
    ///
    /// # Errors
    /// The clock was moved, or the listener does not answer.
    pub(super) async fn check_clock(&self) -> anyhow::Result<()> {
        let clock: ClockShown = self.get("/_test/clock", &[]).await?;
        if clock.frozen || clock.offset_seconds != 0 {
            let (url, now) = (&self.url, clock.now);
            bail!(
                "the clock of grantd was moved to {now}, and the API has another: put it back with \
                 curl -X PUT {url}/_test/clock -H 'Content-Type: application/json' -d '{{\"reset\":true}}'"
            );
        }
        Ok(())
    }

    /// All entries, made anew, those of `accept` first.
    ///
    /// # Errors
    /// The listener refuses, or does not answer.
    pub(super) async fn battery(
        &self,
        parameters: &[(&str, String)],
    ) -> anyhow::Result<Vec<Entry>> {
        let lists: Lists = self.get("/_test/tokens", parameters).await?;
        let accept = lists.accept.into_iter().map(|it| it.read(List::Accept));
        let refuse = lists.refuse.into_iter().map(|it| it.read(List::Refuse));
        Ok(accept.chain(refuse).collect())
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, String)],
    ) -> anyhow::Result<T> {
        let encoded = |(name, value): &(&str, String)| {
            format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
        };
        let query = parameters.iter().map(encoded).collect::<Vec<_>>();
        let url = format!("{}{path}?{}", self.url, query.join("&"));
        let asked = || format!("grantd's control listener {}", self.url);
        let request = Request::get(&url)
            .body(Full::<Bytes>::default())
            .with_context(asked)?;
        let answer = self.http.send(request, None).await.with_context(asked)?;
        let answer = answer.map_err(|silence| anyhow!("{}: {silence}", asked()))?;
        if answer.status != StatusCode::OK {
            let told = serde_json::from_slice::<Refused>(&answer.body).ok();
            let told = told.map(|it| it.told()).unwrap_or_default();
            bail!("{} answers {}{told}", asked(), answer.status);
        }
        serde_json::from_slice(&answer.body)
            .with_context(|| format!("{} answers with something else", asked()))
    }
}

impl Written {
    fn read(self, list: List) -> Entry {
        Entry {
            list,
            name: self.name,
            access_token: self.access_token,
            headers: self.headers,
            certificate_pem: self.certificate_pem,
            private_key_pem: self.private_key_pem,
            why: self.why,
            standard: self.standard,
            status: match self.status {
                Status::One(status) => vec![status],
                Status::Several(list) => list,
            },
            verdict: self.verdict,
            cached_for_seconds: self.cached_for_seconds,
        }
    }
}
