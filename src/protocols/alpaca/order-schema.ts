import { z } from "zod";
import { ORDER_CLASSES, ORDER_TYPES, TIMES_IN_FORCE } from "../../core/execution/order.js";
import { ORDER_STATES } from "../../core/execution/states.js";
import { symbolsText } from "../../features/candles/schema.js";
import { orderName } from "../../features/paper-trades/schema.js";
import { wholeNumberText } from "../../platform/http.js";
import { errorSchema } from "./http.js";
import { momentText } from "./times.js";

/** A number, or the text of one, as clients of the dialect send either. */
const amount = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^-?\d{1,15}(\.\d{1,20})?$/, "must be a decimal")
      .transform(Number),
  ])
  .pipe(z.number().positive().max(1e12))
  .meta({
    type: "string",
    pattern: "^\\d{1,15}(\\.\\d{1,20})?$",
    description: "Decimal above 0, as text or number",
  });

const positionIntent = z.enum(["buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close"]);

export const orderBody = z.object({
  symbol: z.string().min(1).max(40),
  qty: amount.nullish(),
  notional: amount.nullish(),
  side: z.enum(["buy", "sell"]),
  type: z.enum(ORDER_TYPES),
  time_in_force: z.enum(TIMES_IN_FORCE),
  limit_price: amount.nullish(),
  stop_price: amount.nullish(),
  trail_price: amount.nullish(),
  trail_percent: amount.nullish(),
  extended_hours: z.boolean().nullish(),
  client_order_id: orderName.nullish(),
  order_class: z.enum(["", ...ORDER_CLASSES]).nullish(),
  take_profit: z.object({ limit_price: amount }).nullish(),
  stop_loss: z.object({ stop_price: amount, limit_price: amount.nullish() }).nullish(),
  position_intent: positionIntent.nullish().describe("Must be what the order does"),
});
export type OrderBody = z.output<typeof orderBody>;

export const changesBody = z.object({
  qty: amount.nullish(),
  time_in_force: z.enum(TIMES_IN_FORCE).nullish(),
  limit_price: amount.nullish(),
  stop_price: amount.nullish(),
  trail: amount.nullish(),
  client_order_id: orderName.nullish(),
});

export const orderParams = z.object({
  order_id: z.string().min(1).max(60).describe("Id of an order, or of a leg"),
});
export const nestedQuery = z.object({ nested: z.enum(["true", "false"]).optional() });
export const clientIdQuery = z.object({
  client_order_id: z.string().min(1).max(128).describe("Name that the client gave the order, or its id"),
});
export const ordersQuery = z.object({
  status: z.enum(["open", "closed", "all"]).default("open"),
  limit: wholeNumberText(1, 500).prefault("50"),
  after: momentText.optional().describe("Submitted later"),
  until: momentText.optional().describe("Submitted earlier"),
  direction: z.enum(["asc", "desc"]).default("desc").describe("Oldest or newest first"),
  nested: z.enum(["true", "false"]).optional().describe("Whether legs are shown within their orders"),
  symbols: symbolsText(100).optional(),
  side: z.enum(["buy", "sell"]).optional(),
  asset_class: z
    .union([z.string().max(60), z.array(z.string().max(60)).max(10)])
    .transform((given) => [given].flat().flatMap((text) => text.split(",")))
    .optional()
    .meta({ type: "string", description: "us_equity and crypto, as a comma list or one by one" }),
  before_order_id: z.uuid().optional().describe("Placed before that order"),
  after_order_id: z.uuid().optional().describe("Placed after that order"),
});

const time = z.string().nullable();
const decimal = z.string().nullable();
const orderFields = {
  id: z.uuid(),
  client_order_id: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  submitted_at: z.string(),
  filled_at: time,
  expired_at: time,
  canceled_at: time,
  failed_at: time,
  replaced_at: time,
  replaced_by: z.uuid().nullable(),
  replaces: z.uuid().nullable(),
  asset_id: z.uuid(),
  symbol: z.string(),
  asset_class: z.enum(["us_equity", "crypto"]),
  notional: decimal,
  qty: decimal,
  filled_qty: z.string(),
  filled_avg_price: decimal,
  order_class: z.enum(["", "bracket", "oco", "oto"]),
  order_type: z.enum(ORDER_TYPES),
  type: z.enum(ORDER_TYPES),
  side: z.enum(["buy", "sell"]),
  position_intent: positionIntent,
  time_in_force: z.enum(TIMES_IN_FORCE),
  limit_price: decimal,
  stop_price: decimal,
  trail_percent: decimal,
  trail_price: decimal,
  hwm: decimal.describe("Best price that a trailing stop has seen"),
  status: z.enum(ORDER_STATES),
  extended_hours: z.boolean(),
};
const legSchema = z.object({ ...orderFields, legs: z.null() }).meta({ id: "AlpacaOrderLeg" });
export const orderSchema = z
  .object({
    ...orderFields,
    expires_at: z
      .string()
      .optional()
      .describe("When it expires unless it is filled; absent for what is filled at once or not"),
    legs: z.array(legSchema).nullable(),
  })
  .meta({ id: "AlpacaOrder" });

export const canceledSchema = z.array(z.object({ id: z.uuid(), status: z.number().int() }));

export const positionParams = z.object({
  symbol_or_asset_id: z.string().min(1).max(40).describe("BTCUSD or BTC/USD for coins"),
});
export const closeQuery = z.object({
  qty: z
    .string()
    .regex(/^\d{1,15}(\.\d{1,9})?$/)
    .transform(Number)
    .optional()
    .describe("Units; all unless given"),
  percentage: z
    .string()
    .regex(/^\d{1,3}(\.\d{1,9})?$/)
    .transform(Number)
    .pipe(z.number().positive().max(100))
    .optional()
    .describe("Of what is held, in place of qty"),
});
export const closeAllQuery = z.object({ cancel_orders: z.enum(["true", "false"]).optional() });
export const positionSchema = z
  .object({
    asset_id: z.uuid(),
    symbol: z.string(),
    exchange: z.string(),
    asset_class: z.enum(["us_equity", "crypto"]),
    asset_marginable: z.boolean(),
    avg_entry_price: z.string(),
    qty: z.string(),
    qty_available: z.string(),
    side: z.enum(["long", "short"]),
    market_value: z.string(),
    cost_basis: z.string(),
    unrealized_pl: z.string(),
    unrealized_plpc: z.string(),
    unrealized_intraday_pl: z.string(),
    unrealized_intraday_plpc: z.string(),
    current_price: z.string(),
    lastday_price: z.string(),
    change_today: z.string(),
  })
  .meta({ id: "AlpacaPosition" });
export const contractPositionParams = z.object({
  symbol_or_contract_id: z.string().min(1).max(64).describe("OCC symbol or id of an option"),
});
export const closedSchema = z.array(
  z.object({
    symbol: z.string(),
    status: z.number().int(),
    body: z
      .union([orderSchema, errorSchema])
      .describe("The order that closes it, or why it cannot be closed"),
  }),
);
