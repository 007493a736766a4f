// An MCP server with one tool, which tells its caller whom it takes it for.
import { mcpAuthMetadataRouter, getOAuthProtectedResourceMetadataUrl } from "@modelcontextprotocol/sdk/server/auth/router.js";
import { requireBearerAuth } from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js";
import { InvalidTokenError } from "@modelcontextprotocol/sdk/server/auth/errors.js";
import { createMcpExpressApp } from "@modelcontextprotocol/sdk/server/express.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { discoverAuthorizationServerMetadata } from "@modelcontextprotocol/sdk/client/auth.js";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { ISSUER, MCP_URL } = process.env;
const url = new URL(MCP_URL);

const oauthMetadata = await discoverAuthorizationServerMetadata(ISSUER);
const keys = createRemoteJWKSet(new URL(oauthMetadata.jwks_uri));

async function verifyAccessToken(token) {
  try {
    const { payload } = await jwtVerify(token, keys, { issuer: ISSUER, audience: MCP_URL, typ: "at+jwt" });
    const { client_id: clientId, scope, exp: expiresAt } = payload;
    return { token, clientId, scopes: scope.split(" "), expiresAt, resource: url };
  } catch (fault) {
    throw new InvalidTokenError(fault.message);
  }
}

function tools() {
  const server = new McpServer({ name: "e2e", version: "0.0.0" });
  server.registerTool("whoami", { description: "Who calls" }, (extra) => ({
    content: [{ type: "text", text: `${extra.authInfo.clientId} ${extra.authInfo.scopes}` }],
  }));
  return server;
}

const app = createMcpExpressApp();
app.use(mcpAuthMetadataRouter({ oauthMetadata, resourceServerUrl: url, scopesSupported: ["tools:call"] }));
const guard = requireBearerAuth({
  verifier: { verifyAccessToken },
  requiredScopes: ["tools:call"],
  resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(url),
  expectedResource: url,
});
app.post("/mcp", guard, async (request, response) => {
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
  await tools().connect(transport);
  await transport.handleRequest(request, response, request.body);
});
app.listen(Number(url.port), url.hostname);
