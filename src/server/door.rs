//! The door: each request is judged by its head alone, before anything of it is kept and before its body is read.
//!
//! It works within the call that hyper makes for each request, not in the task that answers: otherwise thousands of
//! heads could wait for tasks that have not run yet.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Buf, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_LENGTH, HeaderValue};
use hyper::{Request, Response};
use tower::ServiceExt;

use super::bounds::{Bounds, FIELD_BYTES};
use super::meter::{Meter, Place};
use super::session::Answers;
use crate::http::answer;
use crate::http::connection::Connection;

/// The door of one connection.
pub(super) struct Door<S> {
    pub(super) service: S,
    pub(super) meter: Arc<Meter>,
    pub(super) connection: Connection,
}

impl<S> Door<S> {
    /// Lets a request in, or answers it at once.
    pub(super) fn answer<B>(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Answer<B>>, S::Error>> + Send + use<S, B>
    where
        S: Answers<B>,
        B: Body<Data = Bytes> + Send + Unpin + 'static,
    {
        let place = self.place(&request);
        let mut request = request.map(|body| Arriving {
            body,
            meter: Arc::clone(&self.meter),
        });
        let entered = match place {
            Ok(place) => {
                request.extensions_mut().insert(self.connection.clone());
                Ok((self.service.clone().oneshot(request), place))
            }
            Err(refused) => {
                drop(request);
                self.meter.pay();
                Err(refused)
            }
        };
        async move {
            let (answering, place) = match entered {
                Ok(entered) => entered,
                Err(refused) => return Ok(refused.answer().map(Answer::own)),
            };
            let answer = answering.await;
            place.meter.finish();
            answer.map(|answer| answer.map(|body| Answer::of(body, place)))
        }
    }

    fn place(&self, request: &Request<Incoming>) -> Result<Place, Refused> {
        let limits = &self.meter.room.limits;
        if request.headers().len() > limits.headers {
            return Err(Refused::TooManyHeaders);
        }
        self.meter
            .admit(cost(request, limits))
            .map_err(|_| Refused::Full)
    }
}

/// Why a request does not come in.
#[derive(Clone, Copy)]
enum Refused {
    TooManyHeaders,
    Full,
}

impl Refused {
    fn answer(self) -> Response<Bytes> {
        match self {
            Self::TooManyHeaders => answer::too_many_headers(),
            Self::Full => answer::busy(),
        }
    }
}

/// What a request holds until it is answered: its head, and the body that it announces.
fn cost<B: Body>(request: &Request<B>, limits: &Bounds) -> usize {
    let headers = request.headers();
    let bytes: usize = headers.values().map(HeaderValue::len).sum();
    let head = request.uri().path().len() + bytes + headers.len() * FIELD_BYTES / 2;
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let body = match announced {
        _ if request.body().is_end_stream() => 0,
        // It is refused unread.
        Some(length) if length > limits.body_bytes => 0,
        Some(length) => length,
        None => limits.body_bytes,
    };
    head + body
}

/// The body of a request. One that is given up before its end makes h2 remember its stream for a second.
pub struct Arriving {
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
pub(super) struct Answer<B> {
    /// The handler's; without one, `own` is all.
    body: Option<B>,
    own: Bytes,
    place: Option<Place>,
}

impl<B> Answer<B> {
    fn of(body: B, place: Place) -> Self {
        Self {
            body: Some(body),
            own: Bytes::new(),
            place: Some(place),
        }
    }

    fn own(own: Bytes) -> Self {
        Self {
            body: None,
            own,
            place: None,
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

impl<B: Body<Data = Bytes> + Unpin> Body for Answer<B> {
    type Data = Piece;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, B::Error>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else {
            let own = std::mem::take(&mut this.own);
            let piece = Piece {
                bytes: own,
                _place: None,
            };
            return Poll::Ready((piece.remaining() > 0).then(|| Ok(Frame::data(piece))));
        };
        let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
        let is_last = body.is_end_stream();
        let place = &mut this.place;
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| {
                let place = if is_last { place.take() } else { None };
                frame.map_data(|bytes| Piece {
                    bytes,
                    _place: place,
                })
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body
            .as_ref()
            .map_or(self.own.is_empty(), Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let own = || SizeHint::with_exact(u64::try_from(self.own.len()).unwrap_or(u64::MAX));
        self.body.as_ref().map_or_else(own, Body::size_hint)
    }
}
