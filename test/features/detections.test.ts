import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { sliceCandles } from "../../src/core/market/candles.js";
import { classifySymbol } from "../../src/core/market/instrument.js";
import { PATTERNS } from "../../src/core/patterns/index.js";
import { LEAD_BARS } from "../../src/core/signals/lead.js";
import { findSightings } from "../../src/features/detections/find.js";
import { createDetectionStore, type NewDetection } from "../../src/features/detections/store.js";
import { sightingView } from "../../src/features/detections/views.js";
import type { KnownInstrument } from "../../src/features/instruments/store.js";
import { createSyntheticProvider } from "../../src/providers/synthetic.js";
import { createManualClock, type ManualClock } from "../fixtures/clock.js";
import { createTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { detectionAt, saveInstrument } from "../fixtures/detections.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { shifted } from "../fixtures/shifted.js";

const DAY = 86_400_000;
const NOW = Date.parse("2024-07-09T18:02:00Z");

interface Examined {
  readonly closed_at: string;
  readonly confidence: null;
  readonly formation: {
    readonly risk_reward_ratio: number | null;
    readonly risk_reward_reason: string | null;
  } | null;
}

let testDatabase: TestDatabase;
let clock: ManualClock;
let program: TestProgram;
let apple: KnownInstrument;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  clock = createManualClock(NOW);
  program = await startTestProgram({ database: testDatabase, clock });
});
afterAll(async () => {
  await program.close();
  await testDatabase.drop();
});
beforeEach(async () => {
  await program.parts.database.query("truncate instruments restart identity cascade");
  clock.set(NOW);
  apple = await saveInstrument(program.parts.database, "AAPL", { synthetic: true });
});

const record = (rows: readonly NewDetection[]) =>
  program.parts.database.transaction((sql) => createDetectionStore(program.parts.database).record(sql, rows));
async function get<T>(url: string): Promise<{ status: number; data: T }> {
  const answer = await program.server.inject(url);
  return { status: answer.statusCode, data: (answer.json() as { data: T }).data };
}
interface Logs {
  readonly logs: readonly { id: number; symbol: string; pattern_type: string; interval: string }[];
  readonly pagination: { total: number };
}

describe("a detection", () => {
  it("found with the bars that were known is the one found on the whole history", {
    timeout: 60_000,
  }, async () => {
    const instrument = ensure(classifySymbol("AAPL"), "AAPL");
    const request = { instrument, interval: "5m" as const, fromMs: NOW - 30 * DAY, toMs: NOW };
    const { candles } = await createSyntheticProvider(1, () => NOW).fetchCandles(
      request,
      new AbortController().signal,
    );
    const { length } = candles.time;
    expect(length).toBeGreaterThan(1_500);
    const whole = findSightings(candles, 0);
    expect(whole.length).toBeGreaterThan(500);
    // Every third bar: each takes a window of its own.
    for (let at = LEAD_BARS; at < length; at += 3) {
      const window = sliceCandles(candles, at - LEAD_BARS, at + 1);
      const live = findSightings(window, LEAD_BARS);
      const expected = whole.filter((sighting) => sighting.at === at);
      const shift = at - LEAD_BARS;
      expect(live.map((sighting) => ({ ...shifted(sighting, shift), range: 0 }))).toEqual(
        expected.map((sighting) => ({ ...sighting, range: 0 })),
      );
      // The average true range remembers its start for ever, ever less.
      for (const [i, { range }] of live.entries()) {
        expect(Math.abs((range ?? 0) / (expected[i].range ?? 0) - 1)).toBeLessThan(1e-6);
      }
    }
  });

  it("is stored once, whoever records it and however often", async () => {
    const rows = [detectionAt(apple, 0), detectionAt(apple, 1), detectionAt(apple, 0)];
    expect((await record(rows)).map(({ barTime }) => barTime)).toEqual(
      [rows[0], rows[1], rows[0]].map((row) => row.barTime),
    );
    expect(await program.parts.database.query("select 1 from detections")).toHaveLength(2);
    expect(await record(rows)).toEqual([]);
    const changed = { quality: 0.1, price: 5 };
    expect(await record([detectionAt(apple, 0, changed)])).toEqual([]);
    const others = [
      { interval: "15m" as const },
      { pattern: "hammer" },
      { state: "failed" as const },
      { barTime: detectionAt(apple, 0).barTime + 1 },
    ];
    expect(await record(others.map((change) => detectionAt(apple, 0, change)))).toHaveLength(4);
    expect(await record([])).toEqual([]);
  });

  it("keeps every value, odd milliseconds and all", async () => {
    const barTime = 1_720_534_000_123;
    const row = detectionAt(apple, 0, {
      barTime,
      startTime: barTime - 1,
      closedAt: barTime + 299_999,
      quality: 0.123456789012345,
      direction: -1,
      trendMet: null,
      facts: { trend: "flat", range: null },
      state: "expired",
      confidence: 0.4321,
      regime: "ranging",
      formation: {
        formedTime: barTime - 1,
        points: [{ role: "peak", time: barTime - 1, price: 100.25, knownTime: barTime }],
        boundaries: [{ role: "neckline", from: { time: 1, price: 99 }, to: { time: barTime, price: 98.5 } }],
        trigger: 98.5,
        target: null,
        stop: 101,
        rewardRisk: null,
        checks: [{ name: "volume", passed: null, value: null, threshold: 1.5 }],
      },
    });
    const [recorded] = await record([row]);
    const { rows } = await program.parts.detections.list({}, 1, 0);
    const { detectedAt, ...stored } = rows[0];
    expect(stored).toEqual({ ...row, id: recorded.id, symbol: "AAPL", synthetic: true });
    expect(Math.abs(detectedAt - Date.now())).toBeLessThan(60_000);
  });

  it("tells the reward per risk of its levels, and none where the stop is all but there", () => {
    const told = (rewardRisk: number | null) => {
      const formation = {
        ...{ formedTime: 0, points: [], boundaries: [], trigger: null, target: null, stop: null, checks: [] },
        rewardRisk,
      };
      const view = sightingView(detectionAt(apple, 0, { formation })).formation;
      return [view?.risk_reward_ratio, view?.risk_reward_reason];
    };
    expect(told(10)).toEqual([10, null]);
    expect(told(0.2)).toEqual([0.2, null]);
    expect(told(254)).toEqual([null, expect.stringContaining("so near the price")]);
    expect(told(null)).toEqual([null, expect.stringContaining("no target or no stop")]);
  });

  it("examined now is not stored", async () => {
    const answer = await program.server.inject({
      method: "POST",
      url: "/api/detect",
      payload: { symbol: "aapl", timeframe: "5m", bars: 500 },
    });
    expect(answer.statusCode).toBe(200);
    const { data } = answer.json() as {
      data: { patterns: Examined[]; count: number };
    };
    expect(data.count).toBeGreaterThan(50);
    expect(data.patterns).toHaveLength(data.count);
    const ratios = { told: 0, near: 0 };
    for (const { formation } of data.patterns) {
      if (formation === null) continue;
      const { risk_reward_ratio, risk_reward_reason } = formation;
      expect(risk_reward_ratio === null).toBe(risk_reward_reason !== null);
      expect(risk_reward_ratio ?? 0).toBeLessThanOrEqual(10);
      if (risk_reward_ratio !== null) ratios.told++;
      else if (risk_reward_reason?.includes("so near") === true) ratios.near++;
    }
    expect(Math.min(ratios.told, ratios.near)).toBeGreaterThan(0);
    const times = data.patterns.map(({ closed_at }) => closed_at);
    expect(times).toEqual([...times].sort().reverse());
    expect(Date.parse(times[0])).toBeLessThanOrEqual(NOW);
    expect(await program.parts.database.query("select 1 from detections")).toEqual([]);
  });
});

describe("logs", () => {
  beforeEach(async () => {
    const coke = await saveInstrument(program.parts.database, "KO", { synthetic: true });
    await record([
      ...Array.from({ length: 5 }, (_, place) => detectionAt(apple, place)),
      detectionAt(coke, 0, { pattern: "hammer" }),
      detectionAt(coke, 1, { pattern: "three_white_soldiers", interval: "1h" }),
    ]);
  });

  it.each([
    ["", 7, "KO 1h three_white_soldiers"],
    ["limit=2", 7, "KO 1h three_white_soldiers"],
    ["limit=2&offset=6", 7, "AAPL 5m bullish_engulfing"],
    ["symbol=ko", 2, "KO 1h three_white_soldiers"],
    ["symbol=AAPL", 5, "AAPL 5m bullish_engulfing"],
    ["interval=60m", 1, "KO 1h three_white_soldiers"],
    ["symbol=KO&interval=5m", 1, "KO 5m hammer"],
    ["symbol=MSFT", 0, undefined],
  ])("with %j are %i, newest first", async (query, total, first) => {
    const { data } = await get<Logs>(`/api/detection_logs?${query}`);
    expect(data.pagination.total).toBe(total);
    const ids = data.logs.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort((a, b) => b - a));
    const [row] = data.logs;
    expect(row && `${row.symbol} ${row.interval} ${row.pattern_type}`).toBe(first);
  });

  it("page without a gap or a double", async () => {
    const pages: number[] = [];
    for (let offset = 0; offset < 8; offset += 3) {
      const { data } = await get<Logs>(`/api/detection_logs?limit=3&offset=${offset}`);
      pages.push(...data.logs.map(({ id }) => id));
    }
    expect(pages).toEqual([7, 6, 5, 4, 3, 2, 1].map((n) => pages[0] - 7 + n));
  });

  it.each([
    "three_white_soldiers",
    "Three White Soldiers",
    "THREE-WHITE-SOLDIERS",
    "three white_soldiers",
    " three  white soldiers ",
  ])("know the pattern called %j", async (spelling) => {
    const { status, data } = await get<Logs>(`/api/detection_logs?pattern=${encodeURIComponent(spelling)}`);
    expect(status).toBe(200);
    expect(data.logs.map(({ pattern_type }) => pattern_type)).toEqual(["three_white_soldiers"]);
  });

  it("know every pattern by its id and title, and none of no name", async () => {
    for (const { id, title } of PATTERNS.flatMap(({ variants }) => variants)) {
      for (const text of [id, title, title.toUpperCase()]) {
        const { status } = await get<Logs>(`/api/detection_logs?pattern=${encodeURIComponent(text)}`);
        expect(status, text).toBe(200);
      }
    }
    const answer = await program.server.inject("/api/detection_logs?pattern=golden_goose");
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ code: "pattern_unknown" });
  });

  it("of a symbol's history go from and to closes", async () => {
    const closes = [0, 1, 2, 3, 4].map((place) => new Date(detectionAt(apple, place).closedAt).toISOString());
    const { data } = await get<{ detections: { closed_at: string }[] }>(
      `/api/patterns/history/aapl?from=${closes[1]}&to=${closes[4]}`,
    );
    expect(data.detections.map(({ closed_at }) => closed_at)).toEqual([closes[3], closes[2], closes[1]]);
  });

  it("know their newest id, and 0 before the first", async () => {
    const [{ max }] = await program.parts.database.query<{ max: number }>("select max(id) from detections");
    expect(await program.parts.detections.latestId()).toBe(max);
    await program.parts.database.query("truncate instruments cascade");
    expect(await program.parts.detections.latestId()).toBe(0);
  });
});

describe("statistics", () => {
  it("count by UTC day over seven days, empty ones among them, and by symbol and pattern", async () => {
    const coke = await saveInstrument(program.parts.database, "KO", { synthetic: true });
    const moments = [
      // Seven days end with today: 3 July is the first, whole.
      ["2024-07-02T23:59:59.999Z", apple],
      ["2024-07-03T00:00:00Z", apple],
      ["2024-07-08T23:59:59.999Z", apple],
      ["2024-07-09T00:00:00Z", coke],
      ["2024-07-09T18:00:00Z", apple],
    ] as const;
    for (const [place, [moment, instrument]] of moments.entries()) {
      const [{ id }] = await record([
        detectionAt(instrument, place, { pattern: place === 4 ? "hammer" : "doji", quality: 0.2 * place }),
      ]);
      await program.parts.database.query("update detections set detected_at = $1 where id = $2", [
        moment,
        id,
      ]);
    }
    const { data } = await get<{ daily_detections: { date: string; count: number }[]; top_symbols: unknown }>(
      "/api/detection_stats",
    );
    expect(data.daily_detections.map(({ date, count }) => `${date} ${count}`)).toEqual([
      "2024-07-03 1",
      "2024-07-04 0",
      "2024-07-05 0",
      "2024-07-06 0",
      "2024-07-07 0",
      "2024-07-08 1",
      "2024-07-09 2",
    ]);
    expect(data.top_symbols).toEqual([
      { symbol: "AAPL", count: 3 },
      { symbol: "KO", count: 1 },
    ]);
    const patterns = await program.parts.detections.patternStats(1);
    expect(patterns.map(({ pattern, count }) => `${pattern} ${count}`)).toEqual(["doji 2", "hammer 1"]);
    expect(patterns[0].quality).toBeCloseTo(0.5, 12);
    expect(patterns[0].confidence).toBeNull();
  });
});

describe("the export", () => {
  it("is CSV with a header, of the days asked for", async () => {
    clock.set(Date.parse("2024-07-20T00:00Z"));
    await record([
      detectionAt(apple, 0),
      detectionAt(apple, 1, { direction: -1, trendMet: null, price: 0.5 }),
    ]);
    const { text, rows } = await program.parts.detections.exportCsv({}, 30);
    const table: Record<string, string>[] = parse(text, { columns: true });
    expect(rows).toBe(2);
    expect(table[0]).toMatchObject({
      symbol: "AAPL",
      direction: "-1",
      price: "0.5",
      trend_met: "",
      synthetic: "true",
    });
    expect(table[1]).toMatchObject({ direction: "1", bar_time: "2024-07-09T14:00:00.000Z", confidence: "" });
    expect((await program.parts.detections.exportCsv({}, 1)).rows).toBe(0);
    const { data } = await get<{ filename: string; record_count: number }>(
      "/api/export_detection_logs?days=30",
    );
    expect(data).toMatchObject({ filename: "detections-2024-07-20.csv", record_count: 2 });
  });

  it("gives spreadsheets no formula, and leaves negative numbers alone", async () => {
    const cells = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "a,b", 'say "=1"', "plain-text"];
    for (const [place, source] of cells.entries())
      await record([detectionAt(apple, place, { source, direction: -1 })]);
    clock.set(Date.parse("2024-07-20T00:00Z"));
    const { text } = await program.parts.detections.exportCsv({}, 30);
    const table: Record<string, string>[] = parse(text, { columns: true });
    const found = table.map(({ source }) => source).reverse();
    expect(found).toEqual([
      "'=1+1",
      "'+1",
      "'-1",
      "'@SUM(A1)",
      "'\tx",
      "'\rx",
      "a,b",
      'say "=1"',
      "plain-text",
    ]);
    expect(new Set(table.map(({ direction }) => direction))).toEqual(new Set(["-1"]));
    for (const row of table) {
      for (const [name, cell] of Object.entries(row)) {
        if (name !== "direction") expect(cell, `${name} ${cell}`).not.toMatch(/^[=+\-@\t\r]/);
      }
    }
  });
});
