//! The curl line that gets a token for a client of the catalog.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use crate::config::catalog::CatalogClient;
use crate::domain::client::AuthMethod;

/// All but the unreserved characters of RFC 3986 section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A line that works as printed, in any shell that knows single quotes, for a client that proves itself by `proof`;
/// `None` where no policy lets it have anything.
pub(super) fn curl_line(client: &CatalogClient, proof: &str, endpoint: &str) -> Option<String> {
    let target = target(client)?;
    Some(format!(
        "curl -s {proof} -d grant_type=client_credentials{target} {endpoint}"
    ))
}

/// How a client proves itself by a secret, where it has a method for one. The form fits `secret`; `shown` stands in its
/// place.
pub(super) fn by_secret(client: &CatalogClient, (secret, shown): (&str, &str)) -> Option<String> {
    let has = |method| client.auth_methods.contains(&method);
    let id = client.id.as_str();
    let is_plain = is_plain(id) && is_plain(secret);
    if has(AuthMethod::ClientSecretBasic) && (is_plain || !has(AuthMethod::ClientSecretPost)) {
        // RFC 6749 section 2.3.1: curl does not encode what it puts into the header.
        Some(format!("-u '{}:{}'", form_encoded(id), form_encoded(shown)))
    } else if has(AuthMethod::ClientSecretPost) {
        // Encoded by curl, so that whatever is put in place of a placeholder works as well.
        Some(format!(
            "{} {}",
            encoded_by_curl("client_id", id),
            encoded_by_curl("client_secret", shown)
        ))
    } else {
        None
    }
}

/// The parameters without which the request would not say what the token is for.
fn target(client: &CatalogClient) -> Option<String> {
    let mut policies = client.policies.iter().map(|stated| &stated.value);
    let first = policies.next()?;
    let mut parameters = String::new();
    if policies.next().is_some() {
        parameters.push(' ');
        parameters.push_str(&parameter("audience", first.audience.as_str()));
    }
    if first.default_scopes.is_empty() {
        parameters.push(' ');
        parameters.push_str(&parameter("scope", &first.scopes.to_string()));
    }
    Some(parameters)
}

fn parameter(name: &str, value: &str) -> String {
    if is_plain(&value.replace([':', '/'], "")) {
        format!("-d {name}={value}")
    } else {
        encoded_by_curl(name, value)
    }
}

fn encoded_by_curl(name: &str, value: &str) -> String {
    format!(
        "--data-urlencode {}",
        quoted(format_args!("{name}={value}"))
    )
}

fn form_encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

/// Whether it means itself in a form, in a URL and in a shell.
fn is_plain(text: &str) -> bool {
    form_encoded(text).eq([text])
}

/// One word of a shell. A single quote ends the quoted text, stands for itself, and begins the next.
pub fn quoted(text: impl fmt::Display) -> String {
    format!("'{}'", text.to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::catalog::{Catalog, CatalogOptions};

    const POLICY: &str =
        "  [[client.policy]]\n  audience = \"api\"\n  scopes = [\"read\", \"write\"]\n";
    const DEFAULTS: &str = "  default_scopes = [\"read\"]\n";

    fn line(client: &str, secret: &str) -> Option<String> {
        let audience =
            |id| format!("[[audience]]\nid = \"{id}\"\nscopes = [\"read\", \"write\"]\n");
        let text = format!(
            "{}{}[[client]]\n{client}",
            audience("api"),
            audience("https://b.example/")
        );
        let none = |_: &str| None;
        let catalog = Catalog::parse("test", &text, &CatalogOptions::dev(&none)).unwrap();
        let client = &catalog.clients[0];
        curl_line(client, &by_secret(client, (secret, secret))?, "URL")
    }

    fn line_by(id: &str, auth: &str, secret: &str) -> Option<String> {
        let client = format!(
            "id = '{id}'\nauth = {auth}\nsecret = \"a-secret-of-a-test\"\n{POLICY}{DEFAULTS}"
        );
        line(&client, secret)
    }

    #[test]
    fn plain_ids_and_secrets_go_by_basic_as_they_are() {
        let auth = r#"["client_secret_basic", "client_secret_post"]"#;
        assert_eq!(
            line_by("a-job", auth, "SECRET").unwrap(),
            "curl -s -u 'a-job:SECRET' -d grant_type=client_credentials URL"
        );
    }

    #[test]
    fn what_means_something_else_in_a_form_is_encoded() {
        let auth = r#"["client_secret_basic", "client_secret_post"]"#;
        let by_curl = line_by("a:job", auth, "it's 5%+").unwrap();
        assert_eq!(
            by_curl,
            r"curl -s --data-urlencode 'client_id=a:job' --data-urlencode 'client_secret=it'\''s 5%+' -d grant_type=client_credentials URL"
        );
        let by_us = line_by("a:job", r#""client_secret_basic""#, "it's 5%+").unwrap();
        assert!(by_us.contains(" -u 'a%3Ajob:it%27s%205%25%2B' "), "{by_us}");
    }

    #[test]
    fn a_request_says_what_it_is_for_where_the_policies_do_not() {
        let client = "id = 'job'\nauth = \"client_secret_post\"\nsecret = \"a-secret-of-a-test\"\n";
        let other = POLICY.replace("\"api\"", "\"https://b.example/\"");
        for (policies, expected) in [
            (format!("{POLICY}{DEFAULTS}"), "client_credentials URL"),
            (
                POLICY.to_owned(),
                "client_credentials --data-urlencode 'scope=read write' URL",
            ),
            (
                format!("{other}{DEFAULTS}{POLICY}{DEFAULTS}"),
                "client_credentials -d audience=https://b.example/ URL",
            ),
            (
                format!("{POLICY}{other}"),
                "client_credentials -d audience=api --data-urlencode 'scope=read write' URL",
            ),
        ] {
            let line = line(&format!("{client}{policies}"), "SECRET").unwrap();
            assert!(line.ends_with(expected), "{line}");
        }
        assert_eq!(line(client, "SECRET"), None);
    }
}
