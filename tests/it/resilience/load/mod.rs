//! Clients and APIs that go on asking two replicas.

mod requests;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::Duration;

use super::law::{Law, Verb};
use super::times::Span;
use crate::assertion::signer::Key;
use crate::caching_verifier::CachingVerifier;

/// How many ask at once.
const LANES: usize = 6;
/// Between an answer and the next request of the same lane.
const PAUSE: Duration = Duration::from_millis(10);
/// How often something is looked for before it is given up, and between two looks: half a minute.
const LOOKS: usize = 600;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// What must be seen again after each event: each kind of answer that a request gets when nothing is wrong.
const KINDS: [&str; 7] = [
    "granted",
    "refused",
    "active",
    "inactive",
    "revoked",
    "asserted",
    "replay refused",
];

/// Who gets tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Nobody ever stops it.
    Steady,
    /// It is disabled and enabled, and its tokens are revoked.
    Stopped,
}

/// A token that was issued.
pub(super) struct Token {
    pub(super) text: String,
    of: Who,
    got: Span,
    revoked: Mutex<Option<Span>>,
}

/// The generated secrets of `steady`, `stopped` and `api`.
pub(super) struct Secrets {
    pub(super) steady: String,
    pub(super) stopped: String,
    pub(super) api: String,
}

pub(super) struct Load {
    pub(super) law: Law,
    replicas: RwLock<[SocketAddr; 2]>,
    secrets: Secrets,
    key: Key,
    verifier: Mutex<CachingVerifier>,
    /// Of each [`Who`].
    tokens: [Mutex<Vec<Arc<Token>>>; 2],
    revoked: Mutex<Vec<Arc<Token>>>,
    spent: Mutex<Vec<String>>,
    /// The kids of tokens, with the replica that issued them.
    kids: Mutex<BTreeSet<(usize, String)>>,
    done: AtomicBool,
}

impl Load {
    pub(super) fn new(replicas: [SocketAddr; 2], secrets: Secrets, key: Key) -> Self {
        Self {
            law: Law::new(),
            replicas: RwLock::new(replicas),
            secrets,
            key,
            verifier: Mutex::new(CachingVerifier::new(&replicas)),
            tokens: [Mutex::default(), Mutex::default()],
            revoked: Mutex::default(),
            spent: Mutex::default(),
            kids: Mutex::default(),
            done: AtomicBool::new(false),
        }
    }

    /// Begins to ask, until what is given is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Lanes {
        let lane = |lane: usize| {
            let load = Arc::clone(self);
            thread::spawn(move || {
                let mut turn = lane;
                while !load.done.load(Ordering::Relaxed) {
                    load.ask(turn);
                    turn += 1;
                    thread::sleep(PAUSE);
                }
            })
        };
        Lanes {
            load: Arc::clone(self),
            threads: (0..LANES).map(lane).collect(),
        }
    }

    /// How many kids a cache of the JWKS lacked.
    pub(super) fn unknown_kids(&self) -> usize {
        self.verifier.lock().unwrap().unknown
    }

    /// Another process answers in the place of a replica.
    pub(super) fn replace(&self, replica: usize, address: SocketAddr) {
        let old = std::mem::replace(&mut self.replicas.write().unwrap()[replica], address);
        self.verifier.lock().unwrap().replace(old, address);
    }

    /// Waits until each kind of answer was seen ten times more.
    pub(super) fn go_on(&self, after: &str) {
        let before = self.law.counts();
        self.until(
            &format!("requests of each kind go on after {after}"),
            || {
                let now = self.law.counts();
                let more = |kind| now.get(kind) >= Some(&(before.get(kind).unwrap_or(&0) + 10));
                KINDS.iter().all(more)
            },
        );
    }

    /// Waits until something is so, while every answer must be right.
    pub(super) fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        for _ in 0..LOOKS {
            self.law.assert_kept(what);
            if is_so() {
                return;
            }
            thread::sleep(BETWEEN_LOOKS);
        }
        panic!("it never came to be that {what}: {:?}", self.law.counts());
    }

    /// How many signing keys each replica has used.
    pub(super) fn kids_of(&self, replica: usize) -> usize {
        let kids = self.kids.lock().unwrap();
        kids.iter().filter(|(of, _)| *of == replica).count()
    }

    /// The youngest token of the client that nobody stops, which `revoke` is about to revoke.
    pub(super) fn revoke_youngest(&self, revoke: impl FnOnce(&str)) {
        let token = self.picked(usize::MAX, Who::Steady).unwrap();
        self.revoke_by(&token, || {
            revoke(&token.text);
            true
        });
    }

    /// Does something to the client that is stopped now and then, and goes on.
    pub(super) fn act(&self, verb: Verb, command: impl FnOnce()) {
        self.law.act(verb, command);
        self.go_on(&format!("{verb:?}"));
    }
}

/// The threads of a load; it ends with them.
pub(super) struct Lanes {
    load: Arc<Load>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.load.done.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "a lane has panicked");
        }
    }
}
