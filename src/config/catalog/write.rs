//! Writes a catalog that [`super::Catalog::parse`] reads again: what `grantd export` prints.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use toml::{Table, Value};

use crate::domain::audience::Audience;
use crate::domain::client::{Client, ClientStatus};
use crate::domain::credential::{Credential, CredentialMaterial, SecretForm};
use crate::domain::policy::Policy;
use crate::domain::timestamp::Timestamp;

/// A client with all that belongs to it.
#[derive(Clone, Debug)]
pub struct ExportedClient {
    /// The client.
    pub client: Client,
    /// Its credentials; secrets are hashes, so nothing is written in clear.
    pub credentials: Vec<Credential>,
    /// Its policies.
    pub policies: Vec<Policy>,
}

/// The catalog as TOML. Deleted clients are left out. What the database alone knows
/// (`tokens_not_before`, times of creation and of use) is not part of a catalog.
#[must_use]
pub fn to_toml(audiences: &[Audience], clients: &[ExportedClient]) -> String {
    let mut text = String::new();
    for audience in audiences {
        table(&mut text, "[[audience]]", &audience_keys(audience));
    }
    for exported in clients.iter().filter(|it| it.client.status != ClientStatus::Deleted) {
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
    let described = audience.scopes.values().any(|description| !description.is_empty());
    let scopes = if described {
        let entry = |(scope, description): (&_, &String)| {
            (ToString::to_string(scope), Value::String(description.clone()))
        };
        Value::Table(audience.scopes.iter().map(entry).collect())
    } else {
        texts(audience.scopes.keys())
    };
    vec![
        ("id", text(&audience.id)),
        ("scopes", scopes),
        ("token_lifetime", text(audience.token_lifetime)),
        ("max_token_lifetime", text(audience.max_token_lifetime)),
        ("algorithm", text(audience.algorithm)),
        ("jwt_typ", text(audience.jwt_typ)),
        ("sender_constraint", text(audience.sender_constraint)),
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
    keys.extend(named.into_iter().filter_map(|(key, value)| Some((key, text(value.as_ref()?)))));
    keys.push(("status", text(client.status)));
    if !client.claims.is_empty() {
        keys.push(("claims", Value::Table(claims(&client.claims))));
    }
    keys.push(("grants", texts(&client.grants)));
    keys.push(("auth", texts(&client.auth_methods)));
    keys.push(("assertion_audience", text(client.assertion_audience)));
    if let Some(most) = client.max_assertion_lifetime {
        keys.push(("max_assertion_lifetime", text(most)));
    }
    if client.dpop_bound_access_tokens {
        keys.push(("dpop_bound_access_tokens", Value::Boolean(true)));
    }
    if client.certificate_bound_access_tokens {
        keys.push(("tls_client_certificate_bound_access_tokens", Value::Boolean(true)));
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
        lists.entry(key).or_default().push(credential_value(credential, value));
    }
    lists.into_iter().map(|(key, list)| (key, Value::Array(list))).collect()
}

/// The material alone, or a table where there is more to say.
fn credential_value(credential: &Credential, value: &str) -> Value {
    let mut table = Table::new();
    if credential.secret().is_some_and(|hash| hash.form == SecretForm::Generated) {
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
        keys.push(("token_lifetime", text(lifetime)));
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
    text.parse::<i64>().map_or(Value::String(text), Value::Integer)
}

fn claims(claims: &serde_json::Map<String, serde_json::Value>) -> Table {
    claims.iter().filter_map(|(name, value)| Some((name.clone(), toml_value(value)?))).collect()
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

fn text(value: impl ToString) -> Value {
    Value::String(value.to_string())
}

fn texts<T: ToString>(values: impl IntoIterator<Item = T>) -> Value {
    Value::Array(values.into_iter().map(text).collect())
}
