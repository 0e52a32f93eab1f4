import { once } from "node:events";
import { existsSync, lstatSync, mkdirSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Worker } from "node:worker_threads";
import { connectionTo } from "./embedded-lock.js";
import type { EmbeddedDatabase } from "./embedded-postgres.js";
import { SOCKET_NAME, SOCKET_PORT, socketFits } from "./embedded-server.js";
import { type Watch, watchOver } from "./embedded-watch.js";
import type { Log } from "./log.js";
import { sha256 } from "./sha256.js";
import { startThread } from "./workers.js";

const STOP_TIMEOUT_MS = 5_000;

/** Name of the data below a data folder. */
export const PGLITE_DATA = "pglite";

/**
 * Starts PGlite in a worker thread behind a socket: the fallback where no Postgres binary runs. It has one
 * session for all connections, so callers use a pool of one and no LISTEN. A thread that dies is started again.
 * @param begin starts the thread.
 * @throws when another process uses the data, which PGlite itself would not notice, or the thread does not start.
 */
export async function startEmbeddedPglite(
  dataDir: string,
  log: Log,
  begin: (file: URL, data: unknown) => Worker = startThread,
): Promise<EmbeddedDatabase> {
  const base = resolve(dataDir);
  mkdirSync(base, { recursive: true });
  const host = socketFolderOf(base);
  const socketPath = join(host, SOCKET_NAME);
  const lock = await takeLock(join(host, "lock"), base);
  const data = join(base, PGLITE_DATA);
  let worker: Worker | null = null;
  let watch: Watch | null = null;

  async function launch(): Promise<void> {
    rmSync(socketPath, { force: true });
    const thread = begin(new URL("./pglite-worker.js", import.meta.url), { dataDir: data, socketPath });
    await ready(thread);
    worker = thread;
    thread.once("error", (error) => log.error({ err: error }, "PGlite failed"));
    thread.once("exit", () => {
      worker = null;
      watch?.look();
    });
  }

  const hasData = () => existsSync(join(data, "PG_VERSION"));
  const gone = `the data is gone from ${data}: put it back, or restart TX for an empty database`;

  function trouble(): string | null {
    if (!hasData()) return gone;
    return worker === null ? "its thread ended" : null;
  }

  async function restart(): Promise<void> {
    // An empty database in place of the lost one would look as if everything had been lost.
    if (!hasData()) throw new Error(gone);
    if (worker === null) await launch();
  }

  try {
    await launch();
  } catch (error) {
    lock.close();
    throw error;
  }
  watch = watchOver({ name: "PGlite", trouble, restart }, log);
  const { onFault, stop } = watch;
  return {
    kind: "pglite",
    connection: connectionTo(host, SOCKET_PORT),
    adopted: false,
    onFault,
    async stop() {
      await stop();
      if (worker !== null) await end(worker);
      lock.close();
      rmSync(host, { recursive: true, force: true });
    },
  };
}

/** A folder only this user may enter, always the same for the same data. */
function socketFolderOf(base: string): string {
  const near = join(base, `${PGLITE_DATA}.run`);
  const digest = sha256(base).slice(0, 16);
  const folder = socketFits(near) ? near : join(tmpdir(), `tx-pglite-${process.getuid?.() ?? 0}-${digest}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(folder);
  if (uid !== (process.getuid?.() ?? uid) || (mode & 0o077) !== 0) {
    throw new Error(`${folder} is open to others`);
  }
  return folder;
}

/** Holds a socket as a lock: it is let go with the process, however that ends. */
async function takeLock(path: string, base: string): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const server = createServer((socket) => socket.destroy());
    try {
      server.listen(path);
      await once(server, "listening");
      return server.unref();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      if (attempt > 3 || (await answers(path)))
        throw new Error(`another process uses the database in ${base}`);
      // Left by a process that was killed.
      rmSync(path, { force: true });
    }
  }
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    // Nobody listens there any more.
    return false;
  } finally {
    socket.destroy();
  }
}

/** Resolves with the first message of a thread; rejects with its error, or when it ends without one. */
function ready(thread: Worker): Promise<void> {
  return new Promise((resolveReady, reject) => {
    const exited = (code: number) => reject(new Error(`PGlite ended with ${code}`));
    thread.once("error", reject);
    thread.once("exit", exited);
    thread.once("message", () => {
      thread.off("error", reject);
      thread.off("exit", exited);
      resolveReady();
    });
  });
}

async function end(thread: Worker): Promise<void> {
  const ended = once(thread, "exit");
  thread.postMessage("stop");
  const timer = setTimeout(() => void thread.terminate(), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
