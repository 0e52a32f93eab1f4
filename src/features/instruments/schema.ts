import { z } from "zod";
import { wholeNumberText } from "../../platform/http.js";

export const searchQuery = z.strictObject({
  q: z
    .string()
    .trim()
    .min(1)
    .max(60)
    .regex(/^[^\p{C}]+$/u, "must be text of one line")
    .describe("Part of a symbol or a name"),
  limit: wholeNumberText(1, 50).prefault("20"),
});

export const matchSchema = z
  .object({
    symbol: z.string(),
    name: z.string(),
    asset_class: z.enum(["equity", "etf", "index", "crypto", "fx", "commodity"]),
    exchange: z.string(),
    currency: z.string(),
    calendar: z.string(),
    source: z.string().nullable().describe("Source that named it; null for one that is known here"),
    synthetic: z.boolean(),
    vendor_symbol: z.string().nullable().describe("That source's own spelling"),
    has_candles: z.boolean().describe("Whether a configured source has candles of it"),
  })
  .meta({ id: "SymbolMatch" });

export const searchAnswer = {
  data: z.array(matchSchema),
  query: z.string(),
  stale: z.boolean().describe("True when sources could not be searched and an earlier answer stands in"),
  age_ms: z.number().describe("Age of what the sources said"),
  trouble: z.string().nullable().describe("Why no source was searched, if none was"),
};
