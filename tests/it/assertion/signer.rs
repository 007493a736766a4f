//! Makes client assertions as a client does, right ones and wrong ones.

use grantd::crypto::digest::base64url;
use grantd::crypto::jws::{NewKey, generate};
use grantd::crypto::public_jwk::PublicJwk;
use grantd::domain::accepted_algorithm::AcceptedAlgorithm;
use grantd::domain::algorithm::SigningAlgorithm;
use josekit::jwk::KeyPair as _;
use josekit::jwk::alg::ec::EcKeyPair;
use josekit::jws::{ES256, ES384, ES512, EdDSA, JwsSigner, PS256, PS384, RS256, RS384, RS512};
use serde_json::{Map, Value, json};

use crate::catalogs::{by_key, client, reads};
use crate::harness::{Answer, Env, ISSUER, Replica, START, form_encoded};

/// The type of client assertions.
pub(crate) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client's key pair.
pub(crate) struct Key {
    key: NewKey,
    algorithm: AcceptedAlgorithm,
}

impl Key {
    pub(crate) fn new(algorithm: impl Into<AcceptedAlgorithm>) -> Self {
        let algorithm = algorithm.into();
        let key = match algorithm {
            AcceptedAlgorithm::Ours(ours) => generate(ours).unwrap(),
            AcceptedAlgorithm::Rs384 | AcceptedAlgorithm::Ps384 | AcceptedAlgorithm::Rs512 => {
                generate(SigningAlgorithm::Rs256).unwrap()
            }
            AcceptedAlgorithm::Es384 => of_pair(&ES384.generate_key_pair().unwrap()),
            AcceptedAlgorithm::Es512 => of_pair(&ES512.generate_key_pair().unwrap()),
        };
        crate::redaction::key(&key.private);
        Self { key, algorithm }
    }

    /// A PS256 key, used with RS256.
    pub(crate) fn turned_to_rs256(mut self) -> Self {
        let pair = PS256.key_pair_from_der(self.private()).unwrap();
        self.key.private = pair.to_raw_private_key().into();
        Self {
            algorithm: SigningAlgorithm::Rs256.into(),
            ..self
        }
    }

    pub(crate) fn kid(&self) -> &str {
        &self.key.kid
    }

    /// The public half, with its kid.
    pub(crate) fn jwk(&self) -> Map<String, Value> {
        let mut jwk = self.key.public_jwk.key_members();
        // One of the wrong signatures is the modulus.
        crate::redaction::public(jwk.get("n").and_then(Value::as_str).unwrap_or_default());
        jwk.insert("kid".to_owned(), json!(self.kid()));
        jwk
    }

    /// Signs these claims under the usual header: alg, kid, typ JWT.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_raw(&self.header(r#","typ":"JWT""#), &claims.to_string())
    }

    /// Signs exactly this header and these claims, whatever they are.
    pub(crate) fn sign_raw(&self, header: &str, claims: &str) -> String {
        let input = format!(
            "{}.{}",
            base64url(header.as_bytes()),
            base64url(claims.as_bytes())
        );
        format!("{input}.{}", base64url(&self.sign_bytes(input.as_bytes())))
    }

    /// The signature over `input` alone.
    pub(crate) fn sign_bytes(&self, input: &[u8]) -> Vec<u8> {
        let der = self.private();
        let signer: Box<dyn JwsSigner> = match self.algorithm.as_str() {
            "ES256" => Box::new(ES256.signer_from_der(der).unwrap()),
            "ES512" => Box::new(ES512.signer_from_der(der).unwrap()),
            "ES384" => Box::new(ES384.signer_from_der(der).unwrap()),
            "EdDSA" => Box::new(EdDSA.signer_from_der(der).unwrap()),
            "RS256" => Box::new(RS256.signer_from_der(der).unwrap()),
            "RS512" => Box::new(RS512.signer_from_der(der).unwrap()),
            "RS384" => Box::new(RS384.signer_from_der(der).unwrap()),
            "PS256" => Box::new(PS256.signer_from_der(der).unwrap()),
            "PS384" => Box::new(PS384.signer_from_der(der).unwrap()),
            other => unreachable!("{other}"),
        };
        signer.sign(input).unwrap()
    }

    /// The private half, PKCS#8 in DER.
    pub(crate) fn private(&self) -> &[u8] {
        &self.key.private
    }

    /// A header with alg and kid and these further members, such as `,"typ":"JWT"`.
    pub(crate) fn header(&self, more: &str) -> String {
        format!(
            r#"{{"alg":"{}","kid":"{}"{more}}}"#,
            self.algorithm,
            self.kid()
        )
    }
}

/// grantd itself makes none: it signs with no such key.
fn of_pair(pair: &EcKeyPair) -> NewKey {
    let public_jwk = PublicJwk::from_members(pair.to_jwk_public_key().as_ref()).unwrap();
    NewKey {
        kid: public_jwk.thumbprint(),
        private: pair.to_der_private_key().into(),
        public_jwk,
    }
}

/// Valid claims of `client` with this `jti`.
pub(crate) fn claims(client: &str, jti: &str) -> Value {
    json!({
        "iss": client, "sub": client, "aud": ISSUER, "iat": START, "exp": START + 60, "jti": jti,
    })
}

/// The catalog of the harness with a client `worker` whose keys are these; `more` are further lines of it.
pub(crate) fn catalog(keys: &[&Key], more: &str) -> String {
    let keys: Vec<Value> = keys.iter().map(|key| Value::Object(key.jwk())).collect();
    catalog_of(&json!({ "keys": keys }), more)
}

/// The same of a JWK set as it is.
pub(crate) fn catalog_of(jwks: &Value, more: &str) -> String {
    let lines = format!("auth = \"private_key_jwt\"\njwks = '''{jwks}'''\n{more}");
    crate::harness::CATALOG.to_owned() + &client("worker", &lines, &reads("pricing"))
}

/// `catalog` with one more client of the same policy that has these keys.
pub(crate) fn with_client(catalog: &str, id: &str, keys: &[&Key]) -> String {
    let keys: Vec<Value> = keys.iter().map(|key| Value::Object(key.jwk())).collect();
    catalog.to_owned() + &by_key(id, json!({ "keys": keys }), &reads("pricing"))
}

/// A replica that knows `worker` by a new ES256 key.
pub(crate) async fn worker(env: &Env) -> (Replica, Key) {
    let key = Key::new(SigningAlgorithm::Es256);
    env.apply(&catalog(&[&key], "")).await;
    (env.replica().await, key)
}

/// Asks for a token with an assertion.
pub(crate) async fn token(replica: &Replica, assertion: &str) -> Answer {
    present(
        replica,
        "/oauth2/token",
        "grant_type=client_credentials",
        assertion,
    )
    .await
}

/// Calls an endpoint with an assertion.
pub(crate) async fn present(replica: &Replica, path: &str, form: &str, assertion: &str) -> Answer {
    let assertion = form_encoded(assertion);
    let form = format!("{form}&client_assertion_type={TYPE}&client_assertion={assertion}");
    replica.post(path, &[], &form).await
}

/// What an unknown client is told: every refused assertion is told the same.
pub(crate) async fn refusal(replica: &Replica) -> Answer {
    replica.token("nobody", "a secret of nobody", "").await
}

/// AUTH-FAIL of STANDARDS: each of these assertions is told, byte by byte, what an unknown client is told, and
/// leaves one event.
#[track_caller]
pub(crate) fn assert_refused<'a>(
    replica: &'a Replica,
    assertions: &'a [String],
) -> impl Future<Output = ()> + 'a {
    let place = std::panic::Location::caller();
    async move {
        assert!(!assertions.is_empty());
        let expected = refusal(replica).await.same();
        let before = replica.audit_events("refused").await;
        for (index, assertion) in assertions.iter().enumerate() {
            let told = token(replica, assertion).await.same();
            assert_eq!(told, expected, "{place}: number {index}: {assertion}");
            // So many events of one client have room in one batch.
            if index % 50 == 49 {
                replica.grantd.write_waiting().await;
            }
        }
        let events = replica.audit_events("refused").await - before;
        assert_eq!(usize::try_from(events), Ok(assertions.len()), "{place}");
    }
}
