//! `client_secret_basic` and `client_secret_post` as they are written on the wire (RFC 6749 section 2.3.1).

use super::*;
use crate::captured_log::watch;
use crate::raw_sql;

/// The vector of AppAuth-iOS#233.
const ID: &str = "1PpG/Q 1";
const SECRET: &str = "z/tZ9VwFZqApmIQ+ZH1I5pLk/uB4ud:X2/8bL+wfFTt1rFw=";

fn secret(text: &str) -> String {
    format!(
        "auth = [\"client_secret_basic\", \"client_secret_post\"]\nsecret = {}",
        crate::catalogs::text(text)
    )
}

on_both! {
    /// 6749-13.
    async fn both_halves_are_form_decoded(env) {
        env.apply(&with_clients(&[(ID, &secret(SECRET))])).await;
        let replica = env.replica().await;
        assert_eq!(replica.token(ID, SECRET, "").await.status, 200);
        let raw = basic_raw(&format!("{ID}:{SECRET}"));
        replica
            .ask_with(&raw, "grant_type=client_credentials")
            .await
            .assert_error(401, "invalid_client");
        let undecodable = basic_raw(&format!("{ID}:50%"));
        replica
            .ask_with(&undecodable, "grant_type=client_credentials")
            .await
            .assert_error(400, "invalid_request");
    }

    /// 6749-14.
    async fn every_printable_character_works_and_no_other(env) {
        let all: String = (0x20..=0x7e_u8).map(char::from).collect();
        let reversed: String = all.chars().rev().collect();
        env.apply(&with_clients(&[(&all, &secret(&reversed))])).await;
        let replica = env.replica().await;
        assert_eq!(replica.token(&all, &reversed, "").await.status, 200);
        let (id, encoded) = (form_encoded(&all), form_encoded(&reversed));
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={encoded}");
        assert_eq!(replica.ask(&form).await.status, 200);
        for wrong in ["sécret of the reader", "secret\u{7f}of the reader", "secret\tof the reader"]
        {
            let wrong_id = wrong.replace("reader", "client");
            assert!(
                env.try_apply(&with_clients(&[("other", &secret(wrong))]), false).await.is_err()
            );
            assert!(
                env.try_apply(&with_clients(&[(&wrong_id, &secret("good secret of one"))]), false)
                    .await
                    .is_err()
            );
            replica.token(&all, wrong, "").await.assert_error(401, "invalid_client");
            replica.token(&wrong_id, &reversed, "").await.assert_error(401, "invalid_client");
        }
    }

    /// 6749-15.
    async fn only_the_first_colon_divides(env) {
        env.apply(&with_clients(&[("urn:client", &secret("with:colons:in the secret"))])).await;
        let replica = env.replica().await;
        let grant = "grant_type=client_credentials";
        for right in
            ["urn%3Aclient:with:colons:in+the+secret", "urn%3Aclient:with%3Acolons:in the secret"]
        {
            assert_eq!(replica.ask_with(&basic_raw(right), grant).await.status, 200, "{right}");
        }
        let raw = basic_raw("urn:client:with:colons:in+the+secret");
        replica.ask_with(&raw, grant).await.assert_error(401, "invalid_client");
    }

    /// 6749-16.
    async fn the_scheme_is_read_in_any_case_and_the_rest_strictly(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let grant = "grant_type=client_credentials";
        let right = basic("reader", READER);
        let encoded = right.strip_prefix("Basic ").unwrap();
        for scheme in ["basic", "BASIC", "bAsIc", "Basic ", "Basic   "] {
            assert_eq!(
                replica.ask_with(&format!("{scheme} {encoded}"), grant).await.status,
                200,
                "{scheme}"
            );
        }
        let nul = basic_raw("reader:reader%00");
        let no_utf_8 = basic_raw("reader:%FF");
        let no_colon = basic_raw("reader");
        let cut = format!("Basic {}", encoded.trim_end_matches('='));
        let trailing = format!("{right}x");
        let second = format!("{right} x");
        for wrong in [
            "Basic",
            "Basic !!!!",
            "Basic cmVhZGVyOnM_Pg==",
            &nul,
            &no_utf_8,
            &no_colon,
            &cut,
            &trailing,
            &second,
            "Basic cmVhZGVyOnM",
            "Basic cmVhZGVyOnM==",
        ] {
            if wrong != right {
                replica.ask_with(wrong, grant).await.assert_error(400, "invalid_request");
            }
        }
    }

    /// 6749-18.
    async fn credentials_in_the_query_do_not_count_and_are_not_logged(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let mark = format!("query{}", uuid::Uuid::new_v4().simple());
        let seen = watch(&mark);
        for query in [
            format!("client_id=reader&client_secret={mark}"),
            format!("{mark}=1"),
            "grant_type=client_credentials&client_id=reader&client_secret=reader+secret+of+1"
                .to_owned(),
        ] {
            let path = format!("/oauth2/token?{query}");
            replica
                .post(&path, &[], "grant_type=client_credentials")
                .await
                .assert_error(400, "invalid_request");
            replica.post(&path, &[], FORM).await.assert_error(400, "invalid_request");
        }
        assert_eq!(seen.lines(), Vec::<String>::new());
    }

    /// 6749-19.
    async fn a_wrong_secret_is_invalid_client_with_a_challenge(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let answer = replica.token("reader", "wrong", "").await;
        answer.assert_error(401, "invalid_client");
        assert_eq!(answer.headers["www-authenticate"], "Basic realm=\"grantd\", charset=\"UTF-8\"");
        assert_eq!(answer.headers.get_all("www-authenticate").iter().count(), 1);
    }

    /// 6749-21.
    async fn nothing_tells_why_a_client_was_refused(env) {
        let expired =
            format!("secrets = [{{ value = \"secret that has expired\", expires_at = {START} }}]");
        env.apply(&with_clients(&[
            ("reader", "secret = \"secret of the reader\""),
            ("disabled", "status = \"disabled\"\nsecret = \"secret of the disabled\""),
            ("expired", &expired),
            ("in-body", "auth = \"client_secret_post\"\nsecret = \"secret of the body\""),
        ]))
        .await;
        let replica = env.replica().await;
        let refused = replica.token("nobody", "secret of the reader", "").await;
        refused.assert_error(401, "invalid_client");
        let long = "x".repeat(1025);
        for (client, secret) in [
            ("reader", "wrong"),
            ("Reader", "secret of the reader"),
            ("disabled", "secret of the disabled"),
            ("disabled", "wrong"),
            ("expired", "secret that has expired"),
            ("in-body", "secret of the body"),
            ("reader", ""),
            ("reader", "é"),
            ("reader", "grantd_mistyped"),
            ("reader", &long),
            ("nobody", &long),
        ] {
            assert_eq!(
                replica.token(client, secret, "").await.same(),
                refused.same(),
                "{client} {secret}"
            );
        }
        assert_eq!(replica.ask("grant_type=client_credentials").await.same(), refused.same());
        let bearer = replica.ask_with("Bearer x", "grant_type=client_credentials").await;
        assert_eq!(bearer.same(), refused.same());
    }

    /// B-C07.
    async fn no_client_id_breaks_anything_and_the_log_keeps_to_its_line(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        // Letters alone: it looks like no secret, which would be hidden.
        let letter = |digit: char| char::from(b'a' + u8::try_from(digit.to_digit(16).unwrap()).unwrap());
        let mark: String = uuid::Uuid::new_v4().simple().to_string().chars().map(letter).collect();
        let seen = watch(&mark);
        let long = "x".repeat(10_240);
        for odd in [
            "'",
            "' OR 1=1 --",
            "\0",
            "\u{202e}",
            "\u{1F600}",
            &long,
            "../../reader",
            "\r\nlevel=INFO forged",
            "\u{1b}[2J",
            "\u{9b}2J",
            "reаder",
            "READER",
            "reader ",
            " reader",
            "${jndi}",
            "%s%n",
        ] {
            let id = format!("{mark}{odd}");
            for id in [odd, &id] {
                let in_header = replica.token(id, READER, "").await;
                let encoded = form_encoded(id);
                let form = format!(
                    "grant_type=client_credentials&client_id={encoded}&client_secret=reader+secret+of+1"
                );
                let in_body = replica.ask(&form).await;
                for answer in [in_header, in_body] {
                    assert!(answer.status == 401 || answer.status == 400, "{id:?} {answer:?}");
                    assert!(!String::from_utf8_lossy(&answer.body).contains(&mark));
                }
            }
        }
        assert!(seen.lines().len() >= 16, "{:?}", seen.lines());
        for line in seen.lines() {
            let line = line.strip_suffix('\n').unwrap();
            assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
            assert!(line.len() < 1000, "{line}");
        }
        // Nor does any spoil what is stored: Postgres takes no NUL in a text.
        assert!(replica.audit_events("refused").await >= 30);
        let actors = raw_sql::texts(&env.database, "SELECT actor FROM audit_events").await;
        assert!(actors.iter().any(|actor| actor.contains(&mark)));
        for actor in actors {
            let shown = actor.replace('…', "");
            assert!(shown.bytes().all(|byte| (0x20..=0x7e).contains(&byte)), "{actor:?}");
        }
    }
}
