// openid-client: discovery, client credentials, introspection and revocation.
import assert from "node:assert/strict";
import * as client from "openid-client";
import { discover } from "./server.mjs";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, ASCII_ID, ASCII_SECRET, API_ID, API_SECRET } = process.env;

const api = await discover(API_ID, client.ClientSecretBasic(API_SECRET));

for (const method of [client.ClientSecretBasic, client.ClientSecretPost]) {
  const orders = await discover(CLIENT_ID, method(CLIENT_SECRET));
  const token = await client.clientCredentialsGrant(orders, { scope: "pricing:quote pricing:read" });
  assert.equal(token.token_type, "bearer");
  assert.equal(token.expires_in, 300);
  assert.deepEqual(new Set(token.scope.split(" ")), new Set(["pricing:read", "pricing:quote"]));

  const seen = await client.tokenIntrospection(api, token.access_token);
  assert.equal(seen.active, true);
  assert.equal(seen.client_id, CLIENT_ID);
  assert.equal(seen.aud, "pricing-api");

  await client.tokenRevocation(orders, token.access_token);
  assert.deepEqual(await client.tokenIntrospection(api, token.access_token), { active: false });
  console.log(`openid-client: ${method.name}, introspected, revoked`);
}

// The same by OpenID Connect's path, which is the default of discovery.
const byOpenId = await client.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET, undefined, {
  execute: [client.allowInsecureRequests],
});
assert.equal(byOpenId.serverMetadata().issuer, ISSUER);

for (const method of [client.ClientSecretBasic, client.ClientSecretPost]) {
  const jobs = await discover(ASCII_ID, method(ASCII_SECRET));
  const token = await client.clientCredentialsGrant(jobs, { audience: "pricing-api", scope: "pricing:read" });
  const seen = await client.tokenIntrospection(api, token.access_token);
  assert.equal(seen.client_id, ASCII_ID);
  console.log(`openid-client: ${method.name} with a secret of every printable ASCII character`);
}

const wrong = await discover(CLIENT_ID, client.ClientSecretBasic("a-wrong-secret-0123"));
await assert.rejects(client.clientCredentialsGrant(wrong), (error) => {
  assert(error instanceof client.WWWAuthenticateChallengeError || error instanceof client.ResponseBodyError);
  assert.equal(error.status, 401);
  return true;
});
