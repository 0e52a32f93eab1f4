import { existsSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import type { Config } from "./config.js";
import { createDatabase, type Database } from "./database.js";
import { PGLITE_DATA, startEmbeddedPglite } from "./embedded-pglite.js";
import { type EmbeddedDatabase, POSTGRES_DATA, startEmbeddedPostgres } from "./embedded-postgres.js";
import { messageOf } from "./errors.js";
import type { Log } from "./log.js";
import type { Metrics } from "./metrics.js";
import { migrate, readMigrations } from "./migrate.js";

export interface OpenDatabase {
  readonly database: Database;
  readonly kind: "postgres" | "embedded-postgres" | "pglite";
  /** Closes the connections and, when it was started here, the server. */
  close(): Promise<void>;
}

const POOL_SIZE = 10;

/**
 * The configured database, or an embedded one, brought to this build's schema.
 * @throws when it cannot be reached, started or migrated.
 */
export async function openDatabase(config: Config, log: Log, metrics: Metrics): Promise<OpenDatabase> {
  const embedded = config.DATABASE_URL === undefined ? await startEmbedded(config, log) : null;
  const connection: pg.PoolConfig = embedded?.connection ?? { connectionString: config.DATABASE_URL };
  const single = embedded?.kind === "pglite";
  try {
    await migrate(connection, readMigrations(), log);
    const database = await createDatabase({
      connection,
      poolSize: single ? 1 : POOL_SIZE,
      ownSession: !single,
      log,
      metrics,
    });
    return {
      database,
      kind: embedded === null ? "postgres" : single ? "pglite" : "embedded-postgres",
      async close() {
        await database.close();
        await embedded?.stop();
      },
    };
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
}

/**
 * The embedded database that is asked for; by default Postgres, or PGlite where no Postgres runs. Data that is
 * there decides: another, empty database in its place would look as if everything had been lost.
 */
async function startEmbedded({ EMBEDDED_DATABASE, DATA_DIR }: Config, log: Log): Promise<EmbeddedDatabase> {
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
