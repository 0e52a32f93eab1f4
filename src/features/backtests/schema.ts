import { z } from "zod";
import { INTERVALS } from "../../core/market/interval.js";
import { REGIMES } from "../../core/regime/define.js";
import { intervalText, provenance, symbolText } from "../candles/schema.js";
import { overfittingSchema } from "./answer-schema.js";
import { runFields } from "./order.js";

const name = z.string().min(1).max(60);

export const patternBody = z
  .strictObject({
    pattern: name.optional().describe("Id or title, in any spelling"),
    pattern_name: name.optional().describe("The same as pattern; refused where it names another one"),
    symbol: symbolText,
    timeframe: intervalText.prefault("1d"),
    start_date: runFields.start_date,
    end_date: runFields.end_date,
  })
  .refine(({ pattern, pattern_name }) => (pattern ?? pattern_name) !== undefined, {
    message: "must name a pattern",
    path: ["pattern"],
  });

const nullable = z.number().nullable();
const time = z.iso.datetime();

const tradeSchema = z.object({
  signal_date: time.describe("Open of the bar of the pattern"),
  entry_date: time,
  exit_date: time.describe("Open of the bar in which it ended"),
  pnl: z.number().describe("In the account's currency, after costs and with dividends"),
  entry_price: z.number(),
  exit_price: z.number(),
  stop_loss: z.number(),
  take_profit: z.number(),
  direction: z.enum(["long", "short"]),
  pnl_pct: z.number().describe("Percent of the entry, after costs"),
  r: z.number().describe("In units of the risk that was planned, after costs"),
  reason: z.enum(["target", "stop", "time", "margin_call"]),
  ambiguous: z.boolean().describe("One bar held stop and target: the stop was assumed"),
  market_condition: z.enum(REGIMES).nullable(),
});

export const patternBacktestSchema = z
  .object({
    symbol: z.string(),
    pattern: z.string(),
    pattern_name: z.string(),
    timeframe: z.enum(INTERVALS),
    period: z.object({ start: time, end: time }),
    bars: z.number().int(),
    initial_capital: z.number(),
    final_capital: z.number().describe("With what is open at the last close, as POST /api/backtest has it"),
    total_return: z.number().describe("Percent of the initial capital"),
    annualized_return: nullable.describe("Percent"),
    sharpe_ratio: nullable.describe("Of the returns of days, a year"),
    max_drawdown: z.number().describe("Percent, at closes"),
    volatility: nullable.describe("Percent a year"),
    win_rate: nullable.describe("0..1"),
    profit_factor: nullable.describe("Null without a loss"),
    total_trades: z.number().int(),
    profitable_trades: z.number().int(),
    losing_trades: z.number().int(),
    avg_trade_return: nullable.describe("Percent"),
    best_trade: nullable.describe("Percent"),
    worst_trade: nullable.describe("Percent"),
    avg_hold_time: nullable.describe("Bars"),
    pattern_frequency: z.number().describe("Patterns per hundred bars"),
    occurrences: z.number().int(),
    not_traded: z.object({
      position_open: z.number().int(),
      gap_beyond_levels: z.number().int(),
      not_ended: z.number().int(),
      no_levels: z.number().int(),
      not_had: z.number().int().describe("Refused by the account, or too small for a unit"),
    }),
    success_by_market_condition: z.array(
      z.object({ market_condition: z.string(), trades: z.number().int(), win_rate: z.number() }),
    ),
    overfitting: overfittingSchema,
    costs_bps: z.number().describe("In and out together, assumed for the class of the instrument"),
    notes: z.array(z.string()),
    trades: z.array(tradeSchema).describe("The newest 500"),
    timestamp: time,
    ...provenance,
  })
  .meta({ id: "PatternBacktest" });
