//! A container of a manifest, run as a process of this machine.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;

use grantd::config::settings::Settings;

use crate::place::{Ended, Place, ended, write_private};
use crate::process::{Server, eventually, free_port};

/// Where the files of containers lie; here they lie below the place.
const FOLDERS: [&str; 2] = ["/etc/grantd/", "/run/secrets/"];

/// What runs: the arguments of grantd, the variables, and the files by their absolute path.
#[derive(Debug, Default)]
pub(super) struct Container {
    pub(super) arguments: Vec<String>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

/// A container that serves, and where.
pub(super) struct Served {
    _server: Server,
    pub(super) public: SocketAddr,
    pub(super) operations: SocketAddr,
}

impl Container {
    /// Runs it to its end.
    pub(super) fn ended(&self, place: &Place) -> Ended {
        ended(&mut self.command(place, &self.arguments))
    }

    /// Runs it to its end, which must be a success; gives what it printed.
    #[track_caller]
    pub(super) fn done(&self, place: &Place) -> String {
        let ended = self.ended(place);
        assert_eq!(ended.code, Some(0), "{:?}: {ended:?}", self.arguments);
        ended.stdout
    }

    /// As `kubectl exec` and `docker compose exec`: another command in the same container.
    #[track_caller]
    pub(super) fn exec(&self, place: &Place, arguments: &[&str]) -> String {
        let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
        let ended = ended(&mut self.command(place, &arguments));
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        ended.stdout
    }

    /// Runs it on free ports of this machine, until it is ready.
    pub(super) fn serve(&self, place: &Place) -> Served {
        let [public, operations] =
            [(); 2].map(|()| SocketAddr::from(([127, 0, 0, 1], free_port())));
        let mut command = self.command(place, &self.arguments);
        command
            .env("GRANTD_PUBLIC__LISTEN", public.to_string())
            .env("GRANTD_OPERATIONS__LISTEN", operations.to_string());
        let server = Server::start(&mut command, &place.path("serve.log"));
        let health = format!("http://{operations}");
        eventually("the container is ready", || {
            place.run(&["health", &health]).code == Some(0)
        });
        Served {
            _server: server,
            public,
            operations,
        }
    }

    /// The settings that it has.
    pub(super) fn settings(&self, place: &Place) -> Settings {
        self.lay(place);
        let environment: BTreeMap<_, _> = self.here(place).collect();
        let file = environment.get("GRANTD_CONFIG").cloned();
        let variables = environment
            .into_iter()
            .filter(|(name, _)| name != "GRANTD_CONFIG" && name != "GRANTD_ACTOR");
        let file = file.as_ref().map(std::path::Path::new);
        Settings::read(file, variables, None).unwrap_or_else(|fault| panic!("{fault}"))
    }

    /// grantd in its root folder, with these variables and no others.
    fn command(&self, place: &Place, arguments: &[String]) -> std::process::Command {
        self.lay(place);
        let mut command = place.grantd(&[]);
        command
            .args(arguments.iter().map(|it| here(place, it)))
            .envs(self.here(place))
            // The root file system is read-only: nothing may be written.
            .env("TMPDIR", "/nowhere");
        command
    }

    fn here<'s>(&'s self, place: &'s Place) -> impl Iterator<Item = (String, String)> + 's {
        let variables = self.environment.iter();
        variables.map(move |(name, value)| (name.clone(), here(place, value)))
    }

    /// Writes its files, and no others.
    fn lay(&self, place: &Place) {
        for folder in FOLDERS {
            let _ = fs::remove_dir_all(here(place, folder));
        }
        for (path, bytes) in &self.files {
            let target = here(place, path);
            let target = std::path::Path::new(&target);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            let is_text = std::path::Path::new(path)
                .extension()
                .is_some_and(|it| it == "toml");
            let text = is_text.then(|| here(place, str::from_utf8(bytes).unwrap()));
            write_private(target, text.as_deref().map_or(bytes, str::as_bytes));
        }
    }
}

/// `text` with the folders of containers where they lie here.
fn here(place: &Place, text: &str) -> String {
    FOLDERS.iter().fold(text.to_owned(), |text, folder| {
        let below = place.path(folder.trim_matches('/'));
        text.replace(folder, &format!("{}/", below.display()))
    })
}
