import type { z } from "zod";
import { MICROS } from "../../core/execution/money.js";
import { DAY_MS, dateOf } from "../../core/market/day.js";
import type { Interval } from "../../core/market/interval.js";
import { sessionsBetween, tradingDay } from "../../core/market/session.js";
import type { PaperDesk } from "../../features/paper-trades/feature.js";
import type { AccountRow } from "../../features/paper-trades/store.js";
import type { PORTFOLIO_TIMEFRAMES, portfolioQuery, portfolioSchema } from "./account-schema.js";
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

/** Equity of an account over a period, at the ends of its steps. @throws {DialectError} 422. */
export async function portfolioHistory(
  days: PaperDesk["days"],
  row: AccountRow,
  openedAt: number,
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
  const instants = Float64Array.from(instantsOf(query, timeframe, begins, to));
  const base = Float64Array.of(begins - 1, ...instants, Math.max(begins, to));
  const { equity, paid } = await days.at(row, base, INTERVALS[timeframe]);
  // Of an account that was opened within the period, what was paid in.
  const baseValue = (equity[0] > 0 ? equity[0] : paid[paid.length - 1]) / MICROS;
  const gains = Array.from(
    instants,
    (_, i) => (equity[i + 1] - equity[0] - (paid[i + 1] - paid[0])) / MICROS,
  );
  return {
    timestamp: Array.from(instants, (at) => Math.floor(at / 1_000)),
    equity: Array.from(instants, (_, i) => equity[i + 1] / MICROS),
    profit_loss: gains,
    profit_loss_pct: gains.map((gain) => (baseValue > 0 ? gain / baseValue : null)),
    base_value: baseValue,
    base_value_asof: dateOf(tradingDay(exchange(), begins - 1)),
    timeframe,
  };
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
  return { from: begins ?? to - length, to };
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
