//! One connection from its first byte to its end: handshake, protocol, requests, and a watch that ends it
//! (STANDARDS B-H04, B-H05).

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::bounds::Bounds;
use super::door::Door;
use super::frames::Frames;
use super::framing::Scanner;
use super::meter::Meter;
use super::protocol::{self, Protocol};
use super::refused_handshakes;
use super::room::Room;
use super::tls::Tls;
use super::traffic::Traffic;
use super::wire::{Follower, Wire};
use crate::clock::Clock;
use crate::http::connection::Connection;
use crate::http::routes::Routes;
use crate::telemetry::seldom::Seldom;

/// How long a stalled connection may take to say goodbye.
const GOODBYE_TIME: Duration = Duration::from_secs(2);
/// How long a connection that has sent nothing yet is waited for when the server stops: its request may
/// be on its way.
const LATE_TIME: Duration = Duration::from_millis(250);
/// How often a connection that came while the server leaves is looked at until it has had an answer.
const FIRST_ANSWER: Duration = Duration::from_millis(50);
/// HTTP/2's smallest frame size, and big enough for any request here.
const FRAME_SIZE: u32 = 16 * 1024;
/// How many times within the stall time the watch looks, at least.
const LOOKS: u32 = 4;
/// The longest time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the server is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Serving,
    /// As before, but each connection is told to go when its request was answered.
    Leaving,
    /// Requests in flight are finished, no new ones taken.
    Draining,
    /// What is left is cut.
    Closing,
}

/// What all connections of one listener share.
pub(super) struct Session {
    service: Routes,
    room: Arc<Room>,
    pub(super) traffic: Arc<Traffic>,
    tls: Option<Arc<Tls>>,
    phase: watch::Receiver<Phase>,
    refused_handshakes: Seldom,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

impl Session {
    pub(super) fn new(
        service: Routes,
        (room, traffic): (Arc<Room>, Arc<Traffic>),
        tls: Option<Arc<Tls>>,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        Self {
            service,
            tls,
            phase,
            refused_handshakes: Seldom::new(Clock::system()),
            http1: http1(&room.bounds),
            http2: http2(&room.bounds),
            room,
            traffic,
        }
    }

    /// Waits for a phase; one whose sender is gone is over.
    async fn reached(&self, phase: Phase) {
        let _ = self.phase.clone().wait_for(|now| *now >= phase).await;
    }

    /// Serves one connection to its end. Each stage is on the heap of its own, so that a connection holds no room for
    /// the stages that it is not at.
    pub(super) async fn run(&self, stream: TcpStream, peer: SocketAddr) {
        // An answer is one small write; waiting for more to send would only delay it.
        let _ = stream.set_nodelay(true);
        let ended = match &self.tls {
            None => Box::pin(self.speak(stream, Connection::new(peer))).await,
            Some(tls) => {
                let handshake = tls.accept(stream);
                match self
                    .opening(self.room.bounds.handshake_time, handshake)
                    .await
                {
                    Ok(stream) => {
                        let connection = tls.connection(peer, &stream);
                        Box::pin(self.speak(stream, connection)).await
                    }
                    Err(error) => {
                        return refused_handshakes::tell(&self.refused_handshakes, peer, &error);
                    }
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, error, "a connection ended early");
        }
    }

    /// Bounds a step before the first request, also by the end of the server.
    async fn opening<T>(
        &self,
        time: Duration,
        step: impl Future<Output = io::Result<T>>,
    ) -> io::Result<T> {
        tokio::select! {
            done = timeout(time, step) => done?,
            () = async { self.reached(Phase::Draining).await; sleep(LATE_TIME).await; } => {
                Err(io::ErrorKind::ConnectionAborted.into())
            }
        }
    }

    async fn speak<IO>(
        &self,
        mut io: IO,
        connection: Connection,
    ) -> Result<(), Box<dyn Error + Send + Sync>>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let detected = protocol::detect(&mut io);
        let time = self.room.bounds.first_bytes_time;
        let (protocol, seen) = self.opening(time, detected).await?;
        let meter = Meter::new(Arc::clone(&self.room), Arc::clone(&self.traffic));
        let door = Door {
            service: self.service.clone(),
            meter: Arc::clone(&meter),
            connection,
        };
        let answer = service_fn(move |request: Request<Incoming>| door.answer(request));
        let follower = match protocol {
            Protocol::Http1 => Follower::Http1(Scanner::new()),
            Protocol::Http2 => Follower::Http2(Frames::new()),
        };
        let io = TokioIo::new(Wire::new(io, seen, follower, Arc::clone(&meter)));
        match protocol {
            Protocol::Http1 => {
                // Each answer says it by `Connection: close`; hyper would cut a request that is on its way.
                let goodbye = std::future::pending();
                let connection = self.http1.serve_connection(io, answer);
                Box::pin(self.watch(connection, &meter, goodbye)).await?;
            }
            Protocol::Http2 => {
                let goodbye = self.goodbye(&meter);
                let connection = self.http2.serve_connection(io, answer);
                Box::pin(self.watch(connection, &meter, goodbye)).await?;
            }
        }
        Ok(())
    }

    /// When an HTTP/2 connection gets its GOAWAY, before the server stops: once the server leaves and it has had an
    /// answer, because many clients take a GOAWAY before their first request for a fault.
    async fn goodbye(&self, meter: &Meter) {
        self.reached(Phase::Leaving).await;
        while meter.finished() == 0 {
            sleep(FIRST_ANSWER).await;
        }
    }

    /// Drives a connection until it ends, stalls, was told to go by `goodbye`, or the server stops.
    async fn watch<C: GracefulConnection>(
        &self,
        connection: C,
        meter: &Meter,
        goodbye: impl Future<Output = ()>,
    ) -> Result<(), C::Error> {
        let mut connection = pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = stalled(meter) => {
                connection.as_mut().graceful_shutdown();
                return timeout(GOODBYE_TIME, connection).await.unwrap_or(Ok(()));
            }
            () = goodbye => connection.as_mut().graceful_shutdown(),
            () = self.reached(Phase::Draining) => connection.as_mut().graceful_shutdown(),
        }
        tokio::select! {
            ended = connection => ended,
            () = self.reached(Phase::Closing) => Ok(()),
        }
    }
}

/// Ends when no request was finished for the stall time, or while nobody else can connect, for the shorter one.
/// Looking now and then costs a request one addition only.
async fn stalled(meter: &Meter) {
    let bounds = &meter.room.bounds;
    let between = (bounds.stall_time / LOOKS).min(LOOK_EVERY);
    let mut seen = meter.finished();
    let mut quiet = Duration::ZERO;
    while quiet < patience(meter) {
        sleep(between).await;
        let now = meter.finished();
        if now == seen {
            quiet += between;
        } else {
            (seen, quiet) = (now, Duration::ZERO);
        }
    }
}

/// How long a connection may finish nothing as things are.
fn patience(meter: &Meter) -> Duration {
    let bounds = &meter.room.bounds;
    if !meter.room.is_crowded() {
        return bounds.stall_time;
    }
    let factor = if meter.is_busy() { 2 } else { 1 };
    (bounds.crowded_stall_time * factor).min(bounds.stall_time)
}

fn http1(bounds: &Bounds) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_time)
        // hyper refuses less than 8 KiB here, and reads on beyond it: the second line is the bound.
        .max_buf_size(bounds.head_bytes.max(8 * 1024))
        .max_header_size(bounds.head_bytes)
        .max_headers(bounds.headers);
    builder
}

fn http2(bounds: &Bounds) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(bounds.streams)
        .max_header_list_size(u32::try_from(bounds.head_bytes).unwrap_or(u32::MAX))
        // No compression from one request to the next: see the bounds.
        .header_table_size(0)
        .initial_stream_window_size(bounds.stream_window)
        .initial_connection_window_size(bounds.connection_window)
        .max_frame_size(FRAME_SIZE)
        .max_send_buf_size(bounds.send_buffer)
        .max_pending_accept_reset_streams(bounds.pending_resets)
        .max_local_error_reset_streams(bounds.local_resets);
    builder
}
