//! The bytes of one connection: what was read before it, the watch over its framing, and a close that lets the
//! last answer arrive.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::bounds::UNFINISHED_FREE;
use super::frames::Frames;
use super::framing::Scanner;
use super::meter::Meter;

/// Takes the place of an ambiguous byte and of all that follows: no head and no chunk may hold a NUL, and with
/// the empty line hyper sees the end of a head at once. It answers 400 and closes.
const POISON: &[u8] = b"\0\r\n\r\n";
/// How long and how much is still read after our last answer. Closing with unread bytes would reset the
/// connection, and the answer (a 413, say) would be lost on its way.
const LINGER_TIME: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 256 * 1024;

/// HTTP/2: so much is read before hyper may look at the requests that came, and other connections have their turn:
/// h2 would first make heads of all that is there.
const AT_ONCE: usize = 2 * 1024;
/// What is leased for an unfinished request comes in pieces of this size.
const LEASE: usize = 4 * 1024;

/// Follows what the bytes mean.
pub(super) enum Follower {
    /// Its framing can be ambiguous.
    Http1(Scanner),
    /// Its frames need belong to no request.
    Http2(Frames),
}

pub(super) struct Wire<IO> {
    io: IO,
    /// Read before; comes first.
    prefix: Vec<u8>,
    follower: Follower,
    meter: Arc<Meter>,
    /// Taken from the shared purse for what has not come whole.
    leased: usize,
    /// Whether more may be there than was read at once.
    yields: bool,
    /// What is left of the poison, once the framing was ambiguous.
    poison: Option<&'static [u8]>,
    is_shut: bool,
    lingering: Option<Pin<Box<Sleep>>>,
    lingered: usize,
}

impl<IO> Wire<IO> {
    pub(super) fn new(io: IO, prefix: Vec<u8>, follower: Follower, meter: Arc<Meter>) -> Self {
        Self {
            io,
            prefix,
            follower,
            meter,
            leased: 0,
            yields: false,
            poison: None,
            is_shut: false,
            lingering: None,
            lingered: 0,
        }
    }

    fn take_poison(&mut self, buf: &mut ReadBuf<'_>) {
        if let Some(poison) = self.poison {
            let (now, later) = poison
                .split_at_checked(buf.remaining())
                .unwrap_or((poison, b"".as_slice()));
            buf.put_slice(now);
            self.poison = Some(later);
        }
    }

    /// Follows what was read, and charges it.
    fn watch(&mut self, buf: &mut ReadBuf<'_>, before: usize) -> io::Result<()> {
        let fresh = buf.filled().get(before..).unwrap_or_default();
        let (work, held) = match &mut self.follower {
            Follower::Http1(scanner) => {
                let work = fresh.len();
                if let Err(at) = scanner.scan(fresh) {
                    buf.set_filled(before + at);
                    self.poison = Some(POISON);
                    self.take_poison(buf);
                    return Ok(());
                }
                (work, scanner.held())
            }
            Follower::Http2(frames) => {
                let malformed = |_| io::Error::other("it added to a header table of size 0");
                let work = frames.scan(fresh).map_err(malformed)?;
                // A little too many are answered by 431; this is an attack, and not even decoded.
                if frames.fields() > self.meter.room.bounds.headers.saturating_mul(4) {
                    return Err(io::Error::other(
                        "it sent a request with far too many header fields",
                    ));
                }
                (work, frames.held())
            }
        };
        self.meter.charge(work).map_err(io::Error::other)?;
        self.hold(held)
    }

    /// Leases what an unfinished request holds beyond what is free, or gives it back.
    fn hold(&mut self, held: usize) -> io::Result<()> {
        let needed = held.saturating_sub(UNFINISHED_FREE).next_multiple_of(LEASE);
        if needed > self.leased {
            let more = needed - self.leased;
            let full = |_| io::Error::other("no memory is left for a request of this size");
            self.meter.room.lease(more).map_err(full)?;
        } else {
            self.meter.room.give_back(self.leased - needed);
        }
        self.leased = needed;
        Ok(())
    }

    fn has_unread_request(&self) -> bool {
        self.poison.is_some()
            || matches!(&self.follower, Follower::Http1(scanner) if !scanner.is_between_requests())
    }
}

impl<IO> Drop for Wire<IO> {
    fn drop(&mut self) {
        self.meter.room.give_back(self.leased);
    }
}

impl<IO: AsyncRead + Unpin> Wire<IO> {
    fn poll_read_some(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.yields) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let most = buf.remaining().min(AT_ONCE);
        let mut some = ReadBuf::new(buf.initialize_unfilled_to(most));
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut some))?;
        let read = some.filled().len();
        self.yields = read == AT_ONCE;
        buf.advance(read);
        Poll::Ready(Ok(()))
    }

    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let timer = self
            .lingering
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER_TIME)));
        if timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let mut space = [0; 4096];
        while self.lingered < LINGER_BYTES {
            let mut buf = ReadBuf::new(&mut space);
            let read = ready!(Pin::new(&mut self.io).poll_read(cx, &mut buf));
            if read.is_err() || buf.filled().is_empty() {
                break;
            }
            self.lingered += buf.filled().len();
        }
        Poll::Ready(())
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Wire<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.poison.is_some() {
            self.take_poison(buf);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        if self.prefix.is_empty() && matches!(self.follower, Follower::Http2(_)) {
            ready!(self.poll_read_some(cx, buf))?;
        } else if self.prefix.is_empty() {
            ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        } else {
            let now = self.prefix.len().min(buf.remaining());
            let rest = self.prefix.split_off(now);
            buf.put_slice(&std::mem::replace(&mut self.prefix, rest));
            // Over HTTP/2 it is the preface, and no frame.
            if matches!(self.follower, Follower::Http2(_)) {
                return Poll::Ready(Ok(()));
            }
        }
        Poll::Ready(self.watch(buf, before))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_shut {
            ready!(Pin::new(&mut self.io).poll_shutdown(cx))?;
            self.is_shut = true;
        }
        if self.has_unread_request() {
            ready!(self.poll_linger(cx));
        }
        Poll::Ready(Ok(()))
    }
}
