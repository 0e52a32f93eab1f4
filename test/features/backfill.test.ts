import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { barOpensBetween } from "../../src/core/market/bar-times.js";
import { calendarOf } from "../../src/core/market/session.js";
import {
  type BackfillCheckpoint,
  type BackfillInput,
  createBackfill,
} from "../../src/features/candles/backfill.js";
import { gapsOf, joinGaps } from "../../src/features/candles/backfill-gaps.js";
import { countBars } from "../../src/features/candles/backfill-run.js";
import type { Database } from "../../src/platform/database.js";
import { createManualClock } from "../fixtures/clock.js";
import { createTestDatabase, openTestDatabase, type TestDatabase } from "../fixtures/database.js";
import { createTestMarket } from "../fixtures/market.js";
import { createScriptedProvider } from "../fixtures/providers.js";

const NOW = Date.parse("2024-06-03T12:00:00Z");
const at = (text: string) => Date.parse(text);

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = await openTestDatabase(testDatabase);
});
beforeEach(() => database.query("truncate instruments cascade"));
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

function market(earliest = "2020-01-01") {
  const { now } = createManualClock(NOW);
  const provider = createScriptedProvider({ now, earliestMs: at(earliest) });
  const parts = createTestMarket({ database, providers: [provider], now });
  const kind = createBackfill({ ...parts, candleStore: parts.store });
  return { provider, kind, ...parts };
}

function input(symbols: string[], interval: string, from: string, to: string): Record<string, unknown> {
  return { symbols, interval, from, to };
}

/** Runs an order as a process would, and notes what it reports and saves. */
async function run(
  kind: ReturnType<typeof createBackfill>,
  body: Record<string, unknown>,
  settings: { last?: BackfillCheckpoint | null; signal?: AbortSignal } = {},
) {
  const order = kind.check?.(kind.input.parse(body), "ann") as BackfillInput;
  const reports: { phase: string; done: number; total: number }[] = [];
  const saved: BackfillCheckpoint[] = [];
  const result = await kind.run(order, {
    job: { id: 1, userId: "ann" },
    signal: settings.signal ?? new AbortController().signal,
    nowMs: NOW,
    report: (phase, done, total) => void reports.push({ phase, done, total }),
    checkpoint: {
      last: settings.last ?? null,
      save: async (value) => void saved.push(kind.checkpoint.parse(JSON.parse(JSON.stringify(value)))),
    },
  });
  return { result: kind.result.parse(result), reports, saved };
}

describe("a back-fill", () => {
  it("stores every bar of its symbols, in stretches, and reports each", async () => {
    const { kind, provider, store, instruments } = market();
    const body = input(["aapl", "BTC"], "5m", "2024-05-01", "2024-05-31");
    const { result, reports, saved } = await run(kind, body);
    const aapl = barOpensBetween(calendarOf("XNYS"), "5m", at("2024-05-01"), at("2024-05-31")).length;
    const bitcoin = 30 * 288;
    expect(result).toMatchObject({
      bars: aapl + bitcoin,
      missing: 0,
      series: [
        { symbol: "AAPL", bars: aapl, expected: aapl, missing: 0, gaps: [], sources: ["scripted"] },
        { symbol: "BTC-USD", bars: bitcoin, gaps: [], problem: null },
      ],
    });
    const { id } = await instruments.resolve("BTC");
    const stored = await store.load(id, "BTC-USD", "5m", at("2024-05-01"), at("2024-05-31"));
    expect(stored.candles.time).toHaveLength(bitcoin);
    const stretches = Math.ceil(aapl / 2_000) + Math.ceil(bitcoin / 2_000);
    expect([reports.length, saved.length]).toEqual([stretches, stretches]);
    expect(reports.at(-1)).toEqual({ phase: "BTC-USD, 2 of 2", done: aapl + bitcoin, total: aapl + bitcoin });
    expect(reports.map(({ done }) => done)).toEqual(reports.map(({ done }) => done).sort((a, b) => a - b));
    // What is stored whole is not asked for again.
    const asked = provider.calls.length;
    expect((await run(kind, body)).result).toEqual(result);
    expect(provider.calls).toHaveLength(asked);
  });

  it("lists what no source gives, and asks for it again the next time", async () => {
    const { kind, provider } = market("2024-05-10");
    const holes = [at("2024-05-14T14:00:00Z"), at("2024-05-14T14:30:00Z"), at("2024-05-20T15:00:00Z")];
    provider.change((bar) => (holes.includes(bar.time) ? null : bar));
    const body = input(["AAPL"], "30m", "2024-05-09", "2024-06-04");
    const { result } = await run(kind, body);
    expect(result.series[0].gaps).toEqual([
      {
        from: "2024-05-09T13:30:00.000Z",
        to: "2024-05-09T20:00:00.000Z",
        bars: 13,
        reason: "before the first bar that a source has",
      },
      {
        from: "2024-05-14T14:00:00.000Z",
        to: "2024-05-14T15:00:00.000Z",
        bars: 2,
        reason: "no source gives a bar here",
      },
      {
        from: "2024-05-20T15:00:00.000Z",
        to: "2024-05-20T15:30:00.000Z",
        bars: 1,
        reason: "no source gives a bar here",
      },
      {
        from: "2024-06-03T13:30:00.000Z",
        to: "2024-06-03T20:00:00.000Z",
        bars: 13,
        reason: "not closed yet",
      },
    ]);
    expect(result.missing).toBe(13 + 3 + 13);
    provider.change((bar) => bar);
    const again = await run(kind, body);
    expect(again.result.series[0].gaps.map(({ reason }) => reason)).toEqual([
      "before the first bar that a source has",
      "not closed yet",
    ]);
  });

  it("goes on from its checkpoint and asks for nothing twice", async () => {
    const body = input(["AAPL", "BTC"], "5m", "2024-05-01", "2024-05-31");
    const whole = await run(market().kind, body);
    for (const cut of [0, 2, whole.saved.length - 1]) {
      await database.query("truncate instruments cascade");
      const { kind, provider } = market();
      const stop = new AbortController();
      let stretches = 0;
      provider.before(async () => {
        if (stretches++ > cut) stop.abort(new Error("killed"));
      });
      const first = { saved: [] as BackfillCheckpoint[] };
      await run(kind, body, { signal: stop.signal }).then(
        ({ saved }) => first.saved.push(...saved),
        () => undefined,
      );
      const last = whole.saved[cut];
      provider.before(async () => undefined);
      const before = provider.calls.length;
      const second = await run(kind, body, { last });
      expect(second.result).toEqual(whole.result);
      const overlapping = provider.calls.slice(before).filter((late) =>
        provider.calls.slice(0, before).some((early) => {
          const same = early.instrument.symbol === late.instrument.symbol;
          return same && early.toMs > late.fromMs + 600_000 && late.toMs > early.fromMs + 600_000;
        }),
      );
      // The stretch that was under way when it was cut off may be asked for once more, and no other.
      expect(overlapping.length).toBeLessThanOrEqual(1);
    }
  });

  it("tells of a symbol that fails, and fails itself when all do", async () => {
    const { kind, provider } = market();
    provider.fail("unknown_symbol", ["MSFT"]);
    const body = input(["AAPL", "MSFT", "BTC"], "1d", "2024-05-01", "2024-05-31");
    const { result } = await run(kind, body);
    expect(result.series.map(({ symbol, missing }) => [symbol, missing])).toEqual([
      ["AAPL", 0],
      ["MSFT", 21],
      ["BTC-USD", 0],
    ]);
    expect(result.series[1].problem).toMatch(/MSFT/);
    expect(result.series[1].gaps).toMatchObject([{ bars: 21, reason: result.series[1].problem }]);
    provider.fail("unknown_symbol");
    await expect(run(kind, input(["TSLA"], "1d", "2024-05-01", "2024-05-31"))).rejects.toMatchObject({
      code: expect.stringMatching(/symbol_unknown|provider_unavailable/),
    });
  });

  it("ends when it is told to", async () => {
    const { kind, provider } = market();
    const stop = new AbortController();
    provider.before(async () => stop.abort(new Error("enough")));
    await expect(
      run(kind, input(["BTC"], "5m", "2024-05-01", "2024-05-31"), { signal: stop.signal }),
    ).rejects.toThrow("enough");
    expect(provider.calls).toHaveLength(1);
  });
});

describe("an order", () => {
  it("is read the same again once it was read", () => {
    const { kind } = market();
    const read = kind.input.parse(input(["btc/usd", "AAPL", "aapl"], "60m", "2024-05-01", "1717200000000"));
    const checked = kind.check?.(read, "ann") as BackfillInput;
    expect(checked.symbols).toEqual(["BTC-USD", "AAPL"]);
    expect(kind.input.parse(JSON.parse(JSON.stringify(checked)))).toEqual(checked);
  });
});

describe("bars", () => {
  const day = fc.integer({ min: at("2019-01-01"), max: at("2024-12-31") });
  const calendars = fc.constantFrom("XNYS", "XNSE", "24x7", "FX");
  const intervals = fc.constantFrom("5m", "30m", "1h", "4h", "1d", "1w");

  it("are counted as the calendar lays them out", () => {
    fc.assert(
      fc.property(
        calendars,
        intervals,
        day,
        fc.integer({ min: 1, max: 30 * 86_400_000 }),
        (id, interval, from, span) => {
          const to = from + span;
          expect(countBars({ calendar: id }, { interval, from, to })).toBe(
            barOpensBetween(calendarOf(id), interval, from, to).length,
          );
        },
      ),
    );
  });

  it("are either stored or in a gap, each once, however a stretch is cut", () => {
    fc.assert(
      fc.property(
        calendars,
        fc.constantFrom("1h", "1d"),
        day,
        fc.nat({ max: 60 }),
        fc.infiniteStream(fc.nat({ max: 3 })),
        (id, interval, from, cut, dice) => {
          const grid = { calendar: calendarOf(id), interval } as const;
          const to = from + 20 * 86_400_000;
          const opens = barOpensBetween(grid.calendar, interval, from, to);
          const stored = opens.filter(() => dice.next().value !== 0);
          const reasonOf = (open: number) => (open % 7 < 3 ? "a" : "b");
          const whole = gapsOf(grid, { from, to }, stored, reasonOf);
          const inGaps = whole.gaps.flatMap((gap) =>
            Array.from(barOpensBetween(grid.calendar, interval, at(gap.from), at(gap.to))),
          );
          expect([...stored, ...inGaps].sort((a, b) => a - b)).toEqual(Array.from(opens));
          const middle = opens[Math.min(cut, opens.length - 1)] ?? to;
          const head = gapsOf(
            grid,
            { from, to: middle },
            stored.filter((open) => open < middle),
            reasonOf,
          );
          const tail = gapsOf(
            grid,
            { from: middle, to },
            stored.filter((open) => open >= middle),
            reasonOf,
          );
          expect(joinGaps(grid, head.gaps, tail.gaps)).toEqual(whole.gaps);
        },
      ),
    );
  });
});

describe("a stretch that is forgotten", () => {
  it("leaves covered what lies before and after it", async () => {
    const { store, instruments, candles } = market();
    const instrument = await instruments.resolve("BTC");
    await candles.ensureStored(instrument, "1h", at("2024-05-01"), at("2024-05-21"));
    const [covered] = await store.loadCoverage(instrument.id, "1h");
    await store.forgetStretch(instrument.id, "1h", { from: at("2024-05-05"), to: at("2024-05-07") });
    expect(await store.loadCoverage(instrument.id, "1h")).toEqual([
      { from: covered.from, to: at("2024-05-05") },
      { from: at("2024-05-07"), to: covered.to },
    ]);
    await store.forgetStretch(instrument.id, "1h", { from: at("2024-05-01"), to: at("2024-05-08") });
    expect(await store.loadCoverage(instrument.id, "1h")).toEqual([
      { from: at("2024-05-08"), to: covered.to },
    ]);
    await store.forgetStretch(instrument.id, "1h", { from: at("2024-05-20"), to: at("2024-06-08") });
    expect(await store.loadCoverage(instrument.id, "1h")).toEqual([
      { from: at("2024-05-08"), to: at("2024-05-20") },
    ]);
  });
});
