import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { sleep } from "./clock.js";
import { sqlState } from "./database-errors.js";
import { APPLICATION_NAME } from "./database-session.js";
import {
  type Binaries,
  chooseIdentity,
  findBinaries,
  type Identity,
  PROGRAM_PATH,
} from "./embedded-binaries.js";
import {
  dropLock,
  type EmbeddedConnection,
  isAlive,
  isLocked,
  lookAt,
  mayServe,
  type Running,
  removeLock,
} from "./embedded-lock.js";
import { messageOf } from "./errors.js";
import type { Log } from "./log.js";

export type { EmbeddedConnection } from "./embedded-lock.js";

export interface EmbeddedDatabase {
  readonly kind: "postgres" | "pglite";
  readonly connection: EmbeddedConnection;
  /** True when a server that another process started was taken over, or is shared with it. */
  readonly adopted: boolean;
  /** Stops the server unless another process uses it too. */
  stop(): Promise<void>;
}

/** Part of the name of a socket; nothing listens on a port of this number. */
export const SOCKET_PORT = 5432;
/** Name of the cluster below a data folder. */
export const POSTGRES_DATA = "postgres";
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;
/** A lock file is made empty and written at once; one that stays unreadable was left by a crash. */
const UNREADABLE_LIMIT_MS = 1_000;
const LOG_FILE_LIMIT = 10 * 1024 * 1024;
/** Unix socket paths end at 107 bytes on Linux, 103 on macOS. */
const SOCKET_PATH_LIMIT = 100;
export const SOCKET_NAME = `.s.PGSQL.${SOCKET_PORT}`;
const SOCKET_FOLDER = "tx-postgres-";
/** By this name a process that is about to stop the server knows others that are about to do the same. */
const STOPPER = "tx stopping";

/**
 * Starts Postgres on a unix socket with its data below `dataDir`, or takes over the one that an earlier, killed
 * process left running there. Processes that start at the same time share one.
 * @returns null where no Postgres is installed for this platform.
 * @throws when it is installed but does not start; the message carries the end of its log.
 */
export async function startEmbeddedPostgres(dataDir: string, log: Log): Promise<EmbeddedDatabase | null> {
  const base = resolve(dataDir);
  mkdirSync(base, { recursive: true });
  const binaries = findBinaries(join(base, "lib"));
  if (binaries === null) return null;
  const cluster = join(base, POSTGRES_DATA);
  const survivor = await findSurvivor(cluster);
  if (survivor !== null) return adopt(survivor, cluster, log);
  const exists = existsSync(join(cluster, "PG_VERSION"));
  const identity = chooseIdentity(binaries, base, exists ? statSync(cluster).uid : null);
  if (!exists) await initialise(binaries, identity, cluster);
  const { running, own } = await launch(binaries, identity, cluster);
  if (!own) return adopt(running, cluster, log);
  log.info({ pid: running.pid }, "embedded Postgres: started");
  return database(running, cluster, false, log);
}

function adopt(running: Running, cluster: string, log: Log): EmbeddedDatabase {
  log.info({ pid: running.pid }, "embedded Postgres: took over a running server");
  return database(running, cluster, true, log);
}

const execute = promisify(execFile);

/** Makes the cluster beside its final place and moves it there whole, so that a kill leaves none half made. */
async function initialise(binaries: Binaries, identity: Identity, cluster: string): Promise<void> {
  removeUnfinished(cluster);
  const unfinished = `${cluster}.initdb-${process.pid}-${randomBytes(4).toString("hex")}`;
  mkdirSync(unfinished, { mode: 0o700 });
  if (identity.owner !== null) chownSync(unfinished, identity.owner.uid, identity.owner.gid);
  const options = [
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--data-checksums",
  ];
  const [command, ...args] = [...identity.prefix, binaries.initdb, "--pgdata", unfinished, ...options];
  try {
    await execute(command, args, { ...identity.owner, cwd: unfinished, env: environment(binaries) });
    renameSync(unfinished, cluster);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another process made the cluster first: its own is used.
    if (!existsSync(join(cluster, "PG_VERSION"))) throw error;
  }
}

/** Takes away what processes that were killed while making a cluster left beside it. */
function removeUnfinished(cluster: string): void {
  const folder = dirname(cluster);
  for (const name of readdirSync(folder)) {
    const [, rest] = name.split(`${basename(cluster)}.initdb-`);
    const pid = Number.parseInt(rest ?? "", 10);
    // Its programs may still be writing, until they find that they have nowhere to.
    if (pid > 0 && !isAlive(pid))
      rmSync(join(folder, name), { recursive: true, force: true, maxRetries: 10 });
  }
}

function environment(binaries: Binaries): NodeJS.ProcessEnv {
  return { PATH: PROGRAM_PATH, ...binaries.environment, LC_ALL: "C", TZ: "UTC" };
}

/** Whether the path of a socket in a folder is short enough. */
export function socketFits(folder: string): boolean {
  return Buffer.byteLength(join(folder, SOCKET_NAME)) <= SOCKET_PATH_LIMIT;
}

/** A folder for a socket: `near` where its path is short enough for one, else a temporary one. */
function socketFolder(near: string): string {
  if (!socketFits(near)) return mkdtempSync(join(tmpdir(), SOCKET_FOLDER));
  mkdirSync(near, { recursive: true, mode: 0o700 });
  return near;
}

/** Takes the folder of a socket away if it is a temporary one. */
function removeSocketFolder(folder: string): void {
  if (basename(folder).startsWith(SOCKET_FOLDER)) rmSync(folder, { recursive: true, force: true });
}

/** `own` is false when another process's server was found to have come up in the meantime. */
async function launch(
  binaries: Binaries,
  identity: Identity,
  cluster: string,
): Promise<{ running: Running; own: boolean }> {
  const folder = socketFolder(`${cluster}.run`);
  if (identity.owner !== null) chownSync(folder, identity.owner.uid, identity.owner.gid);
  dropLock(join(folder, `${SOCKET_NAME}.lock`), cluster);
  const logPath = `${cluster}.log`;
  if (existsSync(logPath) && statSync(logPath).size > LOG_FILE_LIMIT) renameSync(logPath, `${logPath}.1`);
  const deadline = performance.now() + START_TIMEOUT_MS;
  let server = spawnServer(binaries, identity, cluster, folder);
  while (performance.now() < deadline) {
    const state = await lookAt(cluster);
    if (typeof state === "object") {
      const own = state.pid === server.pid;
      if (!own && state.connection.host !== folder) removeSocketFolder(folder);
      return { running: state, own };
    }
    const failure = server.failure();
    if (failure !== null && state === "none") {
      const report = endOfLog(logPath);
      // Sessions of a killed server that still compute hold its memory for a while.
      if (!/is still in use/.test(report)) {
        removeSocketFolder(folder);
        throw new Error(`embedded Postgres ${failure}; its log ends:\n${report}`);
      }
      await sleep(250);
      server = spawnServer(binaries, identity, cluster, folder);
    }
    await sleep(20);
  }
  throw new Error(`embedded Postgres was not ready in ${START_TIMEOUT_MS} ms:\n${endOfLog(logPath)}`);
}

/** Begins a server; `failure` says why it ended, once it has. */
function spawnServer(
  binaries: Binaries,
  identity: Identity,
  cluster: string,
  folder: string,
): { pid: number; failure: () => string | null } {
  const settings = ["listen_addresses=", "timezone=UTC", "log_timezone=UTC", "max_connections=100"];
  const [command, ...args] = [
    ...identity.prefix,
    binaries.postgres,
    "-D",
    cluster,
    "-k",
    folder,
    "-p",
    String(SOCKET_PORT),
    ...settings.flatMap((setting) => ["-c", setting]),
  ];
  const logFile = openSync(`${cluster}.log`, "a");
  const server = spawn(command, args, {
    ...identity.owner,
    cwd: cluster,
    env: environment(binaries),
    // Its own process group: an interrupt typed at the terminal is for this process, which stops it in turn.
    detached: true,
    stdio: ["ignore", logFile, logFile],
  });
  closeSync(logFile);
  let failure: string | null = null;
  server.once("error", (error) => {
    failure = error.message;
  });
  server.once("exit", (code, signal) => {
    failure = `exited with ${code ?? signal}`;
  });
  server.unref();
  return { pid: server.pid ?? 0, failure: () => failure };
}

function endOfLog(path: string): string {
  return existsSync(path)
    ? readFileSync(path, "utf8").trimEnd().split("\n").slice(-5).join("\n")
    : "(no log)";
}

/**
 * The server that runs on this cluster, if one does; one that is starting, recovering or stopping is waited for.
 * @throws when it lives but accepts no connections.
 */
async function findSurvivor(cluster: string): Promise<Running | null> {
  const started = performance.now();
  for (;;) {
    const state = await lookAt(cluster);
    if (state === "none") return null;
    if (typeof state === "object") return state;
    const waited = performance.now() - started;
    if (state === "unreadable" && waited > UNREADABLE_LIMIT_MS) removeLock(cluster);
    if (waited > START_TIMEOUT_MS) {
      throw new Error(`a Postgres runs on ${cluster} but accepted no connection in ${START_TIMEOUT_MS} ms`);
    }
    await sleep(50);
  }
}

function database(running: Running, cluster: string, adopted: boolean, log: Log): EmbeddedDatabase {
  const { pid, connection } = running;
  return {
    kind: "postgres",
    connection,
    adopted,
    async stop() {
      if (!isLocked(cluster, pid)) return;
      try {
        if (await hasOtherClients(connection)) return;
      } catch (error) {
        log.warn({ reason: messageOf(error) }, "embedded Postgres: not asked for other clients");
      }
      // SIGINT is the fast shutdown: sessions are ended, nothing is lost; SIGQUIT leaves recovery to the next start.
      for (const signal of ["SIGINT", "SIGQUIT"] as const) {
        if (!mayServe(pid, cluster)) break;
        process.kill(pid, signal);
        const deadline = performance.now() + STOP_TIMEOUT_MS;
        while (isLocked(cluster, pid) && performance.now() < deadline) await sleep(10);
      }
      if (!isLocked(cluster, pid)) removeSocketFolder(connection.host);
    },
  };
}

async function hasOtherClients(connection: EmbeddedConnection): Promise<boolean> {
  const client = new pg.Client({
    ...connection,
    connectionTimeoutMillis: 1_000,
    query_timeout: 1_000,
    application_name: STOPPER,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ others: boolean }>(
      `select count(*) > 0 as others from pg_stat_activity
       where backend_type = 'client backend' and application_name <> all ($1)`,
      // The end of what this process had open may not have arrived yet.
      [[STOPPER, APPLICATION_NAME]],
    );
    return rows[0]?.others ?? false;
  } catch (error) {
    // 53300: too many connections, which are others'.
    if (sqlState(error) === "53300") return true;
    throw error;
  } finally {
    await client.end();
  }
}
