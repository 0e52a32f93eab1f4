import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { computeIndicator, resolveParameters } from "../../src/core/indicators/define.js";
import { findIndicator } from "../../src/core/indicators/index.js";
import { readBars, readColumns } from "../fixtures/series.js";
import { sharedPath } from "../fixtures/shared.js";

/**
 * TA-Lib C 0.6.0-dev over seven synthetic series of 5,000 bars; files, versions and tolerance are described
 * in the README beside them.
 */
const SERIES = [
  "trend_up",
  "trend_down",
  "range",
  "highvol_gaps",
  "tick_quantised",
  "flat_illiquid",
  "crypto_small",
];

interface Column {
  readonly column: string;
  readonly indicator: string;
  readonly values?: Readonly<Record<string, number>>;
  readonly output?: string;
}

const COLUMNS: readonly Column[] = [
  { column: "SMA(20)", indicator: "sma", values: { period: 20 } },
  { column: "SMA(200)", indicator: "sma", values: { period: 200 } },
  { column: "EMA(12)", indicator: "ema", values: { period: 12 } },
  { column: "EMA(50)", indicator: "ema", values: { period: 50 } },
  { column: "WMA(20)", indicator: "wma", values: { period: 20 } },
  { column: "RSI(14)", indicator: "rsi", values: { period: 14 } },
  { column: "MACD(12;26;9).MACD", indicator: "macd", output: "macd" },
  { column: "MACD(12;26;9).MACDSignal", indicator: "macd", output: "signal" },
  { column: "MACD(12;26;9).MACDHist", indicator: "macd", output: "histogram" },
  { column: "BBANDS(20;2;2;0).RealUpperBand", indicator: "bbands", output: "upper" },
  { column: "BBANDS(20;2;2;0).RealMiddleBand", indicator: "bbands", output: "middle" },
  { column: "BBANDS(20;2;2;0).RealLowerBand", indicator: "bbands", output: "lower" },
  { column: "ATR(14)", indicator: "atr", values: { period: 14 } },
  { column: "NATR(14)", indicator: "natr", values: { period: 14 } },
  { column: "TRANGE", indicator: "trange" },
  { column: "ADX(14)", indicator: "adx", values: { period: 14 }, output: "adx" },
  { column: "PLUS_DI(14)", indicator: "adx", values: { period: 14 }, output: "plus_di" },
  { column: "MINUS_DI(14)", indicator: "adx", values: { period: 14 }, output: "minus_di" },
  { column: "STOCH(14;3;0;3;0).SlowK", indicator: "stoch", output: "k" },
  { column: "STOCH(14;3;0;3;0).SlowD", indicator: "stoch", output: "d" },
  { column: "CCI(20)", indicator: "cci", values: { period: 20 } },
  { column: "MFI(14)", indicator: "mfi", values: { period: 14 } },
  { column: "OBV", indicator: "obv" },
  { column: "WILLR(14)", indicator: "willr", values: { period: 14 } },
  { column: "ROC(10)", indicator: "roc", values: { period: 10 } },
  { column: "STDDEV(20;1)", indicator: "stddev", values: { period: 20 } },
];

function firstDefined(column: Float64Array): number {
  return column.findIndex((value) => !Number.isNaN(value));
}

function meanMagnitude(column: Float64Array): number {
  const defined = column.filter((value) => !Number.isNaN(value));
  return defined.reduce((sum, value) => sum + Math.abs(value), 0) / defined.length;
}

/** Cells outside |a - b| <= 1e-9 max(|b|, 0.01 mean|column|), as text: index, ours, theirs. */
function mismatches(ours: Float64Array, theirs: Float64Array): string[] {
  const floor = 0.01 * meanMagnitude(theirs);
  const found: string[] = [];
  for (let i = 0; i < theirs.length; i++) {
    if (Number.isNaN(theirs[i]) && Number.isNaN(ours[i])) continue;
    const difference = Math.abs(ours[i] - theirs[i]);
    if (!(difference <= 1e-9 * Math.max(Math.abs(theirs[i]), floor))) {
      found.push(`${i}: ${ours[i]} against ${theirs[i]}`);
    }
  }
  return found;
}

describe.skipIf(sharedPath("oracle") === null)("TA-Lib", () => {
  describe.each(SERIES)("%s", (series) => {
    const bars = readBars(`${sharedPath("oracle", `${series}.ohlcv.csv`)}`);
    const oracle = readColumns(`${sharedPath("oracle", `${series}.indicators.csv.gz`)}`);

    it.each(COLUMNS)("$column", ({ column, indicator: name, values: given = {}, output: outputName }) => {
      const indicator = ensure(findIndicator(name), `indicator ${name}`);
      const { values, problem } = resolveParameters(indicator, given);
      expect(problem).toBeNull();
      const output = Math.max(
        0,
        indicator.outputs.findIndex((candidate) => candidate.name === outputName),
      );
      const ours = computeIndicator(indicator, bars, ensure(values, name))[output];
      const theirs = ensure(oracle.get(column), column);
      expect(firstDefined(ours), "look-back").toBe(firstDefined(theirs));
      expect(indicator.warmup(ensure(values, name), output)).toBe(firstDefined(theirs));
      expect(mismatches(ours, theirs)).toEqual([]);
    });
  });
});
