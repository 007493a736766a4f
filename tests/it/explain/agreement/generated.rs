//! Catalogs with one client, and requests of it.

use std::sync::atomic::{AtomicU32, Ordering};

use grantd::domain::client::AuthMethod;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// The scopes of all audiences.
const SCOPES: [&str; 3] = ["read", "write", "fly"];
/// Where requests come from: the first is in the network of policies that have one.
pub(super) const SOURCES: [&str; 2] = ["192.0.2.7", "203.0.113.9"];

/// What a client has to prove itself with, for one kind of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    Nothing,
    Live,
    Retired,
}

#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) audience: usize,
    pub(super) scopes: Vec<&'static str>,
    pub(super) has_default: bool,
    pub(super) has_network: bool,
    pub(super) methods: Vec<AuthMethod>,
    pub(super) is_enabled: bool,
    pub(super) lifetime: Option<u32>,
}

#[derive(Clone, Debug)]
pub(super) struct Audience {
    pub(super) scopes: Vec<&'static str>,
    pub(super) constraint: &'static str,
    pub(super) lifetime: u32,
    pub(super) is_jwt: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: AuthMethod,
    pub(super) grant: &'static str,
    pub(super) scope: Option<String>,
    /// One that there is, or the one behind the last.
    pub(super) audience: Option<usize>,
    pub(super) source: &'static str,
    pub(super) dpop: bool,
    /// Whether the certificate of the client is on the connection, also where it does not prove anything.
    pub(super) certificate: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) number: u32,
    pub(super) audiences: Vec<Audience>,
    pub(super) policies: Vec<Policy>,
    pub(super) methods: Vec<AuthMethod>,
    pub(super) secret: Held,
    pub(super) key: Held,
    pub(super) certificate: Held,
    /// Further lines of the client.
    pub(super) lines: Vec<&'static str>,
    pub(super) asked: Vec<Asked>,
}

impl Case {
    pub(super) fn client_id(&self) -> String {
        format!("client-{}", self.number)
    }

    pub(super) fn audience_id(&self, at: usize) -> String {
        format!("audience-{}-{at}", self.number)
    }

    fn takes(&self, method: AuthMethod) -> bool {
        self.methods.contains(&method)
    }

    /// A subject is registered where the method is, for it alone.
    pub(super) fn has_subject(&self) -> bool {
        self.takes(AuthMethod::TlsClientAuth)
    }

    pub(super) fn has_credential_for(&self, method: AuthMethod) -> bool {
        use AuthMethod::{ClientSecretBasic, ClientSecretPost, PrivateKeyJwt};
        let held = match method {
            ClientSecretBasic | ClientSecretPost => self.secret,
            PrivateKeyJwt => self.key,
            AuthMethod::SelfSignedTlsClientAuth => self.certificate,
            AuthMethod::TlsClientAuth => return self.has_subject(),
            AuthMethod::Federated => return false,
        };
        held != Held::Nothing
    }
}

/// A number of its own for each catalog, so that one is not like another that was applied before.
static NUMBER: AtomicU32 = AtomicU32::new(0);

pub(super) fn cases() -> impl Strategy<Value = Case> {
    let parts = (
        vec(audience(), 1..4),
        vec(policy(), 0..4),
        methods(),
        vec(asked(), 3..7),
    );
    (parts, (held(), held(), held()), lines()).prop_map(|(parts, held, lines)| {
        let (audiences, mut policies, methods, mut asked) = parts;
        policies.retain(|it| it.audience < audiences.len());
        policies.sort_by_key(|it| it.audience);
        policies.dedup_by_key(|it| it.audience);
        // A catalog states no policy that never holds.
        for it in &mut policies {
            it.methods.retain(|it| methods.contains(it));
        }
        let mut case = Case {
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            policies,
            secret: fitting(
                held.0,
                &methods,
                &[AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost],
            ),
            key: fitting(held.1, &methods, &[AuthMethod::PrivateKeyJwt]),
            certificate: fitting(held.2, &methods, &[AuthMethod::SelfSignedTlsClientAuth]),
            methods,
            lines,
            asked: Vec::new(),
            audiences,
        };
        // A request does not say which of the two methods of mutual TLS it uses: the client's registration does.
        asked.retain(|it| !it.method.is_mutual_tls() || case.takes(it.method));
        for it in &mut asked {
            it.certificate |= it.method.is_mutual_tls();
            it.audience = it.audience.map(|at| at % (case.audiences.len() + 1));
        }
        case.asked = asked;
        case
    })
}

fn lines() -> impl Strategy<Value = Vec<&'static str>> {
    let none = || Just(Vec::new());
    let one = select(vec![
        "status = \"disabled\"",
        "grants = []",
        "dpop_bound_access_tokens = true",
        "tls_client_certificate_bound_access_tokens = true",
    ]);
    prop_oneof![6 => none(), 4 => one.prop_map(|line| vec![line])]
}

/// A catalog states no credential that serves none of the client's methods.
fn fitting(held: Held, methods: &[AuthMethod], serves: &[AuthMethod]) -> Held {
    if serves.iter().any(|it| methods.contains(it)) {
        held
    } else {
        Held::Nothing
    }
}

fn weighted(tenths: u32) -> impl Strategy<Value = bool> {
    prop::bool::weighted(f64::from(tenths) / 10.0)
}

fn held() -> impl Strategy<Value = Held> {
    prop_oneof![1 => Just(Held::Nothing), 5 => Just(Held::Live), 1 => Just(Held::Retired)]
}

/// One of mutual TLS at most: of two the server tells what is wrong with the second.
fn methods() -> impl Strategy<Value = Vec<AuthMethod>> {
    subsequence(AuthMethod::REGISTRABLE.to_vec(), 1..=4).prop_map(|mut methods| {
        if methods.iter().filter(|it| it.is_mutual_tls()).count() > 1 {
            methods.pop();
        }
        methods
    })
}

fn audience() -> impl Strategy<Value = Audience> {
    let constraint =
        prop_oneof![5 => Just("none"), 1 => Just("mtls"), 1 => Just("dpop"), 1 => Just("any")];
    let scopes = subsequence(SCOPES.to_vec(), 1..=3);
    (scopes, constraint, 60..900_u32, any::<bool>()).prop_map(
        |(scopes, constraint, lifetime, is_jwt)| Audience {
            scopes,
            constraint,
            lifetime,
            is_jwt,
        },
    )
}

/// Which audience it is for is cut to those that there are; its scopes are cut to those of the audience.
fn policy() -> impl Strategy<Value = Policy> {
    let methods =
        prop_oneof![3 => Just(Vec::new()), 1 => subsequence(AuthMethod::ALL.to_vec(), 1..=2)];
    let scopes = subsequence(SCOPES.to_vec(), 1..=3);
    let what = (0..3_usize, scopes, weighted(6), of(60..900_u32));
    (what, weighted(2), methods, weighted(9)).prop_map(
        |(what, has_network, methods, is_enabled)| Policy {
            audience: what.0,
            scopes: what.1,
            has_default: what.2,
            lifetime: what.3,
            has_network,
            methods,
            is_enabled,
        },
    )
}

fn asked() -> impl Strategy<Value = Asked> {
    let grant = prop_oneof![12 => Just("client_credentials"), 1 => Just("password")];
    let scope = prop_oneof![
        6 => subsequence(SCOPES.to_vec(), 1..=2).prop_map(|it| it.join(" ")),
        1 => Just("swim".to_owned()),
        1 => Just("read  write".to_owned()),
    ];
    let what = (grant, of(scope), of(0..4_usize));
    let how = (
        select(AuthMethod::REGISTRABLE.to_vec()),
        select(SOURCES.to_vec()),
        weighted(3),
        weighted(2),
    );
    (what, how).prop_map(|(what, how)| Asked {
        method: how.0,
        grant: what.0,
        scope: what.1,
        audience: what.2,
        source: how.1,
        dpop: how.2,
        certificate: how.3,
    })
}
