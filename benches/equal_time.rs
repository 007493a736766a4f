//! Whether the time of a refusal tells clients apart (STANDARDS B-C03): populations in turns over one connection, each
//! compared with that of unknown clients: `cargo bench --bench equal_time`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a benchmark that cannot go on ends, and it measures with the real clock"
)]

#[path = "support/private.rs"]
mod private;
mod support;

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use base64::Engine as _;
use grantd::crypto::digest::secret_checksum;

use support::{Running, answer, connect, exchange, free_port, median, pinned};

/// Clients that are refused, whatever the secret is.
const CLIENTS: [&str; 5] = ["unknown", "known", "disabled", "with-a-key", "expired"];
/// The secret of `known`, `disabled` and `expired`, in the form that may be guessed.
const IMPORTED: &str = "a secret of the benchmark";
/// Samples of each population: of secrets in generated form, and of others, whose hash costs some 15 ms.
const SAMPLES: [usize; 2] = [2000, 300];

fn main() {
    let directory = tempfile::tempdir().expect("a directory");
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let _running = serve(directory.path(), address);
    let mut stream = connect(address);
    wait_until_ready(&mut stream, address);
    // What is refused below is refused for its secret.
    exchange(&mut stream, &request(address, "known", IMPORTED));
    // A generated secret of nobody, whose checksum is right.
    let named = format!("grantd_{}_{}", "0".repeat(10), "A".repeat(43));
    let generated = format!("{named}{}", secret_checksum(&named));
    for (form, samples) in ["generated", "imported"].into_iter().zip(SAMPLES) {
        let requests = CLIENTS.map(|client| {
            let secret = match (form, client) {
                ("generated", _) => &generated,
                // Right, and over.
                (_, "expired") => IMPORTED,
                _ => "another secret of the benchmark",
            };
            request(address, client, secret)
        });
        compare(form, &measure(&mut stream, &requests, samples));
    }
}

fn wait_until_ready(stream: &mut TcpStream, address: SocketAddr) {
    let keys = format!("GET /oauth2/jwks HTTP/1.1\r\nHost: {address}\r\n\r\n").into_bytes();
    while answer(stream, &keys).0 != 200 {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Microseconds of each request, in turns.
fn measure(stream: &mut TcpStream, requests: &[Vec<u8>], samples: usize) -> Vec<Vec<f64>> {
    let mut times = vec![Vec::with_capacity(samples); requests.len()];
    for round in 0..samples + samples / 10 {
        // Each comes as often behind each other one.
        for turn in 0..requests.len() {
            let at = (turn * (1 + round % (requests.len() - 1)) + round) % requests.len();
            let (request, times) = (&requests[at], &mut times[at]);
            let began = Instant::now();
            let (status, _) = answer(stream, request);
            let time = began.elapsed().as_secs_f64() * 1e6;
            assert_eq!(status, 401);
            // The first tenth warms everything up.
            if round >= samples / 10 {
                times.push(time);
            }
        }
    }
    times
}

fn compare(form: &str, times: &[Vec<f64>]) {
    let unknown = median(&mut times[0].clone());
    println!("{form} form, {} samples each:", times[0].len());
    for (client, times_of_client) in CLIENTS.iter().zip(times) {
        let middle = median(&mut times_of_client.clone());
        let difference = (middle / unknown - 1.0) * 100.0;
        let deviation = mann_whitney(times_of_client, &times[0]);
        println!("  {client:<12}{middle:>9.0} µs {difference:>+6.1} %  z = {deviation:>+5.2}");
    }
}

/// The deviation of Mann and Whitney's U from what equal populations give, in standard deviations; beyond 2.58 chance
/// is below one in a hundred.
fn mann_whitney(one: &[f64], other: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> = one.iter().map(|time| (*time, true)).collect();
    all.extend(other.iter().map(|time| (*time, false)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let ranks: f64 = all
        .iter()
        .enumerate()
        .filter(|(_, (_, own))| *own)
        .map(|(at, _)| (at + 1) as f64)
        .sum();
    let (m, n) = (one.len() as f64, other.len() as f64);
    let u = ranks - m * (m + 1.0) / 2.0;
    (u - m * n / 2.0) / (m * n * (m + n + 1.0) / 12.0).sqrt()
}

/// `grantd serve` on SQLite, where other secrets than generated ones cost what they cost in production.
fn serve(directory: &Path, address: SocketAddr) -> Running {
    let catalog = directory.join("catalog.toml");
    let key = directory.join("sealing.key");
    private::write(&key, [7; 32]);
    std::fs::write(&catalog, CATALOG).expect("a catalog");
    let command = |arguments: &[&str]| {
        let mut command = pinned(support::GRANTD);
        command
            .args(arguments)
            .env("GRANTD_ISSUER", "https://auth.example")
            .env(
                "GRANTD_DATABASE_URL",
                format!("sqlite://{}", directory.join("db").display()),
            )
            .env("GRANTD_SEALING__KEY_FILE", directory.join("sealing.key"))
            .env("GRANTD_PUBLIC__LISTEN", address.to_string())
            .env("GRANTD_OPERATIONS__LISTEN", "127.0.0.1:0")
            .env("GRANTD_LOG", "error")
            .env("SECRET", IMPORTED)
            .stdout(Stdio::null());
        command
    };
    for arguments in [
        &["migrate"][..],
        &["apply", catalog.to_str().expect("a path")],
    ] {
        assert!(
            command(arguments).status().expect("grantd runs").success(),
            "{arguments:?}"
        );
    }
    Running(command(&["serve"]).spawn().expect("grantd starts"))
}

const CATALOG: &str = r#"
[[audience]]
id = "api"
scopes = ["read"]

[[client]]
id = "known"
secret = "env:SECRET"
  [[client.policy]]
  audience = "api"
  scopes = ["read"]
  default_scopes = ["read"]

[[client]]
id = "disabled"
status = "disabled"
secret = "env:SECRET"

[[client]]
id = "with-a-key"
auth = "private_key_jwt"
jwks = '''{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'''

[[client]]
id = "expired"
secrets = [{ value = "env:SECRET", expires_at = 2020-01-01T00:00:00Z }]
"#;

fn request(address: SocketAddr, client: &str, secret: &str) -> Vec<u8> {
    let credentials = format!("{client}:{}", secret.replace(' ', "+"));
    let credentials = base64::engine::general_purpose::STANDARD.encode(credentials);
    let body = "grant_type=client_credentials";
    format!(
        "POST /oauth2/token HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {credentials}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
