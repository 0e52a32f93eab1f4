import type { Bars } from "../market/candles.js";
import { type Trade, type TradeEnd, type TradePlan, tradeOutcome } from "./trade.js";

/** What became of a planned trade, once. */
export interface Settlement {
  readonly end: TradeEnd;
  /** Bar at whose close the end is known; the entry is at the open of the bar after the signal's. */
  readonly exitAt: number;
  /** Both the open that made it void, for a void trade. */
  readonly entry: number;
  readonly exit: number;
  /** From the entry's to the exit's, both counted; 0 for a void trade. */
  readonly bars: number;
  /** After costs, as a share of the entry; null for a void trade. */
  readonly gain: number | null;
  /** After costs, in units of the risk that was planned: the distance from the close of the signal to the stop; null without either. */
  readonly r: number | null;
  /**
   * How far it went with and against the trade while it lasted, in the same units, 0 or more. Of the bar that ends it
   * counts what is certain to have come before the end, and against the trade also what may have. Null as `r` is.
   */
  readonly mfe: number | null;
  readonly mae: number | null;
  /** One bar held both stop and target, so that the stop was assumed. */
  readonly ambiguous: boolean;
}

/** What became of a plan by its stop, its target and its time; null while the bars do not tell yet. */
export function settlePlan(bars: Bars, plan: TradePlan): Settlement | null {
  const trade = tradeOutcome(bars, plan);
  if (trade === null) return null;
  const { end, exitAt, entry, exit, r, ambiguous } = trade;
  if (end === "void") {
    return { end, exitAt, entry, exit, bars: 0, gain: null, r: null, mfe: null, mae: null, ambiguous };
  }
  const risk = Math.abs(bars.close[plan.at] - plan.stop);
  const { best, worst } = extremesOf(bars, plan, trade);
  return {
    end,
    exitAt,
    entry,
    exit,
    bars: exitAt - plan.at,
    gain: gainOf(plan, entry, exit),
    r,
    mfe: best / risk,
    mae: worst / risk,
    ambiguous,
  };
}

/** A signal whose trade ends at the close of a bar, whatever happens before. */
export interface HorizonPlan extends Pick<TradePlan, "at" | "direction" | "horizon" | "costBps"> {
  /** Tells the planned risk and ends nothing; null where there is none. */
  readonly stop: number | null;
}

/** What a signal came to after a number of bars from the next open on; null while the bars do not tell yet. */
export function settleHorizon(bars: Bars, plan: HorizonPlan): Settlement | null {
  const { at, stop, horizon } = plan;
  const exitAt = at + horizon;
  if (exitAt >= bars.close.length) return null;
  const entry = bars.open[at + 1];
  const exit = bars.close[exitAt];
  const gain = gainOf(plan, entry, exit);
  const { best, worst } = extremesOf(bars, plan, { end: "time", exitAt, entry, exit });
  const risk = stop === null ? 0 : Math.abs(bars.close[at] - stop);
  const inRisk = (value: number) => (risk > 0 ? value / risk : null);
  return {
    end: "time",
    exitAt,
    entry,
    exit,
    bars: horizon,
    gain,
    r: inRisk(gain * entry),
    mfe: inRisk(best),
    mae: inRisk(worst),
    ambiguous: false,
  };
}

function gainOf({ direction, costBps }: HorizonPlan | TradePlan, entry: number, exit: number): number {
  return (direction * (exit - entry)) / entry - costBps / 10_000;
}

/** Furthest prices from the entry with and against a trade, both 0 or more. */
function extremesOf(
  { open, high, low }: Bars,
  { at, direction }: Pick<TradePlan, "at" | "direction">,
  { end, exitAt, entry, exit }: Pick<Trade, "end" | "exitAt" | "entry" | "exit">,
): { best: number; worst: number } {
  let [best, worst] = [0, 0];
  const see = (price: number) => {
    best = Math.max(best, direction * (price - entry));
    worst = Math.max(worst, direction * (entry - price));
  };
  const whole = end === "time" ? exitAt : exitAt - 1;
  for (let i = at + 1; i <= whole; i++) {
    see(high[i]);
    see(low[i]);
  }
  if (end === "time") return { best, worst };
  see(open[exitAt]);
  see(exit);
  const opened = exitAt > at + 1 && exit === open[exitAt];
  // On the way to a target a bar may have gone against the trade first.
  if (end === "target" && !opened) see(direction > 0 ? low[exitAt] : high[exitAt]);
  return { best, worst };
}
