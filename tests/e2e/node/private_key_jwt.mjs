// private_key_jwt with openid-client and oauth4webapi: every advertised algorithm, at all three endpoints.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { importPKCS8 } from "jose";
import * as oauth from "oauth4webapi";
import * as client from "openid-client";

const { ISSUER, KEYS, KEY_ID, API_ID } = process.env;
const issuer = new URL(ISSUER);
// Loopback speaks plain HTTP.
const plain = { [oauth.allowInsecureRequests]: true };

const server = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...plain }),
);
assert(server.token_endpoint_auth_methods_supported.includes("private_key_jwt"));
const algorithms = server.token_endpoint_auth_signing_alg_values_supported;
for (const algorithm of ["ES256", "EdDSA", "RS256", "PS256"]) {
  assert(algorithms.includes(algorithm), `${algorithm} is not advertised`);
}

for (const algorithm of algorithms) {
  const name = algorithm === "Ed25519" ? "eddsa" : algorithm.toLowerCase();
  const key = {
    key: await importPKCS8(await readFile(`${KEYS}/${name}.pem`, "utf8"), algorithm),
    kid: name,
  };
  // Both libraries know an Ed25519 key by one name; this writes the advertised one.
  const named = { [oauth.modifyAssertion]: (header) => void (header.alg = algorithm) };
  await useOpenIdClient(key, named);
  await useOauth4webapi(key, named);
  console.log(`openid-client, oauth4webapi: private_key_jwt, ${algorithm}, introspected, revoked`);
}

async function useOpenIdClient(key, options) {
  const discover = (id) =>
    client.discovery(issuer, id, undefined, client.PrivateKeyJwt(key, options), {
      execute: [client.allowInsecureRequests],
      algorithm: "oauth2",
    });
  const worker = await discover(KEY_ID);
  const api = await discover(API_ID);

  const token = await client.clientCredentialsGrant(worker, { scope: "pricing:read" });
  const seen = await client.tokenIntrospection(api, token.access_token);
  assert.equal(seen.active, true);
  assert.equal(seen.client_id, KEY_ID);
  assert.equal(seen.aud, "pricing-api");

  await client.tokenRevocation(worker, token.access_token);
  assert.deepEqual(await client.tokenIntrospection(api, token.access_token), { active: false });
}

async function useOauth4webapi(key, options) {
  const worker = { client_id: KEY_ID };
  const api = { client_id: API_ID };
  const proof = oauth.PrivateKeyJwt(key, options);

  const token = await oauth.processClientCredentialsResponse(
    server,
    worker,
    await oauth.clientCredentialsGrantRequest(server, worker, proof, { scope: "pricing:read" }, plain),
  );
  const call = new Request("http://pricing.example/prices", {
    headers: { authorization: `Bearer ${token.access_token}` },
  });
  const claims = await oauth.validateJwtAccessToken(server, call, "pricing-api", plain);
  assert.equal(claims.client_id, KEY_ID);

  const introspect = async () =>
    oauth.processIntrospectionResponse(
      server,
      api,
      await oauth.introspectionRequest(server, api, proof, token.access_token, plain),
    );
  assert.equal((await introspect()).jti, claims.jti);
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, worker, proof, token.access_token, plain),
  );
  assert.equal((await introspect()).active, false);
}

// One assertion, taken once: a second use is refused, with the words of any other failure.
const key = { key: await importPKCS8(await readFile(`${KEYS}/es256.pem`, "utf8"), "ES256"), kid: "es256" };
const sameName = { [oauth.modifyAssertion]: (_header, claims) => void (claims.jti = "used-twice") };
const ask = () =>
  oauth.clientCredentialsGrantRequest(
    server, { client_id: KEY_ID }, oauth.PrivateKeyJwt(key, sameName), { scope: "pricing:read" }, plain,
  );
assert.equal((await ask()).status, 200);
const second = await ask();
assert.equal(second.status, 401);
assert.equal((await second.json()).error, "invalid_client");
console.log("oauth4webapi: a jti is taken once");
