//! Writes a catalog that [`super::Catalog::parse`] reads again: what `grantd export` prints.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use toml::{Table, Value};

use crate::domain::audience::Audience;
use crate::domain::client::{Client, ClientStatus};
use crate::domain::credential::{Credential, CredentialMaterial, SecretForm};
use crate::domain::known_client::KnownClient;
use crate::domain::policy::Policy;
use crate::domain::timestamp::Timestamp;

/// The catalog as TOML. Deleted clients are left out. What the database alone knows
/// (`tokens_not_before`, times of creation and of use) is not part of a catalog.
#[must_use]
pub fn to_toml(audiences: &[Audience], clients: &[KnownClient]) -> String {
    let mut text = String::new();
    for audience in audiences {
        table(&mut text, "[[audience]]", &audience_keys(audience));
    }
    for exported in clients
        .iter()
        .filter(|it| it.client.status != ClientStatus::Deleted)
    {
        let mut keys = client_keys(&exported.client);
        keys.extend(credential_keys(&exported.credentials));
        table(&mut text, "[[client]]", &keys);
        for policy in &exported.policies {
            table(&mut text, "[[client.policy]]", &policy_keys(policy));
        }
    }
    text
}

type Keys = Vec<(&'static str, Value)>;

fn table(text: &mut String, header: &str, keys: &Keys) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(header);
    text.push('\n');
    for (key, value) in keys {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{key} = {value}");
    }
}

fn audience_keys(audience: &Audience) -> Keys {
    let described = audience
        .scopes
        .values()
        .any(|description| !description.is_empty());
    let scopes = if described {
        let entry = |(scope, description): (&_, &String)| {
            (
                ToString::to_string(scope),
                Value::String(description.clone()),
            )
        };
        Value::Table(audience.scopes.iter().map(entry).collect())
    } else {
        texts(audience.scopes.keys())
    };
    vec![
        ("id", text(&audience.id)),
        ("scopes", scopes),
        ("token_lifetime", text(&audience.token_lifetime)),
        ("max_token_lifetime", text(&audience.max_token_lifetime)),
        ("algorithm", text(&audience.algorithm)),
        ("jwt_typ", text(&audience.jwt_typ)),
        ("sender_constraint", text(&audience.sender_constraint)),
        ("served_by", texts(&audience.served_by)),
    ]
}

fn client_keys(client: &Client) -> Keys {
    let mut keys = vec![("id", text(&client.id))];
    let named = [
        ("name", &client.name),
        ("owner", &client.owner),
        ("environment", &client.environment),
        ("tenant", &client.tenant),
    ];
    keys.extend(
        named
            .into_iter()
            .filter_map(|(key, value)| Some((key, text(value.as_deref()?)))),
    );
    keys.push(("status", text(&client.status)));
    if !client.claims.is_empty() {
        keys.push(("claims", Value::Table(claims(&client.claims))));
    }
    keys.push(("grants", texts(&client.grants)));
    keys.push(("auth", texts(&client.auth_methods)));
    keys.push(("assertion_audience", text(&client.assertion_audience)));
    if let Some(most) = client.max_assertion_lifetime {
        keys.push(("max_assertion_lifetime", text(&most)));
    }
    if client.dpop_bound_access_tokens {
        keys.push(("dpop_bound_access_tokens", Value::Boolean(true)));
    }
    if client.certificate_bound_access_tokens {
        keys.push((
            "tls_client_certificate_bound_access_tokens",
            Value::Boolean(true),
        ));
    }
    keys
}

fn credential_keys(credentials: &[Credential]) -> Keys {
    let mut lists: BTreeMap<&'static str, Vec<Value>> = BTreeMap::new();
    for credential in credentials {
        let (key, value) = match &credential.material {
            CredentialMaterial::Secret(hash) => ("secrets", &hash.phc),
            CredentialMaterial::Jwk(json) => ("jwks", json),
            CredentialMaterial::Certificate(print) => ("thumbprints", print),
            CredentialMaterial::Subject(name) => (name.kind.as_str(), &name.value),
        };
        lists
            .entry(key)
            .or_default()
            .push(credential_value(credential, value));
    }
    lists
        .into_iter()
        .map(|(key, list)| (key, Value::Array(list)))
        .collect()
}

/// The material alone, or a table where there is more to say.
fn credential_value(credential: &Credential, value: &str) -> Value {
    let mut table = Table::new();
    if credential
        .secret()
        .is_some_and(|hash| hash.form == SecretForm::Generated)
    {
        table.insert("id".to_owned(), text(&credential.id));
    }
    if let Some(label) = &credential.label {
        table.insert("label".to_owned(), text(label));
    }
    let times = [
        ("active_from", credential.active_from),
        ("expires_at", credential.expires_at),
        ("retired_at", credential.retired_at),
    ];
    for (key, at) in times {
        if let Some(at) = at {
            table.insert(key.to_owned(), instant(at));
        }
    }
    if table.is_empty() {
        return text(value);
    }
    table.insert("value".to_owned(), text(value));
    Value::Table(table)
}

fn policy_keys(policy: &Policy) -> Keys {
    let mut keys = vec![
        ("audience", text(&policy.audience)),
        ("scopes", texts(policy.scopes.iter())),
        ("default_scopes", texts(policy.default_scopes.iter())),
    ];
    if let Some(lifetime) = policy.token_lifetime {
        keys.push(("token_lifetime", text(&lifetime)));
    }
    if !policy.claims.is_empty() {
        keys.push(("claims", Value::Table(claims(&policy.claims))));
    }
    if !policy.networks.is_empty() {
        keys.push(("networks", texts(&policy.networks)));
    }
    if !policy.methods.is_empty() {
        keys.push(("methods", texts(&policy.methods)));
    }
    keys.push(("enabled", Value::Boolean(policy.enabled)));
    keys
}

/// RFC 3339 as text; Unix seconds where the calendar does not reach.
fn instant(at: Timestamp) -> Value {
    let text = at.to_string();
    text.parse::<i64>()
        .map_or(Value::String(text), Value::Integer)
}

fn claims(claims: &serde_json::Map<String, serde_json::Value>) -> Table {
    claims
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), toml_value(value)?)))
        .collect()
}

/// TOML has no null, so null members are left out; a catalog cannot have brought them.
fn toml_value(value: &serde_json::Value) -> Option<Value> {
    Some(match value {
        serde_json::Value::Null => return None,
        serde_json::Value::Bool(flag) => Value::Boolean(*flag),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(number) => Value::Integer(number),
            None => Value::Float(number.as_f64()?),
        },
        serde_json::Value::String(text) => Value::String(text.clone()),
        serde_json::Value::Array(list) => {
            Value::Array(list.iter().filter_map(toml_value).collect())
        }
        serde_json::Value::Object(members) => Value::Table(claims(members)),
    })
}

fn text(value: &(impl ToString + ?Sized)) -> Value {
    Value::String(value.to_string())
}

fn texts<T: ToString>(values: impl IntoIterator<Item = T>) -> Value {
    Value::Array(values.into_iter().map(|value| text(&value)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::catalog::{Catalog, CatalogCredential, CatalogMaterial, CatalogOptions};
    use crate::domain::algorithm::SigningAlgorithm;
    use crate::domain::audience::{JwtTyp, SenderConstraint};
    use crate::domain::client::{AssertionAudience, AuthMethod, GrantType};
    use crate::domain::credential::{SecretHash, SubjectKind, SubjectName};
    use crate::domain::identifier::{AudienceId, ClientId, CredentialId};
    use crate::domain::scope::Scope;
    use crate::domain::timestamp::Seconds;

    fn audience(id: &str, description: &str) -> Audience {
        Audience {
            id: AudienceId::parse(id).unwrap(),
            scopes: [(Scope::parse("a:'\u{7e}").unwrap(), description.to_owned())].into(),
            token_lifetime: Seconds::new(61),
            max_token_lifetime: Seconds::new(3600),
            algorithm: SigningAlgorithm::EdDsa,
            jwt_typ: JwtTyp::Jwt,
            sender_constraint: SenderConstraint::Any,
            served_by: vec![ClientId::parse("it is \"me\"\\").unwrap()],
        }
    }

    fn client(id: &str, text: &str) -> Client {
        Client {
            id: ClientId::parse(id).unwrap(),
            name: Some(text.to_owned()),
            owner: None,
            environment: Some(text.to_owned()),
            tenant: None,
            status: ClientStatus::Disabled,
            grants: vec![GrantType::ClientCredentials],
            auth_methods: AuthMethod::ALL.to_vec(),
            assertion_audience: AssertionAudience::IssuerOrTokenEndpoint,
            max_assertion_lifetime: Some(Seconds::new(3600)),
            dpop_bound_access_tokens: true,
            certificate_bound_access_tokens: true,
            claims: serde_json::json!({ "a b": text, "n": [1, 2.5, true, { "x": -1 }] })
                .as_object()
                .unwrap()
                .clone(),
            tokens_not_before: Timestamp::EPOCH,
            created_at: Timestamp::EPOCH,
            rotated_at: None,
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
        }
    }

    fn credentials() -> Vec<Credential> {
        let hash = |form| {
            let phc = "$argon2id$v=19$m=256,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA".to_owned();
            CredentialMaterial::Secret(SecretHash { form, phc })
        };
        let subject = SubjectName {
            kind: SubjectKind::Dn,
            value: r#"CN=\"a\",O=b"#.to_owned(),
        };
        let jwk = |kid| {
            // RFC 8037 appendix A.2.
            let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
            let text = format!(r#"{{"crv":"Ed25519","kid":"{kid}","kty":"OKP","x":"{x}"}}"#);
            CredentialMaterial::Jwk(text)
        };
        let materials = [
            jwk("1"),
            jwk("2"),
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
            enabled: false,
        }
    }

    fn parse(text: &str) -> Catalog {
        let environment = |_: &str| None;
        Catalog::parse("export", text, &CatalogOptions::strict(&environment))
            .unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    fn same_credential(read: &CatalogCredential, written: &Credential) -> bool {
        let material = match (&read.material, &written.material) {
            (CatalogMaterial::Phc(phc), CredentialMaterial::Secret(hash)) => {
                let generated = hash.form == SecretForm::Generated;
                *phc == hash.phc && read.id == generated.then(|| written.id.clone())
            }
            (CatalogMaterial::Jwk(read), CredentialMaterial::Jwk(written))
            | (CatalogMaterial::Certificate(read), CredentialMaterial::Certificate(written)) => {
                read == written
            }
            (CatalogMaterial::Subject(read), CredentialMaterial::Subject(written)) => {
                read == written
            }
            _ => false,
        };
        material
            && read.label == written.label
            && (read.active_from, read.expires_at, read.retired_at)
                == (written.active_from, written.expires_at, written.retired_at)
    }

    fn check(audience: &Audience, exported: &KnownClient) {
        let text = to_toml(
            std::slice::from_ref(audience),
            std::slice::from_ref(exported),
        );
        let catalog = parse(&text);
        assert_eq!(&catalog.audiences[0].audience, audience);
        let (read, written) = (&catalog.clients[0], &exported.client);
        assert_eq!(read.id, written.id);
        assert_eq!(
            [&read.name, &read.owner, &read.environment, &read.tenant],
            [
                &written.name,
                &written.owner,
                &written.environment,
                &written.tenant
            ]
        );
        assert_eq!(read.status, Some(written.status));
        assert_eq!(read.claims, written.claims);
        assert_eq!(read.grants, written.grants);
        assert_eq!(read.auth_methods, written.auth_methods);
        assert_eq!(read.assertion_audience, written.assertion_audience);
        assert_eq!(read.max_assertion_lifetime, written.max_assertion_lifetime);
        assert!(read.dpop_bound_access_tokens && read.certificate_bound_access_tokens);
        assert_eq!(read.credentials.len(), exported.credentials.len());
        for written in &exported.credentials {
            assert!(
                read.credentials
                    .iter()
                    .any(|read| same_credential(read, written)),
                "{text}"
            );
        }
        let policies: Vec<_> = read.policies.iter().map(|it| it.policy.clone()).collect();
        assert_eq!(policies, exported.policies);
    }

    fn exported(id: &str, text: &str, audience: &str) -> KnownClient {
        KnownClient {
            client: client(id, text),
            credentials: credentials(),
            policies: vec![policy(audience)],
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
        assert_eq!(to_toml(&[], &[gone]), "");
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
