import express from "express";
import { auth, requiredScopes } from "express-oauth2-jwt-bearer";

export function pricingApi(issuer, audience) {
  const api = express();
  // `strict` also checks that the header's typ is at+jwt (RFC 9068).
  api.use(auth({ issuerBaseURL: issuer, audience, strict: true }));
  api.get("/prices", requiredScopes("pricing:read"), (request, response) => {
    response.json({ caller: request.auth.payload.client_id });
  });
  return api;
}
