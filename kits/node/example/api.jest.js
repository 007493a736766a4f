import { Grantd, batterySync } from "grantd-test";
import { pricesApi, serve } from "./api.js";

let url;
beforeAll(async () => {
  const grantd = await Grantd.shared();
  url = `${await serve(pricesApi(grantd.issuer, "pricing-api"))}/prices`;
});

test.each(batterySync("pricing-api", { scope: "pricing:read" }))("the API and the token $name", async (token) => {
  const answer = await fetch(url, { headers: token.headers });
  token.check(answer.status);
});
