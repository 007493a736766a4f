//! What one listener, one connection and one request may cost (STANDARDS B-H02 to B-H05).
//!
//! With the defaults, whatever 4,096 connections over plain HTTP do, the process stays below 256 MiB. The arithmetic,
//! with what a release build was measured to hold:
//!
//! | what | each | all |
//! |---|---|---|
//! | the process itself: caches, threads, an empty database | | 20 MiB |
//! | 4,096 connections: task, hyper or h2, their read and write buffers | 27 KiB | 108 MiB |
//! | what has begun to arrive, free of charge (`UNFINISHED_FREE`): read buffers hold most of it already | 4 KiB | 16 MiB |
//! | 5,120 requests past the door: task, stream, answer | 8 KiB | 40 MiB |
//! | their heads and bodies, free of charge (`REQUEST_FREE`) | 4 KiB | 20 MiB |
//! | all that is larger shares one purse (`shared_bytes`) | | 16 MiB |
//! | refused streams, which h2 remembers for a second | 6 KiB | 24 MiB |
//!
//! That makes 244 MiB; no attack has more than one of the last five lines in full, and the worst that was found takes
//! 213 MiB (four requests with 60 fields and unfinished bodies on each connection). What keeps each line true:
//! - A request that arrives is charged by `Wire`, before hyper or h2 see its bytes: for what
//!   they keep of it (bytes of an unfinished head or frame, and `FIELD_BYTES` for each field of an unfinished HTTP/2
//!   header block). A connection that needs more than the purse has left is closed.
//! - A request that has arrived is charged at the `Door` for its head and the body that it
//!   announces, before anything waits. It keeps its place until its answer was handed to the kernel, so answers
//!   that nobody reads count, too. What finds no place is answered by 503.
//! - HTTP/2 headers are not remembered from one request to the next (`SETTINGS_HEADER_TABLE_SIZE` 0): each entry
//!   of h2's table would keep the whole read buffer that it came in.
//! - A request that is given up before its body ended is charged to its connection as work: h2 remembers up to fifty
//!   such streams, a connection is closed after eight.
//! - A body that no handler reads is dropped with its request; one that is read is bounded by `body_bytes`, and h2
//!   gives a stream no larger window before it is read.
//!
//! TLS adds what rustls holds of records: docs/production.md has the figure.

use std::time::Duration;

use crate::config::settings::Limits;

/// What a request that arrives may hold without a charge; a whole healthy request is smaller.
pub(super) const UNFINISHED_FREE: usize = 8 * 1024;
/// What a request past the door may hold without a charge.
pub(super) const REQUEST_FREE: usize = 4 * 1024;
/// What one field costs in a `HeaderMap`, beside its bytes: a bucket of 104 bytes and its index, in a table that may
/// just have doubled.
pub(super) const FIELD_BYTES: usize = 256;

/// The bounds of one listener or of several that share them. With the defaults every wait ends within 30 seconds,
/// whatever the other side does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The most connections at once; further ones wait in the kernel's backlog, unread.
    pub connections: usize,
    /// The most requests at once, until their answers were handed to the kernel. A fifth of them is for the second
    /// and further ones of a connection, so that with `connections` at four fifths each connection always has one.
    pub requests: usize,
    /// What heads and bodies beyond the free allowances may hold together.
    pub shared_bytes: usize,
    /// The longest TLS handshake.
    pub handshake_time: Duration,
    /// The longest wait for the bytes that tell HTTP/1.1 from HTTP/2, from when the connection stands.
    pub first_bytes_time: Duration,
    /// HTTP/1.1: the longest wait for a whole head, from the end of the answer before it; so also the longest idle
    /// time between two requests.
    pub head_time: Duration,
    /// A connection on which no request was finished for this long is closed, whatever it does meanwhile: it
    /// ends idle ones, and those that read their answers too slowly. A quarter of it may come on top.
    pub stall_time: Duration,
    /// The same while there is no room for another connection: a connection that finishes nothing makes room. Requests in
    /// flight get twice as long.
    pub crowded_stall_time: Duration,
    /// How long requests in flight may take to finish when the server stops.
    pub drain_time: Duration,
    /// The most bytes of a head, over HTTP/2 with 32 for each field (RFC 9113 section 6.5.2). A little over 64 KiB,
    /// so that a URI of that length is told from large headers (414 and 431).
    pub head_bytes: usize,
    /// The most header fields.
    pub headers: usize,
    /// The most bytes of a body.
    pub body_bytes: usize,
    /// HTTP/2: the most requests at once on one connection.
    pub streams: u32,
    /// HTTP/2: the most bytes of one body in flight, unread by us.
    pub stream_window: u32,
    /// HTTP/2: the most bytes of all bodies of one connection in flight, unread by us; the protocol has no less.
    pub connection_window: u32,
    /// HTTP/2: the most bytes of one answer that wait for the other side to read.
    pub send_buffer: usize,
    /// HTTP/2: the most streams that the other side reset before we looked at them (CVE-2023-44487).
    pub pending_resets: usize,
    /// HTTP/2: the most streams that the other side made us reset (CVE-2025-8671).
    pub local_resets: usize,
}

impl Bounds {
    /// Those of the settings, and those that nobody sets.
    #[must_use]
    pub fn of(limits: &Limits) -> Self {
        Self {
            connections: limits.connections,
            requests: limits.requests,
            shared_bytes: 16 * 1024 * 1024,
            handshake_time: limits.tls_handshake_timeout.duration(),
            first_bytes_time: limits.first_byte_timeout.duration(),
            head_time: limits.header_timeout.duration(),
            stall_time: limits.idle_timeout.duration(),
            crowded_stall_time: Duration::from_secs(2),
            drain_time: limits.drain_timeout.duration(),
            head_bytes: limits.header_bytes,
            headers: limits.header_count,
            body_bytes: limits.body_bytes,
            streams: 4,
            stream_window: 16 * 1024,
            connection_window: 64 * 1024,
            send_buffer: 16 * 1024,
            pending_resets: 20,
            local_resets: 64,
        }
    }

    /// The limits of the operations listener, apart from those of strangers: it answers when nothing else does.
    #[must_use]
    pub fn of_operations(self) -> Self {
        let connections = OPERATIONS_CONNECTIONS;
        let requests = connections.saturating_add(connections / 4);
        Self {
            connections,
            requests,
            shared_bytes: 1024 * 1024,
            ..self
        }
    }

    /// The most work that a connection may ask for beyond what its finished requests have paid, in bytes: four of the
    /// largest requests at once. A flood of small frames reaches it in less than a second.
    pub(super) const fn unpaid(&self) -> usize {
        self.largest_request().saturating_mul(4)
    }

    /// The bytes of the largest request.
    pub(super) const fn largest_request(&self) -> usize {
        self.head_bytes.saturating_add(self.body_bytes)
    }
}

/// The connections of the operations listener.
pub(super) const OPERATIONS_CONNECTIONS: usize = 32;

#[cfg(test)]
impl Default for Bounds {
    fn default() -> Self {
        Self::of(&Limits::default())
    }
}
