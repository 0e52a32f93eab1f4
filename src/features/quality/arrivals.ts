import { startOfDay, stepsOf, viewCandles } from "../../core/market/adjust.js";
import type { CalendarId } from "../../core/market/calendar.js";
import { type Candles, dividedCandles } from "../../core/market/candles.js";
import { dateOf } from "../../core/market/day.js";
import { calendarOf, isOpen } from "../../core/market/session.js";
import type { Issue, Severity } from "../../core/quality/issue.js";
import type { Split } from "../../core/quality/splits.js";
import type { MarketState } from "../../core/quality/state.js";
import type { UnreadFile } from "../../providers/called.js";
import type { Provider } from "../../providers/define.js";
import type { Part } from "../../providers/gateway-fetch.js";
import type { Actions } from "../candles/actions.js";
import type { Inspect } from "../candles/inspection.js";
import type { LookAtSplits } from "../candles/split-looks.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { Quality } from "./quality.js";

/** Of which a day is the same hours at every source; where trading does not end, each cuts days as it likes. */
const EXCHANGES: ReadonlySet<CalendarId> = new Set(["XNYS", "XNSE"]);

/** Has bars looked at on their way into the store, with the splits that are known by then. */
export function createArrivals(options: {
  quality: () => Pick<Quality, "inspect" | "record">;
  actions: () => Pick<Actions, "load">;
  look: LookAtSplits;
  now: () => number;
}): Inspect {
  const { quality, actions, now } = options;
  return async ({ instrument, part, stored: given, adjustedAt }) => {
    const { basis, source, rejected, notes, overlap } = part;
    const told = basis === "none" || basis === "split" ? (await actions().load(instrument)).actions : [];
    const splits = told.filter((action) => action.kind === "split");
    const { candles, issues, trouble } = await withLacked(options, instrument, part, splits);
    await quality().record(issues, { source, synthetic: false });
    const adjusted = basis === "split" ? "split" : "none";
    const steps = stepsOf(splits, calendarOf(instrument.calendar), instrument.currency, null);
    const view = { adjustment: basis === "split" ? "split" : "raw", horizonMs: now() } as const;
    const stored = viewCandles(given, adjustedAt, steps, view);
    const terms = { adjusted, splits } as const;
    const sameDays = candles.interval === "1d" && EXCHANGES.has(instrument.calendar);
    const delivery = { symbol: candles.symbol, candles, rejected, notes, overlap, stored, terms, sameDays };
    return { ...(await quality().inspect(delivery, { source, synthetic: false })), trouble };
  };
}

/**
 * Bars with the splits of days after the last of them that their source lacks, or has twice, as its bars around those days
 * show: from these bars alone there is no telling.
 */
async function withLacked(
  { look, now }: { readonly look: LookAtSplits; readonly now: () => number },
  instrument: KnownInstrument,
  { candles, basis, source }: Part,
  splits: readonly Split[],
): Promise<{ candles: Candles; issues: readonly Issue[]; trouble: string | null }> {
  const calendar = calendarOf(instrument.calendar);
  const { time, interval, symbol } = candles;
  const last = time[time.length - 1] ?? Number.POSITIVE_INFINITY;
  const later = splits.filter(({ exDay }) => {
    const exMs = startOfDay(calendar, exDay);
    return exMs > last && exMs <= now();
  });
  if (basis !== "split" || later.length === 0) return { candles, issues: [], trouble: null };
  const { lacked, trouble } = await look(instrument, interval, source, later);
  const ratio = lacked.reduce((product, split) => product * split.ratio, 1);
  const issues = lacked.map(({ exDay, ratio }): Issue => {
    const [code, fault] = later.some((split) => split.exDay === exDay && split.ratio === ratio)
      ? (["split_unapplied", `lack the split of ${dateOf(exDay)} by ${ratio}`] as const)
      : (["split_applied_twice", `have the split of ${dateOf(exDay)} by ${1 / ratio} twice`] as const);
    const detail = `prices ${fault}, as those around it show; mended`;
    return { code, severity: "critical", subject: symbol, detail, time: time[0], count: time.length };
  });
  return { candles: lacked.length === 0 ? candles : dividedCandles(candles, ratio, ratio), issues, trouble };
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
