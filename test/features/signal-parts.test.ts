import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { barClose, lastClosedBar } from "../../src/core/market/bar-times.js";
import { allocateBars } from "../../src/core/market/candles.js";
import type { AssetClass } from "../../src/core/market/instrument.js";
import type { Interval } from "../../src/core/market/interval.js";
import { calendarOf } from "../../src/core/market/session.js";
import { UNKNOWN_ACCOUNT } from "../../src/core/risk/limits.js";
import { fuseLayers } from "../../src/core/signals/fuse.js";
import { type Levels, levelsFor } from "../../src/core/signals/levels.js";
import { USUAL_WEIGHING } from "../../src/features/models/layers.js";
import { DEFAULT_RISK_SETTINGS, limitsOf } from "../../src/features/risk/settings.js";
import { BANDS, bandOfScore, mapPatterns } from "../../src/features/signals/heatmap.js";
import { isOver, leadingPattern, type SeenPattern, voiceOf } from "../../src/features/signals/look.js";
import {
  behindOf,
  fuseLooks,
  type Gathered,
  type Reading,
  readMarket,
} from "../../src/features/signals/reading.js";
import { recommend } from "../../src/features/signals/recommend.js";

/** A pattern of which only what is compared is there. */
const seen = (
  pattern: string,
  direction: 1 | 0 | -1,
  quality: number,
  value: number | null = null,
  baseRate: number | null = null,
) =>
  ({
    detection: { pattern, direction, quality },
    confidence: { value, baseRate },
    told: { snapshotId: null, score: null },
  }) as unknown as SeenPattern;

describe("a trade", () => {
  const levels = { entry: 100, stop: 95, target: 110 } as Levels;
  const barsWith = (high: number, low: number) => {
    const bars = allocateBars(2);
    bars.high.set([200, high]);
    bars.low.set([1, low]);
    return bars;
  };

  it("is over once a later bar has reached stop or target, never by its own bar", () => {
    expect(isOver(barsWith(109.99, 95.01), 0, 1, levels)).toBe(false);
    expect(isOver(barsWith(110, 96), 0, 1, levels)).toBe(true);
    expect(isOver(barsWith(109, 95), 0, 1, levels)).toBe(true);
    expect(isOver(barsWith(0, 0), 1, 1, levels)).toBe(false);
    const short = { entry: 100, stop: 105, target: 90 } as Levels;
    expect(isOver(barsWith(104.99, 90.01), 0, -1, short)).toBe(false);
    expect(isOver(barsWith(105, 91), 0, -1, short)).toBe(true);
    expect(isOver(barsWith(104, 90), 0, -1, short)).toBe(true);
  });
});

describe("the leading pattern", () => {
  it("has a direction before it has quality, and counts for as much as it was better than chance", () => {
    const doji = seen("doji", 0, 1);
    const weak = seen("weak", 1, 0.5);
    const short = seen("short", -1, 0.9);
    expect(leadingPattern([])).toBeNull();
    expect(leadingPattern([doji])).toBe(doji);
    expect(leadingPattern([doji, weak])).toBe(weak);
    expect(leadingPattern([weak, short])).toBe(short);
    expect(leadingPattern([weak, short], 1)).toBe(weak);
    const proven = seen("proven", 1, 0.5, 0.6, 0.4);
    const refuted = seen("refuted", 1, 0.9, 0.2, 0.4);
    expect(leadingPattern([weak, refuted, proven], 1)).toBe(proven);
    expect(leadingPattern([weak, refuted], 1)).toBe(weak);
  });
});

describe("the voice of a pattern", () => {
  const scored = (serves: boolean, rate: number | null, baseRate: number | null) =>
    voiceOf({
      ...seen("some", 1, 0.8, 0.3, baseRate),
      told: {
        snapshotId: 1,
        score: { ...{ scoreId: 1, modelId: 1, version: "1.0.0", hash: "h" }, score: 0.6, serves, rate },
      },
    });

  it("is as likely as the version that serves says, beside the base rate or that of what it learned from", () => {
    expect(scored(true, 0.5, 0.4)).toEqual({ direction: 1, quality: 0.8, confidence: 0.6, base: 0.4 });
    expect(scored(true, 0.5, null)).toEqual({ direction: 1, quality: 0.8, confidence: 0.6, base: 0.5 });
    expect(scored(false, 0.5, 0.4)).toEqual({ direction: 1, quality: 0.8, confidence: 0.3, base: 0.4 });
  });
});

describe("a band", () => {
  it("is that of the greatest bound a score reaches", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 100, noNaN: true }), (score) => {
        const reached = (["ELITE", "HIGH", "GOOD", "MODERATE", "WEAK"] as const).filter(
          (band) => score >= BANDS[band].from,
        );
        expect(bandOfScore(score)).toBe(reached[0]);
      }),
    );
  });

  it("is moderate at most where a single layer speaks or prices are old, and none of a shape without direction", () => {
    const bandsOf = (
      direction: 1 | 0 | -1,
      sentiment: object,
      deep: object = { value: null, reason: "none" },
      set: object = { stale: false },
    ) => {
      const pattern = { ...seen("some", direction, 0.95), over: false };
      const look = {
        interval: "1d",
        set,
        closedAt: 0,
        direction: null,
        regime: null,
        patterns: [pattern],
        deep: { layer: deep },
      };
      const gathered = { looks: [look], sentiment, weighing: USUAL_WEIGHING } as unknown as Pick<
        Gathered,
        "looks" | "sentiment" | "weighing"
      >;
      const [row] = mapPatterns({} as never, gathered, gathered.looks).rows;
      return row.cells.map(({ band, score }) => [band, score === null ? null : score > 90]);
    };
    const silent = { value: null, reason: "none" };
    const agrees = { value: { aggregate: { available: true, score: 0.95 } }, reason: null };
    expect(bandsOf(1, silent)).toEqual([["MODERATE", true]]);
    expect(bandsOf(1, agrees)).toEqual([["ELITE", true]]);
    expect(bandsOf(1, silent, { value: 0.95 })).toEqual([["ELITE", true]]);
    expect(bandsOf(1, silent, { value: -0.9 })).toEqual([["GOOD", false]]);
    expect(bandsOf(0, agrees)).toEqual([["NEUTRAL", null]]);
    const old = { stale: true, candles: { time: [0] }, instrument: { calendar: "24x7" } };
    expect(bandsOf(1, agrees, undefined, old)).toEqual([["MODERATE", true]]);
  });
});

describe("an interval that ends before others do", () => {
  const calendar = calendarOf("XNYS");
  type Looks = Gathered["looks"];

  /** An interval whose newest bar is the last that had closed at a moment. */
  function endingAt(interval: Interval, at: number, direction: number, stale = true, regime = "ranging") {
    const newest = lastClosedBar(calendar, interval, at) ?? 0;
    const set = { stale, candles: { time: [newest] }, instrument: { calendar: "XNYS", assetClass: "etf" } };
    const said = { direction, regime, volatility: "medium", range: 1, close: 100 };
    const deep = { layer: { value: 0.5 } };
    const patterns = [{ ...seen(`of_${interval}`, 1, 0.9), over: false, levels: null }];
    const closedAt = barClose(calendar, interval, newest);
    return { interval, set, ...said, deep, patterns, closedAt } as unknown as Looks[number];
  }
  const rest = {
    sentiment: { value: null, reason: "none" },
    quote: { value: null, reason: "none" },
    weighing: USUAL_WEIGHING,
  } as const;
  const silentOf = (looks: Looks) =>
    looks.filter((look) => behindOf(look, looks) !== null).map(({ interval }) => interval);
  const at = (text: string) => Date.parse(text);

  it("is silent where bars that the others show it should have are missing, and only there", () => {
    const [friday, noon, thursday, monday] = ["26T21", "26T16", "25T21", "29T21"].map((day) =>
      at(`2025-09-${day}:00Z`),
    );
    const year = at("2021-03-31T21:00Z");
    expect(silentOf([endingAt("1h", year, 1), endingAt("1d", friday, 1)])).toEqual(["1h"]);
    expect(silentOf([endingAt("1h", friday, 1), endingAt("1d", year, 1)])).toEqual(["1d"]);
    expect(
      silentOf([endingAt("1h", friday, 1), endingAt("4h", friday, 1), endingAt("1d", friday, 1)]),
    ).toEqual([]);
    // A day that is not over has no bar yet, and a source may take an hour to give one.
    expect(silentOf([endingAt("1h", noon, 1), endingAt("1d", thursday, 1)])).toEqual([]);
    expect(silentOf([endingAt("1h", friday, 1), endingAt("1d", thursday, 1)])).toEqual([]);
    expect(silentOf([endingAt("1h", monday, 1), endingAt("1d", thursday, 1)])).toEqual(["1d"]);
    expect(silentOf([endingAt("1h", thursday, 1), endingAt("1d", friday, 1)])).toEqual(["1h"]);
    const fresh = endingAt("1d", friday, 1, false);
    expect(silentOf([endingAt("1h", friday, 1), fresh])).toEqual(["1h"]);
    expect(silentOf([endingAt("1h", friday, 1, false), fresh])).toEqual([]);
  });

  it("changes nothing of what the others say together, in direction, rows or agreement", () => {
    const interval = fc.constantFrom<Interval>("1h", "4h", "1d");
    const when = fc.integer({ min: at("1995-01-01T00:00Z"), max: at("2025-06-01T00:00Z") });
    const direction = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(interval, when, direction, direction, fc.boolean(), (old, end, low, high, stale) => {
        const others = (["15m", "1h", "4h", "1d"] as const)
          .filter((each) => each !== old)
          .map((each, k) => endingAt(each, at("2025-09-26T21:00Z"), k === 0 ? low : high, stale));
        const late = endingAt(old, end, low, true, "trending_bull");
        const [beside, without] = [[late, ...others], others].map((looks) => {
          const { timeframes, ...fusion } = fuseLooks(looks);
          const { rows } = mapPatterns({} as never, { ...rest, looks }, looks);
          const known = rows.map(({ cells, ...row }) => ({
            ...row,
            cells: cells.filter(({ interval: of }) => of !== old),
          }));
          return { fusion, known };
        });
        expect(beside).toEqual(without);
        const [{ cells }] = mapPatterns({} as never, { ...rest, looks: [late, ...others] }, [
          late,
          ...others,
        ]).rows;
        expect(cells[0]).toMatchObject({ pattern: null, score: null, band: "NONE", stale: true });
        expect(cells[0].reason).toMatch(stale ? /bars end at/ : /its newest bar is old/);
      }),
    );
  });

  it("lends no layer to a reading of its own, which says why", () => {
    const late = endingAt("1h", at("2021-03-31T21:00Z"), 1);
    const looks = [late, endingAt("1d", at("2025-09-26T21:00Z"), -0.5)];
    const { fusion, leading } = readMarket({ ...rest, looks }, late as never);
    expect(fusion.layers.map(({ name, value }) => [name, value])).toEqual([
      ["rules", null],
      ["deep", null],
      ["multi_timeframe", -0.5],
      ["sentiment", null],
    ]);
    expect(fusion.layers[0].reason).toMatch(/bars end at 2021-03-31T20:00:00.000Z, .* 2025-09-26T20/);
    expect(leading).toBeNull();
    expect(readMarket({ ...rest, looks: [late] }, late as never).leading).not.toBeNull();
  });
});

describe("a size", () => {
  const share = fc.double({ min: 0.001, max: 1, noNaN: true });
  const layer = fc.option(fc.double({ min: -1, max: 1, noNaN: true }), { nil: null });

  /** A reading of what the layers say, at a price of 100 and an average range of some percent of it. */
  function readingOf(
    rules: number | null,
    frames: number | null,
    range: number,
    action: string,
    assetClass: AssetClass = "index",
  ): Reading {
    const input = (value: number | null) => (value === null ? { value, reason: "silent" } : { value });
    const fusion = fuseLayers(
      { rules: input(rules), deep: input(null), multi_timeframe: input(frames), sentiment: input(null) },
      null,
    );
    return {
      main: {
        set: { stale: false, instrument: { symbol: "ACME", assetClass, currency: "USD" } },
        ...{ close: 100, range, volatility: "medium" },
      },
      fusion,
      leading: null,
      live: [],
      timeframes: { divergence: null },
      quote: { value: null, reason: "none" },
      levels: levelsFor(fusion.direction, 100, range),
      decision: { action, reasons: [] },
    } as unknown as Reading;
  }

  it("never risks or holds more than the settings allow, and is the same share with and without an equity", () => {
    fc.assert(
      fc.property(layer, layer, share, share, share, (rules, frames, range, most, risk) => {
        const settings = { ...DEFAULT_RISK_SETTINGS, max_position_size: 99 * most, risk_per_trade: 5 * risk };
        const reading = readingOf(rules, frames, 20 * range, "BUY");
        const limits = limitsOf(settings);
        const { sizing, check } = recommend(reading, limits);
        const funded = recommend(reading, limits, { ...UNKNOWN_ACCOUNT, equity: 50_000 });
        expect(sizing.percent).toBeLessThanOrEqual(sizing.mostPercent * (1 + 1e-12));
        expect(sizing.mostPercent).toBeCloseTo(99 * most, 9);
        expect(sizing.riskPercent).toBeLessThanOrEqual(5 * risk * (1 + 1e-12));
        expect(sizing.percent).toBeGreaterThan(0);
        expect(check?.refusals).toEqual([]);
        expect(sizing.size).toBeNull();
        expect(funded.check?.refusals).toEqual([]);
        expect(funded.sizing.percent).toBeCloseTo(sizing.percent, 9);
      }),
    );
  });

  it("is of whole units where there are shares, and of any fraction of a coin", () => {
    const limits = limitsOf({ ...DEFAULT_RISK_SETTINGS, max_position_size: 10, risk_per_trade: 5 });
    const sized = (assetClass: AssetClass, equity: number) =>
      recommend(readingOf(0.5, 0.5, 2, "BUY", assetClass), limits, { ...UNKNOWN_ACCOUNT, equity });
    expect(sized("equity", 57_250).sizing).toMatchObject({ size: { quantity: 57 }, percent: 5_700 / 572.5 });
    expect(sized("equity", 57_250).check?.refusals).toEqual([]);
    expect(sized("crypto", 57_250).sizing.size?.quantity).toBe(57.25);
    expect(sized("equity", 333).sizing).toMatchObject({ size: { quantity: 0 }, percent: 0 });
    expect(sized("index", 57_250).sizing.size?.quantity).toBeCloseTo(57.25, 9);
  });

  it("is what is left beside what is held, and refused where nothing is", () => {
    const reading = readingOf(0.5, 0.5, 2, "BUY");
    const limits = limitsOf({ ...DEFAULT_RISK_SETTINGS, max_position_size: 10, risk_per_trade: 5 });
    const held = (buy: number) =>
      recommend(reading, limits, {
        ...UNKNOWN_ACCOUNT,
        equity: 50_000,
        symbolValue: { buy, sell: 0 },
      });
    expect(held(0).sizing.percent).toBeCloseTo(10, 9);
    expect(held(1_500)).toMatchObject({ action: "BUY", sizing: { mostPercent: 10 } });
    expect(held(1_500).sizing.percent).toBeCloseTo(7, 9);
    const full = held(5_000);
    expect(full.action).toBe("AVOID");
    expect(full.reasons).toMatchObject([{ code: "position_too_large" }]);
  });

  it("is nothing where Kelly stakes nothing at what is measured", () => {
    const led = (value: number) => ({
      ...readingOf(0.5, 0.5, 2, "BUY"),
      leading: {
        confidence: {
          value,
          hitRate: value,
          low: value - 0.05,
          high: value + 0.05,
          baseRate: 0.43,
          n: 400,
          edgeHigh: 0.05,
        },
      },
    });
    const limits = limitsOf(DEFAULT_RISK_SETTINGS);
    const without = recommend(led(0.42) as unknown as Reading, limits);
    expect(without.sizing).toMatchObject({ percent: 0, riskPercent: 0, kelly: 0, kellyMeasured: true });
    expect(recommend(led(0.44) as unknown as Reading, limits).sizing.percent).toBeGreaterThan(0);
  });

  it("is nothing where there is no trade", () => {
    for (const action of ["HOLD", "AVOID"]) {
      const { sizing, action: found } = recommend(
        readingOf(0.5, 0.5, 2, action),
        limitsOf(DEFAULT_RISK_SETTINGS),
      );
      expect(found).toBe(action);
      expect(sizing).toMatchObject({ percent: 0, riskPercent: 0, size: null, kelly: 0 });
    }
  });
});
