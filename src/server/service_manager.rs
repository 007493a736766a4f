//! What systemd is told: ready, reloading, stopping, alive (`sd_notify(3)`; OPERATING section 9).
//!
//! By hand, because the protocol is one datagram of `NAME=VALUE` lines.

use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use crate::clock::since_boot;
use crate::operations::Grantd;

/// How long systemd is asked to wait for the start, each time.
const EXTENSION: Duration = Duration::from_secs(30);
/// How often it is asked.
const EXTEND_EVERY: Duration = Duration::from_secs(5);
/// How often a replica that starts is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How often the status of one that runs is looked at.
const STATUS_EVERY: Duration = Duration::from_secs(1);
/// What the last writes may take beside the drain, with a margin.
const LAST_WRITES: Duration = Duration::from_secs(10);

/// The service manager that started us, where one did that wants to be told.
#[derive(Debug, Default)]
pub struct ServiceManager {
    socket: Option<(UnixDatagram, SocketAddr)>,
    /// A sign of life is due within this.
    watchdog: Option<Duration>,
    told_ready: AtomicBool,
    is_stopping: AtomicBool,
}

/// Why it cannot be told.
#[derive(Debug, thiserror::Error)]
#[error("NOTIFY_SOCKET={path} cannot be used: {source}")]
pub struct NotifySocketError {
    path: String,
    #[source]
    source: io::Error,
}

impl ServiceManager {
    /// The one that `variable` names: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`.
    ///
    /// # Errors
    /// `NOTIFY_SOCKET` is no path of a socket, or an abstract one where there are none.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self, NotifySocketError> {
        let Some(path) = variable("NOTIFY_SOCKET").filter(|it| !it.is_empty()) else {
            return Ok(Self::default());
        };
        let opened = address(&path).and_then(|address| {
            let socket = UnixDatagram::unbound()?;
            socket.set_nonblocking(true)?;
            Ok((socket, address))
        });
        match opened {
            Ok(socket) => Ok(Self {
                socket: Some(socket),
                watchdog: watchdog(variable),
                ..Self::default()
            }),
            Err(source) => Err(NotifySocketError { path, source }),
        }
    }

    /// Tells that the start takes longer, and why, until `work` is done.
    pub async fn waits_for<T>(&self, why: &str, work: impl Future<Output = T>) -> T {
        let asking = async {
            loop {
                self.starting(why);
                sleep(EXTEND_EVERY).await;
            }
        };
        tokio::select! {
            done = work => done,
            () = asking => std::future::pending().await,
        }
    }

    /// Tells when the replica can issue, and from then on what its status is, for ever.
    pub(super) async fn keep_telling(self: Arc<Self>, grantd: Arc<Grantd>) {
        if self.socket.is_none() {
            return std::future::pending().await;
        }
        let ready = async {
            while !grantd.is_ready() {
                sleep(LOOK_EVERY).await;
            }
        };
        let asking = async {
            loop {
                self.starting(&status(&grantd));
                sleep(EXTEND_EVERY).await;
            }
        };
        tokio::select! {
            biased;
            () = ready => {}
            () = asking => {}
        }
        self.told_ready.store(true, Ordering::Relaxed);
        self.reloaded();
        let mut told = status(&grantd);
        self.tell(&format!("STATUS={told}"));
        loop {
            sleep(STATUS_EVERY).await;
            let now = status(&grantd);
            if now != told && !self.is_stopping.load(Ordering::Relaxed) {
                self.tell(&format!("STATUS={now}"));
                told = now;
            }
        }
    }

    /// Gives signs of life, for ever: from a task that the runtime has to run, and that waits for another one each time.
    pub(super) async fn keep_alive(self: Arc<Self>) {
        let Some(watchdog) = self.watchdog else {
            return std::future::pending().await;
        };
        loop {
            // Where it panicked or was cancelled, something is wrong with the runtime, too.
            if tokio::spawn(tokio::task::yield_now()).await.is_ok() {
                self.tell("WATCHDOG=1");
            }
            sleep(watchdog / 2).await;
        }
    }

    /// Everything is read again. Nothing is said before the replica was ready: systemd waits for that anyhow.
    pub(super) fn reloading(&self) {
        if self.told_ready.load(Ordering::Relaxed) {
            let now = since_boot().as_micros();
            self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={now}"));
        }
    }

    /// Everything was read again.
    pub(super) fn reloaded(&self) {
        if self.told_ready.load(Ordering::Relaxed) {
            self.tell("READY=1");
        }
    }

    /// The replica stops, within `limit` and the time for its last writes.
    pub(super) fn stopping(&self, limit: Duration) {
        self.is_stopping.store(true, Ordering::Relaxed);
        let limit = (limit + LAST_WRITES).as_micros();
        self.tell(&format!(
            "STOPPING=1\nEXTEND_TIMEOUT_USEC={limit}\nSTATUS=stopping: finishing requests in flight"
        ));
    }

    fn starting(&self, why: &str) {
        let extension = EXTENSION.as_micros();
        self.tell(&format!(
            "EXTEND_TIMEOUT_USEC={extension}\nSTATUS=starting: {}",
            one_line(why)
        ));
    }

    /// A manager that cannot be told is no reason to stop: it decides itself what it does then.
    fn tell(&self, state: &str) {
        let Some((socket, address)) = &self.socket else {
            return;
        };
        if let Err(error) = socket.send_to_addr(state.as_bytes(), address) {
            tracing::warn!(state, %error, "cannot tell the service manager");
        }
    }
}

/// A path, or with `@` before it a name in Linux' abstract namespace.
fn address(path: &str) -> io::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let Some(name) = path.strip_prefix('@') {
        use std::os::linux::net::SocketAddrExt as _;
        return SocketAddr::from_abstract_name(name);
    }
    if path.starts_with('/') {
        SocketAddr::from_pathname(path)
    } else {
        let expected = "expected a path that begins with /, or on Linux @ and a name";
        Err(io::Error::new(io::ErrorKind::InvalidInput, expected))
    }
}

/// Half of it is how often a sign of life is given; none where it is meant for another process.
fn watchdog(variable: impl Fn(&str) -> Option<String>) -> Option<Duration> {
    let is_ours =
        variable("WATCHDOG_PID").is_none_or(|pid| pid.parse::<u32>() == Ok(std::process::id()));
    let microseconds = variable("WATCHDOG_USEC")?.parse().ok()?;
    (is_ours && microseconds > 0).then(|| Duration::from_micros(microseconds))
}

/// What is wrong, or that nothing is.
fn status(grantd: &Grantd) -> String {
    let degraded = grantd.degraded();
    let state = if degraded.iter().any(|it| it.blocks) {
        "not ready"
    } else {
        "ready"
    };
    let messages: Vec<String> = degraded.iter().map(|it| one_line(&it.message)).collect();
    if messages.is_empty() {
        state.to_owned()
    } else {
        format!("{state}: {}", messages.join("; "))
    }
}

/// A line break would begin another variable.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<ServiceManager, NotifySocketError> {
        ServiceManager::of(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_a_socket_nobody_is_told() {
        let manager = of(&[("WATCHDOG_USEC", "1000")]).unwrap();
        assert!(manager.socket.is_none() && manager.watchdog.is_none());
        manager.tell("READY=1");
    }

    #[test]
    fn a_socket_that_is_no_path_is_an_error_that_names_it() {
        let error = of(&[("NOTIFY_SOCKET", "run/notify")]).unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("NOTIFY_SOCKET=run/notify cannot be used: "),
            "{text}"
        );
    }

    #[test]
    fn a_watchdog_of_another_process_is_not_ours() {
        let own = std::process::id().to_string();
        for (pid, expected) in [
            (None, Some(Duration::from_millis(3))),
            (Some(own.as_str()), Some(Duration::from_millis(3))),
            (Some("1"), None),
        ] {
            let mut variables = vec![("NOTIFY_SOCKET", "/run/notify"), ("WATCHDOG_USEC", "3000")];
            variables.extend(pid.map(|pid| ("WATCHDOG_PID", pid)));
            assert_eq!(of(&variables).unwrap().watchdog, expected, "{pid:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_socket_without_a_file_is_told() {
        use std::os::linux::net::SocketAddrExt as _;
        let name = format!("grantd-test-{}", std::process::id());
        let ours =
            UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let path = format!("@{name}");
        of(&[("NOTIFY_SOCKET", &path)])
            .unwrap()
            .starting("two\nlines");
        let mut told = [0; 100];
        let length = ours.recv(&mut told).unwrap();
        let expected: &[u8] = b"EXTEND_TIMEOUT_USEC=30000000\nSTATUS=starting: two lines";
        assert_eq!(&told[..length], expected);
    }
}
