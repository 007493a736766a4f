//! The table of all paths, each with its handler: what a handler takes and gives stands in the table by itself.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::on;

use super::answer::Answer as _;
use super::handler::Handler;
use super::input::Pieces;
use super::route::{Route, Verb};
use super::state::Control;

/// Paths with their handlers, in the order in which they are shown.
pub(super) struct Table {
    router: Router<Control>,
    all: Vec<Route>,
}

impl Table {
    pub(super) fn none() -> Self {
        Self {
            router: Router::new(),
            all: Vec::new(),
        }
    }

    pub(super) fn get<I, H: Handler<I>>(
        self,
        path: &'static str,
        does: &'static str,
        handler: H,
    ) -> Self {
        self.on((Verb::Get, path), does, handler)
    }

    pub(super) fn put<I, H: Handler<I>>(
        self,
        path: &'static str,
        does: &'static str,
        handler: H,
    ) -> Self {
        self.on((Verb::Put, path), does, handler)
    }

    pub(super) fn post<I, H: Handler<I>>(
        self,
        path: &'static str,
        does: &'static str,
        handler: H,
    ) -> Self {
        self.on((Verb::Post, path), does, handler)
    }

    pub(super) fn patch<I, H: Handler<I>>(
        self,
        path: &'static str,
        does: &'static str,
        handler: H,
    ) -> Self {
        self.on((Verb::Patch, path), does, handler)
    }

    pub(super) fn delete<I, H: Handler<I>>(
        self,
        path: &'static str,
        does: &'static str,
        handler: H,
    ) -> Self {
        self.on((Verb::Delete, path), does, handler)
    }

    fn on<I, H: Handler<I>>(
        mut self,
        (verb, path): (Verb, &'static str),
        does: &'static str,
        handler: H,
    ) -> Self {
        let answer = move |State(control): State<Control>, request: Request| {
            let handler = handler.clone();
            async move { answered(handler, control, request).await }
        };
        self.router = self.router.route(path, on(verb.of_router(), answer));
        self.all.push(Route {
            verb,
            path,
            does,
            describe: H::describe,
        });
        self
    }

    /// What answers, and what is known of it.
    pub(super) fn parts(self) -> (Router<Control>, Vec<Route>) {
        (self.router, self.all)
    }
}

async fn answered<I, H: Handler<I>>(handler: H, control: Control, request: Request) -> Response {
    let answering = async {
        let pieces = Pieces::of(request).await?;
        handler.call(control, pieces).await
    };
    match answering.await {
        Ok(answer) => answer.answer(),
        Err(fault) => fault.answer(),
    }
}
