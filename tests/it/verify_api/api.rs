//! A small API whose checks have one hole, or which breaks in one way.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::proof::SpentProofs;
use super::token::{Checks, No};

/// How an API misbehaves without accepting anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Manner {
    #[default]
    Right,
    /// 500 for a token that it cannot read.
    Breaks,
    /// Closes the connection instead.
    HangsUp,
    /// Never answers that.
    Hangs,
    /// Refuses with 403 and without a challenge.
    Rude,
    /// Repeats the token in its answers.
    Repeats,
    /// Redirects whom it refuses.
    Redirects,
    /// Refuses everybody from the eleventh token on that it refuses.
    Sulks,
    /// Refuses everybody.
    Refuses,
}

/// A running API.
pub(super) struct Api {
    pub(super) url: String,
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    checks: Checks,
    manner: Manner,
    url: String,
    spent: SpentProofs,
    refused: AtomicUsize,
    ended: AtomicBool,
}

impl Api {
    pub(super) fn start(checks: Checks, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{address}/prices");
        let shared = Arc::new(Shared {
            checks,
            manner,
            url: url.clone(),
            spent: SpentProofs::default(),
            refused: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
        });
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for stream in listener.incoming() {
                    if shared.ended.load(Ordering::SeqCst) {
                        return;
                    }
                    // One that broke off is none of ours.
                    let _ = stream.and_then(|stream| shared.answer(stream));
                }
            }
        });
        Self {
            url,
            address,
            shared,
            thread: Some(thread),
        }
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the thread, which then sees that it has ended.
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Shared {
    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let head = head(&mut stream)?;
        let header = |wanted: &str| {
            head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case(wanted).then_some(value)
            })
        };
        let (scheme, credentials) = header("authorization")
            .and_then(|it| it.split_once(' '))
            .unwrap_or_default();
        let judged = self
            .checks
            .token(credentials)
            .and_then(|token| match token {
                None => Ok(()),
                Some(token) => {
                    self.checks
                        .binding(&token, (scheme, header("dpop")), (&self.url, &self.spent))
                }
            });
        let judged = judged.and_then(|()| self.in_a_mood());
        let Err(no) = judged else {
            return write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[]\n");
        };
        self.refused.fetch_add(1, Ordering::SeqCst);
        let (status, error) = match no {
            No::Request => (400, "invalid_request"),
            No::Token => (401, "invalid_token"),
            No::Scope => (403, "insufficient_scope"),
        };
        let challenge = format!("WWW-Authenticate: Bearer error=\"{error}\"\r\n");
        let body = credentials;
        let length = body.len();
        match self.manner {
            Manner::Breaks if status == 400 => {
                write!(stream, "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")
            }
            Manner::HangsUp if status == 400 => Ok(()),
            Manner::Hangs if status == 400 => {
                // Until the other side has had enough.
                let _ = stream.read(&mut [0]);
                Ok(())
            }
            Manner::Rude => write!(stream, "HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n"),
            Manner::Redirects => {
                write!(
                    stream,
                    "HTTP/1.1 302 X\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"
                )
            }
            Manner::Repeats => write!(
                stream,
                "HTTP/1.1 {status} X\r\n{challenge}Content-Length: {length}\r\n\r\n{body}"
            ),
            _ => write!(
                stream,
                "HTTP/1.1 {status} X\r\n{challenge}Content-Length: 0\r\n\r\n"
            ),
        }
    }

    fn in_a_mood(&self) -> Result<(), No> {
        match self.manner {
            Manner::Refuses => Err(No::Token),
            Manner::Sulks if self.refused.load(Ordering::SeqCst) > 10 => Err(No::Token),
            _ => Ok(()),
        }
    }
}

fn head(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    let mut some = [0; 4096];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut some)? {
            0 => break,
            read => head.extend(&some[..read]),
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
