import type { z } from "zod";
import { lowerBound } from "../../core/base/search.js";
import { cashOf } from "../../core/execution/account.js";
import type { AccountEvent } from "../../core/execution/events.js";
import { MICROS } from "../../core/execution/money.js";
import { DAY_MS, dateOf } from "../../core/market/day.js";
import type { Interval } from "../../core/market/interval.js";
import { lastOpened, sessionOfIndex, sessionsBetween, tradingDay } from "../../core/market/session.js";
import { instantOf } from "../../core/market/zone.js";
import type { PaperDesk } from "../../features/paper-trades/feature.js";
import type { AccountRow } from "../../features/paper-trades/store.js";
import type { PORTFOLIO_TIMEFRAMES, portfolioQuery, portfolioSchema } from "./account-schema.js";
import { activityTypeOf } from "./activities.js";
import { exchange } from "./calendar.js";
import { DialectError, invalid } from "./errors.js";
import { endOf, startOf } from "./times.js";

type Timeframe = (typeof PORTFOLIO_TIMEFRAMES)[number];
type Query = z.output<typeof portfolioQuery>;

const STEP_MS: Readonly<Record<Timeframe, number>> = {
  "1Min": 60_000,
  "5Min": 300_000,
  "15Min": 900_000,
  "1H": 3_600_000,
  "1D": DAY_MS,
};
const INTERVALS: Readonly<Record<Timeframe, Interval>> = {
  "1Min": "1m",
  "5Min": "5m",
  "15Min": "15m",
  "1H": "1h",
  "1D": "1d",
};
const UNIT_DAYS: Readonly<Record<string, number>> = { D: 1, W: 7, M: 30, A: 365 };
/** How far back equity within the day is told. */
const INTRADAY_DAYS = 30;
const EXTENDED = { beforeMs: 5.5 * 3_600_000, afterMs: 4 * 3_600_000 };

/** An account, from when on it is told, and what moved its money beside orders. */
export interface Told {
  readonly row: AccountRow;
  readonly openedAt: number;
  readonly postings: readonly AccountEvent[];
}

/**
 * Equity of an account over a period, at the ends of its steps, and what was gained since the close before it; by
 * `per_day` within days since the close before each. What is paid in or out is no gain.
 * @throws {DialectError} 422.
 */
export async function portfolioHistory(
  days: Pick<PaperDesk["days"], "at">,
  { row, openedAt, postings }: Told,
  query: Query,
  nowMs: number,
): Promise<z.input<typeof portfolioSchema>> {
  const { from, to } = stretchOf(query, nowMs);
  const timeframe = query.timeframe ?? (to - from < 30 * DAY_MS ? "15Min" : "1D");
  if (timeframe !== "1D" && nowMs - from > (INTRADAY_DAYS + 1) * DAY_MS) {
    const message = `timeframe ${timeframe} is told of the last ${INTRADAY_DAYS} days`;
    throw new DialectError(422, { code: 42210000, message });
  }
  const begins = Math.max(from, openedAt);
  const instants = instantsOf(query, timeframe, begins, to);
  const first = instants[0] ?? Math.max(begins, to);
  const start = closeBefore(first);
  const resets = timeframe !== "1D" && query.pnl_reset === "per_day";
  const before = instants.map((at) => (resets ? closeBefore(at) : start));
  const asked = [...new Set([first, start, ...before, ...instants])].sort((a, b) => a - b);
  const series = await days.at(row, Float64Array.from(asked), INTERVALS[timeframe]);
  const place = new Map(asked.map((at, i) => [at, i]));
  const moneyAt = (at: number) => {
    const i = place.get(at) ?? 0;
    return { equity: series.equity[i] / MICROS, paid: series.paid[i] / MICROS };
  };
  /** What gains count from; where an account had nothing at the close, what was paid in by its first point after it. */
  function baseOf(close: number, point: number): { value: number; paid: number; known: boolean } {
    const { equity, paid } = moneyAt(close);
    if (close >= openedAt && equity > 0) return { value: equity, paid, known: true };
    const brought = moneyAt(point).paid;
    return { value: brought, paid: brought, known: false };
  }
  const base = baseOf(start, first);
  const since = new Map([[start, base]]);
  const bases = instants.map((at, i) => {
    const known = since.get(before[i]) ?? baseOf(before[i], at);
    since.set(before[i], known);
    return known;
  });
  const told = instants.map(moneyAt);
  const gains = told.map(({ equity, paid }, i) => equity - bases[i].value - (paid - bases[i].paid));
  const types = query.cashflow_types;
  return {
    timestamp: instants.map((at) => Math.floor(at / 1_000)),
    equity: told.map(({ equity }) => equity),
    profit_loss: gains,
    profit_loss_pct: gains.map((gain, i) => (bases[i].value > 0 ? gain / bases[i].value : null)),
    base_value: base.value,
    ...(base.known ? { base_value_asof: dateOf(tradingDay(exchange(), start)) } : {}),
    timeframe,
    ...(types === undefined || types === "NONE"
      ? {}
      : { cashflow: flowsWithin(postings, instants, base.known ? start : begins - 1, types) }),
  };
}

/** The close of the session before that of an instant's date; of a date without one, before that of the last one. */
function closeBefore(at: number): number {
  const calendar = exchange();
  const midnight = instantOf(calendar.zone, (tradingDay(calendar, at) + 1) * DAY_MS);
  return sessionOfIndex(calendar, lastOpened(calendar, midnight - 1) - 1)?.close ?? 0;
}

/** What came in of each kind of activity, below 0 for what went out, within the step that ends at each instant. */
function flowsWithin(
  postings: readonly AccountEvent[],
  instants: readonly number[],
  since: number,
  types: string,
): Record<string, number[]> {
  const ends = Float64Array.from(instants);
  const wanted = types === "ALL" ? null : types.split(",");
  const micros = new Map<string, number[]>();
  const columnOf = (type: string) => {
    const known = micros.get(type) ?? instants.map(() => 0);
    micros.set(type, known);
    return known;
  };
  for (const type of wanted ?? []) columnOf(type);
  for (const { at, event, legs } of postings) {
    const amount = cashOf(legs);
    const type = activityTypeOf(event, amount);
    const i = lowerBound(ends, at);
    if (type === undefined || amount === 0 || at <= since || i === ends.length) continue;
    if (wanted === null || wanted.includes(type)) columnOf(type)[i] += amount;
  }
  return Object.fromEntries([...micros].map(([type, sums]) => [type, sums.map((sum) => sum / MICROS)]));
}

function stretchOf(query: Query, nowMs: number): { from: number; to: number } {
  const { zone } = exchange();
  const { period } = query;
  const first = query.start ?? query.date_start;
  const last = query.end ?? query.date_end;
  if (period !== undefined && first !== undefined && last !== undefined) {
    throw invalid("at most two of period, start and end are accepted");
  }
  const lengthMs = (text: string) => Number(text.slice(0, -1)) * (UNIT_DAYS[text.at(-1) ?? ""] ?? 0) * DAY_MS;
  const length = lengthMs(period ?? "1M");
  const begins = first === undefined ? null : startOf(first, zone);
  const ends = last === undefined ? null : endOf(last, zone);
  const to = Math.min(nowMs, ends ?? (begins !== null && period !== undefined ? begins + length : nowMs));
  const from = begins ?? to - length;
  if (from > nowMs) throw invalid("start lies in the future");
  if (from > to) throw invalid("start lies after end");
  return { from, to };
}

/** Ends of steps within sessions, of days the closes; now where the day has not ended. */
function instantsOf(
  { intraday_reporting: reporting, extended_hours }: Query,
  timeframe: Timeframe,
  from: number,
  to: number,
) {
  const step = STEP_MS[timeframe];
  const instants: number[] = [];
  if (timeframe === "1D") {
    for (const { close, open } of sessionsBetween(exchange(), from - DAY_MS, to)) {
      if (close > from && open <= to) instants.push(Math.min(close, to));
    }
  } else if (reporting === "continuous") {
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) instants.push(at);
  } else {
    const wide = reporting === "extended_hours" || extended_hours === "true";
    for (const { open, close } of sessionsBetween(exchange(), from - DAY_MS, to)) {
      const first = open - (wide ? EXTENDED.beforeMs : 0);
      const last = close + (wide ? EXTENDED.afterMs : 0);
      for (let at = first; at <= Math.min(last, to); at += step) if (at >= from) instants.push(at);
    }
  }
  return instants;
}
