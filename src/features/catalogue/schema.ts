import { z } from "zod";

const nullableTime = z.iso.datetime().nullable();

export const instrumentSchema = z
  .object({
    symbol: z.string(),
    name: z.string(),
    asset_class: z.enum(["equity", "etf", "index", "crypto", "fx", "commodity"]),
    exchange: z.string(),
    currency: z.string(),
    calendar: z.string(),
  })
  .meta({ id: "Instrument" });

const symbols = z.array(z.string());

export const assetsSchema = z
  .object({
    stocks: z.object({ us_markets: symbols, international: symbols }),
    indices: z.object({ major_indices: symbols, sector_etfs: symbols, total_etfs: z.number().int() }),
    crypto: z.object({ available: z.boolean(), major_pairs: symbols }),
    forex: z.object({ available: z.boolean(), major_pairs: symbols }),
    commodities: z.object({ available: z.boolean(), symbols }),
    total_count: z.number().int(),
    last_updated: nullableTime.describe("Newest examination"),
  })
  .meta({ id: "Assets" });

export const providersSchema = z.object({
  configured: z.record(z.string(), z.boolean()),
  priority: z.object({ stocks: symbols, crypto: symbols, forex: symbols }),
});

export const capabilitySchema = z.object({
  status: z.enum(["active", "optional", "planned"]),
  description: z.string(),
});
const capabilities = z.record(z.string(), capabilitySchema);
export const featuresSchema = z
  .object({
    data_sources: capabilities,
    pattern_detection: capabilities,
    trading_capabilities: capabilities,
    analytics: capabilities,
    real_time_features: capabilities,
  })
  .meta({ id: "Features" });

export const coverageSchema = z
  .object({
    coverage_pct: z.number().describe("Share of the scanned symbols that has been examined"),
    scanned_assets: z.number().int(),
    total_assets: z.number().int(),
    last_update: nullableTime,
  })
  .meta({ id: "Coverage" });

export const dataCoverageSchema = z
  .object({
    providers: providersSchema,
    symbols: z.object({ total: z.number().int(), scanned: z.number().int() }),
    timeframes: symbols,
    patterns: symbols,
    coverage_pct: z.number(),
    last_update: nullableTime,
  })
  .meta({ id: "DataCoverage" });

export const patternSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    type: z.enum(["bullish", "bearish", "neutral"]),
    description: z.string(),
    timeframe: z.string().describe("Intervals it is looked for on"),
    reliability: z.number().nullable().describe("Measured hit rate; null while there is no evidence"),
    category: z.string(),
    pattern: z.string().describe("Row of the table; a row may show itself in two directions"),
    outlook: z.enum(["reversal", "continuation", "indecision"]),
    prior_trend: z.enum(["up", "down"]).nullable(),
    bars: z.number().int(),
    warmup: z.number().int(),
    source: z.string(),
  })
  .meta({ id: "Pattern" });

export const indicatorSchema = z
  .object({
    name: z.string(),
    title: z.string(),
    family: z.string(),
    inputs: z.array(z.string()),
    parameters: z.array(
      z.object({
        name: z.string(),
        kind: z.enum(["integer", "number"]),
        min: z.number(),
        max: z.number(),
        default: z.number(),
        description: z.string(),
      }),
    ),
    constraint: z.string().nullable().describe("What the parameters must fulfil together, if anything"),
    outputs: z.array(
      z.object({
        name: z.string(),
        unit: z.string(),
        range: z
          .tuple([z.number().nullable(), z.number().nullable()])
          .nullable()
          .describe("Least and greatest value; null where there is none"),
        warmup: z.number().int().describe("Bars before the first value, with default parameters"),
      }),
    ),
    settle: z
      .number()
      .nullable()
      .describe(
        "Bars until the start no longer matters, with default parameters; null where it always does, and for rows that begin with each session",
      ),
    origin: z.enum(["tx", "technicalindicators"]),
    source: z.string(),
  })
  .meta({ id: "Indicator" });
