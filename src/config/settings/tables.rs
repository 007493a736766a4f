//! The plain tables: each key is read on its own.

use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

use super::declare::{names, section};
use crate::crypto::hashing_pool::HashingCapacity;
use crate::domain::client::named;
use crate::domain::timestamp::Seconds;

const fn seconds(number: u32) -> Seconds {
    Seconds::new(number)
}

const fn minutes(number: u32) -> Seconds {
    Seconds::new(60 * number)
}

const fn hours(number: u32) -> Seconds {
    Seconds::new(3600 * number)
}

section! {
    /// What holds for all tokens.
    pub struct Tokens = "tokens" {
        /// No token lives longer, whatever audience and policy say.
        max_lifetime: Seconds = hours(1), in seconds(1)..=hours(24);
    }
}

section! {
    /// Client assertions (`private_key_jwt`).
    pub struct Assertions = "assertions" {
        /// How far the clocks of clients may differ from ours, either way. FAPI 2.0 lets 10 seconds pass and refuses
        /// more than 60.
        leeway: Seconds = seconds(10), in seconds(0)..=seconds(60);
    }
}

section! {
    /// Tokens bound to a key of the client, RFC 9449.
    pub struct Dpop = "dpop" {
        /// true: a DPoP proof must hold a nonce of this server (section 8), which all replicas with one sealing key
        /// agree on and which changes every minute. A client that does not know it gets `use_dpop_nonce` with the
        /// nonce, and asks again.
        require_nonce: bool = false;
    }
}

section! {
    /// Client secrets are hashed (argon2id) on threads of their own, behind two bounded queues.
    pub struct Hashing = "hashing" {
        /// Threads that hash; without it half of the cores, at least one.
        threads: Option<usize>, in 1..=1024, shown "2";
        /// How many secrets of the generated form (`grantd_…`) may wait; beyond it the answer is 503.
        generated_queue: usize = 1024, in 1..=1_000_000;
        /// How many other secrets may wait for each of the threads. One costs about 15 ms, so 64 are a wait of about a
        /// second on any machine; beyond it the answer is 503.
        imported_queue_per_thread: usize = 64, in 1..=100_000;
    }
}

impl Hashing {
    /// The threads and queues of this machine.
    #[must_use]
    pub fn capacity(&self) -> HashingCapacity {
        let cores = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = self.threads.unwrap_or_else(|| cores() / 2);
        let threads = NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN);
        HashingCapacity {
            threads,
            generated: self.generated_queue,
            imported: self.imported_queue_per_thread.saturating_mul(threads.get()),
        }
    }
}

section! {
    /// The most entries that are kept in memory; 0 turns a cache off.
    pub struct Cache = "cache" {
        /// Clients with their credentials and policies.
        clients: u64 = 10_000, in 0..=10_000_000;
        /// Audiences.
        audiences: u64 = 1000, in 0..=10_000_000;
        /// Secrets that were found right, so that they need no hashing again.
        verified_secrets: u64 = 10_000, in 0..=10_000_000;
    }
}

section! {
    /// How a replica learns what others have changed.
    pub struct Feed = "feed" {
        /// Milliseconds between two looks: at least two a second, so that a change holds everywhere within one.
        poll_interval_ms: u64 = 250, in 10..=500;
        /// A replica that could not look for this long stops issuing and introspecting tokens.
        max_staleness: Seconds = seconds(30), in seconds(2)..=hours(1);
    }
}

impl Feed {
    /// The time between two looks.
    #[must_use]
    pub const fn poll_interval(&self) -> Duration {
        Duration::from_millis(self.poll_interval_ms)
    }
}

section! {
    /// The connections to the database.
    pub struct Database = "database" {
        /// The most connections of this replica.
        max_connections: u32 = 10, in 1..=1000;
        /// How long a request waits for a connection before the answer is 503.
        acquire_timeout: Seconds = seconds(2), in seconds(1)..=minutes(1);
        /// How long a statement may run, on Postgres.
        statement_timeout: Seconds = seconds(5), in seconds(1)..=minutes(1);
        /// How long a statement waits for another writer.
        lock_timeout: Seconds = seconds(2), in seconds(1)..=minutes(1);
        /// false behind a pooler that hands one connection of Postgres to several clients in turn, such as PgBouncer
        /// with `pool_mode = transaction`: then no statement is prepared under a name.
        prepared_statements: bool = true;
    }
}

section! {
    /// What one connection and one request may take.
    pub struct Limits = "limits" {
        /// Bytes of a request's body.
        body_bytes: usize = 16_384, in 1024..=1_048_576;
        /// Bytes of a request's head: request line and header fields together; over HTTP/2 each field counts 32 more.
        /// The default is a little over 64 KiB, so that a URI of that length is told from large headers (414 and 431).
        header_bytes: usize = 73_728, in 8192..=1_048_576;
        /// Header fields of a request.
        header_count: usize = 64, in 16..=1000;
        /// HTTP/1.1: the longest wait for a whole head, from the end of the answer before it: so also how long a
        /// connection may lie idle between two requests.
        header_timeout: Seconds = seconds(20), in seconds(1)..=hours(1);
        /// From the end of the head to the last byte of the body.
        body_timeout: Seconds = seconds(10), in seconds(1)..=hours(1);
        /// A connection on which no request was finished for this long is closed, whatever it does meanwhile; a
        /// quarter of it may come on top.
        idle_timeout: Seconds = seconds(22), in seconds(1)..=hours(1);
        /// Connections at once, over `[public]` and `[mtls]`; further ones wait to be accepted, and those that have
        /// finished nothing for two seconds make room. Cut where the limit of file descriptors allows less.
        connections: usize = 4096, in 1..=1_000_000;
        /// Requests at once, until their answers were sent; beyond it the answer is 503. A fifth of them is for the
        /// second and further requests of one connection: with four fifths of it for `connections`, each connection
        /// always has one.
        requests: usize = 5120, in 8..=2_000_000;
        /// How long running requests may take to end when the server stops.
        drain_timeout: Seconds = seconds(10), in seconds(0)..=hours(1);
        /// From accepting a connection to its first byte.
        first_byte_timeout: Seconds = seconds(10), in seconds(1)..=hours(1);
        /// How long a TLS handshake may take.
        tls_handshake_timeout: Seconds = seconds(10), in seconds(1)..=hours(1);
    }
}

section! {
    /// The signing keys.
    pub struct Keys = "keys" {
        /// How long clients may cache the JWKS. A new key is announced for longer than this before it signs.
        jwks_max_age: Seconds = minutes(5), in seconds(0)..=hours(24);
    }
}

section! {
    /// The log, on standard error.
    pub struct Log = "log" {
        /// `text` for people, `json` for machines.
        format: LogFormat = LogFormat::Text;
        /// The least severe lines that are written: `error`, `warn`, `info`, `debug` or `trace`.
        level: LogLevel = LogLevel::Info;
    }
}

named! {
    /// The form of the log.
    LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object per line.
        Json = "json",
    }
}

named! {
    /// The severity of log lines.
    LogLevel {
        /// What needs a person.
        Error = "error",
        /// What may need one.
        Warn = "warn",
        /// What happened.
        Info = "info",
        /// Why it happened.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

names!(LogFormat, LogLevel);
