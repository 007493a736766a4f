//! Makes client assertions as a client does, right ones and wrong ones.

use grantd::crypto::digest::base64url;
use grantd::crypto::jws::{NewKey, Signer, generate};
use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::audience::JwtTyp;
use serde_json::{Map, Value, json};

use crate::harness::{Answer, Env, ISSUER, Replica, START};

/// The type of client assertions.
pub(crate) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client's key pair.
pub(crate) struct Key {
    key: NewKey,
    algorithm: SigningAlgorithm,
}

impl Key {
    pub(crate) fn new(algorithm: SigningAlgorithm) -> Self {
        Self { key: generate(algorithm).unwrap(), algorithm }
    }

    pub(crate) fn kid(&self) -> &str {
        &self.key.kid
    }

    /// The public half, with its kid.
    pub(crate) fn jwk(&self) -> Map<String, Value> {
        let mut jwk = self.key.public_jwk.key_members();
        jwk.insert("kid".to_owned(), json!(self.kid()));
        jwk
    }

    /// Signs these claims under the usual header: alg, kid, typ JWT.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let signer = Signer::from_private(self.algorithm, self.kid(), &self.key.private).unwrap();
        signer.sign_compact(JwtTyp::Jwt, claims.to_string().as_bytes()).unwrap()
    }

    /// Signs exactly this header and these claims, whatever they are. ES256 only.
    pub(crate) fn sign_raw(&self, header: &str, claims: &str) -> String {
        use aws_lc_rs::rand::SystemRandom;
        use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
        assert_eq!(self.algorithm, SigningAlgorithm::Es256);
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.key.private).unwrap();
        let input = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
        let signature = pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        format!("{input}.{}", base64url(signature.as_ref()))
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
    let jwks = json!({ "keys": keys });
    format!(
        r#"{}
        [[client]]
        id = "worker"
        auth = "private_key_jwt"
        jwks = '''{jwks}'''
        {more}
          [[client.policy]]
          audience = "pricing"
          scopes = ["read"]
          default_scopes = ["read"]
        "#,
        crate::harness::CATALOG
    )
}

/// A replica that knows `worker` by a new ES256 key.
pub(crate) async fn worker(env: &Env) -> (Replica, Key) {
    let key = Key::new(SigningAlgorithm::Es256);
    env.apply(&catalog(&[&key], "")).await;
    (env.replica().await, key)
}

/// Asks for a token with an assertion.
pub(crate) async fn token(replica: &Replica, assertion: &str) -> Answer {
    present(replica, "/oauth2/token", "grant_type=client_credentials", assertion).await
}

/// Calls an endpoint with an assertion.
pub(crate) async fn present(replica: &Replica, path: &str, form: &str, assertion: &str) -> Answer {
    let form = format!("{form}&client_assertion_type={TYPE}&client_assertion={assertion}");
    replica.post(path, &[], &form).await
}

/// What an unknown client is told: every refused assertion is told the same.
pub(crate) async fn refusal(replica: &Replica) -> Answer {
    replica.token("nobody", "a secret of nobody", "").await
}
