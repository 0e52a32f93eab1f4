import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { sleep } from "./clock.js";
import { messageOf } from "./errors.js";
import type { Log } from "./log.js";
import { sha256 } from "./sha256.js";

export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** The lock that Prisma's own engine takes, so that the two never migrate at the same time. */
const LOCK = 72_707_369;
const LOCK_TIMEOUT_MS = 60_000;

/** Prisma's table, column for column: `prisma migrate deploy` and this file can take turns. */
const CREATE_LEDGER = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             TIMESTAMPTZ,
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          TIMESTAMPTZ,
    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count     INTEGER NOT NULL DEFAULT 0
)`;

/** The migrations of this build, oldest first. */
export function readMigrations(folder = new URL("../../prisma/migrations/", import.meta.url)): Migration[] {
  const base = fileURLToPath(folder);
  return readdirSync(base, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => ({ name, sql: readFileSync(`${base}/${name}/migration.sql`, "utf8") }));
}

/**
 * Brings the database to this build's schema. Each migration and its record are one transaction, so a kill at
 * any moment leaves it either applied or not.
 * @returns names of the migrations applied now.
 * @throws when a migration fails, was edited after it was applied, or the database is newer than this build.
 */
export async function migrate(
  connection: pg.ClientConfig,
  migrations: readonly Migration[],
  log: Log,
): Promise<string[]> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: 5_000 });
  client.on("error", (error) => log.warn({ reason: error.message }, "migration connection lost"));
  await client.connect();
  try {
    await lock(client);
    await client.query(CREATE_LEDGER);
    const pending = await pendingMigrations(client, migrations);
    for (const migration of pending) {
      await apply(client, migration, log);
      log.info({ migration: migration.name }, "migration applied");
    }
    return pending.map(({ name }) => name);
  } finally {
    // The lock belongs to the session and ends with it.
    await client.end();
  }
}

async function lock(client: pg.Client): Promise<void> {
  const deadline = performance.now() + LOCK_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const { rows } = await client.query<{ locked: boolean }>("select pg_try_advisory_lock($1) as locked", [
      LOCK,
    ]);
    if (rows[0]?.locked === true) return;
    await sleep(100);
  }
  throw new Error(`another session has been migrating for ${LOCK_TIMEOUT_MS} ms`);
}

function checksumOf(migration: Migration): string {
  return sha256(migration.sql);
}

async function pendingMigrations(client: pg.Client, migrations: readonly Migration[]): Promise<Migration[]> {
  const { rows } = await client.query<{ migration_name: string; checksum: string }>(
    "select migration_name, checksum from _prisma_migrations where finished_at is not null and rolled_back_at is null",
  );
  const applied = new Map(rows.map((row) => [row.migration_name, row.checksum]));
  const known = new Set(migrations.map(({ name }) => name));
  const foreign = [...applied.keys()].filter((name) => !known.has(name));
  if (foreign.length > 0) {
    throw new Error(`the database has migrations that this build does not know: ${foreign.join(", ")}`);
  }
  const edited = migrations.filter((migration) => {
    const checksum = applied.get(migration.name);
    return checksum !== undefined && checksum !== checksumOf(migration);
  });
  if (edited.length > 0) {
    throw new Error(
      `migrations were edited after they were applied: ${edited.map(({ name }) => name).join(", ")}`,
    );
  }
  return migrations.filter(({ name }) => !applied.has(name));
}

async function apply(client: pg.Client, migration: Migration, log: Log): Promise<void> {
  // A record without an end is of an attempt that was rolled back whole.
  await client.query(
    "update _prisma_migrations set rolled_back_at = now() where migration_name = $1 and finished_at is null and rolled_back_at is null",
    [migration.name],
  );
  const record = [randomUUID(), checksumOf(migration), migration.name];
  try {
    await client.query("begin");
    await client.query(migration.sql);
    await client.query(
      "insert into _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count) values ($1, $2, $3, now(), 1)",
      record,
    );
    await client.query("commit");
  } catch (error) {
    await recordFailure(client, [...record, messageOf(error)], log);
    throw new Error(`migration ${migration.name} failed: ${messageOf(error)}`, { cause: error });
  }
}

/** Leaves the reason in the ledger, unless the session itself is what was lost. */
async function recordFailure(client: pg.Client, values: readonly string[], log: Log): Promise<void> {
  try {
    await client.query("rollback");
    await client.query(
      "insert into _prisma_migrations (id, checksum, migration_name, logs) values ($1, $2, $3, $4)",
      [...values],
    );
  } catch (error) {
    log.warn({ reason: messageOf(error) }, "the failure of a migration was not recorded");
  }
}
