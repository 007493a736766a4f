import json
import urllib.request

import jwt


class Verifier:
    def __init__(self, issuer, audience, algorithm="ES256"):
        with urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration") as answer:
            self.keys = jwt.PyJWKClient(json.load(answer)["jwks_uri"])
        self.issuer, self.audience, self.algorithm = issuer, audience, algorithm

    def verify(self, token):
        """The claims: `client_id` says who calls, `scope` what it may do."""
        key = self.keys.get_signing_key_from_jwt(token)
        verified = jwt.decode_complete(
            token,
            key,
            algorithms=[self.algorithm],
            issuer=self.issuer,
            audience=self.audience,
            options={"require": ["exp", "iat", "iss", "aud", "client_id", "jti"]},
        )
        if verified["header"].get("typ") != "at+jwt":
            raise jwt.InvalidTokenError("not an access token")
        return verified["payload"]
