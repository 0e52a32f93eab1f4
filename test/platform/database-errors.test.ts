import { readFile, statfs } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/platform/database.js";
import { databaseError, isRetryable, isUnavailable, sqlState } from "../../src/platform/database-errors.js";
import { AppError } from "../../src/platform/errors.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { timed } from "../fixtures/faults.js";

let server: TestDatabase;
let database: Database;
beforeAll(async () => {
  server = await createTestDatabase();
  database = await openTestDatabase(server);
  await database.query(`create function fail(state text) returns void language plpgsql as $$
    begin raise exception 'made to fail' using errcode = state; end $$`);
  await database.query("insert into settings (name, value) values ('there', '1')");
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

async function thrownBy(work: () => Promise<unknown>): Promise<unknown> {
  const { error } = await timed(work);
  expect(error).not.toBeNull();
  return error;
}
const codeOf = (error: unknown) => {
  const known = databaseError(error);
  return known instanceof AppError ? known.code : null;
};

describe("the state of an error", () => {
  const states = [
    ["08006", "database_unavailable", "connection failure"],
    ["25P03", "database_unavailable", "idle in a transaction for too long"],
    ["25006", "database_unavailable", "a stand-by, which takes no writes"],
    ["53100", "database_unavailable", "disk full"],
    ["53200", "database_unavailable", "out of memory"],
    ["53300", "database_unavailable", "too many connections"],
    ["57014", "timed_out", "statement timeout"],
    ["57P01", "database_unavailable", "shut down by an administrator"],
    ["57P02", "database_unavailable", "crash of another session"],
    ["57P03", "database_unavailable", "cannot connect now"],
    ["58030", "database_unavailable", "input or output error"],
    ["40001", "overloaded", "serialization failure"],
    ["40P01", "overloaded", "deadlock"],
    ["22021", "invalid_request", "a character that is none in this encoding"],
    ["22P05", "invalid_request", "a character that has no translation"],
    ["23505", null, "unique violation"],
    ["23503", null, "foreign key violation"],
    ["23502", null, "null"],
    ["23514", null, "check violation"],
    ["42P01", null, "no such table"],
    ["25P02", null, "statement in a failed transaction"],
    ["P0001", null, "raised by a function"],
  ] as const;

  it.each(states)("%s means %s: %s", async (state, code) => {
    const error = await thrownBy(() => database.transaction((sql) => sql.query("select fail($1)", [state])));
    expect(codeOf(error)).toBe(code);
    expect(sqlState(error)).toBe(state);
    if (code !== null) expect((error as AppError).message).not.toContain("made to fail");
  });

  it.each(states)("%s means %s through Prisma, which has its own codes: %s", async (state, code) => {
    const error = await thrownBy(() => database.prisma.$queryRaw`select fail(${state})::text`);
    expect(codeOf(error)).toBe(code);
    expect(sqlState(error)).toBe(state);
    expect(isRetryable(error)).toBe(code === "overloaded");
    expect(isUnavailable(error)).toBe(code === "database_unavailable");
  });
});

describe("what Prisma makes of a violation", () => {
  it("of a unique key, a foreign key or a missing row is left to the feature, which must have foreseen it", async () => {
    const { prisma } = database;
    const thrown = {
      unique: await thrownBy(() => prisma.setting.create({ data: { name: "there", value: 2 } })),
      foreign: await thrownBy(() =>
        prisma.apiKey.create({ data: { userId: "nobody", name: "key", digest: "0".repeat(64) } }),
      ),
      missing: await thrownBy(() => prisma.setting.update({ where: { name: "no" }, data: { value: 1 } })),
    };
    expect(thrown).toMatchObject({
      unique: { code: "P2002" },
      foreign: { code: "P2003" },
      missing: { code: "P2025" },
    });
    for (const error of Object.values(thrown)) expect(databaseError(error)).toBe(error);
    expect(sqlState(thrown.unique)).toBe("23505");
  });

  it("of what a text may hold is the caller's", async () => {
    const name = "nul\0";
    const errors = await Promise.all([
      thrownBy(() => database.prisma.setting.create({ data: { name, value: 1 } })),
      thrownBy(() => database.prisma.setting.create({ data: { name: "json", value: name } })),
      thrownBy(() => database.query("select $1::text", [name])),
      thrownBy(() => database.query("select $1::jsonb", [JSON.stringify(name)])),
    ]);
    expect(errors.map(codeOf)).toEqual(Array(4).fill("invalid_request"));
  });
});

describe("an error", () => {
  it("that is already one of ours stays it", () => {
    const error = new AppError("no_data", "none");
    expect(databaseError(error)).toBe(error);
  });

  it.each([null, undefined, "text", 7, new Error("other"), { code: "ABCDE" }, { code: 40001 }])(
    "that is none of the database's stays what it is: %s",
    (thrown) => {
      expect(databaseError(thrown)).toBe(thrown);
      expect(sqlState(thrown)).toBeNull();
    },
  );

  it.each(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EHOSTUNREACH", "EAI_AGAIN"])(
    "of the network, %s, means that the database cannot be reached, at any depth",
    (code) => {
      const error = new Error("outer", { cause: { cause: Object.assign(new Error("inner"), { code }) } });
      expect(codeOf(error)).toBe("database_unavailable");
    },
  );

  it("about a missing file is one of the database only where its socket is missing", async () => {
    const nowhere = await openTestDatabase(
      { connection: { ...server.connection, host: "/nonexistent" } },
      { ownSession: false },
    );
    expect(codeOf(await thrownBy(() => nowhere.query("select 1")))).toBe("database_unavailable");
    expect(codeOf(await thrownBy(() => nowhere.prisma.setting.count()))).toBe("database_unavailable");
    await nowhere.close();
    for (const missing of [readFile("/nonexistent"), statfs("/nonexistent")]) {
      const error = await thrownBy(() => missing);
      expect(databaseError(error)).toBe(error);
    }
  });

  it("of a statement that took too long says so, not that nobody answers", async () => {
    const error = await thrownBy(() => database.query("select pg_sleep(60)"));
    expect(error).toMatchObject({ code: "timed_out", status: 503, retryAfterS: 2 });
    expect((error as AppError).message).toContain("took too long");
    expect(sqlState(error)).toBe("57014");
    expect(isUnavailable(error)).toBe(false);
  });

  it("that contains itself ends the search", () => {
    const error: { cause?: unknown } = {};
    error.cause = error;
    expect(databaseError(error)).toBe(error);
  });

  it("keeps its cause for the log, not for the caller", () => {
    const cause = Object.assign(new Error("password authentication failed for user x"), { code: "08004" });
    const error = databaseError(cause) as AppError;
    expect(error.cause).toBe(cause);
    expect(error.message).not.toContain("password");
  });
});
