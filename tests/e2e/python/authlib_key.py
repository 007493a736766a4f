"""Authlib with `private_key_jwt`: as it comes, and with its options for audience, lifetime and `jti`."""

import os
import time
import uuid
from pathlib import Path

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey, OKPKey, RSAKey
from server import ISSUER, METADATA, use

KEYS = {
    "ES256": ("es256", ECKey),
    "Ed25519": ("eddsa", OKPKey),
    "RS256": ("rs256", RSAKey),
    "PS256": ("ps256", RSAKey),
}


def sign_for_issuer(auth, method, uri, headers, body):
    """An assertion for the issuer that lives a minute, with a `jti` of its own."""
    sign = PrivateKeyJWT(
        claims={"aud": ISSUER, "exp": int(time.time()) + 60, "jti": str(uuid.uuid4())},
        headers={"kid": "es256"},
        alg="ES256",
    )
    return sign(auth, method, uri, headers, body)


def main():
    endpoint = METADATA["token_endpoint"]
    for alg in KEYS:
        use_twice(f"stock, {alg}", session("AUTHLIB_ID", alg, PrivateKeyJWT(endpoint, alg=alg)))
    use_twice("for the issuer", session("KEY_ID", "ES256", ("private_key_jwt", sign_for_issuer)))
    expect_refused(session("KEY_ID", "ES256", PrivateKeyJWT(endpoint, alg="ES256")))
    expect_refused(session("KEY_ID", "ES256", PrivateKeyJWT(ISSUER, alg="ES256")))


def session(variable, alg, method):
    name, kind = KEYS[alg]
    key = kind.import_key(Path(os.environ["KEYS"], f"{name}.pem").read_bytes())
    client = OAuth2Session(
        os.environ[variable],
        key,
        token_endpoint_auth_method="private_key_jwt",
        revocation_endpoint_auth_method="private_key_jwt",
    )
    client.register_client_auth_method(method)
    return client


def use_twice(name, client):
    """Each assertion must be a new one."""
    for _ in range(2):
        use(client, f"private_key_jwt, {name}")


def expect_refused(client):
    """What stock Authlib sends is refused where the client is not registered for it."""
    try:
        client.fetch_token(METADATA["token_endpoint"], grant_type="client_credentials", scope="pricing:read")
    except OAuthError as refusal:
        assert refusal.error == "invalid_client", refusal
    else:
        raise AssertionError("grantd took it")


main()
