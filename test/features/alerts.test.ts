import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { type Alerts, createAlerts } from "../../src/features/alerts/alerts.js";
import { type Candidate, judge, RULES, type Rule } from "../../src/features/alerts/rules.js";
import { createAlertStore } from "../../src/features/alerts/store.js";
import type { NewDetection } from "../../src/features/detections/store.js";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import { createBus } from "../../src/platform/bus.js";
import type { Database } from "../../src/platform/database.js";
import { createEventLog } from "../../src/platform/event-log.js";
import { createMetrics } from "../../src/platform/metrics.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { detectionAt, recordCandidates, saveInstrument } from "../fixtures/detections.js";
import { silentLog } from "../fixtures/log.js";

const MINUTE = 60_000;
const NOW = Date.parse("2024-07-09T18:00Z");

let testDatabase: TestDatabase;
let database: Database;
let clock: ManualClock;
let apple: KnownInstrument;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = await openTestDatabase(testDatabase, { poolSize: 12 });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});
beforeEach(async () => {
  await database.query("truncate instruments, events restart identity cascade");
  clock = createManualClock(NOW);
  apple = await saveInstrument(database, "AAPL");
});

interface Settings {
  readonly threshold?: number;
  readonly leastConfidence?: number;
  readonly dedupeMinutes?: number;
  readonly synthetic?: boolean;
}

/** As an instance of the program has it; each call is another instance on the same database. */
function openAlerts({
  threshold = 0.85,
  leastConfidence = 0,
  dedupeMinutes = 10,
  synthetic = false,
}: Settings = {}): Alerts {
  const bus = createBus(() => undefined);
  return createAlerts({
    store: createAlertStore(database),
    database,
    eventLog: createEventLog(database, bus, silentLog),
    metrics: createMetrics("test"),
    threshold,
    leastConfidence,
    dedupeMs: dedupeMinutes * MINUTE,
    synthetic,
    now: clock.now,
  });
}

const consider = (alerts: Alerts, candidates: readonly Candidate[], enabled = true) =>
  database.transaction((sql) => alerts.consider(sql, candidates, enabled));

/** Records a detection and considers it. */
async function tryOne(
  place: number,
  change: Partial<NewDetection> = {},
  candidate: Partial<Candidate> = {},
  {
    enabled = true,
    instrument = apple,
    ...settings
  }: Settings & { enabled?: boolean; instrument?: KnownInstrument } = {},
) {
  const alerts = openAlerts(settings);
  const candidates = await recordCandidates(
    database,
    instrument,
    [detectionAt(instrument, place, change)],
    candidate,
  );
  const { raised, judged } = await consider(alerts, candidates, enabled);
  return { alerts, raised, verdicts: judged[0]?.verdicts ?? [] };
}

/** What the log says of the newest decision: null when an alert was raised. */
async function decidedRule(alerts: Alerts): Promise<Rule | null> {
  const [decision] = await alerts.decisions({}, 1);
  expect(decision.accepted).toBe(decision.rule === null);
  expect(decision.verdicts.find(({ passed }) => !passed)?.rule ?? null).toBe(decision.rule);
  return decision.rule;
}

describe("the rules", () => {
  it("let a detection pass that meets them all, with levels and what was compared", async () => {
    const { alerts, raised, verdicts } = await tryOne(0);
    expect(verdicts.map(({ rule }) => rule)).toEqual([...RULES]);
    expect(verdicts.every(({ passed }) => passed)).toBe(true);
    expect(raised).toMatchObject([
      {
        symbol: "AAPL",
        pattern: "bullish_engulfing",
        interval: "5m",
        direction: 1,
        score: 0.9,
        scoreBasis: "quality",
        confidence: null,
        price: 100,
        entry: 100,
        stop: 97,
        target: 104,
        status: "active",
        synthetic: false,
        source: "test",
      },
    ]);
    expect(await decidedRule(alerts)).toBeNull();
    expect(await alerts.listActive(10)).toEqual(raised);
    const detail = await alerts.get(raised[0].id);
    expect(detail.alert).toEqual(raised[0]);
    expect(detail.verdicts).toEqual(verdicts);
  });

  it.each<
    [Rule, Partial<NewDetection>, Partial<Candidate>, Settings & { enabled?: boolean }, unknown, unknown]
  >([
    ["alerts_enabled", {}, {}, { enabled: false }, false, true],
    ["bar_is_new", {}, { fresh: false }, {}, false, true],
    ["bar_is_recent", {}, { barsSince: 13 }, {}, 13, 12],
    [
      "source_is_current",
      {},
      { reach: { reachedMs: NOW - 1, dueMs: NOW } },
      {},
      "2024-07-09T17:59:59.999Z",
      "2024-07-09T18:00:00.000Z",
    ],
    ["trend_context", { trendMet: false, facts: { trend: "up", range: 2 } }, {}, {}, "up", false],
    ["costs_bearable", {}, { costShare: 1.2 }, {}, 1.2, 1],
    ["score_threshold", { quality: 0.84 }, {}, {}, 0.84, 0.85],
    ["confidence_threshold", { confidence: 0.44 }, {}, { leastConfidence: 0.45 }, 0.44, 0.45],
    ["confidence_threshold", {}, {}, { leastConfidence: 0.01 }, null, 0.01],
    ["no_worse_than_chance", { confidence: 0.4 }, { evidence: { edgeHigh: -0.01 } }, {}, -0.01, 0],
  ])("refuse by %s, and the log says so", async (rule, change, candidate, more, value, limit) => {
    const { alerts, raised, verdicts } = await tryOne(0, change, candidate, more);
    expect(raised).toEqual([]);
    expect(verdicts.filter(({ passed }) => !passed)).toEqual([{ rule, passed: false, value, limit }]);
    expect(await decidedRule(alerts)).toBe(rule);
    expect(await alerts.decisions({ rule }, 10)).toHaveLength(1);
    expect(await alerts.decisions({ rule: "dedupe_window" }, 10)).toEqual([]);
    expect(await alerts.listActive(10)).toEqual([]);
    expect(await database.query("select 1 from events")).toEqual([]);
    // Nothing that was refused holds back what comes after.
    expect((await tryOne(1)).raised).toHaveLength(1);
  });

  it("refuse by dedupe_window, and the log says so", async () => {
    await tryOne(0);
    const { alerts, raised, verdicts } = await tryOne(1);
    expect(raised).toEqual([]);
    expect(verdicts.at(-1)).toEqual({
      rule: "dedupe_window",
      passed: false,
      value: null,
      limit: 10 * MINUTE,
    });
    expect(await decidedRule(alerts)).toBe("dedupe_window");
  });

  it("are asked in their order: the first that refuses is named, and only those that all pass reach the guard", async () => {
    const worse = { evidence: { edgeHigh: -0.1 } };
    const everything = {
      ...{ fresh: false, barsSince: 99, costShare: 2, reach: { reachedMs: 0, dueMs: 1 } },
      ...worse,
    };
    const poor = { quality: 0.1, confidence: 0.1 };
    const first = { trendMet: false as const, ...poor };
    const order: Rule[] = [];
    const steps: [Partial<NewDetection>, Partial<Candidate>, boolean][] = [
      [first, everything, false],
      [first, everything, true],
      [first, { ...everything, fresh: true }, true],
      [first, { ...everything, fresh: true, barsSince: 0 }, true],
      [first, worse, true],
      [poor, { ...worse, costShare: 2 }, true],
      [poor, worse, true],
      [{ confidence: 0.1 }, worse, true],
      [{}, worse, true],
    ];
    for (const [i, [change, candidate, enabled]] of steps.entries()) {
      const leastConfidence = i < steps.length - 1 ? 0.2 : 0;
      const { alerts, verdicts } = await tryOne(i, change, candidate, { enabled, leastConfidence });
      order.push(ensure(await decidedRule(alerts), "a rule"));
      expect(verdicts).toHaveLength(RULES.length - 1);
    }
    expect(order).toEqual(RULES.slice(0, 9));
    expect(await database.query("select 1 from alert_guards")).toEqual([]);
  });

  it("take neutral shapes without levels, trends that are not asked for, and scores at the threshold", async () => {
    const { raised } = await tryOne(0, {
      pattern: "doji",
      direction: 0,
      trendMet: null,
      quality: 0.85,
      facts: { trend: "flat", range: null },
    });
    expect(raised).toMatchObject([{ direction: 0, entry: null, stop: null, target: null, score: 0.85 }]);
    const atLimit = judge(
      { ...(await candidateOf(1)), barsSince: 12 },
      { threshold: 0.9, leastConfidence: 0, dedupeMs: 0, enabled: true },
    );
    expect(atLimit.every(({ passed }) => passed)).toBe(true);
  });

  it("keep the measured confidence beside the quality that was compared", async () => {
    const { raised } = await tryOne(0, { confidence: 0.43 }, {}, { leastConfidence: 0.43 });
    expect(raised).toMatchObject([{ score: 0.9, scoreBasis: "quality", confidence: 0.43 }]);
  });

  async function candidateOf(place: number): Promise<Candidate> {
    return (await recordCandidates(database, apple, [detectionAt(apple, place)]))[0];
  }
});

describe("the window", () => {
  it.each([
    [9 * MINUTE + 59_999, 0],
    [10 * MINUTE, 1],
    [10 * MINUTE + 1, 1],
  ])("of ten minutes lets %i ms after the last alert raise %i more", async (ms, count) => {
    await tryOne(0);
    const { closedAt } = detectionAt(apple, 0);
    const later = { barTime: closedAt + ms - 5 * MINUTE, closedAt: closedAt + ms };
    expect((await tryOne(0, later)).raised).toHaveLength(count);
  });

  it("is of the symbol and pattern, whatever the interval", async () => {
    await tryOne(0);
    const coke = await saveInstrument(database, "KO");
    expect((await tryOne(0, {}, {}, { instrument: coke })).raised).toHaveLength(1);
    expect((await tryOne(0, { pattern: "hammer" })).raised).toHaveLength(1);
    expect((await tryOne(0, { interval: "15m" })).raised).toHaveLength(0);
  });

  it("outlives the instance", async () => {
    await tryOne(0);
    // tryOne opens another instance each time.
    expect((await tryOne(1)).raised).toHaveLength(0);
    expect((await tryOne(2)).raised).toHaveLength(1);
    expect((await tryOne(3)).raised).toHaveLength(0);
  });

  it("of nothing still raises one alert a bar", async () => {
    const settings = { dedupeMinutes: 0 };
    expect((await tryOne(0, {}, {}, settings)).raised).toHaveLength(1);
    const again = await recordCandidates(database, apple, [detectionAt(apple, 0)]);
    expect(again).toEqual([]);
    expect((await tryOne(1, {}, {}, settings)).raised).toHaveLength(1);
  });

  it("goes by the market's time, not by the order in which bars are looked at", async () => {
    const detections = [3, 0, 1, 2].map((place) => detectionAt(apple, place));
    const candidates = await recordCandidates(database, apple, detections);
    const { raised } = await consider(openAlerts(), candidates);
    expect(raised.map(({ barTime }) => barTime)).toEqual([
      detectionAt(apple, 0).barTime,
      detectionAt(apple, 2).barTime,
    ]);
  });
});

describe("many at once", () => {
  it("raise one alert, from twenty transactions on the same bar", async () => {
    const [candidate] = await recordCandidates(database, apple, [detectionAt(apple, 0)]);
    const instances = [openAlerts(), openAlerts()];
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) => consider(instances[i % 2], [candidate])),
    );
    expect(results.flatMap(({ raised }) => raised)).toHaveLength(1);
    expect(await database.query("select 1 from alerts")).toHaveLength(1);
    expect(await database.query("select 1 from decisions")).toHaveLength(1);
    expect(await database.query("select 1 from events")).toHaveLength(1);
  });

  it("raise one alert, also with no window at all", async () => {
    const [candidate] = await recordCandidates(database, apple, [detectionAt(apple, 0)]);
    const alerts = openAlerts({ dedupeMinutes: 0 });
    const results = await Promise.all(Array.from({ length: 20 }, () => consider(alerts, [candidate])));
    expect(results.flatMap(({ raised }) => raised)).toHaveLength(1);
    expect(await database.query("select 1 from alerts")).toHaveLength(1);
  });

  it("raise one alert in the window, from twenty bars of several intervals", async () => {
    const intervals = ["5m", "15m", "30m", "1h"] as const;
    const detections = Array.from({ length: 20 }, (_, i) =>
      detectionAt(apple, 0, {
        interval: intervals[i % 4],
        barTime: detectionAt(apple, 0).barTime + 1_000 * i,
        closedAt: detectionAt(apple, 0).closedAt + 1_000 * i,
      }),
    );
    const candidates = await recordCandidates(database, apple, detections);
    const instances = [openAlerts(), openAlerts()];
    const results = await Promise.all(
      candidates.map((candidate, i) => consider(instances[i % 2], [candidate])),
    );
    expect(results.flatMap(({ raised }) => raised)).toHaveLength(1);
    const decisions = await database.query<{ rule: string | null }>(
      "select rule from decisions order by rule",
    );
    expect(decisions.map(({ rule }) => rule)).toEqual([...Array<string>(19).fill("dedupe_window"), null]);
  });

  it("that take the guards in opposite orders come to an end", async () => {
    const patterns = ["hammer", "doji", "bullish_harami", "morning_star"];
    const rows = (place: number, names: readonly string[]) =>
      names.map((pattern, i) =>
        detectionAt(apple, place, { pattern, closedAt: detectionAt(apple, place).closedAt + i }),
      );
    const one = await recordCandidates(database, apple, rows(0, patterns));
    const two = await recordCandidates(database, apple, rows(1, [...patterns].reverse()));
    const alerts = openAlerts();
    const results = await Promise.all([consider(alerts, one), consider(alerts, two)]);
    expect(results.flatMap(({ raised }) => raised)).toHaveLength(4);
  });
});

describe("events", () => {
  it("are written in the transaction that raises the alert, or not at all", async () => {
    const [candidate] = await recordCandidates(database, apple, [detectionAt(apple, 0)]);
    const alerts = openAlerts();
    const failing = database.transaction(async (sql) => {
      const { raised } = await alerts.consider(sql, [candidate], true);
      expect(raised).toHaveLength(1);
      throw new Error("the transaction ends here");
    });
    await expect(failing).rejects.toThrow("ends here");
    for (const table of ["alerts", "alert_guards", "decisions", "events"]) {
      expect(await database.query(`select 1 from ${table}`), table).toEqual([]);
    }
    expect((await consider(alerts, [candidate])).raised).toHaveLength(1);
    const [event] = await database.query<{ topic: string; payload: unknown }>(
      "select topic, payload from events",
    );
    expect(event).toMatchObject({
      topic: "alerts",
      payload: { kind: "created", alert: { symbol: "AAPL", pattern: "bullish_engulfing", status: "active" } },
    });
  });
});
