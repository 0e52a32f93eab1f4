import { z } from "zod";
import { dateOf, parseDay } from "../core/market/day.js";
import type { Instrument } from "../core/market/instrument.js";
import type { ChainQuotes, OptionQuote, Right } from "../core/market/option-quote.js";
import { calendarOf, lastOpened } from "../core/market/session.js";
import type { HttpRequest } from "../platform/http-client.js";
import { payloadOf } from "./answer.js";
import { ProviderError } from "./define.js";
import { priceOrNull } from "./price-time.js";
import { type UpstoxAccess, upstoxRequest } from "./upstox-answer.js";

const amount = z.number().nullish();

const contractsSchema = z.object({
  status: z.literal("success"),
  data: z.array(z.object({ expiry: z.string(), underlying_key: z.string() })).nullable(),
});

const legSchema = z
  .object({
    market_data: z
      .object({
        ltp: amount,
        bid_price: amount,
        ask_price: amount,
        volume: amount,
        oi: amount,
        prev_oi: amount,
      })
      .nullish(),
    /** The volatility is in percent. */
    option_greeks: z
      .object({ iv: amount, delta: amount, gamma: amount, theta: amount, vega: amount })
      .nullish(),
  })
  .nullish();
const chainSchema = z.object({
  status: z.literal("success"),
  data: z
    .array(
      z.object({
        expiry: z.string(),
        strike_price: z.number(),
        underlying_key: z.string(),
        underlying_spot_price: amount,
        call_options: legSchema,
        put_options: legSchema,
      }),
    )
    .nullable(),
});

type Leg = z.output<typeof legSchema>;

export function contractsRequest(access: UpstoxAccess, key: string): HttpRequest {
  return upstoxRequest(access, ["v2", "option", "contract"], { instrument_key: key });
}

export function chainRequest(access: UpstoxAccess, key: string, expiry: number): HttpRequest {
  const query = { instrument_key: key, expiry_date: dateOf(expiry) };
  return upstoxRequest(access, ["v2", "option", "chain"], query);
}

/** Expiries of the listed contracts in days since 1970-01-01, ascending; none for an underlying without options. */
export function expiriesOf(body: unknown, key: string): number[] {
  const contracts = payloadOf(contractsSchema, body, "list of contracts").data ?? [];
  const days = contracts.map((contract) => {
    requireKey(contract.underlying_key, key);
    const day = parseDay(contract.expiry);
    if (day === null) throw new ProviderError("bad_payload", "a contract expires on no date");
    return day;
  });
  return [...new Set(days)].sort((a, b) => a - b);
}

/**
 * All strikes of one expiry. Open interest, that of the day before, and volume are in units of the underlying
 * (shares, not lots or contracts), as sent; volatility as a fraction: deep strikes have 4 and more, or 0, which is
 * none. Greeks are the vendor's own. The answer has no time: it is of now, outside sessions of the last close.
 * @throws {ProviderError} `bad_payload` for rows of another underlying or expiry.
 */
export function chainOf(
  body: unknown,
  of: { readonly instrument: Instrument; readonly key: string; readonly expiry: number },
  nowMs: number,
): ChainQuotes {
  const rows = payloadOf(chainSchema, body, "chain of options").data ?? [];
  const quotes: OptionQuote[] = [];
  let spot = Number.NaN;
  for (const row of rows) {
    requireKey(row.underlying_key, of.key);
    if (row.expiry !== dateOf(of.expiry)) {
      const other = row.expiry.slice(0, 10);
      throw new ProviderError("bad_payload", `answered for ${other} instead of ${dateOf(of.expiry)}`);
    }
    spot = priceOrNull(row.underlying_spot_price) ?? spot;
    const place = { expiry: of.expiry, strike: row.strike_price };
    for (const [right, leg] of [
      ["call", row.call_options],
      ["put", row.put_options],
    ] as const) {
      const quote = quoteOf(place, right, leg);
      if (quote !== null) quotes.push(quote);
    }
  }
  return { underlying: of.instrument.symbol, time: timeOf(of.instrument, nowMs), spot, quotes };
}

function quoteOf(place: { expiry: number; strike: number }, right: Right, leg: Leg): OptionQuote | null {
  const market = leg?.market_data;
  const greeks = leg?.option_greeks;
  if (!market && !greeks) return null;
  return {
    ...place,
    right,
    last: market?.ltp ?? null,
    bid: market?.bid_price ?? null,
    ask: market?.ask_price ?? null,
    volume: market?.volume ?? null,
    openInterest: market?.oi ?? null,
    previousOpenInterest: market?.prev_oi ?? null,
    volatility: typeof greeks?.iv === "number" ? greeks.iv / 100 : null,
    delta: greeks?.delta ?? null,
    gamma: greeks?.gamma ?? null,
    theta: greeks?.theta ?? null,
    vega: greeks?.vega ?? null,
  };
}

function timeOf({ calendar: id }: Instrument, nowMs: number): number {
  const calendar = calendarOf(id);
  const index = lastOpened(calendar, nowMs);
  return index < 0 ? nowMs : Math.min(nowMs, calendar.close[index]);
}

function requireKey(given: string, key: string): void {
  if (given === key) return;
  throw new ProviderError("bad_payload", `answered for ${given.slice(0, 40)} instead of ${key}`);
}
