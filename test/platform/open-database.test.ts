import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/platform/config.js";
import { createMetrics } from "../../src/platform/metrics.js";
import { type OpenDatabase, openDatabase } from "../../src/platform/open-database.js";
import { createTestDatabase } from "../fixtures/database.js";
import { eventually, expectNothingUnhandled, timed } from "../fixtures/faults.js";
import { temporaryFolder } from "../fixtures/folders.js";
import { createRecordedLog } from "../fixtures/log.js";
import { ask, postmasterOf } from "../fixtures/own-postgres.js";

expectNothingUnhandled();

const recorded = createRecordedLog();

function open(environment: Record<string, string>): Promise<OpenDatabase> {
  return openDatabase(readConfig(environment), recorded.log, createMetrics("test"));
}

const save = ({ database }: OpenDatabase) =>
  database.query("insert into settings (name, value) values ('kept', '7')");
const load = ({ database }: OpenDatabase) => database.query("select value from settings where name = 'kept'");

describe("the database of DATABASE_URL", () => {
  it("is migrated and used; closing leaves it as it is", async () => {
    const server = await createTestDatabase("empty");
    for (const _ of [1, 2]) {
      const opened = await open({ DATABASE_URL: server.url });
      expect(opened.kind).toBe("postgres");
      expect(opened.database.status()).toMatchObject({ up: true, reason: null });
      expect(opened.database.backend()).not.toBeNull();
      await opened.close();
    }
    await server.drop();
  });

  it("that cannot be reached is an error in good time, whatever is in DATA_DIR", async () => {
    const folder = temporaryFolder();
    const { error, ms } = await timed(() =>
      open({ DATABASE_URL: "postgresql://u:secretpw@127.0.0.1:1/d", DATA_DIR: folder }),
    );
    expect(String(error)).toContain("ECONNREFUSED");
    expect(String(error)).not.toContain("secretpw");
    expect(ms).toBeLessThan(6_000);
    expect(existsSync(join(folder, "postgres"))).toBe(false);
  });
});

describe("patience", () => {
  const patiently = (environment: Record<string, string>, onReason: (reason: string) => Promise<void>) =>
    openDatabase(readConfig(environment), recorded.log, createMetrics("test"), {
      onReason,
      calledOff: new AbortController().signal,
    });

  it("outlasts a database that is made later, and a password or user that is not right yet", async () => {
    const server = await createTestDatabase("empty");
    await server.drop();
    const reasons: string[] = [];
    const opening = patiently({ DATABASE_URL: server.url }, async (reason) => void reasons.push(reason));
    await eventually("two attempts", () => reasons.length > 1);
    const [name] = [server.connection.database];
    await ask(
      { ...server.connection, database: "postgres" } as Parameters<typeof ask>[0],
      `create database ${name} template template0`,
    );
    const opened = await opening;
    expect(opened.database.status().up).toBe(true);
    await opened.close();
    await server.drop();
    // Names of users and databases are for the log.
    expect(new Set(reasons)).toEqual(new Set(["the database refuses the configured user or database"]));
    expect(recorded.lines().join()).toContain(`database \\"${name}\\" does not exist`);
  });

  it("ends where waiting mends nothing", async () => {
    const server = await createTestDatabase();
    const opened = await open({ DATABASE_URL: server.url });
    await opened.database.query("update _prisma_migrations set checksum = 'edited'");
    await opened.close();
    const reasons: string[] = [];
    await expect(
      patiently({ DATABASE_URL: server.url }, async (reason) => void reasons.push(reason)),
    ).rejects.toThrow(/edited after/);
    expect(reasons).toEqual([]);
    await server.drop();
  });
});

describe("the embedded database", () => {
  it("is Postgres by default, keeps its data, ends with the program, and is no other where it cannot start", async () => {
    const folder = temporaryFolder();
    const first = await open({ DATA_DIR: folder });
    expect(first.kind).toBe("embedded-postgres");
    await save(first);
    await first.close();
    expect(postmasterOf(folder)).toBeNull();
    const second = await open({ DATA_DIR: folder, EMBEDDED_DATABASE: "postgres" });
    expect(await load(second)).toEqual([{ value: 7 }]);
    await second.database.query("update _prisma_migrations set checksum = 'edited'");
    await second.close();

    // One that cannot be migrated is stopped again.
    await expect(open({ DATA_DIR: folder })).rejects.toThrow(/edited after/);
    expect(postmasterOf(folder)).toBeNull();

    // Data that does not start is an error, and no empty database takes its place.
    writeFileSync(join(folder, "postgres", "PG_VERSION"), "12\n");
    await expect(open({ DATA_DIR: folder })).rejects.toThrow(/incompatible/);
    expect(existsSync(join(folder, "pglite"))).toBe(false);
  });

  it("is PGlite where that is asked for, and stays it while its data is there", async () => {
    const folder = temporaryFolder();
    const first = await open({ DATA_DIR: folder, EMBEDDED_DATABASE: "pglite" });
    expect(first.kind).toBe("pglite");
    await save(first);
    await first.close();
    const second = await open({ DATA_DIR: folder });
    expect(second.kind).toBe("pglite");
    expect(await load(second)).toEqual([{ value: 7 }]);
    await second.close();
    expect(existsSync(join(folder, "postgres"))).toBe(false);
  });
});
