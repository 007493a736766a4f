//! The rule book for the credentials of a client: each rule holds for what a catalog states and for what a command
//! registers, from one table.

use grantd::config::catalog::public_material;
use grantd::domain::credential::{PublicMaterial, SubjectKind};
use grantd::domain::profile::Profile;
use grantd::domain::timestamp::Timestamp;
use grantd::operations::manage_credentials::{Expiry, NewCredential};
use grantd::operations::register_credentials::register_credentials;

use super::*;

// RFC 8037 appendix A.2, RFC 7515 appendix A.3.
const ED25519: &str =
    r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
const P256: &str = r#""kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;

const BY_KEY: &str = "auth = \"private_key_jwt\"\n";
const BY_SUBJECT: &str = "auth = \"tls_client_auth\"\n";

/// What is stated: a key with its `kid`, or a subject.
#[derive(Clone, Copy)]
enum Stated {
    Key(&'static str, &'static str),
    Subject(SubjectKind, &'static str),
}

impl Stated {
    fn material(self) -> PublicMaterial {
        match self {
            Self::Key(members, kid) => {
                let jwk = format!(r#"{{{members},"kid":"{kid}"}}"#);
                public_material::keys(&jwk).unwrap().remove(0)
            }
            Self::Subject(kind, name) => public_material::subject(kind, name).unwrap(),
        }
    }

    /// Its line in a catalog, with `more` beside it.
    fn line(self, more: &str) -> String {
        match self {
            Self::Key(members, kid) => {
                format!("jwks = [{{ value = '{{{members},\"kid\":\"{kid}\"}}'{more} }}]\n")
            }
            Self::Subject(kind, name) => format!("{kind} = {{ value = \"{name}\"{more} }}\n"),
        }
    }
}

/// One rule: how the client authenticates, what it has, whether that was retired, what is to come, and what is said.
type Rule = (&'static str, Option<(Stated, bool)>, Stated, &'static str);

const RULES: [Rule; 9] = [
    (
        BY_SUBJECT,
        None,
        Stated::Key(ED25519, "a"),
        "no method that uses a jwk",
    ),
    (
        BY_KEY,
        None,
        Stated::Subject(SubjectKind::Dns, "a.example"),
        "no method that uses a subject",
    ),
    (
        BY_KEY,
        Some((Stated::Key(ED25519, "a"), false)),
        Stated::Key(ED25519, "b"),
        "has this jwk already, as credential",
    ),
    (
        BY_KEY,
        Some((Stated::Key(ED25519, "a"), true)),
        Stated::Key(ED25519, "b"),
        "which was retired and stays so",
    ),
    (
        BY_KEY,
        Some((Stated::Key(ED25519, "a"), false)),
        Stated::Key(P256, "a"),
        "has the kid \"a\"",
    ),
    (
        BY_KEY,
        Some((Stated::Key(ED25519, "a"), true)),
        Stated::Key(P256, "a"),
        "has the kid \"a\"",
    ),
    (
        BY_SUBJECT,
        Some((Stated::Subject(SubjectKind::Dns, "a.example"), false)),
        Stated::Subject(SubjectKind::Dn, "CN=a"),
        "has another subject in force",
    ),
    (
        BY_SUBJECT,
        Some((Stated::Subject(SubjectKind::Dns, "a.example"), false)),
        Stated::Subject(SubjectKind::Dns, "A.example"),
        "has this subject already",
    ),
    (
        BY_SUBJECT,
        Some((Stated::Subject(SubjectKind::Dns, "a.example"), true)),
        Stated::Subject(SubjectKind::Dns, "A.example"),
        "which was retired and stays so",
    ),
];

fn new(profile: Profile) -> NewCredential {
    NewCredential {
        label: None,
        active_from: None,
        expiry: None,
        profile,
        by: by(),
    }
}

impl Env {
    /// What a command says that registers `stated` for `client`.
    async fn told_by_command(&self, client: &str, stated: Stated, new: &NewCredential) -> String {
        let id = ClientId::parse(client).unwrap();
        let done = register_credentials(&self.store, &id, vec![stated.material()], new).await;
        done.unwrap_err().to_string()
    }
}

/// What a catalog's refusal says behind its place.
fn behind_place(refusal: &str) -> &str {
    let (place, text) = refusal.split_once(": ").unwrap();
    assert!(place.starts_with("test.toml:"), "{refusal}");
    text
}

on_both! {
    async fn each_rule_holds_for_a_catalog_and_for_a_command_in_the_same_words(env) {
        for (number, (auth, held, stated, why)) in RULES.into_iter().enumerate() {
            let client = format!("c{number}");
            let head = format!("[[client]]\nid = \"{client}\"\n{auth}");
            let line = held.map_or_else(String::new, |(held, _)| held.line(""));
            env.apply(&format!("{head}{line}")).await;
            if let Some((_, true)) = held {
                let id = env.credentials(&client).await.remove(0).id;
                env.retire(&id, false).await;
            }
            let by_command = env.told_by_command(&client, stated, &new(Profile::Default)).await;
            let catalog = format!("{head}{}", stated.line(""));
            let by_catalog = env.try_apply(&catalog, false).await.unwrap_err();
            assert_eq!(behind_place(&by_catalog), by_command, "{number}");
            assert!(by_command.contains(why), "{number}: {by_command}");
        }
    }

    async fn a_life_that_ends_before_it_begins_is_refused_in_both_ways(env) {
        let head = format!("[[client]]\nid = \"c\"\n{BY_KEY}");
        env.apply(&head).await;
        let key = Stated::Key(ED25519, "a");
        let life = NewCredential {
            active_from: Some(Timestamp::from_unix(START + 200)),
            expiry: Some(Expiry::At(Timestamp::from_unix(START + 100))),
            ..new(Profile::Default)
        };
        let by_command = env.told_by_command("c", key, &life).await;
        let times = format!(", active_from = {}, expires_at = {}", START + 200, START + 100);
        let catalog = format!("{head}{}", key.line(&times));
        let by_catalog = env.try_apply(&catalog, false).await.unwrap_err();
        assert_eq!(behind_place(&by_catalog), by_command);
        assert!(by_command.contains("would expire before it becomes active"), "{by_command}");
    }

    async fn the_profile_holds_in_both_ways(env) {
        let lax = "assertion_audience = \"issuer_or_token_endpoint\"\n";
        let head = format!("[[client]]\nid = \"c\"\n{BY_KEY}{lax}");
        env.apply(&head).await;
        let key = Stated::Key(ED25519, "a");
        let by_command = env.told_by_command("c", key, &new(Profile::Fapi2)).await;
        let options = ApplyOptions { profile: Profile::Fapi2, ..env.options() };
        let catalog = format!("{head}{}", key.line(""));
        let by_catalog = env.apply_with(&catalog, options).await.unwrap_err();
        assert_eq!(behind_place(&by_catalog), by_command);
        assert!(by_command.contains("takes the issuer alone"), "{by_command}");
    }

    /// What one catalog states is judged where it is read, so that all its faults are told together.
    async fn a_catalog_breaks_no_rule_within_itself(env) {
        let two = |one: &str, other: &str| {
            format!("[[client]]\nid = \"c\"\n{BY_KEY}jwks = ['{{{one}}}', '{{{other}}}']\n")
        };
        let kid = |members: &str, kid: &str| format!("{members},\"kid\":\"{kid}\"");
        for (catalog, why) in [
            (two(&kid(ED25519, "a"), &kid(ED25519, "b")), "has this jwk already, stated beside it"),
            (two(&kid(ED25519, "a"), &kid(P256, "a")), "has the kid \"a\", stated beside it"),
        ] {
            let refused = env.try_apply(&catalog, false).await.unwrap_err();
            assert!(refused.starts_with("test.toml:4: ") && refused.contains(why), "{refused}");
        }
        env.apply(&two(&kid(ED25519, "a"), &kid(P256, "b"))).await;
    }
}
