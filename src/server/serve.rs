//! Accepts connections within bounds, and drains them when the server stops.

use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use super::room::Room;
use super::session::{Phase, Session};
use super::shutdown::Shutdown;
use super::tls::Tls;
use super::traffic::Traffic;
use crate::http::routes::Routes;

/// The wait after a failed accept: without it, a process out of file descriptors would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What accepts connections: its sockets, what answers on them, and how it ends.
pub struct Listener {
    /// `public`, `mtls`, `operations`.
    pub name: &'static str,
    /// Bound, and all within one count of connections.
    pub sockets: Vec<TcpListener>,
    /// Answers each request, which carries its [`Connection`](crate::http::connection::Connection) in its extensions.
    pub service: Routes,
    /// TLS on all sockets; plain HTTP without.
    pub tls: Option<Arc<Tls>>,
    /// Its bounds, which listeners share that share a room.
    pub room: Arc<Room>,
    /// What is counted at it.
    pub traffic: Arc<Traffic>,
    /// When it stops.
    pub stops: Stops,
}

/// When a listener stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stops {
    /// At once, with time for the requests in flight.
    First,
    /// When all others are done: it tells how the replica is until then.
    Last,
}

/// Serves until the stop is asked for, then finishes requests in flight for at most `drain_time`. Once the stop is
/// announced each connection is told to go, and new ones are served all the same.
///
/// Connections over the limit wait in the kernel's backlog, and idle ones
/// make room for them.
pub async fn serve(listener: Listener, shutdown: Shutdown) {
    let (phase, watching) = watch::channel(Phase::Serving);
    let room = listener.room;
    let session = Arc::new(Session::new(
        listener.service,
        (Arc::clone(&room), listener.traffic),
        listener.tls,
        watching,
    ));
    let mut tasks = JoinSet::new();
    for socket in listener.sockets {
        tasks.spawn(accept_all(socket, Arc::clone(&session), Arc::clone(&room)));
    }
    let stopping = async {
        shutdown.announced().await;
        room.tell_to_go();
        phase.send_replace(Phase::Leaving);
        shutdown.requested().await;
    };
    tokio::select! {
        () = stopping => {}
        Some(ended) = tasks.join_next() => go_down_with(ended),
    }
    tasks.shutdown().await;

    phase.send_replace(Phase::Draining);
    let all = u32::try_from(room.bounds.connections).unwrap_or(u32::MAX);
    if timeout(room.bounds.drain_time, room.connections.acquire_many(all))
        .await
        .is_err()
    {
        tracing::warn!(
            listener = listener.name,
            "closed the connections whose requests were still in flight after drain_timeout"
        );
    }
    phase.send_replace(Phase::Closing);
}

/// A listener needs all its tasks: if one panicked, it panics, too.
fn go_down_with(ended: Result<(), JoinError>) {
    if let Err(Ok(panic)) = ended.map_err(JoinError::try_into_panic) {
        resume_unwind(panic);
    }
}

async fn accept_all(listener: TcpListener, session: Arc<Session>, room: Arc<Room>) {
    // The semaphore is never closed.
    while let Ok(permit) = Arc::clone(&room.connections).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let session = Arc::clone(&session);
                let connection = session.traffic.connection();
                tokio::spawn(async move {
                    session.run(stream, peer).await;
                    drop((permit, connection));
                });
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections; trying again");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The other side gave up before we took it.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}
