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
  priority: z
    .object({ stocks: symbols, crypto: symbols, forex: symbols, india: symbols })
    .describe("Sources in the order in which they are asked, by class"),
});

const nullableCount = z.number().int().nullable();
const nullableText = z.string().nullable();

export const streamHealthSchema = z
  .object({
    name: z.string(),
    connected: z.boolean(),
    since: z.iso.datetime().describe("Since when it has been as it is"),
    last_message: nullableTime,
    last_message_age_ms: z.number().nullable().describe("Null before the first message"),
    last_trade: nullableTime,
    reconnects: z.number().int().describe("How often it came back after it was lost"),
    symbols: symbols.describe("Subscribed to while it is connected"),
    last_error: nullableText.describe("Why it was lost last; without keys"),
  })
  .meta({ id: "StreamHealth" });

export const providerHealthSchema = z
  .object({
    configured: z.boolean(),
    ok: z.boolean().describe("Whether it answered when it was last asked, and may be asked now"),
    latency_ms: z.number().nullable().describe("Of the last answer, waiting for its turn included"),
    error: nullableText.describe("Why it is not ok"),
    synthetic: z.boolean(),
    last_success: nullableTime,
    last_error: nullableText.describe("The last failure, also of a source that is well again; without keys"),
    last_error_at: nullableTime,
    breaker: z.enum(["closed", "open", "half_open"]).describe("Open after repeated failures"),
    aside_until: nullableTime.describe("Not asked before"),
    aside_reason: z.enum(["refusal", "failures", "budget"]).nullable().describe("Why it is not asked"),
    quota: z
      .object({
        per_minute: nullableCount,
        per_day: nullableCount,
        used_today: z.number().int().describe("In the day of UTC, by all instances"),
        left_today: nullableCount,
        returns_at: nullableTime.describe("When it can be asked again; null while it can"),
      })
      .nullable()
      .describe("Budget of calls; null for a source without limits"),
    requests: z.number().int(),
    failures: z.number().int(),
    streams: z.array(streamHealthSchema).describe("Its streams of trades that are followed"),
  })
  .meta({ id: "ProviderHealth" });

export const unservedSchema = z
  .object({
    class: z.enum(["stocks", "crypto", "forex", "india", "other"]),
    symbols: symbols.describe("Scanned ones that no other source has"),
    reason: z.string().describe("What its sources said last; without keys"),
  })
  .meta({ id: "UnservedClass" });

export const coveredProvidersSchema = providersSchema.extend({
  health: z.record(z.string(), providerHealthSchema).describe("Of the sources in use, without asking them"),
  unserved: z.array(unservedSchema).describe("Classes whose every source fails"),
});

export const capabilitySchema = z.object({
  status: z.enum(["active", "failing", "optional", "planned"]),
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
