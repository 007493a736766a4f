"""PyJWT: verifies a token of each signing algorithm, with the keys of `jwks_uri`."""

import os

import jwt
from authlib.integrations.requests_client import OAuth2Session
from server import ISSUER, METADATA
from verify import Verifier

AUDIENCES = {
    "pricing-api": "ES256",
    "https://api.example/eddsa": "EdDSA",
    "https://api.example/rs256": "RS256",
    "https://api.example/ps256": "PS256",
}


def main():
    auditor = OAuth2Session(os.environ["AUDITOR_ID"], os.environ["AUDITOR_SECRET"])
    for audience, algorithm in AUDIENCES.items():
        token = auditor.fetch_token(METADATA["token_endpoint"], grant_type="client_credentials", audience=audience)
        token = token["access_token"]
        claims = Verifier(ISSUER, audience, algorithm).verify(token)
        assert claims["client_id"] == auditor.client_id and claims["roles"] == ["auditor"], claims
        expect_refused(Verifier(ISSUER, "https://api.example/other", algorithm), token)
        expect_refused(Verifier(ISSUER, audience, algorithm), token[:-8] + "AAAAAAAA")
        print(f"PyJWT: verified {algorithm}")


def expect_refused(verifier, token):
    try:
        verifier.verify(token)
    except jwt.InvalidTokenError:
        return
    raise AssertionError("the token was taken")


if __name__ == "__main__":
    main()
