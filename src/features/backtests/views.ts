import type { z } from "zod";
import { isoTime } from "../../platform/http.js";
import { provenanceOf } from "../candles/views.js";
import { titleOf } from "../catalogue/pattern-names.js";
import type { PatternBacktest } from "./backtests.js";
import type { OverfittingView } from "./ledger.js";
import type { patternBacktestSchema } from "./schema.js";

const TRADES_SHOWN = 500;
const percent = (share: number | null) => (share === null ? null : 100 * share);

export function patternBacktestView(
  found: PatternBacktest,
  overfitting: OverfittingView,
  nowMs: number,
): z.input<typeof patternBacktestSchema> {
  const { set, variant, from, untilMs, costBps, result, summary } = found;
  const { time, interval } = set.candles;
  const { trades, occurrences, overlapped, voided, unsettled, unpriced } = result;
  const bars = time.length - from;
  const won = trades.filter(({ gain }) => gain > 0).length;
  return {
    symbol: set.instrument.symbol,
    pattern: variant,
    pattern_name: titleOf(variant),
    timeframe: interval,
    period: { start: isoTime(time[from]), end: isoTime(untilMs) },
    bars,
    total_return: 100 * summary.totalReturn,
    annualized_return: percent(summary.annualReturn),
    sharpe_ratio: summary.sharpe,
    max_drawdown: 100 * summary.maxDrawdown,
    volatility: percent(summary.deviation),
    win_rate: summary.winRate,
    profit_factor: summary.profitFactor,
    total_trades: trades.length,
    profitable_trades: won,
    losing_trades: trades.length - won,
    avg_trade_return: percent(summary.meanGain),
    best_trade: percent(summary.best),
    worst_trade: percent(summary.worst),
    avg_hold_time: summary.meanBars,
    pattern_frequency: (100 * occurrences) / bars,
    occurrences,
    not_traded: {
      position_open: overlapped,
      gap_beyond_levels: voided,
      not_ended: unsettled,
      no_levels: unpriced,
    },
    success_by_market_condition: conditionsOf(found),
    overfitting,
    costs_bps: costBps,
    trades: tradesView(found),
    timestamp: isoTime(nowMs),
    ...provenanceOf(set),
  };
}

function conditionsOf({ result: { trades, regimes } }: PatternBacktest) {
  const groups = new Map<string, { trades: number; won: number }>();
  for (const [i, { gain }] of trades.entries()) {
    const condition = regimes[i] ?? "unknown";
    const { trades: count, won } = groups.get(condition) ?? { trades: 0, won: 0 };
    groups.set(condition, { trades: count + 1, won: won + Number(gain > 0) });
  }
  return [...groups].map(([market_condition, { trades: count, won }]) => ({
    market_condition,
    trades: count,
    win_rate: won / count,
  }));
}

function tradesView({ set, result }: PatternBacktest) {
  const { time } = set.candles;
  const first = Math.max(0, result.trades.length - TRADES_SHOWN);
  return result.trades.slice(first).map((trade, i) => ({
    signal_date: isoTime(time[trade.at]),
    entry_date: isoTime(time[trade.at + 1]),
    exit_date: isoTime(time[trade.exitAt]),
    entry_price: trade.entry,
    exit_price: trade.exit,
    stop_loss: trade.stop,
    take_profit: trade.target,
    direction: trade.direction > 0 ? ("long" as const) : ("short" as const),
    pnl_pct: 100 * trade.gain,
    r: trade.r,
    reason: trade.end,
    ambiguous: trade.ambiguous,
    market_condition: result.regimes[first + i],
  }));
}
