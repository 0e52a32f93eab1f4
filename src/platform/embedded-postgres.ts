import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { ensure } from "../core/base/assert.js";
import { sleep } from "./clock.js";
import { sqlState } from "./database-errors.js";
import { APPLICATION_NAME } from "./database-session.js";
import { type Binaries, chooseIdentity, findBinaries, type Identity } from "./embedded-binaries.js";
import { type EmbeddedConnection, isAlive, isLocked } from "./embedded-lock.js";
import {
  environment,
  findSurvivor,
  launch,
  removeSocketFolder,
  type Served,
  servedByOther,
} from "./embedded-server.js";
import { type FaultListener, type Watch, watchOver } from "./embedded-watch.js";
import { messageOf } from "./errors.js";
import type { Log } from "./log.js";

export type { EmbeddedConnection } from "./embedded-lock.js";

export interface EmbeddedDatabase {
  readonly kind: "postgres" | "pglite";
  /** Stays the same when the server is started again. */
  readonly connection: EmbeddedConnection;
  /** True when a server that another process started was taken over, or is shared with it. */
  readonly adopted: boolean;
  /** Tells why the server does not serve, when it ends or loses its data, and null once one serves again. */
  onFault(listener: FaultListener): void;
  /** Stops the server unless another process uses it too. */
  stop(): Promise<void>;
}

/** Name of the cluster below a data folder. */
export const POSTGRES_DATA = "postgres";
const STOP_TIMEOUT_MS = 5_000;
/** Sessions whose client has just left, such as this process's own, end within this time. */
const LEAVING_MS = 1_000;
/** By this name a process that is about to stop the server knows others that are about to do the same. */
const STOPPER = "tx stopping";

/**
 * Starts Postgres on a unix socket with its data below `dataDir`, or takes over the one that an earlier, killed
 * process left running there. Processes that start at the same time share one. A server that ends is started again.
 * @returns null where no Postgres is installed for this platform.
 * @throws when it is installed but does not start; the message carries the end of its log.
 */
export async function startEmbeddedPostgres(dataDir: string, log: Log): Promise<EmbeddedDatabase | null> {
  const base = resolve(dataDir);
  mkdirSync(base, { recursive: true });
  const binaries = findBinaries(join(base, "lib"));
  if (binaries === null) return null;
  const cluster = join(base, POSTGRES_DATA);
  if (!hasCluster(cluster)) await initialise(binaries, chooseIdentity(binaries, base, null), cluster);
  return openServer(base, cluster, log);
}

const hasCluster = (cluster: string) => existsSync(join(cluster, "PG_VERSION"));

/** A server, its watch, and the end of both. */
async function openServer(base: string, cluster: string, log: Log): Promise<EmbeddedDatabase> {
  let watch: Watch | null = null;
  const onExit = () => watch?.look();
  const never = new AbortController().signal;
  let served = await begin({ base, cluster, folder: null, onExit, calledOff: never });
  const { connection, pid } = served.running;
  const adopted = !served.own;
  log.info({ pid }, `embedded Postgres: ${adopted ? "took over a running server" : "started"}`);
  /** When the process ends without a stop, its server gets the word to end, too. */
  function abandon(): void {
    if (served.own && served.lives()) process.kill(served.running.pid, "SIGINT");
  }
  process.on("exit", abandon);
  watch = watchOver(
    {
      name: "embedded Postgres",
      trouble() {
        if (isLocked(cluster, served.running.pid)) return null;
        return hasCluster(cluster) ? "its process ended, or lost its lock file" : goneFrom(cluster);
      },
      async restart(calledOff) {
        // An empty cluster in its place would look as if everything had been lost.
        if (!hasCluster(cluster)) throw new Error(goneFrom(cluster));
        served = await begin({ base, cluster, folder: connection.host, onExit, calledOff });
        const { running, own } = served;
        if (running.connection.host !== connection.host) redirect(connection.host, running.connection.host);
        log.info({ pid: running.pid, own }, "embedded Postgres: another server");
      },
    },
    log,
  );
  const { onFault, stop } = watch;
  return {
    kind: "postgres",
    connection,
    adopted,
    onFault,
    async stop() {
      await stop();
      process.off("exit", abandon);
      await end(served, log);
      if (!served.lives()) removeSocketFolder(connection.host);
    },
  };
}

const goneFrom = (cluster: string) =>
  `the cluster is gone from ${cluster}: put it back, or restart TX for an empty one`;

interface BeginOptions {
  readonly base: string;
  readonly cluster: string;
  readonly folder: string | null;
  readonly onExit: () => void;
  readonly calledOff: AbortSignal;
}

/** The server that runs on the cluster, or a new one; whoever comes first among processes that try at once. */
async function begin(options: BeginOptions): Promise<Served> {
  const { base, cluster, calledOff } = options;
  const survivor = await findSurvivor(cluster, calledOff);
  if (survivor !== null) return servedByOther(survivor, cluster);
  const binaries = ensure(findBinaries(join(base, "lib")), "the programs of Postgres");
  const identity = chooseIdentity(binaries, base, statSync(cluster).uid);
  return launch({ ...options, binaries, identity });
}

/** Leads clients that know one folder to the socket in another, which a process that knew no better chose. */
function redirect(known: string, actual: string): void {
  rmSync(known, { recursive: true, force: true });
  symlinkSync(actual, known);
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
    if (!hasCluster(cluster)) throw error;
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

/** Ends a server, also one whose files are gone, unless others use it. */
async function end({ running, lives }: Served, log: Log): Promise<void> {
  if (!lives()) return;
  try {
    if (await hasOtherClients(running.connection)) return;
  } catch (error) {
    log.warn({ reason: messageOf(error) }, "embedded Postgres: not asked for other clients");
  }
  // SIGINT is the fast shutdown: sessions are ended, nothing is lost; SIGQUIT leaves recovery to the next start.
  for (const signal of ["SIGINT", "SIGQUIT"] as const) {
    if (!lives()) return;
    process.kill(running.pid, signal);
    const deadline = performance.now() + STOP_TIMEOUT_MS;
    while (lives() && performance.now() < deadline) await sleep(10);
  }
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
    const deadline = performance.now() + LEAVING_MS;
    for (;;) {
      const { rows } = await client.query<{ others: boolean }>(
        `select count(*) > 0 as others from pg_stat_activity
         where backend_type = 'client backend' and application_name <> all ($1)`,
        // The end of what this process had open may not have arrived yet.
        [[STOPPER, APPLICATION_NAME]],
      );
      const others = rows[0]?.others ?? false;
      if (!others || performance.now() > deadline) return others;
      await sleep(20);
    }
  } catch (error) {
    // 53300: too many connections, which are others'.
    if (sqlState(error) === "53300") return true;
    throw error;
  } finally {
    await client.end();
  }
}
