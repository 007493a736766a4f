"""Client certificates (RFC 8705) with Authlib and requests-oauthlib: both take them as requests does."""

import base64
import hashlib
import os
import ssl
from pathlib import Path

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError
from requests_oauthlib import OAuth2Session as RequestsOauthlibSession
from server import METADATA, introspect, use

ALIASES = METADATA["mtls_endpoint_aliases"]
CA = os.environ["CA_FILE"]
# What the wrong certificate is for.
OTHER = os.environ["API_ID"]


def main():
    for client_id in (os.environ["MESH_ID"], os.environ["LEDGER_ID"]):
        _, seen = use(authlib(client_id, certificate(client_id)), f"mutual TLS, {client_id}", ALIASES)
        assert seen["cnf"] == {"x5t#S256": thumbprint(client_id)}
        for wrong in (certificate(OTHER), None):
            expect_refused(OAuthError, authlib(client_id, wrong), grant_type="client_credentials")

        options = {"include_client_id": True, "verify": CA}
        session = requests_oauthlib(client_id)
        token = session.fetch_token(ALIASES["token_endpoint"], cert=certificate(client_id), **options)
        assert introspect(token["access_token"])["cnf"] == {"x5t#S256": thumbprint(client_id)}
        for wrong in (certificate(OTHER), None):
            expect_refused(InvalidClientError, requests_oauthlib(client_id), cert=wrong, **options)
        print(f"requests-oauthlib: mutual TLS, {client_id}, introspected")


def authlib(client_id, cert):
    """Authlib's method `none` sends the client's id alone; the connection proves it."""
    session = OAuth2Session(
        client_id, token_endpoint_auth_method="none", revocation_endpoint_auth_method="none"
    )
    session.cert, session.verify = cert, CA
    # Else the variable REQUESTS_CA_BUNDLE goes before `verify`.
    session.trust_env = False
    return session


def requests_oauthlib(client_id):
    return RequestsOauthlibSession(client=BackendApplicationClient(client_id, scope=["pricing:read"]))


def certificate(client_id):
    """What grantd made for a client: the files of its certificate and its key."""
    return tuple(os.path.join(os.environ["DATA"], f"client-{client_id}.{end}") for end in ("pem", "key"))


def thumbprint(client_id):
    der = ssl.PEM_cert_to_DER_cert(Path(certificate(client_id)[0]).read_text())
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def expect_refused(error, session, **options):
    try:
        session.fetch_token(ALIASES["token_endpoint"], **options)
    except error as refusal:
        assert refusal.error == "invalid_client", refusal
    else:
        raise AssertionError("grantd took it")


main()
