import { deviationOf, meanOf, sumOf } from "../base/stats.js";
import type { EquityDays } from "./equity.js";
import { absent, type Figure, figureOf, ratioOf } from "./figure.js";

/** Returns of days, as columns of one length: 0.01 for one per cent. */
export interface DailyReturns {
  /** Days since 1970-01-01, ascending. */
  readonly day: Float64Array;
  readonly value: Float64Array;
  /** Why there are none although there is an account; null otherwise. */
  readonly reason: string | null;
}

/** How returns of a day are read as those of a year. */
export interface Annualisation {
  /** Trading days of a year: 252 for shares, 365 where trading does not end. */
  readonly days: number;
  /** Return of a year without risk, 0.02 for two per cent; compounded, a day has its root. */
  readonly riskFree: number;
}

/** Days below which a spread of returns says nothing. */
export const LEAST_DAYS = 20;
/** Share of a year below which its growth is not read as that of a year. */
export const LEAST_YEARS = 0.25;

/** How much there must be to tell figures of. */
export interface Least {
  readonly days: number;
  readonly years: number;
}
export const LEAST: Least = { days: LEAST_DAYS, years: LEAST_YEARS };

/** Equity by day with what was moved in and out of it. */
export type MovedEquity = Pick<EquityDays, "day" | "equity" | "paidIn" | "paidOut">;

/**
 * Returns of the days on which there was money, freed of what was paid in and out: what is paid in is there from before
 * the first trade of a day, what is paid out until after the last, `(equity + paidOut) / (equity before + paidIn) - 1`.
 * None at all where the account once owed what it had or more, for nothing can be chained to that.
 */
export function dailyReturns({ day, equity, paidIn, paidOut }: MovedEquity): DailyReturns {
  const days: number[] = [];
  const values: number[] = [];
  let before = 0;
  for (let i = 0; i < day.length; i++) {
    const base = before + paidIn[i];
    const end = equity[i] + paidOut[i];
    before = equity[i];
    if (base === 0 && end === 0) continue;
    if (base <= 0) {
      const reason = "the account had nothing or less to begin a day with";
      return { day: new Float64Array(0), value: new Float64Array(0), reason };
    }
    days.push(day[i]);
    values.push(end / base - 1);
  }
  return { day: Float64Array.from(days), value: Float64Array.from(values), reason: null };
}

/** Returns of days from closes, from the second one on. */
export function returnsOfCloses({ day, close }: { day: Float64Array; close: Float64Array }): DailyReturns {
  const value = new Float64Array(Math.max(0, close.length - 1));
  for (let i = 0; i < value.length; i++) value[i] = close[i + 1] / close[i] - 1;
  return { day: day.slice(1), value, reason: null };
}

/** Growth of 1 after each day. */
export function growthOf(value: Float64Array): Float64Array {
  let level = 1;
  return value.map((each) => {
    level *= 1 + each;
    return level;
  });
}

/** What returns come to. Every figure says why it is not there. */
export interface Performance {
  /** Days with a return. */
  readonly n: number;
  /** Return of the whole time, chained by day: the time-weighted one. */
  readonly total: Figure;
  /** `(1 + total) ^ (days of a year / n) - 1`. */
  readonly cagr: Figure;
  /** Standard deviation times the root of the days of a year. */
  readonly volatility: Figure;
  /** Mean beyond the rate without risk per standard deviation of that, times the root of the days of a year. */
  readonly sharpe: Figure;
  /** The same per root of the mean square of what lies below the rate without risk. */
  readonly sortino: Figure;
  /** `cagr` per largest drawdown. */
  readonly calmar: Figure;
  /** Root of the mean square of the drawdown of each day (P. Martin 1987), as a share. */
  readonly ulcer: Figure;
}

export function performanceOf(
  { value, reason }: DailyReturns,
  year: Annualisation,
  least: Least = LEAST,
): Performance {
  const n = value.length;
  const growth = growthOf(value);
  const none = absent(reason ?? "no day with a return");
  const total = n === 0 ? none : figureOf(growth[n - 1] - 1);
  const few = n === 0 ? none : tooFew(n, least.days);
  const brief = n === 0 ? none : tooFew(n, Math.ceil(year.days * least.years));
  const cagr = brief ?? yearly(growth[n - 1], n, year);
  const excess = value.map((each) => each - dailyRate(year));
  const scale = Math.sqrt(year.days);
  const below = Math.sqrt(sumOf(excess.map((each) => Math.min(0, each) ** 2)) / n);
  const depths = drawdownsOf(growth);
  return {
    n,
    total,
    cagr,
    volatility: few ?? figureOf(deviationOf(value) * scale),
    sharpe: few ?? ratioOf(meanOf(excess) * scale, deviationOf(excess), "returns do not vary"),
    sortino: few ?? ratioOf(meanOf(excess) * scale, below, "no return below the rate without risk"),
    calmar: cagr.value === null ? cagr : ratioOf(cagr.value, Math.max(0, ...depths), "no drawdown"),
    ulcer: n === 0 ? none : figureOf(Math.sqrt(sumOf(depths.map((depth) => depth ** 2)) / n)),
  };
}

function tooFew(n: number, least: number): Figure | null {
  return n < least ? absent(`fewer than ${least} days with a return`) : null;
}

function yearly(growth: number, n: number, { days }: Annualisation): Figure {
  return growth < 0 ? absent("more than everything was lost") : figureOf(growth ** (days / n) - 1);
}

/** What returns gained beyond a rate of a day per what they fell short of it (C. Keating and W. Shadwick 2002). */
export function omegaOf({ value, reason }: DailyReturns, rate: number): Figure {
  if (value.length === 0) return absent(reason ?? "no day with a return");
  const above = sumOf(value.map((each) => Math.max(0, each - rate)));
  const below = sumOf(value.map((each) => Math.max(0, rate - each)));
  return ratioOf(above, below, "no return below the rate without risk");
}

/** Return of a day without risk. */
export function dailyRate({ days, riskFree }: Annualisation): number {
  return (1 + riskFree) ** (1 / days) - 1;
}

/** How far each day is below the highest level before, 1 at first: a share of it, 0 or more. */
export function drawdownsOf(growth: Float64Array): Float64Array {
  let peak = 1;
  return growth.map((level) => {
    peak = Math.max(peak, level);
    return 1 - level / peak;
  });
}

/** The deepest fall below a peak. Days since 1970-01-01. */
export interface Drawdown {
  /** Share of the peak, 0 where there was no fall. */
  readonly depth: number;
  /** Day of the peak; null where it was what was begun with. */
  readonly start: number | null;
  readonly trough: number | null;
  /** First day at the peak or above; null while it is not reached again. */
  readonly end: number | null;
  /** Days with a return after the peak, up to the end or to the last. */
  readonly length: number;
}

/** The largest drawdown, of equal ones the first. What is lost at the beginning counts, for the first peak is 1. */
export function maxDrawdown({ day, value }: DailyReturns): Drawdown {
  const fall = deepestOf(fallsOf(drawdownsOf(growthOf(value))));
  if (fall === null) return { depth: 0, start: null, trough: null, end: null, length: 0 };
  const { depth, peak, trough, end, length } = fall;
  return {
    depth,
    start: peak < 0 ? null : day[peak],
    trough: day[trough],
    end: end === null ? null : day[end],
    length,
  };
}

/** A fall below a peak, by places in a column. */
export interface Fall {
  /** Share of the peak, above 0. */
  readonly depth: number;
  /** Place of the peak; -1 where it was what was begun with. */
  readonly peak: number;
  readonly trough: number;
  /** First place at the peak or above; null while it is not reached again. */
  readonly end: number | null;
  /** Places after the peak, up to the end or to the last. */
  readonly length: number;
}

/** All falls of a column of depths below the peak before, 0 at a peak, in their order. */
export function fallsOf(depths: Float64Array): Fall[] {
  const falls: Fall[] = [];
  const n = depths.length;
  for (let i = 0; i < n; i++) {
    if (depths[i] === 0) continue;
    const peak = i - 1;
    let trough = i;
    while (i < n && depths[i] > 0) {
      if (depths[i] > depths[trough]) trough = i;
      i++;
    }
    const end = i < n ? i : null;
    falls.push({ depth: depths[trough], peak, trough, end, length: Math.min(i, n - 1) - peak });
  }
  return falls;
}

/** Of equal ones the first; null of none. */
export function deepestOf(falls: readonly Fall[]): Fall | null {
  let deepest: Fall | null = null;
  for (const fall of falls) if (deepest === null || fall.depth > deepest.depth) deepest = fall;
  return deepest;
}

/** How much of the account was in the market. */
export interface Exposure {
  /** Share of days that ended with a position. */
  readonly days: Figure;
  /** Mean worth of positions, without signs and with them, per equity, of days that ended with equity. */
  readonly gross: Figure;
  readonly net: Figure;
}

export function exposureShares({
  equity,
  long,
  short,
}: Pick<EquityDays, "equity" | "long" | "short">): Exposure {
  let held = 0;
  let n = 0;
  let gross = 0;
  let net = 0;
  for (let i = 0; i < equity.length; i++) {
    if (long[i] !== 0 || short[i] !== 0) held++;
    if (equity[i] <= 0) continue;
    n++;
    gross += (long[i] - short[i]) / equity[i];
    net += (long[i] + short[i]) / equity[i];
  }
  const none = "no day with equity";
  return {
    days: ratioOf(held, equity.length, "no day"),
    gross: ratioOf(gross, n, none),
    net: ratioOf(net, n, none),
  };
}
