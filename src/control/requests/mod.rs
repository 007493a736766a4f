//! What was asked of the public listeners: `GET` and `DELETE /_test/requests`, `POST /_test/requests/await`, and whether
//! a client caches.

mod captured;
mod log;
mod redact;
mod unverified;

pub(super) use captured::{Answered, Asked, Came};
use captured::{Captured, Lens};
pub(super) use log::RequestLog;

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::ContentBuilder;
use utoipa::openapi::response::ResponseBuilder;

use super::answer::{Answer, Done, Json};
use super::description::Description;
use super::endpoint::Endpoint;
use super::fault::Fault;
use super::input::{Body, Name, Query};
use super::span::Span;
use super::state::Control;
use super::table::Table;
use log::{Filter, MOST};

/// The longest wait.
const LONGEST: Duration = Duration::from_mins(10);
/// Where nothing is said.
const WITHIN: Duration = Duration::from_secs(5);

/// Requests, oldest first.
#[derive(Serialize, ToSchema)]
struct Requests(Vec<Captured>);

/// What is waited for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Awaited {
    endpoint: Option<Endpoint>,
    client_id: Option<String>,
    /// As in `GET /_test/requests`.
    outcome: Option<String>,
    /// How many: one, unless it says more.
    count: Option<usize>,
    /// How long: `5s`, unless it says otherwise; at most `10m`.
    #[schema(value_type = Option<String>, example = "5s")]
    within: Option<Span>,
    /// Counts those that came after the one of this id, in place of all since the start or the last reset.
    after: Option<u64>,
}

/// What came of a wait.
enum Gathered {
    Enough(Requests),
    TooFew(TooFew),
}

/// 408: fewer came than were awaited.
#[derive(Serialize, ToSchema)]
struct TooFew {
    /// `timeout`.
    error: &'static str,
    message: String,
    /// Those that did come.
    requests: Requests,
}

/// Whether a client caches its tokens.
#[derive(Serialize, ToSchema)]
struct WasteOf {
    client_id: String,
    /// How many it got since the start, or the last reset.
    tokens: u64,
    /// How many of them while an equal one (same audience and scopes) had more than half of its life left.
    wasted: u64,
}

pub(super) fn routes(all: Table) -> Table {
    all.get(
        "/_test/requests",
        "lists the last 1,000 requests, oldest first",
        list,
    )
    .post(
        "/_test/requests/await",
        "waits until such requests have come",
        awaited,
    )
    .delete("/_test/requests", "forgets all requests", forget)
    .get(
        "/_test/clients/{id}/waste",
        "tells whether a client caches its tokens",
        waste,
    )
}

/// With what requests are looked at.
fn lens(control: &Control) -> Lens<'_> {
    Lens {
        secrets: control.secrets(),
        opaque_tokens: control.grantd().opaque_tokens(),
    }
}

async fn list(control: Control, Query(filter): Query<Filter>) -> Result<Json<Requests>, Fault> {
    Ok(Json(Requests(
        control.requests().list(&filter, lens(&control)),
    )))
}

async fn forget(control: Control) -> Result<Done, Fault> {
    control.requests().forget();
    Ok(Done)
}

async fn awaited(control: Control, Body(awaited): Body<Awaited>) -> Result<Gathered, Fault> {
    let count = awaited.count.unwrap_or(1);
    if !(1..=MOST).contains(&count) {
        return Err(Fault::invalid(format!("count is 1 to {MOST}")).at("count"));
    }
    let within = awaited.within.map_or(WITHIN, |it| it.0);
    if within > LONGEST {
        return Err(Fault::invalid("within is at most 10m").at("within"));
    }
    let filter = Filter {
        endpoint: awaited.endpoint,
        client_id: awaited.client_id,
        outcome: awaited.outcome,
        after: awaited.after,
    };
    let mut gathered = Vec::new();
    let all_time_passed = tokio::select! {
        () = control.requests().gather((&filter, lens(&control)), count, &mut gathered) => true,
        whole = control.waiting().wait(within) => whole,
    };
    if gathered.len() >= count {
        return Ok(Gathered::Enough(Requests(gathered)));
    }
    let came = gathered.len();
    let message = if all_time_passed {
        format!("{came} of {count} came within {within:?}: `requests` holds them")
    } else {
        format!("{came} of {count} came before a reset, or the end of this process, ended the wait")
    };
    Ok(Gathered::TooFew(TooFew {
        error: "timeout",
        message,
        requests: Requests(gathered),
    }))
}

async fn waste(control: Control, Name(id): Name) -> Result<Json<WasteOf>, Fault> {
    let client = control.client(&id).await?;
    let counts = control.waste().of(client.client.id.as_str());
    Ok(Json(WasteOf {
        client_id: id,
        tokens: counts.tokens,
        wasted: counts.wasted,
    }))
}

impl Answer for Gathered {
    fn answer(self) -> Response {
        match self {
            Self::Enough(requests) => Json(requests).answer(),
            Self::TooFew(too_few) => {
                let mut response = Json(too_few).answer();
                *response.status_mut() = StatusCode::REQUEST_TIMEOUT;
                response
            }
        }
    }

    fn describe(to: &mut Description) {
        Json::<Requests>::describe(to);
        let content = ContentBuilder::new().schema(Some(to.schema::<TooFew>()));
        let response = ResponseBuilder::new()
            .description("Fewer came in time.")
            .content("application/json", content.build());
        to.answers.push(("408", response.build()));
    }
}
