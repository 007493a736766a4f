"""What the scripts share: the server's metadata, and what every client of Authlib does with its token."""

import os

from authlib.integrations.requests_client import OAuth2Session

ISSUER = os.environ["ISSUER"]


def get(url):
    return OAuth2Session().request("GET", url, withhold_token=True).json()


METADATA = get(f"{ISSUER}/.well-known/oauth-authorization-server")


def introspect(token):
    """What the API sees of a token."""
    api = OAuth2Session(os.environ["API_ID"], os.environ["API_SECRET"])
    return api.introspect_token(METADATA["introspection_endpoint"], token=token, token_type_hint="access_token").json()


def use(client, name, endpoints=METADATA):
    """Gets a token, has it introspected and revokes it; gives the token, and what the API saw."""
    token = client.fetch_token(
        endpoints["token_endpoint"], grant_type="client_credentials", audience="pricing-api", scope="pricing:read"
    )
    assert token["token_type"] == "Bearer" and token["scope"] == "pricing:read", token.keys()
    seen = introspect(token["access_token"])
    assert seen["client_id"] == client.client_id
    revoked = client.revoke_token(
        endpoints["revocation_endpoint"], token=token["access_token"], token_type_hint="access_token"
    )
    assert revoked.status_code == 200
    assert introspect(token["access_token"]) == {"active": False}
    print(f"Authlib: {name}, introspected, revoked")
    return token["access_token"], seen
