import { z } from "zod";
import { ORDER_STATES } from "../../core/execution/states.js";
import { wholeNumberText } from "../../platform/http.js";
import { momentText } from "./times.js";

const money = z.string();
export const accountSchema = z
  .object({
    id: z.uuid(),
    account_number: z.string(),
    status: z.enum(["ACTIVE", "ACCOUNT_CLOSED"]),
    crypto_status: z.literal("ACTIVE"),
    currency: z.string(),
    cash: money,
    buying_power: money,
    regt_buying_power: money,
    daytrading_buying_power: money,
    non_marginable_buying_power: money,
    options_buying_power: money,
    options_approved_level: z.number().int(),
    options_trading_level: z.number().int(),
    equity: money,
    last_equity: money,
    portfolio_value: money,
    long_market_value: money,
    short_market_value: money,
    initial_margin: money,
    maintenance_margin: money,
    last_maintenance_margin: money.optional(),
    sma: money,
    multiplier: z.string(),
    shorting_enabled: z.boolean(),
    trading_blocked: z.boolean(),
    transfers_blocked: z.boolean(),
    account_blocked: z.boolean(),
    trade_suspended_by_user: z.boolean(),
    pattern_day_trader: z.boolean(),
    daytrade_count: z.number().int(),
    created_at: z.string(),
    balance_asof: z.iso.date(),
    accrued_fees: money,
    pending_transfer_in: money,
    pending_transfer_out: money,
    pending_reg_taf_fees: money,
    intraday_adjustments: money,
  })
  .meta({ id: "AlpacaAccount" });

export const configurationSchema = z
  .object({
    dtbp_check: z.enum(["both", "entry", "exit"]),
    fractional_trading: z.boolean(),
    max_margin_multiplier: z.string(),
    max_options_trading_level: z.number().int(),
    no_shorting: z.boolean(),
    pdt_check: z.string(),
    ptp_no_exception_entry: z.boolean(),
    suspend_trade: z.boolean(),
    trade_confirm_email: z.string(),
    disable_overnight_trading: z.boolean(),
  })
  .meta({ id: "AlpacaConfiguration" });
export const configurationBody = configurationSchema.partial();

export const activitiesQuery = z.object({
  activity_types: z.string().max(300).optional().describe("Comma list such as FILL,DIV"),
  category: z.enum(["trade_activity", "non_trade_activity"]).optional(),
  date: momentText.optional().describe("Only of a day of New York; of an instant its date counts"),
  after: momentText.optional().describe("Later"),
  until: momentText.optional().describe("Earlier"),
  direction: z.enum(["asc", "desc"]).default("desc").describe("Oldest or newest first"),
  page_size: wholeNumberText(1, 100).prefault("100").describe("Most activities"),
  page_token: z.string().max(100).optional().describe("Id of the last activity of the page before"),
});
export const activityParams = z.object({
  activity_type: z.string().min(1).max(20).describe("FILL, CSD, DIV and the like"),
});
export const activitySchema = z.union([
  z
    .object({
      id: z.string(),
      activity_type: z.literal("FILL"),
      type: z.enum(["fill", "partial_fill"]),
      transaction_time: z.string(),
      price: z.string(),
      qty: z.string(),
      side: z.enum(["buy", "sell", "sell_short"]),
      symbol: z.string(),
      leaves_qty: z.string(),
      cum_qty: z.string(),
      order_id: z.uuid(),
      order_status: z.enum(ORDER_STATES),
    })
    .meta({ id: "AlpacaFill" }),
  z
    .object({
      id: z.string(),
      activity_type: z.enum(["CSD", "CSW", "DIV", "FEE", "INT", "SPLIT", "MISC"]),
      date: z.iso.date(),
      net_amount: z.string(),
      symbol: z.string().optional(),
      qty: z.string().optional(),
      per_share_amount: z.string().optional(),
      status: z.literal("executed"),
    })
    .meta({ id: "AlpacaNonTradeActivity" }),
]);

export const PORTFOLIO_TIMEFRAMES = ["1Min", "5Min", "15Min", "1H", "1D"] as const;
export const portfolioQuery = z.object({
  period: z
    .string()
    .regex(/^[1-9]\d{0,2}[DWMA]$/, "must be a number and D, W, M or A")
    .optional()
    .describe("1M unless given or start is"),
  timeframe: z.enum(PORTFOLIO_TIMEFRAMES).optional().describe("15Min below a month and 1D from there"),
  intraday_reporting: z
    .enum(["market_hours", "extended_hours", "continuous"])
    .default("market_hours")
    .describe("Which instants"),
  start: momentText.optional().describe("First moment"),
  date_start: momentText.optional().describe("The same as start"),
  end: momentText.optional().describe("Last moment; now unless given"),
  date_end: momentText.optional().describe("The same as end"),
  pnl_reset: z
    .enum(["no_reset", "per_day"])
    .default("per_day")
    .describe("Below 1D: from the close before the period, or before each day"),
  extended_hours: z.enum(["true", "false"]).optional().describe("The same as intraday_reporting"),
  cashflow_types: z
    .string()
    .regex(/^[A-Z]{2,10}(,[A-Z]{2,10}){0,19}$/, "must be ALL, NONE or a comma list such as CSD,CSW")
    .optional()
    .describe("ALL, NONE, or a comma list such as CSD,CSW"),
});
const column = z.array(z.number().nullable());
export const portfolioSchema = z
  .object({
    timestamp: z.array(z.number().int()).describe("Unix seconds"),
    equity: column,
    profit_loss: column,
    profit_loss_pct: column,
    base_value: z.number(),
    base_value_asof: z.iso.date().optional().describe("The day at whose close that was the equity"),
    timeframe: z.enum(PORTFOLIO_TIMEFRAMES),
    cashflow: z
      .record(z.string(), z.array(z.number()))
      .optional()
      .describe("What came in within each step, by type of activity"),
  })
  .meta({ id: "AlpacaPortfolioHistory" });
