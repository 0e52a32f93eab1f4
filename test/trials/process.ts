import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../dist/bundle/main.js", import.meta.url));

/** The built program in a process of its own. */
export interface TxProcess {
  readonly pid: number;
  readonly url: string;
  /** Time from start to listening. */
  readonly startMs: number;
  /** Log records so far. */
  readonly records: readonly LogRecord[];
  /** Resolves with the first record, past or future, that a test accepts. */
  seen(accept: (record: LogRecord) => boolean): Promise<LogRecord>;
  kill(signal: NodeJS.Signals): void;
  /** Exit code, or the signal that ended it. */
  ended(): Promise<number | string>;
}

export type LogRecord = Readonly<Record<string, unknown>> & { readonly msg?: string };

/** Starts the program and waits until it listens. @throws when it ends before. */
export async function startProcess(environment: Readonly<Record<string, string>>): Promise<TxProcess> {
  if (!existsSync(MAIN)) throw new Error("run `npm run build` first: the trials use the built program");
  const started = performance.now();
  const child: ChildProcess = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, PORT: "0", STRUCTURED_LOGS: "true", LOG_LEVEL: "info", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const records: LogRecord[] = [];
  const waiting = new Set<(record: LogRecord) => void>();
  let exit: number | string | null = null;
  const ended = once(child, "exit").then(([code, signal]) => {
    exit = (code as number | null) ?? String(signal);
    return exit;
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      const record = line.startsWith("{") ? (JSON.parse(line) as LogRecord) : { msg: line };
      records.push(record);
      for (const listener of waiting) listener(record);
    });
  }

  function seen(accept: (record: LogRecord) => boolean): Promise<LogRecord> {
    const found = records.find(accept);
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve, reject) => {
      const listener = (record: LogRecord) => {
        if (!accept(record)) return;
        waiting.delete(listener);
        resolve(record);
      };
      waiting.add(listener);
      void ended.then((code) => {
        if (waiting.delete(listener))
          reject(new Error(`ended with ${code}: ${JSON.stringify(records.slice(-5))}`));
      });
    });
  }

  const listening = await seen(({ msg }) => msg === "TX is listening");
  return {
    pid: child.pid ?? 0,
    url: String(listening.address),
    startMs: performance.now() - started,
    records,
    seen,
    kill: (signal) => void child.kill(signal),
    ended: () => ended,
  };
}
