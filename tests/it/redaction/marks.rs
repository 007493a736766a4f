//! What must be seen nowhere: what requests present, what answers give, and private keys.

use std::collections::BTreeSet;

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::needles::looked_for;
use super::run;

/// A text that is shorter, or has fewer characters, may stand somewhere by chance, such as `secret` or `aaaa…`.
const SHORTEST: usize = 16;
const FEWEST: usize = 6;
/// Of a JWS the signature is what makes it worth something.
const SIGNATURE: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Kind {
    Secret,
    Assertion,
    Proof,
    Token,
    Key,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [
        Self::Secret,
        Self::Assertion,
        Self::Proof,
        Self::Token,
        Self::Key,
    ];
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
}

impl Mark {
    /// Whether nothing but what leaks it writes it.
    pub(super) fn is_telling(&self) -> bool {
        let looked_for = looked_for(&self.bytes);
        let different: BTreeSet<u8> = looked_for.iter().copied().collect();
        looked_for.len() >= SHORTEST && different.len() >= FEWEST
    }
}

fn note(kind: Kind, text: &str) {
    let Some(run) = run() else { return };
    let mut parts = text.split('.');
    let is_jws = text.starts_with("eyJ") && parts.by_ref().count() == 3;
    let told = text
        .rsplit('.')
        .next()
        .filter(|it| is_jws && it.len() >= SIGNATURE);
    run.note(kind, told.unwrap_or(text).as_bytes());
}

/// What a request presents: in its headers, and in its form.
pub(crate) fn asked<'h>(headers: impl IntoIterator<Item = (&'h str, &'h str)>, form: &str) {
    if run().is_none() {
        return;
    }
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "authorization" => of_authorization(value),
            "dpop" => note(Kind::Proof, value),
            name if name.contains("secret") => note(Kind::Secret, value),
            _ => {}
        }
    }
    for parameter in form.split('&') {
        let Some((name, value)) = parameter.split_once('=') else {
            continue;
        };
        let kind = match name {
            "client_secret" | "password" => Kind::Secret,
            "client_assertion" | "assertion" => Kind::Assertion,
            "token" => Kind::Token,
            _ => continue,
        };
        note(kind, &form_decoded(value));
    }
}

fn of_authorization(value: &str) {
    let Some((scheme, value)) = value.split_once(' ') else {
        return;
    };
    if scheme.eq_ignore_ascii_case("basic") {
        let pair = STANDARD.decode(value.trim()).unwrap_or_default();
        let pair = String::from_utf8_lossy(&pair);
        if let Some((_, secret)) = pair.split_once(':') {
            note(Kind::Secret, &form_decoded(secret));
            note(Kind::Secret, secret);
        }
    } else {
        note(Kind::Token, value);
    }
}

fn form_decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

/// What an answer gives.
pub(crate) fn answered(body: &str) {
    if run().is_none() || !body.contains("access_token") {
        return;
    }
    let start = body.find('{').unwrap_or_default();
    let members: Value = serde_json::from_str(&body[start..]).unwrap_or_default();
    if let Some(token) = members["access_token"].as_str() {
        note(Kind::Token, token);
    }
}

/// The headers of a request as [`asked`] takes them.
pub(crate) fn texts(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let names = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str()));
    names.filter_map(|(name, value)| Some((name, value.ok()?)))
}

/// A private key, as PKCS #8, PEM or JWK, or a sealing key.
pub(crate) fn key(bytes: &[u8]) {
    let Some(run) = run() else { return };
    let text = String::from_utf8_lossy(bytes);
    let jwk: Value = serde_json::from_str(&text).unwrap_or_default();
    if let Some(private) = jwk["d"].as_str() {
        return note(Kind::Key, private);
    }
    if text.starts_with("-----BEGIN") {
        let body: String = text.lines().filter(|it| !it.starts_with('-')).collect();
        return key(&STANDARD.decode(body).unwrap_or_default());
    }
    // All of one kind begin alike, and have public members. This is the private one of Ed25519 and of P-256, and of RSA
    // the last of several.
    let private = match bytes {
        [0x30, _, 0x02, ..] => bytes.get(16..),
        [0x30, 0x81, ..] => bytes.get(36..),
        [0x30, 0x82, .., _] => bytes.len().checked_sub(100).and_then(|at| bytes.get(at..)),
        _ => Some(bytes),
    };
    run.note(Kind::Key, private.unwrap_or_default());
}

/// A public text that a request may present in the place of a secret one: it is no mark.
pub(crate) fn public(text: &str) {
    if let Some(run) = run() {
        let looked_for = looked_for(text.as_bytes()).to_vec();
        run.public.lock().unwrap().insert(looked_for);
    }
}

/// The secrets of a catalog, each after `secret =` or `value =`, or in a list.
pub(crate) fn stated(catalog: &str) {
    if run().is_none() {
        return;
    }
    for line in catalog
        .lines()
        .filter(|it| it.trim_start().starts_with("secret"))
    {
        let parts: Vec<&str> = line.split('"').collect();
        for pair in parts.chunks_exact(2) {
            let (before, text) = (pair[0].trim_end(), pair[1]);
            let is_secret = ["secret =", "value =", "[", ","]
                .iter()
                .any(|it| before.ends_with(it));
            let is_told_elsewhere = ["env:", "file:", "$argon2"]
                .iter()
                .any(|it| text.starts_with(it));
            if is_secret && !is_told_elsewhere {
                note(Kind::Secret, text);
            }
        }
    }
}

/// What a command printed that makes a secret.
pub(super) fn printed(output: &[u8]) {
    let output = String::from_utf8_lossy(output);
    let words = output.split(|it: char| !(it.is_ascii_alphanumeric() || "_-".contains(it)));
    for word in words.filter(|it| it.starts_with("grantd_")) {
        note(Kind::Secret, word);
    }
}
