// openid-client and oauth4webapi with a client certificate (RFC 8705), by undici as their manuals tell: all three
// endpoints under `mtls_endpoint_aliases`.
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import * as oauth from "oauth4webapi";
import * as client from "openid-client";
import * as undici from "undici";
import { callWith, discover, expectInactive, getToken, introspect, revoke, server, validate } from "./server.mjs";

const { ISSUER, DATA, CA_FILE, MESH_ID, LEDGER_ID, API_ID } = process.env;
const throughAliases = { use_mtls_endpoint_aliases: true };
const ca = await readFile(CA_FILE, "utf8");

assert.equal(server.tls_client_certificate_bound_access_tokens, true);
for (const endpoint of ["token_endpoint", "introspection_endpoint", "revocation_endpoint"]) {
  assert(server.mtls_endpoint_aliases[endpoint].startsWith("https://"));
}

// `fetch` with the certificate that grantd made for a client, and the certificate's thumbprint.
async function certified(id) {
  const [cert, key] = await Promise.all(["pem", "key"].map((end) => readFile(`${DATA}/client-${id}.${end}`, "utf8")));
  return { ...connecting({ cert, key, ca }), thumbprint: thumbprint(cert) };
}

function connecting(connect) {
  const dispatcher = new undici.Agent({ connect });
  return { fetch: (url, options) => undici.fetch(url, { ...options, dispatcher }) };
}

const thumbprint = (pem) => createHash("sha256").update(new X509Certificate(pem).raw).digest("base64url");

const api = await certified(API_ID);
const nobody = connecting({ ca });

for (const id of [MESH_ID, LEDGER_ID]) {
  const holder = await certified(id);
  await useOpenIdClient(id, holder);
  await useOauth4webapi(id, holder);
  for (const other of [api, nobody]) {
    const refused = await discoverCertified(id, other);
    await assert.rejects(client.clientCredentialsGrant(refused), (error) => {
      assert.equal(error.status, 401);
      return true;
    });
  }
  console.log(`openid-client, oauth4webapi: mutual TLS, ${id}, bound, introspected, revoked`);
}

function discoverCertified(id, { fetch }) {
  return discover(id, client.TlsClientAuth(), throughAliases, { [client.customFetch]: fetch });
}

async function useOpenIdClient(id, holder) {
  const worker = await discoverCertified(id, holder);
  const pricing = await discoverCertified(API_ID, api);

  const token = await client.clientCredentialsGrant(worker, { scope: "pricing:read" });
  assert.equal(token.token_type, "bearer");
  const seen = await client.tokenIntrospection(pricing, token.access_token);
  assert.equal(seen.active, true);
  assert.equal(seen.client_id, id);
  assert.equal(seen.cnf["x5t#S256"], holder.thumbprint);

  await client.tokenRevocation(worker, token.access_token);
  expectInactive(await client.tokenIntrospection(pricing, token.access_token));
}

async function useOauth4webapi(id, holder) {
  const worker = { client_id: id, ...throughAliases };
  const pricing = { client_id: API_ID, ...throughAliases };
  const proof = oauth.TlsClientAuth();
  const byHolder = { [oauth.customFetch]: holder.fetch };
  const ask = (token) => introspect(token, pricing, proof, { [oauth.customFetch]: api.fetch });

  const { access_token } = await getToken(worker, proof, { scope: "pricing:read" }, byHolder);
  const seen = await ask(access_token);
  assert.equal(seen.iss, ISSUER);
  assert.equal(seen.cnf["x5t#S256"], holder.thumbprint);
  // The library knows no tokens that are bound to certificates, and takes none for a bearer's.
  await assert.rejects(validate(callWith(access_token)), oauth.UnsupportedOperationError);

  await revoke(access_token, worker, proof, byHolder);
  expectInactive(await ask(access_token));
}
