import { z } from "zod";

const nullable = z.number().nullable();
const time = z.iso.datetime();
const figure = z.object({ value: nullable, reason: z.string().nullable() });

export const periodText = z
  .string()
  .regex(/^(\d{1,4}d|all)$/, "must be a number of days such as 30d, or all")
  .default("all")
  .transform((text) => (text === "all" ? null : Number(text.slice(0, -1))))
  .meta({ description: "Days back from now such as 30d, or all" });

export const accountText = z.uuid().optional().describe("The caller's oldest open account unless given");

const totals = {
  total_trades: z.number().int().describe("Closed ones"),
  winning_trades: z.number().int(),
  losing_trades: z.number().int(),
  win_rate: nullable.describe("Percent; null without trades"),
  avg_pnl: nullable,
  total_pnl: z.number(),
  best_trade: nullable,
  worst_trade: nullable,
  avg_win: nullable,
  avg_loss: nullable.describe("Below 0"),
  profit_factor: nullable.describe("Null where nothing was lost, which no_losses tells"),
  no_losses: z.boolean(),
  payoff: nullable,
  expectancy: nullable,
  longest_winning_run: z.number().int(),
  longest_losing_run: z.number().int(),
  avg_holding_minutes: nullable,
  fees: z.number(),
  ambiguous_trades: z.number().int(),
};
const group = z.object({
  name: z.string(),
  trades: z.number().int(),
  win_rate: nullable,
  total_pnl: z.number(),
  avg_pnl: nullable,
});

export const statisticsSchema = z
  .object({
    ...totals,
    open_trades: z.number().int(),
    unrealised_pnl: z.number(),
    trading_performance: z.object(totals),
    pattern_performance: z.array(group),
    by_symbol: z.array(group),
    by_strategy: z.array(group),
    by_hour: z.array(group).describe("Of the entry, on the clock of the account"),
    account_id: z.string().nullable().describe("Null while the caller has no account"),
    currency: z.string().nullable(),
    synthetic: z.boolean(),
  })
  .meta({ id: "TradingStatistics" });

export const performanceSchema = z
  .object({
    account_id: z.string().nullable(),
    equity_curve: z.array(
      z.object({
        date: z.iso.date(),
        equity: z.number(),
        value: z.number().describe("The same as equity"),
        cash: z.number(),
        long_value: z.number(),
        short_value: z.number(),
        return_pct: nullable.describe("Of the day, freed of what was paid in and out"),
        drawdown_pct: nullable,
        carried: z.number().int().describe("Positions valued at an older price"),
      }),
    ),
    total_return: nullable.describe("In the account's currency, without what was paid in and out"),
    return_pct: nullable,
    time_weighted: figure,
    money_weighted: figure.describe("Of a year; what is paid in counts from the end of the day before"),
    money_weighted_total: figure,
    cagr: figure,
    volatility: figure,
    sharpe: nullable,
    sortino: nullable,
    calmar: nullable,
    reasons: z.record(z.string(), z.string()).describe("Why figures are null"),
    max_drawdown: nullable.describe("Percent of the peak"),
    drawdown: z
      .object({
        depth_pct: z.number(),
        peak: z.iso.date().nullable(),
        trough: z.iso.date().nullable(),
        recovered: z.iso.date().nullable(),
        days: z.number().int(),
      })
      .nullable(),
    exposure: z.object({ days: figure, gross: figure, net: figure }).nullable(),
    benchmark: z
      .object({
        symbol: z.string(),
        n: z.number().int(),
        alpha: figure,
        beta: figure,
        correlation: figure,
        tracking_error: figure,
        information_ratio: figure,
      })
      .nullable(),
    definitions: z.object({ days_a_year: nullable, risk_free: nullable, returns: z.string() }),
    unpriced: z
      .array(z.string())
      .describe("Held symbols without daily closes: worth what they were traded at"),
    synthetic: z.boolean(),
  })
  .meta({ id: "AccountPerformance" });

const attributed = z.object({
  name: z.string(),
  contribution: z.number(),
  percentage: nullable.describe("Of the total"),
  trades: z.number().int(),
  win_rate: nullable.describe("Percent of those that are closed; null while none is"),
  avg_return: nullable.describe("Percent of what was put in"),
});
export const attributionFields = {
  total_return: z.number().describe("Realised and unrealised gains of the trades, after fees, and interest"),
  return_pct: nullable.describe("Of what was paid in"),
  period: z.string(),
  layers: z
    .array(attributed)
    .describe(
      "Sum to total_return; manual holds what no layer spoke for, interest what cash earned and cost",
    ),
  patterns: z.array(attributed),
  strategies: z.array(attributed),
  models: z.array(attributed),
  insights: z.array(z.object({ type: z.enum(["positive", "negative", "neutral"]), message: z.string() })),
};

export const forecastFields = {
  period: z.string(),
  predictions: z.array(
    z.object({
      metric: z.string(),
      value: z.number(),
      confidence: z.number().describe("Share of the paths that agree, 0..1"),
      trend: z.enum(["up", "down", "flat"]),
      basis: z.string(),
    }),
  ),
  upcoming_setups: z.array(
    z.object({
      symbol: z.string(),
      pattern: z.string(),
      expected_date: z.string().nullable(),
      probability: nullable,
      reasoning: z.string(),
    }),
  ),
};
export const forecastSchema = z
  .object({
    symbol: z.string().describe("PORTFOLIO for the account"),
    timeframe: z.string(),
    current_value: nullable,
    forecasted_values: z.array(z.object({ day: z.number().int(), value: z.number() })).describe("Medians"),
    confidence_interval: z.object({
      share: z.number(),
      lower: z.array(z.number()),
      upper: z.array(z.number()),
    }),
    quantiles: z.record(z.string(), z.array(z.number())),
    loss_probability: nullable.describe("Of ending below the value now, 0..1"),
    basis: z.object({ days: z.number().int(), paths: z.number().int(), block_days: z.number() }).nullable(),
    reason: z.string().nullable().describe("Why there is no forecast"),
    insights: z.array(z.string()),
  })
  .meta({ id: "Forecast" });

export const achievementSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    title: z.string(),
    description: z.string(),
    icon: z.string(),
    rarity: z.string(),
    badge: z.string().describe("The same as rarity"),
    reward_xp: z.number().int(),
    unlocked: z.boolean(),
    unlocked_at: time.nullable(),
    progress: z.number(),
    progress_max: z.number(),
    max_progress: z.number(),
  })
  .meta({ id: "Achievement" });
export const userStatsSchema = z.object({
  level: z.number().int(),
  title: z.string(),
  current_xp: z.number().int(),
  next_level_xp: z.number().int(),
  total_achievements: z.number().int(),
  unlocked_achievements: z.number().int(),
  leaderboard_rank: z.number().int().nullable().describe("Null: accounts are not compared"),
  total_users: z.number().int().nullable(),
});

/** By trades, as the first clients read it. */
export const tradeStreakSchema = z
  .object({
    current_streak: z.number().int(),
    longest_streak: z.number().int().describe("Of winning trades"),
    longest_losing_streak: z.number().int(),
    streak_type: z.enum(["winning", "losing", "none"]),
    last_trade_result: z.enum(["win", "loss", "break_even"]).nullable(),
    streak_start_date: time.nullable(),
    milestones: z.array(
      z.object({ threshold: z.number().int(), name: z.string(), icon: z.string(), reached: z.boolean() }),
    ),
  })
  .meta({ id: "TradeStreak" });

/** By days, as later clients read it beside `data`. */
export const dayStreakFields = {
  current_streak: z
    .number()
    .int()
    .describe("Winning days in a row; days without a closed trade do not count"),
  longest_streak: z.number().int().describe("Of winning days"),
  total_trading_days: z.number().int(),
  profitable_days: z.number().int(),
  calendar: z.array(
    z.object({ date: z.iso.date(), traded: z.boolean(), profitable: z.boolean(), pnl: z.number() }),
  ),
  milestones: z.array(
    z.object({ days: z.number().int(), reward_xp: z.number().int(), reached: z.boolean() }),
  ),
};
