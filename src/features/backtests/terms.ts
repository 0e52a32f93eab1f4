import { CONVENTIONS, type Convention } from "../../core/backtest/conventions.js";
import {
  type BacktestRules,
  CLOSINGS,
  type Closing,
  SIZINGS,
  type Sizing,
} from "../../core/backtest/rules.js";
import { cashRules, marginRules } from "../../core/execution/account.js";
import type { Commission } from "../../core/execution/commission.js";
import { GTC_DAYS } from "../../core/execution/context.js";
import { type CalendarId, calendarOf, tradingDay } from "../../core/market/session.js";
import { dailyRate } from "../../core/performance/returns.js";

export const SIZING_NAMES = ["whole", "fractional", "set_holdings"] as const;
export const ACCOUNTS = ["cash", "margin"] as const;
export { CLOSINGS, CONVENTIONS };

/** What a backtest is run under, as plain data: it passes to threads, and names a trial. */
export interface RunTerms {
  readonly currency: string;
  readonly capital: number;
  /** Share of the value of each fill, in basis points; and an amount for each unit, in the account's currency. */
  readonly commissionBps: number;
  readonly commissionPerShare: number;
  /** Whole spread, of which a taker pays half each way, and slippage of each fill. */
  readonly spreadBps: number;
  readonly slippageBps: number;
  /** Share of a bar's volume that fills may take; null without a limit, as where a source tells no volume. */
  readonly volumeShare: number | null;
  readonly sizing: (typeof SIZING_NAMES)[number];
  /** Share of the equity that an entry puts in; null for equal shares of all symbols. */
  readonly share: number | null;
  readonly account: (typeof ACCOUNTS)[number];
  readonly closing: Closing;
  /** Of all symbols; null where they differ, and days are those of UTC. */
  readonly calendar: CalendarId | null;
  readonly convention: Convention;
  /** Periods of a year that have a return, and the return of a year without risk as a share. */
  readonly yearReturns: number;
  readonly riskFree: number;
}

/** @param start open of the first bar that counts; null where all do. */
export function rulesOf(terms: RunTerms, start: number | null = null): BacktestRules {
  const { currency, capital, account, closing, calendar, share, sizing } = terms;
  const preset: Sizing = SIZINGS[sizing];
  return {
    desk: {
      account: account === "cash" ? cashRules(currency) : marginRules(currency),
      costs: {
        commission: commissionOf(terms),
        spreadBps: terms.spreadBps,
        slippage: terms.slippageBps === 0 ? { kind: "none" } : { kind: "fixed", bps: terms.slippageBps },
        jitterSeed: null,
      },
      volumeShare: terms.volumeShare,
      gtcDays: GTC_DAYS,
    },
    capital,
    sizing: { ...preset, stake: { kind: "share", share } },
    closing,
    calendar: calendar === null ? null : calendarOf(calendar),
    start,
  };
}

function commissionOf({ commissionBps, commissionPerShare }: RunTerms): Commission {
  if (commissionPerShare > 0) {
    return { kind: "per_share", amount: commissionPerShare, minimum: 0, maximumRate: null };
  }
  return commissionBps === 0
    ? { kind: "none" }
    : { kind: "percent", rate: commissionBps / 10_000, minimum: 0 };
}

/** Day of an instant since 1970-01-01, by the calendar of the symbols. */
export function dayOf({ calendar }: Pick<RunTerms, "calendar">): (timeMs: number) => number {
  if (calendar === null) return (timeMs) => Math.floor(timeMs / 86_400_000);
  const known = calendarOf(calendar);
  return (timeMs) => tradingDay(known, timeMs);
}

/** Return of a day without risk, of which there are `yearReturns` in a year. */
export function rateOf({ yearReturns, riskFree }: Pick<RunTerms, "yearReturns" | "riskFree">): number {
  return dailyRate({ days: yearReturns, riskFree });
}

/** The rules as far as they decide what a trial comes to, for its key: more capital is not another idea. */
export function rulesText(terms: RunTerms): string {
  const { convention: _, yearReturns: _returns, riskFree: _free, capital: _capital, ...rules } = terms;
  return JSON.stringify(Object.entries(rules).sort(([a], [b]) => (a < b ? -1 : 1)));
}
