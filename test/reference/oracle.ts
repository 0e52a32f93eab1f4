import { ensure } from "../../src/core/base/assert.js";
import { computeIndicator, resolveParameters } from "../../src/core/indicators/define.js";
import { findIndicator } from "../../src/core/indicators/index.js";
import type { Bars } from "../../src/core/market/candles.js";

/**
 * TA-Lib C 0.6.0-dev over seven synthetic series of 5,000 bars; files, versions and tolerance are described
 * in the README beside them.
 */
export const SERIES = [
  "trend_up",
  "trend_down",
  "range",
  "highvol_gaps",
  "tick_quantised",
  "flat_illiquid",
  "crypto_small",
];

export interface Column {
  readonly column: string;
  readonly indicator: string;
  readonly values?: Readonly<Record<string, number>>;
  readonly output?: string;
}

export const COLUMNS: readonly Column[] = [
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
  { column: "DEMA(20)", indicator: "dema", values: { period: 20 } },
  { column: "TEMA(20)", indicator: "tema", values: { period: 20 } },
  { column: "TRIMA(20)", indicator: "trima", values: { period: 20 } },
  { column: "KAMA(30)", indicator: "kama", values: { period: 30 } },
  { column: "T3(5;0.7)", indicator: "t3", values: { period: 5, volume_factor: 0.7 } },
  { column: "ADXR(14)", indicator: "adxr", values: { period: 14 } },
  { column: "DX(14)", indicator: "dx", values: { period: 14 } },
  { column: "AROON(14).AroonDown", indicator: "aroon", output: "down" },
  { column: "AROON(14).AroonUp", indicator: "aroon", output: "up" },
  { column: "AROONOSC(14)", indicator: "aroon", output: "oscillator" },
  { column: "STOCHF(5;3;0).FastK", indicator: "stochf", output: "k" },
  { column: "STOCHF(5;3;0).FastD", indicator: "stochf", output: "d" },
  { column: "STOCHRSI(14;5;3;0).FastK", indicator: "stochrsi", output: "k" },
  { column: "STOCHRSI(14;5;3;0).FastD", indicator: "stochrsi", output: "d" },
  { column: "AD", indicator: "ad" },
  { column: "ADOSC(3;10)", indicator: "adosc", values: { fast: 3, slow: 10 } },
  { column: "MOM(10)", indicator: "mom", values: { period: 10 } },
  { column: "TRIX(15)", indicator: "trix", values: { period: 15 } },
  { column: "ULTOSC(7;14;28)", indicator: "ultosc", values: { short: 7, middle: 14, long: 28 } },
  { column: "SAR(0.02;0.2)", indicator: "sar", values: { acceleration: 0.02, maximum: 0.2 } },
  { column: "PPO(12;26;1)", indicator: "ppo", values: { fast: 12, slow: 26 } },
  { column: "APO(12;26;0)", indicator: "apo", values: { fast: 12, slow: 26 } },
  { column: "CMO(14)", indicator: "cmo", values: { period: 14 } },
  { column: "LINEARREG(14)", indicator: "linreg", values: { period: 14 } },
  { column: "LINEARREG_SLOPE(14)", indicator: "linreg_slope", values: { period: 14 } },
  { column: "BOP", indicator: "bop" },
  { column: "MIDPRICE(14)", indicator: "midprice", values: { period: 14 } },
  { column: "HT_TRENDLINE", indicator: "ht_trendline" },
  { column: "CORREL(30)", indicator: "correl", values: { period: 30 } },
  { column: "BETA(5)", indicator: "beta", values: { period: 5 } },
];

/**
 * Where ours differs by choice. TA-Lib takes a product of sums of squares below 1e-14 for 0, whatever the unit:
 * at prices of 4e-4 it answers a correlation of 0 for every bar. Ours follows the prices at any scale; the
 * scale law in test/core/indicators-laws.test.ts and the plain formula check it.
 */
export const BY_CHOICE: readonly { readonly series: string; readonly column: string }[] = [
  { series: "crypto_small", column: "CORREL(30)" },
];

export function firstDefined(column: Float64Array): number {
  return column.findIndex((value) => !Number.isNaN(value));
}

function meanMagnitude(column: Float64Array): number {
  const defined = column.filter((value) => !Number.isNaN(value));
  return defined.reduce((sum, value) => sum + Math.abs(value), 0) / defined.length;
}

/** Cells outside |a - b| <= 1e-9 max(|b|, 0.01 mean|column|), as text: index, ours, theirs. */
export function mismatches(ours: Float64Array, theirs: Float64Array): string[] {
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

/** Our column for one of theirs, and where the row says that it starts. */
export function computeColumn(column: Column, bars: Bars): { ours: Float64Array; warmup: number } {
  const indicator = ensure(findIndicator(column.indicator), column.indicator);
  const { values, problem } = resolveParameters(indicator, column.values ?? {});
  const resolved = ensure(values, problem ?? column.column);
  const named = indicator.outputs.findIndex((output) => output.name === column.output);
  const output = Math.max(0, named);
  return {
    ours: computeIndicator(indicator, bars, resolved)[output],
    warmup: indicator.warmup(resolved, output),
  };
}
