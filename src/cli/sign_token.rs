//! `grantd token assertion` and `grantd token proof`: what a client signs, made from its private key in a file.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::output::say;
use crate::clock::Clock;
use crate::config::file;
use crate::crypto::dpop_proof;
use crate::crypto::jws::private_key::ClientPrivateKey;
use crate::crypto::random;
use crate::domain::algorithm::SigningAlgorithm;
use crate::domain::client_jwt;
use crate::domain::identifier::ClientId;
use crate::domain::target_uri::TargetUri;
use crate::domain::timestamp::Seconds;

/// The private key and how it is used.
#[derive(Args, Debug)]
struct Key {
    /// The private key, as a JWK or as unencrypted PEM
    #[arg(long = "key", value_name = "FILE")]
    file: PathBuf,
    /// How to sign [default: the `alg` of the key, else `ES256`, `EdDSA` or `PS256` by its kind]
    #[arg(long, value_name = "ALG")]
    algorithm: Option<SigningAlgorithm>,
}

/// What it is for.
const ASSERTION_EXAMPLES: &str = "Example:
  curl -s http://localhost:8080/oauth2/token -d grant_type=client_credentials \\
    -d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \\
    -d client_assertion=$(grantd token assertion my-job --key my-job.pem \\
      --audience http://localhost:8080)";
/// What it is for.
const PROOF_EXAMPLES: &str = "Example:
  curl -s https://api.example/prices -H \"Authorization: DPoP $TOKEN\" \\
    -H \"DPoP: $(grantd token proof --key key.pem --method GET \\
      --url https://api.example/prices --access-token $TOKEN)\"";

#[derive(Args, Debug)]
#[command(after_help = ASSERTION_EXAMPLES)]
pub(super) struct Assertion {
    /// The client's id
    #[arg(value_parser = ClientId::parse)]
    client: ClientId,
    /// The issuer that the assertion is for
    #[arg(long, value_name = "URL")]
    audience: String,
    #[command(flatten)]
    key: Key,
    /// The `kid` to name [default: the key's own, else its thumbprint]
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    kid: Option<String>,
    /// How long it is valid
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    lifetime: Seconds,
}

#[derive(Args, Debug)]
#[command(after_help = PROOF_EXAMPLES)]
pub(super) struct Proof {
    /// The URL of the request; query and fragment are left out
    #[arg(long, value_parser = target)]
    url: String,
    /// The method of the request
    #[arg(long, default_value = "POST")]
    method: String,
    #[command(flatten)]
    key: Key,
    /// The nonce that the server asked for
    #[arg(long)]
    nonce: Option<String>,
    /// The access token sent with it, in a request to an API
    #[arg(long, value_name = "TOKEN")]
    access_token: Option<String>,
}

/// RFC 7523 section 3, RFC 7515 section 4.1.4.
pub(super) fn assertion(arguments: &Assertion) -> anyhow::Result<()> {
    let key = read(&arguments.key)?;
    let now = Clock::system().now();
    let kid = arguments.kid.clone().unwrap_or_else(|| key.kid());
    let header = json!({ "typ": "JWT", "kid": kid });
    let claims = client_jwt::assertion(
        (arguments.client.as_str(), &arguments.audience),
        (now, arguments.lifetime),
        &random::token_id(),
    );
    say!("{}", key.sign(header, &claims.into())?)?;
    Ok(())
}

/// RFC 9449 section 4.2.
pub(super) fn proof(arguments: &Proof) -> anyhow::Result<()> {
    let key = read(&arguments.key)?;
    let now = Clock::system().now();
    let request = (arguments.method.as_str(), arguments.url.as_str());
    let mut claims = dpop_proof::claims(request, arguments.access_token.as_deref(), now);
    let nonce = arguments.nonce.as_ref();
    claims.extend(nonce.map(|nonce| ("nonce".to_owned(), json!(nonce))));
    say!("{}", dpop_proof::signed(&key, claims)?)?;
    Ok(())
}

fn read(key: &Key) -> anyhow::Result<ClientPrivateKey> {
    let shown = key.file.display().to_string();
    let text = file::text(&key.file, file::SMALL)
        .with_context(|| format!("the key {shown} cannot be read"))?;
    ClientPrivateKey::parse(&zeroize::Zeroizing::new(text), key.algorithm).context(shown)
}

/// The URL without query and fragment, as `htu` has it.
fn target(text: &str) -> Result<String, String> {
    let uri =
        TargetUri::parse(text).ok_or("write a URL such as http://localhost:8080/oauth2/token")?;
    Ok(uri.as_str().to_owned())
}
