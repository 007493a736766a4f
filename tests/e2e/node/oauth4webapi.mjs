// oauth4webapi: an API that accepts a token by metadata and JWKS alone (9068-07), introspection, revocation.
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, API_ID, API_SECRET } = process.env;
// Loopback speaks plain HTTP.
const plain = { [oauth.allowInsecureRequests]: true };

const issuer = new URL(ISSUER);
const server = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...plain }),
);
const orders = { client_id: CLIENT_ID };
const basic = oauth.ClientSecretBasic(CLIENT_SECRET);

const token = await oauth.processClientCredentialsResponse(
  server,
  orders,
  await oauth.clientCredentialsGrantRequest(server, orders, basic, {}, plain),
);
assert.equal(token.scope, "pricing:read");

const call = new Request("http://pricing.example/prices", {
  headers: { authorization: `Bearer ${token.access_token}` },
});
const claims = await oauth.validateJwtAccessToken(server, call, "pricing-api", plain);
assert.equal(claims.sub, CLIENT_ID);
assert.equal(claims.client_id, CLIENT_ID);
assert.equal(claims.scope, "pricing:read");
await assert.rejects(oauth.validateJwtAccessToken(server, call, "another-api", plain));
console.log("oauth4webapi: an API accepted the token by metadata and JWKS alone");

const api = { client_id: API_ID };
const introspect = async () =>
  oauth.processIntrospectionResponse(
    server,
    api,
    await oauth.introspectionRequest(server, api, oauth.ClientSecretPost(API_SECRET), token.access_token, plain),
  );
const seen = await introspect();
assert.equal(seen.active, true);
assert.equal(seen.jti, claims.jti);

await oauth.processRevocationResponse(
  await oauth.revocationRequest(server, orders, basic, token.access_token, plain),
);
assert.deepEqual({ ...(await introspect()) }, { active: false });
console.log("oauth4webapi: introspected and revoked the token");
