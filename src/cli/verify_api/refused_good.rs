//! What to look at where an API does not take a good token.

use std::fmt::Write as _;

use hyper::header::WWW_AUTHENTICATE;
use serde_json::Value;

use super::battery::Entry;
use super::http::{Answer, Silence};
use crate::crypto::compact::CompactJws;

/// So much of an answer is shown.
const SHOWN: usize = 300;

/// What the API answered, and what is usually wrong.
pub(super) fn explained(good: &Entry, answer: &Result<Answer, Silence>) -> String {
    let answered = match answer {
        Ok(answer) => told(answer, good),
        Err(silence) => silence.to_string(),
    };
    let mut text =
        format!("the API does not take a good token, so nothing else was tried: {answered}");
    let status = answer.as_ref().ok().map(|answer| answer.status.as_u16());
    match status {
        Some(401) => unauthorized(&mut text, good),
        Some(403) => text.push_str(
            "\n  The token was read, and its scope or client is not the right one: name another with --scope or --client.",
        ),
        Some(404 | 405) => text.push_str(
            "\n  Name the URL and the method of a request that a right token allows (--method, --data).",
        ),
        Some(400 | 415 | 422) => text.push_str(
            "\n  The request lacks something else than a token: complete it with --data and --header.",
        ),
        Some(300..400) => text.push_str("\n  It redirects: name the URL that it leads to."),
        None => text.push_str("\n  Start the API first, and name its URL as its callers do."),
        Some(_) => {}
    }
    text
}

fn unauthorized(text: &mut String, good: &Entry) {
    let token = CompactJws::parse(&good.access_token).ok();
    let shown = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "-".to_owned(),
    };
    let claim = |name| shown(token.as_ref().and_then(|it| it.claims().get(name)));
    let typ = shown(token.as_ref().and_then(|it| it.header().get("typ")));
    let (issuer, audience) = (claim("iss"), claim("aud"));
    for (what, advice) in [
        ("issuer", format!("the API must trust {issuer}, byte for byte, and reach it")),
        ("audience", format!("the API must be {audience}")),
        (
            "typ",
            format!(
                "the token's is {typ}; a library that refuses at+jwt (Spring) wants jwt_typ = \"JWT\" in the audience"
            ),
        ),
        (
            "keys",
            "the API may have the JWKS of an earlier grantd dev: restart it, or keep the keys with dev --data DIR"
                .to_owned(),
        ),
    ] {
        let _ = write!(text, "\n  {what:<9} {advice}");
    }
}

/// Status, challenge and the beginning of the body, on one line and without the token.
fn told(answer: &Answer, good: &Entry) -> String {
    let mut text = format!("it answers {}", answer.status);
    for challenge in answer.headers.get_all(WWW_AUTHENTICATE) {
        let challenge = String::from_utf8_lossy(challenge.as_bytes());
        let _ = write!(
            text,
            ", WWW-Authenticate: {}",
            on_one_line(&challenge, good)
        );
    }
    let body = String::from_utf8_lossy(&answer.body);
    if !body.trim().is_empty() {
        let _ = write!(text, ", {}", on_one_line(&body, good));
    }
    text
}

fn on_one_line(text: &str, good: &Entry) -> String {
    let text = text.replace(&good.access_token, "[the token]");
    let mut line: String = text.trim().chars().take(SHOWN).collect();
    line = line.escape_debug().to_string().replace("\\\"", "\"");
    line
}
