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

  it("refuses a value that its column has never been near, by name, and learns from none of its row", async () => {
    const key = "etf:1d:all";
    for (let i = 0; i < 30; i++) await online.learn(key, [{ row: row(i % 7, -i), label: 1, outcome: null }]);
    const before = await online.predict(key, row(3, -3));
    const learning = online.learn(key, [{ row: row(3, 1e9), label: 0, outcome: null }]);
    await expect(learning).rejects.toMatchObject({
      code: "invalid_request",
      message: expect.stringMatching(/^body features: atr is 1000000000, where .* a mean of -14.5 /),
    });
    expect(await online.predict(key, row(3, -3))).toEqual(before);
    // What outcomes give is learned from, but moves a column by ten deviations at most.
    await online.learn(key, [{ row: row(3, 1e9), label: 0, outcome: 1 }]);
    const { score } = await online.predict(key, row(3, -3));
    expect(Math.abs((score ?? 0) - (before.score ?? 0))).toBeLessThan(0.2);
  });

  it("goes on from a state that was kept before a wild value could be told, and leaves that out", async () => {
    const key = "fx:1d:all";
    await online.learn(key, [{ row: row(1, 1), label: 1, outcome: null }]);
    const [{ state }] = await database.query<{ state: { weights: Record<string, unknown> } }>(
      "select state from online_models where key = $1",
      [key],
    );
    const { groups: _, ...older } = state.weights;
    const kept = { ...state, weights: { ...older, means: [5e11, 0], squares: [5e23, 1], counts: [1, 1] } };
    await database.query(
      `update online_models set state = $2::jsonb,
         hash = encode(sha256(convert_to(($2::jsonb)::text, 'UTF8')), 'hex') where key = $1`,
      [key, JSON.stringify(kept)],
    );
    for (let i = 0; i < 20; i++)
      await online.learn(key, [{ row: row(i % 5, i % 3), label: i % 5 > 2 ? 1 : 0, outcome: null }]);
    const [low, high] = [await online.predict(key, row(0, 1)), await online.predict(key, row(4, 1))];
    expect((high.score ?? 0) - (low.score ?? 0)).toBeGreaterThan(0.02);
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
