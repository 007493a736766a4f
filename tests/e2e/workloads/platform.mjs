// A platform that says of its workloads who they are: it publishes keys, and signs a token for whoever asks.
// Usage: node platform.mjs READY_FILE, which then holds its URL. `/token?sub=…&seconds=…` gives a token of that
// subject and life, and `/rotate` takes another key.
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";

const AUDIENCE = "https://auth.internal.example";
const keys = [];

function rotate() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const kid = randomUUID();
  keys.push({ kid, privateKey, published: { ...publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" } });
}

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function token(sub, seconds) {
  const { kid, privateKey: key } = keys.at(-1);
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: url, sub, aud: AUDIENCE, iat, nbf: iat, exp: iat + seconds, jti: randomUUID() };
  const input = `${encoded({ alg: "ES256", kid })}.${encoded(claims)}`;
  const signature = sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" });
  return `${input}.${signature.toString("base64url")}`;
}

const answers = {
  "/.well-known/openid-configuration": () => JSON.stringify({ issuer: url, jwks_uri: `${url}/jwks` }),
  "/jwks": () => JSON.stringify({ keys: keys.map((key) => key.published) }),
  "/token": (query) => token(query.get("sub"), Number(query.get("seconds"))),
  "/rotate": () => (rotate(), ""),
};

rotate();
let url;
const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, url);
  const answer = answers[pathname];
  response.writeHead(answer ? 200 : 404, { "content-type": "application/json" });
  response.end(answer?.(searchParams));
});
server.listen(0, "127.0.0.1", () => {
  url = `http://127.0.0.1:${server.address().port}`;
  const [ready] = process.argv.slice(2);
  writeFileSync(`${ready}.new`, url);
  renameSync(`${ready}.new`, ready);
});
