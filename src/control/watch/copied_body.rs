//! The body of a request that is copied while an endpoint reads it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use parking_lot::Mutex;
use zeroize::Zeroizing;

/// What was read so far, up to a bound.
#[derive(Clone, Default)]
pub(super) struct Copy(Arc<Mutex<Zeroizing<Vec<u8>>>>);

/// A body, of which the first bytes are copied.
struct CopiedBody {
    body: Body,
    copy: Copy,
    most: usize,
}

impl Copy {
    /// Copies at most so many bytes of `body` as they are read.
    pub(super) fn of(body: Body, most: usize) -> (Body, Self) {
        let copy = Self::default();
        let copied = CopiedBody {
            body,
            copy: copy.clone(),
            most,
        };
        (Body::new(copied), copy)
    }

    /// What was read.
    pub(super) fn take(&self) -> Zeroizing<Vec<u8>> {
        std::mem::take(&mut *self.0.lock())
    }
}

impl HttpBody for CopiedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            let mut copy = self.copy.0.lock();
            let room = self.most.saturating_sub(copy.len());
            copy.extend_from_slice(data.get(..room.min(data.len())).unwrap_or_default());
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
