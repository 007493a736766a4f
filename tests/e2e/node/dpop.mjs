// oauth4webapi: a token bound to a key (RFC 9449), and an API that wants the proof with it.
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import { getToken, introspect, plain, server, validate } from "./server.mjs";

const { CLIENT_ID, CLIENT_SECRET } = process.env;
const prices = new URL("http://pricing.example/prices");
const orders = { client_id: CLIENT_ID };

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
  const token = await getToken(orders, oauth.ClientSecretBasic(CLIENT_SECRET), {}, { DPoP });
  assert.equal(token.token_type, "dpop");
  const claims = await validate(await call(token.access_token, DPoP));
  assert.equal(claims.cnf.jkt, await DPoP.calculateThumbprint());

  const thief = oauth.DPoP(orders, await oauth.generateKeyPair("ES256"));
  await assert.rejects(validate(await call(token.access_token, thief)));
  await assert.rejects(validate(await call(token.access_token)));

  const seen = await introspect(token.access_token);
  assert.equal(seen.token_type, "DPoP");
  assert.equal(seen.cnf.jkt, claims.cnf.jkt);
}
console.log("oauth4webapi: tokens bound to a key work with their proof, and with no other");
