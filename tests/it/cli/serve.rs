//! `grantd serve` on Postgres: replicas as processes of their own.

use std::fs::File;
use std::net::TcpListener;

use crate::harness::Database;
use crate::process::{Ended, Place, Running, ended, eventually, post, within_a_second};

const SECRET: &str = "a-secret-of-the-environment";

/// Two free ports; whoever asks for any port meanwhile gets others.
fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// A replica with the settings `grantd.toml` and listeners of its own.
struct Replica {
    process: Running,
    token_endpoint: String,
}

impl Replica {
    fn start(place: &Place, name: &str) -> Self {
        let [public, operations] = free_ports();
        let mut command = place.grantd(&["serve", "--config", "grantd.toml"]);
        command
            .env("GRANTD_PUBLIC__LISTEN", format!("127.0.0.1:{public}"))
            .env("GRANTD_OPERATIONS__LISTEN", format!("127.0.0.1:{operations}"))
            .stderr(File::create(place.path(name)).unwrap());
        let process = Running(command.spawn().unwrap());
        let url = format!("http://127.0.0.1:{operations}");
        eventually("a ready replica", || {
            (place.run(&["health", &url]).code == Some(0)).then_some(())
        });
        Self { process, token_endpoint: format!("http://127.0.0.1:{public}/oauth2/token") }
    }

    fn ask(&self) -> u16 {
        post(&self.token_endpoint, ("reader", SECRET), "grant_type=client_credentials").0
    }
}

fn place_on(database: &Database) -> Place {
    let place = Place::new();
    std::fs::write(place.path("sealing.key"), [7; 32]).unwrap();
    let settings = r#"
issuer = "https://auth.example"
database_url = "DATABASE"
public = { listen = "127.0.0.1:0" }
sealing = { key_file = "sealing.key" }
"#;
    place.write("grantd.toml", &settings.replace("DATABASE", &database.url));
    let catalog = super::data::CATALOG.replace("reader-secret", "env:SECRET");
    place.write("my.toml", &catalog.replace("api-secret", "env:SECRET"));
    let disabled = "id = \"reader\"\nstatus = \"disabled\"";
    let catalog = std::fs::read_to_string(place.path("my.toml")).unwrap();
    place.write("disabled.toml", &catalog.replace("id = \"reader\"", disabled));
    place
}

fn apply(place: &Place, catalog: &str) -> Ended {
    let mut command = place.grantd(&["apply", catalog, "--config", "grantd.toml"]);
    let ended = ended(command.env("SECRET", SECRET));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_apply_disables_is_refused_within_a_second_by_two_replicas() {
    let database = Database::postgres().await;
    let place = place_on(&database);
    place.done(&["migrate", "--config", "grantd.toml"]);
    apply(&place, "my.toml");
    let replicas = ["a", "b"].map(|name| Replica::start(&place, name));
    for replica in &replicas {
        // A key that was made just now signs two seconds later.
        eventually("a token", || (replica.ask() == 200).then_some(()));
    }
    let plan = apply(&place, "disabled.toml");
    assert!(plan.stdout.contains("changed   client reader (status)"), "{plan:?}");
    within_a_second("the refusal by both", || {
        replicas.iter().all(|replica| replica.ask() == 401).then_some(())
    });
    for mut replica in replicas {
        replica.process.signal("TERM");
        assert!(replica.process.0.wait().unwrap().success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serve_refuses_an_older_schema_and_says_what_to_do() {
    let database = Database::postgres().await;
    let place = place_on(&database);
    let ended = ended(
        place
            .grantd(&["serve", "--config", "grantd.toml"])
            .env("GRANTD_PUBLIC__LISTEN", "127.0.0.1:0")
            .env("GRANTD_OPERATIONS__LISTEN", "127.0.0.1:0"),
    );
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("run `grantd migrate`"), "{ended:?}");
}
