import type { SplitAt } from "../../core/backtest/reconcile-trades.js";
import type { Happening } from "../../core/backtest/rules.js";
import { startOfDay } from "../../core/market/adjust.js";
import { dateOf } from "../../core/market/day.js";
import { calendarOf, dailyBarTime } from "../../core/market/session.js";
import type { KnownActions } from "../candles/actions.js";
import type { CandleSet } from "../candles/candles.js";

/** Splits that the prices of a set have in them, by the first instant of their ex-day. */
export function splitsOf({ instrument, adjustment }: CandleSet): SplitAt[] {
  const calendar = calendarOf(instrument.calendar);
  return (adjustment?.effects ?? []).flatMap(({ action, effect }) =>
    action.kind === "split" && (effect === "applied" || effect === "in_source")
      ? [{ at: startOfDay(calendar, action.exDay), ratio: action.ratio }]
      : [],
  );
}

/** What is paid on the shares of a set, and what is to be said of it. */
export interface PaidDividends {
  readonly happenings: readonly Happening[];
  readonly notes: readonly string[];
}

/**
 * Dividends of the bars that open in [fromMs, toMs), each before the session of its ex-day opens. A share of the bars is one as it is
 * after all splits that their prices have in them, so that an amount is divided by the ratios of those that came after its ex-day. Prices
 * that have dividends in them, or of which nobody says so, are paid none.
 */
export function dividendsOf(
  set: CandleSet,
  { actions, known, trouble, notes: told }: KnownActions,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): PaidDividends {
  const { symbol, currency, calendar: id } = set.instrument;
  const calendar = calendarOf(id);
  const splits = splitsOf(set);
  const notes = [...splitNotes(symbol, splits, fromMs), ...told];
  if (set.adjustment?.trouble) notes.push(set.adjustment.trouble);
  const basis = set.adjustment?.basis ?? null;
  if (basis === "all") {
    notes.push(`${symbol}: prices have dividends in them already, and none are paid beside them`);
    return { happenings: [], notes };
  }
  if (!known) {
    notes.push(`${symbol}: dividends are not known (${trouble ?? "nobody was heard"}), and none are paid`);
    return { happenings: [], notes };
  }
  const happenings: Happening[] = [];
  const foreign = new Set<string>();
  for (const action of actions) {
    if (action.kind !== "dividend") continue;
    const begin = startOfDay(calendar, action.exDay);
    const at = dailyBarTime(calendar, dateOf(action.exDay)) ?? begin;
    if (at < fromMs || at >= toMs) continue;
    if (action.currency !== currency) foreign.add(action.currency);
    else {
      const ratio = splits.reduce(
        (product, split) => (split.at > begin ? product * split.ratio : product),
        1,
      );
      happenings.push({ at, kind: "dividend", amount: action.amount / ratio });
    }
  }
  if (foreign.size > 0) notes.push(`${symbol}: dividends in ${[...foreign].join(", ")} are not paid`);
  if (happenings.length > 0 && basis === "unknown") {
    notes.push(`${symbol}: its source does not say whether dividends are in the prices, and none are paid`);
    return { happenings: [], notes };
  }
  if (trouble !== null) notes.push(`${symbol}: dividends may be missing: ${trouble}`);
  return { happenings: happenings.sort((a, b) => a.at - b.at), notes };
}

function splitNotes(symbol: string, splits: readonly SplitAt[], fromMs: number): string[] {
  const later = splits.filter(({ at }) => at > fromMs);
  if (later.length === 0) return [];
  const ratio = later.reduce((product, split) => product * split.ratio, 1);
  return [
    `${symbol}: prices, quantities, dividends and commission_per_share are in shares as they are after its latest split, of which one at start_date has become ${Number(ratio.toPrecision(9))}`,
  ];
}
