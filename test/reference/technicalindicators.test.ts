import * as technicalindicators from "technicalindicators";
import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { computeIndicator, resolveParameters } from "../../src/core/indicators/define.js";
import { findIndicator, INDICATORS } from "../../src/core/indicators/index.js";
import { walkBars } from "../fixtures/series.js";

/**
 * What the package technicalindicators 3.1.0 computes as TA-Lib does and what it does not, on bars of a coarse
 * tick, of which some have no range. Where it errs only our own row can be right; where it is exact ours gives
 * the same numbers without allocating. Rows of origin "technicalindicators" are the package's own.
 */
const bars = walkBars(600, 77, { tick: 0.25, quiet: true });
const [high, low, close, volume] = [bars.high, bars.low, bars.close, bars.volume].map((column) =>
  Array.from(column),
);

type Results = readonly (number | Readonly<Record<string, number | undefined>>)[];

interface Comparison {
  readonly indicator: string;
  readonly values?: Readonly<Record<string, number>>;
  readonly output?: string;
  /** Field of their results, where those are objects. */
  readonly field?: string;
  run(): Results;
}

const { SMA, EMA, WMA, WEMA, BollingerBands, ATR, CCI, WilliamsR, ROC, TRIX, SD } = technicalindicators;
const { AwesomeOscillator, TrueRange, RSI, MFI, Stochastic, ADL, OBV, MACD, ADX, PSAR, ForceIndex } =
  technicalindicators;
const period = 14;
const prices = { high, low, close, period };

const SAME: readonly Comparison[] = [
  { indicator: "sma", values: { period }, run: () => SMA.calculate({ values: close, period }) },
  { indicator: "ema", values: { period }, run: () => EMA.calculate({ values: close, period }) },
  { indicator: "wma", values: { period }, run: () => WMA.calculate({ values: close, period }) },
  { indicator: "smma", values: { period }, run: () => WEMA.calculate({ values: close, period }) },
  { indicator: "atr", values: { period }, run: () => ATR.calculate(prices) },
  { indicator: "cci", values: { period }, run: () => CCI.calculate(prices) },
  { indicator: "willr", values: { period }, run: () => WilliamsR.calculate(prices) },
  { indicator: "roc", values: { period }, run: () => ROC.calculate({ values: close, period }) },
  { indicator: "trix", values: { period }, run: () => TRIX.calculate({ values: close, period }) },
  { indicator: "stddev", values: { period }, run: () => SD.calculate({ values: close, period }) },
  {
    indicator: "force_index",
    values: { period: 1 },
    run: () => ForceIndex.calculate({ close, volume, period: 1 }),
  },
  { indicator: "trange", run: () => TrueRange.calculate({ high, low, close }) },
  {
    indicator: "awesome_oscillator",
    run: () => AwesomeOscillator.calculate({ high, low, fastPeriod: 5, slowPeriod: 34 }),
  },
  ...["upper", "middle", "lower"].map((field) => ({
    ...{ indicator: "bbands", values: { period, deviations: 2 }, output: field, field },
    run: () => BollingerBands.calculate({ values: close, period, stdDev: 2 }) as unknown as Results,
  })),
];

const OTHER: readonly (Comparison & { readonly why: string })[] = [
  {
    indicator: "rsi",
    why: "rounded to two decimals",
    run: () => RSI.calculate({ values: close, period }),
  },
  {
    indicator: "mfi",
    why: "rounded to two decimals; an unchanged price counts as fallen",
    run: () => MFI.calculate({ ...prices, volume }),
  },
  {
    indicator: "stoch",
    output: "k",
    field: "k",
    why: "its %K is the fast one",
    run: () => Stochastic.calculate({ ...prices, signalPeriod: 3 }) as unknown as Results,
  },
  {
    indicator: "ad",
    why: "rounded to whole numbers; a bar without range counts with all its volume",
    run: () => ADL.calculate({ high, low, close, volume }),
  },
  {
    indicator: "obv",
    why: "starts at 0 and leaves the first bar out",
    run: () => OBV.calculate({ close, volume }),
  },
  {
    indicator: "macd",
    output: "signal",
    field: "signal",
    why: "the fast average starts at the first close",
    run: () =>
      MACD.calculate({
        ...{ values: close, fastPeriod: 12, slowPeriod: 26, signalPeriod: 9 },
        ...{ SimpleMAOscillator: false, SimpleMASignal: false },
      }) as unknown as Results,
  },
  {
    indicator: "adx",
    output: "adx",
    field: "adx",
    why: "other first sums",
    run: () => ADX.calculate(prices) as unknown as Results,
  },
  {
    indicator: "sar",
    why: "another start and other clamping",
    run: () => PSAR.calculate({ high, low, step: 0.02, max: 0.2 }),
  },
];

/** Our values and theirs, both ending at the last bar; theirs from their first on. */
function pair({ indicator: name, values, output, field, run }: Comparison): {
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
} {
  const indicator = ensure(findIndicator(name), name);
  const resolved = ensure(resolveParameters(indicator, values ?? {}).values, name);
  const at = Math.max(
    0,
    indicator.outputs.findIndex((row) => row.name === output),
  );
  const column = computeIndicator(indicator, bars, resolved)[at];
  const theirs = run()
    .map((value) => (typeof value === "number" ? value : value[ensure(field ?? null, "field")]))
    .filter((value): value is number => value !== undefined);
  return { ours: Array.from(column.slice(indicator.warmup(resolved, at))), theirs };
}

/** Whether as many values are the same within 1e-8 of the largest. */
function same({ ours, theirs }: ReturnType<typeof pair>): boolean {
  const size = Math.max(...ours.map(Math.abs));
  return (
    ours.length === theirs.length && ours.every((value, i) => Math.abs(value - theirs[i]) <= 1e-8 * size)
  );
}

describe("technicalindicators", () => {
  it.each(SAME)("$indicator $output: the same", (row) => {
    expect(same(pair(row))).toBe(true);
  });

  it.each(OTHER)("$indicator $output differs: $why", (row) => {
    expect(same(pair(row))).toBe(false);
  });

  it("stands behind no row but those it computes exactly", () => {
    const taken = INDICATORS.filter((row) => row.origin === "technicalindicators").map((row) => row.name);
    expect(taken).toEqual(["trange"]);
    expect(SAME.map((row) => row.indicator)).toEqual(expect.arrayContaining(taken));
  });
});
