import assert from "node:assert/strict";
import { test } from "node:test";
import { Grantd } from "grantd-test";
import { pricesApi, serve } from "./api.js";

const grantd = await Grantd.shared();
const url = `${await serve(pricesApi(grantd.issuer, "pricing-api"))}/prices`;
const battery = await grantd.battery("pricing-api", { scope: "pricing:read" });
for (const token of battery) {
  test(`the API and the token ${token.name}`, async () => {
    const answer = await fetch(url, { headers: token.headers });
    token.check(answer.status);
  });
}

test("the API knows who calls", async () => {
  const token = await grantd.token("orders-service", "pricing-api", "pricing:read");
  const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  assert.equal((await answer.json()).caller, "orders-service");
});
