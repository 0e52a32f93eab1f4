import { deviationOf, sumOf } from "../base/stats.js";
import { compareReturns } from "../performance/benchmark.js";
import { absent, type Figure, figureOf, ratioOf } from "../performance/figure.js";
import {
  type Annualisation,
  type DailyReturns,
  LEAST,
  type Least,
  performanceOf,
} from "../performance/returns.js";

/**
 * How returns of days are read as those of a year. `textbook` is what most books and empyrical have; `compound` is what
 * backtesting.py prints, whose volatility is that of the product of a year's returns (doi 10.2139/ssrn.3054517).
 */
export const CONVENTIONS = ["textbook", "compound"] as const;
export type Convention = (typeof CONVENTIONS)[number];

/** Figures that conventions differ in. Returns and volatility as shares. */
export interface YearlyFigures {
  readonly annualReturn: Figure;
  readonly volatility: Figure;
  readonly sharpe: Figure;
  readonly sortino: Figure;
  readonly calmar: Figure;
}

/**
 * @param returns by day, the first of them of the first day.
 * @param maxDepth the deepest fall of the equity below its peak, bar by bar.
 */
export function yearlyFigures(
  convention: Convention,
  returns: DailyReturns,
  year: Annualisation,
  maxDepth: Figure,
  least: Least = LEAST,
): YearlyFigures {
  const { cagr, volatility, sharpe, sortino } = performanceOf(returns, year, least);
  if (convention === "textbook") {
    return { annualReturn: cagr, volatility, sharpe, sortino, calmar: calmarOf(cagr, maxDepth) };
  }
  return compoundFigures(returns, year, maxDepth, least);
}

function calmarOf(annualReturn: Figure, maxDepth: Figure): Figure {
  if (annualReturn.value === null) return annualReturn;
  return maxDepth.value === null ? maxDepth : ratioOf(annualReturn.value, maxDepth.value, "no drawdown");
}

function compoundFigures(
  returns: DailyReturns,
  year: Annualisation,
  maxDepth: Figure,
  least: Least,
): YearlyFigures {
  // What happens on the first day is not counted as a return.
  const value = returns.value.subarray(1);
  const n = value.length;
  const { cagr, volatility: spread } = performanceOf({ ...returns, value }, year, least);
  const growth = geometricMean(value);
  const annualReturn = cagr.value === null ? cagr : figureOf((1 + growth) ** year.days - 1, ALL_LOST);
  const volatility = spread.value === null ? spread : compoundSpread(value, 1 + growth, year.days);
  const excess = (annualReturn.value ?? Number.NaN) - year.riskFree;
  const below = Math.sqrt(sumOf(value.map((each) => Math.min(0, each) ** 2)) / n) * Math.sqrt(year.days);
  const ratio = (by: Figure, reason: string) =>
    annualReturn.value === null ? annualReturn : by.value === null ? by : ratioOf(excess, by.value, reason);
  return {
    annualReturn,
    volatility,
    sharpe: ratio(volatility, "returns do not vary"),
    sortino: ratio(figureOf(below, "no day with a return"), "no return below 0"),
    calmar: calmarOf(annualReturn, maxDepth),
  };
}

const ALL_LOST = "all was lost at once";

/** What each of the returns would have to be to come to the same together; NaN of none and where all was lost. */
export function geometricMean(returns: Float64Array): number {
  if (returns.some((each) => each <= -1)) return Number.NaN;
  return Math.expm1(sumOf(returns.map((each) => Math.log1p(each))) / returns.length);
}

function compoundSpread(value: Float64Array, growth: number, days: number): Figure {
  const square = growth ** 2;
  // The variance itself, since a deviation of rounding alone would be taken for 0.
  const variance = (deviationOf(value) ** 2 + square) ** days - square ** days;
  return figureOf(Math.sqrt(Math.max(0, variance)), ALL_LOST);
}

/** Returns beside those of what could have been held instead. */
export interface AgainstBenchmark {
  readonly alpha: Figure;
  readonly beta: Figure;
}

/** Columns of one length of an equity and of a benchmark, bar by bar, and their returns by day. */
export interface Against {
  readonly equity: Float64Array;
  readonly close: Float64Array;
  readonly own: DailyReturns;
  readonly benchmark: DailyReturns;
  /** Returns of the whole time, and of the benchmark from where it is held. */
  readonly total: Figure;
  readonly held: Figure;
}

/**
 * `textbook`: covariance per variance of returns by day beyond the rate without risk, and what beta leaves of a day
 * compounded to a year. `compound`: the same of logarithms bar by bar, and what beta leaves of the whole time.
 */
export function againstBenchmark(
  convention: Convention,
  { equity, close, own, benchmark, total, held }: Against,
  year: Annualisation,
  least: Least = LEAST,
): AgainstBenchmark {
  if (convention === "textbook") return compareReturns(own, benchmark, year, least.days);
  const logs = (column: Float64Array) =>
    Float64Array.from({ length: Math.max(0, column.length - 1) }, (_, i) =>
      Math.log(column[i + 1] / column[i]),
    );
  const day = Float64Array.from({ length: Math.max(0, equity.length - 1) }, (_, i) => i);
  if (equity.some((each) => !(each > 0))) {
    const broke = absent("the account had nothing or less");
    return { alpha: broke, beta: broke };
  }
  const column = (value: Float64Array) => ({ day, value, reason: null });
  const none = { days: year.days, riskFree: 0 };
  const { beta } = compareReturns(column(logs(equity)), column(logs(close)), none, least.days);
  if (beta.value === null) return { alpha: beta, beta };
  if (total.value === null) return { alpha: total, beta };
  if (held.value === null) return { alpha: held, beta };
  const { riskFree } = year;
  return { alpha: figureOf(total.value - riskFree - beta.value * (held.value - riskFree)), beta };
}
