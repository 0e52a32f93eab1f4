import type { z } from "zod";
import { MICROS } from "../../core/execution/money.js";
import { isoTime } from "../../platform/http.js";
import { moneyOf } from "../paper-trades/amounts.js";
import type { dailySchema, rollupMeta, strategySchema } from "./rollup-schema.js";
import type { DailyRow, StrategyRow } from "./rollup-store.js";
import type { RollupRun } from "./run-store.js";

const numberOf = (text: string | null) => (text === null ? null : Number(text));
/** Averages are kept with more places than money has. */
const averageOf = (text: string | null) => (text === null ? null : moneyOf(Number(text) * MICROS));

export function dailyView(row: DailyRow): z.output<typeof dailySchema> {
  return {
    date: row.date,
    total_trades: row.trades,
    winning_trades: row.wins,
    losing_trades: row.losses,
    break_even_trades: row.breakEvens,
    win_rate: Number(row.winRatePct),
    gross_pnl: Number(row.gross),
    brokerage: Number(row.brokerage),
    taxes: Number(row.taxes),
    carry: Number(row.carry),
    net_pnl: Number(row.net),
    profit_factor: numberOf(row.profitFactor),
    no_losses: row.noLosses,
    avg_pnl: moneyOf(Number(row.averageNet) * MICROS),
    avg_win: averageOf(row.averageWin),
    avg_loss: averageOf(row.averageLoss),
    avg_hold_minutes: Number(row.averageHoldMinutes),
    max_drawdown: Number(row.maxDrawdown),
    max_drawdown_pct: numberOf(row.maxDrawdownPct),
    max_drawdown_pct_reason: row.drawdownReason,
    sharpe: numberOf(row.sharpe),
    sharpe_reason: row.sharpeReason,
    computed_at: isoTime(row.computedAt),
  };
}

export function strategyView(row: StrategyRow): z.output<typeof strategySchema> {
  return {
    date: row.date,
    strategy: row.strategy,
    signals_generated: row.signalsGenerated,
    trades_taken: row.tradesTaken,
    winning_trades: row.wins,
    win_rate: numberOf(row.winRatePct),
    total_pnl: Number(row.totalNet),
    avg_pnl: averageOf(row.averageNet),
    avg_signal_strength: numberOf(row.averageStrength),
    computed_at: isoTime(row.computedAt),
  };
}

export function runView(run: RollupRun | null): z.output<typeof rollupMeta>["last_run"] {
  if (run === null) return null;
  const { trigger, status, from, to, failure, startedAt, finishedAt } = run;
  return {
    trigger,
    status,
    from,
    to,
    started_at: isoTime(startedAt),
    finished_at: finishedAt === null ? null : isoTime(finishedAt),
    failure,
  };
}
