//! A Postgres that a test kills, copies and demotes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{eventually, free_port};

/// A Postgres of one test alone.
pub(crate) struct Cluster {
    bin: PathBuf,
    directory: tempfile::TempDir,
    pub(crate) port: u16,
    settings: &'static str,
}

impl Cluster {
    /// A new one with `settings`, as options of the server.
    pub(crate) fn new(settings: &'static str) -> Self {
        let this = Self::empty(settings);
        let data = this.data();
        this.run(
            "initdb",
            &[
                "--pgdata",
                &data,
                "--username",
                "grantd",
                "--auth",
                "trust",
                "--encoding",
                "UTF8",
                "--no-locale",
                "--no-sync",
            ],
        );
        this.start();
        this
    }

    /// A hot standby of `primary`.
    pub(crate) fn standby_of(primary: &Self) -> Self {
        let this = Self::empty(primary.settings);
        let (data, port) = (this.data(), primary.port.to_string());
        let from = ["-h", "127.0.0.1", "-p", &port, "-U", "grantd"];
        let how = ["-R", "-X", "stream", "-c", "fast", "--no-sync"];
        this.run("pg_basebackup", &[&from[..], &["-D", &data], &how].concat());
        this.start();
        this
    }

    fn empty(settings: &'static str) -> Self {
        let bin = std::env::var("TEST_POSTGRES_BIN")
            .expect("TEST_POSTGRES_BIN is not set: it names the folder with initdb and postgres");
        let directory = tempfile::tempdir_in("/tmp").unwrap();
        own_by_postgres(directory.path());
        Self {
            bin: bin.into(),
            directory,
            port: free_port(),
            settings,
        }
    }

    /// Makes a standby the primary.
    pub(crate) fn promote(&self) {
        self.run(
            "pg_ctl",
            &["promote", "--wait", "--silent", "--pgdata", &self.data()],
        );
    }

    fn data(&self) -> String {
        self.directory
            .path()
            .join("data")
            .to_str()
            .unwrap()
            .to_owned()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = as_postgres(&self.bin.join(program));
        command
            .args(arguments)
            .current_dir("/")
            .stdout(std::process::Stdio::null());
        let done = command.status().unwrap().success();
        let log = std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
        assert!(done, "{arguments:?}: {log}");
    }

    pub(crate) fn start(&self) {
        let log = self
            .directory
            .path()
            .join("log")
            .to_str()
            .unwrap()
            .to_owned();
        // No socket in a folder: its lock would outlive the server, as postmaster.pid does.
        let options = format!(
            "-p {} -h 127.0.0.1 -c unix_socket_directories= {}",
            self.port, self.settings
        );
        let (data, wait) = (self.data(), ["start", "--wait", "--silent", "--pgdata"]);
        self.run(
            "pg_ctl",
            &[&wait[..], &[&data, "--log", &log, "--options", &options]].concat(),
        );
    }

    /// Ends as an operator ends it, and starts again.
    pub(crate) fn restart(&self) {
        let (data, how) = (
            self.data(),
            ["stop", "--wait", "--silent", "--mode", "fast"],
        );
        self.run("pg_ctl", &[&how[..], &["--pgdata", &data]].concat());
        self.start();
    }

    /// All of its processes, the first one held meanwhile: none can write what another left in memory.
    pub(crate) fn kill(&self) {
        let file = Path::new(&self.data()).join("postmaster.pid");
        let postmaster = std::fs::read_to_string(&file).unwrap();
        let postmaster = postmaster.lines().next().unwrap().to_owned();
        let signal = |name: &str, pids: &[&str]| {
            assert!(
                Command::new("kill")
                    .args(["-s", name])
                    .args(pids)
                    .status()
                    .unwrap()
                    .success()
            );
        };
        signal("STOP", &[&postmaster]);
        let children = Command::new("pgrep")
            .args(["-P", &postmaster])
            .output()
            .unwrap();
        let children = String::from_utf8(children.stdout).unwrap();
        let all: Vec<&str> = children.lines().chain([postmaster.as_str()]).collect();
        assert!(all.len() > 3, "{all:?}");
        signal("KILL", &all);
        eventually("all of Postgres has ended", || {
            all.iter()
                .all(|pid| !Path::new("/proc").join(pid).join("exe").exists())
        });
        // Where nobody buries the dead, their number looks taken.
        std::fs::remove_file(file).unwrap();
    }

    pub(crate) fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://grantd@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if Path::new(&self.data()).join("postmaster.pid").exists() {
            self.kill();
        }
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout == b"0\n"
}

/// Postgres and PgBouncer refuse to run as root.
pub(crate) fn as_postgres(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    command
}

/// Gives what root has made to the user who shall use it.
pub(crate) fn own_by_postgres(path: &Path) {
    if is_root() {
        assert!(
            Command::new("chown")
                .arg("postgres")
                .arg(path)
                .status()
                .unwrap()
                .success()
        );
    }
}
