import { z } from "zod";
import { REFUSALS, WARNINGS } from "../../core/risk/limits.js";
import { SIZING_METHODS } from "../../core/risk/size.js";
import { intervalText, symbolText } from "../candles/schema.js";
import { riskSettingsSchema } from "./settings.js";

const price = z.number().positive().max(1e12);
const quantity = z.number().positive().max(1e12);
const side = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(z.enum(["buy", "sell", "long", "short"]))
  .transform((word) => (word === "buy" || word === "long" ? ("buy" as const) : ("sell" as const)))
  .meta({ enum: ["buy", "sell"], description: "long and short are understood too" });

export const planBody = z.strictObject({
  symbol: symbolText,
  side,
  entry: price.optional().describe("Without it the price now"),
  stop_loss: price.nullish(),
  take_profit: price.nullish(),
  quantity,
  pattern_type: z.string().max(60).optional().describe("Pattern behind the trade, in any spelling"),
  timeframe: intervalText.prefault("1d").describe("Interval the pattern was seen on"),
  account_size: z.number().positive().max(1e15).optional().describe("Equity, where there is no account"),
  ttl_seconds: z.number().int().min(60).max(1_800).default(300),
});

export const sizingBody = z
  .strictObject({
    symbol: symbolText.optional(),
    method: z.enum(SIZING_METHODS).default("fixed_fraction"),
    account_size: z.number().positive().max(1e15),
    risk_pct: z
      .number()
      .positive()
      .max(100)
      .optional()
      .describe("Percentage of the account at risk; without it that of the settings"),
    entry: price.optional().describe("Without it the price of the symbol now"),
    stop_loss: price
      .optional()
      .describe("Without it as far below the entry as a trade of the policy has it, in daily average ranges"),
    atr: price.optional(),
    win_rate: z
      .number()
      .min(0)
      .max(100)
      .transform((rate) => (rate > 1 ? rate / 100 : rate))
      .optional(),
    payoff: z.number().positive().max(1_000).optional().describe("Gain of a win per loss of a loss"),
  })
  .refine(({ symbol, entry }) => symbol !== undefined || entry !== undefined, {
    path: ["entry"],
    message: "is needed without a symbol",
  })
  .refine(({ symbol, atr, stop_loss }) => (symbol ?? atr ?? stop_loss) !== undefined, {
    path: ["stop_loss"],
    message: "is needed without a symbol or an atr",
  })
  .refine(
    ({ method, win_rate, payoff }) => method === "kelly" || (win_rate === undefined && payoff === undefined),
    { path: ["win_rate"], message: "counts for the method kelly alone, and so does payoff" },
  );

/** Any number of the fields; at least one. */
export const settingsBody = riskSettingsSchema
  .partial()
  .refine((change) => Object.keys(change).length > 0, "must name at least one setting")
  .meta({ id: "RiskSettingsChange" });

export const redeemBody = z.strictObject({
  token: z.string().min(1).max(2_000),
  symbol: symbolText,
  side,
  entry: price,
  stop_loss: price.nullish(),
  take_profit: price.nullish(),
  quantity,
});

export const redeemedSchema = z.object({
  accepted: z.literal(true),
  symbol: z.string(),
  complete: z.boolean().describe("Whether every rule was looked at when the token was issued"),
  unchecked: z.array(z.string()).describe("Those that were not"),
});

const nullable = z.number().nullable();
const finding = <T extends readonly [string, ...string[]]>(codes: T) =>
  z.object({ code: z.enum(codes), message: z.string(), value: nullable, limit: nullable });

export const checkSchema = z
  .object({
    symbol: z.string(),
    side: z.enum(["buy", "sell"]),
    current_price: z.number(),
    entry: z.number(),
    stop_loss: nullable,
    stop_loss_from: z
      .enum(["order", "settings"])
      .nullable()
      .describe("settings where enable_auto_stop_loss places it at stop_loss_percentage from the entry"),
    take_profit: nullable,
    quantity: z.number(),
    atr: nullable.describe("Average true range of 14 daily bars"),
    rr: nullable.describe("Reward per unit of risk"),
    spread_estimate_bps: nullable,
    spread_from: z.enum(["quote", "bars"]).nullable(),
    slippage_estimate_bps: nullable,
    historical: z.object({
      failure_rate: nullable.describe("Measured for the pattern; null without one or with too few cases"),
      sample_size: z.number().int().nullable(),
      avg_win_pnl: nullable,
      avg_loss_pnl: nullable,
      median_hold_time_days: nullable,
      reason: z.string().nullable().describe("Why figures are missing"),
    }),
    approved: z
      .boolean()
      .describe("Nothing that was looked at refuses it; whether everything was, complete tells"),
    complete: z.boolean().describe("Whether every rule could be looked at"),
    verdict: z.enum(["approved", "approved_in_part", "refused"]),
    summary: z.string(),
    refusals: z.array(finding(REFUSALS)),
    warnings: z.array(finding(WARNINGS)),
    unchecked: z
      .array(z.enum(REFUSALS))
      .describe("Rules that could not be looked at, for what they compare is not known"),
    recommendation_level: z.enum(["info", "caution", "high_risk"]),
    risk_score: z.number().int(),
    risk_confirmation_token: z.string().nullable(),
    token_expires_at: z.iso.datetime().nullable(),
    source: z.string(),
    stale: z.boolean(),
    synthetic: z.boolean(),
    timestamp: z.iso.datetime(),
    timestamp_eat: z.string().describe("The same on the clock of Nairobi, as existing clients show it"),
  })
  .meta({ id: "PreTradeCheck" });

export const sizeSchema = z
  .object({
    quantity: z.number().describe("Units, not rounded to lots"),
    uncapped_quantity: z.number(),
    notional: z.number(),
    risk_amount: z.number().describe("Lost when the stop is hit at its price"),
    stop_distance: z.number(),
    entry: z.number(),
    stop_loss: z.number(),
    method: z.enum(SIZING_METHODS),
    caps: z.array(z.object({ name: z.string(), quantity: z.number(), binding: z.boolean() })),
    kelly: z.object({ full: z.number(), used: z.number() }).nullable(),
  })
  .meta({ id: "PositionSize" });
