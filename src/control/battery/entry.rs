//! One entry of the battery as it is given: what to send, and what should come of it.

use indexmap::IndexMap;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::battery::{Case, Verdict};

/// What to send, and what an API should answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = BatteryEntry)]
pub(in crate::control) struct Entry {
    /// Its stable name.
    #[schema(value_type = String)]
    pub(in crate::control) name: Case,
    /// The token.
    pub(in crate::control) access_token: String,
    /// Exactly the headers to send, by their names.
    #[schema(value_type = Object)]
    pub(in crate::control) headers: IndexMap<&'static str, String>,
    /// The client certificate to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::control) certificate_pem: Option<String>,
    /// The private key of the certificate, or the one that signs proofs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::control) private_key_pem: Option<String>,
    /// What is special about it, in one sentence.
    pub(in crate::control) why: &'static str,
    /// Where it is written what an API should do.
    pub(in crate::control) standard: &'static str,
    /// What an API should answer: a status code, or several of which each is right. Of `accept` any 2xx is right.
    #[schema(value_type = Value)]
    pub(in crate::control) status: Status,
    /// What it is if an API does otherwise: `hole`, `note` where no RFC demands it, `fault` for `good`.
    #[schema(value_type = String)]
    pub(in crate::control) verdict: Verdict,
    /// The entry that has to be sent before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(in crate::control) after: Option<Case>,
    /// For so long an API may still have the key in its cache; accepted until then it is no hole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::control) cached_for_seconds: Option<u64>,
}

impl Entry {
    /// What is known of it before it is made.
    pub(super) fn blank(case: Case) -> Self {
        let expectation = case.expectation();
        Self {
            name: case,
            access_token: String::new(),
            headers: IndexMap::new(),
            certificate_pem: None,
            private_key_pem: None,
            why: expectation.why,
            standard: expectation.standard,
            status: Status::due(case),
            verdict: expectation.against,
            after: None,
            cached_for_seconds: None,
        }
    }

    /// What this one sends, under the name of another.
    pub(super) fn under(self, case: Case) -> Self {
        Self {
            access_token: self.access_token,
            headers: self.headers,
            certificate_pem: self.certificate_pem,
            private_key_pem: self.private_key_pem,
            ..Self::blank(case)
        }
    }
}

/// One status code or several.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub(in crate::control) enum Status {
    One(u16),
    Several(&'static [u16]),
}

impl Status {
    /// What is due for `case`.
    pub(in crate::control) fn due(case: Case) -> Self {
        match case.expectation().due {
            [only] => Self::One(*only),
            several => Self::Several(several),
        }
    }
}
