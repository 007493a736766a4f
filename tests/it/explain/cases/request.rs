//! Where a request comes from, its form, and how its client presents itself.

use std::io;

use axum::body::Body;
use futures_util::stream;
use grantd::domain::check::Check;
use grantd::domain::proxy::{AddressHeader, CertificateHeader, ProxySecret, TrustedProxies};
use grantd::domain::secret_format::Secret;

use super::{Cases, GRANT, INTROSPECT, TOKEN, connection, request};
use crate::harness::*;

pub(super) async fn provoke(cases: &mut Cases<'_>) {
    cases.env.apply(CATALOG).await;
    let replica = cases.env.replica().await;
    origin(cases, &replica).await;
    form(cases, &replica).await;
    presentation(cases, &replica).await;
}

async fn origin(cases: &mut Cases<'_>, replica: &Replica) {
    let proxies = TrustedProxies {
        networks: vec!["10.1.0.0/16".parse().unwrap()],
        thumbprints: Vec::new(),
        secret: Some(ProxySecret {
            header: "x-proxy-secret".to_owned(),
            value: Secret::new("the secret of a proxy".to_owned()),
        }),
        certificate_header: CertificateHeader::None,
        address_header: AddressHeader::None,
    };
    let behind = cases.env.replica().await;
    let behind = behind.published_as(|settings| settings.proxy = Some(proxies));
    let answer = behind.send(request(TOKEN, connection("10.1.0.5"), GRANT.into()));
    let answer = answer.await;
    let found = "a peer in the proxies' networks, without the proxies' secret or certificate";
    cases.note(&behind, (Check::Proxy, found), answer).await;

    let mut elsewhere = connection("192.0.2.1");
    elsewhere.bound_to_host = Some("another.example".into());
    let answer = replica.send(request(TOKEN, elsewhere, GRANT.into())).await;
    let told = (Check::Connection, "a connection for another host");
    cases.note(replica, told, answer).await;
}

async fn form(cases: &mut Cases<'_>, replica: &Replica) {
    let large = format!("a={}", "a".repeat(17 * 1024));
    let many: Vec<String> = (0..65).map(|number| format!("p{number}=x")).collect();
    let many = many.join("&");
    for (check, found, headers, body) in [
        (
            Check::ContentEncoding,
            "a Content-Encoding",
            &[("content-encoding", "gzip")][..],
            GRANT,
        ),
        (Check::BodySize, "a longer body", &[], &large),
        (Check::ParameterCount, "more", &[], &many),
        (
            Check::FormEncoding,
            "a % that begins no escape, or bytes that are no UTF-8",
            &[],
            "a=%",
        ),
        (
            Check::ParameterOnce,
            "scope more than once",
            &[],
            "scope=a&scope=b",
        ),
        (Check::GrantType, "password", &[], "grant_type=password"),
    ] {
        let answer = replica.post(TOKEN, headers, body).await;
        cases.note(replica, (check, found), answer).await;
    }
    for (check, found, value) in [
        (Check::MediaType, "application/json", "application/json"),
        (
            Check::Charset,
            "charset=latin1",
            "application/x-www-form-urlencoded; charset=latin1",
        ),
    ] {
        let mut asked = request(TOKEN, connection("192.0.2.1"), GRANT.into());
        let value = value.parse().unwrap();
        asked.headers_mut().insert("content-type", value);
        let answer = replica.send(asked).await;
        cases.note(replica, (check, found), answer).await;
    }
    let answer = replica
        .post("/oauth2/token?client_id=reader", &[], GRANT)
        .await;
    let told = (Check::Query, "parameters in the URL");
    cases.note(replica, told, answer).await;
    let broken = stream::iter([Ok("grant"), Err(io::Error::other("it breaks off"))]);
    let asked = request(TOKEN, connection("192.0.2.1"), Body::from_stream(broken));
    let answer = replica.send(asked).await;
    let told = (Check::BodyWhole, "one that broke off or took longer");
    cases.note(replica, told, answer).await;
    let api = basic("api", API);
    let answer = replica
        .post(INTROSPECT, &[("authorization", &api)], "")
        .await;
    cases
        .note(replica, (Check::TokenParameter, "none"), answer)
        .await;
}

async fn presentation(cases: &mut Cases<'_>, replica: &Replica) {
    let reader = basic("reader", READER);
    for (check, found, authorization, more) in [
        (
            Check::OneMethod,
            "Authorization and client_secret",
            reader.as_str(),
            "&client_secret=a",
        ),
        (
            Check::BasicEncoding,
            "no base64 with padding",
            "Basic reader:secret",
            "",
        ),
        (
            Check::SameClientId,
            "job in the body, reader in the header",
            &reader,
            "&client_id=job",
        ),
        (Check::Credentials, "the scheme Bearer", "Bearer x", ""),
    ] {
        let form = format!("{GRANT}{more}");
        let headers = [("authorization", authorization)];
        let answer = replica.post(TOKEN, &headers, &form).await;
        cases.note(replica, (check, found), answer).await;
    }
    let form = format!("{GRANT}&client_assertion=a");
    let answer = replica.post(TOKEN, &[], &form).await;
    let told = (Check::AssertionParameters, "client_assertion alone");
    cases.note(replica, told, answer).await;
}
