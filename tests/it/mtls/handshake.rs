//! What the listeners' handshakes allow (RFC 8705 section 2, RFC 9325).

use rustls::client::Resumption;
use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, ProtocolVersion};

use super::*;

/// `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256`.
pub(super) const ECDHE_GCM: [u8; 2] = [0xc0, 0x2b];

/// A TLS record with a `ClientHello` for `version` at most, of one suite.
pub(super) fn client_hello(version: [u8; 2], suite: [u8; 2]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend([0, 2]);
    body.extend(suite);
    body.extend([1, 0]);
    // The groups, point formats and signature algorithms that old clients send.
    let extensions: &[u8] = &[
        0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 8, 0, 6, 4, 3, 4, 1, 8, 4, 0, 23, 0,
        0,
    ];
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let mut message = vec![1, length[1], length[2], length[3]];
    message.extend(body);
    let mut record = vec![22, 3, 1];
    record.extend(u16::try_from(message.len()).unwrap().to_be_bytes());
    record.extend(message);
    record
}

/// The type of the first record that the server answers with: 22 goes on, 21 is an alert.
async fn first_record(address: SocketAddr, hello: &[u8]) -> u8 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(hello).await.unwrap();
    stream.read_u8().await.unwrap()
}

on_both! {
    /// B-M03: the certificate of somebody else is worth nothing without its key, in both versions.
    async fn a_certificate_without_its_key_fails_the_handshake(env) {
        let victim = Identity::named("ledger");
        env.apply(&catalog(&[victim.thumbprint()], NOBODY)).await;
        let listening = listen(&env).await;
        let stolen = Identity {
            chain: victim.chain.clone(),
            key: Arc::new(KeyPair::generate().unwrap()),
        };
        for versions in [&[&TLS12][..], &[&TLS13]] {
            let good = Arc::new(client(Some(victim.certified()), versions));
            let mut connection = open(listening.mutual, good, HOST).await.unwrap();
            assert_eq!(connection.token("ledger", "").await.unwrap().status, 200);
            let config = Arc::new(client(Some(stolen.certified()), versions));
            // In TLS 1.3 the client learns of it when it reads.
            let refused = match open(listening.mutual, config, HOST).await {
                Ok(mut connection) => connection.token("ledger", "").await.is_err(),
                Err(_) => true,
            };
            assert!(refused, "{versions:?}");
        }
    }

    /// B-H06 (8705-10).
    async fn old_versions_and_weak_suites_are_refused(env) {
        env.apply(CATALOG).await;
        let listening = listen(&env).await;
        for address in [listening.main, listening.mutual] {
            assert_eq!(first_record(address, &client_hello([3, 3], ECDHE_GCM)).await, 22);
            for version in [[3, 0], [3, 1], [3, 2]] {
                assert_eq!(first_record(address, &client_hello(version, ECDHE_GCM)).await, 21);
            }
            // RC4, 3DES, CBC, static RSA, export.
            for suite in [[0, 5], [0, 10], [0xc0, 0x09], [0xc0, 0x23], [0, 0x9c], [0, 3], [0, 0x2f]] {
                assert_eq!(first_record(address, &client_hello([3, 3], suite)).await, 21, "{suite:?}");
            }
        }
        let connection = listening.connect(None).await.unwrap();
        let (_, session) = connection.stream.get_ref();
        assert_eq!(session.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    }

    /// 8705-09: the main listener never asks, and takes no certificate.
    async fn the_main_listener_never_asks_for_a_certificate(env) {
        let own = Identity::named("ledger");
        env.apply(&catalog(&[own.thumbprint()], NOBODY)).await;
        let listening = listen(&env).await;
        let config = Arc::new(client(Some(own.certified()), ALL_VERSIONS));
        let mut connection = open(listening.main, config, HOST).await.unwrap();
        connection.token("ledger", "").await.unwrap().assert_error(401, "invalid_client");
    }

    /// No session comes back, neither on the listener itself nor from the main one, and there is no 0-RTT.
    /// (B-M06).
    async fn nothing_is_resumed(env) {
        let own = Identity::named("ledger");
        env.apply(&catalog(&[own.thumbprint()], NOBODY)).await;
        let listening = listen(&env).await;
        for versions in [&[&TLS12][..], &[&TLS13]] {
            for first in [listening.mutual, listening.main] {
                let mut config = client(Some(own.certified()), versions);
                config.resumption = Resumption::in_memory_sessions(16);
                config.enable_early_data = true;
                let config = Arc::new(config);
                for address in [first, listening.mutual] {
                    let mut connection = open(address, Arc::clone(&config), HOST).await.unwrap();
                    let answer = connection.token("ledger", "").await.unwrap();
                    let (_, session) = connection.stream.get_ref();
                    assert_eq!(session.handshake_kind(), Some(HandshakeKind::Full));
                    assert!(!session.is_early_data_accepted());
                    let expected = if address == listening.mutual { 200 } else { 401 };
                    assert_eq!(answer.status, expected);
                }
            }
        }
    }

    /// B-M05.
    async fn a_chain_beyond_the_limits_fails_the_handshake(env) {
        let mut own = Identity::named("ledger");
        env.apply(&catalog(&[own.thumbprint()], NOBODY)).await;
        let listening = listen(&env).await;
        let filler = Identity::named("filler").chain[0].clone();
        own.chain.extend(vec![filler.clone(); 9]);
        assert_eq!(listening.token(Some(&own), "ledger").await.status, 200);
        for more in [1, 90, 2000] {
            let mut long = own.clone();
            long.chain.extend(vec![filler.clone(); more]);
            let refused = match listening.connect(Some(&long)).await {
                Ok(mut connection) => connection.token("ledger", "").await.is_err(),
                Err(_) => true,
            };
            assert!(refused, "{more}");
        }
    }
}
