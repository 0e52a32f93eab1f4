import { z } from "zod";
import { ORDER_CLASSES, ORDER_TYPES, TIMES_IN_FORCE } from "../../core/execution/order.js";
import { ORDER_STATES } from "../../core/execution/states.js";
import { isQuoteCurrency } from "../../core/market/instrument.js";
import { EXIT_REASONS } from "../../core/performance/trade.js";
import { wholeNumberText } from "../../platform/http.js";
import { symbolText } from "../candles/schema.js";
import { commissionBody, slippageBody } from "./costs.js";

const price = z.number().positive().max(1e12);
const quantity = z.number().positive().max(1e12);
const time = z.iso.datetime();
const nullable = z.number().nullable();

export const sideText = z
  .string()
  .max(10)
  .transform((text) => text.toLowerCase())
  .pipe(z.enum(["buy", "sell"]))
  .meta({ enum: ["buy", "sell"], description: "In any case" });

export const accountId = z.uuid().optional().describe("The caller's oldest open account unless given");
/** A trader's name of an order, in the native API and in the dialects of others. */
export const orderName = z
  .string()
  .regex(
    /^[!-~]([ -~]{0,126}[!-~])?$/,
    "must have 1 to 128 printable ASCII characters, without a space at either end",
  );
const clientOrderId = orderName
  .optional()
  .describe(
    "Unique in the account for ever, and in those that it was reset from: an order under a name that was used is refused",
  );
export const layersSchema = z
  .array(z.object({ name: z.string().min(1).max(40), contribution: z.number().min(-1e6).max(1e6) }))
  .max(20);

/** What a trader may say of why; kept with the order for attribution. */
const reasons = {
  pattern: z.string().min(1).max(60).optional(),
  confidence: z
    .number()
    .min(0)
    .max(100)
    .transform((value) => (value > 1 ? value / 100 : value))
    .nullish()
    .describe("0..1 or in percent"),
  strategy: z.string().min(1).max(60).optional(),
  model: z.string().min(1).max(60).optional(),
  layers: layersSchema.optional().describe("Signed contributions to the signal behind it"),
};

/** The spellings of quantity that clients use; one of them. */
const quantities = { quantity: quantity.optional(), qty: quantity.optional(), shares: quantity.optional() };

export const tradeBody = z.strictObject({
  symbol: symbolText,
  side: sideText,
  ...quantities,
  price: price.nullish().describe("Limit; at the market without it"),
  stop_loss: price.nullish().describe("A stop that comes to work when the entry is filled"),
  take_profit: price.nullish(),
  target_price: price.nullish().describe("The same as take_profit"),
  ...reasons,
  client_order_id: clientOrderId,
  risk_confirmation_token: z.string().min(1).max(2_000).optional(),
  account_id: accountId,
  user_id: z.union([z.string(), z.number()]).optional().describe("Not read: the caller is who the key says"),
});
export type TradeBody = z.output<typeof tradeBody>;

export const alertTradeBody = z.strictObject({
  alert_id: z.coerce.number().int().positive().optional(),
  symbol: symbolText.optional(),
  suggested_action: sideText.optional(),
  ...quantities,
  pattern: z.string().min(1).max(60).optional(),
  alert_type: z.string().min(1).max(60).optional(),
  confidence: reasons.confidence,
  risk_suggestions: z
    .object({ entry: price.nullish(), stop_loss: price.nullish(), take_profit: price.nullish() })
    .nullish(),
  risk_confirmation_token: z.string().min(1).max(2_000).optional(),
  client_order_id: clientOrderId,
  account_id: accountId,
  user_id: z.union([z.string(), z.number()]).optional(),
});
export type AlertTradeBody = z.output<typeof alertTradeBody>;

export const orderBody = z.strictObject({
  symbol: symbolText,
  side: sideText,
  type: z.enum(ORDER_TYPES).default("market"),
  time_in_force: z.enum(TIMES_IN_FORCE).default("day"),
  quantity: quantity.optional(),
  notional: z.number().positive().max(1e12).optional(),
  limit_price: price.optional(),
  stop_price: price.optional(),
  trail_price: price.optional(),
  trail_percent: z.number().positive().max(100).optional(),
  extended_hours: z.boolean().default(false),
  order_class: z.enum(ORDER_CLASSES).default("simple"),
  take_profit: z.strictObject({ limit_price: price }).optional(),
  stop_loss: z.strictObject({ stop_price: price, limit_price: price.optional() }).optional(),
  ...reasons,
  client_order_id: clientOrderId,
  risk_confirmation_token: z.string().min(1).max(2_000).optional(),
  account_id: accountId,
});
export type OrderBody = z.output<typeof orderBody>;

export const changesBody = z
  .strictObject({
    quantity: quantity.optional(),
    time_in_force: z.enum(TIMES_IN_FORCE).optional(),
    limit_price: price.optional(),
    stop_price: price.optional(),
    trail: price.optional().describe("The amount or the percentage, whichever the order trails by"),
    client_order_id: clientOrderId,
    account_id: accountId,
  })
  .meta({ id: "OrderChanges" });

export const closeBody = z.strictObject({
  symbol: symbolText.optional(),
  trade_id: z.coerce.number().int().positive().optional(),
  quantity: quantity.optional(),
  price: price.nullish().describe("Not read: a position is closed at the market"),
  reason: z.string().max(200).optional(),
  account_id: accountId,
  user_id: z.union([z.string(), z.number()]).optional(),
});

export const tradeParams = z.strictObject({
  id: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 31),
});

export const listQuery = {
  status: z.enum(["open", "closed", "all"]).default("all"),
  symbol: symbolText.optional(),
  limit: wholeNumberText(1, 500).prefault("50"),
  offset: wholeNumberText(0, 1_000_000).prefault("0"),
  account_id: accountId,
  user_id: z.string().max(60).optional().describe("Not read: the caller is who the key says"),
};

export const tradeSchema = z
  .object({
    id: z.number().int(),
    account_id: z.string(),
    order_id: z.string(),
    client_order_id: z.string().nullable(),
    symbol: z.string(),
    side: z.enum(["BUY", "SELL"]),
    quantity: z.number(),
    open_quantity: z.number(),
    qty: z.number().describe("The same as quantity"),
    price: z.number().describe("The same as entry_price"),
    entry_price: z.number(),
    current_price: nullable,
    exit_price: nullable,
    pnl: z
      .number()
      .describe("After fees, dividends and what was borrowed, with what is open at the price of now"),
    pnl_pct: nullable.describe("Of what was put in, in percent"),
    realised: z.number(),
    unrealised: z.number(),
    fees: z.number(),
    dividends: z.number(),
    borrow: z.number(),
    status: z.enum(["open", "closed"]),
    exit_reason: z.enum(EXIT_REASONS).nullable(),
    ambiguous: z.boolean().describe("The path within a bar decided on its entry or exit"),
    bounds: z
      .object({ optimistic: z.number(), pessimistic: z.number() })
      .nullable()
      .describe(
        "What pnl would be had each of its doubtful fills gone the best and the worst way; null without any, and where an import does not tell",
      ),
    pattern: z.string().nullable(),
    confidence: nullable,
    strategy: z.string().nullable(),
    model: z.string().nullable(),
    alert_id: z.number().int().nullable(),
    created_at: time,
    opened_at: time,
    closed_at: time.nullable(),
    synthetic: z.boolean(),
  })
  .meta({ id: "PaperTrade" });

const orderFields = {
  id: z.string(),
  client_order_id: z.string().nullable(),
  symbol: z.string(),
  side: z.enum(["buy", "sell"]),
  type: z.enum(ORDER_TYPES),
  time_in_force: z.enum(TIMES_IN_FORCE),
  order_class: z.enum(ORDER_CLASSES),
  role: z.enum(["single", "parent", "target", "stop"]),
  state: z.enum(ORDER_STATES),
  quantity: nullable.describe("Null for an order by money until it is filled"),
  notional: nullable,
  filled: z.number(),
  average_price: nullable,
  limit_price: nullable,
  stop_price: nullable,
  trail_price: nullable,
  trail_percent: nullable,
  extended_hours: z.boolean(),
  fees: z.number(),
  reason: z.string().nullable().describe("Why it ended unfilled"),
  waits: z.string().nullable().describe("Why it has met no price yet"),
  replaces: z.string().nullable(),
  replaced_by: z.string().nullable(),
  submitted_at: time,
  updated_at: time,
  filled_at: time.nullable(),
};
export const legSchema = z.object(orderFields).meta({ id: "PaperOrderLeg" });
export const orderSchema = z.object({ ...orderFields, legs: z.array(legSchema) }).meta({ id: "PaperOrder" });

export const placedSchema = z
  .object({
    id: z.number().int().nullable().describe("Of the trade; null while nothing is filled"),
    order_id: z.string(),
    symbol: z.string(),
    side: z.enum(["BUY", "SELL"]),
    quantity: nullable,
    price: nullable.describe("Average price; null while nothing is filled"),
    executed_at: time.nullable(),
    status: z.enum(ORDER_STATES),
    waits: z.string().nullable(),
    pattern: z.string().nullable(),
    confidence: nullable,
    account_id: z.string(),
    synthetic: z.boolean(),
  })
  .meta({ id: "PaperExecution" });

const positionSchema = z.object({
  quantity: z.number(),
  avg_entry: z.number(),
  price: z.number(),
  value: z.number(),
  pnl: z.number().describe("Unrealised"),
  pattern: z.string().nullable(),
  confidence: nullable,
  price_source: z.string().nullable().describe("Null where it is the price of the last fill"),
  stale: z.boolean(),
  last_update: time.nullable(),
});

export const portfolioSchema = z
  .object({
    account_id: z.string(),
    currency: z.string(),
    positions: z.record(z.string(), positionSchema),
    cash: z.number(),
    equity: z.number(),
    capital: z.number().describe("Paid in less paid out"),
    buying_power: z.number(),
    reserved: z.number(),
    initial_margin: z.number(),
    maintenance_margin: z.number(),
    realised: z.number(),
    unrealised: z.number(),
    total_pnl: z.number(),
    total_value: z.number().describe("The same as equity"),
    halted: z.string().nullable().describe("Why nothing may be opened"),
    synthetic: z.boolean(),
    timestamp: time,
  })
  .meta({ id: "PaperPortfolio" });

const rate = z.number().min(0).max(10);
export const accountBody = z.strictObject({
  name: z.string().min(1).max(60),
  cash: z.number().min(0).max(1e9).optional(),
  currency: z
    .string()
    .regex(/^[A-Z]{3,5}$/)
    .refine(isQuoteCurrency, "must be a currency in which something is traded")
    .optional(),
  leverage: z.number().min(1).max(4).optional().describe("1 for a cash account"),
  shorting: z.boolean().optional(),
  spread_bps: z.number().min(0).max(1_000).optional(),
  slippage: slippageBody.optional(),
  slippage_bps: z.number().min(0).max(1_000).optional().describe("Fixed slippage, in place of slippage"),
  commission: commissionBody.optional(),
  commission_percent: z.number().min(0).max(5).optional().describe("Of the value, in place of commission"),
  jitter_seed: z
    .number()
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .nullable()
    .optional()
    .describe("Multiplies the slippage of each fill by a draw from 0 to 2; null for none"),
  borrow_rate: rate.optional().describe("Of the worth of borrowed shares a year: 0.01 for one percent"),
  interest_rate: rate.optional().describe("Of money owed a year"),
  volume_share: z.number().positive().max(1).nullable().optional(),
});
export const resetBody = accountBody.omit({ name: true }).optional();

export const accountSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    currency: z.string(),
    kind: z.enum(["cash", "margin"]),
    leverage: z.number(),
    shorting: z.boolean(),
    spread_bps: z.number(),
    slippage: slippageBody,
    slippage_bps: nullable.describe("Null where slippage is not fixed"),
    commission: commissionBody,
    commission_percent: nullable.describe("Null where commission is not a percentage"),
    jitter_seed: nullable,
    borrow_rate: z.number().describe("A year"),
    interest_rate: z.number().describe("A year"),
    volume_share: nullable,
    cash: z.number(),
    halted: z.string().nullable(),
    opened_at: time.describe("By the clock of its market; of an imported account when its first money came"),
    closed_at: time.nullable(),
    synthetic: z.boolean(),
  })
  .meta({ id: "PaperAccount" });
