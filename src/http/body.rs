//! Reads a request's body whole, with a bound on its size and on the time it takes, and reads forms with it.
//!
//! axum's own limit exists only inside its extractors, and nothing there bounds the time (B-H03, B-H04).

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::BodyExt;
use zeroize::Zeroizing;

use super::dpop::DPOP;
use super::form::Form;
use super::media_type;
use crate::config::settings::Limits;
use crate::domain::refusal::RequestFault;

/// Bounds of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// The most bytes.
    pub bytes: usize,
    /// The longest time from the end of the head to the end of the body.
    pub time: Duration,
}

impl BodyLimits {
    /// Those of the settings.
    #[must_use]
    pub const fn of(limits: &Limits) -> Self {
        Self {
            bytes: limits.body_bytes,
            time: limits.body_timeout.duration(),
        }
    }
}

/// The header fields that handlers read; nothing else of a head is kept while its body is waited for.
const KEPT: [HeaderName; 2] = [AUTHORIZATION, DPOP];

/// Reads the form of a request, and gives it with those of its headers that say who sends it: `authorization` and
/// `dpop`.
///
/// # Errors
/// Parameters in the URL (their values stand in proxies' logs), what [`read_body`] refuses, and what
/// [`Form::parse`] refuses. The media type is judged before the body is read.
pub async fn read_form(
    request: Request,
    limits: BodyLimits,
) -> Result<(HeaderMap, Form), RequestFault> {
    if request.uri().query().is_some_and(|query| !query.is_empty()) {
        return Err(RequestFault::QueryParameters);
    }
    media_type::check_form(request.headers())?;
    let (mut headers, body) = split(request);
    let mut reading = pin!(read_body(&headers, body, limits)?);
    let body = match poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx))).await {
        Poll::Ready(body) => body,
        Poll::Pending => {
            headers = kept(&headers);
            reading.await
        }
    };
    Ok((headers, Form::parse_body(&body?)?))
}

/// The rest of a request goes here.
fn split(request: Request) -> (HeaderMap, Body) {
    let (head, body) = request.into_parts();
    (head.headers, body)
}

/// Copies the header fields that handlers need: an HTTP/2 value would keep alive the whole buffer that it was read
/// into. Two values of one field are enough to see that there were several.
fn kept(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for name in KEPT {
        for value in headers.get_all(&name).iter().take(2) {
            if let Ok(copy) = HeaderValue::from_bytes(value.as_bytes()) {
                kept.append(name.clone(), copy);
            }
        }
    }
    kept
}

/// Reads the whole body; it is wiped when dropped. Faults of the head are reported before the body is read.
///
/// # Errors
/// A `Content-Encoding`, a body over the limit (also one that only says so), and one that does not come in time,
/// breaks off or is badly framed.
pub fn read_body(
    headers: &HeaderMap,
    body: Body,
    limits: BodyLimits,
) -> Result<impl Future<Output = Result<Zeroizing<Vec<u8>>, RequestFault>> + use<>, RequestFault> {
    check_content_encoding(headers)?;
    let announced = announced_length(headers).unwrap_or(0);
    if announced > u64::try_from(limits.bytes).unwrap_or(u64::MAX) {
        return Err(RequestFault::BodyTooLarge);
    }
    Ok(async move {
        match tokio::time::timeout(limits.time, collect(body, limits.bytes, announced)).await {
            Ok(read) => read,
            Err(_) => Err(RequestFault::BodyIncomplete),
        }
    })
}

async fn collect(
    mut body: Body,
    limit: usize,
    announced: u64,
) -> Result<Zeroizing<Vec<u8>>, RequestFault> {
    // The whole room at once where the length is unknown: a vector that grows leaves copies behind, unwiped. But
    // none before something comes.
    let room = if announced == 0 {
        limit
    } else {
        usize::try_from(announced).unwrap_or(limit)
    };
    let mut whole = Zeroizing::new(Vec::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| RequestFault::BodyIncomplete)?;
        if let Some(data) = frame.data_ref() {
            if data.len() > limit - whole.len() {
                return Err(RequestFault::BodyTooLarge);
            }
            if whole.capacity() == 0 {
                whole.reserve_exact(room.max(data.len()));
            }
            whole.extend_from_slice(data);
        }
    }
    Ok(whole)
}

/// Compressed bodies are refused: 16 KiB can inflate to 16 MiB.
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

    const LIMITS: BodyLimits = BodyLimits {
        bytes: 16,
        time: Duration::from_millis(50),
    };

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
        let (_, form) = read_form(post("/", "a=0123456789abcd"), LIMITS)
            .await
            .unwrap();
        assert_eq!(form.get("a"), Some("0123456789abcd"));
    }

    /// The head that waits for its body, and the one that has it at once.
    #[tokio::test]
    async fn only_what_handlers_need_of_a_head_waits_for_its_body() {
        let mut request = post("/", "");
        for (name, value) in [
            ("authorization", "Basic YQ=="),
            ("dpop", "a"),
            ("dpop", "b"),
            ("dpop", "c"),
            ("x", "y"),
        ] {
            request.headers_mut().append(name, value.parse().unwrap());
        }
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        *request.body_mut() = Body::new(Late(Some(receiver)));
        let reading = tokio::spawn(read_form(
            request,
            BodyLimits {
                time: Duration::from_secs(10),
                ..LIMITS
            },
        ));
        // Its task runs, and finds no body yet.
        tokio::task::yield_now().await;
        sender.send(()).unwrap();
        let (headers, form) = reading.await.unwrap().unwrap();
        assert_eq!(form.get("a"), Some("b"));
        assert_eq!(headers["authorization"], "Basic YQ==");
        assert_eq!(headers.get_all("dpop").iter().count(), 2);
        assert_eq!(headers.len(), 3);
    }

    /// A body that comes when it is told to.
    struct Late(Option<tokio::sync::oneshot::Receiver<()>>);

    impl axum::body::HttpBody for Late {
        type Data = axum::body::Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
        ) -> Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
            let Some(told) = &mut self.0 else {
                return Poll::Ready(None);
            };
            let Poll::Ready(_) = std::pin::Pin::new(told).poll(cx) else {
                return Poll::Pending;
            };
            self.0 = None;
            Poll::Ready(Some(Ok(hyper::body::Frame::data("a=b".into()))))
        }
    }

    /// 6749-32, B-H03.
    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_with_and_without_a_length() {
        assert_eq!(
            fault(post("/", "a=0123456789abcde")).await,
            Some(RequestFault::BodyTooLarge)
        );
        let mut announced = post("/", "a=b");
        announced
            .headers_mut()
            .insert(CONTENT_LENGTH, "17".parse().unwrap());
        assert_eq!(fault(announced).await, Some(RequestFault::BodyTooLarge));
    }

    /// 6749-32.
    #[tokio::test]
    async fn a_compressed_body_is_not_inflated() {
        for (coding, refused) in [("gzip", true), ("identity, br", true), ("Identity", false)] {
            let mut request = post("/", "a=b");
            request
                .headers_mut()
                .insert(CONTENT_ENCODING, coding.parse().unwrap());
            let expected = refused.then_some(RequestFault::ContentEncoding);
            assert_eq!(fault(request).await, expected, "{coding}");
        }
    }

    /// 6749-18.
    #[tokio::test]
    async fn parameters_in_the_url_are_refused() {
        let request = post("/?client_id=a&client_secret=b", "a=b");
        assert_eq!(fault(request).await, Some(RequestFault::QueryParameters));
    }
}
