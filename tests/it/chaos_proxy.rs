//! A TCP proxy in front of Postgres that refuses, cuts and swallows at command.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// What the proxy does with connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Hands on every byte.
    Pass,
    /// Closes connections, in the middle of whatever goes on, and each new one at once.
    Cut,
    /// Swallows every byte and closes nothing. A connection that saw this never speaks again, like one whose
    /// state a firewall has lost.
    Blackhole,
}

/// The proxy; connections and port go when it is dropped.
#[derive(Debug)]
pub(crate) struct ChaosProxy {
    socket: Option<TcpSocket>,
    upstream: SocketAddr,
    pub(crate) port: u16,
    mode: watch::Sender<Mode>,
    accepting: Option<JoinHandle<()>>,
}

impl ChaosProxy {
    /// A proxy whose port is taken but refuses: nothing listens yet.
    pub(crate) fn refusing(upstream: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let port = socket.local_addr().unwrap().port();
        let mode = watch::Sender::new(Mode::Pass);
        Self {
            socket: Some(socket),
            upstream,
            port,
            mode,
            accepting: None,
        }
    }

    /// A proxy that passes everything on.
    pub(crate) fn passing(upstream: SocketAddr) -> Self {
        let mut proxy = Self::refusing(upstream);
        proxy.listen();
        proxy
    }

    /// Ends refusing.
    pub(crate) fn listen(&mut self) {
        let listener = self.socket.take().expect("it refuses").listen(64).unwrap();
        let (upstream, mode) = (self.upstream, self.mode.subscribe());
        self.accepting = Some(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                connections.spawn(relay(client, upstream, mode.clone()));
            }
        }));
    }

    /// From now on.
    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

impl Drop for ChaosProxy {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

async fn relay(mut client: TcpStream, upstream: SocketAddr, mut mode: watch::Receiver<Mode>) {
    // Who comes while nothing passes reaches nobody.
    let passes = *mode.borrow() == Mode::Pass;
    let server = passes.then(|| TcpStream::connect(upstream));
    let mut server = match server {
        Some(connecting) => connecting.await.ok(),
        None => None,
    };
    let not_pass = async { *mode.wait_for(|mode| *mode != Mode::Pass).await.unwrap() };
    let passing = async {
        if let Some(server) = &mut server {
            let _ = tokio::io::copy_bidirectional(&mut client, server).await;
        }
    };
    let ended = tokio::select! {
        biased;
        mode = not_pass => mode,
        () = passing => Mode::Cut,
    };
    if ended == Mode::Blackhole {
        std::future::pending::<()>().await;
    }
}
