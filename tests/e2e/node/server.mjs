// What the scripts share: the server, as each library finds it by its issuer, and the API that asks it.
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import * as client from "openid-client";

const { ISSUER, API_ID, API_SECRET } = process.env;
const issuer = new URL(ISSUER);

// Loopback speaks plain HTTP.
export const plain = { [oauth.allowInsecureRequests]: true };

// oauth4webapi's.
export const server = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...plain }),
);

// openid-client's, for one client.
export const discover = (id, authentication, metadata = undefined, options = {}) =>
  client.discovery(issuer, id, metadata, authentication, {
    execute: [client.allowInsecureRequests],
    algorithm: "oauth2",
    ...options,
  });

// oauth4webapi: a token by client credentials.
export async function getToken(who, proof, parameters = {}, options = {}) {
  const all = { ...plain, ...options };
  return oauth.processClientCredentialsResponse(
    server,
    who,
    await oauth.clientCredentialsGrantRequest(server, who, proof, parameters, all),
  );
}

// oauth4webapi: what an API sees of a token; without more, by the API's secret.
export async function introspect(
  token,
  api = { client_id: API_ID },
  proof = oauth.ClientSecretPost(API_SECRET),
  options = {},
) {
  const all = { ...plain, ...options };
  return oauth.processIntrospectionResponse(
    server,
    api,
    await oauth.introspectionRequest(server, api, proof, token, all),
  );
}

// oauth4webapi: revokes a token of the client.
export async function revoke(token, who, proof, options = {}) {
  const all = { ...plain, ...options };
  await oauth.processRevocationResponse(await oauth.revocationRequest(server, who, proof, token, all));
}

// A call of the API with this token.
export const callWith = (token) =>
  new Request("http://pricing.example/prices", { headers: { authorization: `Bearer ${token}` } });

// oauth4webapi: the claims that an API accepts, by metadata and JWKS alone (9068-07).
export const validate = (call, audience = "pricing-api") =>
  oauth.validateJwtAccessToken(server, call, audience, plain);

export const expectInactive = (seen) => assert.deepEqual({ ...seen }, { active: false });
