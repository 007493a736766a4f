//! The plain tables: each key is read on its own.

use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

use super::declare::section;
use crate::crypto::hashing_pool::HashingCapacity;
use crate::domain::client::named;
use crate::domain::signing_key::periods::KeyPeriods;
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

const fn days(number: u32) -> Seconds {
    hours(24 * number)
}

section! {
    /// Limits for all tokens.
    pub struct Tokens = "tokens" {
        /// The longest token lifetime, whatever audiences and policies say.
        max_lifetime: Seconds = hours(1), in seconds(1)..=hours(24);
    }
}

section! {
    /// Client assertions (`private_key_jwt`).
    pub struct Assertions = "assertions" {
        /// How far a client's clock may be off, either way. FAPI 2.0 asks for 10 seconds and allows at most 60.
        leeway: Seconds = seconds(10), in seconds(0)..=seconds(60);
    }
}

section! {
    /// Tokens bound to a client's key (RFC 9449).
    pub struct Dpop = "dpop" {
        /// true: a DPoP proof must contain the server's nonce (section 8), which changes every minute and is the same
        /// on all replicas with one sealing key. A client that does not have it gets `use_dpop_nonce` with the nonce,
        /// and tries again.
        require_nonce: bool = false;
    }
}

section! {
    /// Client secrets are hashed (argon2id) on dedicated threads, behind two bounded queues.
    pub struct Hashing = "hashing" {
        /// The number of hashing threads. Default: half of the cores, at least one.
        threads: usize = half_of_the_cores(), in 1..=1024, shown "2";
        /// How many generated secrets (`grantd_…`) may wait; beyond that the answer is 503.
        generated_queue: usize = 1024, in 1..=1_000_000;
        /// How many other secrets may wait per thread; beyond that the answer is 503. One takes about 15 ms, so 64 is a
        /// wait of about a second on any machine.
        imported_queue_per_thread: usize = 64, in 1..=100_000;
    }
}

fn half_of_the_cores() -> usize {
    (thread::available_parallelism().map_or(1, NonZeroUsize::get) / 2).max(1)
}

impl Hashing {
    /// The threads and queues.
    #[must_use]
    pub fn capacity(&self) -> HashingCapacity {
        let threads = NonZeroUsize::new(self.threads).unwrap_or(NonZeroUsize::MIN);
        HashingCapacity {
            threads,
            generated: self.generated_queue,
            imported: self.imported_queue_per_thread.saturating_mul(threads.get()),
        }
    }
}

section! {
    /// What a stranger may try. Only wrong secrets that cost a full hash count: those that grantd did not generate.
    /// Secrets, keys and certificates of its own making are never locked out.
    pub struct Budget = "budget" {
        /// Wrong secrets for one client id from one address (IPv6: one /64) in each `per`; beyond that the answer is 429,
        /// whether or not there is such a client. 0 turns it off.
        failures: u32 = 20, in 0..=1_000_000;
        /// The time in which as many become free again.
        per: Seconds = minutes(1), in seconds(1)..=hours(1);
        /// Wrong secrets from one address in each `per`, whatever client ids it names. An address that fails to
        /// authenticate more often, by whatever method, gets its refusals up to a second late. 0 turns both off.
        source_failures: u32 = 200, in 0..=1_000_000;
    }
}

section! {
    /// The most entries kept in memory; 0 turns a cache off.
    pub struct Cache = "cache" {
        /// Clients with their credentials and policies.
        clients: u64 = 10_000, in 0..=10_000_000;
        /// Audiences.
        audiences: u64 = 1000, in 0..=10_000_000;
        /// Verified secrets, which need not be hashed again.
        verified_secrets: u64 = 10_000, in 0..=10_000_000;
    }
}

section! {
    /// How a replica learns of changes made elsewhere.
    pub struct Feed = "feed" {
        /// Milliseconds between two polls: at least two a second, so that a change takes effect everywhere within one.
        poll_interval_ms: u64 = 250, in 10..=500;
        /// A replica that could not poll for this long stops issuing and introspecting tokens.
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
        /// The most connections per replica.
        max_connections: u32 = 10, in 1..=1000;
        /// How long a request waits for a connection before the answer is 503.
        acquire_timeout: Seconds = seconds(2), in seconds(1)..=minutes(1);
        /// How long an operation on the database may take.
        statement_timeout: Seconds = seconds(5), in seconds(1)..=minutes(1);
        /// How long a statement waits for another writer's lock.
        lock_timeout: Seconds = seconds(2), in seconds(1)..=minutes(1);
        /// false behind a pooler that shares a Postgres connection between clients, such as PgBouncer with `pool_mode =
        /// transaction`: statements are then prepared without a name.
        prepared_statements: bool = true;
    }
}

section! {
    /// Limits of connections and requests.
    pub struct Limits = "limits" {
        /// Bytes of a request's body.
        body_bytes: usize = 16_384, in 1024..=1_048_576;
        /// Bytes of a request's head: request line and header fields together; over HTTP/2 each field counts 32 more.
        /// The default is a little over 64 KiB, so that a too long URI (414) differs from too large headers (431).
        header_bytes: usize = 73_728, in 8192..=1_048_576;
        /// Header fields of a request.
        header_count: usize = 64, in 16..=1000;
        /// HTTP/1.1: the longest wait for a whole head, counted from the end of the previous answer: so also how long a
        /// connection may be idle between two requests.
        header_timeout: Seconds = seconds(20), in seconds(1)..=hours(1);
        /// From the end of the head to the last byte of the body.
        body_timeout: Seconds = seconds(10), in seconds(1)..=hours(1);
        /// A connection that finishes no request for this long is closed, whatever else it does; closing may take a
        /// quarter longer.
        idle_timeout: Seconds = seconds(22), in seconds(1)..=hours(1);
        /// Concurrent connections on `[public]` and `[mtls]` together. Further ones wait to be accepted, and those that
        /// finished nothing for two seconds are closed to make room. Lowered if the file descriptor limit allows fewer.
        connections: usize = 4096, in 1..=1_000_000;
        /// Concurrent requests, until their answers are sent; beyond that the answer is 503. A fifth is for the second
        /// and later requests of one connection: with `connections` at four fifths of it, each connection always has
        /// one.
        requests: usize = 5120, in 8..=2_000_000;
        /// How long a server that is told to stop still serves everything, unready and with `Connection: close`: as
        /// long as the load balancer in front takes to notice.
        drain_delay: Seconds = seconds(0), in seconds(0)..=hours(1);
        /// How long requests in flight may take to finish when the server stops, after `drain_delay`.
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
        /// How long a key signs before the next one takes over; 0 turns rotation off. At least `jwks_max_age` +
        /// `feed.max_staleness` + 1s, so that every verifier knows a key before it signs. A retired key stays in the
        /// JWKS until its last token has expired.
        rotation: Seconds = days(30), in seconds(0)..=days(3650);
        /// How long clients may cache the JWKS. A new key is announced for longer than this before it signs.
        jwks_max_age: Seconds = minutes(5), in seconds(0)..=hours(24);
    }
}

impl Keys {
    /// How long signing keys are announced, sign, and stay.
    #[must_use]
    pub fn periods(&self, feed: &Feed, tokens: &Tokens) -> KeyPeriods {
        KeyPeriods {
            rotation: (self.rotation.get() > 0).then_some(self.rotation),
            jwks_max_age: self.jwks_max_age,
            max_staleness: feed.max_staleness,
            max_lifetime: tokens.max_lifetime,
        }
    }
}

section! {
    /// `GET /metrics` on the operations listener.
    pub struct Metrics = "metrics" {
        /// How many clients have a label of their own; the rest share `(other)`.
        clients: usize = 1000, in 0..=100_000;
    }
}

section! {
    /// The log, on standard error.
    pub struct Log = "log" {
        /// `text` for people, `json` for machines. Default: `text` on a terminal, `json` elsewhere.
        format: Option<LogFormat>, shown "\"json\"";
        /// The least severe level that is logged: `error`, `warn`, `info`, `debug` or `trace`.
        level: LogLevel = LogLevel::Info;
        /// Whether each issued token has a line at `info`. With false it has one at `debug`.
        issued: bool = true;
    }
}

section! {
    /// The audit log: the table `audit_events`, which `grantd audit` shows.
    pub struct Audit = "audit" {
        /// How long administrative changes and alerts are kept.
        keep: Seconds = days(400), in days(1)..=days(36_500);
        /// How long refusals are kept.
        keep_refusals: Seconds = days(7), in seconds(60)..=days(36_500);
        /// How many refusals are kept, whatever their age; the oldest go first.
        most_refusals: u32 = 1_000_000, in 0..=1_000_000_000;
    }
}

section! {
    /// Alerts: a line at `warn` and an audit event, once an hour for each thing that they are about.
    pub struct Alerts = "alerts" {
        /// How long before its end a credential or a certificate raises an alert.
        expiry: Seconds = days(14), in seconds(0)..=days(3650);
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
