"""Authlib with `private_key_jwt`: as it comes, and with its options for audience, lifetime and `jti`."""

import os
import time
import uuid
from pathlib import Path

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey, OKPKey, RSAKey

ISSUER = os.environ["ISSUER"]
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
    metadata = OAuth2Session().request(
        "GET", f"{ISSUER}/.well-known/oauth-authorization-server", withhold_token=True
    ).json()
    for alg in KEYS:
        stock = PrivateKeyJWT(metadata["token_endpoint"], alg=alg)
        use(metadata, f"stock, {alg}", session("AUTHLIB_ID", alg, stock))
    use(metadata, "for the issuer", session("KEY_ID", "ES256", ("private_key_jwt", sign_for_issuer)))
    expect_refused(metadata, session("KEY_ID", "ES256", PrivateKeyJWT(metadata["token_endpoint"], alg="ES256")))
    expect_refused(metadata, session("KEY_ID", "ES256", PrivateKeyJWT(ISSUER, alg="ES256")))


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


def use(metadata, name, client):
    api = OAuth2Session(os.environ["API_ID"], os.environ["API_SECRET"])
    # Twice: each assertion must be a new one.
    for _ in range(2):
        token = client.fetch_token(
            metadata["token_endpoint"], grant_type="client_credentials", scope="pricing:read"
        )
    introspect = lambda: api.introspect_token(
        metadata["introspection_endpoint"], token=token["access_token"]
    ).json()
    assert introspect()["client_id"] == client.client_id
    revoked = client.revoke_token(metadata["revocation_endpoint"], token=token["access_token"])
    assert revoked.status_code == 200
    assert introspect() == {"active": False}
    print(f"Authlib: private_key_jwt, {name}, introspected, revoked")


def expect_refused(metadata, client):
    """What stock Authlib sends is refused where the client is not registered for it."""
    try:
        client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials", scope="pricing:read")
    except OAuthError as refusal:
        assert refusal.error == "invalid_client", refusal
    else:
        raise AssertionError("grantd took it")


main()
