"""PyJWT, joserfc and Authlib as their documentation has them. A line for each token: library, token, verdict."""

import json
import os
import urllib.request

import jwt
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc import jwt as joserfc_jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ISSUER, AUDIENCE, JWKS_URI = os.environ["ISSUER"], os.environ["AUDIENCE"], os.environ["JWKS_URI"]
with urllib.request.urlopen(JWKS_URI) as answer:
    JWKS = json.load(answer)

pyjwt_keys = jwt.PyJWKClient(JWKS_URI)


def pyjwt(token):
    key = pyjwt_keys.get_signing_key_from_jwt(token)
    jwt.decode(token, key, algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER)


joserfc_keys = KeySet.import_key_set(JWKS)
joserfc_claims = joserfc_jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": AUDIENCE}
)


def joserfc(token):
    joserfc_claims.validate(joserfc_jwt.decode(token, joserfc_keys).claims)


class Validator(JWTBearerTokenValidator):
    def get_jwks(self):
        return joserfc_keys


authlib_validator = Validator(ISSUER, AUDIENCE)


def authlib(token):
    authlib_validator.validate_token(authlib_validator.authenticate_token(token), None, None)


# Each with what it says that it raises.
LIBRARIES = {
    "PyJWT": (pyjwt, jwt.PyJWTError),
    "Authlib": (authlib, OAuth2Error),
    "joserfc": (joserfc, JoseError),
}

with open(os.environ["TOKENS"]) as file:
    tokens = json.load(file)
for library, (verify, refusal) in LIBRARIES.items():
    for entry in tokens:
        try:
            verify(entry["access_token"])
            verdict = "accepted"
        except refusal:
            verdict = "refused"
        except Exception:
            verdict = "crashed"
        print(library, entry["name"], verdict, sep="\t")
