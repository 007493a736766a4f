// private_key_jwt with openid-client and oauth4webapi: every advertised algorithm, at all three endpoints.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { importPKCS8 } from "jose";
import * as oauth from "oauth4webapi";
import * as client from "openid-client";
import { callWith, discover, expectInactive, getToken, introspect, plain, revoke, server, validate } from "./server.mjs";

const { KEYS, KEY_ID, API_ID } = process.env;

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
  const worker = await discover(KEY_ID, client.PrivateKeyJwt(key, options));
  const api = await discover(API_ID, client.PrivateKeyJwt(key, options));

  const token = await client.clientCredentialsGrant(worker, { scope: "pricing:read" });
  const seen = await client.tokenIntrospection(api, token.access_token);
  assert.equal(seen.active, true);
  assert.equal(seen.client_id, KEY_ID);
  assert.equal(seen.aud, "pricing-api");

  await client.tokenRevocation(worker, token.access_token);
  expectInactive(await client.tokenIntrospection(api, token.access_token));
}

async function useOauth4webapi(key, options) {
  const worker = { client_id: KEY_ID };
  const api = { client_id: API_ID };
  const proof = oauth.PrivateKeyJwt(key, options);

  const { access_token } = await getToken(worker, proof, { scope: "pricing:read" });
  const claims = await validate(callWith(access_token));
  assert.equal(claims.client_id, KEY_ID);

  assert.equal((await introspect(access_token, api, proof)).jti, claims.jti);
  await revoke(access_token, worker, proof);
  expectInactive(await introspect(access_token, api, proof));
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
