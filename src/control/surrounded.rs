//! What surrounds every path of the control interface: no web page comes in, and what no path answers is told in the one
//! form.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;

use super::fault::{Fault, refuse};
use super::state::Control;
use crate::domain::refusal::RequestFault;
use crate::http::layers;

/// `router`, which has all paths, with what surrounds them.
pub(super) fn surrounded(router: Router<Control>, control: Control) -> Router {
    let shared = control.clone();
    let unserved = move |request: &Request, fault| unserved(&shared, request, fault);
    let router = layers::answer_all(router, unserved.clone());
    let router = router.layer(from_fn_with_state(control.clone(), only_tests));
    layers::identify(router, unserved).with_state(control)
}

/// No web page comes in, neither to a path that there is nor to another one.
async fn only_tests(State(control): State<Control>, request: Request, next: Next) -> Response {
    match control.door().check(&request) {
        Ok(()) => next.run(request).await,
        Err(fault) => fault.answer(),
    }
}

/// What no path answers.
fn unserved(control: &Control, request: &Request, fault: RequestFault) -> Response {
    if fault != RequestFault::UnknownPath {
        return refuse(fault);
    }
    let known = control.routes().iter().map(|route| route.path);
    Fault::unknown("path", request.uri().path(), known).answer()
}
