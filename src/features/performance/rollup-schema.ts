import { z } from "zod";
import { accountId } from "../paper-trades/schema.js";

const count = z.number().int();
const money = z.number().describe("In the account's currency");
const figure = z.number().nullable();
const date = z.iso.date();

export const rollupQuery = {
  account_id: accountId,
  from: date.optional().describe("30 days before to without it"),
  to: date.optional().describe("Included; today without it"),
};
export const aggregateBody = z.strictObject({ date, account_id: accountId });
export const backfillBody = z.strictObject({
  start_date: date,
  end_date: date.describe("Included"),
  account_id: accountId,
});

export const dailySchema = z
  .object({
    date: date.describe("By exit, of the trading day of each trade's own exchange; of coins the UTC day"),
    total_trades: count,
    winning_trades: count,
    losing_trades: count,
    break_even_trades: count,
    win_rate: z.number().describe("In percent"),
    gross_pnl: money,
    brokerage: money.describe("Fees of the broker"),
    taxes: money.describe("Fees of exchanges and of the state"),
    carry: money.describe("Dividends less what was paid for borrowing"),
    net_pnl: money.describe("gross_pnl less brokerage and taxes, with carry"),
    profit_factor: figure.describe("Gains per losses, after costs; null without a loss"),
    no_losses: z.boolean(),
    avg_pnl: money,
    avg_win: figure,
    avg_loss: figure.describe("Below 0"),
    avg_hold_minutes: z.number(),
    max_drawdown: money.describe("Deepest fall of the day's summed net below its highest, from 0 on"),
    max_drawdown_pct: figure.describe("Of what the account had at that highest, positions at cost"),
    max_drawdown_pct_reason: z.string().nullable(),
    sharpe: figure.describe("Of the returns of the day's trades, not of a year"),
    sharpe_reason: z.string().nullable(),
    computed_at: z.iso.datetime(),
  })
  .meta({ id: "DailyPerformance" });

export const strategySchema = z
  .object({
    date,
    strategy: z.string().describe("As the order was placed for: its strategy, else its pattern, else manual"),
    signals_generated: count.describe(
      "Alerts with a direction on the pattern, raised that day, taken or not",
    ),
    trades_taken: count.describe("Trades that were closed that day"),
    winning_trades: count,
    win_rate: figure.describe("In percent"),
    total_pnl: money,
    avg_pnl: figure,
    avg_signal_strength: figure.describe("Mean score of the alerts, 0..1"),
    computed_at: z.iso.datetime(),
  })
  .meta({ id: "StrategyPerformance" });

export const rollupMeta = z.object({
  account_id: z.string(),
  currency: z.string(),
  from: date,
  to: date,
  zone: z.string().describe("In which the hour is read"),
  hour: count.describe("Of the day at which it is rolled up"),
  synthetic: z.boolean(),
  last_run: z
    .object({
      trigger: z.enum(["schedule", "start", "request", "backfill"]),
      status: z.enum(["running", "succeeded", "failed"]),
      from: date,
      to: date,
      started_at: z.iso.datetime(),
      finished_at: z.iso.datetime().nullable(),
      failure: z.string().nullable(),
    })
    .nullable()
    .describe("The newest of all accounts or of this one; null before the first"),
});

export const aggregatedSchema = z.object({
  date,
  account_id: z.string(),
  daily_rows: count,
  strategy_rows: count,
});
