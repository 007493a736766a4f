// jose: verifies a token of each signing algorithm, with the keys of `jwks_uri`.
import assert from "node:assert/strict";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { ISSUER, AUDITOR_ID, AUDITOR_SECRET } = process.env;

const metadata = await (await fetch(`${ISSUER}/.well-known/oauth-authorization-server`)).json();
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));

const audiences = {
  "pricing-api": "ES256",
  "https://api.example/eddsa": "EdDSA",
  "https://api.example/rs256": "RS256",
  "https://api.example/ps256": "PS256",
};
for (const [audience, algorithm] of Object.entries(audiences)) {
  // `resource` takes absolute URIs only (RFC 8707, section 2).
  const parameter = URL.canParse(audience) ? "resource" : "audience";
  const answer = await fetch(metadata.token_endpoint, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${AUDITOR_ID}:${AUDITOR_SECRET}`)}` },
    body: new URLSearchParams({ grant_type: "client_credentials", [parameter]: audience }),
  });
  const { access_token } = await answer.json();
  const { protectedHeader, payload } = await jwtVerify(access_token, keys, {
    issuer: ISSUER,
    audience,
    typ: "at+jwt",
    algorithms: [algorithm],
    requiredClaims: ["sub", "client_id", "scope", "iat", "exp", "jti"],
  });
  assert.equal(protectedHeader.alg, algorithm);
  assert.equal(payload.sub, AUDITOR_ID);
  console.log(`jose: verified ${algorithm}`);
}
