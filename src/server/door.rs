//! The door: each request is judged by its head alone, before anything of it is kept and before its body is read.
//!
//! It works within the call that hyper makes for each request, not in the task that answers: otherwise thousands of
//! heads could wait for tasks that have not run yet.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Buf, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderValue};
use hyper::{Request, Response, Version};
use tower::ServiceExt;

use super::bounds::{Bounds, FIELD_BYTES};
use super::meter::{Meter, Place};
use crate::http::answer;
use crate::http::connection::Connection;
use crate::http::routes::{AnswerBody, Routes};

/// The door of one connection.
pub(super) struct Door {
    pub(super) service: Routes,
    pub(super) meter: Arc<Meter>,
    pub(super) connection: Connection,
}

/// Makes the answer to a request that is turned away.
type Refusal = fn() -> Response<Bytes>;

impl Door {
    /// Lets a request in, or answers it at once.
    pub(super) fn answer(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Answer>, Infallible>> + Send + use<> {
        let place = self.place(&request);
        let is_http1 = request.version() < Version::HTTP_2;
        let mut request = request.map(|body| Arriving {
            body,
            meter: Arc::clone(&self.meter),
        });
        let entered = match place {
            Ok(place) => {
                request.extensions_mut().insert(self.connection.clone());
                Ok((self.service.clone().oneshot(request), place))
            }
            Err(refusal) => {
                drop(request);
                self.meter.pay();
                Err(refusal)
            }
        };
        async move {
            let (answering, place) = match entered {
                Ok(entered) => entered,
                Err(refusal) => return Ok(refusal().map(|body| Answer::new(body, None))),
            };
            let mut answer = answering.await;
            place.meter.finish();
            if is_http1
                && place.meter.room.tells_to_go()
                && let Ok(answer) = &mut answer
            {
                let close = HeaderValue::from_static("close");
                answer.headers_mut().insert(CONNECTION, close);
            }
            answer.map(|answer| answer.map(|body| Answer::new(body, Some(place))))
        }
    }

    fn place(&self, request: &Request<Incoming>) -> Result<Place, Refusal> {
        let bounds = &self.meter.room.bounds;
        if request.headers().len() > bounds.headers {
            return Err(answer::too_many_headers);
        }
        let admitted = self.meter.admit(cost(request, bounds));
        admitted.map_err(|_| answer::busy as Refusal)
    }
}

/// What a request holds until it is answered: its head, and the body that it announces.
fn cost(request: &Request<Incoming>, bounds: &Bounds) -> usize {
    let headers = request.headers();
    let bytes: usize = headers.values().map(HeaderValue::len).sum();
    let head = request.uri().path().len() + bytes + headers.len() * FIELD_BYTES / 2;
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let body = match announced {
        _ if request.body().is_end_stream() => 0,
        // It is refused unread.
        Some(length) if length > bounds.body_bytes => 0,
        Some(length) => length,
        None => bounds.body_bytes,
    };
    head + body
}

/// The body of a request. One that is given up before its end makes h2 remember its stream for a second.
pub(super) struct Arriving {
    body: Incoming,
    meter: Arc<Meter>,
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        if !self.body.is_end_stream() {
            self.meter.give_up();
        }
    }
}

/// The body of an answer, which keeps the request's place until it was sent.
pub(super) struct Answer {
    body: AnswerBody,
    place: Option<Place>,
}

impl Answer {
    fn new(body: impl Into<AnswerBody>, place: Option<Place>) -> Self {
        Self {
            body: body.into(),
            place,
        }
    }
}

/// A piece of an answer; the last one takes the place with it, through all buffers, until it was sent.
pub(super) struct Piece {
    bytes: Bytes,
    _place: Option<Place>,
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
    }
}

impl Body for Answer {
    type Data = Piece;
    type Error = <AnswerBody as Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let place = if self.body.is_end_stream() {
            self.place.take()
        } else {
            None
        };
        let piece = |bytes| Piece {
            bytes,
            _place: place,
        };
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
