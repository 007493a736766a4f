//! Catalogs of tests beyond [`crate::harness::CATALOG`]: each builder writes one resource, with further lines as given.

/// A TOML string; JSON's escapes are among TOML's.
pub(crate) fn text(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// A list of the words of a text.
fn list(words: &str) -> String {
    serde_json::to_string(&words.split_whitespace().collect::<Vec<_>>()).unwrap()
}

/// An audience with these scopes.
pub(crate) fn audience(id: &str, scopes: &str, lines: &str) -> String {
    let (id, scopes) = (text(id), list(scopes));
    format!("[[audience]]\nid = {id}\nscopes = {scopes}\n{lines}\n")
}

/// A client with these policies.
pub(crate) fn client(id: &str, lines: &str, policies: &[String]) -> String {
    let id = text(id);
    format!("[[client]]\nid = {id}\n{lines}\n{}", policies.concat())
}

/// A client with a secret.
pub(crate) fn by_secret(id: &str, secret: &str, policies: &[String]) -> String {
    client(id, &format!("secret = {}", text(secret)), policies)
}

/// A client with these keys.
pub(crate) fn by_key(id: &str, jwks: impl std::fmt::Display, policies: &[String]) -> String {
    let lines = format!("auth = \"private_key_jwt\"\njwks = '''{jwks}'''");
    client(id, &lines, policies)
}

/// The trusted issuer `ci`.
pub(crate) const CI: &str =
    "[[issuer]]\nid = \"ci\"\nurl = \"https://ci.example\"\nkeys = \"https://ci.example/jwks\"\n";

/// An identity of the issuer `ci`.
pub(crate) fn identity(lines: &str) -> String {
    format!("[[client.identity]]\nissuer = \"ci\"\n{lines}\n")
}

/// A policy; `default` is what a request without scopes gets.
pub(crate) fn policy(audience: &str, scopes: &str, default: &str) -> String {
    let (audience, scopes, default) = (text(audience), list(scopes), list(default));
    format!(
        "[[client.policy]]\naudience = {audience}\nscopes = {scopes}\ndefault_scopes = {default}\n"
    )
}

/// The policy of most clients: to read, without asking for it.
pub(crate) fn reads(audience: &str) -> [String; 1] {
    [policy(audience, "read", "read")]
}
