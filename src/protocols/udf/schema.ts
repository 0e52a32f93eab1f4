import { z } from "zod";
import { symbolsText, symbolText } from "../../features/candles/schema.js";
import { wholeNumberText } from "../../platform/http.js";
import { type Frame, RESOLUTIONS, SPELLINGS } from "./resolutions.js";

/** Symbols of one question about quotes. */
const MOST_SYMBOLS = 50;

/** Bars lie within these: the years that calendars are laid out for. */
const FIRST_SECOND = Date.UTC(1900, 0, 1) / 1_000;
const LAST_SECOND = Date.UTC(2100, 0, 1) / 1_000;

/** Seconds since 1970; charts that scroll far back name times before that. */
const secondsText = z
  .string()
  .regex(/^-?\d{1,12}$/, "must be whole seconds since 1970")
  .transform((text) => Math.min(Math.max(Number(text), FIRST_SECOND), LAST_SECOND))
  .meta({
    type: "integer",
    minimum: -999_999_999_999,
    maximum: 999_999_999_999,
    pattern: undefined,
    description: "Seconds since 1970",
  });

const resolutionText = z
  .string()
  .transform((text, context): Frame => {
    if (Object.hasOwn(SPELLINGS, text)) return SPELLINGS[text];
    context.addIssue(`must be one of ${Object.keys(RESOLUTIONS).join(", ")}`);
    return z.NEVER;
  })
  .meta({ enum: Object.keys(SPELLINGS), description: "Minutes, or 1D, 1W and 1M" });

const lineText = (length: number) =>
  z
    .string()
    .max(length)
    .regex(/^[^\p{C}]*$/u, "must be text of one line");

export const noQuery = z.object({});
export const symbolQuery = z.object({ symbol: symbolText.describe("Any spelling, or EXCHANGE:SYMBOL") });
export const searchQuery = z.object({
  query: lineText(60).default("").describe("Part of a symbol or a name, or EXCHANGE:SYMBOL"),
  type: lineText(20).default("").describe("A type of /udf/config; any without it"),
  exchange: lineText(40).default("").describe("An exchange of /udf/config; any without it"),
  limit: wholeNumberText(1, 100).prefault("30"),
});
export const historyQuery = symbolQuery.extend({
  resolution: resolutionText,
  from: secondsText.optional().describe("Inclusive; not looked at where there is a countback"),
  to: secondsText.describe("Exclusive"),
  countback: wholeNumberText(0, 1_000_000)
    .optional()
    .describe("So many bars before to, however far back they lie; of more than 5000 the newest"),
  currencyCode: lineText(10).optional().describe("Refused where it is not the currency of the symbol"),
  unitId: lineText(20).optional().describe("Refused: there is one unit"),
});
export const marksQuery = symbolQuery.extend({
  resolution: resolutionText,
  from: secondsText.describe("Time of the first bar"),
  to: secondsText.describe("Time of the last bar, inclusive"),
});
export const quotesQuery = z.object({ symbols: symbolsText(MOST_SYMBOLS) });

const choice = z.object({ value: z.string(), name: z.string() });
export const configSchema = z
  .object({
    supports_search: z.literal(true),
    supports_group_request: z.literal(false),
    supports_marks: z.boolean(),
    supports_timescale_marks: z.boolean(),
    supports_time: z.boolean(),
    exchanges: z.array(choice.extend({ desc: z.string() })).describe("Those of the instruments there are"),
    symbols_types: z.array(choice),
    supported_resolutions: z.array(z.string()),
  })
  .meta({ id: "UdfConfig" });

const flag = z.boolean();
export const symbolSchema = z
  .object({
    name: z.string(),
    ticker: z.string(),
    full_name: z.string(),
    description: z.string().describe("The name; says so where prices are synthetic"),
    type: z.string(),
    session: z.string().describe("Regular hours on the clock of the time zone"),
    timezone: z.string(),
    session_holidays: z.string().describe("Weekdays without a session, with commas"),
    corrections: z.string().describe("Sessions at other hours, as HHMM-HHMM:date,date;..."),
    exchange: z.string(),
    listed_exchange: z.string(),
    minmov: z.number().int(),
    pricescale: z.number().int().describe("The tick is minmov of so many parts"),
    format: z.literal("price"),
    has_intraday: flag,
    has_daily: flag,
    has_weekly_and_monthly: flag,
    intraday_multipliers: z.array(z.string()),
    supported_resolutions: z.array(z.string()),
    volume_precision: z.number().int(),
    data_status: z.enum(["streaming", "delayed_streaming", "endofday"]),
    currency_code: z.string(),
  })
  .meta({ id: "UdfSymbol" });

export const foundSchema = z
  .object({
    symbol: z.string(),
    full_name: z.string(),
    description: z.string(),
    exchange: z.string(),
    ticker: z.string(),
    type: z.string(),
  })
  .meta({ id: "UdfSearchResult" });

const column = z.array(z.number());
const seconds = z.number().int();
export const historySchema = z
  .discriminatedUnion("s", [
    z.object({
      s: z.literal("ok"),
      t: z.array(seconds).describe("Opens in seconds; from a day on midnight of UTC of the trading day"),
      o: column,
      h: column,
      l: column,
      c: column,
      v: column,
    }),
    z.object({
      s: z.literal("no_data"),
      nextTime: seconds.optional().describe("The newest bar before the stretch"),
    }),
  ])
  .meta({ id: "UdfHistory" });

const texts = z.array(z.string());
export const marksSchema = z
  .object({
    id: texts,
    time: z.array(seconds).describe("Times of bars"),
    color: texts,
    text: texts,
    label: texts,
    labelFontColor: texts,
    minSize: z.array(z.number().int()),
  })
  .meta({ id: "UdfMarks" });
export const timescaleMarkSchema = z
  .object({ id: z.string(), time: seconds, color: z.string(), label: z.string(), tooltip: texts })
  .meta({ id: "UdfTimescaleMark" });

const nullable = z.number().nullable();
const quoteValues = z.object({
  ch: nullable.describe("Against the previous close"),
  chp: nullable.describe("The same in percent"),
  short_name: z.string(),
  exchange: z.string(),
  original_name: z.string(),
  description: z.string(),
  lp: z.number(),
  ask: nullable,
  bid: nullable,
  spread: nullable,
  open_price: nullable,
  high_price: nullable,
  low_price: nullable,
  prev_close_price: nullable,
  volume: nullable,
});
export const quotesSchema = z
  .object({
    s: z.literal("ok"),
    d: z.array(
      z.discriminatedUnion("s", [
        z.object({ s: z.literal("ok"), n: z.string().describe("The symbol as asked"), v: quoteValues }),
        z.object({ s: z.literal("error"), n: z.string(), v: z.object({}), errmsg: z.string() }),
      ]),
    ),
  })
  .meta({ id: "UdfQuotes" });
