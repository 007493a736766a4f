"""Authlib: a token by both methods, verified by joserfc (Authlib's JOSE) with the keys of `jwks_uri`."""

import os

from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

ISSUER = os.environ["ISSUER"]


def session(client_id, secret, method):
    return OAuth2Session(
        client_id, secret, token_endpoint_auth_method=method, revocation_endpoint_auth_method=method
    )


def main():
    metadata = OAuth2Session().request(
        "GET", f"{ISSUER}/.well-known/oauth-authorization-server", withhold_token=True
    ).json()
    keys = KeySet.import_key_set(
        OAuth2Session().request("GET", metadata["jwks_uri"], withhold_token=True).json()
    )
    client = os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]
    for method in ("client_secret_basic", "client_secret_post"):
        use(session(*client, method), metadata, keys, client[0])
    # Authlib does not form-encode what it puts into a Basic header (RFC 6749, section 2.3.1), so a
    # secret with `%` or `+` goes into the body.
    jobs = os.environ["ASCII_ID"], os.environ["ASCII_SECRET"]
    use(session(*jobs, "client_secret_post"), metadata, keys, jobs[0])


def use(client, metadata, keys, client_id):
    token = client.fetch_token(
        metadata["token_endpoint"], grant_type="client_credentials", audience="pricing-api", scope="pricing:read"
    )
    assert token["token_type"] == "Bearer" and token["scope"] == "pricing:read", token.keys()

    verified = jwt.decode(token["access_token"], keys, algorithms=["ES256"])
    assert verified.header["typ"] == "at+jwt"
    rules = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": "pricing-api"},
        sub={"essential": True, "value": client_id},
        exp={"essential": True},
    )
    rules.validate(verified.claims)

    api = session(os.environ["API_ID"], os.environ["API_SECRET"], "client_secret_basic")
    introspect = lambda: api.introspect_token(
        metadata["introspection_endpoint"], token=token["access_token"], token_type_hint="access_token"
    ).json()
    assert introspect()["client_id"] == client_id
    revoked = client.revoke_token(
        metadata["revocation_endpoint"], token=token["access_token"], token_type_hint="access_token"
    )
    assert revoked.status_code == 200
    assert introspect() == {"active": False}
    print(f"Authlib: {client.token_endpoint_auth_method}, verified, introspected, revoked")


main()
