//! A `grantd dev` that ends with this process, even if that is killed: its standard input then closes.

use std::env::{temp_dir, var};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

pub(crate) struct Process {
    child: Child,
    pub(crate) control: String,
}

/// The control listener of `GRANTD_CONTROL`, or of the one for all tests of this process.
pub(crate) fn shared() -> &'static str {
    static CONTROL: OnceLock<String> = OnceLock::new();
    static PROCESS: OnceLock<Process> = OnceLock::new();
    CONTROL.get_or_init(|| match var("GRANTD_CONTROL") {
        Ok(control) if !control.is_empty() => control,
        _ => PROCESS.get_or_init(|| Process::start(&[])).control.clone(),
    })
}

impl Process {
    /// It takes some 40 ms, for which the thread waits.
    pub(crate) fn start(more: &[&str]) -> Self {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let started = STARTED.fetch_add(1, Ordering::Relaxed);
        let ready = temp_dir().join(format!("grantd-{}-{started}.json", std::process::id()));
        let mut command = Command::new(var("GRANTD_BIN").unwrap_or_else(|_| "grantd".to_owned()));
        command.args(["dev", "--listen", "127.0.0.1:0", "--until-stdin-closes"]);
        command.arg("--ready-file").arg(&ready).args(more);
        let log = var("GRANTD_LOG").unwrap_or_else(|_| "warn".to_owned());
        command.env("GRANTD_LOG", log);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        let mut child = child.expect("grantd is on the PATH, or GRANTD_BIN names it");
        let text = loop {
            if let Ok(text) = std::fs::read_to_string(&ready) {
                break text;
            }
            let ended = child.try_wait().expect("the state of grantd");
            assert!(
                ended.is_none(),
                "grantd does not start; standard error says why"
            );
            std::thread::sleep(Duration::from_millis(5));
        };
        let _ = std::fs::remove_file(&ready);
        let ready: Value = serde_json::from_str(&text).expect("a ready file");
        let control = ready["control"].as_str().expect("a control listener");
        let control = control.to_owned();
        Self { child, control }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
