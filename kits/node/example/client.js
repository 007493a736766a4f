// A client of the API, as it should be: it asks for a token as seldom as it can, and never calls without one.
import * as oauth from "openid-client";

/** `fetch` with a token. openid-client gets tokens; to keep them, and all else here, is left to its user. */
export class ClientCredentials {
  #settings;
  #scope;
  #kept = { token: undefined, freshUntil: 0 };
  /** The answer that is waited for, where there is one. */
  #asked;

  constructor(issuer, tokenEndpoint, clientId, clientSecret, scope) {
    const server = { issuer, token_endpoint: tokenEndpoint };
    this.#settings = new oauth.Configuration(server, clientId, undefined, oauth.ClientSecretBasic(clientSecret));
    // For a test on loopback alone.
    oauth.allowInsecureRequests(this.#settings);
    this.#scope = scope;
  }

  async fetch(url, init = {}) {
    const token = await this.#token();
    const answer = await withToken(url, init, token);
    if (answer.status !== 401) return answer;
    // Once more: the key of the token may have been retired.
    await answer.body?.cancel();
    return withToken(url, init, await this.#token(token));
  }

  async #token(refused) {
    const { token, freshUntil } = this.#kept;
    if (token !== refused && Date.now() < freshUntil) return token;
    // Of many callers at expiry one asks, and all wait for the same answer.
    this.#asked ??= this.#ask().finally(() => (this.#asked = undefined));
    return this.#asked;
  }

  async #ask() {
    const answer = await oauth.clientCredentialsGrant(this.#settings, { scope: this.#scope });
    const seconds = (answer.expiresIn() ?? 0) - 60;
    this.#kept = { token: answer.access_token, freshUntil: Date.now() + seconds * 1000 };
    return answer.access_token;
  }
}

function withToken(url, init, token) {
  const headers = new Headers(init.headers);
  headers.set("authorization", `Bearer ${token}`);
  return fetch(url, { ...init, headers });
}
