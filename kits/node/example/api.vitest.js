import { Grantd } from "grantd-test";
import { test } from "vitest";
import { pricesApi, serve } from "./api.js";

const grantd = await Grantd.shared();
const battery = await grantd.battery("pricing-api", { scope: "pricing:read" });
const url = `${await serve(pricesApi(grantd.issuer, "pricing-api"))}/prices`;

test.each(battery)("the API and the token $name", async (token) => {
  const answer = await fetch(url, { headers: token.headers });
  token.check(answer.status);
});
