//! How a refusal reads to the caller: RFC 6750 section 3, with the scheme `DPoP` of RFC 9449 section 7.1.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::proof::ALGORITHMS;

/// How a token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Bearer,
    Dpop,
}

/// Why a request is refused. The texts are for the log; a caller learns the kind alone.
#[derive(Debug)]
pub(crate) enum Fault {
    /// No token where tokens belong.
    NoCredentials,
    /// Two tokens, or headers that cannot be read.
    Request(&'static str),
    Token(&'static str),
    Proof(&'static str),
    Scope(String),
    Client,
    /// We could not read the issuer's keys yet.
    NoKeysYet,
    /// We could not ask the issuer whether the token still holds.
    IssuerAway,
    TooManyProofs,
}

/// A fault, and the scheme that the caller used.
pub(crate) struct Refusal {
    pub(crate) fault: Fault,
    pub(crate) scheme: Scheme,
}

impl Fault {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoCredentials | Self::Token(_) | Self::Proof(_) => StatusCode::UNAUTHORIZED,
            Self::Request(_) => StatusCode::BAD_REQUEST,
            Self::Scope(_) | Self::Client => StatusCode::FORBIDDEN,
            Self::NoKeysYet | Self::IssuerAway | Self::TooManyProofs => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// The parameters of a challenge. Without credentials there are none: nothing was wrong (section 3.1).
    fn parameters(&self) -> Option<String> {
        let error = |code: &str| Some(format!(r#"error="{code}""#));
        match self {
            Self::NoCredentials => Some(String::new()),
            Self::Request(_) => error("invalid_request"),
            Self::Token(_) => error("invalid_token"),
            Self::Proof(_) => error("invalid_dpop_proof"),
            Self::Scope(scope) => Some(format!(r#"error="insufficient_scope", scope="{scope}""#)),
            // More scope would not help, so none is named.
            Self::Client => error("insufficient_scope"),
            Self::NoKeysYet | Self::IssuerAway | Self::TooManyProofs => None,
        }
    }

    /// For the log; never anything that the caller sent.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::NoCredentials => "no token",
            Self::Request(reason) | Self::Token(reason) | Self::Proof(reason) => reason,
            Self::Scope(_) => "the scope is missing",
            Self::Client => "a client that may not call",
            Self::NoKeysYet => "the issuer's keys were never read",
            Self::IssuerAway => "the issuer does not answer",
            Self::TooManyProofs => "too many proofs at once",
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut answer = self.fault.status().into_response();
        let headers = answer.headers_mut();
        let Some(parameters) = self.fault.parameters() else {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            return answer;
        };
        // Whoever brought nothing may choose; the others are answered in the scheme that they used.
        let both = matches!(self.fault, Fault::NoCredentials);
        for scheme in [Scheme::Bearer, Scheme::Dpop] {
            if both || scheme == self.scheme {
                let text = challenge(scheme, &parameters);
                headers.extend(
                    text.try_into()
                        .ok()
                        .map(|text| (header::WWW_AUTHENTICATE, text)),
                );
            }
        }
        answer
    }
}

fn challenge(scheme: Scheme, parameters: &str) -> String {
    let comma = if parameters.is_empty() { "" } else { ", " };
    match scheme {
        Scheme::Bearer => format!(r#"Bearer realm="documents"{comma}{parameters}"#),
        Scheme::Dpop => format!(r#"DPoP algs="{ALGORITHMS}"{comma}{parameters}"#),
    }
}
