import { z } from "zod";
import { instantText } from "../../platform/http.js";
import { intervalText } from "../candles/schema.js";

const symbol = z.string().min(1).max(40);
const pattern = z.string().min(1).max(60);
const result = z.enum(["profit", "loss", "breakeven"]);
const money = z.number().min(-1e12).max(1e12);
const price = z.number().positive().max(1e12);
const confidence = z
  .number()
  .min(0)
  .max(100)
  .transform((value) => (value > 1 ? value / 100 : value))
  .optional()
  .describe("As the user saw it, 0..1 or in percent");

export const outcomeBody = z.strictObject({
  symbol,
  pattern,
  outcome: result,
  pnl: money.optional().describe("In the currency of the instrument"),
  confidence,
  trade_duration: z.number().min(0).optional().describe("Minutes"),
});

export const reportBody = z
  .strictObject({
    symbol,
    pattern,
    outcome: result.optional().describe("Told by pnl or return_pct where it is not given"),
    pnl: money
      .optional()
      .describe(
        "After costs, in the currency of the instrument; follows from the prices and the quantity where it is not given",
      ),
    return_pct: z.number().min(-1e6).max(1e6).optional().describe("After costs, in percent of the entry"),
    entry_price: price.optional(),
    exit_price: price.optional(),
    quantity: z.number().positive().max(1e12).optional(),
    side: z
      .enum(["long", "short"])
      .optional()
      .describe("With entry_price and exit_price it tells the outcome"),
    alert_id: z.number().int().positive().optional().describe("The alert that was traded"),
    timeframe: intervalText.optional(),
    opened_at: instantText.optional(),
    closed_at: instantText.optional().describe("Now without it"),
    confidence,
    metadata: z
      .record(z.string().max(100), z.union([z.string().max(1_000), z.number(), z.boolean(), z.null()]))
      .refine((fields) => Object.keys(fields).length <= 50, { message: "has more than 50 fields" })
      .optional(),
  })
  .meta({ id: "OutcomeReport" });

export const loggedSchema = z.object({
  id: z.number().int(),
  outcome: result,
  gain: z.number().nullable().describe("As a share of the entry; null where nothing tells it"),
  r: z.number().nullable().describe("In units of the risk of the alert; null where nothing tells it"),
});
