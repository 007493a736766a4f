"""Authlib: an API exchanges the token of its caller for one of the next API (RFC 8693), which joserfc verifies."""

import os

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet
from server import ISSUER, METADATA, get

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


def main():
    caller = OAuth2Session(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
    of_caller = caller.fetch_token(
        METADATA["token_endpoint"], grant_type="client_credentials", audience="pricing-api", scope="pricing:read"
    )["access_token"]
    for method in ("client_secret_basic", "client_secret_post"):
        api = OAuth2Session(os.environ["API_ID"], os.environ["API_SECRET"], token_endpoint_auth_method=method)
        exchanged = exchange(api, of_caller)
        assert exchanged["issued_token_type"] == ACCESS_TOKEN and exchanged["scope"] == "stock:read", exchanged.keys()
        verify(exchanged["access_token"])
        print(f"Authlib: {method}, a token exchanged for the next API, which sees caller and actor")
    revoked = caller.revoke_token(METADATA["revocation_endpoint"], token=of_caller, token_type_hint="access_token")
    assert revoked.status_code == 200
    try:
        exchange(api, of_caller)
    except OAuthError as refusal:
        assert refusal.error == "invalid_request", refusal
        print("Authlib: a revoked token, refused")
    else:
        raise AssertionError("a revoked token was exchanged")


def exchange(api, subject_token):
    return api.fetch_token(
        METADATA["token_endpoint"],
        grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token=subject_token,
        subject_token_type=ACCESS_TOKEN,
        audience="stock-api",
        scope="stock:read",
    )


def verify(token):
    keys = KeySet.import_key_set(get(METADATA["jwks_uri"]))
    verified = jwt.decode(token, keys, algorithms=["ES256"])
    rules = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": "stock-api"},
        sub={"essential": True, "value": os.environ["CLIENT_ID"]},
        client_id={"essential": True, "value": os.environ["API_ID"]},
        act={"essential": True, "value": {"sub": os.environ["API_ID"]}},
        exp={"essential": True},
    )
    rules.validate(verified.claims)


main()
