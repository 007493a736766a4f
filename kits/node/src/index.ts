// What a test does with grantd: each method is a path of its control listener, which `GET /_test` describes.
import { execFileSync } from "node:child_process";
import { Case } from "./case";
import { type Call, GrantdError, type Json, Process, send } from "./process";
import { type Filter, type Request, type Waste, faults } from "./steering";

export { Case, GrantdError, type Json };
export type { Verdict } from "./case";
export type * from "./steering";

const urlOf = (control: string, path: string, query: Record<string, string> = {}) =>
  `${control}/_test${path}${Object.keys(query).length > 0 ? `?${new URLSearchParams(query)}` : ""}`;

/** A client with all that it proves itself with. */
export class Client {
  readonly clientId: string;
  readonly tokenEndpoint: string;
  readonly clientSecret?: string;
  readonly privateJwk?: JsonWebKey;
  readonly certificatePem?: string;
  readonly privateKeyPem?: string;
  readonly curl?: string;

  constructor(
    private readonly call: Call,
    card: Json,
  ) {
    this.clientId = card.client_id;
    this.tokenEndpoint = card.token_endpoint;
    this.clientSecret = card.client_secret;
    this.privateJwk = card.private_jwk;
    this.certificatePem = card.certificate_pem;
    this.privateKeyPem = card.private_key_pem;
    this.curl = card.curl;
  }

  /** The token endpoint's answer to this client, which has a secret or a key. */
  async token(audience?: string, scope?: string): Promise<Json> {
    const form = new URLSearchParams({ grant_type: "client_credentials" });
    if (audience) form.set("audience", audience);
    if (scope) form.set("scope", scope);
    const headers = new Headers();
    if (this.privateJwk) {
      const made = await this.call("POST", "/assertions", { client_id: this.clientId });
      form.set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
      form.set("client_assertion", made.client_assertion);
    } else {
      const encoded = [this.clientId, this.clientSecret ?? ""].map((it) => new URLSearchParams({ it }).toString().slice(3));
      headers.set("authorization", `Basic ${Buffer.from(encoded.join(":")).toString("base64")}`);
    }
    return send(this.tokenEndpoint, { method: "POST", headers, body: form });
  }

  async setStatus(status: "active" | "disabled"): Promise<void> {
    await this.call("PATCH", `/clients/${encodeURIComponent(this.clientId)}`, { status });
  }

  async delete(): Promise<void> {
    await this.call("DELETE", `/clients/${encodeURIComponent(this.clientId)}`);
  }
}

/** A running grantd. */
export class Grantd {
  private static one?: Promise<Grantd>;

  private constructor(
    readonly call: Call,
    private readonly control: string,
    private readonly page: Json,
    private readonly process?: Process,
  ) {}

  /** That of this process: the one of `GRANTD_CONTROL`, else one that is started by the first who asks. */
  static shared(): Promise<Grantd> {
    return (Grantd.one ??= process.env.GRANTD_CONTROL ? Grantd.attach(process.env.GRANTD_CONTROL) : Grantd.start());
  }

  /** A new one, with these arguments of `grantd dev`; it ends with this process at the latest. */
  static async start(...more: string[]): Promise<Grantd> {
    const started = await Process.start(more);
    return Grantd.attach(started.control, started);
  }

  static async attach(control: string, process?: Process): Promise<Grantd> {
    const call: Call = (method, path, body, query) => {
      const json = { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
      return send(urlOf(control, path, query), { method, ...(body && json) });
    };
    return new Grantd(call, control, await call("GET", ""), process);
  }

  get issuer(): string {
    return this.page.issuer;
  }

  get endpoints(): Record<string, string> {
    return this.page.endpoints;
  }

  /** Its URL, for GRANTD_CONTROL. */
  get controlUrl(): string {
    return this.control;
  }

  /** One of the catalog, with what grantd knows of it. */
  async knownClient(id: string): Promise<Client> {
    const card = (await this.call("GET", "")).clients.find((it: Json) => it.client_id === id);
    if (!card) throw new Error(`grantd has no client ${id}`);
    return new Client(this.call, card);
  }

  /** An access token that the client gets from the token endpoint. */
  async token(client: Client | string, audience?: string, scope?: string): Promise<string> {
    const known = typeof client === "string" ? await this.knownClient(client) : client;
    return (await known.token(audience, scope)).access_token;
  }

  /** Any token, signed by grantd's keys and asking no policy: `claims`, `header`, `key`, `lifetime`, `flaw`, … */
  mint = (members: Json = {}): Promise<Json> => this.call("POST", "/tokens", members);

  /** `client_id`, `scope`, `binding`, `method`, `url`, `introspects`. */
  async battery(audience: string, query: Record<string, string> = {}): Promise<Case[]> {
    return Case.all(await this.call("GET", "/tokens", undefined, { audience, ...query }));
  }

  /** The clock of every rule. It is one for the process: a test that moves it beside others starts its own grantd. */
  readonly clock = {
    now: async (): Promise<Date> => new Date((await this.call("GET", "/clock")).unix * 1000),
    advance: (duration: string): Promise<Json> => this.call("PUT", "/clock", { advance: duration }),
    set: (instant: Date): Promise<Json> => this.call("PUT", "/clock", { set: instant.toISOString() }),
    freeze: (frozen = true): Promise<Json> => this.call("PUT", "/clock", { freeze: frozen }),
    reset: (): Promise<Json> => this.call("PUT", "/clock", { reset: true }),
  };

  get faults() {
    return faults(this.call);
  }

  /** A new client, with the members of one in a catalog. Those left out are as of the first one there, with a secret. */
  async client(members: Json = {}): Promise<Client> {
    return new Client(this.call, await this.call("POST", "/clients", members));
  }

  /** Those of the last 1,000 that fit, oldest first. */
  requests(which: Filter = {}): Promise<Request[]> {
    const query = Object.entries(which).map(([name, value]) => [name, String(value)]);
    return this.call("GET", "/requests", undefined, Object.fromEntries(query));
  }

  /** The first so many, as soon as they have come. Too late is a `GrantdError` of 408, which has what did come. */
  awaitRequests(which: Filter & { count?: number; within?: string } = {}): Promise<Request[]> {
    return this.call("POST", "/requests/await", which);
  }

  /** Whether a client caches its tokens. */
  waste(client: Client | string): Promise<Waste> {
    const id = typeof client === "string" ? client : client.clientId;
    return this.call("GET", `/clients/${encodeURIComponent(id)}/waste`);
  }

  /** As at the start: clock, faults, requests, other issuers, clients, catalog, revocations. For tests one by one. */
  async reset(): Promise<void> {
    await this.call("POST", "/reset", {});
  }

  async stop(): Promise<void> {
    await this.process?.stop();
  }
}

/** As `Grantd.battery`, at once, for runners whose list of tests cannot wait (jest); it needs `global-setup`. */
export function batterySync(audience: string, query: Record<string, string> = {}): Case[] {
  const url = urlOf(process.env.GRANTD_CONTROL ?? "", "/tokens", { audience, ...query });
  const script = "fetch(process.argv[1]).then(async (it) => process.stdout.write(await it.text()))";
  return Case.all(JSON.parse(execFileSync(process.execPath, ["-e", script, url], { encoding: "utf8", maxBuffer: 2 ** 26 })));
}
