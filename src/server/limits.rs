//! What one listener and one connection may cost (STANDARDS B-H02 to B-H05).

use std::time::Duration;

/// Limits of one listener. Every wait ends within 30 seconds, whatever the other side does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most connections at once; further ones wait in the kernel's backlog, unread.
    pub connections: usize,
    /// The longest TLS handshake.
    pub handshake_time: Duration,
    /// The longest wait for the bytes that tell HTTP/1.1 from HTTP/2, from when the connection stands.
    pub first_bytes_time: Duration,
    /// HTTP/1.1: the longest wait for a whole head, from the end of the answer before it; so also the longest idle
    /// time between two requests.
    pub head_time: Duration,
    /// A connection on which no request was finished for this long is closed, whatever it does meanwhile: it
    /// ends idle ones, those that read their answers too slowly, and floods of frames. A quarter of it may come
    /// on top.
    pub stall_time: Duration,
    /// How long requests in flight may take to finish when the server stops.
    pub drain_time: Duration,
    /// HTTP/1.1: the most bytes of a head. A little over 64 KiB, so that a URI of that length is told from
    /// large headers (414 and 431). At most twice as many are held while it is read.
    pub head_bytes: usize,
    /// HTTP/1.1: the most header lines.
    pub headers: usize,
    /// HTTP/2: the most requests at once on one connection.
    pub streams: u32,
    /// HTTP/2: the most bytes of one request's headers, unpacked.
    pub header_list_bytes: u32,
    /// HTTP/2: the most bytes of one body in flight, unread by us.
    pub stream_window: u32,
    /// HTTP/2: the most bytes of all bodies of one connection in flight, unread by us.
    pub connection_window: u32,
    /// HTTP/2: the most bytes of one answer that wait for the other side to read.
    pub send_buffer: usize,
    /// HTTP/2: the most streams that the other side reset before we looked at them (CVE-2023-44487).
    pub pending_resets: usize,
    /// HTTP/2: the most streams that the other side made us reset (CVE-2025-8671).
    pub local_resets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            handshake_time: Duration::from_secs(10),
            first_bytes_time: Duration::from_secs(10),
            head_time: Duration::from_secs(20),
            stall_time: Duration::from_secs(22),
            drain_time: Duration::from_secs(10),
            head_bytes: 72 * 1024,
            headers: 64,
            streams: 100,
            header_list_bytes: 16 * 1024,
            stream_window: 32 * 1024,
            connection_window: 128 * 1024,
            send_buffer: 32 * 1024,
            pending_resets: 20,
            local_resets: 64,
        }
    }
}
