//! Right and wrong requests in turn, and whether each was answered rightly.

use std::sync::{Arc, Mutex};

use grantd::clock::Clock;
use serde_json::json;

use super::{Load, Secrets, Token, Who};
use crate::assertion::signer::TYPE;
use crate::harness::{ISSUER, decoded};
use crate::process::{access_token, exchange};
use crate::resilience::law::Right;
use crate::resilience::times::Span;
use crate::token::generated_secret;

/// How old an assertion may become: the server takes none that lives for more than 300 s.
const ASSERTION_LIFETIME: i64 = 240;

impl Load {
    pub(super) fn ask(&self, turn: usize) {
        let replica = turn % 2;
        // Each lane does each thing at each replica.
        match turn / 2 % 12 {
            0 | 1 => self.get_token(replica, Who::Steady),
            2 | 3 => self.get_token(replica, Who::Stopped),
            4 | 5 => self.look_at(replica, turn, Who::Steady),
            6 | 7 => self.look_at(replica, turn, Who::Stopped),
            8 => self.ask_wrongly(replica, turn),
            9 => self.look_at_revoked(replica, turn),
            10 => self.assert_and_replay(replica, turn),
            _ => self.revoke(replica, turn),
        }
    }

    fn post(
        &self,
        what: &str,
        replica: usize,
        path: &str,
        form: &str,
    ) -> (Span, Option<(u16, String)>) {
        let address = self.replicas.read().unwrap()[replica];
        let begun = self.law.begun();
        let answer = exchange(address, &format!("POST {path}"), "", form);
        let asked = self.law.ended(begun);
        (asked, self.law.answered((what, replica, asked), answer))
    }

    fn get_token(&self, replica: usize, who: Who) {
        let (id, secret) = match who {
            Who::Steady => ("steady", &self.secrets.steady),
            Who::Stopped => ("stopped", &self.secrets.stopped),
        };
        let form = form(id, secret, "");
        let (asked, answer) = self.post(id, replica, "/oauth2/token", &form);
        let Some((status, answer)) = answer else {
            return;
        };
        let right = match who {
            Who::Steady => Right::Yes,
            Who::Stopped => self.law.may_get_tokens(asked),
        };
        if status == 200 {
            self.keep(replica, who, asked, access_token(&answer));
        }
        let is_refused = status == 401 && answer.contains("\"error\":\"invalid_client\"");
        let is_right = match right {
            Right::Yes => status == 200,
            Right::No => is_refused,
            Right::Either => status == 200 || is_refused,
        };
        if !is_right {
            self.law.fault(&format!(
                "{id} at replica {replica}, {asked:?}, {right:?}: {answer}"
            ));
        }
    }

    fn keep(&self, replica: usize, of: Who, got: Span, text: String) {
        self.law.count("granted");
        let kid = decoded(&text).0["kid"].as_str().unwrap().to_owned();
        self.kids.lock().unwrap().insert((replica, kid));
        self.verify(&text);
        let token = Token {
            text,
            of,
            got,
            revoked: Mutex::default(),
        };
        self.tokens[of as usize]
            .lock()
            .unwrap()
            .push(Arc::new(token));
    }

    fn verify(&self, token: &str) {
        if !self.verifier.lock().unwrap().accepts(token) {
            self.law
                .fault(&format!("no verifier accepts {:?}", decoded(token)));
        }
    }

    /// A token of this client: any, the youngest with the greatest number.
    pub(super) fn picked(&self, number: usize, of: Who) -> Option<Arc<Token>> {
        let tokens = self.tokens[of as usize].lock().unwrap();
        match number {
            usize::MAX => tokens.last().cloned(),
            _ => some(&tokens, number),
        }
    }

    fn look_at(&self, replica: usize, turn: usize, of: Who) {
        // Half of the looks are at what was just issued.
        let number = if turn.is_multiple_of(2) {
            usize::MAX
        } else {
            turn
        };
        if let Some(token) = self.picked(number, of) {
            self.introspect(replica, &token);
        }
    }

    fn look_at_revoked(&self, replica: usize, turn: usize) {
        let token = some(&self.revoked.lock().unwrap(), turn);
        if let Some(token) = token {
            self.introspect(replica, &token);
        }
    }

    fn introspect(&self, replica: usize, token: &Token) {
        self.verify(&token.text);
        let form = format!(
            "token={}&client_id=api&client_secret={}",
            token.text, self.secrets.api
        );
        let (asked, answer) = self.post("introspection", replica, "/oauth2/introspect", &form);
        let Some((status, answer)) = answer else {
            return;
        };
        let revoked = *token.revoked.lock().unwrap();
        let is_dead = [
            revoked.map_or(Right::No, |it| self.law.is_revoked(it, asked)),
            match token.of {
                Who::Steady => Right::No,
                Who::Stopped => self.law.is_killed(token.got, asked),
            },
        ];
        let is_active = status == 200 && answer.contains("\"active\":true");
        let is_inactive = status == 200 && answer.ends_with("{\"active\":false}");
        self.law
            .count(if is_active { "active" } else { "inactive" });
        if !(is_active || is_inactive)
            || (is_active && is_dead.contains(&Right::Yes))
            || (is_inactive && is_dead == [Right::No; 2])
        {
            let fault = format!(
                "{:?}'s token at replica {replica}, {asked:?}, got {:?}, revoked {revoked:?}, dead {is_dead:?}: {answer}",
                token.of, token.got
            );
            self.law.fault(&fault);
        }
    }

    /// What must be refused whatever happens.
    fn ask_wrongly(&self, replica: usize, turn: usize) {
        let Secrets { steady, api, .. } = &self.secrets;
        let wrong = generated_secret("aaaaaaaaaa", "Q");
        let asks = [
            (
                "/oauth2/token",
                form("steady", &wrong, ""),
                (401, "invalid_client"),
            ),
            (
                "/oauth2/token",
                form("nobody", steady, ""),
                (401, "invalid_client"),
            ),
            (
                "/oauth2/token",
                form("steady", api, ""),
                (401, "invalid_client"),
            ),
            (
                "/oauth2/token",
                form("steady", steady, "&scope=write"),
                (400, "invalid_scope"),
            ),
            (
                "/oauth2/introspect",
                form("api", &wrong, "&token=x"),
                (401, "invalid_client"),
            ),
        ];
        let (path, form, (status, error)) = &asks[turn / 24 % asks.len()];
        let (asked, answer) = self.post("a wrong request", replica, path, form);
        let Some(answer) = answer else { return };
        self.law.count("refused");
        if answer.0 != *status || !answer.1.contains(&format!("\"error\":\"{error}\"")) {
            self.law.fault(&format!(
                "{form} at replica {replica}, {asked:?}: {answer:?}"
            ));
        }
    }

    /// An assertion counts once, at whichever replica, and never again.
    fn assert_and_replay(&self, replica: usize, turn: usize) {
        let form = |assertion: &str| {
            format!(
                "grant_type=client_credentials&client_assertion_type={TYPE}&client_assertion={assertion}"
            )
        };
        let now = Clock::system().now().unix();
        let assertion = self.key.sign(&json!({
            "iss": "worker", "sub": "worker", "aud": ISSUER, "iat": now, "exp": now + ASSERTION_LIFETIME,
            "jti": uuid::Uuid::new_v4().to_string(),
        }));
        let (_, answer) = self.post("an assertion", replica, "/oauth2/token", &form(&assertion));
        match answer {
            Some((200, _)) => {
                self.law.count("asserted");
                self.spent.lock().unwrap().push(assertion);
            }
            Some(answer) => self.law.fault(&format!("an assertion: {answer:?}")),
            None => {}
        }
        let spent = self.spent.lock().unwrap().clone();
        for replayed in [some(&spent, turn), spent.last().cloned()]
            .into_iter()
            .flatten()
        {
            let (asked, answer) =
                self.post("a replay", 1 - replica, "/oauth2/token", &form(&replayed));
            match answer {
                Some((401, _)) => self.law.count("replay refused"),
                Some(answer) => self.law.fault(&format!("a replay, {asked:?}: {answer:?}")),
                None => {}
            }
        }
    }

    fn revoke(&self, replica: usize, turn: usize) {
        let Some(token) = self.picked(turn, Who::Steady) else {
            return;
        };
        self.revoke_by(&token, || {
            let form = form(
                "steady",
                &self.secrets.steady,
                &format!("&token={}", token.text),
            );
            match self
                .post("a revocation", replica, "/oauth2/revoke", &form)
                .1
            {
                Some((200, _)) => {
                    self.law.count("revoked");
                    true
                }
                Some(answer) => {
                    self.law.fault(&format!("a revocation: {answer:?}"));
                    false
                }
                None => false,
            }
        });
    }

    /// Revokes a token for good, unless that was done before. `revoke` says whether it is sure.
    pub(super) fn revoke_by(&self, token: &Arc<Token>, revoke: impl FnOnce() -> bool) {
        let begun = self.law.begun();
        {
            let mut revoked = token.revoked.lock().unwrap();
            if revoked.is_some() {
                return;
            }
            *revoked = Some(begun);
        }
        if revoke() {
            *token.revoked.lock().unwrap() = Some(self.law.ended(begun));
            self.revoked.lock().unwrap().push(Arc::clone(token));
        }
    }
}

/// One of them, with the next number another one.
fn some<T: Clone>(all: &[T], number: usize) -> Option<T> {
    all.get(number.wrapping_mul(7919) % all.len().max(1))
        .cloned()
}

fn form(client: &str, secret: &str, more: &str) -> String {
    format!("grant_type=client_credentials&client_id={client}&client_secret={secret}{more}")
}
