//! What a start reads does not grow with what is stored: the rows that the database gives are counted, not the time.

use crate::catalogs::{audience, client, reads};
use crate::place::{Place, eventually};

/// The rows that `grantd dev --data` reads from a directory with so many clients before it is ready.
fn rows_at_restart(clients: usize) -> u64 {
    let place = Place::new();
    place.write("catalog.toml", &catalog(clients));
    let dev = place.dev(&["--data", "data", "--catalog", "catalog.toml"]);
    assert!(dev.interrupt().success());
    place.write("dev.err", "");
    let mut command = place.grantd(&["dev", "--listen", "127.0.0.1:0", "--ready-file"]);
    command
        .arg(place.path("again.ready"))
        .args(["--data", "data"]);
    command.env("GRANTD_LOG", "sqlx=debug");
    let log = place.path("again.log");
    command.stderr(std::fs::File::create(&log).unwrap());
    let output = std::fs::File::create(place.path("again.out")).unwrap();
    let mut server = crate::process::Server::spawn(command.stdout(output), &log);
    let screen = eventually("the screen is there", || {
        let screen = std::fs::read_to_string(place.path("again.out")).unwrap();
        screen.contains("Press Ctrl-C").then_some(screen)
    });
    assert!(
        screen.contains("many more: grantd client list --data"),
        "{screen}"
    );
    server.signal("INT");
    assert!(server.wait().success());
    let log = server.log();
    // Ids are loaded while requests are served already.
    let background = "SELECT client_id FROM clients WHERE client_id >";
    let rows = |line: &str| -> Option<u64> {
        let (_, rest) = line.split_once("rows_returned=")?;
        rest.split(' ').next()?.parse().ok()
    };
    let counted: Vec<u64> = log
        .lines()
        .filter(|line| !line.contains(background))
        .filter_map(rows)
        .collect();
    assert!(
        counted.len() > 200,
        "the statements are in the log: {}",
        counted.len()
    );
    counted.into_iter().sum()
}

fn catalog(clients: usize) -> String {
    let one = |n: usize| {
        let lines = format!("auth = \"tls_client_auth\"\nsubject_dn = \"CN=c{n}\"");
        client(&format!("client-{n:05}"), &lines, &reads("pricing"))
    };
    let clients: String = (0..clients).map(one).collect();
    format!("{}{clients}", audience("pricing", "read", ""))
}

#[test]
fn a_data_directory_with_many_clients_costs_no_more_rows_than_one_with_fewer() {
    let (fewer, many) = (rows_at_restart(110), rows_at_restart(200));
    // The feed is polled meanwhile, a row each time. 90 more clients have three rows each.
    assert!(
        fewer.abs_diff(many) < 50,
        "{fewer} rows, beside more clients {many}"
    );
}
