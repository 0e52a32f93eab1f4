import { LRUCache } from "lru-cache";
import { fromMicros } from "../../core/execution/money.js";
import { tradedAs } from "../instruments/traded.js";
import { dayStart, zoneOfAccount } from "./account-day.js";
import type { Days } from "./days.js";
import type { AccountRow } from "./store.js";

/** What the day and the past of an account are, for the limits of its owner. */
export interface DayFigures {
  /** First instant of the account's day; epoch ms. */
  readonly startMs: number;
  /** Equity when it began, in the account's currency; null for an account that was opened since. */
  readonly startEquity: number | null;
  /** Highest equity of earlier days' ends; null likewise. */
  readonly peakEquity: number | null;
  /**
   * What of the equity was to stay when it began; 0 for an account that was opened since, null where what nothing is lent
   * on was traded, which its days do not tell from the rest.
   */
  readonly startMaintenance: number | null;
}

export interface Standings {
  today(account: AccountRow, nowMs: number): Promise<DayFigures>;
}

/** Remembers a day's figures: what happens in it does not change them. */
export function createStandings({ days }: { days: Days }): Standings {
  const known = new LRUCache<string, Promise<DayFigures>>({ max: 1_000 });

  async function figures(row: AccountRow, startMs: number): Promise<DayFigures> {
    const { days: all, symbols } = await days.load(row, startMs);
    const { equity, long, short } = all;
    if (equity.length === 0) return { startMs, startEquity: null, peakEquity: null, startMaintenance: 0 };
    const peak = equity.reduce((most, value) => Math.max(most, value));
    const last = equity.length - 1;
    const { maintenanceLong, maintenanceShort } = row.rules.account;
    const kept = maintenanceLong * long[last] - maintenanceShort * short[last];
    const isTold = symbols.every((symbol) => tradedAs(symbol).marginable);
    return {
      startMs,
      startEquity: fromMicros(equity[last]),
      peakEquity: fromMicros(peak),
      startMaintenance: isTold ? fromMicros(Math.round(kept)) : null,
    };
  }

  return {
    today(row, nowMs) {
      const startMs = dayStart(zoneOfAccount(row.rules.account.currency), nowMs);
      const key = `${row.id} ${startMs}`;
      const found = known.get(key);
      if (found !== undefined) return found;
      const computed = figures(row, startMs);
      known.set(key, computed);
      computed.catch(() => known.delete(key));
      return computed;
    },
  };
}
