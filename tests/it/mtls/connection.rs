//! What happens on one connection after its handshake.

use grantd::domain::timestamp::Seconds;
use grantd::server::client_ca_files::ClientCaFiles;
use rcgen::SanType;

use super::*;

on_both! {
    /// B-M06: a connection that stays open outlives neither registration, nor client, nor dates.
    async fn a_kept_alive_connection_loses_access_with_its_certificate(env) {
        let own = Identity::named("ledger");
        let with = catalog(&[own.thumbprint()], NOBODY);
        env.apply(&with).await;
        let listening = listen(&env).await;
        let mut connection = listening.connect(Some(&own)).await.unwrap();
        assert_eq!(connection.token("ledger", "").await.unwrap().status, 200);
        // The certificate is removed.
        env.prune(&catalog(&[Identity::named("next").thumbprint()], NOBODY)).await;
        listening.replica.follow().await;
        connection.token("ledger", "").await.unwrap().assert_error(401, "invalid_client");
        // It comes back, and the client is disabled.
        env.apply(&with).await;
        listening.replica.follow().await;
        assert_eq!(connection.token("ledger", "").await.unwrap().status, 200);
        let disabled = "id = \"ledger\"\nstatus = \"disabled\"";
        env.apply(&with.replace("id = \"ledger\"", disabled)).await;
        listening.replica.follow().await;
        connection.token("ledger", "").await.unwrap().assert_error(401, "invalid_client");
    }

    /// B-M05
    async fn a_kept_alive_connection_loses_access_when_its_certificate_expires(env) {
        let own = Identity::named("ledger");
        env.apply(&catalog(&[own.thumbprint()], "subject_dn = \"CN=job\"")).await;
        let listening = listen(&env).await;
        let ca = Ca::new("ca");
        listening.replica.grantd.client_cas().trust(cas(&ca.pem()));
        let mut ledger = listening.connect(Some(&own)).await.unwrap();
        let mut job = listening.connect(Some(&ca.sign(&leaf("job")))).await.unwrap();
        assert_eq!(ledger.token("ledger", "").await.unwrap().status, 200);
        assert_eq!(job.token("job", "").await.unwrap().status, 200);
        env.clock.advance(Seconds::new(3601));
        listening.replica.follow().await;
        ledger.token("ledger", "").await.unwrap().assert_error(401, "invalid_client");
        job.token("job", "").await.unwrap().assert_error(401, "invalid_client");
    }

    async fn a_kept_alive_connection_loses_access_when_its_ca_goes(env) {
        env.apply(&catalog(&[], "subject_dn = \"CN=job\"")).await;
        let listening = listen(&env).await;
        let (old, new) = (Ca::new("old"), Ca::new("new"));
        listening.replica.grantd.client_cas().trust(cas(&(old.pem() + &new.pem())));
        let mut connection = listening.connect(Some(&old.sign(&leaf("job")))).await.unwrap();
        assert_eq!(connection.token("job", "").await.unwrap().status, 200);
        listening.replica.grantd.client_cas().trust(cas(&new.pem()));
        connection.token("job", "").await.unwrap().assert_error(401, "invalid_client");
        let next = new.sign(&leaf("job"));
        assert_eq!(listening.token(Some(&next), "job").await.status, 200);
    }

    /// The files of the CAs are read as they are at the start; what they then become, the server's own test shows.
    async fn ca_files_must_hold_certificates(env) {
        let replica = env.replica().await;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("ca.pem");
        let trusted = || replica.grantd.client_cas().clone();
        let load = || ClientCaFiles::load(vec![file.clone()], trusted());
        assert!(load().err().unwrap().to_string().starts_with("cannot read the client CA file "));
        std::fs::write(&file, "nothing").unwrap();
        assert!(load().err().unwrap().to_string().contains("holds no certificate in PEM form"));
        std::fs::write(&file, Ca::new("ca").pem()).unwrap();
        assert!(load().unwrap().is_some());
        assert!(ClientCaFiles::load(Vec::new(), trusted()).unwrap().is_none());
    }

    /// B-M07.
    async fn each_request_of_a_connection_is_judged_alone(env) {
        let own = Identity::named("ledger");
        env.apply(&catalog(&[own.thumbprint()], NOBODY)).await;
        let listening = listen(&env).await;
        let mut connection = listening.connect(Some(&own)).await.unwrap();
        for _ in 0..2 {
            connection.token("job", "").await.unwrap().assert_error(401, "invalid_client");
            assert_eq!(connection.token("ledger", "").await.unwrap().claims()["sub"], "ledger");
            connection.token("reader", "").await.unwrap().assert_error(401, "invalid_client");
        }
    }

    /// B-M07.
    async fn a_connection_serves_the_host_that_it_was_opened_for(env) {
        let own = Identity::named("ledger");
        env.apply(&catalog(&[own.thumbprint()], NOBODY)).await;
        let listening = listen(&env).await;
        let mut connection = listening.connect(Some(&own)).await.unwrap();
        connection.host = "auth.example".to_owned();
        connection.token("ledger", "").await.unwrap().assert_error(421, "invalid_request");
        connection.host = HOST.to_uppercase() + ":8444";
        assert_eq!(connection.token("ledger", "").await.unwrap().status, 200);
        // An address has no SNI, and the main listener has no certificates that could be meant for another host.
        let config = Arc::new(client(Some(own.certified()), ALL_VERSIONS));
        let mut connection = open(listening.mutual, config, "127.0.0.1").await.unwrap();
        assert_eq!(connection.token("ledger", "").await.unwrap().status, 200);
        let config = Arc::new(client(None, ALL_VERSIONS));
        let mut connection = open(listening.main, config, "a.example").await.unwrap();
        connection.host = "b.example".to_owned();
        connection.token("ledger", "").await.unwrap().assert_error(401, "invalid_client");
    }

    /// B-M04: a wildcard in the certificate is a name like any other.
    async fn a_wildcard_name_proves_nothing(env) {
        env.apply(&catalog(&[], "san_dns = \"job.example\"")).await;
        let listening = listen(&env).await;
        let ca = Ca::new("ca");
        listening.replica.grantd.client_cas().trust(cas(&ca.pem()));
        for (name, status) in [("job.example", 200), ("*.example", 401), ("job.example.evil", 401)] {
            let mut params = leaf("job.example");
            params.subject_alt_names = vec![SanType::DnsName(name.try_into().unwrap())];
            assert_eq!(listening.token(Some(&ca.sign(&params)), "job").await.status, status, "{name}");
        }
    }
}
