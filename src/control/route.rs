//! What is known of a path of the control interface: what it does, and what that takes and gives.

use axum::routing::MethodFilter;
use utoipa::openapi::HttpMethod;

use super::description::Description;

/// A method that paths are asked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Put,
    Post,
    Patch,
    Delete,
}

/// One path and method.
pub(super) struct Route {
    pub(super) verb: Verb,
    pub(super) path: &'static str,
    /// What it does, after "It": `moves the clock`.
    pub(super) does: &'static str,
    /// Says what it takes and gives; nothing of that is made before it is asked for.
    pub(super) describe: fn(&mut Description),
}

impl Verb {
    /// As HTTP writes it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    pub(super) const fn of_router(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Put => MethodFilter::PUT,
            Self::Post => MethodFilter::POST,
            Self::Patch => MethodFilter::PATCH,
            Self::Delete => MethodFilter::DELETE,
        }
    }

    pub(super) const fn of_openapi(self) -> HttpMethod {
        match self {
            Self::Get => HttpMethod::Get,
            Self::Put => HttpMethod::Put,
            Self::Post => HttpMethod::Post,
            Self::Patch => HttpMethod::Patch,
            Self::Delete => HttpMethod::Delete,
        }
    }
}
