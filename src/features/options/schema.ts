import { z } from "zod";
import { parseDay } from "../../core/market/day.js";
import type { LEG_COLUMNS } from "../../core/market/option-quote.js";
import { decimalText, instantText, wholeNumberText } from "../../platform/http.js";
import { symbolText } from "../candles/schema.js";

export const underlyingParams = z.strictObject({
  symbol: symbolText.describe("Underlying, by its own name or that of its options: NIFTY, ^NSEI, AAPL"),
});

/** `YYYY-MM-DD` as days since 1970-01-01. */
const dayText = z.iso.date().transform((text, context) => {
  const day = parseDay(text);
  if (day === null) context.addIssue("must be a date");
  return day ?? z.NEVER;
});
const fraction = () => decimalText(-1, 1).optional();

const pricingQuery = {
  rate: fraction().describe("Interest a year, continuously compounded; else the configured one, else 0"),
  dividend_yield: fraction().describe("Continuous yield a year; else what put-call parity implies, else 0"),
  price: z
    .enum(["mid", "last"])
    .optional()
    .describe("Which price implies a volatility; else mid where an expiry has one, last elsewhere"),
};
const momentQuery = {
  expiry: dayText.optional().describe("Date of the contracts; else the first that has not ended"),
  at: instantText.optional().describe("Reads the newest stored chain up to a moment instead of fetching one"),
};

export const chainQuery = z.strictObject({
  ...momentQuery,
  ...pricingQuery,
  filter: z.enum(["true", "false"]).default("true").describe("false gives every strike"),
  within: decimalText(0, 10)
    .prefault("0.1")
    .describe("Strikes farther from the spot are dropped; a fraction"),
  always_within: decimalText(0, 10).prefault("0.02").describe("Strikes this near are kept; a fraction"),
  min_oi: decimalText(0, 1e12).prefault("50").describe("Least open interest of call and put together"),
  min_volume: decimalText(0, 1e12).prefault("5").describe("Least volume of call and put together"),
  volume_waived_within: decimalText(0, 10).prefault("0.05").describe("Strikes this near need no volume"),
});
export const analyticsQuery = z.strictObject({
  ...momentQuery,
  ...pricingQuery,
  scope: z
    .enum(["near", "all"])
    .default("near")
    .describe("Expiries that are fetched: the next two and those around thirty days, or all"),
});
export const expiriesQuery = z.strictObject({
  from: dayText.optional().describe("First date; today unless given"),
  to: dayText.optional().describe("Last date; 92 days on unless given, 1,100 days on at most"),
});
const stretchQuery = {
  from: instantText.optional(),
  to: instantText.optional(),
  limit: wholeNumberText(1, 1_000).prefault("100"),
};
export const snapshotsQuery = z.strictObject(stretchQuery);
export const historyQuery = z.strictObject({
  ...stretchQuery,
  expiry: dayText.optional().describe("Date of the contracts; else the first that had not ended"),
});
/** A number with every digit that a double has. */
function digitsText(min: number, max: number) {
  return z
    .string()
    .regex(/^-?\d{1,15}(\.\d{1,340})?$/, "must be a number")
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .meta({ type: "number", minimum: min, maximum: max, pattern: undefined });
}

export const priceQuery = z.strictObject({
  right: z.enum(["call", "put"]),
  spot: digitsText(0.000001, 1e12).describe("Price of the underlying"),
  strike: digitsText(0.000001, 1e12).describe("Above 0"),
  years: digitsText(0, 200).describe("Time to expiry in years of 365 days"),
  rate: digitsText(-1, 1).prefault("0").describe("Interest a year, continuously compounded"),
  dividend_yield: digitsText(-1, 1).prefault("0").describe("Continuous yield a year"),
  volatility: digitsText(0, 1_000).optional().describe("A fraction per root year; this or price"),
  price: digitsText(0, 1e12).optional().describe("Of the option; this or volatility"),
});

const figure = z.number().nullable().optional();
const LEG_FIELDS = {
  last: figure,
  bid: figure,
  ask: figure,
  volume: figure,
  oi: figure.describe("Open interest, in the unit of volume"),
  prev_oi: figure.describe("Open interest of the session before"),
  iv: figure.describe("Volatility, a fraction per root year"),
  delta: figure,
  gamma: figure,
  theta: figure.describe("A calendar day"),
  vega: figure.describe("A volatility point"),
} as const;
export const MOST_QUOTES = 10_000;
export const recordedBody = z.strictObject({
  symbol: symbolText.describe("Underlying"),
  time: instantText.describe("When the chain was so"),
  spot: z.number().positive().nullable().describe("Price of the underlying then; null where it is not known"),
  source: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/)
    .describe("Where it was recorded"),
  quotes: z
    .array(
      z.strictObject({
        expiry: dayText,
        strike: z.number(),
        right: z.enum(["call", "put"]),
        ...LEG_FIELDS,
      }),
    )
    .min(1)
    .max(MOST_QUOTES),
});

const nullable = z.number().nullable();
const count = z.number().int();
const day = z.iso.date();
const measure = z
  .object({ value: nullable, reason: z.string().nullable().describe("Why there is no value") })
  .meta({ id: "Measure" });

/** Prices that cannot be, and are not used. */
const issues = z
  .array(
    z.object({
      code: z.string(),
      severity: z.enum(["critical", "warning", "info"]),
      detail: z.string().describe("The first of them, with the values behind it"),
      count: count.describe("Legs concerned"),
    }),
  )
  .describe("Prices of the chain that cannot be: they are left out of it");

/** Where a chain comes from and how fresh it is. */
const chainFacts = {
  symbol: z.string(),
  name: z.string(),
  spot: nullable,
  source: z.string(),
  synthetic: z.literal(false).describe("There are no invented options"),
  loaded: z.boolean().describe("True for a recorded chain that was loaded"),
  as_of: z.iso.datetime().describe("When the chain was so, by its source"),
  stale: z.boolean().describe("True when its market has traded on for five minutes since its oldest expiry"),
  age_ms: z.number().describe("Of its oldest expiry, by the newest time of the legs of each"),
  trouble: z.string().nullable().describe("Why a stored chain stands in for a fresh one, if it does"),
  issues,
};
const pricingSchema = z
  .object({
    cut_off: z.iso.datetime(),
    cut_off_from: z.enum(["expiry rules", "last session of the exchange"]),
    years: z.number(),
    rate: z.number(),
    rate_from: z.enum(["request", "configuration", "none configured"]),
    dividend_yield: nullable.describe(
      "Null where nothing tells it: volatilities are then computed without one",
    ),
    dividend_yield_from: z.enum(["request", "put-call parity", "none"]),
    dividend_yield_reason: z.string().nullable(),
    price: z.enum(["mid", "last"]),
    model: z.literal("Black-Scholes-Merton, European exercise"),
  })
  .meta({ id: "OptionPricing" });
const legSchema = z
  .object({
    ltp: nullable,
    bid: nullable,
    ask: nullable,
    volume: nullable,
    oi: nullable,
    prev_oi: nullable,
    oi_change: nullable,
    iv: nullable.describe("A fraction per root year"),
    iv_from: z.enum(["source", "price"]).nullable(),
    iv_reason: z.string().nullable(),
    delta: nullable,
    gamma: nullable,
    theta: nullable.describe("A calendar day"),
    vega: nullable.describe("A volatility point"),
    greeks_from: z.enum(["source", "model"]).nullable(),
  })
  .meta({ id: "OptionLeg" });
export const chainSchema = z
  .object({
    ...chainFacts,
    expiry: day,
    previous_oi_from: z.enum(["source", "snapshot"]).nullable(),
    pricing: pricingSchema,
    filter: z
      .object({
        rules: z.object({
          within: z.number(),
          always_within: z.number(),
          min_oi: z.number(),
          min_volume: z.number(),
          volume_waived_within: z.number(),
        }),
        original: count.describe("Strikes of the expiry"),
        filtered: count.describe("Strikes of the answer"),
        kept: z.object({ near_money: count, near_enough: count, traded: count }),
        dropped: z.object({ distance: count, oi: count, volume: count }),
      })
      .nullable()
      .describe("Null where nothing was filtered"),
    filter_reason: z.string().nullable().describe("Why nothing was filtered"),
    strikes: z.array(z.object({ strike: z.number(), call: legSchema.nullable(), put: legSchema.nullable() })),
  })
  .meta({ id: "OptionChain" });

const totalsSchema = z.object({
  call_oi: nullable,
  put_oi: nullable,
  call_volume: nullable,
  put_volume: nullable,
  unknown_oi: count.describe("Legs whose open interest is not known"),
  unknown_volume: count,
  reason: z.string().nullable().describe("Why sums are null: no leg of the side tells its figure"),
});
const ratioSchema = z.object({ oi: measure, volume: measure });
const wallSchema = z.object({
  strike: z.number(),
  oi: z.number(),
  times_mean: z.number().describe("Over the mean of that side's legs with any"),
});
export const figuresSchema = z
  .object({
    expiry: day,
    strikes: count,
    pricing: pricingSchema,
    totals: totalsSchema,
    pcr: ratioSchema,
    max_pain: measure,
    oi_change: z.object({ call: measure, put: measure, unknown: count }),
    support: wallSchema.nullable().describe("Most open interest in puts at or below the spot"),
    resistance: wallSchema.nullable().describe("Most open interest in calls at or above the spot"),
    atm_iv: measure,
    iv_skew: z.object({
      risk_reversal: measure.describe("Volatility of the call of delta 0.25 less that of the put"),
      ratio: measure.describe("Put 5 % below the forward over call 5 % above it"),
    }),
    without_iv: z.record(z.string(), count).describe("Legs whose price implies no volatility, by reason"),
  })
  .meta({ id: "OptionFigures" });
export const analyticsSchema = z
  .object({
    ...chainFacts,
    previous_oi_from: z.enum(["source", "snapshot"]).nullable(),
    totals: totalsSchema.describe("Over all expiries of the chain, unfiltered"),
    pcr: ratioSchema.describe("Over all expiries of the chain, unfiltered"),
    expiries_read: count,
    expiries_listed: count.nullable().describe("Null for stored chains"),
    selected: figuresSchema.describe("The expiry that was asked for, or the first that has not ended"),
    by_expiry: z.array(figuresSchema),
    iv_30d: measure.describe("At the money, variance interpolated to thirty days"),
    iv_rank: z.object({
      rank: measure.describe("0..1 between the lowest and highest of the sessions"),
      percentile: measure.describe("Share of sessions with a lower volatility, 0..1"),
      sessions: count.describe("Sessions with a volatility before that of the chain, 252 at most"),
      sessions_needed: count.describe("Sessions still missing before there is a rank"),
    }),
  })
  .meta({ id: "OptionAnalytics" });

export const expiriesSchema = z
  .object({
    symbol: z.string(),
    calendar: z.string(),
    expiries: z
      .array(
        z.object({
          date: day,
          nominal: day.describe("If no day were a holiday"),
          last_session: day,
          cut_off: z.iso.datetime(),
          kind: z.enum(["weekly", "monthly", "month end"]),
          provisional: z.boolean().describe("The holidays of that time are not announced yet"),
        }),
      )
      .nullable()
      .describe("By the rules of the exchange; null where they are not known"),
    listed: z.array(day).nullable().describe("As the source lists them"),
    listed_source: z.string().nullable(),
    listed_reason: z.string().nullable().describe("Why no source lists them"),
    holidays: z.array(day).describe("Weekdays without a session"),
    early_closes: z.array(z.object({ date: day, close: z.iso.datetime() })),
    weekend_sessions: z.array(day),
    known_until: day.describe("The last date whose holidays have been announced"),
  })
  .meta({ id: "OptionExpiries" });

export const snapshotSchema = z
  .object({
    as_of: z.iso.datetime(),
    session: day,
    spot: nullable,
    source: z.string(),
    loaded: z.boolean(),
    legs: count,
    call_oi: nullable,
    put_oi: nullable,
    call_volume: nullable,
    put_volume: nullable,
    iv_30d: nullable,
    rate: z.number(),
    kept: z.boolean().describe("False once the chain itself was thinned out"),
  })
  .meta({ id: "OptionSnapshot" });
export const historyRowSchema = z
  .object({
    as_of: z.iso.datetime(),
    spot: nullable,
    source: z.string(),
    loaded: z.boolean(),
    expiry: day,
    years: z.number(),
    call_oi: nullable,
    put_oi: nullable,
    pcr: nullable.describe("Of open interest"),
    call_volume: nullable,
    put_volume: nullable,
    call_oi_change: nullable,
    put_oi_change: nullable,
    max_pain: nullable,
    support: nullable,
    resistance: nullable,
    atm_iv: nullable,
    risk_reversal: nullable,
    iv_ratio: nullable,
  })
  .meta({ id: "OptionHistoryRow" });
export const loadedSchema = z
  .object({
    symbol: z.string(),
    as_of: z.iso.datetime(),
    source: z.string(),
    stored: z.boolean().describe("False when the same chain was there already"),
    legs: count,
    strikes: count,
    expiries: z.array(day),
    issues,
    rejected_count: count,
    rejected: z
      .array(
        z.object({
          index: count.describe("Place in the list that was sent"),
          expiry: day,
          strike: z.number(),
          right: z.enum(["call", "put"]),
          reason: z.string(),
        }),
      )
      .describe("The first hundred"),
  })
  .meta({ id: "LoadedOptionChain" });
export const pricedSchema = z
  .object({
    price: z.number(),
    volatility: measure,
    uncertainty: nullable.describe("By how much rounding of the price alone can move the volatility"),
    greeks: z
      .object({
        delta: z.number(),
        gamma: z.number(),
        vega: z.number().describe("Per 1.00 of volatility"),
        theta: z.number().describe("A year"),
        theta_per_day: z.number().describe("A 365th of it"),
        rho: z.number().describe("Per 1.00 of rate"),
        dividend_rho: z.number().describe("Per 1.00 of dividend yield"),
        elasticity: z.number(),
      })
      .nullable(),
  })
  .meta({ id: "PricedOption" });

/** Names of a leg's figures in requests. */
export const FIGURE_NAMES = {
  last: "last",
  bid: "bid",
  ask: "ask",
  volume: "volume",
  openInterest: "oi",
  previousOpenInterest: "prev_oi",
  volatility: "iv",
  delta: "delta",
  gamma: "gamma",
  theta: "theta",
  vega: "vega",
} as const satisfies Readonly<Record<(typeof LEG_COLUMNS)[number], keyof typeof LEG_FIELDS>>;
