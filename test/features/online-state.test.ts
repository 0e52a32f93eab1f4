import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOnlineModels, MOST_VALUE, type OnlineModels } from "../../src/features/models/online.js";
import type { Database } from "../../src/platform/database.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { codeOf } from "../fixtures/error-code.js";
import { silentLog } from "../fixtures/log.js";

const NAMES = ["rsi", "atr"];
const KEY = "equity:1d:all";

let server: TestDatabase;
let database: Database;
let online: OnlineModels;

beforeAll(async () => {
  server = await createTestDatabase();
  database = await openTestDatabase(server);
  online = createOnlineModels({
    ...{ database, names: NAMES, now: () => 0, log: silentLog },
    market: { synthetic: true, replay: null },
  });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

const row = (...values: number[]) => Float64Array.from(values);
const samples = async () => (await online.predict(KEY, row(1, 1))).samples;
const stored = async () =>
  (await database.query<{ state: unknown }>("select state from online_models"))[0].state;

describe("a model that is taught label by label", () => {
  it("keeps what it learned where a row is out of all bounds, and says so", async () => {
    for (let i = 0; i < 20; i++) await online.learn(KEY, [{ row: row(i, -i), label: 1, outcome: null }]);
    const before = await stored();
    for (const wild of [1e308, -1e308, 2 * MOST_VALUE, Number.POSITIVE_INFINITY]) {
      const lessons = [{ row: row(wild, 0), label: 0 as const, outcome: null }];
      expect([wild, await codeOf(online.learn(KEY, lessons))]).toEqual([wild, "invalid_request"]);
    }
    expect(await stored()).toEqual(before);
    expect(await samples()).toBe(20);
  });

  it("passes such a row of an outcome over, and learns those beside it", async () => {
    const status = await online.learn(KEY, [
      { row: row(1, 2), label: 1, outcome: 5 },
      { row: row(1e308, 2), label: 1, outcome: 6 },
      { row: row(2, Number.NaN), label: 0, outcome: 7 },
    ]);
    expect(status).toMatchObject({ samples: 22, lastOutcome: 7 });
    expect(await samples()).toBe(22);
  });

  it("can be read back whatever it is taught within bounds", async () => {
    const key = "crypto:1h:all";
    const ends = [MOST_VALUE, -MOST_VALUE, 1e-308, 0, Number.NaN];
    for (let i = 0; i < 50; i++) {
      const lesson = { row: row(ends[i % 5], ends[(i * 3 + 1) % 5]), label: (i % 2) as 0 | 1, outcome: null };
      await online.learn(key, [lesson]);
      expect((await online.predict(key, lesson.row)).samples).toBe(i + 1);
    }
  });
});
