import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { hash32 } from "../../src/core/base/rng.js";
import { type Bar, candlesFromRows } from "../../src/core/market/candles.js";
import { CANDLESTICKS } from "../../src/core/patterns/candlestick/index.js";
import type { Hit, PatternSeries } from "../../src/core/patterns/define.js";
import { createPatternSeries } from "../../src/core/patterns/series.js";
import { GOLDEN } from "../fixtures/candlestick-golden.js";
import { loadOracle, type OracleCase, REGIMES } from "../fixtures/candlestick-oracle.js";
import { patternSample } from "../fixtures/pattern-sample.js";
import { sharedPath } from "../fixtures/shared.js";

type Regime = (typeof REGIMES)[number];

const loaded = new Map<Regime, OracleCase & { readonly series: PatternSeries }>();

function load(regime: Regime): OracleCase & { readonly series: PatternSeries } {
  const known = loaded.get(regime);
  if (known !== undefined) return known;
  const oracle = loadOracle(regime);
  const entry = { ...oracle, series: createPatternSeries(oracle.candles) };
  loaded.set(regime, entry);
  return entry;
}

const rows = CANDLESTICKS.flatMap((row) => (row.talib === null ? [] : [[row.talib, row] as const]));

describe.skipIf(sharedPath("oracle") === null)("candlesticks against TA-Lib", () => {
  describe.each(REGIMES)("%s", (regime) => {
    it.each(rows)("%s: no bar differs", (talib, row) => {
      const { series, expected } = load(regime);
      const { values, begin } = expected(talib);
      const out = new Int16Array(values.length);
      row.signal(series, out, 0, out.length);
      const differences = [...out.keys()].filter((i) => out[i] !== values[i]);
      expect(differences.map((i) => `bar ${i}: ${out[i]} instead of ${values[i]}`)).toEqual([]);
      expect(row.warmup).toBe(begin);
    });
  });

  it.each(rows)("%s: hits and their qualities spread over the range", (_, row) => {
    const hits: Hit[] = [];
    for (const regime of REGIMES) {
      const { series } = load(regime);
      row.find(series, 0, series.candles.time.length, hits);
    }
    expect(hits.length).toBeGreaterThanOrEqual(10);
    if (hits.length < 100) return;
    const qualities = hits.map(({ quality }) => quality).sort((a, b) => a - b);
    const quantile = (share: number) => qualities[Math.floor(share * (qualities.length - 1))];
    const best = qualities.filter((quality) => quality >= 0.85).length / qualities.length;
    expect(quantile(0.9) - quantile(0.1)).toBeGreaterThan(0.25);
    expect(best).toBeGreaterThan(0.03);
    expect(best).toBeLessThan(0.5);
  });
});

describe("candlesticks in a walk that TA-Lib in C has seen", () => {
  const candles = patternSample(100_000, 2);
  const series = createPatternSeries(candles);
  const out = new Int16Array(candles.time.length);

  it.each(rows)("%s: every bar agrees", (talib, row) => {
    row.signal(series, out, 0, out.length);
    const found: string[] = [];
    for (let i = 0; i < out.length; i++) if (out[i] !== 0) found.push(`${i}:${out[i]}`);
    expect([found.length, hash32(found.join(" "))]).toEqual(GOLDEN[talib]);
  });
});

interface TextbookCase {
  readonly id: number;
  readonly input: Readonly<Record<"open" | "high" | "low" | "close", readonly number[]>>;
}

/**
 * Examples of the package technicalindicators in which TA-Lib's shape is seen too. They come without history,
 * and TA-Lib measures against the ten bars before: `body` and `range` are those of such bars, in multiples of
 * the largest of the case.
 */
const AGREED: readonly (readonly [
  id: number,
  row: string,
  bar: number,
  value: number,
  body: number,
  range: number,
])[] = [
  [0, "abandoned_baby", 2, 100, 0.5, 1],
  [2, "engulfing", 1, -100, 0.5, 1],
  [5, "harami", 1, -100, 0.5, 1],
  [6, "harami_cross", 1, -100, 0.5, 1],
  [12, "engulfing", 1, 100, 0.5, 1],
  [15, "harami_cross", 1, 100, 0.5, 1],
  [17, "marubozu", 0, 100, 0.5, 1],
  [20, "doji", 0, 100, 1, 1],
  [21, "doji", 0, 100, 1, 1],
  [22, "tasuki_gap", 2, -100, 0.5, 2],
  [25, "evening_doji_star", 2, -100, 0.5, 1],
  [26, "evening_star", 2, -100, 0.5, 1],
  [27, "gravestone_doji", 0, 100, 1, 1],
  [30, "inverted_hammer", 3, 100, 1, 1],
  [31, "hammer", 3, 100, 1, 1],
  [32, "inverted_hammer", 3, 100, 1, 1],
  [35, "hammer", 4, 100, 1, 1],
  [36, "inverted_hammer", 4, 100, 1, 1],
  [37, "hanging_man", 3, -100, 0.5, 1],
  [40, "hanging_man", 4, -100, 0.5, 1],
  [41, "morning_doji_star", 2, 100, 0.5, 1],
  [42, "morning_star", 2, 100, 0.5, 1],
];

/** Examples in which TA-Lib's shape is not seen, whatever came before. */
const DISPUTED: readonly (readonly [id: number, row: string, why: string])[] = [
  [7, "inverted_hammer", "one bar alone: TA-Lib wants its body below the body before"],
  [16, "inverted_hammer", "one bar alone: TA-Lib wants its body below the body before"],
  [45, "shooting_star", "the bodies touch: TA-Lib wants a gap"],
  [46, "shooting_star", "the bodies overlap: TA-Lib wants a gap"],
  [47, "shooting_star", "the bodies touch: TA-Lib wants a gap"],
];

/** Colour of a few bars, and tweezers: TA-Lib has no such function. */
const UNKNOWN = [1, 10, 11, 50, 51];

function valuesAfter({ input }: TextbookCase, name: string, body: number, range: number): number[] {
  const { open, high, low, close } = input;
  const bars = high.map((_, i) => ({ open: open[i], high: high[i], low: low[i], close: close[i] }));
  const largestBody = Math.max(...bars.map((bar) => Math.abs(bar.close - bar.open)), 0.01);
  const largestRange = Math.max(...bars.map((bar) => bar.high - bar.low));
  const half = (body * largestBody) / 2;
  const reach = Math.max((range * largestRange) / 2, half);
  const middle = open[0];
  const before = Array.from({ length: 14 }, (_, i) => {
    const side = i % 2 === 0 ? 1 : -1;
    return {
      open: middle - side * half,
      high: middle + reach,
      low: middle - reach,
      close: middle + side * half,
    };
  });
  const all = [...before, ...bars].map((bar, i): Bar => ({ ...bar, time: i, volume: 0 }));
  const row = ensure(
    CANDLESTICKS.find((candidate) => candidate.name === name),
    `no row ${name}`,
  );
  const out = new Int16Array(all.length);
  row.signal(createPatternSeries(candlesFromRows("CASE", "1d", all)), out, 0, out.length);
  return Array.from(out.slice(before.length));
}

const casesPath = sharedPath("data", "patterns", "candlestick-cases.json");

describe.skipIf(casesPath === null)("textbook examples", () => {
  const read = () =>
    JSON.parse(readFileSync(ensure(casesPath, "textbook examples"), "utf8")) as readonly TextbookCase[];
  const find = (id: number) =>
    ensure(
      read().find((example) => example.id === id),
      `no example ${id}`,
    );

  it("are all spoken of below", () => {
    const ids = [...AGREED.map(([id]) => id), ...DISPUTED.map(([id]) => id), ...UNKNOWN];
    expect(ids.sort((a, b) => a - b)).toEqual(read().map(({ id }) => id));
  });

  it.each(AGREED)("%i: %s is seen at bar %i", (id, name, bar, value, body, range) => {
    expect(valuesAfter(find(id), name, body, range)[bar]).toBe(value);
  });

  it.each(DISPUTED)("%i: no %s, because %s", (id, name) => {
    for (const body of [0.25, 0.5, 1, 2]) {
      for (const range of [0.25, 0.5, 1, 2]) {
        expect(valuesAfter(find(id), name, body, range).every((value) => value === 0)).toBe(true);
      }
    }
  });
});
