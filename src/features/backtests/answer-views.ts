import type { z } from "zod";
import { isoTime } from "../../platform/http.js";
import type { backtestSchema, listBacktestSchema } from "./answer-schema.js";
import type { Chosen } from "./order.js";
import { stretchProvenance } from "./provenance.js";
import type { ReportView } from "./report-view.js";
import type { RunFound } from "./run-worker.js";
import type { RunData } from "./series.js";
import { numberOf } from "./strategy-views.js";

/** Points of a curve at most. */
const CURVE_LIMIT = 2_000;
const SAMPLE = 50;

/** A backtest that was counted and kept. */
export interface Answered {
  readonly id: number;
  readonly chosen: Chosen;
  readonly data: RunData;
  readonly found: RunFound;
  readonly report: ReportView & { readonly hash: string };
}

const percent = (share: number | null) => (share === null ? null : 100 * share);

export function backtestView(
  { id, chosen, data, found, report }: Answered,
  notes: readonly string[],
  nowMs: number,
): z.input<typeof backtestSchema> {
  const { figures } = found.report;
  const { capital } = data.terms;
  const { closed, won, lost } = closesOf(found);
  const nets = closed.map(({ net }) => net);
  const final = found.bounds.headline;
  return {
    id,
    href: `/api/backtest/${id}`,
    hash: report.hash,
    run_hash: report.run_hash,
    symbol: report.symbols[0],
    strategy_id: numberOf(chosen.strategy.id),
    strategy: chosen.strategy.id,
    strategy_name: report.strategy.name,
    parameters: { ...chosen.values },
    interval: report.interval,
    period: report.period,
    start_date: report.period.start,
    end_date: report.period.end,
    bars: report.bars,
    initial_capital: capital,
    final_capital: final,
    total_return: final - capital,
    total_return_pct: 100 * (final / capital - 1),
    annualized_return: percent(figures.annual_return.value),
    sharpe_ratio: figures.sharpe.value,
    max_drawdown: deepestFall(capital, found.equity),
    max_drawdown_pct: percent(figures.max_drawdown.value),
    volatility: percent(figures.volatility.value),
    win_rate: percent(figures.win_rate.value),
    profit_factor: figures.profit_factor.value,
    total_trades: closed.length,
    profitable_trades: won.length,
    winning_trades: won.length,
    losing_trades: lost.length,
    avg_trade_return: percent(figures.expectancy_return.value),
    avg_win: meanOrNull(won),
    avg_loss: meanOrNull(lost),
    best_trade: nets.length === 0 ? null : Math.max(...nets),
    worst_trade: nets.length === 0 ? null : Math.min(...nets),
    costs: report.terms.costs,
    not_had: { ...report.not_had },
    notes: [...report.data.notes, ...notes],
    equity_curve: curveOf(found, capital),
    trades: report.trades.map(clientTrade),
    fills: report.fills,
    overfitting: report.overfitting,
    breakdown: report.breakdown,
    timestamp: isoTime(nowMs),
    ...stretchProvenance(data, nowMs),
  };
}

/** Trades that were closed, and those of them that won and lost. */
export function closesOf({ trades }: Pick<RunFound, "trades">) {
  const closed = trades.filter(({ exitMs }) => exitMs !== null);
  return {
    closed,
    won: closed.filter(({ net }) => net > 0),
    lost: closed.filter(({ net }) => net < 0),
  };
}

export function listBacktestView(
  { id, chosen, data, found, report }: Answered,
  {
    name,
    patterns,
    notes,
  }: { readonly name: string; readonly patterns: readonly string[]; readonly notes: readonly string[] },
  nowMs: number,
): z.input<typeof listBacktestSchema> {
  const closed = found.trades.filter(({ exitMs }) => exitMs !== null);
  const { figures } = found.report;
  const summary = report.symbols.map((symbol) => {
    const own = closed.filter((trade) => trade.symbol === symbol);
    const open = found.trades.filter((trade) => trade.symbol === symbol);
    const sums = { total_pnl: netOf(own), unrealized_pnl: openOf(open) };
    return [symbol, { trades: own.length, win_rate: winRate(own), ...sums }] as const;
  });
  return {
    strategy_name: name,
    strategy_id: chosen.strategy.id,
    id,
    href: `/api/backtest/${id}`,
    symbols: report.symbols,
    patterns_used: [...patterns],
    period: report.period,
    initial_capital: data.terms.capital,
    final_capital: found.bounds.headline,
    summary_by_symbol: Object.fromEntries(summary),
    portfolio: {
      total_trades: closed.length,
      win_rate: winRate(closed),
      profit_factor: figures.profit_factor.value,
      total_pnl: netOf(closed),
      unrealized_pnl: openOf(found.trades),
    },
    not_had: { ...report.not_had },
    notes: [...report.data.notes, ...notes],
    sample_trades: report.trades.slice(0, SAMPLE).map(clientTrade),
    fills: report.fills,
    overfitting: report.overfitting,
    breakdown: report.breakdown,
    timestamp: isoTime(nowMs),
    ...stretchProvenance(data, nowMs),
  };
}

function clientTrade(trade: ReportView["trades"][number]) {
  return { ...trade, direction: trade.side, reason: trade.exit_reason, confidence: null };
}

const openOf = (trades: RunFound["trades"]) => trades.reduce((sum, { openNet }) => sum + (openNet ?? 0), 0);
const netOf = (trades: readonly { readonly net: number }[]) => trades.reduce((sum, { net }) => sum + net, 0);

function winRate(trades: readonly { readonly net: number }[]): number | null {
  return trades.length === 0 ? null : trades.filter(({ net }) => net > 0).length / trades.length;
}

function meanOrNull(trades: readonly { readonly net: number }[]): number | null {
  return trades.length === 0 ? null : netOf(trades) / trades.length;
}

/** The most that was ever lost since the highest equity before, in money. */
function deepestFall(capital: number, equity: Float64Array): number {
  let [peak, deepest] = [capital, 0];
  for (const each of equity) {
    peak = Math.max(peak, each);
    deepest = Math.max(deepest, peak - each);
  }
  return deepest;
}

/** Of many bars the last of each of as many stretches. */
function curveOf({ time, equity }: RunFound, capital: number) {
  const n = equity.length;
  const count = Math.min(n, CURVE_LIMIT);
  return Array.from({ length: count }, (_, k) => {
    const i = Math.ceil(((k + 1) * n) / count) - 1;
    return { date: isoTime(time[i]), value: equity[i], return_pct: 100 * (equity[i] / capital - 1) };
  });
}
