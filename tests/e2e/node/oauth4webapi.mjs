// oauth4webapi: an API that accepts a token by metadata and JWKS alone (9068-07), introspection, revocation.
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import { callWith, expectInactive, getToken, introspect, revoke, validate } from "./server.mjs";

const { CLIENT_ID, CLIENT_SECRET } = process.env;
const orders = { client_id: CLIENT_ID };
const basic = oauth.ClientSecretBasic(CLIENT_SECRET);

const token = await getToken(orders, basic);
assert.equal(token.scope, "pricing:read");

const claims = await validate(callWith(token.access_token));
assert.equal(claims.sub, CLIENT_ID);
assert.equal(claims.client_id, CLIENT_ID);
assert.equal(claims.scope, "pricing:read");
await assert.rejects(validate(callWith(token.access_token), "another-api"));
console.log("oauth4webapi: an API accepted the token by metadata and JWKS alone");

const seen = await introspect(token.access_token);
assert.equal(seen.active, true);
assert.equal(seen.jti, claims.jti);

await revoke(token.access_token, orders, basic);
expectInactive(await introspect(token.access_token));
console.log("oauth4webapi: introspected and revoked the token");
