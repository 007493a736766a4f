//! Signing keys when time passes at once: they rotate as they would have.

use std::collections::BTreeMap;

use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::signing_key::lineup::Lineup;
use grantd::domain::timestamp::Seconds;
use serde_json::json;

use super::*;

const DAY: i64 = 86_400;

impl Lab {
    pub(super) async fn kid(&self) -> String {
        let token = self.replica.issued("reader", READER, "").await;
        decoded(&token).0["kid"].as_str().unwrap().to_owned()
    }

    pub(super) async fn published(&self) -> Vec<String> {
        let jwks = self.replica.get("/oauth2/jwks").await.json();
        let keys = jwks["keys"].as_array().unwrap().iter();
        keys.map(|it| it["kid"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn lineups(&self) -> BTreeMap<SigningAlgorithm, Lineup> {
        let stored = self.env.store.load_signing_keys().await.unwrap().value;
        let mut lineups = BTreeMap::<_, Vec<_>>::new();
        for key in stored.keys {
            lineups
                .entry(key.algorithm)
                .or_default()
                .push((key.kid, key.life));
        }
        lineups
            .into_iter()
            .map(|(algorithm, keys)| (algorithm, keys.into_iter().collect()))
            .collect()
    }

    /// When each ES256 key begins and ends, in seconds after the start.
    async fn turns(&self) -> Vec<(Option<i64>, Option<i64>)> {
        let lineups = self.lineups().await;
        let after =
            |at: Option<grantd::domain::timestamp::Timestamp>| at.map(|it| it.unix() - START);
        let lives = lineups[&SigningAlgorithm::Es256].iter();
        let mut turns: Vec<_> = lives
            .map(|(_, life)| (after(life.activates_at), after(life.retires_at)))
            .collect();
        turns.sort_by_key(|(begin, _)| begin.unwrap_or(i64::MAX));
        turns
    }
}

on_both! {
    async fn after_a_quarter_of_a_year_each_key_had_its_turn(env) {
        let lab = Lab::new(env, CATALOG).await;
        let first = lab.kid().await;
        let token = lab.replica.issued("reader", READER, "").await;
        lab.advance("95d").await;
        assert_eq!(lab.after(), 95 * DAY);
        assert_eq!(
            lab.turns().await,
            [(Some(90 * DAY), None), (None, None)],
            "the keys of thirty and sixty days have left as well"
        );
        assert_ne!(lab.kid().await, first);
        assert_eq!(lab.published().await.len(), 2);
        assert_eq!(lab.replica.introspect("api", API, &token).await.json()["active"], false);
        // The one before is still there when the clock stands beside the change.
        lab.advance("25d").await;
        assert_eq!(lab.turns().await, [(Some(90 * DAY), Some(120 * DAY)), (Some(120 * DAY), None), (None, None)]);
        let kid = lab.kid().await;
        assert!(lab.published().await.contains(&kid));
    }

    /// As a server has it whose clock nobody moves, and whose tasks look again and again.
    async fn the_keys_are_those_of_a_clock_that_passed_slowly(env) {
        let rotating = |settings: &mut Settings| settings.keys.rotation = Seconds::new(600);
        let catalog = format!("{CATALOG}\n[[audience]]\nid = \"other\"\nscopes = [\"a\"]\nalgorithm = \"EdDSA\"\n");
        let slow = Env::new(Database::sqlite()).await;
        slow.apply(&catalog).await;
        let replica = slow.replica_with(rotating).await;
        replica.grantd.rotate_keys().await.unwrap();
        for _ in 0..1450 {
            slow.clock.advance(Seconds::new(1));
            replica.follow().await;
            replica.grantd.rotate_keys().await.unwrap();
            replica.follow().await;
        }
        replica.grantd.sweep().await;
        let lab = Lab::with(env, &catalog, rotating).await;
        lab.advance("1450s").await;
        let stored = slow.store.load_signing_keys().await.unwrap().value;
        let mut expected: Vec<_> = stored.keys.iter().map(|it| (it.algorithm, it.life)).collect();
        let stored = lab.env.store.load_signing_keys().await.unwrap().value;
        let mut found: Vec<_> = stored.keys.iter().map(|it| (it.algorithm, it.life)).collect();
        for lives in [&mut expected, &mut found] {
            lives.sort_by_key(|(algorithm, life)| (*algorithm, life.announced_at, life.activates_at));
        }
        assert_eq!(found, expected);
        assert!(found.len() >= 6, "{found:?}");
    }

    async fn a_hundred_years_are_gone_through_quickly(env) {
        let lab = Lab::new(env, CATALOG).await;
        lab.advance("36500d").await;
        let turns = lab.turns().await;
        assert_eq!(turns.len(), 2, "{turns:?}");
        let (begin, _) = turns[0];
        assert_eq!(begin, Some(36_485 * DAY + 2), "{turns:?}");
        let kid = lab.kid().await;
        assert!(lab.published().await.contains(&kid));
    }

    async fn before_the_activation_of_every_key_the_oldest_one_signs(env) {
        let lab = Lab::new(env, CATALOG).await;
        let first = lab.kid().await;
        lab.advance("30d").await;
        let second = lab.kid().await;
        assert_ne!(first, second, "both are there");
        for (after, kid) in [(-1, &first), (-10 * 365 * DAY, &first), (15 * DAY, &first), (30 * DAY, &second)] {
            lab.set(after).await;
            let token = lab.replica.issued("reader", READER, "").await;
            assert_eq!(decoded(&token).0["kid"], json!(kid), "{after}");
            assert!(lab.published().await.contains(kid), "{after}");
            assert_eq!(lab.replica.introspect("api", API, &token).await.json()["active"], true, "{after}");
        }
        // The first is gone for good: what is left signs.
        lab.set(40 * DAY).await;
        lab.set(-5).await;
        assert_eq!(lab.kid().await, second);
    }

    async fn a_test_rotates_and_retires_keys_and_the_next_token_is_signed_by_the_next(env) {
        let lab = Lab::new(env, CATALOG).await;
        let first = lab.kid().await;
        let token = lab.replica.issued("reader", READER, "").await;
        let (status, told) = lab.ask("POST /_test/keys/rotate", r#"{"algorithm":"ES256","now":true}"#).await;
        assert_eq!(status, 200, "{told}");
        let second = lab.kid().await;
        assert_eq!((&told["turns"][0]["ended"]["kid"], &told["turns"][0]["current"]["kid"]), (&json!(first), &json!(second)), "{told}");
        assert!(lab.published().await.contains(&first), "its tokens are still good");
        // Without `now` it waits until every verifier knows the next one.
        let (status, told) = lab.ask("POST /_test/keys/rotate", "").await;
        assert_eq!((status, lab.kid().await), (200, second.clone()), "{told}");
        lab.advance("1h").await;
        assert_ne!(lab.kid().await, second);
        let active = async |token: &str| lab.replica.introspect("api", API, token).await.json()["active"].clone();
        let token_of_now = lab.replica.issued("reader", READER, "").await;
        let now = lab.kid().await;
        let (status, told) = lab.ask(&format!("POST /_test/keys/{now}/retire"), r#"{"compromised":true}"#).await;
        assert_eq!((status, active(&token_of_now).await), (200, json!(false)), "{told}");
        assert_ne!(lab.kid().await, now);
        assert!(!lab.published().await.contains(&now));
        assert_eq!(active(&token).await, json!(false), "it has expired");
    }

    async fn keys_that_cannot_be_meant_are_told(env) {
        let lab = Lab::new(env, CATALOG).await;
        let kid = lab.kid().await;
        lab.ask("POST /_test/keys/rotate", r#"{"now":true}"#).await;
        for (line, body, status, told) in [
            ("POST /_test/keys/nope/retire".to_owned(), "", 404, "there is no signing key nope"),
            (format!("POST /_test/keys/{kid}/retire"), "", 409, "already ends"),
            ("POST /_test/keys/rotate".to_owned(), r#"{"algorithm":"RS256"}"#, 409, "no RS256 key is signing"),
            ("POST /_test/keys/rotate".to_owned(), r#"{"algorithm":"RS257"}"#, 400, "RS257"),
            ("POST /_test/keys/rotate".to_owned(), r#"{"now":"yes"}"#, 400, "true or false"),
        ] {
            let (found, answer) = lab.ask(&line, body).await;
            assert_eq!(found, status, "{line}: {answer}");
            assert!(answer["message"].as_str().unwrap().contains(told), "{line}: {answer}");
        }
    }
}
