//! What is shown of a request: parameters and headers that hold no secret as they came, and of all others the length
//! alone. A secret may stand where none belongs, so what is shown is looked through, too.

use axum::http::HeaderMap;
use axum::http::header::{self, HeaderName};
use serde_json::{Map, Value, json};

use crate::control::known_secrets::KnownSecrets;
use crate::domain::check::{Chain, Check};
use crate::domain::client::AuthMethod;
use crate::domain::decision::{ClaimedClient, Decided};
use crate::domain::secret_format::PREFIX;
use crate::domain::shown::may_be_secret;
use crate::domain::traceparent::Traceparent;
use crate::http::form::Form;

/// The longest value that is shown, in characters.
const LONGEST: usize = 1024;
/// How every JWT begins, and each part of one that is JSON.
const JWT: &str = "eyJ";
/// What divides a value into words.
const DIVIDERS: [char; 17] = [
    ' ', '\t', ',', ';', '(', ')', '"', '\'', '=', '/', '.', ':', '?', '&', '#', '@', '+',
];

/// The parameters of forms that hold no secret.
const PARAMETERS: [&str; 10] = [
    "grant_type",
    "scope",
    "resource",
    "audience",
    "client_id",
    "client_assertion_type",
    "token_type_hint",
    "subject_token_type",
    "actor_token_type",
    "requested_token_type",
];

/// The headers that hold no secret.
const HEADERS: [HeaderName; 21] = [
    header::ACCEPT,
    header::ACCEPT_CHARSET,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::CACHE_CONTROL,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::DATE,
    header::EXPECT,
    header::HOST,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::ORIGIN,
    header::PRAGMA,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::USER_AGENT,
    header::VIA,
];
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Shows what came.
pub(super) struct Redactor<'r> {
    pub(super) secrets: &'r KnownSecrets,
    /// How it was judged, where an endpoint judged it.
    pub(super) decided: Option<&'r Decided>,
}

impl Redactor<'_> {
    /// The headers, by name.
    pub(super) fn headers(&self, headers: &HeaderMap) -> Map<String, Value> {
        let mut shown = Map::new();
        for (name, value) in headers {
            let text = value.to_str().ok();
            let length = String::from_utf8_lossy(value.as_bytes()).chars().count();
            let value = match text {
                Some(text) if HEADERS.contains(name) && self.is_plain(text) => json!(text),
                Some(text)
                    if *name == TRACEPARENT && Traceparent::parse(text.as_bytes()).is_some() =>
                {
                    json!(text)
                }
                _ if *name == header::AUTHORIZATION => {
                    self.secret(length, AuthMethod::ClientSecretBasic)
                }
                _ => json!({ "length": length }),
            };
            put(&mut shown, self.name(name.as_str()), value);
        }
        shown
    }

    /// The parameters, by name.
    pub(super) fn form(&self, form: Form) -> Map<String, Value> {
        let mut shown = Map::new();
        for (name, value) in form.into_pairs() {
            let value = self.parameter(&name, &value);
            put(&mut shown, self.name(&name), value);
        }
        shown
    }

    fn parameter(&self, name: &str, value: &str) -> Value {
        let length = value.chars().count();
        match name {
            "client_secret" => self.secret(length, AuthMethod::ClientSecretPost),
            "client_id" if self.is_client(value) => json!(value),
            _ if PARAMETERS.contains(&name) && self.is_plain(value) => json!(value),
            _ => json!({ "length": length }),
        }
    }

    /// A value that bears a secret, and whether that was right: null where nobody judged it.
    fn secret(&self, length: usize, method: AuthMethod) -> Value {
        let of_method = |it: &&Decided| it.decision.method == Some(method);
        let right = self.decided.filter(of_method).and_then(is_right);
        json!({ "length": length, "right": right })
    }

    /// A value of a JWT under a name that bears no secret. Ids are long and random there, and no secrets.
    pub(super) fn of_jwt(&self, value: &Value) -> Value {
        match value {
            Value::String(text) if !self.is_harmless(text) => self.length_of(value),
            Value::Array(list) => list.iter().map(|it| self.of_jwt(it)).collect(),
            Value::Object(_) => self.length_of(value),
            value => value.clone(),
        }
    }

    /// How long a value is that is not shown.
    #[expect(clippy::unused_self, reason = "called as the others are")]
    pub(super) fn length_of(&self, value: &Value) -> Value {
        let length = match value {
            Value::String(text) => text.chars().count(),
            value => value.to_string().chars().count(),
        };
        json!({ "length": length })
    }

    /// A name, which a secret may stand in the place of.
    pub(super) fn name(&self, name: &str) -> String {
        let is_name = name.len() <= 64 && name.bytes().all(|it| it.is_ascii_graphic());
        if is_name && self.is_plain(name) {
            name.to_owned()
        } else {
            format!("({} characters)", name.chars().count())
        }
    }

    /// A sentence of ours about the request.
    pub(super) fn sentence(&self, text: &str) -> String {
        self.secrets.without(text)
    }

    /// The client that a request named. The id of one that there is is public, also where somebody has it for a secret.
    pub(super) fn client(&self, claimed: &ClaimedClient) -> String {
        let shown = claimed.to_string();
        if claimed.is_recognised() {
            shown
        } else {
            self.sentence(&shown)
        }
    }

    /// Whether this is the id of a client that there is.
    fn is_client(&self, value: &str) -> bool {
        let claimed = self.decided.and_then(|it| it.decision.client.as_ref());
        claimed.is_some_and(|it| it.is_recognised() && it.as_text() == value)
    }

    /// Neither a known secret, nor one that grantd made, nor a token stands in it.
    fn is_harmless(&self, text: &str) -> bool {
        text.chars().nth(LONGEST).is_none()
            && !text.contains(PREFIX)
            && !text.contains(JWT)
            && !self.secrets.stand_in(text)
    }

    /// It is harmless, and none of its words may be a secret that nobody here knows.
    fn is_plain(&self, text: &str) -> bool {
        self.is_harmless(text) && !text.split(DIVIDERS).any(may_be_secret)
    }
}

/// Whether the secret of a request was that of its client; `None` where it ended before.
fn is_right(decided: &Decided) -> Option<bool> {
    if decided.decision.passed.contains(Check::Secret) {
        return Some(true);
    }
    let failed = decided.outcome.finding()?.check;
    let of_secret = [Chain::SecretForm, Chain::Client, Chain::Secret];
    of_secret.contains(&failed.chain()).then_some(false)
}

/// Adds a value; several of one name become a list.
fn put(to: &mut Map<String, Value>, name: String, value: Value) {
    match to.get_mut(&name) {
        None => drop(to.insert(name, value)),
        Some(Value::Array(list)) => list.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret_format::Secret;

    const SECRET: &str = "orders-demo-secret";

    fn known() -> KnownSecrets {
        let known = KnownSecrets::default();
        known.add(&Secret::new(SECRET.to_owned()));
        known
    }

    fn redactor(secrets: &KnownSecrets) -> Redactor<'_> {
        Redactor {
            secrets,
            decided: None,
        }
    }

    fn form(body: &str) -> Value {
        let secrets = known();
        let form = Form::parse_body(body.as_bytes()).unwrap();
        Value::Object(redactor(&secrets).form(form))
    }

    fn headers(pairs: &[(&'static str, &str)]) -> Value {
        let secrets = known();
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        Value::Object(redactor(&secrets).headers(&headers))
    }

    #[test]
    fn what_is_harmless_is_shown_as_it_came_and_of_the_rest_the_length() {
        let body = "grant_type=client_credentials&scope=pricing:read+x&client_id=orders-service&client_secret=abc\
                    &resource=https://a.example/api&resource=urn:b&client_assertion=a.b.c&password=12345\
                    &client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let expected = json!({
            "grant_type": "client_credentials",
            "scope": "pricing:read x",
            "client_id": "orders-service",
            "client_secret": { "length": 3, "right": null },
            "resource": ["https://a.example/api", "urn:b"],
            "client_assertion": { "length": 5 },
            "password": { "length": 5 },
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        });
        assert_eq!(form(body), expected);
        let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let expected = json!({
            "authorization": { "length": 10, "right": null },
            "user-agent": "Apache-HttpClient/4.5.13 (Java/17.0.9)",
            "content-type": "application/x-www-form-urlencoded; charset=utf-8",
            "host": "idp-eu1.prod-cluster-12.example.com:8443",
            "traceparent": traceparent,
            "x-api-key": { "length": 4 },
            "accept": ["a/b", "c/d"],
        });
        let found = headers(&[
            ("authorization", "Basic YWJj"),
            ("user-agent", "Apache-HttpClient/4.5.13 (Java/17.0.9)"),
            (
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8",
            ),
            ("host", "idp-eu1.prod-cluster-12.example.com:8443"),
            ("traceparent", traceparent),
            ("x-api-key", "1234"),
            ("accept", "a/b"),
            ("accept", "c/d"),
        ]);
        assert_eq!(found, expected);
    }

    #[test]
    fn a_secret_is_hidden_wherever_it_stands() {
        let generated = "grantd_k3v9x0q2ma_abc";
        let unknown = "kJ8vQ2mZx7Lw4Rt9Yb3N";
        let token = "eyJhbGciOiJub25lIn0.e30.";
        for secret in [SECRET, generated, unknown, token] {
            for name in PARAMETERS {
                for value in [secret.to_owned(), format!("x {secret}")] {
                    let body = format!("{name}={}", value.replace(' ', "+"));
                    let length = value.chars().count();
                    assert_eq!(form(&body), json!({ name: { "length": length } }), "{body}");
                }
            }
            let as_name = form(&format!("{secret}=1&x={secret}"));
            assert!(!as_name.to_string().contains(secret), "{as_name}");
            for name in [
                "user-agent",
                "accept",
                "host",
                "traceparent",
                "if-none-match",
            ] {
                let found = headers(&[(name, &format!("a/1 {secret}"))]);
                assert!(!found.to_string().contains(secret), "{found}");
            }
        }
        let body = format!("{{\"client_secret\":\"{SECRET}\"}}");
        assert!(!form(&body).to_string().contains(SECRET));
        let long = format!("scope={}", "a ".repeat(LONGEST));
        assert_eq!(form(&long), json!({ "scope": { "length": 2 * LONGEST } }));
    }
}
