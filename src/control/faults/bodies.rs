//! Bodies of answers that come slowly, break off, or do not come at all.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream;

use crate::control::waiting::Waiting;

/// So much is sent at once, at most so often.
const TICK: Duration = Duration::from_millis(100);
/// What was sent before the connection ends has so long to leave this process.
const LINGER: Duration = Duration::from_millis(50);

/// A body, as it is sent.
struct Sending {
    left: Bytes,
    /// Whether the connection ends after it.
    breaks_off: bool,
    bytes_per_second: Option<u32>,
    waiting: Arc<Waiting>,
}

/// None at all: the connection (over HTTP/2 the stream) ends before the head of the answer has left.
pub(super) fn cut_at_once() -> Body {
    Body::from_stream(stream::once(async { Err::<Bytes, _>(broken_off()) }))
}

/// `body`, of which so many bytes are sent before the connection ends, or all; so many a second, or at once.
pub(super) fn sent(
    body: &Bytes,
    (cut_after, bytes_per_second): (Option<usize>, Option<u32>),
    waiting: Arc<Waiting>,
) -> Body {
    let end = cut_after.map_or(body.len(), |it| it.min(body.len()));
    let sending = Sending {
        left: body.slice(..end),
        breaks_off: cut_after.is_some(),
        bytes_per_second,
        waiting,
    };
    Body::from_stream(stream::unfold(sending, next))
}

/// The next piece.
async fn next(mut sending: Sending) -> Option<(io::Result<Bytes>, Sending)> {
    if sending.left.is_empty() {
        if !std::mem::take(&mut sending.breaks_off) {
            return None;
        }
        tokio::time::sleep(LINGER).await;
        return Some((Err(broken_off()), sending));
    }
    let size = match sending.bytes_per_second {
        None => sending.left.len(),
        Some(rate) => {
            let (size, pause) = paced(rate);
            // The first piece waits, too: so many bytes a second from the first one on.
            if sending.waiting.wait(pause).await {
                size.min(sending.left.len())
            } else {
                sending.left.len()
            }
        }
    };
    let piece = sending.left.split_to(size);
    Some((Ok(piece), sending))
}

/// How many bytes are sent after which pause.
fn paced(rate: u32) -> (usize, Duration) {
    let ticks = 10;
    match rate / ticks {
        0 => (1, Duration::from_secs(1) / rate.max(1)),
        some => (usize::try_from(some).unwrap_or(usize::MAX), TICK),
    }
}

fn broken_off() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionAborted,
        "a fault that a test asked for",
    )
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;
    use crate::clock::Clock;
    use crate::server::shutdown::Shutdown;

    async fn read(mut body: Body) -> (Vec<u8>, bool) {
        let mut read = Vec::new();
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => read.extend(frame.into_data().unwrap()),
                Err(_) => return (read, false),
            }
        }
        (read, true)
    }

    #[tokio::test]
    async fn a_body_comes_slowly_and_breaks_off_where_it_should() {
        let (_trigger, shutdown) = Shutdown::manual();
        let waiting = Arc::new(Waiting::new(shutdown));
        let body = || Bytes::from_static(b"0123456789");
        let sent = |cut_after, rate| sent(&body(), (cut_after, rate), Arc::clone(&waiting));
        assert_eq!(read(cut_at_once()).await, (vec![], false));
        assert_eq!(read(sent(Some(4), None)).await, (b"0123".to_vec(), false));
        assert_eq!(read(sent(Some(0), None)).await, (vec![], false));
        assert_eq!(read(sent(Some(99), None)).await, (body().to_vec(), false));
        let clock = Clock::system();
        for (rate, milliseconds) in [(9, 1100), (50, 200), (u32::MAX, 100)] {
            let begin = clock.monotonic();
            assert_eq!(read(sent(None, Some(rate))).await, (body().to_vec(), true));
            let took = clock.monotonic().saturating_sub(begin);
            assert!(
                took >= Duration::from_millis(milliseconds),
                "{took:?} at {rate} bytes a second"
            );
        }
        // At this rate it would take ten seconds.
        let (begin, crawling) = (clock.monotonic(), tokio::spawn(read(sent(None, Some(1)))));
        tokio::time::sleep(Duration::from_millis(20)).await;
        waiting.release();
        assert_eq!(crawling.await.unwrap(), (body().to_vec(), true));
        assert!(clock.monotonic().saturating_sub(begin) < Duration::from_secs(5));
    }
}
