import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { patternSnapshots, readMarket } from "../../src/core/backtest/pattern-snapshots.js";
import { compareSnapshots, regressionPassed, uncompared } from "../../src/core/backtest/regression.js";
import { regressionText } from "../../src/core/backtest/regression-summary.js";
import {
  identityOf,
  PLAIN_SIGNAL,
  type SignalSnapshot,
  sortSnapshots,
} from "../../src/core/backtest/snapshot.js";
import { ensure } from "../../src/core/base/assert.js";
import type { Candles } from "../../src/core/market/candles.js";
import { findPattern } from "../../src/core/patterns/index.js";
import { gridWalk } from "../fixtures/grid-walk.js";

const DAY = 86_400_000;

function snapshot(day: number, change: Partial<SignalSnapshot> = {}): SignalSnapshot {
  return {
    strategyId: "s",
    symbol: "AAPL",
    interval: "1d",
    time: Date.UTC(2024, 0, 1) + day * DAY,
    side: "buy",
    entry: 100 + day,
    asked: PLAIN_SIGNAL,
    confidence: 0.6,
    conditions: {},
    ...change,
  };
}

/** Few symbols, days and prices, so that sets meet, and signals that are there twice. */
const anySnapshot = fc
  .record({
    symbol: fc.constantFrom("AAPL", "MSFT"),
    day: fc.integer({ min: 0, max: 5 }),
    side: fc.constantFrom("buy" as const, "sell" as const),
    entry: fc.constantFrom(null, 99.5, 100),
    confidence: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  })
  .map(({ day, ...change }) => snapshot(day, change));
const anySet = fc.array(anySnapshot, { maxLength: 30 });

describe("a regression of signals", () => {
  it("finds 28 matched, 4 missing and 2 extra of 32 before and 30 now", () => {
    const before = Array.from({ length: 32 }, (_, day) => snapshot(day));
    const now = [...before.slice(4), snapshot(40), snapshot(41)];
    const result = compareSnapshots("s", before, now.toReversed());
    expect(result).toMatchObject({ baseline: 32, current: 30, matched: 28, drifts: [], largestDrift: 0 });
    expect(result.missing).toEqual(before.slice(0, 4));
    expect(result.extra).toEqual([snapshot(40), snapshot(41)]);
    expect(result.failures).toEqual(["missing_signals", "extra_signals"]);
    expect(result.passed).toBe(false);
  });

  it("takes the tolerance as a difference, itself included", () => {
    const at = (confidence: number | null) => [snapshot(0, { confidence })];
    const passes = (from: number | null, to: number | null, tolerance?: number) =>
      compareSnapshots("s", at(from), at(to), tolerance).passed;
    expect(passes(0.6, 0.65)).toBe(true);
    expect(passes(0.65, 0.6)).toBe(true);
    expect(passes(0.02, 0.06)).toBe(true);
    expect(passes(0.6, 0.6501)).toBe(false);
    expect(passes(0.6, 0.635, 0.03)).toBe(false);
    expect(passes(0.6, 0.6, 0)).toBe(true);
    expect(passes(null, null)).toBe(true);
    expect(passes(0.6, null)).toBe(false);
    expect(passes(null, 0.6)).toBe(false);
    const { drifts, largestDrift } = compareSnapshots("s", at(0.6), at(0.5));
    expect(drifts).toMatchObject([{ from: 0.6, to: 0.5 }]);
    expect(drifts[0].change).toBeCloseTo(-0.1, 12);
    expect(largestDrift).toBeCloseTo(0.1, 12);
  });

  it("fails for an empty baseline, even where there is no signal now", () => {
    expect(compareSnapshots("s", [], [])).toMatchObject({ passed: false, failures: ["empty_baseline"] });
    const { failures } = compareSnapshots("s", [], [snapshot(0)]);
    expect(failures).toEqual(["empty_baseline", "extra_signals"]);
    expect(regressionPassed([])).toBe(false);
  });

  it("refuses signals of another strategy and those that are unsound", () => {
    const compare = (change: Partial<SignalSnapshot>) => () =>
      compareSnapshots("s", [snapshot(0)], [snapshot(0, change)]);
    expect(compare({ strategyId: "t" })).toThrow("a signal of t");
    expect(compare({ confidence: Number.NaN })).toThrow("confidence");
    expect(compare({ confidence: 60 })).toThrow("confidence");
    expect(compare({ entry: 0 })).toThrow("no price");
    expect(compare({ time: Number.NaN })).toThrow("no time");
    expect(() => compareSnapshots("s", [], [], Number.NaN)).toThrow("tolerance");
  });

  it("matches any set with itself, in whatever order", () => {
    fc.assert(
      fc.property(anySet, fc.integer(), (set, shift) => {
        const turned = set.map((_, i) => set[(i + (Math.abs(shift) % set.length)) % set.length]);
        const result = compareSnapshots("s", set, turned, 0);
        expect(result).toMatchObject({ matched: set.length, missing: [], extra: [], drifts: [] });
        expect(result.passed).toBe(set.length > 0);
      }),
    );
  });

  it("turns missing into extra when the two sets change places, and loses no signal", () => {
    fc.assert(
      fc.property(anySet, anySet, (a, b) => {
        const there = compareSnapshots("s", a, b, 1);
        const back = compareSnapshots("s", b, a, 1);
        expect(back.matched).toBe(there.matched);
        expect(back.missing.map(identityOf)).toEqual(there.extra.map(identityOf));
        expect(back.extra.map(identityOf)).toEqual(there.missing.map(identityOf));
        expect(there.matched + there.missing.length).toBe(a.length);
        expect(there.matched + there.extra.length).toBe(b.length);
      }),
    );
  });

  it("counts what is in both as often as a plain count does", () => {
    fc.assert(
      fc.property(anySet, anySet, (a, b) => {
        const names = new Set([...a, ...b].map(identityOf));
        const count = (set: SignalSnapshot[], name: string) =>
          set.filter((s) => identityOf(s) === name).length;
        const expected = [...names].reduce((sum, name) => sum + Math.min(count(a, name), count(b, name)), 0);
        expect(compareSnapshots("s", a, b).matched).toBe(expected);
      }),
    );
  });

  it("knows signals apart by all that makes them, and by nothing else", () => {
    const changes: Partial<SignalSnapshot>[] = [
      { strategyId: "t" },
      { symbol: "MSFT" },
      { interval: "1h" },
      { time: Date.UTC(2024, 0, 2) },
      { side: "sell" },
      { entry: 100.00000000000001 },
      { entry: null },
      { symbol: 'AAPL","1d' },
    ];
    const names = [snapshot(0), ...changes.map((change) => snapshot(0, change))].map(identityOf);
    expect(new Set(names).size).toBe(names.length);
    expect(identityOf(snapshot(0, { confidence: 0.1, conditions: { regime: "ranging" } }))).toBe(names[0]);
  });

  it("sorts a set into one list", () => {
    fc.assert(
      fc.property(anySet, (set) => {
        expect(sortSnapshots(set.toReversed())).toEqual(sortSnapshots(set));
      }),
    );
  });
});

describe("the signals of a pattern", () => {
  const candles: Candles = { ...gridWalk(3_000, 5), symbol: "WALK", interval: "1d" };
  const market = readMarket(candles);
  const { time, close } = candles;
  const engulfing = ensure(findPattern("engulfing"), "the table has engulfing");
  const all = patternSnapshots(market, engulfing, "s", time[500], time[2_500]);

  it("lie within the stretch, at the closes of their bars, on both sides", () => {
    expect(all.length).toBeGreaterThan(20);
    expect(new Set(all.map(({ side }) => side))).toEqual(new Set(["buy", "sell"]));
    for (const { time: at, entry, side, conditions } of all) {
      const bar = time.indexOf(at);
      expect(bar).toBeGreaterThanOrEqual(500);
      expect(bar).toBeLessThan(2_500);
      expect(entry).toBe(close[bar]);
      expect(conditions.variant).toBe(side === "buy" ? "bullish_engulfing" : "bearish_engulfing");
    }
  });

  it("are the same from fewer bars: none looks ahead", () => {
    const cut = time[1_500];
    const short = Object.fromEntries(
      (["time", "open", "high", "low", "close", "volume"] as const).map((name) => [
        name,
        candles[name].slice(0, 1_500),
      ]),
    );
    const before = patternSnapshots(readMarket({ ...candles, ...short }), engulfing, "s", time[500], cut);
    const expected = all.filter(({ time: at }) => at < cut);
    expect(compareSnapshots("s", expected, before, 0)).toMatchObject({ passed: true, largestDrift: 0 });
    expect(before).toEqual(expected);
  });

  it("show a threshold that was changed", () => {
    // The same detector, which now asks for a slightly better fit.
    const stricter = {
      ...engulfing,
      find: (...[series, from, to, hits]: Parameters<typeof engulfing.find>) => {
        const found: typeof hits = [];
        engulfing.find(series, from, to, found);
        hits.push(...found.filter(({ quality }) => quality >= 0.6));
      },
    };
    const now = patternSnapshots(market, stricter, "s", time[500], time[2_500]);
    const result = compareSnapshots("s", all, now);
    expect(result.failures).toEqual(["missing_signals"]);
    expect(result.missing).toEqual(all.filter(({ confidence }) => (confidence ?? 0) < 0.6));
    expect(result.missing.length).toBeGreaterThan(0);
  });
});

describe("the summary of a regression", () => {
  const before = Array.from({ length: 32 }, (_, day) => snapshot(day));
  const moved = before.slice(4).map((signal, i) => (i === 0 ? { ...signal, confidence: 0.7 } : signal));

  it("is a table with what failed below it", () => {
    const failed = compareSnapshots("s", before, [...moved, snapshot(40), snapshot(41)]);
    const steady = compareSnapshots("s", before, before);
    const gone = uncompared("gone", "no_baseline", "record one");
    const text = regressionText([{ ...steady, strategyId: "steady_as_ever" }, failed, gone], 0.05);
    expect(text).toBe(
      [
        "strategy        baseline  current  matched  missing  extra  drift  largest  result",
        "steady_as_ever        32       32       32        0      0      0   0.0000  passed",
        "s                     32       30       28        4      2      1   0.1000  FAILED",
        "gone                   0        0        0        0      0      0        -  FAILED",
        "",
        "s: signals are missing; there are signals that were not there before; confidence moved by more than the tolerance",
        "  missing: 2024-01-01T00:00:00.000Z AAPL 1d buy at 100, confidence 0.6",
        "  missing: 2024-01-02T00:00:00.000Z AAPL 1d buy at 101, confidence 0.6",
        "  missing: 2024-01-03T00:00:00.000Z AAPL 1d buy at 102, confidence 0.6",
        "  missing: 2024-01-04T00:00:00.000Z AAPL 1d buy at 103, confidence 0.6",
        "  extra: 2024-02-10T00:00:00.000Z AAPL 1d buy at 140, confidence 0.6",
        "  extra: 2024-02-11T00:00:00.000Z AAPL 1d buy at 141, confidence 0.6",
        "  drift: 2024-01-05T00:00:00.000Z AAPL 1d buy: confidence 0.6 became 0.7 (+0.1000)",
        "",
        "gone: there is no baseline",
        "  record one",
        "",
        "1 of 3 strategies passed; confidence may move by 0.05",
        "",
      ].join("\n"),
    );
  });

  it("counts what it does not list, and says that nothing was compared", () => {
    const text = regressionText([compareSnapshots("s", before, [])], 0.05);
    expect(text).toContain("  missing: and 27 more");
    expect(text.match(/ {2}missing: 2024/g)).toHaveLength(5);
    expect(regressionText([], 0.05)).toContain("FAILED: no strategy was compared");
  });
});
