import type { Desk } from "../../core/execution/desk.js";
import { MICROS } from "../../core/execution/money.js";
import type { Account } from "./ledger.js";
import type { Peak } from "./peaks.js";
import type { DayFigures } from "./standings.js";
import type { AccountRow, Carried } from "./store.js";

/** What the limits of a day need to know of it. */
export type Day = Pick<DayFigures, "startMs" | "startEquity" | "peakEquity">;

/** An account by the limits of its day, at the prices that its desk knows. Money in its currency. */
export interface Standing {
  readonly equity: number;
  readonly peak: number;
  /** Lost since the day began, below 0 for a gain; with what was lost by the accounts in whose stead it was opened that day. */
  readonly loss: number;
  /** How far the equity is below its peak, in percent. */
  readonly drawdown: number;
}

export function standingOf(desk: Desk, { history, peaks, row }: Account, day: Day): Standing {
  const equity = desk.equity() / MICROS;
  // An account that was opened today began with what was paid in.
  const capital = history.trades.capital / MICROS;
  const peak = Math.max(day.peakEquity ?? capital, peaks.since(day.startMs) / MICROS, equity);
  const loss = (day.startEquity ?? capital) - equity + carriedInto(row, day).loss / MICROS;
  return { equity, peak, loss, drawdown: peak > 0 ? (100 * (peak - equity)) / peak : 0 };
}

const NOTHING: Carried = Object.freeze({ loss: 0, trades: 0 });

/** What an account took over that was opened in another's stead: it counts in the day in which it was opened. */
export function carriedInto({ carried, openedAt }: AccountRow, { startMs }: Pick<Day, "startMs">): Carried {
  return openedAt >= startMs ? carried : NOTHING;
}

/** How much higher than its equity a peak is taken to be: 99 % below is as good as all. */
const MOST_TIMES = 100;

/**
 * The peak of an account that begins with an equity and is as far below it, in percent, as another.
 * @param startMs first instant of the new account's day.
 */
export function peakAsFar({ equity, peak }: Standing, cash: number, startMs: number): Peak {
  const times = peak <= 0 ? 1 : equity <= 0 ? MOST_TIMES : Math.min(MOST_TIMES, peak / equity);
  return { startMs, micros: Math.min(Number.MAX_SAFE_INTEGER, Math.round(cash * times * MICROS)) };
}
