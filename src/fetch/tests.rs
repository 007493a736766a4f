use hyper::header::HeaderValue;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

fn source(url: &str) -> KeySource {
    KeySource::parse(url).unwrap()
}

#[test]
fn the_age_is_that_of_cache_control_and_what_forbids_keeping_wins() {
    for (lines, age) in [
        (&[][..], None),
        (&["max-age=60"], Some(60)),
        (&["public, MAX-AGE=60, must-revalidate"], Some(60)),
        (&["max-age=\"60\""], Some(60)),
        (&["public", "max-age=60"], Some(60)),
        (&["max-age=60, no-cache"], Some(0)),
        (&["no-store", "max-age=60"], Some(0)),
        (&["max-age=0"], Some(0)),
        (&["s-maxage=60"], None),
        (&["max-age=-1"], None),
        (&["max-age=99999999999999999999"], None),
        (&["max-age="], None),
    ] {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(CACHE_CONTROL, HeaderValue::from_static(line));
        }
        assert_eq!(max_age(&headers), age.map(Duration::from_secs), "{lines:?}");
    }
}

/// A proxy that takes one request, refuses it, and tells what it was.
async fn proxy() -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let refusal = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(refusal).await.unwrap();
        String::from_utf8(head).unwrap()
    });
    (address.to_string(), asked)
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_asked_for_a_tunnel() {
    let (address, asked) = proxy().await;
    let proxies = Matcher::builder()
        .https(format!("http://me:pass@{address}"))
        .no("internal.example")
        .build();
    let fetcher = Fetcher::by(proxies, true);
    let fault = fetcher.fetch(&source("https://partner.example/jwks")).await;
    assert!(matches!(fault, Err(FetchFault::Broken(_))), "{fault:?}");
    let asked = asked.await.unwrap();
    assert!(
        asked.starts_with("CONNECT partner.example:443 HTTP/1.1\r\n"),
        "{asked}"
    );
    assert!(
        asked
            .to_ascii_lowercase()
            .contains("proxy-authorization: basic "),
        "{asked}"
    );
    assert!(!asked.contains("/jwks"), "{asked}");
    let inside = "https://internal.example/jwks".parse().unwrap();
    assert!(fetcher.proxies.intercept(&inside).is_none());
}

/// Neither the URL nor what a server says is in the text of a fault.
#[tokio::test]
async fn nobody_there_is_told_without_the_url() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let fetcher = Fetcher::by(Matcher::builder().build(), true);
    let url = format!("http://{address}/jwks?key=kJ8vQ2mZx7Lw4Rt9Yb3N");
    let fault = fetcher.fetch(&source(&url)).await.unwrap_err().to_string();
    assert!(
        fault.contains("refused") && !fault.contains("kJ8vQ2mZx7Lw4Rt9Yb3N"),
        "{fault}"
    );
}

/// Another protocol at that port is told as that.
#[tokio::test]
async fn who_speaks_no_tls_is_told_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answering = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut greeting = [0; 16];
        stream.read_exact(&mut greeting).await.unwrap();
        let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    });
    let fetcher = Fetcher::by(Matcher::builder().build(), true);
    let url = format!("https://{address}/jwks");
    let fault = fetcher.fetch(&source(&url)).await.unwrap_err().to_string();
    answering.await.unwrap();
    assert!(fault.contains("does not speak TLS"), "{fault}");
}

/// The database may say so all the same, for `grantd dev` takes it: nobody is asked.
#[tokio::test]
async fn only_who_may_fetches_without_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    let fetcher = |may_be_plain| Fetcher::by(Matcher::builder().build(), may_be_plain);
    let fault = fetcher(false).fetch(&source(&url)).await.unwrap_err();
    assert_eq!(fault, FetchFault::Plain);
    let fetcher = fetcher(true);
    let at_url = source(&url);
    let (answer, ()) = tokio::join!(fetcher.fetch(&at_url), async {
        // It is closed again at once.
        drop(listener.accept().await.unwrap());
    });
    assert!(matches!(answer, Err(FetchFault::Broken(_))), "{answer:?}");
}
