//! What an answer of an API to one entry of the battery comes to.

use hyper::header::WWW_AUTHENTICATE;

use super::battery::Entry;
use super::http::{Answer, Silence};
use crate::domain::battery::{Case, List, Verdict};

/// What an entry came to.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    /// What was answered, if anything was.
    pub(super) status: Option<u16>,
    /// What was not as it should be, in a few words.
    pub(super) remark: Option<String>,
}

impl Judged {
    fn new(verdict: Verdict, status: impl Into<Option<u16>>) -> Self {
        Self {
            verdict,
            status: status.into(),
            remark: None,
        }
    }

    fn remarked(self, remark: impl Into<String>) -> Self {
        Self {
            remark: Some(remark.into()),
            ..self
        }
    }

    pub(super) fn skipped() -> Self {
        Self::new(Verdict::Skipped, None)
    }

    /// An API that answered 401 or 403 has refused as it refuses always; after anything else it may be upset.
    pub(super) fn is_plain_refusal(&self) -> bool {
        matches!(self.status, Some(401 | 403))
    }
}

pub(super) fn judge(entry: &Entry, answer: &Result<Answer, Silence>) -> Judged {
    let answer = match answer {
        Ok(answer) => answer,
        // A listener that demands certificates refuses one who shows none before any HTTP.
        Err(Silence::TlsAlert(alert))
            if entry.list == List::Refuse && entry.certificate_pem.is_none() =>
        {
            return Judged::new(Verdict::Ok, None).remarked(format!("refused by TLS: {alert}"));
        }
        Err(silence) => return Judged::new(Verdict::Fault, None).remarked(silence.to_string()),
    };
    let status = answer.status.as_u16();
    match (entry.list, status) {
        (_, 500..) => {
            Judged::new(Verdict::Fault, status).remarked(format!("answers {}", answer.status))
        }
        (List::Accept, 200..300) => Judged::new(Verdict::Ok, status),
        (List::Accept, _) => {
            Judged::new(entry.verdict, status).remarked(format!("refused with {}", answer.status))
        }
        (List::Refuse, 200..300) => {
            Judged::new(entry.verdict, status).remarked(format!("accepted with {}", answer.status))
        }
        (List::Refuse, _) => refused(entry, answer),
    }
}

/// Refused it is; how, is worth a note.
fn refused(entry: &Entry, answer: &Answer) -> Judged {
    let status = answer.status.as_u16();
    let is_due = entry.status.contains(&status);
    // What is too long, a server in front of the API may refuse, which knows nothing of tokens.
    let needs_challenge = entry.name != Case::Huge.as_str();
    let remark = if repeats_token(entry, answer) {
        Some("the answer repeats the token".to_owned())
    } else if !is_due {
        let due = entry.due();
        Some(format!("answers {status} where {due} is due"))
    } else if needs_challenge && !has_challenge(answer) {
        Some(format!(
            "answers {status} without WWW-Authenticate: Bearer or DPoP"
        ))
    } else {
        None
    };
    match remark {
        None => Judged::new(Verdict::Ok, status),
        Some(remark) => Judged::new(Verdict::Note, status).remarked(remark),
    }
}

/// RFC 6750 section 3, RFC 9449 section 7.1. A challenge may stand behind others in one header.
fn has_challenge(answer: &Answer) -> bool {
    let values = answer.headers.get_all(WWW_AUTHENTICATE).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|part| {
        let scheme = part.trim_start().split(' ').next().unwrap_or_default();
        scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("dpop")
    })
}

fn repeats_token(entry: &Entry, answer: &Answer) -> bool {
    let token = entry.access_token.as_bytes();
    !token.is_empty()
        && answer
            .body
            .windows(token.len())
            .any(|window| window == token)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hyper::{HeaderMap, StatusCode};

    use super::*;

    fn answer(status: u16, challenge: Option<&str>, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(challenge) = challenge {
            headers.insert(WWW_AUTHENTICATE, challenge.parse().unwrap());
        }
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: body.to_owned().into(),
        }
    }

    fn verdict(case: Case, answer: &Result<Answer, Silence>) -> Verdict {
        judge(&Entry::of(case, "the-token"), answer).verdict
    }

    #[test]
    fn an_accept_is_a_success_and_anything_else_counts_by_the_entry() {
        for (case, status, expected) in [
            (Case::Good, 200, Verdict::Ok),
            (Case::Good, 204, Verdict::Ok),
            (Case::Good, 401, Verdict::Fault),
            (Case::Good, 302, Verdict::Fault),
            (Case::NextKey, 401, Verdict::Note),
            (Case::NextKey, 503, Verdict::Fault),
        ] {
            let answer = Ok(answer(status, None, ""));
            assert_eq!(verdict(case, &answer), expected, "{case} {status}");
        }
    }

    #[test]
    fn a_refusal_is_right_with_the_status_that_is_due_and_a_challenge() {
        const BEARER: Option<&str> = Some(r#"Bearer realm="x", error="invalid_token""#);
        for (case, status, challenge, expected) in [
            (Case::Expired, 401, BEARER, Verdict::Ok),
            (Case::Expired, 401, Some("bearer"), Verdict::Ok),
            (
                Case::Expired,
                401,
                Some(r#"DPoP algs="ES256""#),
                Verdict::Ok,
            ),
            (Case::Expired, 401, Some("Basic, Bearer"), Verdict::Ok),
            (Case::Expired, 401, Some("Basic"), Verdict::Note),
            (Case::Expired, 401, None, Verdict::Note),
            (Case::Expired, 403, BEARER, Verdict::Note),
            (Case::Expired, 400, BEARER, Verdict::Note),
            (Case::Expired, 302, BEARER, Verdict::Note),
            (Case::Expired, 200, BEARER, Verdict::Hole),
            (Case::Expired, 201, None, Verdict::Hole),
            (Case::Expired, 500, BEARER, Verdict::Fault),
            (Case::Expired, 503, None, Verdict::Fault),
            (Case::ScopeOther, 403, BEARER, Verdict::Ok),
            (Case::ScopeOther, 401, BEARER, Verdict::Note),
            (Case::TwoTokens, 400, BEARER, Verdict::Ok),
            (Case::TwoTokens, 401, BEARER, Verdict::Ok),
            (Case::Huge, 431, None, Verdict::Ok),
            (Case::Huge, 404, None, Verdict::Ok),
            (Case::Huge, 302, None, Verdict::Note),
            (Case::IssuedInTheFuture, 200, None, Verdict::Note),
        ] {
            let answer = Ok(answer(status, challenge, ""));
            assert_eq!(
                verdict(case, &answer),
                expected,
                "{case} {status} {challenge:?}"
            );
        }
        let repeated = Ok(answer(401, BEARER, "invalid token: the-token"));
        assert_eq!(verdict(Case::Expired, &repeated), Verdict::Note);
    }

    #[test]
    fn silence_is_a_fault_unless_tls_refuses_one_who_shows_no_certificate() {
        let timeout = Err(Silence::Timeout(Duration::from_secs(5)));
        assert_eq!(verdict(Case::Expired, &timeout), Verdict::Fault);
        assert_eq!(verdict(Case::Good, &timeout), Verdict::Fault);
        let alert = || Err(Silence::TlsAlert("CertificateRequired".to_owned()));
        assert_eq!(verdict(Case::BoundWithoutProof, &alert()), Verdict::Ok);
        assert_eq!(verdict(Case::Good, &alert()), Verdict::Fault);
        let mut bound = Entry::of(Case::BoundToAnotherCertificate, "the-token");
        bound.certificate_pem = Some(String::new());
        assert_eq!(judge(&bound, &alert()).verdict, Verdict::Fault);
    }
}
