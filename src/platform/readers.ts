import { z } from "zod";
import { classifySymbol, normaliseSymbol } from "../core/market/instrument.js";
import { INTERVALS, type Interval, isIntraday, parseInterval } from "../core/market/interval.js";
import { parseInstant } from "./clock.js";

/** One environment variable: how its text is read, and what `.env.example` says of it. */
export interface Variable {
  readonly group: string;
  readonly about: string;
  /** Text used when the variable is unset or empty; undefined means that there is none. */
  readonly fallback?: string;
  readonly read: z.ZodType;
}

export const wholeNumber = (min: number, max: number) =>
  z.string().regex(/^\d+$/, "must be a whole number").transform(Number).pipe(z.number().min(min).max(max));
export const decimal = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, "must be a number")
    .transform(Number)
    .pipe(z.number().min(min).max(max));
export const currency = z.string().regex(/^[A-Z]{3,5}$/, "must be a code as USD");
export const flag = z.enum(["true", "false"]).transform((text) => text === "true");
export const list = z
  .string()
  .transform((text) =>
    text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  )
  .refine((items) => items.length > 0, { message: "lists nothing" })
  .refine((items) => new Set(items).size === items.length, { message: "lists something twice" });
export const url = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    message: `must be an address starting with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`,
  });
export const origins = list.transform((items, context): readonly string[] =>
  items.map((item) => {
    const parsed = URL.canParse(item) ? new URL(item) : null;
    if (
      parsed !== null &&
      !item.includes("*") &&
      /^https?:$/.test(parsed.protocol) &&
      item.replace(/\/$/, "") === parsed.origin
    ) {
      return parsed.origin;
    }
    context.addIssue(`${item} is no origin such as https://app.example.com`);
    return item;
  }),
);
export const intervals = list.transform((items, context): readonly Interval[] =>
  items.map((item) => {
    const interval = parseInterval(item);
    if (interval === null) context.addIssue(`${item} is none of ${INTERVALS.join(", ")}`);
    return interval ?? "1d";
  }),
);
/** Intervals of bars within a day. */
export const intradayIntervals = intervals.superRefine((all, context) => {
  const wrong = all.filter((interval) => !isIntraday(interval));
  for (const interval of wrong)
    context.addIssue(`bars of ${interval} are not made of ticks: 4h is the longest`);
});
export const symbols = list.transform((items, context): readonly string[] => {
  const wrong = items.filter((item) => normaliseSymbol(item) === null);
  for (const item of wrong) context.addIssue(`${item} is no symbol`);
  return items;
});
/** Names of hosts in lower case, without scheme or port. */
export const hostNames = list.transform((items, context): readonly string[] => {
  const wrong = items.filter((item) => !/^(\[[0-9a-f:.]+\]|[a-z0-9-]+(\.[a-z0-9-]+)*)$/i.test(item));
  for (const item of wrong) context.addIssue(`${item} is no host name such as tx.example.com`);
  return items.map((item) => item.toLowerCase());
});
/** `USD=0.045`, as a fraction a year by currency. */
/** A time zone of the IANA database. */
export const zoneName = z
  .string()
  .min(1)
  .refine(isZone, { message: "must be a time zone such as Asia/Kolkata or UTC" });

export const rates = list.transform((items, context): Readonly<Record<string, number>> => {
  const found: Record<string, number> = {};
  for (const item of items) {
    const match = /^([A-Z]{3})=(-?\d+(?:\.\d+)?)$/.exec(item);
    const rate = Number(match?.[2]);
    if (match === null || !(Math.abs(rate) <= 1)) context.addIssue(`${item} is no rate such as USD=0.045`);
    else found[match[1]] = rate;
  }
  return found;
});
export const sources = list.pipe(
  z
    .array(z.enum(["synthetic", "files", "yahoo", "tradier", "upstox", "polygon", "finnhub", "alphavantage"]))
    .refine((names) => !names.includes("synthetic") || names.length === 1, {
      message: "synthetic never mixes with other sources: list it alone",
    }),
);
export const streamed = list.pipe(z.array(z.enum(["finnhub", "polygon", "upstox"])));
/** A key that goes into a header or an address as it is. */
export const accessToken = z
  .string()
  .regex(/^[!-~]{8,4096}$/, "must have 8 to 4096 visible ASCII characters");
/** `TCS.NS=NSE_EQ|INE467B01029`, by normalised symbol. */
export const instrumentKeys = list.transform((items, context): Readonly<Record<string, string>> => {
  const pairs = items.map((item) => {
    const [, text = "", key = ""] = /^(.+)=([A-Z]+_[A-Z]+\|[\w &.-]+)$/.exec(item) ?? [];
    const symbol = normaliseSymbol(text);
    const instrument = symbol === null ? null : classifySymbol(symbol);
    if (instrument?.calendar !== "XNSE") {
      context.addIssue(`${item} is no pair such as TCS.NS=NSE_EQ|INE467B01029`);
    }
    return [symbol ?? "", key] as const;
  });
  return Object.fromEntries(pairs);
});
export const sentryAddress = url("http:", "https:").refine(
  (text) => !URL.canParse(text) || isSentryAddress(text),
  {
    message: "must be an address with a key and a project, https://key@host/1",
  },
);
export const instant = z.string().transform((text, context) => {
  const ms = parseInstant(text);
  if (ms !== null) return ms;
  context.addIssue("must be an ISO date or date-time");
  return z.NEVER;
});

export function isSentryAddress(text: string): boolean {
  const { username, pathname } = new URL(text);
  return username !== "" && /\/\d+$/.test(pathname);
}

/** A vendor's key has to fit into a header. */
export const keyOfSource = (source: string) => ({
  group: "Market data",
  about: `Key for ${source}; required when MARKET_DATA lists it`,
  read: z.string().regex(/^[!-~]{1,200}$/, "must be at most 200 visible ASCII characters without spaces"),
});
export const addressOf = (what: string, fallback: string) => ({
  group: "Market data",
  about: `Address of the ${what}`,
  fallback,
  read: url("http:", "https:"),
});
export const callsPer = (span: "minute" | "day", fallback: string) => ({
  group: "Market data",
  about: `Calls that the plan allows in a ${span}; 0 for plans without such a limit`,
  fallback,
  read: wholeNumber(0, 10_000_000),
});
export const delayOfBars = (fallback: string) => ({
  group: "Market data",
  about: "Minutes by which bars are late: 1440 on end-of-day plans, 15 on delayed ones, 0 on live ones",
  fallback,
  read: wholeNumber(0, 10_080),
});

/** Offsets such as +05:30 are understood by the runtime and are no zones: they know no change of clocks. */
function isZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions().timeZone.length > 0;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
