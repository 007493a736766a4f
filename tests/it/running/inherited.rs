//! Sockets that systemd opened: real ones, which the process inherits under their names.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::process::{Server, eventually, free_port, request, token};
use crate::serve::{Platform, SECRET};

/// Sockets come by the standard streams, and the shell gives them the numbers that systemd would: 3, 4 and so on.
const SHELL: &str = r#"
case "$1" in
    1) exec 3<&0 ;;
    2) exec 3<&0 4<&1 ;;
esac
exec 0</dev/null 1>"$2" 2>&1
LISTEN_PID=$$ LISTEN_FDS=$1 LISTEN_FDNAMES=$3
export LISTEN_PID LISTEN_FDS LISTEN_FDNAMES
shift 3
exec "$@"
"#;

/// `grantd serve` with the environment of the platform, which inherits `sockets` under `names`.
fn serve(platform: &Platform, sockets: Vec<TcpListener>, names: &str, log: &Path) -> Command {
    let serve = platform.command(&["serve"]);
    let mut command = Command::new("sh");
    command.args(["-c", SHELL, "sh", &sockets.len().to_string()]);
    command.arg(log).arg(names);
    command.arg(serve.get_program()).args(serve.get_args());
    for (name, value) in serve.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut sockets = sockets.into_iter().map(OwnedFd::from);
    if let Some(first) = sockets.next() {
        command.stdin(first);
    }
    if let Some(second) = sockets.next() {
        command.stdout(second);
    }
    command.stderr(Stdio::null());
    command
}

fn listening(on: &str) -> (TcpListener, SocketAddr) {
    let socket = TcpListener::bind(on).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

#[tokio::test]
async fn sockets_are_taken_by_name_and_listen_is_ignored() {
    let platform = Platform::new().await;
    platform.done(&["migrate"]);
    platform.apply();
    let (public, public_at) = listening("127.0.0.1:0");
    let (operations, operations_at) = listening("127.0.0.1:0");
    let unused = [free_port(), free_port()];
    let log = platform.path("a.log");
    let mut command = serve(
        &platform,
        vec![operations, public],
        "operations:public",
        &log,
    );
    command
        .env("GRANTD_PUBLIC__LISTEN", format!("127.0.0.1:{}", unused[0]))
        .env(
            "GRANTD_OPERATIONS__LISTEN",
            format!("127.0.0.1:{}", unused[1]),
        );
    // Who connects before the process starts, or while it loads, waits for it.
    let early = std::thread::spawn(move || token(public_at, "reader", SECRET));
    let mut server = Server::spawn(&mut command, &log);
    assert_eq!(early.join().unwrap().unwrap().0, 200);
    eventually("the replica is ready", || {
        request(operations_at, "GET /readyz", "").is_some_and(|(status, _)| status == 200)
    });
    assert_eq!(token(public_at, "reader", SECRET).unwrap().0, 200);
    for port in unused {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        assert_eq!(request(address, "GET /readyz", ""), None);
    }
    assert!(
        server.log().contains(&public_at.to_string()),
        "the log tells where it serves"
    );
    server.signal("TERM");
    assert!(server.wait().success());
}

/// What is not passed on is bound as the settings say.
#[tokio::test]
async fn a_listener_without_a_socket_is_bound_by_the_settings() {
    let platform = Platform::new().await;
    platform.done(&["migrate"]);
    platform.apply();
    let (public, public_at) = listening("[::1]:0");
    let operations = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let log = platform.path("a.log");
    let mut command = serve(&platform, vec![public], "public", &log);
    command
        .env("GRANTD_PUBLIC__LISTEN", "127.0.0.1:1")
        .env("GRANTD_OPERATIONS__LISTEN", operations.to_string());
    let _server = Server::spawn(&mut command, &log);
    eventually("the replica is ready", || {
        request(operations, "GET /readyz", "").is_some_and(|(status, _)| status == 200)
    });
    assert_eq!(token(public_at, "reader", SECRET).unwrap().0, 200);
}

#[tokio::test]
async fn sockets_that_make_no_sense_are_refused_with_what_to_do() {
    let platform = Platform::new().await;
    let plain = "refusing plain HTTP on 0.0.0.0:";
    for (names, on, text) in [
        (
            "grantd.socket",
            "127.0.0.1:0",
            "set FileDescriptorName= to public, mtls or operations",
        ),
        ("public:operations", "127.0.0.1:0", "1 sockets and 2 names"),
        ("mtls", "127.0.0.1:0", "the settings have no table [mtls]"),
        ("public", "0.0.0.0:0", plain),
    ] {
        let log = platform.path("refused.log");
        let mut command = serve(&platform, vec![listening(on).0], names, &log);
        let status = command
            .env("GRANTD_PUBLIC__LISTEN", "127.0.0.1:1")
            .status()
            .unwrap();
        let told = std::fs::read_to_string(&log).unwrap();
        assert_eq!(status.code(), Some(1), "{told}");
        assert!(told.contains(text), "{names}: {told}");
    }
}
