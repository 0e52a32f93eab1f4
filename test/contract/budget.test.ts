import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/platform/database.js";
import { AppError } from "../../src/platform/errors.js";
import { createMetrics } from "../../src/platform/metrics.js";
import { createSettings } from "../../src/platform/settings.js";
import {
  type BudgetStore,
  createBudget,
  createBudgetStore,
  createMemoryBudgetStore,
} from "../../src/providers/budget.js";
import { ProviderError, type Quota } from "../../src/providers/define.js";
import { createGateway } from "../../src/providers/gateway.js";
import { createManualClock } from "../fixtures/clock.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { silentLog } from "../fixtures/log.js";
import { sized } from "../fixtures/sizes.js";
import { startVendor } from "../fixtures/vendor.js";
import { instrumentOf } from "../fixtures/vendor-answers.js";
import { VENDORS } from "../fixtures/vendors.js";

const DAY_MS = 86_400_000;
const MIDNIGHT = Date.parse("2024-07-09T00:00Z");
/** A vendor may count a call so much later than it was granted. */
const ARRIVAL_MS = 5_000;

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = await openTestDatabase(testDatabase);
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

/** The most calls that lie in any minute, and in any day of UTC. */
function busiest(calls: readonly number[]): { minute: number; day: number } {
  const sorted = [...calls].sort((a, b) => a - b);
  let minute = 0;
  for (let from = 0, to = 0; to < sorted.length; to++) {
    while (sorted[to] - sorted[from] >= 60_000) from++;
    minute = Math.max(minute, to - from + 1);
  }
  const days = new Map<number, number>();
  for (const at of sorted) {
    const day = Math.floor(at / DAY_MS);
    days.set(day, (days.get(day) ?? 0) + 1);
  }
  return { minute, day: Math.max(0, ...days.values()) };
}

function exceeds(calls: readonly number[], { perMinute, perDay }: Quota): boolean {
  const { minute, day } = busiest(calls);
  return minute > (perMinute ?? Number.POSITIVE_INFINITY) || day > (perDay ?? Number.POSITIVE_INFINITY);
}

async function takes(budget: { take(): Promise<void> }): Promise<ProviderError | null> {
  try {
    await budget.take();
    return null;
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return error;
  }
}

describe("a budget of calls", () => {
  it("is given out to the last call, and says when it returns", async () => {
    const clock = createManualClock(MIDNIGHT + 3_600_000);
    const quota = { perMinute: 5, perDay: 8 };
    const store = createMemoryBudgetStore();
    const budget = createBudget({ provider: "vendor", quota, store, now: clock.now });
    for (let i = 0; i < 5; i++) expect(await takes(budget)).toBeNull();
    expect(await takes(budget)).toMatchObject({
      failure: "set_aside",
      message: "its budget of 5 a minute and 8 a day is used until 2024-07-09T01:01:10.000Z",
      retryAfterMs: 70_000,
    });
    expect(budget.health()).toEqual({
      ...quota,
      usedToday: 5,
      leftToday: 3,
      returnsAt: clock.now() + 70_000,
    });
    clock.advance(70_000);
    for (let i = 0; i < 3; i++) expect(await takes(budget)).toBeNull();
    expect(await takes(budget)).toMatchObject({ retryAfterMs: MIDNIGHT + DAY_MS - clock.now() });
    expect(budget.health()).toMatchObject({ usedToday: 8, leftToday: 0, returnsAt: MIDNIGHT + DAY_MS });
    clock.set(MIDNIGHT + DAY_MS);
    expect(await takes(budget)).toBeNull();
    expect(budget.health()).toMatchObject({ usedToday: 1, leftToday: 7, returnsAt: null });
  });

  it("gives what a block had left back to the day", async () => {
    const clock = createManualClock(MIDNIGHT);
    const quota = { perMinute: null, perDay: 2_000 };
    const budget = createBudget({
      provider: "vendor",
      quota,
      store: createMemoryBudgetStore(),
      now: clock.now,
    });
    for (let i = 0; i < 100; i++) {
      expect(await takes(budget)).toBeNull();
      clock.advance(60_000);
    }
    expect(budget.health()).toMatchObject({ usedToday: 100, leftToday: 1_900 });
  });

  it("that cannot be read lets no call through", async () => {
    const store: BudgetStore = {
      load: async () => ({ recent: [], days: [] }),
      change: () => Promise.reject(new Error("no database")),
    };
    const quota = { perMinute: 5, perDay: null };
    const budget = createBudget({ provider: "vendor", quota, store, now: () => MIDNIGHT });
    expect(await takes(budget)).toMatchObject({ failure: "set_aside", message: /cannot be read/ });
  });

  it("is never exceeded, however calls, instances, restarts and delays fall", async () => {
    const step = fc.record({
      waitMs: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 90_000 })),
      calls: fc.integer({ min: 1, max: 12 }),
      instance: fc.integer({ min: 0, max: 2 }),
      restarts: fc.boolean(),
      delayMs: fc.integer({ min: 0, max: ARRIVAL_MS - 1 }),
    });
    const quotas = fc.record({
      perMinute: fc.option(fc.integer({ min: 1, max: 40 })),
      perDay: fc.option(fc.integer({ min: 1, max: 300 })),
    });
    await fc.assert(
      fc.asyncProperty(quotas, fc.array(step, { minLength: 1, maxLength: 60 }), async (quota, steps) => {
        // Around midnight, where days are counted apart.
        const clock = createManualClock(MIDNIGHT - 300_000);
        const store = createMemoryBudgetStore();
        const start = () => createBudget({ provider: "vendor", quota, store, now: clock.now });
        const instances = [start(), start(), start()];
        const arrivals: number[] = [];
        for (const { waitMs, calls, instance, restarts, delayMs } of steps) {
          clock.advance(waitMs);
          if (restarts) instances[instance] = start();
          for (let i = 0; i < calls; i++) {
            if ((await takes(instances[instance])) === null) arrivals.push(clock.now() + delayMs);
          }
        }
        expect(exceeds(arrivals, quota), JSON.stringify(busiest(arrivals))).toBe(false);
      }),
      { numRuns: sized({ usual: 100, full: 300 }) },
    );
  });
});

describe("a day of heavy use by two instances with a restart in the middle", () => {
  it.each([
    ["25 a day", "Postgres", { perMinute: 5, perDay: 25 }, 25],
    ["sixty a minute and two thousand a day", "Postgres", { perMinute: 60, perDay: 2_000 }, 1_950],
    ["five a minute", "memory", { perMinute: 5, perDay: null }, 6_000],
  ] as const)(
    "stays within %s, counted in %s, and uses it",
    async (provider, place, quota, least) => {
      const clock = createManualClock(MIDNIGHT);
      const memory = createMemoryBudgetStore();
      const open = () => {
        const store = place === "memory" ? memory : createBudgetStore(createSettings(database));
        return createBudget({ provider, quota, store, now: clock.now });
      };
      const instances = [open(), open()];
      const calls: number[] = [];
      for (let second = 0; second < 86_400; second += 10) {
        if (second === 43_200) instances[1] = open();
        clock.set(MIDNIGHT + 1_000 * second);
        const answers = await Promise.all(
          instances.flatMap((each) => [takes(each), takes(each), takes(each)]),
        );
        for (const answer of answers) if (answer === null) calls.push(clock.now());
      }
      expect(exceeds(calls, quota), JSON.stringify(busiest(calls))).toBe(false);
      expect(calls.length).toBeGreaterThanOrEqual(least);
    },
    120_000,
  );
});

describe.each(VENDORS)("a day of questions to $name by two instances", ({ open: openRow, ...row }) => {
  it("makes no more requests than its quota, repeats and further pages among them", async () => {
    const clock = createManualClock(MIDNIGHT);
    const vendor = await startVendor();
    const service = row.service(clock.now);
    const arrivals: number[] = [];
    // One answer in five fails, so that it is asked for again.
    vendor.answer((url, nth) => {
      arrivals.push(clock.now());
      return nth % 5 === 4 ? { status: 500 } : service(url);
    });
    const quota = { perMinute: 6, perDay: sized({ usual: 40, full: 150 }) };
    const open = () =>
      createGateway({
        providers: [{ ...openRow(vendor.url, clock.now), quota }],
        now: clock.now,
        log: silentLog,
        metrics: createMetrics("test"),
        budgets: createBudgetStore(createSettings(database)),
        dice: () => 0,
      });
    const instances = [open(), open()];
    let refused = 0;
    const instrument = instrumentOf(row.trials[0].question.symbol);
    const { interval, days } = row.busy;
    for (let minute = 0; minute < 1_440; minute += sized({ usual: 40, full: 10 })) {
      if (minute === 720) instances[1] = open();
      clock.set(MIDNIGHT + 60_000 * minute);
      const questions = instances.flatMap((gateway) => [
        gateway.fetchQuote(instrument),
        gateway.fetchCandles(instrument, interval, clock.now() - days * DAY_MS, clock.now()),
      ]);
      for (const answer of await Promise.allSettled(questions)) {
        if (answer.status === "fulfilled") continue;
        expect(answer.reason).toBeInstanceOf(AppError);
        refused++;
      }
    }
    expect(exceeds(arrivals, quota), JSON.stringify(busiest(arrivals))).toBe(false);
    expect(arrivals.length).toBe(quota.perDay);
    expect(refused).toBeGreaterThan(quota.perDay / 2);
    await vendor.close();
  }, 60_000);
});

describe("ten busy minutes within the quota of a vendor's own plan", () => {
  const QUOTAS: Readonly<Record<string, Quota>> = {
    polygon: { perMinute: 5, perDay: null },
    finnhub: { perMinute: 60, perDay: null },
    alphavantage: { perMinute: 5, perDay: 25 },
    tradier: { perMinute: 120, perDay: null },
    upstox: { perMinute: 66, perDay: null },
  };

  it.each(VENDORS.filter(({ name }) => Object.hasOwn(QUOTAS, name)))(
    "of $name",
    async (row) => {
      const quota = QUOTAS[row.name];
      const clock = createManualClock(Date.parse("2024-07-09T14:30Z"));
      const vendor = await startVendor();
      const service = row.service(clock.now);
      const arrivals: number[] = [];
      vendor.answer((url) => {
        arrivals.push(clock.now());
        return service(url);
      });
      const provider = row.open(vendor.url, clock.now);
      expect(provider.quota).toEqual(quota);
      const budgets = createMemoryBudgetStore();
      const metrics = createMetrics("test");
      const gateway = createGateway({
        providers: [provider],
        now: clock.now,
        log: silentLog,
        metrics,
        budgets,
      });
      const { symbol, interval } = row.trials[0].question;
      const instrument = instrumentOf(symbol);
      const most = quota.perMinute ?? 0;
      // Twice what may be asked, each question another.
      for (let i = 0; i < 60; i++, clock.advance(10_000)) {
        const questions = Array.from({ length: Math.ceil(most / 3) }, (_, nth) => {
          const to = clock.now() - nth * 3_600_000;
          return gateway.fetchCandles(instrument, interval, to - 7 * DAY_MS, to);
        });
        await Promise.allSettled(questions);
      }
      expect(exceeds(arrivals, quota), JSON.stringify(busiest(arrivals))).toBe(false);
      expect(arrivals.length).toBeGreaterThanOrEqual(Math.min(7 * most, quota.perDay ?? 7 * most));
      expect(gateway.health()[0]).toMatchObject({ ok: true, asideReason: "budget" });
      await vendor.close();
    },
    60_000,
  );
});
