"""requests-oauthlib: a token by both methods, introspected by the API that it is for."""

import os

import requests
from oauthlib.oauth2 import BackendApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

# oauthlib refuses plain HTTP unless told that this is a test.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

ISSUER = os.environ["ISSUER"]
CLIENT = os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]
JOBS = os.environ["ASCII_ID"], os.environ["ASCII_SECRET"]
API = HTTPBasicAuth(os.environ["API_ID"], os.environ["API_SECRET"])


def main():
    metadata = requests.get(f"{ISSUER}/.well-known/openid-configuration", timeout=10).json()
    use(metadata, "Basic", CLIENT, auth=HTTPBasicAuth(*CLIENT))
    use(metadata, "body", CLIENT, client_secret=CLIENT[1], include_client_id=True)
    use(metadata, "body, every printable ASCII character", JOBS, client_secret=JOBS[1], include_client_id=True)


def use(metadata, name, client, **authentication):
    session = OAuth2Session(client=BackendApplicationClient(client_id=client[0], scope=["pricing:read"]))
    token = session.fetch_token(metadata["token_endpoint"], audience="pricing-api", **authentication)
    assert token.scope == "pricing:read", token.scope

    seen = requests.post(
        metadata["introspection_endpoint"], auth=API, data={"token": token["access_token"]}, timeout=10
    ).json()
    assert seen["active"] and seen["client_id"] == client[0], seen
    print(f"requests-oauthlib: {name}, introspected")


main()
