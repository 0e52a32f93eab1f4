import type { Backtest } from "../../core/backtest/result.js";
import { firstCounted, type Listing } from "../../core/backtest/rules.js";
import { computeRanges } from "../../core/signals/ranges.js";
import { planTrade } from "../../core/signals/trade.js";
import { hitsByBar } from "../../core/strategies/hits.js";
import { type RunFound, type RunOrder, reportRun, sentFound } from "./run-worker.js";

/** What became of the patterns of a run; all of them together are those that were seen. */
export interface PatternCounts {
  readonly traded: number;
  /** While another trade was open. */
  readonly overlapped: number;
  /** The next open lay beyond stop or target already. */
  readonly voided: number;
  /** The bars end before the trade does, or before it begins. */
  readonly unsettled: number;
  /** Too few bars for a range, or no usable level. */
  readonly unpriced: number;
  /** The account could not take the trade. */
  readonly refused: number;
}

/** What a trade was planned with. */
export interface PatternPlanned {
  /** Open of the bar of the pattern, epoch ms. */
  readonly atMs: number;
  readonly stop: number;
  readonly target: number;
  /** Distance from the close of the pattern's bar to the stop. */
  readonly risk: number;
}

export interface PatternFound {
  readonly found: RunFound;
  readonly counts: PatternCounts;
  /** Of the trades of the run, in their order. */
  readonly planned: readonly PatternPlanned[];
}

/** Trades one pattern by the strategy of that name in a thread, and says what became of each time it was seen. */
export default function tradePattern(order: RunOrder): PatternFound {
  const { found, backtest, listings } = reportRun(order);
  const [listing] = listings;
  const pattern = String(order.values.pattern);
  return sentFound(found, { found, ...readPatterns(backtest, listing, pattern) });
}

function readPatterns(
  { trades, turned, decisions, rules }: Backtest,
  { candles }: Listing,
  pattern: string,
): Pick<PatternFound, "counts" | "planned"> {
  const { symbol, time, close } = candles;
  const from = firstCounted(rules, time);
  const entered = new Map(
    decisions.flatMap((each) => (each.does === "enter" ? [[each.bar, each] as const] : [])),
  );
  const closed = new Map(trades.map(({ orderId, closedAt }) => [orderId, closedAt !== null]));
  const reasons = new Map(turned.map(({ orderId, reason }) => [orderId, reason]));
  const counts = { traded: 0, overlapped: 0, voided: 0, unsettled: 0, unpriced: 0, refused: 0 };
  const ranges = computeRanges(candles);
  for (const [at, hit] of hitsByBar(candles, [pattern])) {
    if (at < from) continue;
    const orderId = `${symbol}/${at}`;
    const reason = reasons.get(orderId);
    if (!entered.has(at))
      counts[planTrade(hit, close[at], ranges[at], 0) === null ? "unpriced" : "overlapped"]++;
    else if (closed.get(orderId) === true) counts.traded++;
    else if (reason === undefined) counts.unsettled++;
    else counts[reason.endsWith("_on_wrong_side") ? "voided" : "refused"]++;
  }
  const planned = trades.map(({ orderId }) => {
    const at = Number(orderId.slice(orderId.lastIndexOf("/") + 1));
    const { stop = Number.NaN, target = Number.NaN } = entered.get(at)?.entry ?? {};
    return { atMs: time[at], stop, target, risk: Math.abs(close[at] - stop) };
  });
  return { counts, planned };
}
