// What a test has go wrong, and what it sees of what was asked.
import type { Call, Json } from "./process";

export type Endpoint = "token" | "introspection" | "revocation" | "jwks" | "metadata" | "any";

/** Where a fault strikes, and what it does: `docs/testing.md` has each member. */
export interface Rule {
  endpoint?: Endpoint;
  client_id?: string;
  after?: number;
  times?: number;
  probability?: number;
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
  delay?: string;
  close?: boolean;
  truncate?: number;
  bytes_per_second?: number;
  lie?: string;
}

/** `struck` is how often it did. */
export type Fault = Rule & { id: number; struck: number };

/** Which requests are meant; `after` is the id of the last one that is not. */
export interface Filter {
  endpoint?: Endpoint;
  client_id?: string;
  outcome?: string;
  after?: number;
}

/** One that came. What is secret is shown by its length alone. */
export interface Request {
  id: number;
  at: string;
  endpoint: Endpoint;
  http: string;
  client_id: string | null;
  method: string | null;
  /** `issued`, `active`, `inactive`, `revoked`, `served`, `fault`, `abandoned` or an error code. */
  outcome: string;
  /** What it would have been without the fault. */
  judged: string | null;
  fault: number | null;
  check: Json | null;
  headers: Json;
  form: Json | null;
  assertion: Json | null;
  proof: Json | null;
  token: Json | null;
  request_id: string | null;
  took_ms: number;
}

/** Of its tokens those are wasted that it got while an equal one had more than half of its life left. */
export interface Waste {
  tokens: number;
  wasted: number;
}

/** Answers that go wrong. A `client_id` keeps them away from other tests. */
export const faults = (call: Call) => ({
  /** Gives its id. */
  add: async (rule: Rule): Promise<number> => (await call("POST", "/faults", { ...rule })).id,
  list: (): Promise<Fault[]> => call("GET", "/faults"),
  remove: (id: number): Promise<void> => call("DELETE", `/faults/${id}`),
  clear: (): Promise<void> => call("DELETE", "/faults"),
});
