// A small API that grantd's tokens protect: `GET /prices` needs the scope pricing:read.
import express from "express";
import { auth, requiredScopes } from "express-oauth2-jwt-bearer";

export function pricesApi(issuer, audience) {
  const api = express();
  // `strict` also checks that the header's typ is at+jwt (RFC 9068).
  api.use(auth({ issuerBaseURL: issuer, audience, strict: true, tokenSigningAlg: "ES256" }));
  api.get("/prices", requiredScopes("pricing:read"), (request, response) => {
    response.json({ caller: request.auth.payload.client_id, tea: 3 });
  });
  api.use((error, request, response, next) => {
    response.status(error.status ?? 500).set(error.headers ?? {}).end();
  });
  return api;
}

/** Serves it on a free port for as long as something else runs; gives its URL. */
export async function serve(api) {
  const server = await new Promise((resolve) => {
    const listening = api.listen(0, "127.0.0.1", () => resolve(listening));
  });
  server.unref().on("connection", (socket) => socket.unref());
  return `http://127.0.0.1:${server.address().port}`;
}
