//! The servers by which a workload gets its token on its platform: GitHub's, the API server of a cluster, and the metadata
//! servers of Azure and Google. Each gives what `grantd dev` mints in that platform's place.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use serde_json::{Value, json};

use crate::control::{JSON, request};

/// All of them, at one address: also as the proxy by which curl goes to the metadata servers.
pub(super) struct Platform {
    address: SocketAddr,
}

/// A request, as far as it matters.
struct Asked {
    /// Method and target.
    line: String,
    /// The other lines of the head, in lower case.
    head: String,
    body: Vec<u8>,
}

impl Platform {
    /// Starts them; the thread ends with the tests.
    pub(super) fn start(control: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                serve(&control, stream.unwrap());
            }
        });
        Self { address }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn serve(control: &str, mut stream: TcpStream) {
    let Some(asked) = read(&stream) else { return };
    let (status, body) = answer(control, &asked).unwrap_or_else(|| (404, asked.line.clone()));
    let head = format!(
        "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all((head + &body).as_bytes());
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let head = lines.get(1..)?.join("\n").to_lowercase();
    let length = head
        .lines()
        .find_map(|it| it.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |it| it.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Asked {
        line: lines.first()?.clone(),
        head,
        body,
    })
}

/// Each asks for what its platform's documentation says: without the header or the parameter there is no token.
fn answer(control: &str, asked: &Asked) -> Option<(u16, String)> {
    let (method, target) = asked.line.split_once(' ')?;
    let target = target.split(' ').next()?;
    let is = |start: &str| target.starts_with(start);
    // curl sends a header as it was typed, with a space or without one.
    let has = |line: &str| {
        let mut lines = asked.head.lines();
        lines.any(|it| it.replacen(": ", ":", 1) == line.replacen(": ", ":", 1))
    };
    if is("/github?") && has("authorization: bearer a-token-of-the-runner") {
        let token = minted(
            control,
            &json!({ "issuer": "github", "audience": query(target, "audience")? }),
        );
        return Some((200, json!({ "value": token }).to_string()));
    }
    if is("http://169.254.169.254/metadata/identity/oauth2/token?") && has("metadata: true") {
        query(target, "resource").filter(|_| query(target, "api-version") == Some("2018-02-01"))?;
        let token = minted(control, &super::azure());
        return Some((200, json!({ "access_token": token }).to_string()));
    }
    if is(
        "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/identity?",
    ) && has("metadata-flavor: google")
    {
        let mut wanted = super::google();
        wanted["audience"] = query(target, "audience")?.into();
        return Some((200, minted(control, &wanted)));
    }
    if method == "POST" && is("/api/v1/namespaces/jobs/serviceaccounts/nightly/token") {
        let (audience, seconds) = token_request(&asked.body)?;
        let lifetime = format!("{seconds}s");
        let wanted = json!({ "issuer": "cluster", "audience": audience, "lifetime": lifetime });
        let answer = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "status": { "token": minted(control, &wanted), "expirationTimestamp": "2030-01-01T00:00:00Z" },
        });
        return Some((201, answer.to_string()));
    }
    if is("/version") {
        let version = json!({ "major": "1", "minor": "32", "gitVersion": "v1.32.4" });
        return Some((200, version.to_string()));
    }
    if is("/.well-known/openid-configuration") || is("/openid/v1/jwks") {
        let line = format!("GET /_test/issuers/cluster{target}");
        let (status, _, document) = request(control, &line, "", "");
        return Some((status, document.to_string()));
    }
    None
}

/// The audience and the lifetime in seconds of a `TokenRequest`. kubectl sends it in protobuf: a text behind its length, then
/// field 4 as a number of two bytes.
fn token_request(body: &[u8]) -> Option<(&str, u16)> {
    let at = body.windows(4).position(|it| it == b"http")?;
    let end = at + usize::from(body[at - 1]);
    let audience = std::str::from_utf8(body.get(at..end)?).ok()?;
    match body.get(end..end + 3)? {
        [0x20, low, high] => Some((audience, u16::from(low & 0x7f) | u16::from(*high) << 7)),
        _ => None,
    }
}

fn query<'t>(target: &'t str, name: &str) -> Option<&'t str> {
    let (_, query) = target.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// A token of an issuer that is played.
pub(super) fn minted(control: &str, wanted: &Value) -> String {
    let (status, _, made) = request(control, "POST /_test/tokens", JSON, &wanted.to_string());
    assert_eq!(status, 200, "{made}");
    made["access_token"].as_str().unwrap().to_owned()
}
