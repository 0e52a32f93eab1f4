import { readdirSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { computeIndicator, resolveParameters } from "../../src/core/indicators/define.js";
import { findIndicator } from "../../src/core/indicators/index.js";
import { readBars, readColumns } from "../fixtures/series.js";
import { sharedPath } from "../fixtures/shared.js";

/**
 * Results of DaveSkender/Stock.Indicators over 502 daily bars of SPY (2017-2018), which that project checks
 * against spreadsheets. Where it takes another convention than TA-Lib, ours is TA-Lib's: the row then says
 * from which bar on both agree, by how many bars its line is drawn later, or what it adds.
 */
interface Column {
  readonly file: string;
  readonly column: string;
  readonly indicator: string;
  readonly values?: Readonly<Record<string, number>>;
  readonly output?: string;
  /** First bar compared; without it, their first value, where ours must start too. */
  readonly from?: number;
  /** Their value at bar i is ours at bar i - shift. */
  readonly shift?: number;
}

function column(
  [file, name]: readonly [string, string],
  indicator: string,
  rest: Omit<Column, "file" | "column" | "indicator"> = {},
): Column {
  return { file, column: name, indicator, ...rest };
}

const COLUMNS: readonly Column[] = [
  // Their first Wilder sums run over 14 changes, TA-Lib's over 13.
  column(["adx", "pdi"], "adx", { output: "plus_di", from: 245 }),
  column(["adx", "mdi"], "adx", { output: "minus_di", from: 231 }),
  column(["adx", "dx"], "dx", { from: 254 }),
  column(["adx", "adx"], "adx", { output: "adx", from: 295 }),
  column(["alligator", "jaw"], "alligator", { output: "jaw" }),
  column(["alligator", "teeth"], "alligator", { output: "teeth" }),
  column(["alligator", "lips"], "alligator", { output: "lips" }),
  column(["atr", "tr"], "trange"),
  column(["atr", "atr"], "atr"),
  column(["atr", "atrp"], "natr"),
  column(["bb", "sma"], "bbands", { output: "middle" }),
  column(["bb", "upperBand"], "bbands", { output: "upper" }),
  column(["bb", "lowerBand"], "bbands", { output: "lower" }),
  column(["bb", "percentB"], "percent_b"),
  column(["bb", "zScore"], "zscore"),
  column(["bb", "width"], "bollinger_width"),
  column(["cci", "cci"], "cci"),
  column(["cmf", "cmf"], "cmf"),
  // They seed an average of averages with its first value, TA-Lib with the mean of the first `period`.
  column(["dema", "dema"], "dema", { values: { period: 14 }, from: 117 }),
  column(["tema", "tema"], "tema", { values: { period: 20 }, from: 213 }),
  column(["trix", "trix"], "trix", { values: { period: 14 }, from: 181 }),
  // Their channel ends at the bar before.
  column(["donchian", "upperBand"], "donchian", { output: "upper", from: 20, shift: 1 }),
  column(["donchian", "centerline"], "donchian", { output: "middle", from: 20, shift: 1 }),
  column(["donchian", "lowerBand"], "donchian", { output: "lower", from: 20, shift: 1 }),
  column(["ema", "ema"], "ema", { values: { period: 20 } }),
  column(["heikinashi", "open"], "heikin_ashi", { output: "open" }),
  column(["heikinashi", "high"], "heikin_ashi", { output: "high" }),
  column(["heikinashi", "low"], "heikin_ashi", { output: "low" }),
  column(["heikinashi", "close"], "heikin_ashi", { output: "close" }),
  column(["hma", "hma"], "hma", { values: { period: 14 } }),
  column(["ichimoku", "tenkanSen"], "ichimoku", { output: "conversion" }),
  column(["ichimoku", "kijunSen"], "ichimoku", { output: "base" }),
  column(["ichimoku", "senkouSpanA"], "ichimoku", { output: "span_a" }),
  column(["ichimoku", "senkouSpanB"], "ichimoku", { output: "span_b" }),
  column(["kama", "er"], "efficiency_ratio", { values: { period: 10 } }),
  // They show the close that the average starts from, one bar early.
  column(["kama", "kama"], "kama", { values: { period: 10 }, from: 10 }),
  column(["keltner", "upperBand"], "keltner", { output: "upper" }),
  column(["keltner", "centerline"], "keltner", { output: "middle" }),
  column(["keltner", "lowerBand"], "keltner", { output: "lower" }),
  // They seed the fast average with its own first closes.
  column(["macd", "macd"], "macd", { output: "macd", from: 137 }),
  column(["macd", "signal"], "macd", { output: "signal", from: 169 }),
  column(["macd", "histogram"], "macd", { output: "histogram", from: 167 }),
  column(["macd", "fastEma"], "ema", { values: { period: 12 } }),
  column(["macd", "slowEma"], "ema", { values: { period: 26 } }),
  column(["mfi", "mfi"], "mfi"),
  // They wait for the first reversal.
  column(["psar", "sar"], "sar", { from: 251 }),
  column(["roc", "momentum"], "mom", { values: { period: 14 } }),
  column(["roc", "roc"], "roc", { values: { period: 14 } }),
  column(["rsi", "rsi"], "rsi"),
  column(["sma", "sma"], "sma", { values: { period: 20 } }),
  column(["smma", "smma"], "smma", { values: { period: 20 } }),
  column(["stdev", "stdDev"], "stddev", { values: { period: 14 } }),
  column(["stdev", "mean"], "sma", { values: { period: 14 } }),
  column(["stdev", "zScore"], "zscore", { values: { period: 14 } }),
  // TA-Lib shows %K from the first %D on.
  column(["stoch", "k"], "stoch", { output: "k", from: 17 }),
  column(["stoch", "d"], "stoch", { output: "d" }),
  column(["supertrend", "superTrend"], "supertrend", { output: "supertrend" }),
  column(["tr", "tr"], "trange"),
  column(["uo", "ultimate"], "ultosc"),
  // One session for the whole series.
  column(["vwap", "vwap"], "vwap", { values: { days: 100_000 } }),
  column(["willr", "williamsR"], "willr"),
  column(["wma", "wma"], "wma", { values: { period: 14 } }),
];

/** Columns without a test of their own above or below, and why. */
const NOT_COMPARED: Readonly<Record<string, string>> = {
  "aroon oscillator": "the difference of two that are compared",
  "cmf moneyFlowMultiplier": "a step on the way to the one that is compared",
  "cmf moneyFlowVolume": "a step on the way to the one that is compared",
  "donchian width": "a ratio of three that are compared",
  "heikinashi date": "the time again",
  "heikinashi volume": "the volume of the bar",
  "ichimoku chikouSpan": "the close of 26 bars later: no row shows what is not known yet",
  "keltner width": "a ratio of three that are compared",
  "psar isReversal": "follows from the side of the price that the line is on",
  "stoch oscillator": "%K again",
  "stoch signal": "%D again",
  "stoch percentJ": "3 %K - 2 %D",
  "stoch j": "3 %K - 2 %D",
  "supertrend upperBand": "the compared line while it is above",
  "supertrend lowerBand": "the compared line while it is below",
  "trix ema3": "a step on the way to the one that is compared",
};

/** Files of things that the table does not have. */
const OTHER_FILES: Readonly<Record<string, string>> = {
  doji: "a candlestick, there by another rule than TA-Lib's",
  marubozu: "a candlestick, there by another rule than TA-Lib's",
  pivots: "points that bars after them decide",
  zigzag: "points that bars after them decide",
};

describe.skipIf(sharedPath("data", "reference", "indicators") === null)("Stock.Indicators", () => {
  const folder = `${sharedPath("data", "reference")}`;
  let bars: ReturnType<typeof readBars>;
  beforeAll(() => {
    bars = readBars(`${folder}/skender-default-502-bars.csv.gz`);
  });

  function theirs(file: string, name: string): Float64Array {
    return ensure(readColumns(`${folder}/indicators/${file}.csv.gz`).get(name), `${file} ${name}`);
  }

  function ours(name: string, given: Readonly<Record<string, number>> = {}, outputName = ""): Float64Array {
    const indicator = ensure(findIndicator(name), `indicator ${name}`);
    const values = ensure(resolveParameters(indicator, given).values, name);
    const output = indicator.outputs.findIndex((candidate) => candidate.name === outputName);
    return computeIndicator(indicator, bars, values)[Math.max(0, output)];
  }

  it.each(COLUMNS)("$file $column", ({ file, column: name, indicator, values, output, from, shift = 0 }) => {
    const expected = theirs(file, name);
    const actual = ours(indicator, values, output);
    const first = expected.findIndex((value) => !Number.isNaN(value));
    if (from === undefined) expect(actual.findIndex((value) => !Number.isNaN(value))).toBe(first);
    const size = expected.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : Math.abs(value)), 0) / 502;
    for (let i = from ?? first; i < expected.length; i++) {
      const difference = Math.abs(actual[i - shift] - expected[i]);
      expect(difference, `bar ${i}`).toBeLessThanOrEqual(1e-9 * Math.max(Math.abs(expected[i]), 0.01 * size));
    }
  });

  it("has no column that is neither compared nor explained", () => {
    const compared = new Set(COLUMNS.map((row) => `${row.file} ${row.column}`));
    for (const name of ["obv obv", "adx adxr", "aroon aroonUp", "aroon aroonDown"]) compared.add(name);
    const files = readdirSync(`${folder}/indicators`).map((name) => name.replace(".csv.gz", ""));
    const columns = files
      .filter((file) => OTHER_FILES[file] === undefined)
      .flatMap((file) =>
        [...readColumns(`${folder}/indicators/${file}.csv.gz`).keys()].map((name) => [file, name]),
      )
      .filter(([, name]) => name !== "timestamp")
      .map((key) => key.join(" "));
    expect(columns.filter((key) => !compared.has(key) && NOT_COMPARED[key] === undefined)).toEqual([]);
    expect([...compared, ...Object.keys(NOT_COMPARED)].filter((key) => !columns.includes(key))).toEqual([]);
  });

  it("obv obv: theirs starts at 0, ours at the first volume", () => {
    const expected = theirs("obv", "obv");
    const actual = ours("obv");
    for (let i = 0; i < expected.length; i++) expect(actual[i] - bars.volume[0]).toBe(expected[i]);
  });

  it("adx adxr: theirs is the mean with ADX 14 bars ago, TA-Lib's with 13", () => {
    const expected = theirs("adx", "adxr");
    const actual = ours("adx");
    for (let i = 320; i < expected.length; i++) {
      expect((actual[i] + actual[i - 14]) / 2).toBeCloseTo(expected[i], 7);
    }
  });

  it.each(["aroonUp", "aroonDown"])("aroon %s: theirs counts the first of equal extremes", (name) => {
    const expected = theirs("aroon", name);
    const actual = ours("aroon", { period: 25 }, name === "aroonUp" ? "up" : "down");
    const column = name === "aroonUp" ? bars.high : bars.low;
    let compared = 0;
    for (let i = 25; i < expected.length; i++) {
      const window = [...column.subarray(i - 25, i + 1)];
      const extreme = name === "aroonUp" ? Math.max(...window) : Math.min(...window);
      if (window.indexOf(extreme) !== window.lastIndexOf(extreme)) {
        expect(expected[i]).toBe(4 * window.indexOf(extreme));
        expect(actual[i]).toBe(4 * window.lastIndexOf(extreme));
        continue;
      }
      compared++;
      expect(actual[i]).toBe(expected[i]);
    }
    expect(compared).toBeGreaterThan(400);
  });
});
