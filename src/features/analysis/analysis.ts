import { lowerBound } from "../../core/base/search.js";
import type { Indicator, ParameterValues } from "../../core/indicators/define.js";
import { type IndicatorRequest, parseIndicatorRequest } from "../../core/indicators/request.js";
import { BARS_PER_YEAR } from "../../core/indicators/volatility/realised-volatility.js";
import { barsPerYear } from "../../core/market/bar-times.js";
import { mondayOf } from "../../core/market/day.js";
import { INTERVAL_MS, type Interval } from "../../core/market/interval.js";
import { type CalendarId, calendarOf } from "../../core/market/session.js";
import { AppError } from "../../platform/errors.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { CandleService, CandleSet } from "../candles/candles.js";
import type { Instruments } from "../instruments/instruments.js";
import compute, { type Computation } from "./worker.js";

export interface ComputedIndicator {
  /** As it was asked for. */
  readonly request: string;
  readonly indicator: Indicator;
  readonly values: ParameterValues;
  /** One column for each output, over the bars from `from` on. */
  readonly outputs: readonly Float64Array[];
  /** Open of the first bar that it was computed from. */
  readonly sinceMs: number;
  /** Whether so many bars came before the first wanted one that where it was begun no longer shows in any value. */
  readonly settled: boolean;
}

export interface IndicatorAnalysis {
  readonly set: CandleSet;
  /** First bar that was asked for; those before it only warm the indicators up. */
  readonly from: number;
  readonly computed: readonly ComputedIndicator[];
}

export interface Analysis {
  /**
   * Indicators on the newest `bars` closed bars, now or as they were known at a moment, from enough bars before them to
   * have settled where there are.
   * @throws {AppError} `invalid_request` for a request that cannot be read or asks for too much, and as candles do.
   */
  computeIndicators(
    symbol: string,
    interval: Interval,
    names: string,
    bars: number,
    knownAtMs?: number,
  ): Promise<IndicatorAnalysis>;
}

const INDICATORS_LIMIT = 20;
const BARS_LIMIT = 10_000;
/**
 * Sums from the first bar settle never, so they have to begin somewhere: with the year, month, week or day in which
 * the 6,000th bar before the newest lies. Where depends on nothing that was asked for, and moves once in a while, not
 * with every bar; the answer says where.
 */
const SUMMED_BARS = 6_000;
/**
 * Bars times the doubles that a row may go over at each, summed over the rows: a fifth of a second for most rows,
 * two seconds for the dearest. One row alone is never too much.
 */
const WORK_LIMIT = 50_000_000;
/** Work that takes a few milliseconds, done at once; more is done in a thread. */
const IMMEDIATE_WORK = 500_000;
const COMPUTE = defineTask<Computation, Float64Array[][]>(new URL("./worker.js", import.meta.url));

interface ReadRequest extends IndicatorRequest {
  /** As it was asked for. */
  readonly request: string;
}

export function createAnalysis({
  candles,
  instruments,
  workers,
}: {
  candles: Pick<CandleService, "loadLatest">;
  instruments: Pick<Instruments, "resolve">;
  workers: Workers;
}): Analysis {
  return {
    async computeIndicators(symbol, interval, names, bars, knownAtMs) {
      const instrument = await instruments.resolve(symbol);
      const requests = readRequests(names).map((request) => withYear(request, instrument.calendar, interval));
      const leads = requests.map((request) => leadOf(request, interval));
      const wanted = Math.min(
        BARS_LIMIT,
        Math.max(...leads.map((lead) => lead.bars + (lead.fixed ? 0 : bars))),
      );
      const work = workOf(requests, wanted);
      const set = await candles.loadLatest(instrument, interval, Math.max(bars, wanted), knownAtMs);
      const { time } = set.candles;
      if (time.length === 0) throw new AppError("no_data", `${instrument.symbol} has no ${interval} candles`);
      const from = Math.max(0, time.length - bars);
      const starts = leads.map((lead) =>
        lead.fixed ? Math.min(from, summedFrom(time, interval)) : Math.max(0, from - lead.bars),
      );
      const rows = requests.map(({ indicator, values }, i) => ({
        name: indicator.name,
        values,
        start: starts[i],
      }));
      const computation = { candles: set.candles, from, rows };
      const columns = work <= IMMEDIATE_WORK ? compute(computation) : await workers.run(COMPUTE, computation);
      const computed = requests.map(({ request, indicator, values }, i) => ({
        request,
        indicator,
        values,
        outputs: columns[i],
        sinceMs: time[starts[i]],
        settled: from - starts[i] >= indicator.settle(values, INTERVAL_MS[interval]),
      }));
      return { set, from, computed };
    },
  };
}

/** Volatilities are scaled to the year of the instrument's calendar where the request names none. */
function withYear(request: ReadRequest, calendar: CalendarId, interval: Interval): ReadRequest {
  const { values, given } = request;
  if (values[BARS_PER_YEAR.name] === undefined || given.includes(BARS_PER_YEAR.name)) return request;
  return {
    ...request,
    values: { ...values, [BARS_PER_YEAR.name]: barsPerYear(calendarOf(calendar), interval) },
  };
}

/** Bars that a row goes over before the first wanted one, or, when `fixed`, up to the newest. */
function leadOf({ indicator, values }: ReadRequest, interval: Interval): { bars: number; fixed: boolean } {
  const settle = indicator.settle(values, INTERVAL_MS[interval]);
  if (Number.isFinite(settle)) return { bars: settle, fixed: false };
  return { bars: SUMMED_BARS + Math.ceil(spanMs(interval) / INTERVAL_MS[interval]), fixed: true };
}

const DAY_MS = INTERVAL_MS["1d"];

/** Longest of the stretches that sums from the first bar begin with. */
function spanMs(interval: Interval): number {
  if (interval === "1m") return DAY_MS;
  if (interval === "5m" || interval === "15m") return 7 * DAY_MS;
  return interval === "30m" || interval === "1h" || interval === "4h" ? 31 * DAY_MS : 366 * DAY_MS;
}

/** Start of the day, ISO week, month or year of UTC that sums from the first bar begin with. */
function spanStart(interval: Interval, timeMs: number): number {
  const date = new Date(timeMs);
  const year = date.getUTCFullYear();
  if (spanMs(interval) === 366 * DAY_MS) return Date.UTC(year, 0, 1);
  if (spanMs(interval) === 31 * DAY_MS) return Date.UTC(year, date.getUTCMonth(), 1);
  const day = Math.floor(timeMs / DAY_MS);
  return (interval === "1m" ? day : mondayOf(day)) * DAY_MS;
}

/** First bar of sums from the first bar; 0 where there are too few bars. */
function summedFrom(time: Float64Array, interval: Interval): number {
  if (time.length <= SUMMED_BARS) return 0;
  return lowerBound(time, spanStart(interval, time[time.length - SUMMED_BARS]));
}

function workOf(requests: readonly ReadRequest[], bars: number): number {
  const work = requests.reduce(
    (sum, { indicator, values }) =>
      sum + bars * Math.max(1, indicator.lookback(values), indicator.memory(values)),
    0,
  );
  if (work <= WORK_LIMIT || requests.length === 1) return work;
  throw new AppError(
    "invalid_request",
    `query names: windows over ${bars} bars come to ${Math.ceil(work / 1e6)} million values, more than ${WORK_LIMIT / 1e6} million; ask for fewer indicators at a time, shorter periods or a lower limit`,
  );
}

/** Splits `rsi(21),macd(12,26,9)` at the commas between indicators; what is asked for twice is answered once. */
function readRequests(names: string): ReadRequest[] {
  const texts = names.split(/,(?![^(]*\))/).map((text) => text.trim());
  if (texts.every((text) => text === "")) {
    throw new AppError("invalid_request", "query names: name at least one indicator");
  }
  if (texts.length > INDICATORS_LIMIT) {
    throw new AppError("invalid_request", `query names: at most ${INDICATORS_LIMIT} indicators`);
  }
  return [...new Set(texts)].map((text) => {
    const { request, problem } = parseIndicatorRequest(text);
    if (request === null) throw new AppError("invalid_request", `query names: ${problem}`);
    return { ...request, request: text };
  });
}
