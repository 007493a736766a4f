// The process, and JSON over HTTP to it.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

export type Json = Record<string, any>;

/** A path below `/_test`. */
export type Call = (method: string, path: string, body?: Json, query?: Record<string, string>) => Promise<any>;

/** What grantd refused: `status`, and the answer's JSON or text in `body`. */
export class GrantdError extends Error {
  constructor(
    readonly status: number,
    readonly body: unknown,
  ) {
    super(`${status}: ${JSON.stringify(body)}`);
  }
}

/** The JSON of an answer. */
export async function send(url: string, init: RequestInit): Promise<any> {
  const answer = await fetch(url, init);
  const text = await answer.text();
  const isJson = answer.headers.get("content-type")?.startsWith("application/json");
  const body = isJson ? JSON.parse(text) : text;
  if (!answer.ok) throw new GrantdError(answer.status, body);
  return body;
}

/** A `grantd dev` that ends with this process, even if that is killed: its standard input then closes. */
export class Process {
  private constructor(
    private readonly child: ChildProcess,
    readonly control: string,
  ) {}

  static async start(more: string[]): Promise<Process> {
    const folder = await mkdtemp(join(tmpdir(), "grantd-"));
    const ready = join(folder, "ready.json");
    const options = ["dev", "--listen", "127.0.0.1:0", "--ready-file", ready, "--until-stdin-closes", ...more];
    const child = spawn(process.env.GRANTD_BIN || "grantd", options, {
      stdio: ["pipe", "ignore", "inherit"],
      env: { GRANTD_LOG: "warn", ...process.env },
    });
    // It keeps nobody from ending.
    child.unref();
    (child.stdin as unknown as Socket).unref();
    let failure: string | undefined;
    child.once("error", () => (failure = "there is no grantd: npm install --save-dev grantd, or set GRANTD_BIN"));
    child.once("exit", () => (failure ??= "grantd does not start; it says why on standard error"));
    try {
      for (const deadline = Date.now() + 60_000; ; await pause(5)) {
        const text = await readFile(ready, "utf8").catch(() => undefined);
        if (text) return new Process(child, JSON.parse(text).control);
        if (failure ?? Date.now() > deadline) throw new Error(failure ?? "grantd is not ready after a minute");
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.ref();
    this.child.stdin!.end();
    await ended;
  }
}
