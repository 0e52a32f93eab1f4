import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { sleep } from "./clock.js";
import { closeAll } from "./closing.js";
import type { Config } from "./config.js";
import { createDatabase, type Database } from "./database.js";
import { isUnavailable, sqlState } from "./database-errors.js";
import { PGLITE_DATA, startEmbeddedPglite } from "./embedded-pglite.js";
import { type EmbeddedDatabase, POSTGRES_DATA, startEmbeddedPostgres } from "./embedded-postgres.js";
import { AppError, messageOf } from "./errors.js";
import type { Log } from "./log.js";
import type { Metrics } from "./metrics.js";
import { migrate, readMigrations } from "./migrate.js";

export interface OpenDatabase {
  readonly database: Database;
  readonly kind: "postgres" | "embedded-postgres" | "pglite";
  /** Closes the connections and, when it was started here, the server. */
  close(): Promise<void>;
}

/** Patience with a database that cannot be used yet. */
export interface DatabaseWait {
  /** Is told, before each further attempt, why the last one failed, in words for anybody. */
  readonly onReason: (reason: string) => Promise<void>;
  readonly calledOff: AbortSignal;
}

const POOL_SIZE = 10;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
/** Wrong password, user or database: somebody may be about to make them. */
const REFUSED_STATES = new Set(["28000", "28P01", "3D000"]);

/**
 * The configured database, or an embedded one, brought to this build's schema.
 * @param wait null fails with the first attempt.
 * @throws when it cannot be reached, started or migrated; with patience, only for what time does not mend.
 */
export async function openDatabase(
  config: Config,
  log: Log,
  metrics: Metrics,
  wait: DatabaseWait | null = null,
): Promise<OpenDatabase> {
  const { DATABASE_URL } = config;
  if (DATABASE_URL === undefined) return openEmbedded(config, log, metrics);
  const connection = { connectionString: DATABASE_URL };
  const database = await patiently(wait, log, () => connect(connection, log, metrics));
  return { database, kind: "postgres", close: database.close };
}

async function openEmbedded(config: Config, log: Log, metrics: Metrics): Promise<OpenDatabase> {
  const embedded = await startEmbedded(config, log);
  const single = embedded.kind === "pglite";
  try {
    const database = await connect(embedded.connection, log, metrics, embedded);
    embedded.onFault((reason) => {
      if (reason === null) metrics.embeddedRestarts.inc();
    });
    return {
      database,
      kind: single ? "pglite" : "embedded-postgres",
      close: () => closeAll(log, { connections: database.close, "embedded database": embedded.stop }),
    };
  } catch (error) {
    await embedded.stop();
    throw error;
  }
}

/** Connections to a database that has been brought to this build's schema. */
async function connect(
  connection: pg.PoolConfig,
  log: Log,
  metrics: Metrics,
  embedded: EmbeddedDatabase | null = null,
): Promise<Database> {
  const single = embedded?.kind === "pglite";
  await migrate(connection, readMigrations(), log);
  return createDatabase({
    connection,
    poolSize: single ? 1 : POOL_SIZE,
    ownSession: !single,
    log,
    metrics,
    ...(embedded === null ? {} : { onFault: embedded.onFault }),
  });
}

/** Tries until it succeeds, or fails in a way that waiting does not mend. */
async function patiently<T>(wait: DatabaseWait | null, log: Log, work: () => Promise<T>): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await work();
    } catch (error) {
      const refused = REFUSED_STATES.has(sqlState(error) ?? "");
      if (wait === null || !(refused || isUnavailable(error))) throw error;
      const reason = reasonOf(error);
      if (refused)
        log.error({ reason, pauseMs }, "the database refuses what DATABASE_URL says; trying again");
      else log.warn({ reason, pauseMs }, "the database cannot be used yet; trying again");
      // Whose password is wrong is for the log alone.
      await wait.onReason(refused ? "the database refuses the configured user or database" : reason);
      await sleep(pauseMs, wait.calledOff);
      wait.calledOff.throwIfAborted();
    }
  }
}

/** What was wrong at the bottom; a name with several addresses fails with an error for each. */
function reasonOf(error: unknown): string {
  if (error instanceof AppError && error.cause !== undefined) return reasonOf(error.cause);
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return messageOf(error);
}

/**
 * The embedded database that is asked for; by default Postgres, or PGlite where no Postgres runs. Data that is
 * there decides: another, empty database in its place would look as if everything had been lost.
 */
async function startEmbedded({ EMBEDDED_DATABASE, DATA_DIR }: Config, log: Log): Promise<EmbeddedDatabase> {
  try {
    mkdirSync(DATA_DIR, { recursive: true });
  } catch (error) {
    throw new Error(`DATA_DIR: ${DATA_DIR} cannot be made: ${messageOf(error)}`, { cause: error });
  }
  const kept = keptKind(DATA_DIR);
  const wanted = EMBEDDED_DATABASE === "auto" ? kept : EMBEDDED_DATABASE;
  if (kept !== null && wanted !== kept) {
    log.warn({ kept, wanted }, "DATA_DIR holds the data of another embedded database, which is left alone");
  }
  if (wanted === "pglite") return startEmbeddedPglite(DATA_DIR, log);
  try {
    const postgres = await startEmbeddedPostgres(DATA_DIR, log);
    if (postgres !== null) return postgres;
    if (wanted === "postgres") throw new Error("no embedded Postgres is installed for this platform");
    log.warn("no embedded Postgres for this platform; using PGlite");
  } catch (error) {
    if (wanted === "postgres") throw error;
    log.warn({ reason: messageOf(error) }, "embedded Postgres did not start; using PGlite");
  }
  return startEmbeddedPglite(DATA_DIR, log);
}

/** Whose data a folder holds. */
function keptKind(dataDir: string): "postgres" | "pglite" | null {
  if (existsSync(join(dataDir, POSTGRES_DATA, "PG_VERSION"))) return "postgres";
  return existsSync(join(dataDir, PGLITE_DATA, "PG_VERSION")) ? "pglite" : null;
}
