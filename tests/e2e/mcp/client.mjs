// The TypeScript SDK of MCP: both of its providers for clients without users find grantd by the MCP server.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { ClientCredentialsProvider, PrivateKeyJwtProvider } from "@modelcontextprotocol/sdk/client/auth-extensions.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { OAuthMetadataSchema, OpenIdProviderDiscoveryMetadataSchema } from "@modelcontextprotocol/sdk/shared/auth.js";

const { ISSUER, KEYS, MCP_ID, MCP_SECRET, MCP_URL } = process.env;

const read = async (name) => (await fetch(`${ISSUER}/.well-known/${name}`)).json();
assert.equal(OAuthMetadataSchema.parse(await read("oauth-authorization-server")).issuer, ISSUER);
assert.equal(OpenIdProviderDiscoveryMetadataSchema.parse(await read("openid-configuration")).issuer, ISSUER);

async function whoami(authProvider) {
  const client = new Client({ name: "e2e", version: "0.0.0" });
  await client.connect(new StreamableHTTPClientTransport(new URL(MCP_URL), { authProvider }));
  const answer = await client.callTool({ name: "whoami", arguments: {} });
  await client.close();
  return answer.content[0].text;
}

const known = { clientId: MCP_ID, expectedIssuer: ISSUER };
const bySecret = new ClientCredentialsProvider({ ...known, clientSecret: MCP_SECRET });
assert.equal(await whoami(bySecret), `${MCP_ID} tools:call`);
console.log("MCP in TypeScript: ClientCredentialsProvider, the tool saw", MCP_ID);

for (const algorithm of ["ES256", "RS256", "PS256"]) {
  const privateKey = await readFile(`${KEYS}/${algorithm.toLowerCase()}.pem`, "utf8");
  assert.equal(await whoami(new PrivateKeyJwtProvider({ ...known, privateKey, algorithm })), `${MCP_ID} tools:call`);
  console.log(`MCP in TypeScript: PrivateKeyJwtProvider, ${algorithm}, the tool saw`, MCP_ID);
}

await assert.rejects(whoami(new ClientCredentialsProvider({ ...known, clientSecret: "a-wrong-secret-0123" })), /client authentication failed/);
await assert.rejects(whoami(undefined), { code: 401 });
console.log("MCP in TypeScript: a wrong secret and no token, refused");
