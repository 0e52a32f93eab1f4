import { assert } from "../base/assert.js";
import { lowerBound, upperBound } from "../base/search.js";
import type { CorporateAction } from "./actions.js";
import { allocateBars, type Candles } from "./candles.js";
import { DAY_MS } from "./day.js";
import type { Calendar } from "./session.js";
import { instantOf } from "./zone.js";

/** What prices of a source are adjusted for when it gives them. */
export type PriceBasis = "none" | "split" | "all" | "unknown";

/** `raw` as it traded, `split` for splits, `all` for splits and dividends. */
export const ADJUSTMENTS = ["raw", "split", "all"] as const;
export type Adjustment = (typeof ADJUSTMENTS)[number];

/**
 * Up to when splits are in each price, epoch ms: NaN where prices are as they traded, positive infinity where dividends
 * are in them, too, negative infinity where their source does not say. Null stands for NaN throughout.
 */
export type AdjustedAt = Float64Array | null;

/** Closes of days as they traded. `day` counts from 1970-01-01 and ascends. */
export interface DailyCloses {
  readonly day: Float64Array;
  readonly close: Float64Array;
}

/** An action that changes no price, and why. */
export interface Unapplied {
  readonly action: CorporateAction;
  readonly reason: string;
}

/** Actions by ex-day, as columns of one length. */
export interface Steps {
  /** First instant of the ex-day on the clock of the exchange, epoch ms, ascending. */
  readonly at: Float64Array;
  /** New shares for one old, from a step to the last; one longer than `at`, and 1 at the end. */
  readonly ratioFrom: Float64Array;
  /** The same without the splits that prices said to be as they traded carry already. */
  readonly tradedRatioFrom: Float64Array;
  /** What the dividends leave of a price, from a step to the last; as long as `ratioFrom`. */
  readonly dividendFrom: Float64Array;
  readonly unapplied: readonly Unapplied[];
}

/** A close this much older than the ex-day says nothing of what a dividend was worth. */
const CLOSE_LIMIT_DAYS = 7;

/** First instant of a day on the clock of the exchange, epoch ms. Bars from then on are of the day or later. */
export function startOfDay({ zone }: Calendar, day: number): number {
  return instantOf(zone, day * DAY_MS);
}

/**
 * Steps of actions in any order. A price before an ex-day is divided by the ratio of its splits and multiplied by
 * 1 - amount / close, with the last close before the ex-day and the sum of the day's dividends; on a day that has both,
 * dividends are per share after the split. A dividend without a close, in another currency or no less than the close
 * is not applied. @param closes null leaves dividends aside, without a word. @param carried splits that are in the prices
 * although these are said to be as they traded.
 */
export function stepsOf(
  actions: readonly CorporateAction[],
  calendar: Calendar,
  currency: string,
  closes: DailyCloses | null,
  carried: ReadonlySet<CorporateAction> = new Set(),
): Steps {
  const days = [...new Set(actions.map(({ exDay }) => exDay))].sort((a, b) => a - b);
  const ratioFrom = new Float64Array(days.length + 1).fill(1);
  const tradedRatioFrom = new Float64Array(days.length + 1).fill(1);
  const dividendFrom = new Float64Array(days.length + 1).fill(1);
  const unapplied: Unapplied[] = [];
  for (let i = days.length - 1; i >= 0; i--) {
    const ofDay = actions.filter(({ exDay }) => exDay === days[i]);
    const ratio = ratioOf(ofDay);
    const left = closes === null ? 1 : dividendLeft(ofDay, ratio, currency, closes, unapplied);
    ratioFrom[i] = ratio * ratioFrom[i + 1];
    tradedRatioFrom[i] = ratioOf(ofDay.filter((action) => !carried.has(action))) * tradedRatioFrom[i + 1];
    dividendFrom[i] = left * dividendFrom[i + 1];
  }
  const at = Float64Array.from(days, (day) => startOfDay(calendar, day));
  return { at, ratioFrom, tradedRatioFrom, dividendFrom, unapplied: unapplied.reverse() };
}

function ratioOf(actions: readonly CorporateAction[]): number {
  return actions.reduce((product, action) => product * splitRatio(action), 1);
}

function splitRatio(action: CorporateAction): number {
  if (action.kind !== "split") return 1;
  assert(action.ratio > 0 && Number.isFinite(action.ratio), "a split has a ratio above 0");
  return action.ratio;
}

/** What the dividends of one day leave of the price before it. */
function dividendLeft(
  ofDay: readonly CorporateAction[],
  ratio: number,
  currency: string,
  closes: DailyCloses,
  unapplied: Unapplied[],
): number {
  const paid = ofDay.filter((action) => action.kind === "dividend");
  if (paid.length === 0) return 1;
  const close = closeBefore(closes, paid[0].exDay);
  const refuse = (refused: readonly CorporateAction[], reason: string) =>
    unapplied.push(...refused.map((action) => ({ action, reason })));
  if (close === null) {
    refuse(paid, "the close before the ex-day is not known");
    return 1;
  }
  const foreign = paid.filter((action) => action.currency !== currency);
  refuse(foreign, `is not in ${currency}`);
  const own = paid.filter((action) => action.currency === currency);
  const amount = own.reduce((sum, action) => sum + action.amount, 0);
  const left = 1 - (amount * ratio) / close;
  if (left > 0) return left;
  refuse(own, "is no less than the close before the ex-day");
  return 1;
}

/** The last close before an ex-day; null where none is known that is near enough. */
function closeBefore({ day, close }: DailyCloses, exDay: number): number | null {
  const before = lowerBound(day, exDay) - 1;
  return before < 0 || exDay - day[before] > CLOSE_LIMIT_DAYS ? null : close[before];
}

/** What is paid on one ex-day, when that is much beside the price. */
export interface LargeDividend {
  readonly exDay: number;
  /** Per share as it was before the ex-day. */
  readonly amount: number;
  /** The last before the ex-day, as it traded. */
  readonly close: number;
}

/** Special dividends of more are rare: most of them are amounts in another unit or of another share. */
const LARGE_DIVIDEND = 0.2;

/** Dividends of more than a fifth of the close before their ex-day, by ex-day. */
export function largeDividends(
  actions: readonly CorporateAction[],
  currency: string,
  closes: DailyCloses,
): LargeDividend[] {
  const days = [...new Set(actions.map(({ exDay }) => exDay))].sort((a, b) => a - b);
  return days.flatMap((exDay) => {
    const ofDay = actions.filter((action) => action.exDay === exDay);
    const paid = ofDay.flatMap((action) =>
      action.kind === "dividend" && action.currency === currency ? [action.amount] : [],
    );
    const amount = paid.reduce((sum, each) => sum + each, 0) * ratioOf(ofDay);
    const close = closeBefore(closes, exDay);
    return close !== null && amount > LARGE_DIVIDEND * close ? [{ exDay, amount, close }] : [];
  });
}

export interface View {
  /** Null for prices as their source gave them, or would have given them at the horizon. */
  readonly adjustment: Adjustment | null;
  /** Actions from a later ex-day on are not in the prices, epoch ms. */
  readonly horizonMs: number;
}

/**
 * Prices as a view has them, in one pass: each times its factor, volumes divided by that of the splits alone. What a
 * source has done to a price already is not done again, and undone where the view lacks it. The same candles where
 * nothing changes. @param adjustedAt finite or NaN: dividends that are in a price cannot be taken out; a source that does not say counts as
 * one that adjusts for nothing, which is right where there is no split.
 */
export function viewCandles(
  candles: Candles,
  adjustedAt: AdjustedAt,
  { at, ratioFrom, tradedRatioFrom, dividendFrom }: Steps,
  { adjustment, horizonMs }: View,
): Candles {
  if (at.length === 0) return candles;
  const { time } = candles;
  const result = allocateBars(time.length);
  const horizon = adjustment === "raw" ? 0 : upperBound(at, horizonMs);
  let changed = false;
  let next = 0;
  for (let i = 0; i < time.length; i++) {
    while (next < at.length && at[next] <= time[i]) next++;
    const traded = adjustedAt === null || Number.isNaN(adjustedAt[i]);
    const done = traded ? 0 : upperBound(at, adjustedAt[i]);
    const ratios = traded ? tradedRatioFrom : ratioFrom;
    const wanted = adjustment === null ? Math.min(done, horizon) : horizon;
    const split = ratios[Math.max(wanted, next)] / ratios[Math.max(done, next)];
    const paid = adjustment === "all" ? dividendFrom[next] / dividendFrom[Math.max(horizon, next)] : 1;
    const factor = split * paid;
    if (factor !== 1 || split !== 1) changed = true;
    result.time[i] = time[i];
    result.open[i] = candles.open[i] * factor;
    result.high[i] = candles.high[i] * factor;
    result.low[i] = candles.low[i] * factor;
    result.close[i] = candles.close[i] * factor;
    result.volume[i] = candles.volume[i] / split;
  }
  return changed ? { symbol: candles.symbol, interval: candles.interval, ...result } : candles;
}

/** What became of an action in a view. */
export interface Effect {
  readonly action: CorporateAction;
  /** `in_source`: the source had done it; `undone`: it had, and the view is without; `not_applied`: see the reason. */
  readonly effect: "applied" | "in_source" | "undone" | "not_applied";
  readonly reason: string | null;
}

/** Of the actions whose ex-day comes after the first bar, those that the view is about, by ex-day. */
export function effectsOf(
  actions: readonly CorporateAction[],
  { time }: Candles,
  adjustedAt: AdjustedAt,
  calendar: Calendar,
  { adjustment, horizonMs }: View,
  unapplied: readonly Unapplied[],
  carried: ReadonlySet<CorporateAction> = new Set(),
): Effect[] {
  if (time.length === 0) return [];
  const done = adjustedAt?.map((until) => (Number.isNaN(until) ? Number.NEGATIVE_INFINITY : until));
  const least = done?.reduce((a, b) => Math.min(a, b)) ?? Number.NEGATIVE_INFINITY;
  const most = done?.reduce((a, b) => Math.max(a, b)) ?? Number.NEGATIVE_INFINITY;
  const effects: Effect[] = [];
  for (const action of [...actions].sort((a, b) => a.exDay - b.exDay)) {
    const at = startOfDay(calendar, action.exDay);
    if (at <= time[0]) continue;
    const due = at <= horizonMs && adjustment !== "raw";
    if (action.kind === "dividend") {
      if (!due || adjustment !== "all") continue;
      const reason = unapplied.find((other) => other.action === action)?.reason ?? null;
      effects.push({ action, effect: reason === null ? "applied" : "not_applied", reason });
    } else if (carried.has(action)) {
      if (due && adjustment !== null)
        effects.push({ action, effect: "in_source", reason: carriedReason(action) });
    } else if (!due) {
      if (most >= at) effects.push({ action, effect: "undone", reason: null });
    } else if (adjustment === null) {
      if (most >= at) effects.push({ action, effect: "in_source", reason: null });
    } else effects.push({ action, effect: least >= at ? "in_source" : "applied", reason: null });
  }
  return effects;
}

/** Why a split that prices carry already is not applied to them. */
export function carriedReason({ ratio }: Extract<CorporateAction, { kind: "split" }>): string {
  return `no jump by ${ratio} shows around the ex-day: the prices, said to be as they traded, carry it already`;
}
