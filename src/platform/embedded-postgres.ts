import { execFile, spawn } from "node:child_process";
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { sleep } from "./clock.js";
import {
  type Binaries,
  chooseIdentity,
  findBinaries,
  type Identity,
  PROGRAM_PATH,
} from "./embedded-binaries.js";
import { clearStaleLocks, isRunningPostgres } from "./embedded-locks.js";
import { messageOf } from "./errors.js";
import type { Log } from "./log.js";

/** Where to connect, without a password: the socket lies in a folder only this user may enter. */
export interface EmbeddedConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

export interface EmbeddedDatabase {
  readonly kind: "postgres" | "pglite";
  readonly connection: EmbeddedConnection;
  /** True when a server that outlived an earlier process was taken over. */
  readonly adopted: boolean;
  /** Stops the server unless another process uses it too. */
  stop(): Promise<void>;
}

const PORT = 5432;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;
const LOG_FILE_LIMIT = 10 * 1024 * 1024;
/** Unix socket paths end at 107 bytes on Linux, 103 on macOS. */
const SOCKET_PATH_LIMIT = 100;

/**
 * Starts Postgres on a unix socket with its data below `dataDir`, or takes over the one that an earlier, killed
 * process left running there.
 * @returns null where no Postgres is installed for this platform.
 * @throws when it is installed but does not start; the message carries the end of its log.
 */
export async function startEmbeddedPostgres(dataDir: string, log: Log): Promise<EmbeddedDatabase | null> {
  const base = resolve(dataDir);
  mkdirSync(base, { recursive: true });
  const binaries = findBinaries(join(base, "lib"));
  if (binaries === null) return null;
  const cluster = join(base, "postgres");
  const survivor = await findSurvivor(cluster);
  if (survivor !== null) {
    log.info({ pid: survivor.pid }, "embedded Postgres: took over a running server");
    return database(survivor, cluster, true, log);
  }
  const identity = chooseIdentity(binaries, base);
  if (!existsSync(join(cluster, "PG_VERSION"))) await initialise(binaries, identity, cluster);
  const started = await launch(binaries, identity, cluster);
  log.info({ pid: started.pid }, "embedded Postgres: started");
  return database(started, cluster, false, log);
}

interface Running {
  readonly pid: number;
  readonly connection: EmbeddedConnection;
}

const execute = promisify(execFile);

/** Makes the cluster beside its final place and moves it there whole, so that a kill leaves none half made. */
async function initialise(binaries: Binaries, identity: Identity, cluster: string): Promise<void> {
  const unfinished = `${cluster}.initdb-${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
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
  await execute(command, args, { ...identity.owner, cwd: unfinished, env: environment(binaries) });
  try {
    renameSync(unfinished, cluster);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another process made the cluster first: its own is used.
    if (!existsSync(join(cluster, "PG_VERSION"))) throw error;
  }
}

function environment(binaries: Binaries): NodeJS.ProcessEnv {
  return { PATH: PROGRAM_PATH, ...binaries.environment, LC_ALL: "C", TZ: "UTC" };
}

function socketFolder(cluster: string, identity: Identity): string {
  const near = `${cluster}.run`;
  const fits = Buffer.byteLength(join(near, `.s.PGSQL.${PORT}`)) <= SOCKET_PATH_LIMIT;
  const folder = fits ? near : mkdtempSync(join(tmpdir(), "tx-postgres-"));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (identity.owner !== null) chownSync(folder, identity.owner.uid, identity.owner.gid);
  return folder;
}

async function launch(binaries: Binaries, identity: Identity, cluster: string): Promise<Running> {
  const folder = socketFolder(cluster, identity);
  const logPath = `${cluster}.log`;
  if (existsSync(logPath) && statSync(logPath).size > LOG_FILE_LIMIT) renameSync(logPath, `${logPath}.1`);
  const logFile = openSync(logPath, "a");
  const settings = ["listen_addresses=", "timezone=UTC", "log_timezone=UTC", "max_connections=100"];
  const [command, ...args] = [
    ...identity.prefix,
    binaries.postgres,
    "-D",
    cluster,
    "-k",
    folder,
    "-p",
    String(PORT),
    ...settings.flatMap((setting) => ["-c", setting]),
  ];
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

  const connection = { host: folder, port: PORT, user: "postgres", database: "postgres" };
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    if ((await tryConnect(connection)) === "ready") return { pid: server.pid ?? 0, connection };
    if (failure !== null) {
      // Another process may have started the same cluster in the same moment.
      const survivor = await findSurvivor(cluster);
      if (survivor !== null) return survivor;
      throw new Error(`embedded Postgres ${failure}; its log ends:\n${endOfLog(logPath)}`);
    }
    await sleep(20);
  }
  throw new Error(`embedded Postgres was not ready in ${START_TIMEOUT_MS} ms:\n${endOfLog(logPath)}`);
}

function endOfLog(path: string): string {
  return existsSync(path)
    ? readFileSync(path, "utf8").trimEnd().split("\n").slice(-5).join("\n")
    : "(no log)";
}

/** Whether a server accepts connections there: yes, soon (it recovers), or not at all. */
async function tryConnect(connection: EmbeddedConnection): Promise<"ready" | "starting" | "absent"> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: 5_000, query_timeout: 5_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return "ready";
  } catch (error) {
    // 57P03: cannot_connect_now, while starting up, recovering or shutting down.
    return (error as { code?: string }).code === "57P03" ? "starting" : "absent";
  } finally {
    await client.end();
  }
}

/** The server that runs on this cluster, if one does. */
async function findSurvivor(cluster: string): Promise<Running | null> {
  const path = join(cluster, "postmaster.pid");
  if (!existsSync(path)) return null;
  // Lines: pid, data folder, start time, port, socket folder.
  const lines = readFileSync(path, "utf8").split("\n");
  const pid = Number(lines[0]);
  const host = lines[4]?.trim() ?? "";
  const connection = { host, port: Number(lines[3]), user: "postgres", database: "postgres" };
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (host !== "" && isRunningPostgres(pid) && performance.now() < deadline) {
    const state = await tryConnect(connection);
    if (state === "ready") return { pid, connection };
    await sleep(50);
  }
  if (isRunningPostgres(pid))
    throw new Error(`a Postgres with pid ${pid} holds ${cluster} and does not answer`);
  await clearStaleLocks(cluster, host);
  return null;
}

function database(running: Running, cluster: string, adopted: boolean, log: Log): EmbeddedDatabase {
  const { pid, connection } = running;
  return {
    kind: "postgres",
    connection,
    adopted,
    async stop() {
      try {
        if (await hasOtherClients(connection)) return;
      } catch (error) {
        log.warn({ reason: messageOf(error) }, "embedded Postgres: not asked for other clients");
      }
      // SIGINT is the fast shutdown: sessions are ended, nothing is lost; SIGQUIT leaves recovery to the next start.
      for (const signal of ["SIGINT", "SIGQUIT"] as const) {
        if (!isRunningPostgres(pid)) break;
        process.kill(pid, signal);
        const deadline = performance.now() + STOP_TIMEOUT_MS;
        while (
          existsSync(join(cluster, "postmaster.pid")) &&
          isRunningPostgres(pid) &&
          performance.now() < deadline
        ) {
          await sleep(10);
        }
      }
    },
  };
}

async function hasOtherClients(connection: EmbeddedConnection): Promise<boolean> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: 1_000, query_timeout: 1_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ others: boolean }>(
      "select count(*) > 0 as others from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()",
    );
    return rows[0]?.others ?? false;
  } finally {
    await client.end();
  }
}
