// express-oauth2-jwt-bearer: an API that is told the issuer and its own name, and finds all else.
import assert from "node:assert/strict";
import { once } from "node:events";
import * as oauth from "oauth4webapi";
import { getToken } from "./server.mjs";
import { pricingApi } from "./verify.mjs";

const { ISSUER, CLIENT_ID, CLIENT_SECRET } = process.env;

const api = pricingApi(ISSUER, "pricing-api");
// Else Express prints each refusal.
api.set("env", "test");
const listening = api.listen(0, "127.0.0.1");
await once(listening, "listening");
const url = `http://127.0.0.1:${listening.address().port}/prices`;
const call = (token) => fetch(url, { headers: { authorization: `Bearer ${token}` } });

const who = { client_id: CLIENT_ID };
const proof = oauth.ClientSecretPost(CLIENT_SECRET);
const { access_token } = await getToken(who, proof, { scope: "pricing:read" });
assert.deepEqual(await (await call(access_token)).json(), { caller: CLIENT_ID });
console.log("express-oauth2-jwt-bearer: the API let in", CLIENT_ID);

const { access_token: other } = await getToken(who, proof, { scope: "pricing:quote" });
assert.equal((await call(other)).status, 403);
assert.equal((await call(`${access_token.slice(0, -8)}AAAAAAAA`)).status, 401);
assert.equal((await fetch(url)).status, 401);
console.log("express-oauth2-jwt-bearer: a scope too few, a forged token and none, refused");
listening.close();
