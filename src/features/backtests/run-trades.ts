import { barTime } from "../../core/backtest/brief.js";
import type { Backtest } from "../../core/backtest/result.js";
import { lowerBound } from "../../core/base/search.js";
import type { Candles } from "../../core/market/candles.js";
import { findVariant } from "../../core/patterns/index.js";
import { returnOf } from "../../core/performance/trade.js";
import { unrealisedOf } from "../../core/performance/trades.js";
import { REGIMES, type Regime } from "../../core/regime/define.js";
import { computeRegimes } from "../../core/regime/regime.js";
import type { Values } from "../../core/strategies/parameters.js";

/** A trade as it is told. Money in the account's currency, times are opens of bars, epoch ms. */
export interface RunTrade {
  readonly symbol: string;
  readonly side: "long" | "short";
  readonly entryMs: number;
  /** Null while it is open. */
  readonly exitMs: number | null;
  readonly entryPrice: number;
  readonly exitPrice: number | null;
  readonly quantity: number;
  readonly fees: number;
  /** Received; below 0 for what a short trade paid. */
  readonly dividends: number;
  /** Realised, after costs and with dividends. */
  readonly net: number;
  /** What the trade is worth with what is still open, at the last close; null for a trade that is closed. */
  readonly openNet: number | null;
  /** Net over what was put in, as a share. */
  readonly gain: number | null;
  readonly bars: number;
  /** In the words of the strategy; null where it says none. */
  readonly entryReason: string | null;
  readonly exitReason: string | null;
  readonly ambiguous: boolean;
  /** Of the market at the close of the bar before the entry; null where too few bars tell. */
  readonly regime: Regime | null;
  /** Variant of the pattern that was traded; null for a strategy that trades none. */
  readonly pattern: string | null;
  /** In a walk-forward the fold in whose test it was made, from 1. */
  readonly fold?: number;
}

export function tradesOf(
  { trades, events, reasons }: Backtest,
  series: readonly Candles[],
  { strategyId, values }: { readonly strategyId: string; readonly values: Values },
): RunTrade[] {
  const markets = new Map(
    series.map((candles) => [candles.symbol, { candles, label: computeRegimes(candles).label }]),
  );
  return trades.flatMap((trade) => {
    const market = markets.get(trade.symbol);
    if (market === undefined) return [];
    const { time, close } = market.candles;
    const entryMs = barTime(events[trade.openedSeq - 1]);
    const exit = trade.closedSeq === null ? null : events[trade.closedSeq - 1];
    const exitMs = exit === null ? null : barTime(exit);
    const at = lowerBound(time, entryMs);
    const last = exitMs === null ? time.length - 1 : lowerBound(time, exitMs);
    const reason = reasons.get(trade.orderId) ?? null;
    const asked = exit !== null && exit.kind === "order" ? reasons.get(exit.orderId) : undefined;
    return {
      symbol: trade.symbol,
      side: trade.side,
      entryMs,
      exitMs,
      entryPrice: trade.entryPrice,
      exitPrice: trade.exitPrice,
      quantity: trade.quantity,
      fees: trade.fees / 1e6,
      dividends: trade.dividends / 1e6,
      net: trade.net / 1e6,
      openNet: exitMs === null ? (trade.net + unrealisedOf([trade], close[close.length - 1])[0]) / 1e6 : null,
      gain: returnOf(trade),
      bars: last - at,
      entryReason: reason,
      exitReason: trade.exitReason === null ? null : (asked ?? trade.exitReason),
      ambiguous: trade.ambiguous,
      regime: REGIMES[market.label[at - 1]] ?? null,
      pattern: patternOf(strategyId, values, reason),
    };
  });
}

function patternOf(strategyId: string, { pattern }: Values, reason: string | null): string | null {
  if (strategyId === "pattern_trade") return String(pattern);
  return reason !== null && findVariant(reason) !== null ? reason : null;
}
