//! The real binary as a child process, and a plain HTTP/1.1 client to talk to it.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use crate::redaction;

/// How often a condition is looked at before a test gives up: 10 seconds in steps of 10 ms.
const LOOKS: usize = 1000;

/// `grantd` with nothing of our own environment that could change what it does.
pub(crate) fn grantd() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grantd"));
    for (name, _) in std::env::vars() {
        if name.starts_with("GRANTD_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command to its end.
pub(crate) fn finished(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap();
    redaction::keep_output(command, &output);
    output
}

/// What a finished command printed, standard output and error together.
pub(crate) fn printed(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// A server that is killed when its owner goes; what it prints goes to a file.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts `command`, whose output goes to `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Self {
        let file = std::fs::File::create(log).unwrap();
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file);
        Self::spawn(command, log)
    }

    /// Starts `command`, which writes to `log` by itself.
    pub(crate) fn spawn(command: &mut Command, log: &Path) -> Self {
        redaction::log_all(command);
        Self {
            child: command.spawn().unwrap(),
            log: log.to_owned(),
        }
    }

    /// All that it printed so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Sends a signal, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let child = &mut self.child;
        let mut status = None;
        eventually("the process ends", || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        redaction::keep_file(redaction::Source::Servers, &self.log);
    }
}

/// Looks again and again until `condition` holds.
#[track_caller]
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..LOOKS {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it never came to be that {what}");
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Status and whole answer of one request; `None` where nobody answers.
pub(crate) fn request(address: SocketAddr, head: &str, body: &str) -> Option<(u16, String)> {
    request_with(address, head, "", body)
}

/// As [`request`], with further header lines, each with its end.
pub(crate) fn request_with(
    address: SocketAddr,
    head: &str,
    lines: &str,
    body: &str,
) -> Option<(u16, String)> {
    exchange(address, head, lines, body).ok()
}

/// As [`request_with`]; where no whole answer came, why.
pub(crate) fn exchange(
    address: SocketAddr,
    head: &str,
    lines: &str,
    body: &str,
) -> io::Result<(u16, String)> {
    redaction::asked(lines.lines().filter_map(|it| it.split_once(": ")), body);
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let request = format!(
        "{head} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{lines}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok());
    let status = status.ok_or(io::ErrorKind::UnexpectedEof)?;
    redaction::answered(&answer);
    Ok((status, answer))
}

/// Asks for a token by `client_secret_post`.
pub(crate) fn token(address: SocketAddr, client: &str, secret: &str) -> Option<(u16, String)> {
    let form = format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
    request(address, "POST /oauth2/token", &form)
}

/// The access token of an answer.
pub(crate) fn access_token(answer: &str) -> String {
    let (_, rest) = answer.split_once(r#""access_token":""#).unwrap();
    rest.split('"').next().unwrap().to_owned()
}
