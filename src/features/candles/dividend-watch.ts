import { LRUCache } from "lru-cache";
import type { CorporateAction } from "../../core/market/actions.js";
import {
  type DailyCloses,
  type LargeDividend,
  largeDividends,
  startOfDay,
} from "../../core/market/adjust.js";
import { dateOf } from "../../core/market/day.js";
import { calendarOf } from "../../core/market/session.js";
import type { Issue } from "../../core/quality/issue.js";
import { messageOf } from "../../platform/errors.js";
import type { Log } from "../../platform/log.js";
import type { KnownInstrument } from "../instruments/store.js";

/** Tells of dividends that are large beside the closes before them, each once. */
export type WatchDividends = (
  instrument: KnownInstrument,
  told: { readonly actions: readonly CorporateAction[]; readonly source: string | null },
  closes: DailyCloses,
) => Promise<void>;

/** Keeps issues. */
export type RecordIssues = (
  issues: readonly Issue[],
  origin: { readonly source: string; readonly synthetic: boolean },
) => Promise<void>;

const TOLD_KEPT = 10_000;

export function createDividendWatch({ record, log }: { record: RecordIssues; log: Log }): WatchDividends {
  const known = new LRUCache<string, true>({ max: TOLD_KEPT });

  return async (instrument, { actions, source }, closes) => {
    if (source === null) return;
    const keyOf = ({ exDay, amount }: LargeDividend) => `${instrument.id} ${source} ${exDay} ${amount}`;
    const fresh = largeDividends(actions, instrument.currency, closes).filter(
      (dividend) => !known.has(keyOf(dividend)),
    );
    if (fresh.length === 0) return;
    for (const dividend of fresh) known.set(keyOf(dividend), true);
    try {
      const issues = fresh.map((dividend) => issueOf(instrument, dividend));
      await record(issues, { source, synthetic: false });
    } catch (error) {
      for (const dividend of fresh) known.delete(keyOf(dividend));
      log.warn(
        { symbol: instrument.symbol, reason: messageOf(error) },
        "large dividends could not be told of",
      );
    }
  };
}

function issueOf({ symbol, calendar, currency }: KnownInstrument, dividend: LargeDividend): Issue {
  const { exDay, amount, close } = dividend;
  const whole = amount >= close;
  const share = whole
    ? `no less than the close of ${close} before; not applied`
    : `${Math.round((100 * amount) / close)} % of the close of ${close} before; applied`;
  return {
    code: "large_dividend",
    severity: whole ? "critical" : "warning",
    subject: symbol,
    detail: `${amount} ${currency} on ${dateOf(exDay)} is ${share}`,
    time: startOfDay(calendarOf(calendar), exDay),
    count: 1,
  };
}
