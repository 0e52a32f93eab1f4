import type { z } from "zod";
import { isoTime } from "../../platform/http.js";
import { titleOf } from "../catalogue/pattern-names.js";
import { closesOf } from "./answer-views.js";
import type { PatternAnswered } from "./answers.js";
import { stretchProvenance } from "./provenance.js";
import type { patternBacktestSchema } from "./schema.js";

const TRADES_SHOWN = 500;
const percent = (share: number | null) => (share === null ? null : 100 * share);

export function patternBacktestView(
  answered: PatternAnswered,
  nowMs: number,
): z.input<typeof patternBacktestSchema> {
  const { data, chosen, found, counts, report } = answered;
  const { figures } = found.report;
  const variant = String(chosen.values.pattern);
  const [{ symbol, interval, time }] = data.series;
  const { bars } = report;
  const { closed, won, lost } = closesOf(found);
  const { traded, overlapped, voided, unsettled, unpriced, refused } = counts;
  const occurrences = traded + overlapped + voided + unsettled + unpriced + refused;
  const gains = closed.flatMap(({ gain }) => gain ?? []);
  const { capital } = data.terms;
  return {
    symbol,
    pattern: variant,
    pattern_name: titleOf(variant),
    timeframe: interval,
    period: { start: isoTime(time[0]), end: isoTime(Math.min(data.toMs, nowMs)) },
    bars,
    initial_capital: capital,
    final_capital: found.bounds.headline,
    total_return: 100 * (found.bounds.headline / capital - 1),
    annualized_return: percent(figures.annual_return.value),
    sharpe_ratio: figures.sharpe.value,
    max_drawdown: percent(figures.max_drawdown.value) ?? 0,
    volatility: percent(figures.volatility.value),
    win_rate: figures.win_rate.value,
    profit_factor: figures.profit_factor.value,
    total_trades: closed.length,
    profitable_trades: won.length,
    losing_trades: lost.length,
    avg_trade_return: percent(figures.expectancy_return.value),
    best_trade: gains.length === 0 ? null : 100 * Math.max(...gains),
    worst_trade: gains.length === 0 ? null : 100 * Math.min(...gains),
    avg_hold_time:
      closed.length === 0 ? null : closed.reduce((sum, each) => sum + each.bars, 0) / closed.length,
    pattern_frequency: (100 * occurrences) / bars,
    occurrences,
    not_traded: {
      position_open: overlapped,
      gap_beyond_levels: voided,
      not_ended: unsettled,
      no_levels: unpriced,
      not_had: refused,
    },
    success_by_market_condition: conditionsOf(answered),
    overfitting: report.overfitting,
    costs_bps: data.terms.spreadBps,
    notes: report.data.notes,
    trades: tradesView(answered),
    timestamp: isoTime(nowMs),
    ...stretchProvenance(data, nowMs),
  };
}

function conditionsOf({ found }: PatternAnswered) {
  return found.breakdown.byRegime.map(({ key, trades, winRate }) => ({
    market_condition: key,
    trades,
    win_rate: winRate,
  }));
}

function tradesView({ found, planned }: PatternAnswered) {
  const told = found.trades.flatMap((trade, k) => {
    const { exitMs, exitPrice } = trade;
    if (exitMs === null || exitPrice === null) return [];
    const { atMs, stop, target, risk } = planned[k];
    return {
      signal_date: isoTime(atMs),
      entry_date: isoTime(trade.entryMs),
      exit_date: isoTime(exitMs),
      entry_price: trade.entryPrice,
      exit_price: exitPrice,
      stop_loss: stop,
      take_profit: target,
      direction: trade.side,
      pnl: trade.net,
      pnl_pct: 100 * (trade.gain ?? 0),
      r: trade.net / (risk * trade.quantity),
      reason: endOf(trade.exitReason),
      ambiguous: trade.ambiguous,
      market_condition: trade.regime,
    };
  });
  return told.slice(-TRADES_SHOWN);
}

/** What is neither stop nor target is the end of the horizon, or that of the account. */
function endOf(reason: string | null): "stop" | "target" | "time" | "margin_call" {
  return reason === "stop" || reason === "target" || reason === "margin_call" ? reason : "time";
}
