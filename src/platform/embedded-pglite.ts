import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { connectionTo } from "./embedded-lock.js";
import type { EmbeddedDatabase } from "./embedded-postgres.js";
import { workerSource } from "./workers.js";

const STOP_TIMEOUT_MS = 5_000;

/**
 * Starts PGlite in a worker thread behind a socket: the fallback where no Postgres binary runs. It has one
 * session for all connections, so callers use a pool of one and no LISTEN.
 */
export async function startEmbeddedPglite(dataDir: string): Promise<EmbeddedDatabase> {
  const base = resolve(dataDir);
  const host = join(base, "pglite.run");
  mkdirSync(host, { recursive: true, mode: 0o700 });
  const socketPath = join(host, ".s.PGSQL.5432");
  rmSync(socketPath, { force: true });
  const { url, execArgv } = workerSource(new URL("./pglite-worker.js", import.meta.url));
  const worker = new Worker(url, { workerData: { dataDir: join(base, "pglite"), socketPath }, execArgv });
  await Promise.race([
    once(worker, "message"),
    once(worker, "exit").then(([code]) => Promise.reject(new Error(`PGlite ended with ${String(code)}`))),
  ]);
  return {
    kind: "pglite",
    connection: connectionTo(host, 5432),
    adopted: false,
    async stop() {
      const ended = once(worker, "exit");
      worker.postMessage("stop");
      const timer = setTimeout(() => void worker.terminate(), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}
