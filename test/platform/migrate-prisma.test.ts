import { readFileSync } from "node:fs";
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { applyWithPrisma, diagnoseWithPrisma, pendingSql } from "../../prisma/engine.js";
import { migrate, readMigrations } from "../../src/platform/migrate.js";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { silentLog } from "../fixtures/log.js";

const names = readMigrations().map(({ name }) => name);

async function emptyDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase("empty");
  onTestFinished(() => database.drop());
  return database;
}
const migrateOurs = ({ connection }: TestDatabase) => migrate(connection, readMigrations(), silentLog);

/** Every column, index, constraint and enum of a database, as text. */
async function shapeOf({ connection }: TestDatabase): Promise<string[]> {
  const client = new pg.Client(connection);
  await client.connect();
  const { rows } = await client.query<{ line: string }>(`
    select format('%s.%s %s %s %s', table_name, column_name, udt_name, is_nullable, column_default) as line
    from information_schema.columns where table_schema = 'public'
    union all select indexdef from pg_indexes where schemaname = 'public'
    union all select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
      where connamespace = 'public'::regnamespace
    union all select typname || ' ' || string_agg(enumlabel, ',' order by enumsortorder)
      from pg_enum join pg_type on pg_type.oid = enumtypid group by typname
    order by 1`);
  await client.end();
  return rows.map(({ line }) => line);
}

const statementsOf = (sql: string) =>
  sql
    .split(";")
    .map((text) =>
      text
        .replace(/^--.*$/gm, "")
        .replace(/\s+/g, " ")
        .trim(),
    )
    .filter((text) => text !== "");
const schemaText = readFileSync(new URL("../../prisma/schema.prisma", import.meta.url), "utf8");

// The engine and its database in memory take seconds to begin.
describe("the migrations and Prisma's own engine", { timeout: 120_000 }, () => {
  it("agree on all but what is planted: migrations lead to the schema without drift", async () => {
    const renamed = schemaText.replace('@map("expires_at")', '@map("ends_at")');
    expect(renamed).not.toBe(schemaText);
    const sql = await pendingSql(`${renamed}\nmodel Missing {\n  id Int @id\n}\n`);
    expect(statementsOf(sql)).toEqual([
      'ALTER TABLE "api_keys" DROP COLUMN "expires_at", ADD COLUMN "ends_at" TIMESTAMPTZ(3)',
      'CREATE TABLE "Missing" ( "id" INTEGER NOT NULL, CONSTRAINT "Missing_pkey" PRIMARY KEY ("id") )',
    ]);
  });

  it("what we applied is up to date for Prisma, which finds nothing to do", async () => {
    const database = await emptyDatabase();
    expect(await migrateOurs(database)).toEqual(names);
    expect(await diagnoseWithPrisma(database.connection)).toMatchObject({
      history: null,
      hasMigrationsTable: true,
      failedMigrationNames: [],
      editedMigrationNames: [],
    });
    expect(await applyWithPrisma(database.connection)).toEqual([]);
  });

  it("what Prisma applied is up to date for us, and is the same, to the column of its ledger", async () => {
    const [ours, theirs] = [await emptyDatabase(), await emptyDatabase()];
    expect(await diagnoseWithPrisma(theirs.connection)).toMatchObject({
      history: { diagnostic: "databaseIsBehind", unappliedMigrationNames: names },
    });
    expect(await applyWithPrisma(theirs.connection)).toEqual(names);
    expect(await migrateOurs(theirs)).toEqual([]);
    await migrateOurs(ours);
    const shape = await shapeOf(ours);
    expect(shape.length).toBeGreaterThan(100);
    expect(shape).toEqual(await shapeOf(theirs));
  });

  it("a failure of ours is known to Prisma as one, and no more once it is repaired", async () => {
    const database = await emptyDatabase();
    const migrations = readMigrations();
    const broken = migrations.map((migration, i) =>
      i === 0 ? { ...migration, sql: "select nothing()" } : migration,
    );
    await expect(migrate(database.connection, broken, silentLog)).rejects.toThrow(/failed/);
    expect((await diagnoseWithPrisma(database.connection)).failedMigrationNames).toEqual([names[0]]);
    await migrateOurs(database);
    expect(await diagnoseWithPrisma(database.connection)).toMatchObject({
      history: null,
      failedMigrationNames: [],
    });
  });
});

describe("the schema", () => {
  const lines = schemaText.split("\n");

  it("says of every model and enum what it is", () => {
    const bare = lines.filter(
      (line, i) => /^(model|enum) /.test(line) && !(lines[i - 1] ?? "").startsWith("/// "),
    );
    expect(bare).toEqual([]);
  });

  it("names its tables and columns in lower case, and its times carry a zone", () => {
    expect(lines.filter((line) => /@@?map\("[^"]*[^a-z_"][^"]*"\)/.test(line))).toEqual([]);
    expect(
      // A date of the calendar is no time.
      lines.filter((line) => /^\s+\w+\s+DateTime/.test(line) && !/@db\.(Timestamptz|Date$)/.test(line)),
    ).toEqual([]);
  });
});
