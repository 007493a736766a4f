//! Looks on at the public listeners: keeps what was asked, and lets faults strike. A layer around their routes, which
//! `serve` does not have.

mod copied_body;
mod newest_keys;
mod sight;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Version;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use zeroize::Zeroizing;

use super::endpoint::Endpoint;
use super::faults::{Spoiler, Struck, whole};
use super::requests::{Answered, Asked, Came};
use super::state::Control;
use crate::domain::decision::{Decided, Outcome};
use crate::domain::refusal::Refusal;
use crate::http::routes::Routes;
use crate::http::witness::Witness;
use copied_body::Copy;
use newest_keys::newest_keys;
use sight::{Seen, Sight};

/// The same routes, at which `control` looks on.
pub(super) fn watched(routes: Routes, control: Control) -> Routes {
    routes.layer(from_fn_with_state(control, watch))
}

async fn watch(State(control): State<Control>, mut request: Request, next: Next) -> Response {
    let Some(endpoint) = Endpoint::at(request.uri().path(), control.settings()) else {
        return next.run(request).await;
    };
    let sight = Arc::new(Sight::new(control.clone(), endpoint));
    request
        .extensions_mut()
        .insert(Witness::new(Arc::clone(&sight) as _));
    let is_http1 = request.version() < Version::HTTP_2;
    let mut watched = Watched::new(control.clone(), sight, &mut request, endpoint);
    let (answer, struck) = watched.answered(next.run(request).await).await;
    drop(watched);
    match struck {
        None => answer,
        Some(struck) => {
            let spoiler = Spoiler {
                spec: &struck.spec,
                newest_keys: newest(&control),
                waiting: control.waiting(),
                is_http1,
            };
            spoiler.strike(answer).await
        }
    }
}

/// The keys that began to sign last.
fn newest(control: &Control) -> Vec<String> {
    let grantd = control.grantd();
    let now = grantd.database_now();
    let ring = grantd.keys();
    ring.map_or_else(Vec::new, |ring| newest_keys(ring.lives(now), now))
}

/// A request that is kept when this is dropped, whatever became of it: also where nobody waited for its answer.
struct Watched {
    control: Control,
    sight: Arc<Sight>,
    copy: Copy,
    begin: Duration,
    /// Until this is dropped.
    came: Option<Came>,
}

impl Watched {
    fn new(control: Control, sight: Arc<Sight>, request: &mut Request, endpoint: Endpoint) -> Self {
        let clock = control.grantd().clock();
        let (begin, at) = (clock.monotonic(), clock.now());
        let most = control.settings().limits.body_bytes;
        let (body, copy) = Copy::of(std::mem::take(request.body_mut()), most);
        *request.body_mut() = body;
        let asked = Asked {
            endpoint,
            at,
            version: request.version(),
            headers: request.headers().clone(),
            body: Zeroizing::default(),
        };
        Self {
            came: Some(Came::of(asked)),
            control,
            sight,
            copy,
            begin,
        }
    }

    /// Takes note of the answer, and of what judged it; gives it with the fault that strikes it.
    async fn answered(&mut self, answer: Response) -> (Response, Option<Struck>) {
        let Seen {
            decided,
            is_judged,
            mut struck,
        } = self.sight.take();
        if !is_judged {
            struck = self.sight.struck_by(None, false);
        }
        let is_issued = decided.as_ref().is_some_and(is_issued);
        let (head, mut body) = answer.into_parts();
        let mut issued = None;
        if is_issued {
            let bytes = whole(body).await;
            issued = Some(bytes.clone());
            body = Body::from(bytes);
        }
        if let Some(came) = &mut self.came {
            came.is_spoiled = struck.as_ref().is_some_and(|it| it.spec.spoils());
            came.fault = struck.as_ref().map(|it| it.id);
            came.decided = decided;
            came.answer = Some(Answered {
                status: head.status,
                refusal: head.extensions.get::<Refusal>().cloned(),
                issued,
                request_id: (head.headers.get("x-request-id"))
                    .and_then(|it| it.to_str().ok())
                    .map(str::to_owned),
            });
        }
        (Response::from_parts(head, body), struck)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let Some(mut came) = self.came.take() else {
            return;
        };
        if came.answer.is_none() {
            came.decided = self.sight.take().decided;
        }
        if let Some(decided) = &came.decided {
            self.control.waste().note(decided);
        }
        let took = came.decided.as_ref().map(|it| it.took);
        let took = took.unwrap_or_else(|| {
            let now = self.control.grantd().clock().monotonic();
            now.saturating_sub(self.begin)
        });
        came.took_ms = took.as_secs_f64() * 1000.0;
        came.asked.body = self.copy.take();
        self.control.requests().push(came);
    }
}

fn is_issued(decided: &Decided) -> bool {
    matches!(decided.outcome, Outcome::Issued)
}
