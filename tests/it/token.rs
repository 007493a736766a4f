//! `POST /oauth2/token`: RFC 6749, RFC 8707, RFC 9068.

use crate::harness::*;

on_both! {
    /// 6749-23 6749-24 6749-25 9068-01 9068-02
    async fn a_known_client_gets_a_token(env) {
        env.apply(CATALOG).await;
        let replica = env.replica().await;
        let answer = replica.token("reader", READER, "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.headers["content-type"], "application/json");
        let body = answer.json();
        let (header, claims) = decoded(body["access_token"].as_str().unwrap());
        assert_eq!(header["typ"], "at+jwt");
        assert_eq!(claims["sub"], "reader");
    }
}
