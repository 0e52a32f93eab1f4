import { z } from "zod";
import { INTERVALS } from "../../core/market/interval.js";
import { REGIMES } from "../../core/regime/define.js";
import { provenance } from "../candles/schema.js";
import { HASH_WORDS, RUN_HASH_WORDS } from "./report-hash.js";
import { KEPT_WORDS } from "./run-store.js";

const nullable = z.number().nullable();
const time = z.iso.datetime();

const parameterSchema = z.object({
  kind: z.enum(["integer", "number", "choice", "list"]),
  default: z.union([z.number(), z.string()]),
  min: z.number().optional(),
  max: z.number().optional(),
  step: z.number().optional().describe("Of a form, and of a sweep"),
  choices: z.array(z.string()).optional().describe("Of a list any number, with commas between"),
  meaning: z.string(),
});

export const strategySchema = z
  .object({
    id: z.union([z.int(), z.string()]).describe("1, 2 and 3 for the first three"),
    strategy: z.string().describe("Its id as text"),
    name: z.string(),
    description: z.string(),
    type: z.enum([
      ...["trend", "reversion", "breakout", "rotation", "regime", "pattern"],
      ...["synergy", "options", "model", "other"],
    ] as const),
    scope: z.enum(["symbol", "universe"]).describe("Decides for each symbol by itself, or over all"),
    needs: z.array(z.object({ need: z.string(), meaning: z.string() })),
    facts: z
      .array(z.object({ fact: z.string(), meaning: z.string() }))
      .describe("What it reads beside bars, as known at the close of each"),
    parameters: z.record(z.string(), parameterSchema),
    constraints: z.array(z.string()).describe("What values must fulfil together"),
  })
  .meta({ id: "Strategy" });

const figure = z.object({ value: nullable, reason: z.string().nullable() });
const bound = z.object({ final_equity: z.number(), total_return: z.number().describe("A share") });

export const fillsSchema = z
  .object({
    pessimistic: bound.describe("The run with every doubtful fill gone the worst way"),
    headline: bound.describe("By the rule: the stop first"),
    optimistic: bound.describe("The run with every doubtful fill gone the best way, its gains put in again"),
    ambiguous_trades: z.number().int(),
    doubts_in_all: z
      .number()
      .int()
      .describe("Fills, or ones that were not, which the path within a bar decides"),
    doubts: z.array(
      z.object({
        at: time,
        symbol: z.string(),
        order: z.string(),
        filled: z.boolean(),
        optimistic: z.number().describe("What the account would have more on the best path within the bar"),
        pessimistic: z.number(),
      }),
    ),
  })
  .meta({ id: "BacktestFills" });

const verdict = z.enum(["passed", "flagged", "unknown"]);
const limits = z.object({
  deflated_sharpe: z.number(),
  overfitting: z.number(),
  permutation: z.number(),
});

export const overfittingSchema = z
  .object({
    trials: z
      .number()
      .int()
      .describe(
        "Trials of the caller so far on bars of this interval that share a symbol and some of the time with these, " +
          "whatever their ends: each value that was tried in sweeps and in the windows of walk-forwards, this one among them",
      ),
    trials_on_these_bars: z.number().int().describe("Those of them on exactly these bars"),
    independent_trials: z
      .number()
      .int()
      .describe(
        "Those of them that are no copies: one whose returns correlate by 0.99 with those of one before is one",
      ),
    deflated_sharpe: figure.describe("Probability that the Sharpe ratio is not that of the luckiest trial"),
    deflated_from: z
      .object({
        sharpe: z
          .number()
          .describe("Mean of the returns by day less the rate without risk of a day, over their deviation"),
        n: z.int().describe("Returns that it is of"),
        skewness: z
          .number()
          .describe(
            "Mean cube of what returns are away from their mean, over the mean square of that to the power 3/2",
          ),
        kurtosis: z
          .number()
          .describe("Mean fourth power of the same over its mean square squared; 3 of a normal distribution"),
        hurdle: z
          .number()
          .describe(
            "What the best of the trials is expected to have by day without skill: spread x ((1 - g) x z(1 - 1 / trials) + g x z(1 - 1 / (trials x e))), " +
              "g Euler's 0.5772 and z the quantile of the standard normal distribution; 0 of one trial",
          ),
        trials: z
          .int()
          .describe(
            "Independent trials that the hurdle is of: the first so many, of whatever number makes it highest",
          ),
        spread: z
          .number()
          .describe(
            "Deviation of the ratios of those trials beyond the same rate, each times the root of its returns, over the root of n",
          ),
      })
      .nullable()
      .describe(
        "What the deflated ratio is made of: the normal distribution function of " +
          "(sharpe - hurdle) x sqrt(n - 1) / sqrt(1 - skewness x sharpe + (kurtosis - 1) / 4 x sharpe^2). Null where the returns do not vary",
      ),
    probability_of_overfitting: figure,
    loss_probability: figure,
    sharpe_degradation: figure,
    cross_validated: z.object({ trials: z.number().int(), splits: z.number().int() }),
    permutation_p: figure.describe(
      "How often the same strategy gained as much on the same bars in other orders, which it could not foresee",
    ),
    verdicts: z.object({ deflated_sharpe: verdict, overfitting: verdict, permutation: verdict }),
    limits,
  })
  .meta({ id: "Overfitting" });

export const runTradeSchema = z
  .object({
    symbol: z.string(),
    side: z.enum(["long", "short"]),
    entry_date: time,
    exit_date: time.nullable().describe("Null while it is open"),
    entry_price: z.number(),
    exit_price: nullable,
    quantity: z.number(),
    fees: z.number(),
    dividends: z.number().describe("Received; below 0 for what a short trade paid"),
    pnl: nullable.describe("After costs, with dividends; null while it is open"),
    pnl_pct: nullable.describe("Of what was put in; null while it is open"),
    unrealized_pnl: nullable.describe(
      "Of an open trade at the last close, after its costs; null of a closed one",
    ),
    bars: z.number().int(),
    entry_reason: z.string().nullable(),
    exit_reason: z.string().nullable(),
    ambiguous: z.boolean().describe("The path within a bar decided on its entry or exit"),
    market_condition: z.enum(REGIMES).nullable(),
    pattern: z.string().nullable(),
  })
  .meta({ id: "BacktestTrade" });

const clientTrade = runTradeSchema
  .extend({
    direction: z.enum(["long", "short"]),
    reason: z.string().nullable(),
    confidence: z.null().describe("No strategy tells one"),
  })
  .meta({ id: "BacktestClientTrade" });

export const groupSchema = z
  .object({
    key: z.string(),
    trades: z.number().int(),
    win_rate: z.number(),
    net: z.number(),
    mean_gain: nullable,
    profit_factor: nullable,
  })
  .meta({ id: "TradeGroup" });

const notHad = z
  .record(z.string(), z.int())
  .describe("How often something was asked for and not had, or not whole, by reason");

const breakdownSchema = z.object({
  by_regime: z.array(groupSchema),
  by_pattern: z.array(groupSchema),
  by_symbol: z.array(groupSchema),
  by_reason: z.array(groupSchema).describe("By why they were entered"),
  by_exit_reason: z.array(groupSchema).describe("By why they were left"),
});

/** What existing clients read of a backtest, and what else is known of it. */
export const backtestSchema = z
  .object({
    id: z.number().int().describe("Under /api/backtest/:id the whole report is"),
    href: z.string().describe(`Where the report is kept: ${KEPT_WORDS}`),
    hash: z.string().describe(HASH_WORDS),
    run_hash: z.string().describe(RUN_HASH_WORDS),
    symbol: z.string(),
    strategy_id: z.union([z.int(), z.string()]),
    strategy: z.string(),
    strategy_name: z.string(),
    parameters: z.record(z.string(), z.union([z.number(), z.string()])),
    interval: z.enum(INTERVALS),
    period: z.object({ start: time, end: time }),
    start_date: time,
    end_date: time,
    bars: z.number().int(),
    initial_capital: z.number(),
    final_capital: z.number(),
    total_return: z.number().describe("In the account's currency"),
    total_return_pct: z.number(),
    annualized_return: nullable.describe("Percent"),
    sharpe_ratio: nullable,
    max_drawdown: z.number().describe("In the account's currency"),
    max_drawdown_pct: nullable,
    volatility: nullable.describe("Percent a year"),
    win_rate: nullable.describe("Percent"),
    profit_factor: nullable,
    total_trades: z.number().int(),
    profitable_trades: z.number().int(),
    winning_trades: z.number().int(),
    losing_trades: z.number().int(),
    avg_trade_return: nullable.describe("Percent"),
    avg_win: nullable.describe("In the account's currency"),
    avg_loss: nullable,
    best_trade: nullable,
    worst_trade: nullable,
    costs: z.object({
      commission_bps: z.number(),
      commission_per_share: z.number(),
      spread_bps: z.number(),
      slippage_bps: z.number(),
      volume_share: nullable.describe("Share of a bar's volume that fills may take; null for no limit"),
    }),
    not_had: notHad,
    notes: z.array(z.string()),
    equity_curve: z
      .array(z.object({ date: time, value: z.number(), return_pct: z.number() }))
      .describe("At most 2,000 points"),
    trades: z.array(clientTrade).describe("The newest 5,000"),
    fills: fillsSchema,
    overfitting: overfittingSchema,
    breakdown: breakdownSchema,
    timestamp: time,
    ...provenance,
  })
  .meta({ id: "Backtest" });

export const listBacktestSchema = z
  .object({
    strategy_name: z.string(),
    strategy_id: z.string(),
    id: z.number().int(),
    href: z.string(),
    symbols: z.array(z.string()),
    patterns_used: z.array(z.string()),
    period: z.object({ start: time, end: time }),
    initial_capital: z.number(),
    final_capital: z.number(),
    summary_by_symbol: z.record(
      z.string(),
      z.object({
        trades: z.number().int(),
        win_rate: nullable.describe("0..1"),
        total_pnl: z.number().describe("Of closed trades"),
        unrealized_pnl: z.number().describe("Of open ones at the last close"),
      }),
    ),
    portfolio: z.object({
      total_trades: z.number().int(),
      win_rate: nullable.describe("0..1"),
      profit_factor: nullable,
      total_pnl: z.number().describe("Of closed trades"),
      unrealized_pnl: z.number().describe("Of open ones at the last close"),
    }),
    not_had: notHad,
    notes: z.array(z.string()),
    sample_trades: z.array(clientTrade).describe("The first 50"),
    fills: fillsSchema,
    overfitting: overfittingSchema,
    breakdown: breakdownSchema,
    timestamp: time,
    ...provenance,
  })
  .meta({ id: "StrategyBacktest" });
