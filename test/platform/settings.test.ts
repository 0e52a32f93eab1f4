import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Database } from "../../src/platform/database.js";
import { createSettings, type Settings } from "../../src/platform/settings.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";

let server: TestDatabase;
let database: Database;
let settings: Settings;

beforeAll(async () => {
  server = await createTestDatabase();
  database = await openTestDatabase(server);
  settings = createSettings(database);
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

const schema = z.object({ speed: z.number(), note: z.string().optional() });

describe("settings", () => {
  it("what was never saved is null", async () => {
    expect(await settings.load("never", schema)).toBeNull();
  });

  it("what was saved is loaded, and the last save counts", async () => {
    await settings.save("a", { speed: 1, note: 'ü " \\ \u2028' });
    expect(await settings.load("a", schema)).toEqual({ speed: 1, note: 'ü " \\ \u2028' });
    await settings.save("a", { speed: 2 });
    expect(await settings.load("a", schema)).toEqual({ speed: 2 });
  });

  it("falsy values are values", async () => {
    for (const value of [0, false, "", []]) {
      await settings.save("falsy", value);
      expect(await settings.load("falsy", z.any())).toEqual(value);
    }
  });

  it("what has another shape than asked for is null", async () => {
    await settings.save("b", { speed: "fast" });
    expect(await settings.load("b", schema)).toBeNull();
  });

  it("loadOrSave saves once, and gives what stands to everybody", async () => {
    const values = Array.from({ length: 10 }, (_, speed) => ({ speed }));
    const got = await Promise.all(values.map((value) => settings.loadOrSave("c", schema, value)));
    expect(new Set(got.map(({ speed }) => speed)).size).toBe(1);
    expect(await settings.load("c", schema)).toEqual(got[0]);
    expect(await settings.loadOrSave("c", schema, { speed: 99 })).toEqual(got[0]);
  });

  it("loadOrSave replaces what no longer has the shape, so that the next start finds the same", async () => {
    await settings.save("d", { pace: "of an older build" });
    expect(await settings.loadOrSave("d", schema, { speed: 7 })).toEqual({ speed: 7 });
    expect(await settings.loadOrSave("d", schema, { speed: 8 })).toEqual({ speed: 7 });
  });

  it("other fields of a stored value are not lost by loading it", async () => {
    await settings.save("e", { speed: 1, extra: true });
    expect(await settings.load("e", schema)).toEqual({ speed: 1 });
    expect(await database.query("select value from settings where name = 'e'")).toEqual([
      { value: { speed: 1, extra: true } },
    ]);
  });
});
