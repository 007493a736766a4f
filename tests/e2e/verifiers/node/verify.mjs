// jose, jsonwebtoken and express-oauth2-jwt-bearer as their documentation has them. A line for each token: library,
// token, verdict.
import { readFileSync } from "node:fs";
import { request } from "node:http";
import express from "express";
import { auth } from "express-oauth2-jwt-bearer";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";
import jsonwebtoken from "jsonwebtoken";
import jwksClient from "jwks-rsa";

const { ISSUER, AUDIENCE, JWKS_URI, TOKENS } = process.env;

const keys = createRemoteJWKSet(new URL(JWKS_URI));
async function jose(token) {
  await jwtVerify(token, keys, { issuer: ISSUER, audience: AUDIENCE });
}

const client = jwksClient({ jwksUri: JWKS_URI });
const getKey = (header, callback) =>
  client.getSigningKey(header.kid, (error, key) => callback(error, key?.getPublicKey()));
const forNode = (token) =>
  new Promise((resolve, reject) => {
    const rules = { algorithms: ["ES256"], audience: AUDIENCE, issuer: ISSUER };
    jsonwebtoken.verify(token, getKey, rules, (error) => (error ? reject(error) : resolve()));
  });

const api = express();
api.use(auth({ issuerBaseURL: ISSUER, audience: AUDIENCE, tokenSigningAlg: "ES256" }));
api.get("/", (_, response) => response.end());
api.use((error, _request, response, _next) => response.status(error.status ?? 500).end());
const server = api.listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));

class Status extends Error {
  constructor(status) {
    super(`${status}`);
    this.status = status;
  }
}

const bearer = (token) =>
  new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    request({ port: server.address().port, host: "127.0.0.1", headers, agent: false }, (answer) => {
      answer.resume();
      if (answer.statusCode === 200) resolve();
      else reject(new Status(answer.statusCode));
    })
      .on("error", reject)
      .end();
  });

// Each with whether an error is one that it says that it throws.
const libraries = {
  jose: [jose, (error) => error instanceof errors.JOSEError],
  "jsonwebtoken (npm)": [forNode, (error) => error instanceof jsonwebtoken.JsonWebTokenError],
  "express-oauth2-jwt-bearer": [bearer, (error) => error.status < 500],
};

const tokens = JSON.parse(readFileSync(TOKENS, "utf8"));
for (const [library, [verify, isRefusal]] of Object.entries(libraries)) {
  for (const { name, access_token } of tokens) {
    const verdict = await verify(access_token).then(
      () => "accepted",
      (error) => (isRefusal(error) ? "refused" : "crashed"),
    );
    console.log([library, name, verdict].join("\t"));
  }
}
server.close();
server.closeAllConnections();
