// How a client should behave when its token expires or is refused, or when it cannot have one.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import express from "express";
import { Grantd } from "grantd-test";
import { pricesApi, serve } from "./api.js";
import { ClientCredentials } from "./client.js";

const grantd = await Grantd.shared();
let calls, url, client, http;

beforeEach(async () => {
  url = await serveCounted(pricesApi(grantd.issuer, "pricing-api"));
  // One for each test, so that tests beside each other don't meet.
  client = await grantd.client({ policy: [{ audience: "pricing-api", scopes: ["pricing:read"] }] });
  http = new ClientCredentials(grantd.issuer, client.tokenEndpoint, client.clientId, client.clientSecret, "pricing:read");
});

test("a token is used while the token endpoint is down", async () => {
  assert.equal((await http.fetch(url)).status, 200);
  await grantd.faults.add({ endpoint: "token", client_id: client.clientId, status: 503 });
  assert.equal((await http.fetch(url)).status, 200);
  assert.deepEqual(await outcomes(), ["issued"]);
  assert.equal((await grantd.waste(client)).wasted, 0);
});

test("without a token it does not call", async () => {
  const fault = await grantd.faults.add({ endpoint: "token", client_id: client.clientId, status: 503 });
  await assert.rejects(http.fetch(url));
  assert.deepEqual([calls, await outcomes()], [0, ["fault"]]);
  await grantd.faults.remove(fault);
  assert.equal((await http.fetch(url)).status, 200);
});

test("a hundred callers at expiry ask for one token", async () => {
  await nextToken({}, 30);
  assert.equal((await http.fetch(url)).status, 200);
  const answers = await Promise.all(Array.from({ length: 100 }, () => http.fetch(url)));
  assert(answers.every((answer) => answer.status === 200));
  assert.deepEqual(await outcomes(), ["fault", "issued"]);
});

test("after a 401 it tries once more with a fresh token", async () => {
  await nextToken({ issuer: "staging" });
  assert.equal((await http.fetch(url)).status, 200);
  assert.deepEqual([calls, await outcomes()], [2, ["fault", "issued"]]);
});

test("an API that always refuses is asked twice", async () => {
  url = await serveCounted((request, response) => response.sendStatus(401));
  assert.equal((await http.fetch(url)).status, 401);
  assert.deepEqual([calls, await outcomes()], [2, ["issued", "issued"]]);
});

/** Serves an API, and counts in `calls`. */
async function serveCounted(api) {
  calls = 0;
  const counted = express().use((request, response, next) => {
    calls += 1;
    next();
  });
  return `${await serve(counted.use(api))}/prices`;
}

/** What the client gets next is a token with these members, which is said to expire in so many seconds. */
async function nextToken(members, seconds = 300) {
  const wanted = { client_id: client.clientId, audience: "pricing-api", scope: "pricing:read", ...members };
  const { access_token } = await grantd.mint(wanted);
  const body = { access_token, token_type: "Bearer", expires_in: seconds };
  await grantd.faults.add({ endpoint: "token", client_id: client.clientId, times: 1, status: 200, body });
}

/** What became of the client's requests for tokens. */
async function outcomes() {
  const requests = await grantd.requests({ endpoint: "token", client_id: client.clientId });
  return requests.map((request) => request.outcome);
}
