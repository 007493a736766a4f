"""Authlib: a token by both methods, verified by joserfc (Authlib's JOSE) with the keys of `jwks_uri`."""

import os

from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet
from server import ISSUER, METADATA, get, use

KEYS = KeySet.import_key_set(get(METADATA["jwks_uri"]))


def main():
    for method in ("client_secret_basic", "client_secret_post"):
        use_and_verify(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"], method)
    # Authlib does not form-encode what it puts into a Basic header (RFC 6749, section 2.3.1), so a
    # secret with `%` or `+` goes into the body.
    use_and_verify(os.environ["ASCII_ID"], os.environ["ASCII_SECRET"], "client_secret_post")


def use_and_verify(client_id, secret, method):
    client = OAuth2Session(
        client_id, secret, token_endpoint_auth_method=method, revocation_endpoint_auth_method=method
    )
    token, _ = use(client, method)
    verified = jwt.decode(token, KEYS, algorithms=["ES256"])
    assert verified.header["typ"] == "at+jwt"
    rules = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": "pricing-api"},
        sub={"essential": True, "value": client_id},
        exp={"essential": True},
    )
    rules.validate(verified.claims)


main()
