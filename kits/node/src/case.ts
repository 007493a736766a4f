// Tokens that an API must accept, and tokens with one flaw each that it must refuse.
import type { Json } from "./process";

export type Verdict = "ok" | "note" | "hole" | "fault";

/** One token of the battery. */
export class Case {
  readonly name: string;
  readonly accessToken: string;
  /** Exactly what to send, once `after` was sent where there is one. */
  readonly headers: Record<string, string>;
  readonly after?: string;
  readonly why: string;
  readonly standard: string;
  readonly certificatePem?: string;
  readonly privateKeyPem?: string;
  private readonly due: number[];
  private readonly against: Verdict;

  constructor(
    entry: Json,
    readonly mustAccept: boolean,
  ) {
    this.name = entry.name;
    this.accessToken = entry.access_token;
    this.headers = entry.headers;
    this.after = entry.after;
    this.why = entry.why;
    this.standard = entry.standard;
    this.certificatePem = entry.certificate_pem;
    this.privateKeyPem = entry.private_key_pem;
    this.due = [entry.status].flat();
    // An API may keep a key in its cache for a while.
    this.against = entry.cached_for_seconds ? "note" : entry.verdict;
  }

  static all(answer: Json): Case[] {
    const of = (list: Json[], mustAccept: boolean) => list.map((entry) => new Case(entry, mustAccept));
    return [...of(answer.accept, true), ...of(answer.refuse, false)];
  }

  /** What an answer with this status comes to. */
  judge(status: number): Verdict {
    if (status >= 500) return "fault";
    if ((status >= 200 && status < 300) !== this.mustAccept) return this.against;
    return this.mustAccept || this.due.includes(status) ? "ok" : "note";
  }

  /** Throws for a hole or a fault. A note passes: no standard demands otherwise. */
  check(status: number): void {
    const verdict = this.judge(status);
    if (verdict === "ok" || verdict === "note") return;
    throw new Error(`${verdict}: ${status} for '${this.name}'. ${this.why} (${this.standard})`);
  }
}
