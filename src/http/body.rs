//! Reads a request's body whole, with a bound on its size and on the time it takes, and reads forms with it.
//!
//! axum's own limit exists only inside its extractors, and nothing there bounds the time (B-H03, B-H04).

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use axum::http::request::Parts;
use http_body_util::BodyExt;
use zeroize::Zeroizing;

use super::form::Form;
use super::media_type;
use crate::domain::refusal::RequestFault;

/// Bounds of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// The most bytes.
    pub bytes: usize,
    /// The longest time from the end of the head to the end of the body.
    pub time: Duration,
}

impl Default for BodyLimits {
    /// 16 KiB in 10 seconds.
    fn default() -> Self {
        Self { bytes: 16 * 1024, time: Duration::from_secs(10) }
    }
}

/// Reads the form of a request, and gives it with the request's head.
///
/// # Errors
/// Parameters in the URL (their values stand in proxies' logs), what [`read_body`] refuses, and what
/// [`Form::parse`] refuses. The media type is judged before the body is read.
pub async fn read_form(
    request: Request,
    limits: BodyLimits,
) -> Result<(Parts, Form), RequestFault> {
    let (head, body) = request.into_parts();
    if head.uri.query().is_some_and(|query| !query.is_empty()) {
        return Err(RequestFault::QueryParameters);
    }
    media_type::check_form(&head.headers)?;
    let body = read_body(&head.headers, body, limits).await?;
    let form = Form::parse_body(&body)?;
    Ok((head, form))
}

/// Reads a body whole; it is wiped when dropped.
///
/// # Errors
/// A `Content-Encoding`, a body over the limit (also one that only says so), and one that does not come in time,
/// breaks off or is badly framed.
pub async fn read_body(
    headers: &HeaderMap,
    body: Body,
    limits: BodyLimits,
) -> Result<Zeroizing<Vec<u8>>, RequestFault> {
    check_content_encoding(headers)?;
    let announced = announced_length(headers).unwrap_or(0);
    if announced > u64::try_from(limits.bytes).unwrap_or(u64::MAX) {
        return Err(RequestFault::BodyTooLarge);
    }
    match tokio::time::timeout(limits.time, collect(body, limits.bytes, announced)).await {
        Ok(read) => read,
        Err(_) => Err(RequestFault::BodyIncomplete),
    }
}

async fn collect(
    mut body: Body,
    limit: usize,
    announced: u64,
) -> Result<Zeroizing<Vec<u8>>, RequestFault> {
    // The whole room at once where the length is unknown: a vector that grows leaves copies behind, unwiped.
    let room = if announced == 0 && !axum::body::HttpBody::is_end_stream(&body) {
        limit
    } else {
        usize::try_from(announced).unwrap_or(limit)
    };
    let mut whole = Zeroizing::new(Vec::with_capacity(room));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| RequestFault::BodyIncomplete)?;
        if let Some(data) = frame.data_ref() {
            if data.len() > limit - whole.len() {
                return Err(RequestFault::BodyTooLarge);
            }
            whole.extend_from_slice(data);
        }
    }
    Ok(whole)
}

/// Nothing is inflated: a compressed body of 16 KiB can be one of 16 MiB.
fn check_content_encoding(headers: &HeaderMap) -> Result<(), RequestFault> {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    if codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        Ok(())
    } else {
        Err(RequestFault::ContentEncoding)
    }
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BodyLimits = BodyLimits { bytes: 16, time: Duration::from_millis(50) };

    fn post(uri: &str, body: impl Into<Body>) -> Request {
        Request::post(uri)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.into())
            .unwrap()
    }

    async fn fault(request: Request) -> Option<RequestFault> {
        read_form(request, LIMITS).await.err()
    }

    #[tokio::test]
    async fn a_form_within_its_limits_is_read() {
        let (_, form) = read_form(post("/", "a=0123456789abcd"), LIMITS).await.unwrap();
        assert_eq!(form.get("a"), Some("0123456789abcd"));
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_with_and_without_a_length_6749_32_b_h03() {
        assert_eq!(fault(post("/", "a=0123456789abcde")).await, Some(RequestFault::BodyTooLarge));
        let mut announced = post("/", "a=b");
        announced.headers_mut().insert(CONTENT_LENGTH, "17".parse().unwrap());
        assert_eq!(fault(announced).await, Some(RequestFault::BodyTooLarge));
    }

    #[tokio::test]
    async fn a_compressed_body_is_not_inflated_6749_32() {
        for (coding, refused) in [("gzip", true), ("identity, br", true), ("Identity", false)] {
            let mut request = post("/", "a=b");
            request.headers_mut().insert(CONTENT_ENCODING, coding.parse().unwrap());
            let expected = refused.then_some(RequestFault::ContentEncoding);
            assert_eq!(fault(request).await, expected, "{coding}");
        }
    }

    #[tokio::test]
    async fn parameters_in_the_url_are_refused_6749_18() {
        let request = post("/?client_id=a&client_secret=b", "a=b");
        assert_eq!(fault(request).await, Some(RequestFault::QueryParameters));
    }
}
