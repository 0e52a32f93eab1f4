import { ensure } from "../base/assert.js";
import type { Candles } from "../market/candles.js";
import type { Calendar } from "../market/session.js";
import type { Strategy } from "../strategies/define.js";
import type { Facts } from "../strategies/facts.js";
import type { Values } from "../strategies/parameters.js";
import type { Decision } from "./lane.js";
import { PLAIN_RULES } from "./rules.js";
import { runBacktest } from "./run.js";
import type { SignalSnapshot } from "./snapshot.js";

export interface SnapshotTerms {
  readonly values?: Values;
  /** Of the symbols; null where they differ. */
  readonly calendar?: Calendar | null;
  /** What is known beside the bars, in the order of the series. */
  readonly facts?: readonly Facts[];
}

/**
 * What a strategy decides at bars that open in [fromMs, toMs), with the bars before them to lead up to it: entries,
 * exits, weights and orders, as signals to buy or to sell. The entry is the price that it names, else the close of the
 * bar. It says nothing of how sure it is.
 */
export function strategySnapshots(
  strategy: Strategy,
  series: readonly Candles[],
  fromMs: number,
  toMs: number,
  { values = {}, calendar = null, facts = [] }: SnapshotTerms = {},
): SignalSnapshot[] {
  const bySymbol = new Map(series.map((candles) => [candles.symbol, candles]));
  const { decisions } = runBacktest(
    strategy,
    series.map((candles, k) => ({ candles, facts: facts[k] ?? {} })),
    values,
    { ...PLAIN_RULES, calendar },
  );
  const ways = new Map<string, number>();
  return decisions.flatMap((decision): SignalSnapshot[] => {
    const { bar, symbol, does, why } = decision;
    const way = wayOf(decision, ways.get(symbol) ?? 0);
    ways.set(symbol, does === "exit" ? 0 : way);
    const { interval, time, close } = ensure(bySymbol.get(symbol), `${symbol} is traded`);
    if (way === 0 || does === "cancel" || time[bar] < fromMs || time[bar] >= toMs) return [];
    const entry = decision.entry?.limit ?? decision.wish?.limitPrice ?? close[bar];
    const { stop = null, target = null } = decision.entry ?? {};
    const order = decision.wish === null ? null : JSON.stringify(decision.wish);
    const asked = { does, stop, target, share: does === "weigh" ? decision.way : null, order };
    const side = way > 0 ? "buy" : "sell";
    return [
      {
        strategyId: strategy.id,
        symbol,
        interval,
        time: time[bar],
        side,
        entry,
        asked,
        confidence: null,
        conditions: { why },
      },
    ];
  });
}

/** 1 for what buys, -1 for what sells: an exit goes against what was decided before. @param before that, 0 for nothing. */
function wayOf({ does, way, wish }: Decision, before: number): number {
  if (does === "exit") return -before;
  if (does === "order") return wish?.side === "buy" ? 1 : -1;
  return does === "cancel" ? before : Math.sign(way) || -before;
}
