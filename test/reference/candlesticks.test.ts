import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { type Candles, candlesFromRows } from "../../src/core/market/candles.js";
import { CANDLESTICKS } from "../../src/core/patterns/candlestick/index.js";
import type { PatternSeries } from "../../src/core/patterns/define.js";
import { createPatternSeries } from "../../src/core/patterns/series.js";
import { sharedPath } from "../fixtures/shared.js";

/** Series of the oracle (TA-Lib 0.6.0-dev, see its README): prices as CSV, hits of all 61 functions as JSON. */
const REGIMES = [
  "trend_up",
  "trend_down",
  "range",
  "highvol_gaps",
  "tick_quantised",
  "flat_illiquid",
  "crypto_small",
  "rare_patterns",
];

interface Expected {
  readonly n: number;
  readonly patterns: Readonly<
    Record<
      string,
      { readonly begin: number; readonly hits: readonly (readonly [bar: number, value: number])[] }
    >
  >;
}

function readCandles(path: string): Candles {
  const rows = readFileSync(path, "utf8").trim().split("\n").slice(1);
  return candlesFromRows(
    "ORACLE",
    "5m",
    rows.map((row) => {
      const [seconds, open, high, low, close, volume] = row.split(",").map(Number);
      return { time: seconds * 1000, open, high, low, close, volume };
    }),
  );
}

function readExpected(path: string): Expected {
  return JSON.parse(gunzipSync(readFileSync(path)).toString("utf8")) as Expected;
}

interface Case {
  readonly series: PatternSeries;
  readonly expected: Expected;
}

const cases = new Map<string, Case>();

function load(regime: string): Case {
  const known = cases.get(regime);
  if (known !== undefined) return known;
  const prices = ensure(sharedPath("oracle", `${regime}.ohlcv.csv`), `prices of ${regime}`);
  const hits = ensure(sharedPath("oracle", `${regime}.cdl.json.gz`), `hits of ${regime}`);
  const loaded = { series: createPatternSeries(readCandles(prices)), expected: readExpected(hits) };
  cases.set(regime, loaded);
  return loaded;
}

describe.skipIf(sharedPath("oracle") === null)("candlesticks against TA-Lib", () => {
  describe.each(REGIMES)("%s", (regime) => {
    it("has the bars the hits were computed from", () => {
      const { series, expected } = load(regime);
      expect(series.candles.time.length).toBe(expected.n);
    });

    it.each(CANDLESTICKS.map((row) => [row.talib, row] as const))("%s: no bar differs", (talib, row) => {
      const { series, expected } = load(regime);
      const out = new Int16Array(expected.n);
      const wanted = new Int16Array(expected.n);
      for (const [bar, value] of expected.patterns[talib].hits) wanted[bar] = value;
      row.signal(series, out, 0, expected.n);
      const differences = [...out.keys()].filter((i) => out[i] !== wanted[i]);
      expect(differences.map((i) => `bar ${i}: ${out[i]} instead of ${wanted[i]}`)).toEqual([]);
      expect(row.warmup).toBe(expected.patterns[talib].begin);
    });
  });
});
