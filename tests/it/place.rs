//! The real binary as a user runs it: in a directory of its own, with an environment of its own, and HTTP to it.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use serde_json::Value;
use tempfile::TempDir;

use crate::redaction;

/// How long any single thing may take, in looks of [`PAUSE`].
const LOOKS: u32 = 1000;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks until `found` gives something, for at most 20 s and the time that the looks take.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, found: impl FnMut() -> Option<T>) -> T {
    within(LOOKS, what, found)
}

/// As [`eventually`], for one second.
#[track_caller]
pub(crate) fn within_a_second<T>(what: &str, found: impl FnMut() -> Option<T>) -> T {
    within(50, what, found)
}

#[track_caller]
fn within<T>(looks: u32, what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    for _ in 0..looks {
        if let Some(it) = found() {
            return it;
        }
        thread::sleep(PAUSE);
    }
    panic!("in vain: {what}");
}

/// A directory to run commands in; it goes when it is dropped.
pub(crate) struct Place {
    directory: TempDir,
}

/// Writes a key that its owner alone may read, as grantd wants it.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).unwrap().write_all(bytes).unwrap();
    redaction::key(bytes);
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        redaction::keep_place(self.directory.path());
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("tmp")).unwrap();
        Self { directory }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// What programs of this place left in their temporary directory.
    pub(crate) fn left_behind(&self) -> usize {
        fs::read_dir(self.path("tmp")).unwrap().count()
    }

    /// A program in this directory, which knows nothing of the environment but `PATH`, where grantd is found.
    pub(crate) fn command(&self, program: &str) -> Command {
        let beside = Path::new(env!("CARGO_BIN_EXE_grantd")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new(program);
        command
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", format!("{}:{path}", beside.display()))
            .env("TMPDIR", self.path("tmp"))
            .stdin(Stdio::null());
        command
    }

    /// grantd itself.
    pub(crate) fn grantd(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_grantd"));
        command.args(arguments);
        command
    }

    /// Runs grantd to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        ended(&mut self.grantd(arguments))
    }

    /// Runs grantd, which must succeed; gives standard output.
    #[track_caller]
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        ended.stdout
    }

    /// As [`Place::done`], for output that is JSON.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.done(arguments)).unwrap()
    }

    /// Runs grantd with `input` on standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Ended {
        self.write("input", input);
        ended(
            self.grantd(arguments)
                .stdin(File::open(self.path("input")).unwrap()),
        )
    }

    /// Starts `grantd dev` on a free port, and waits until it is ready.
    pub(crate) fn dev(&self, arguments: &[&str]) -> Dev {
        self.dev_on("127.0.0.1:0", arguments)
    }

    /// Starts `grantd dev` on `listen`, and waits until it is ready.
    pub(crate) fn dev_on(&self, listen: &str, arguments: &[&str]) -> Dev {
        self.start("dev", listen, arguments).ready()
    }

    /// As [`Place::dev`], in a shell that has run `line` before, such as `umask 022`.
    pub(crate) fn dev_after(&self, line: &str, arguments: &[&str]) -> Dev {
        self.dev_by(&format!("{line}; exec \"$@\""), arguments)
    }

    /// As [`Place::dev`], by a line of shell that executes its arguments.
    pub(crate) fn dev_by(&self, line: &str, arguments: &[&str]) -> Dev {
        let mut command = self.command("sh");
        command.args(["-c", line, "sh", env!("CARGO_BIN_EXE_grantd")]);
        command.args(["dev", "--listen", "127.0.0.1:0", "--ready-file"]);
        self.started("dev", command, arguments).ready()
    }

    /// Starts `grantd dev` and gives the pipe of its log, which nobody reads yet.
    pub(crate) fn dev_with_piped_log(&self, arguments: &[&str]) -> (Dev, ChildStderr) {
        let mut command = self.grantd(&["dev", "--listen", "127.0.0.1:0", "--ready-file"]);
        command.arg(self.path("dev.ready")).args(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let pipe = child.stderr.take().unwrap();
        fs::write(self.path("dev.err"), "").unwrap();
        let (ready, log) = (self.path("dev.ready"), self.path("dev.err"));
        (
            Starting {
                child: Running(child),
                ready,
                log,
            }
            .ready(),
            pipe,
        )
    }

    /// As [`Place::dev`], with a pipe as its standard input.
    pub(crate) fn dev_with_piped_input(&self, arguments: &[&str]) -> (Dev, ChildStdin) {
        let mut command = self.grantd(&["dev", "--listen", "127.0.0.1:0", "--ready-file"]);
        command.stdin(Stdio::piped());
        let mut starting = self.started("dev", command, arguments);
        let pipe = starting.child.0.stdin.take().unwrap();
        (starting.ready(), pipe)
    }

    /// Starts `grantd dev`, whose files begin with `name`.
    pub(crate) fn start(&self, name: &str, listen: &str, arguments: &[&str]) -> Starting {
        let command = self.grantd(&["dev", "--listen", listen, "--ready-file"]);
        self.started(name, command, arguments)
    }

    /// Starts `command`, which lacks the name of the ready file.
    fn started(&self, name: &str, mut command: Command, arguments: &[&str]) -> Starting {
        let file = |end: &str| self.path(&format!("{name}.{end}"));
        // That of a run before is removed by this one, but not before we look.
        let _ = fs::remove_file(file("ready"));
        command.arg(file("ready")).args(arguments);
        command.stdout(File::create(file("out")).unwrap());
        command.stderr(File::create(file("err")).unwrap());
        redaction::log_all(&mut command);
        let child = command.spawn().unwrap();
        Starting {
            child: Running(child),
            ready: file("ready"),
            log: file("err"),
        }
    }
}

/// Runs `command` to its end.
pub(crate) fn ended(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    redaction::keep_output(command, &output);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// A process that ends with the test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.0.id());
        assert!(
            Command::new("sh")
                .args(["-c", &line])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A `grantd dev` that may not be ready yet.
pub(crate) struct Starting {
    child: Running,
    ready: PathBuf,
    log: PathBuf,
}

impl Starting {
    pub(crate) fn ready(mut self) -> Dev {
        let text = eventually("the ready file", || {
            let log = || fs::read_to_string(&self.log).unwrap();
            assert_eq!(
                self.child.0.try_wait().unwrap(),
                None,
                "it ended: {}",
                log()
            );
            fs::read_to_string(&self.ready).ok()
        });
        Dev {
            child: self.child,
            log: self.log,
            ready: serde_json::from_str(&text).unwrap(),
        }
    }
}

/// A `grantd dev` that is ready.
pub(crate) struct Dev {
    child: Running,
    log: PathBuf,
    ready: Value,
}

impl Dev {
    /// A member of the ready file, whatever it is.
    pub(crate) fn member(&self, name: &str) -> &Value {
        &self.ready[name]
    }

    /// A member of the ready file.
    pub(crate) fn url(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap()
    }

    /// Whether the process has a handler for the signal of this number.
    pub(crate) fn catches(&self, signal: u32) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/status", self.ready["pid"])).unwrap();
        let mask = status
            .lines()
            .find_map(|line| line.strip_prefix("SigCgt:"))
            .unwrap();
        u64::from_str_radix(mask.trim(), 16).unwrap() & (1 << (signal - 1)) != 0
    }

    /// Address and port of the public listener.
    pub(crate) fn authority(&self) -> &str {
        self.url("issuer").strip_prefix("http://").unwrap()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// The most memory that it ever held, in KiB.
    pub(crate) fn most_kib(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM:"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Asks for a token with `client_secret_basic`.
    pub(crate) fn ask(&self, client: &str, secret: &str) -> (u16, Value) {
        post(
            self.url("token_endpoint"),
            (client, secret),
            "grant_type=client_credentials",
        )
    }

    /// A token, which must be issued.
    #[track_caller]
    pub(crate) fn token(&self, client: &str, secret: &str) -> String {
        let (status, body) = self.ask(client, secret);
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// Whether introspection calls a token active.
    pub(crate) fn is_active(&self, (api, secret): (&str, &str), token: &str) -> bool {
        let url = self.url("introspection_endpoint");
        post(url, (api, secret), &format!("token={token}")).1["active"] == true
    }

    /// Sends SIGINT, and waits for an end that may take a while.
    pub(crate) fn interrupt_slowly(mut self) -> ExitStatus {
        self.child.signal("INT");
        eventually("the end after SIGINT", || self.child.0.try_wait().unwrap())
    }

    /// Sends SIGINT, and waits for the end.
    pub(crate) fn interrupt(self) -> ExitStatus {
        self.end_by("INT")
    }

    /// Sends a signal, and waits for the end.
    pub(crate) fn end_by(self, name: &str) -> ExitStatus {
        self.child.signal(name);
        self.ended()
    }

    /// Waits for the end.
    pub(crate) fn ended(mut self) -> ExitStatus {
        // Two seconds, and the time that the looks take.
        within(100, "the end", || self.child.0.try_wait().unwrap())
    }
}

/// Posts a form as `client_secret_basic`; gives status and JSON. Ids and secrets of tests need no form encoding.
pub(crate) fn post(url: &str, (id, secret): (&str, &str), form: &str) -> (u16, Value) {
    let (authority, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
    let request = format!(
        "POST /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\
         Authorization: Basic {pair}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{form}",
        form.len()
    );
    redaction::asked([("authorization", &*format!("Basic {pair}"))], form);
    let mut stream = TcpStream::connect(authority).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    redaction::answered(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// The signal `name` with its `number`, or SIGTERM where the tests run with that one ignored, as `nohup` and a shell's
/// `&` have it: their children ignore it, too.
pub(crate) fn sent_for(name: &'static str, number: u32) -> &'static str {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Signal N is bit N - 1.
    if ignored.is_some_and(|mask| mask & (1 << (number - 1)) != 0) {
        "TERM"
    } else {
        name
    }
}
