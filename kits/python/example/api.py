"""A small API that grantd's tokens protect: `GET /prices` needs the scope pricing:read."""

from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException, Request

SCOPE = "pricing:read"


class Verifier:
    """Checks a token by RFC 9068 section 4."""

    def __init__(self, issuer: str, jwks_uri: str, audience: str) -> None:
        self.keys = jwt.PyJWKClient(jwks_uri)
        self.issuer, self.audience = issuer, audience

    def claims(self, token: str) -> dict:
        verified = jwt.decode_complete(
            token,
            self.keys.get_signing_key_from_jwt(token),
            algorithms=["ES256"],
            issuer=self.issuer,
            audience=self.audience,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"]},
        )
        if verified["header"].get("typ", "").lower().removeprefix("application/") != "at+jwt":
            raise jwt.InvalidTokenError("no access token")
        # PyJWT also takes a text that is a number.
        if isinstance(verified["payload"]["exp"], str):
            raise jwt.InvalidTokenError("exp is no number")
        return verified["payload"]


def prices_api(issuer: str, jwks_uri: str, audience: str) -> FastAPI:
    api = FastAPI()
    verifier = Verifier(issuer, jwks_uri, audience)

    # A plain function: FastAPI runs it beside its event loop, which fetching keys would block.
    def caller(request: Request) -> dict:
        sent = request.headers.getlist("authorization")
        scheme, _, token = sent[0].partition(" ") if len(sent) == 1 else ("", "", "")
        if scheme.lower() != "bearer":
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
        try:
            claims = verifier.claims(token)
        except jwt.PyJWTError:
            raise HTTPException(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}) from None
        if SCOPE not in claims.get("scope", "").split(" "):
            refusal = f'Bearer error="insufficient_scope", scope="{SCOPE}"'
            raise HTTPException(403, headers={"WWW-Authenticate": refusal})
        return claims

    @api.get("/prices")
    def prices(claims: Annotated[dict, Depends(caller)]) -> dict:
        return {"caller": claims["client_id"], "tea": 3}

    return api
