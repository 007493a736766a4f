//! A proxy on the real mutual-TLS listener, with a certificate of its own.

use super::*;

on_both! {
    /// B-M07: it asks for another host than the one that its connection was opened for, as proxies do.
    /// (B-M07).
    async fn one_connection_of_a_proxy_carries_several_clients(env) {
        let (own, proxy) = (Identity::named("ledger"), Identity::named("proxy"));
        env.apply(&super::super::catalog(&[own.thumbprint()], NOBODY)).await;
        let mut proxies = proxies(CertificateHeader::ClientCert);
        proxies.thumbprints = vec![proxy.thumbprint()];
        let listening = listen_behind(&env, proxies).await;
        let mut connection = listening.connect(Some(&proxy)).await.unwrap();
        connection.host = "auth.example".to_owned();
        let form = "grant_type=client_credentials&client_id=ledger";
        let line = format!("Client-Cert: {}\r\n", client_cert(&own));
        for _ in 0..2 {
            let answer = connection.post("/oauth2/token", &line, form).await.unwrap();
            assert_eq!(answer.claims()["cnf"]["x5t#S256"], own.thumbprint());
            // The certificate of the request before is not that of this one.
            let answer = connection.post("/oauth2/token", "", form).await.unwrap();
            answer.assert_error(401, "invalid_client");
        }
    }

    /// Who is no proxy is held to the host that the connection was opened for (B-M07).
    async fn a_client_beside_the_proxies_is_served_as_before(env) {
        let own = Identity::named("ledger");
        env.apply(&super::super::catalog(&[own.thumbprint()], NOBODY)).await;
        let mut proxies = proxies(CertificateHeader::ClientCert);
        proxies.networks = vec![NETWORK.parse().unwrap()];
        let listening = listen_behind(&env, proxies).await;
        let mut connection = listening.connect(Some(&own)).await.unwrap();
        let claims = connection.token("ledger", "").await.unwrap().claims();
        assert_eq!(claims["cnf"]["x5t#S256"], own.thumbprint());
        connection.host = "auth.example".to_owned();
        let answer = connection.token("ledger", "").await.unwrap();
        answer.assert_error(421, "invalid_request");
    }
}
