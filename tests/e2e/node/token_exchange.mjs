// oauth4webapi: an API exchanges the token of its caller for one of the next API, which sees both (RFC 8693).
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import { callWith, getToken, plain, revoke, server, validate } from "./server.mjs";

const { CLIENT_ID, CLIENT_SECRET, ASCII_ID, ASCII_SECRET, API_ID, API_SECRET } = process.env;
const api = { client_id: API_ID };
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";

async function exchange(subjectToken, changes = {}) {
  const parameters = {
    subject_token: subjectToken,
    subject_token_type: ACCESS_TOKEN,
    audience: "stock-api",
    scope: "stock:read",
    ...changes,
  };
  const answer = await oauth.genericTokenEndpointRequest(
    server,
    api,
    oauth.ClientSecretBasic(API_SECRET),
    "urn:ietf:params:oauth:grant-type:token-exchange",
    parameters,
    plain,
  );
  return oauth.processGenericTokenEndpointResponse(server, api, answer);
}

const refusal = (error) => ({ name: "ResponseBodyError", error });

const caller = { client_id: CLIENT_ID };
const basic = oauth.ClientSecretBasic(CLIENT_SECRET);
const { access_token: subjectToken } = await getToken(caller, basic);
const exchanged = await exchange(subjectToken);
assert.equal(exchanged.issued_token_type, ACCESS_TOKEN);
assert.ok(exchanged.expires_in <= 120);
const claims = await validate(callWith(exchanged.access_token), "stock-api");
assert.equal(claims.sub, CLIENT_ID);
assert.equal(claims.client_id, API_ID);
assert.deepEqual(claims.act, { sub: API_ID });
assert.equal(claims.scope, "stock:read");
console.log("oauth4webapi: a token exchanged for the next API, which sees caller and actor");

const { access_token: ofStranger } = await getToken({ client_id: ASCII_ID }, oauth.ClientSecretBasic(ASCII_SECRET), {
  audience: "pricing-api",
});
await assert.rejects(exchange(ofStranger), refusal("unauthorized_client"));
await assert.rejects(exchange(subjectToken, { audience: "orders-api" }), refusal("invalid_target"));
await revoke(subjectToken, caller, basic);
await assert.rejects(exchange(subjectToken), refusal("invalid_request"));
console.log("oauth4webapi: a caller outside of the policy, another API and a revoked token, refused");
