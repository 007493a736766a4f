// oauth4webapi: a token bound to a key (RFC 9449), and an API that wants the proof with it.
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, API_ID, API_SECRET } = process.env;
// Loopback speaks plain HTTP.
const plain = { [oauth.allowInsecureRequests]: true };
const prices = new URL("http://pricing.example/prices");

const issuer = new URL(ISSUER);
const server = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...plain }),
);
const orders = { client_id: CLIENT_ID };
const api = { client_id: API_ID };

// The call as the API gets it.
async function call(token, DPoP) {
  let request;
  const keep = async (url, options) => {
    request = new Request(url, options);
    return new Response();
  };
  await oauth.protectedResourceRequest(token, "GET", prices, undefined, undefined, {
    DPoP,
    [oauth.customFetch]: keep,
    ...plain,
  });
  return request;
}

for (const algorithm of ["ES256", "Ed25519", "PS256", "RS256"]) {
  assert.ok(server.dpop_signing_alg_values_supported.includes(algorithm));
  const DPoP = oauth.DPoP(orders, await oauth.generateKeyPair(algorithm));
  const token = await oauth.processClientCredentialsResponse(
    server,
    orders,
    await oauth.clientCredentialsGrantRequest(server, orders, oauth.ClientSecretBasic(CLIENT_SECRET), {}, {
      DPoP,
      ...plain,
    }),
  );
  assert.equal(token.token_type, "dpop");
  const validate = (request) => oauth.validateJwtAccessToken(server, request, "pricing-api", plain);
  const claims = await validate(await call(token.access_token, DPoP));
  assert.equal(claims.cnf.jkt, await DPoP.calculateThumbprint());

  const thief = oauth.DPoP(orders, await oauth.generateKeyPair("ES256"));
  await assert.rejects(validate(await call(token.access_token, thief)));
  await assert.rejects(validate(await call(token.access_token)));

  const seen = await oauth.processIntrospectionResponse(
    server,
    api,
    await oauth.introspectionRequest(server, api, oauth.ClientSecretPost(API_SECRET), token.access_token, plain),
  );
  assert.equal(seen.token_type, "DPoP");
  assert.equal(seen.cnf.jkt, claims.cnf.jkt);
}
console.log("oauth4webapi: tokens bound to a key work with their proof, and with no other");
