"""requests-oauthlib: a token by both methods, introspected by the API that it is for."""

import os

from oauthlib.oauth2 import BackendApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session
from server import METADATA, introspect

# oauthlib refuses plain HTTP unless told that this is a test.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

CLIENT = os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]
JOBS = os.environ["ASCII_ID"], os.environ["ASCII_SECRET"]


def main():
    use("Basic", CLIENT, auth=HTTPBasicAuth(*CLIENT))
    use("body", CLIENT, client_secret=CLIENT[1], include_client_id=True)
    use("body, every printable ASCII character", JOBS, client_secret=JOBS[1], include_client_id=True)


def use(name, client, **authentication):
    session = OAuth2Session(client=BackendApplicationClient(client_id=client[0], scope=["pricing:read"]))
    token = session.fetch_token(METADATA["token_endpoint"], audience="pricing-api", **authentication)
    assert token.scope == "pricing:read", token.scope

    seen = introspect(token["access_token"])
    assert seen["active"] and seen["client_id"] == client[0], seen
    print(f"requests-oauthlib: {name}, introspected")


main()
