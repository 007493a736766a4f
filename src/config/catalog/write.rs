//! Writes a catalog that [`super::Catalog::parse`] reads again: what `grantd export` prints.

use std::fmt::Write as _;

use indexmap::IndexMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::ser::Error;
use toml::{Table, Value};

use crate::domain::audience::Audience;
use crate::domain::client::ClientStatus;
use crate::domain::credential::{
    Credential, CredentialKind, CredentialMaterial, CredentialShape, SecretForm, SubjectKind,
};
use crate::domain::known_client::KnownClient;
use crate::domain::trusted_issuer::TrustedIssuer;

/// The catalog as TOML. Deleted clients are left out. What the database alone knows
/// (`tokens_not_before`, times of creation and of use) is not part of a catalog.
///
/// # Errors
/// Claims that TOML cannot hold, which no catalog can have stated.
pub fn to_toml(
    audiences: &[Audience],
    issuers: &[TrustedIssuer],
    clients: &[KnownClient],
) -> Result<String, Error> {
    let mut text = String::new();
    for audience in audiences {
        let keys = stated(audience, &[("id", audience.id.as_str())])?;
        table(&mut text, ("[[audience]]", ""), &keys);
    }
    for issuer in issuers {
        let named = [("id", issuer.id.as_str()), ("url", issuer.url.as_str())];
        table(&mut text, ("[[issuer]]", ""), &stated(issuer, &named)?);
    }
    let living = clients
        .iter()
        .filter(|it| it.client.status != ClientStatus::Deleted);
    for exported in living {
        table(&mut text, ("[[client]]", ""), &client_keys(exported)?);
        for credential in &exported.credentials {
            if let Some(identity) = credential.material.identity() {
                let mut keys = Table::try_from(identity)?;
                keys.extend(Table::try_from(credential.lifespan())?);
                table(&mut text, ("[[client.identity]]", "  "), &keys);
            }
        }
        for policy in &exported.policies {
            let keys = stated(policy, &[("audience", policy.audience.as_str())])?;
            table(&mut text, ("[[client.policy]]", "  "), &keys);
        }
    }
    Ok(text)
}

/// The keys of a shape and their values, in its order.
#[must_use]
pub fn members(shape: &impl Serialize) -> IndexMap<String, serde_json::Value> {
    let text = serde_json::to_string(shape).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// What a catalog must state of `shape`, in its order: the keys of `named`, and those whose default would mean
/// something else.
fn stated<T: Serialize + DeserializeOwned>(
    shape: &T,
    named: &[(&str, &str)],
) -> Result<Table, Error> {
    let text = |(key, value): &(&str, &str)| ((*key).to_owned(), Value::from(*value));
    let named: Table = named.iter().map(text).collect();
    let default = match named.clone().try_into::<T>() {
        Ok(default) => Table::try_from(default)?,
        Err(_) => Table::new(),
    };
    let mut keys = Table::try_from(shape)?;
    keys.retain(|key, value| named.contains_key(key) || default.get(key) != Some(value));
    Ok(keys)
}

/// Its status is always written: `apply` leaves one that is not stated as it is.
fn client_keys(exported: &KnownClient) -> Result<Table, Error> {
    let client = &exported.client;
    let named = [
        ("id", client.id.as_str()),
        ("status", client.status.as_str()),
    ];
    let mut keys = stated(client, &named)?;
    if let Some(Value::Array(methods)) = keys.get("auth")
        && let [only] = &methods[..]
    {
        let only = only.clone();
        keys.insert("auth".to_owned(), only);
    }
    let is_behind = |(key, _): &(String, Value)| BEHIND.contains(&key.as_str());
    let (behind, mut keys): (Table, Table) = keys.into_iter().partition(is_behind);
    keys.extend(credential_keys(&exported.credentials)?);
    keys.extend(behind);
    Ok(keys)
}

/// The keys that stand behind the credentials.
const BEHIND: [&str; 4] = [
    "assertion_audience",
    "max_assertion_lifetime",
    "dpop_bound_access_tokens",
    "tls_client_certificate_bound_access_tokens",
];

const JWKS_URL: &str = CredentialKind::KeySource.as_str();

fn credential_keys(credentials: &[Credential]) -> Result<Table, Error> {
    let subjects = SubjectKind::ALL.iter().map(|kind| kind.as_str());
    let mut keys = Table::new();
    for key in ["secrets", "jwks", JWKS_URL, "thumbprints"]
        .into_iter()
        .chain(subjects)
    {
        let of_key = credentials
            .iter()
            .filter(|it| it.material.catalog_key() == key);
        let mut all = of_key
            .map(credential_value)
            .collect::<Result<Vec<_>, _>>()?;
        // Most clients have one subject or URL of keys; of the others they have several over time.
        let is_single = key == JWKS_URL || SubjectKind::from_text(key).is_some();
        let is_alone = all.len() == 1 && is_single;
        let value = if is_alone { all.pop() } else { None };
        let value = value.or_else(|| (!all.is_empty()).then_some(Value::Array(all)));
        keys.extend(value.map(|value| (key.to_owned(), value)));
    }
    Ok(keys)
}

/// The material alone, or a table where there is more to say.
fn credential_value(credential: &Credential) -> Result<Value, Error> {
    let value = match &credential.material {
        CredentialMaterial::Secret(hash) => hash.phc.as_str(),
        public => &public.public_value().unwrap_or_default(),
    };
    let hash = credential.secret();
    let is_generated = hash.is_some_and(|hash| hash.form == SecretForm::Generated);
    let shape = credential.shape();
    let more = Table::try_from(CredentialShape {
        id: shape.id.filter(|_| is_generated),
        value: Some(value.to_owned()),
        ..shape
    })?;
    Ok(match more.len() {
        1 => Value::from(value),
        _ => Value::Table(more),
    })
}

fn table(text: &mut String, (header, indent): (&str, &str), keys: &Table) {
    if !text.is_empty() {
        text.push('\n');
    }
    // Writing to a String does not fail.
    let _ = writeln!(text, "{indent}{header}");
    for (key, value) in keys {
        let _ = writeln!(text, "{indent}{key} = {value}");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::config::catalog::{Catalog, CatalogOptions, Placed};
    use crate::domain::algorithm::SigningAlgorithm;
    use crate::domain::audience::{JwtTyp, SenderConstraint, TokenFormat};
    use crate::domain::client::{AssertionAudience, AuthMethod, Client, GrantType};
    use crate::domain::credential::{SecretHash, StatedCredential, StatedSecret, SubjectName};
    use crate::domain::glob::Glob;
    use crate::domain::identifier::{AudienceId, ClientId, CredentialId, IssuerId};
    use crate::domain::policy::{Exchange, KeptClaim, Policy, SubjectSource};
    use crate::domain::scope::Scope;
    use crate::domain::timestamp::{Seconds, Timestamp};

    fn audience(id: &str, description: &str) -> Audience {
        Audience {
            id: AudienceId::parse(id).unwrap(),
            scopes: [(Scope::parse("a:'\u{7e}").unwrap(), description.to_owned())].into(),
            token_lifetime: Seconds::new(61),
            max_token_lifetime: Seconds::new(3600),
            algorithm: SigningAlgorithm::EdDsa,
            format: TokenFormat::Opaque,
            jwt_typ: JwtTyp::Jwt,
            sender_constraint: SenderConstraint::Any,
            served_by: vec![ClientId::parse("it is \"me\"\\").unwrap()],
        }
    }

    fn client(id: &str, text: &str) -> Client {
        Client {
            name: Some(text.to_owned()),
            environment: Some(text.to_owned()),
            status: ClientStatus::Disabled,
            auth_methods: AuthMethod::REGISTRABLE.to_vec(),
            assertion_audience: AssertionAudience::IssuerOrTokenEndpoint,
            max_assertion_lifetime: Some(Seconds::new(3600)),
            dpop_bound_access_tokens: true,
            certificate_bound_access_tokens: true,
            claims: serde_json::json!({ "a b": text, "n": [1, 2.5, true, { "x": -1 }] })
                .as_object()
                .unwrap()
                .clone(),
            ..Client::bare(id)
        }
    }

    fn credential(number: usize, material: CredentialMaterial) -> Credential {
        let at = |seconds| (number.is_multiple_of(2)).then(|| Timestamp::from_unix(seconds));
        Credential {
            id: CredentialId::parse(&format!("k3v9x0q2m{number}")).unwrap(),
            label: (number.is_multiple_of(3)).then(|| "2026 \"Q4\"".to_owned()),
            material,
            active_from: at(1_767_225_600),
            expires_at: at(i64::MAX),
            retired_at: at(1_767_225_601),
            tokens_not_before: Timestamp::EPOCH,
            created_at: Timestamp::EPOCH,
            last_used_at: None,
            last_used_from: None,
        }
    }

    fn credentials() -> Vec<Credential> {
        let hash = |form: SecretForm| {
            let salt = ["c2FsdHNhbHQ", "d2FsdHNhbHQ", "e2FsdHNhbHQ"][form as usize];
            let phc = format!("$argon2id$v=19$m=256,t=1,p=1${salt}$aGFzaGhhc2hoYXNoaGFzaA");
            CredentialMaterial::Secret(SecretHash { form, phc })
        };
        let subject = SubjectName {
            kind: SubjectKind::Dn,
            value: r#"CN=\"a\",O=b"#.to_owned(),
        };
        // RFC 8037 appendix A.2 and RFC 7515 appendix A.3.
        let jwk = |text: &str| CredentialMaterial::Jwk(text.to_owned());
        let okp = r#"{"crv":"Ed25519","kid":"1","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let ec = r#"{"crv":"P-256","kid":"2","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
        let materials = [
            jwk(okp),
            jwk(ec),
            hash(SecretForm::Generated),
            hash(SecretForm::Imported),
            hash(SecretForm::Phc),
            CredentialMaterial::Subject(subject),
            CredentialMaterial::Certificate("A".repeat(43)),
        ];
        materials
            .into_iter()
            .enumerate()
            .map(|(at, it)| credential(at, it))
            .collect()
    }

    fn policy(audience: &str) -> Policy {
        Policy {
            audience: AudienceId::parse(audience).unwrap(),
            scopes: [Scope::parse("a:'\u{7e}").unwrap()].into_iter().collect(),
            default_scopes: [Scope::parse("a:'\u{7e}").unwrap()].into_iter().collect(),
            token_lifetime: Some(Seconds::new(120)),
            claims: serde_json::json!({ "roles": ["reader", "it is \"me\""], "x y": { "z": [] } })
                .as_object()
                .unwrap()
                .clone(),
            networks: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            methods: vec![AuthMethod::ClientSecretPost],
            grants: GrantType::ALL.to_vec(),
            exchange: Some(Exchange {
                subjects: vec![Glob::parse("it is \"me\"**").unwrap()],
                keep: vec![KeptClaim::parse("a 'b'").unwrap()],
                lifetime: Some(Seconds::new(60)),
                scopes_from_subject: true,
                rebind: true,
                ..Exchange::of(vec![
                    SubjectSource::parse("orders-api").unwrap(),
                    SubjectSource::parse("issuer:github").unwrap(),
                ])
            }),
            issuer: Some(IssuerId::parse("github").unwrap()),
            subjects: vec![Glob::parse("it is \"me\"**").unwrap()],
            enabled: false,
        }
    }

    fn parse(text: &str) -> Catalog {
        let environment = |_: &str| None;
        Catalog::parse("export", text, &CatalogOptions::strict(&environment))
            .unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    fn same_credential(read: &Placed<StatedCredential>, written: &Credential) -> bool {
        let material = match (&read.material, &written.material) {
            (
                CredentialMaterial::Secret(StatedSecret::Phc(phc)),
                CredentialMaterial::Secret(hash),
            ) => {
                let generated = hash.form == SecretForm::Generated;
                *phc == hash.phc && read.id == generated.then(|| written.id.clone())
            }
            (read, written) => {
                read.catalog_key() == written.catalog_key()
                    && read.public_value() == written.public_value()
            }
        };
        material
            && read.label == written.label
            && (read.active_from, read.expires_at, read.retired_at)
                == (written.active_from, written.expires_at, written.retired_at)
    }

    fn check(audience: &Audience, exported: &KnownClient) {
        let text = to_toml(
            std::slice::from_ref(audience),
            &[],
            std::slice::from_ref(exported),
        )
        .unwrap();
        let catalog = parse(&text);
        assert_eq!(&*catalog.audiences[0], audience);
        let read = &catalog.clients[0];
        assert_eq!(read.client, exported.client);
        assert!(read.states_status);
        assert_eq!(read.credentials.len(), exported.credentials.len());
        for written in &exported.credentials {
            assert!(
                read.credentials
                    .iter()
                    .any(|read| same_credential(read, written)),
                "{text}"
            );
        }
        let policies: Vec<_> = read.policies.iter().map(|it| it.value.clone()).collect();
        assert_eq!(policies, exported.policies);
    }

    fn exported(id: &str, text: &str, audience: &str) -> KnownClient {
        KnownClient {
            client: client(id, text),
            credentials: credentials(),
            policies: vec![policy(audience)],
            policy_marks: BTreeMap::new(),
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        check(
            &audience("https://api.example/", ""),
            &exported("c", "Orders", "https://api.example/"),
        );
        check(
            &audience("pricing-api", "Read"),
            &exported("c", "Orders", "pricing-api"),
        );
    }

    #[test]
    fn a_deleted_client_is_not_written() {
        let mut gone = exported("gone", "x", "a");
        gone.client.status = ClientStatus::Deleted;
        assert_eq!(to_toml(&[], &[], &[gone]).unwrap(), "");
    }

    /// As a person would write it: no defaults, policies indented under their client, each list on its line.
    #[test]
    fn an_export_reads_like_a_catalog() {
        let audience: Audience =
            serde_json::from_str(r#"{"id":"api","scopes":["read"],"max_token_lifetime":"1h"}"#)
                .unwrap();
        let client: Client = serde_json::from_str(
            r#"{"id":"mesh","owner":"team","auth":"tls_client_auth","max_assertion_lifetime":"1m"}"#,
        )
        .unwrap();
        let policy: Policy = serde_json::from_str(
            r#"{"audience":"api","scopes":["read"],"claims":{"roles":["a","b"]},"token_lifetime":"2m",
                "grants":["urn:ietf:params:oauth:grant-type:token-exchange"],
                "exchange":{"from":"orders-api","keep":["tenant"],"lifetime":"1m"}}"#,
        )
        .unwrap();
        let subject = SubjectName {
            kind: SubjectKind::Uri,
            value: "spiffe://example.org/mesh".to_owned(),
        };
        let subject = credential(1, CredentialMaterial::Subject(subject));
        let known = KnownClient {
            client,
            credentials: vec![subject],
            policies: vec![policy],
            policy_marks: BTreeMap::new(),
        };
        assert_eq!(
            to_toml(&[audience], &[], &[known]).unwrap(),
            r#"[[audience]]
id = "api"
scopes = ["read"]
max_token_lifetime = "1h"

[[client]]
id = "mesh"
owner = "team"
status = "active"
auth = "tls_client_auth"
san_uri = "spiffe://example.org/mesh"
max_assertion_lifetime = "1m"

  [[client.policy]]
  audience = "api"
  scopes = ["read"]
  token_lifetime = "2m"
  claims = { roles = ["a", "b"] }
  grants = ["token-exchange"]
  exchange = { from = ["orders-api"], keep = ["tenant"], lifetime = "1m" }
"#
        );
    }

    proptest! {
        #[test]
        fn any_text_reads_back(
            id in "[ -~]{1,20}",
            name in "[^\\p{Cc}]{1,20}",
            api in "[!$-\\[\\]-~]{1,20}",
            description in any::<String>(),
        ) {
            prop_assume!(id != api);
            check(&audience(&api, &description), &exported(&id, &name, &api));
        }
    }
}
