import type { Bars } from "../market/candles.js";
import type { Hit } from "../patterns/define.js";
import { horizonOf, type Levels, levelsFor } from "./levels.js";

/** How a trade ended: void where the open that was to be its entry lay beyond its stop or target already. */
export const TRADE_ENDS = ["target", "stop", "time", "void"] as const;
export type TradeEnd = (typeof TRADE_ENDS)[number];

/** A trade to be taken at the open of the bar after `at`. */
export interface TradePlan {
  /** Bar at whose close the signal was known. */
  readonly at: number;
  readonly direction: 1 | -1;
  readonly stop: number;
  readonly target: number;
  /** Bars from the entry's on after which it is closed. */
  readonly horizon: number;
  /** In and out together, basis points of the entry. */
  readonly costBps: number;
}

export interface Trade {
  readonly end: TradeEnd;
  /** Bar at whose close the end is known. */
  readonly exitAt: number;
  /** Both the open that made it void, for a void trade. */
  readonly entry: number;
  readonly exit: number;
  /** Gain after costs, in units of the risk that was planned: the distance from the close at `at` to the stop. */
  readonly r: number;
  /** One bar held both stop and target, so that the stop was assumed. */
  readonly ambiguous: boolean;
}

/** The trade on a pattern by the policy, and where its levels come from. */
export interface PatternPlan extends TradePlan {
  readonly basis: Levels["basis"];
}

/**
 * Plans the trade on a pattern. @param range average true range at its bar; NaN while unknown.
 * @returns null without a direction, a range or usable levels.
 */
export function planTrade(
  { variant: { direction }, at, start, formation }: Hit,
  close: number,
  range: number,
  costBps: number,
): PatternPlan | null {
  if (direction === 0 || Number.isNaN(range)) return null;
  const levels = levelsFor(direction, close, range, formation);
  if (levels === null) return null;
  const { stop, target, basis } = levels;
  const horizon = horizonOf(formation === null ? null : at - start + 1);
  return { at, direction, stop, target, horizon, costBps, basis };
}

/** A trade as `settleTrade` writes it. */
export type TradeSlot = { -readonly [Field in keyof Trade]: Trade[Field] };

export function createTradeSlot(): TradeSlot {
  return { end: "void", exitAt: 0, entry: 0, exit: 0, r: 0, ambiguous: false };
}

/**
 * What became of a trade, written into `slot`; allocates nothing. Within a bar the stop comes first; an open beyond the
 * stop or the target fills at that open; after the horizon the trade ends at the close. Bars up to the end are read and
 * none after it.
 * @returns false while the bars do not tell yet.
 */
export function settleTrade(bars: Bars, plan: TradePlan, slot: TradeSlot): boolean {
  const { at, direction, stop, target, horizon } = plan;
  const { open, high, low, close } = bars;
  const { length } = close;
  const first = at + 1;
  if (first >= length) return false;
  const entry = open[first];
  if (direction * (entry - stop) <= 0 || direction * (entry - target) >= 0) {
    return write(slot, bars, plan, "void", first, entry, false);
  }
  const last = at + horizon;
  const end = Math.min(last, length - 1);
  // Of the two ends of a bar, the one that is worse for the trade and the one that is better.
  const worst = direction > 0 ? low : high;
  const best = direction > 0 ? high : low;
  for (let i = first; i <= end; i++) {
    if (i > first) {
      const opened = open[i];
      if (direction * (opened - stop) <= 0) return write(slot, bars, plan, "stop", i, opened, false);
      if (direction * (opened - target) >= 0) return write(slot, bars, plan, "target", i, opened, false);
    }
    const reached = direction * (best[i] - target) >= 0;
    if (direction * (worst[i] - stop) <= 0) return write(slot, bars, plan, "stop", i, stop, reached);
    if (reached) return write(slot, bars, plan, "target", i, target, false);
  }
  return last < length && write(slot, bars, plan, "time", last, close[last], false);
}

function write(
  slot: TradeSlot,
  { open, close }: Bars,
  { at, direction, stop, costBps }: TradePlan,
  end: TradeEnd,
  exitAt: number,
  exit: number,
  ambiguous: boolean,
): true {
  const entry = open[at + 1];
  const gain = (direction > 0 ? exit - entry : entry - exit) - (entry * costBps) / 10_000;
  slot.end = end;
  slot.exitAt = exitAt;
  slot.entry = entry;
  slot.exit = exit;
  slot.r = end === "void" ? 0 : gain / Math.abs(close[at] - stop);
  slot.ambiguous = ambiguous;
  return true;
}

/** `settleTrade` as a value; null while the bars do not tell yet. */
export function tradeOutcome(bars: Bars, plan: TradePlan): Trade | null {
  const slot = createTradeSlot();
  return settleTrade(bars, plan, slot) ? slot : null;
}

/** Whether a trade did what its signal said: the target came first and it gained after costs. */
export function isHit({ end, r }: Trade): boolean {
  return end === "target" && r > 0;
}
