import { stepsOf, viewCandles } from "../../core/market/adjust.js";
import type { CalendarId } from "../../core/market/calendar.js";
import { calendarOf, isOpen } from "../../core/market/session.js";
import type { Issue, Severity } from "../../core/quality/issue.js";
import type { MarketState } from "../../core/quality/state.js";
import type { UnreadFile } from "../../providers/called.js";
import type { Provider } from "../../providers/define.js";
import type { Actions } from "../candles/actions.js";
import type { Inspect } from "../candles/inspection.js";
import type { Quality } from "./quality.js";

/** Of which a day is the same hours at every source; where trading does not end, each cuts days as it likes. */
const EXCHANGES: ReadonlySet<CalendarId> = new Set(["XNYS", "XNSE"]);

/** Has bars looked at on their way into the store, with the splits that are known by then. */
export function createArrivals(options: {
  quality: () => Pick<Quality, "inspect">;
  actions: () => Pick<Actions, "load">;
  now: () => number;
}): Inspect {
  const { quality, actions, now } = options;
  return async ({ instrument, part, stored: given, adjustedAt }) => {
    const { candles, basis, source, rejected, notes, overlap } = part;
    const told = basis === "none" || basis === "split" ? (await actions().load(instrument)).actions : [];
    const splits = told.filter((action) => action.kind === "split");
    const adjusted = basis === "split" ? "split" : "none";
    const steps = stepsOf(splits, calendarOf(instrument.calendar), instrument.currency, null);
    const view = { adjustment: basis === "split" ? "split" : "raw", horizonMs: now() } as const;
    const stored = viewCandles(given, adjustedAt, steps, view);
    const terms = { adjusted, splits } as const;
    const sameDays = candles.interval === "1d" && EXCHANGES.has(instrument.calendar);
    const delivery = { symbol: candles.symbol, candles, rejected, notes, overlap, stored, terms, sameDays };
    return quality().inspect(delivery, { source, synthetic: false });
  };
}

/** Has chains looked at on their way in, against the hours of their exchange. */
export function createChainArrivals(quality: Pick<Quality, "inspectState" | "record">, now: () => number) {
  return async (
    state: MarketState,
    { calendar }: { calendar: CalendarId },
    source: string,
    issues: readonly Issue[],
  ): Promise<void> => {
    const origin = { source, synthetic: false };
    await quality.inspectState(state, isOpen(calendarOf(calendar), now()), origin);
    await quality.record(issues, origin);
  };
}

/** Tells of what sources have and cannot use. */
export async function recordUnused(
  providers: readonly Pick<Provider, "name" | "synthetic" | "unused">[],
  quality: Pick<Quality, "record">,
): Promise<void> {
  for (const { name: source, synthetic, unused = [] } of providers) {
    const issues = unused.map((file) => unusedIssue(file, "warning"));
    await quality.record(issues, { source, synthetic });
  }
}

/** Tells of a file whose bars are listed and cannot be had. */
export function recordUnread(
  quality: Pick<Quality, "record">,
  { source, ...file }: UnreadFile,
): Promise<void> {
  return quality.record([unusedIssue(file, "critical")], { source, synthetic: false });
}

function unusedIssue({ name, reason }: { name: string; reason: string }, severity: Severity): Issue {
  return { code: "file_unused", severity, subject: name, detail: reason, time: null, count: 1 };
}
