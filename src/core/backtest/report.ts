import { assert } from "../base/assert.js";
import { meanOf, momentsOf, sumOf } from "../base/stats.js";
import { DAY_MS } from "../market/day.js";
import { absent, type Figure, figureOf, ratioOf } from "../performance/figure.js";
import {
  type Annualisation,
  type DailyReturns,
  dailyRate,
  exposureShares,
  LEAST,
  type Least,
  omegaOf,
  performanceOf,
} from "../performance/returns.js";
import { kellyShare, statisticsOf, systemQuality } from "../performance/statistics.js";
import { type ClosedTrade, isClosed, returnOf, type Trade } from "../performance/trade.js";
import { againstBenchmark, type Convention, geometricMean, yearlyFigures } from "./conventions.js";
import type { FigureName } from "./figures.js";
import { monthlyTable, type YearRow } from "./months.js";
import {
  type DrawdownPeriod,
  drawdownFigures,
  drawdownPeriods,
  heldShare,
  returnsOfTrack,
  type Track,
  turnoverOf,
  yearsOf,
} from "./track.js";

/** What could have been held instead. */
export interface Benchmark {
  /** Close of each bar of the track, all above 0. */
  readonly close: Float64Array;
  /** The bar at whose close it is bought. */
  readonly from: number;
}

export interface ReportTerms {
  readonly convention: Convention;
  readonly year: Annualisation;
  /** Day of an instant since 1970-01-01, of a zone's clock or of a calendar's sessions. */
  dayAt(timeMs: number): number;
  readonly benchmark: Benchmark | null;
  /** Why there is no benchmark; that none was given by default. */
  readonly noBenchmark?: string;
  /** How many days there must be to tell figures of; as elsewhere by default. */
  readonly least?: Least;
}

/** What a backtest came to; `FIGURES` says what each figure is. */
export interface Report {
  readonly convention: Convention;
  readonly year: Annualisation;
  readonly figures: Readonly<Record<FigureName, Figure>>;
  readonly returns: DailyReturns;
  readonly months: readonly YearRow[];
  readonly drawdowns: readonly DrawdownPeriod[];
}

/** @param trades open and closed ones, money in the unit of the track; of the open ones only what they moved counts. */
export function reportOf(track: Track, trades: readonly Trade[], terms: ReportTerms): Report {
  const { time, equity, long, short } = track;
  for (const column of [equity, long, short, terms.benchmark?.close ?? equity]) {
    assert(column.length === time.length, "columns of a track have one length");
  }
  const returns = returnsOfTrack(track, terms.dayAt);
  const { year, convention } = terms;
  const figures = {
    ...equityFigures(track, terms.least ?? LEAST),
    ...returnFigures(track, returns, terms),
    ...holdingFigures(track, trades),
    ...tradeFigures(trades.filter(isClosed), convention),
  };
  const months = monthlyTable(returns);
  return { convention, year, figures, returns, months, drawdowns: drawdownPeriods(track) };
}

function equityFigures(track: Track, least: Least) {
  const { capital, equity } = track;
  const n = equity.length;
  const none = absent("no bar");
  const last = n === 0 ? null : equity[n - 1];
  const falls = drawdownFigures(track);
  return {
    capital: figureOf(capital),
    final_equity: last === null ? none : figureOf(last),
    peak_equity: last === null ? none : figureOf(equity.reduce((top, each) => Math.max(top, each), capital)),
    total_return: last === null ? none : figureOf(last / capital - 1),
    cagr: growthOfYears(track, least),
    max_drawdown: falls.maxDepth,
    average_drawdown: falls.averageDepth,
    max_drawdown_bars: falls.maxBars,
    average_drawdown_bars: falls.averageBars,
    max_drawdown_days: falls.maxDays,
    average_drawdown_days: falls.averageDays,
  };
}

function growthOfYears(track: Track, least: Least): Figure {
  const years = yearsOf(track);
  const end = track.equity[track.equity.length - 1] / track.capital;
  if (years < least.years || years === 0) return absent(`less than ${least.years} years`);
  return end < 0 ? absent("more than everything was lost") : figureOf(end ** (1 / years) - 1);
}

function returnFigures(track: Track, returns: DailyReturns, terms: ReportTerms) {
  const { convention, year, benchmark, least = LEAST } = terms;
  const maxDepth = drawdownFigures(track).maxDepth;
  const { annualReturn, ...yearly } = yearlyFigures(convention, returns, year, maxDepth, least);
  const { skewness, kurtosis } = momentsOf(returns.value);
  const few = returns.value.length < least.days;
  const moment = (value: number) =>
    few ? absent(returns.reason ?? `fewer than ${least.days} days with a return`) : figureOf(value);
  return {
    annual_return: annualReturn,
    ...yearly,
    omega: omegaOf(returns, dailyRate(year)),
    ulcer: performanceOf(returns, year, least).ulcer,
    skewness: moment(skewness),
    kurtosis: moment(kurtosis),
    ...benchmarkFigures(track, returns, benchmark, terms),
  };
}

function benchmarkFigures(
  track: Track,
  own: DailyReturns,
  benchmark: Benchmark | null,
  { convention, year, dayAt, least = LEAST, noBenchmark = "no benchmark was given" }: ReportTerms,
) {
  const { capital, time, equity } = track;
  const n = time.length;
  if (benchmark === null || n === 0) {
    const none = absent(benchmark === null ? noBenchmark : "no bar");
    return { benchmark_return: none, alpha: none, beta: none };
  }
  const { close, from } = benchmark;
  assert(from >= 0 && from < n, "a benchmark is bought at a bar");
  const held = figureOf(close[n - 1] / close[from] - 1);
  // Of its first day it has a return on the first close, which is not one between days.
  const theirs = returnsOfTrack({ capital: close[0], time, equity: close }, dayAt);
  const between = { ...theirs, day: theirs.day.slice(1), value: theirs.value.slice(1) };
  const total = figureOf(equity[n - 1] / capital - 1);
  const columns = { equity, close, own, benchmark: between, total, held };
  return { benchmark_return: held, ...alphaBeta(convention, columns, year, least) };
}

function alphaBeta(...given: Parameters<typeof againstBenchmark>) {
  const { alpha, beta } = againstBenchmark(...given);
  return { alpha, beta };
}

function holdingFigures(track: Track, trades: readonly Trade[]) {
  const { gross, net } = exposureShares(track);
  return {
    exposure: heldShare(track, trades),
    gross_exposure: gross,
    net_exposure: net,
    turnover: turnoverOf(track, trades),
  };
}

function tradeFigures(trades: readonly ClosedTrade[], convention: Convention) {
  const found = statisticsOf(trades);
  const none = "no trade was closed";
  const told = (value: number | null, reason = none) => (value === null ? absent(reason) : figureOf(value));
  const returns = Float64Array.from(trades.flatMap((trade) => returnOf(trade) ?? []));
  const some = (value: () => number) => (returns.length === 0 ? absent(none) : figureOf(value()));
  const nets = trades.map(({ net }) => net);
  const days = (of: (ms: Float64Array) => number) =>
    some(() => of(Float64Array.from(trades, ({ openedAt, closedAt }) => closedAt - openedAt)) / DAY_MS);
  const most = (values: Float64Array) => values.reduce((top, each) => Math.max(top, each), values[0]);
  return {
    trades: figureOf(found.trades),
    win_rate: told(found.winRate),
    best_trade: some(() => most(returns)),
    worst_trade: some(() => -most(returns.map((each) => -each))),
    average_trade: some(() => geometricMean(returns)),
    expectancy: told(found.expectancy),
    expectancy_return: some(() => meanOf(returns)),
    max_trade_days: days(most),
    average_trade_days: days(meanOf),
    profit_factor:
      convention === "textbook"
        ? told(found.profitFactor, found.trades === 0 ? none : "no trade lost")
        : profitFactorOfReturns(returns),
    payoff: told(found.payoff, "there are not both wins and losses"),
    sqn: systemQuality(convention === "textbook" ? returns : nets),
    kelly: kellyShare(found),
  };
}

function profitFactorOfReturns(returns: Float64Array): Figure {
  if (returns.length === 0) return absent("no trade was closed");
  const won = sumOf(returns.filter((each) => each > 0));
  const lost = -sumOf(returns.filter((each) => each < 0));
  return ratioOf(won, lost, "no trade lost");
}
