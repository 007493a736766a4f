//! What an exchange needs of grants and policies, and that it gives nothing wider.

use grantd::domain::timestamp::Seconds;

use super::*;

on_both! {
    /// EXC-01.
    async fn without_the_grant_or_a_policy_there_is_none(env) {
        let policy = |lines: &str| policy("stock-api", "read", "read") + lines + "\n";
        let more = [
            // The policy, and not the grant.
            client("no-grant", &lines(""), &[policy(FROM_ORDERS)]),
            client("only-jobs", &lines("grants = []"), &[policy(FROM_ORDERS)]),
            // The grant, and a policy that says nothing of it, or is for other grants, sources, subjects.
            exchanging("no-exchange", &[policy("")]),
            exchanging("no-policy", &[]),
            exchanging("narrowed", &[policy(&format!("grants = [\"client_credentials\"]\n{FROM_ORDERS}"))]),
            exchanging("unsaid", &[policy("grants = [\"token-exchange\"]")]),
            exchanging("elsewhere", &[policy("exchange = { from = [\"other-api\"] }")]),
            exchanging("other-issuer", &[policy("exchange = { from = [\"issuer:orders-api\"] }")]),
            exchanging("others", &[policy("exchange = { from = [\"orders-api\"], subjects = [\"we\", \"web2\", \"*eb:\"] }")]),
            exchanging("off", &[policy(&format!("{FROM_ORDERS}\nenabled = false"))]),
            exchanging("right", &[policy("exchange = { from = [\"orders-api\"], subjects = [\"w*\"] }")]),
        ];
        let ids = [
            "no-grant", "only-jobs", "no-exchange", "no-policy", "narrowed", "unsaid", "elsewhere", "other-issuer",
            "others", "off",
        ];
        // All of them are APIs that web calls.
        let servers = format!("served_by = {:?}", [&ids[..], &["right", "orders"]].concat());
        let catalog = catalog_with(FROM_ORDERS, &more.concat()).replace("served_by = [\"orders\"]", &servers);
        let issuer = "[[issuer]]\nid = \"orders-api\"\nurl = \"https://orders.example\"\nuse = \"exchange\"\n";
        env.apply(&(catalog + issuer)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        for id in ids {
            let answer = replica.give_for(id, &of_web, "").await;
            assert_eq!(answer.status, 400, "{id}: {answer:?}");
            answer.assert_error(400, "unauthorized_client");
        }
        replica.exchanged("right", &of_web, "").await;
    }

    /// EXC-01.
    async fn a_token_of_another_issuer_is_not_taken(env) {
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        let stranger = new_key();
        let (mut header, mut claims) = decoded(&of_web);
        claims["iss"] = "https://other.example".into();
        let by_stranger = signed(&stranger, &header, &claims);
        replica.give_for("orders", &by_stranger, "").await.assert_error(400, "invalid_request");
        header["kid"] = stranger.kid.as_str().into();
        let by_stranger = signed(&stranger, &header, &claims);
        replica.give_for("orders", &by_stranger, "").await.assert_error(400, "invalid_request");
    }

    /// What a subject token is instead of one that counts.
    async fn a_subject_token_of_nobody_or_with_something_around_is_told(env) {
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        let (mut header, mut claims) = decoded(&of_web);
        claims["iss"] = "https://other.example".into();
        let stranger = new_key();
        header["kid"] = stranger.kid.as_str().into();
        let of_stranger = signed(&stranger, &header, &claims);
        header["typ"] = "id+jwt".into();
        let of_another_type = signed(&stranger, &header, &claims);
        for (sent, check, found) in [
            (of_stranger, Check::ForeignIssuer, "https://other.example"),
            (of_another_type, Check::ForeignIssuer, "https://other.example"),
            (format!("{of_web}%0A"), Check::TokenForm, "one with a line break at its beginning or end"),
            (format!("%09{of_web}"), Check::TokenForm, "one with a space or tab at its beginning or end"),
            (format!("{of_web}%00"), Check::TokenForm, "the signature is not base64url"),
        ] {
            let answer = replica.give_for("orders", &sent, "").await;
            answer.assert_error(400, "invalid_request");
            let id = answer.headers["x-request-id"].to_str().unwrap().parse().unwrap();
            replica.grantd.write_waiting().await;
            let explained = explain_recorded(&env.store, id).await.unwrap().unwrap();
            let failed = explained.failed().unwrap();
            assert_eq!((failed.check, failed.found.as_deref()), (check, Some(found)));
        }
    }

    async fn a_policy_with_an_exchange_holds_for_other_grants_unless_it_is_narrowed(env) {
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let own = replica.issued("orders", SECRET, "").await;
        assert_eq!(decoded(&own).1["sub"], "orders");
        env.apply(&catalog(&format!("grants = [\"{EXCHANGE}\"]\n{FROM_ORDERS}"))).await;
        replica.follow().await;
        replica.token("orders", SECRET, "").await.assert_error(400, "unauthorized_client");
        let of_web = replica.of_web("").await;
        replica.exchanged("orders", &of_web, "").await;
    }

    /// EXC-02.
    async fn scope_and_audience_stay_within_the_policy(env) {
        env.apply(&catalog(FROM_ORDERS)).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        for (more, error) in [
            ("&scope=fly", "invalid_scope"),
            ("&audience=stock-api&scope=read+fly", "invalid_scope"),
            ("&audience=ledger-api", "invalid_target"),
            ("&audience=orders-api", "invalid_target"),
            ("&resource=urn:x", "invalid_target"),
        ] {
            let answer = replica.give_for("orders", &of_web, more).await;
            assert_eq!(answer.error(), error, "{more}: {answer:?}");
        }
        let all = replica.exchanged("orders", &of_web, "&audience=stock-api&scope=read+count").await;
        assert_eq!(decoded(&all).1["scope"], "count read");
    }

    /// EXC-02.
    async fn scopes_stay_within_those_of_the_subject_token_where_the_policy_says_so(env) {
        env.apply(&catalog("exchange = { from = [\"orders-api\"], scopes_from_subject = true }")).await;
        let replica = env.replica().await;
        let reads = replica.of_web("&scope=read").await;
        replica.give_for("orders", &reads, "&scope=write").await.assert_error(400, "invalid_scope");
        replica.give_for("orders", &reads, "&scope=read+count").await.assert_error(400, "invalid_scope");
        assert_eq!(decoded(&replica.exchanged("orders", &reads, "&scope=read").await).1["scope"], "read");
        let writes = replica.of_web("&scope=write").await;
        replica.give_for("orders", &writes, "").await.assert_error(400, "invalid_scope");
        let both = replica.of_web("&scope=read+write").await;
        let token = replica.exchanged("orders", &both, "&scope=write+read").await;
        assert_eq!(decoded(&token).1["scope"], "read write");
    }

    /// EXC-02.
    async fn a_token_ends_no_later_than_the_one_that_it_was_given_for(env) {
        let catalog = |lines: &str| {
            catalog(&format!("exchange = {{ from = [\"orders-api\"]{lines} }}"))
                .replace("served_by = [\"orders\"]", "served_by = [\"orders\"]\ntoken_lifetime = \"100s\"")
        };
        env.apply(&catalog("")).await;
        let replica = env.replica().await;
        let of_web = replica.of_web("").await;
        let end = decoded(&of_web).1["exp"].clone();
        let mut at = 0;
        for passed in [0, 20, 69] {
            env.clock.advance(Seconds::new(passed - at));
            at = passed;
            replica.follow().await;
            let answer = replica.give_for("orders", &of_web, "").await;
            let (_, claims) = decoded(&access_token(&answer));
            assert_eq!(claims["exp"], end, "{passed}");
            assert_eq!(answer.json()["expires_in"], 100 - passed, "{passed}");
        }
        env.apply(&catalog(", lifetime = \"20s\"")).await;
        replica.follow().await;
        assert_eq!(replica.give_for("orders", &of_web, "").await.json()["expires_in"], 20);
        env.clock.advance(Seconds::new(20));
        assert_eq!(replica.give_for("orders", &of_web, "").await.json()["expires_in"], 11);
        env.clock.advance(Seconds::new(11));
        replica.follow().await;
        replica.give_for("orders", &of_web, "").await.assert_error(400, "invalid_request");
        // Its own tokens live as the audience says.
        assert_eq!(replica.token("orders", SECRET, "").await.json()["expires_in"], 300);
    }
}
