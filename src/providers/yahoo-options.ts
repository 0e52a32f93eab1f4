import { z } from "zod";
import { DAY_MS } from "../core/market/day.js";
import type { Instrument } from "../core/market/instrument.js";
import type { ChainQuotes, OptionQuote, Right } from "../core/market/option-quote.js";
import { addressAt } from "./address.js";
import { payloadOf } from "./answer.js";
import { ProviderError } from "./define.js";
import { priceOrNull, requirePast } from "./price-time.js";
import { quoteSchema } from "./yahoo-quote.js";
import { serviceSymbol } from "./yahoo-symbol.js";

const amount = z.number().nullish();

const legSchema = z.object({
  strike: z.number(),
  /** Epoch seconds of midnight UTC. */
  expiration: z.number(),
  /** Others than `REGULAR` are on fewer shares. */
  contractSize: z.string().nullish(),
  lastPrice: amount,
  bid: amount,
  ask: amount,
  volume: amount,
  openInterest: amount,
  impliedVolatility: amount,
});
const payloadSchema = z.object({
  optionChain: z.object({
    result: z
      .array(
        z.object({
          underlyingSymbol: z.string(),
          expirationDates: z.array(z.number()),
          quote: quoteSchema.partial().nullish(),
          options: z.array(
            z.object({ expirationDate: z.number(), calls: z.array(legSchema), puts: z.array(legSchema) }),
          ),
        }),
      )
      .nullable(),
  }),
});

type Leg = z.output<typeof legSchema>;

/** The address of the expiries and, with one of them, of its chain (v7). @param expiry in days since 1970-01-01. */
export function optionsUrl(
  baseUrl: string,
  { symbol }: Instrument,
  crumb: string,
  expiry: number | null,
): string {
  const url = addressAt(baseUrl, `/v7/finance/options/${encodeURIComponent(serviceSymbol(symbol))}`);
  if (expiry !== null) url.searchParams.set("date", String((expiry * DAY_MS) / 1_000));
  url.searchParams.set("crumb", crumb);
  return url.href;
}

/** Null where the service lists no options. */
function resultOf(body: unknown, { symbol }: Instrument) {
  const [result] = payloadOf(payloadSchema, body, "chain of options").optionChain.result ?? [];
  if (result === undefined) return null;
  if (result.underlyingSymbol.toUpperCase() !== serviceSymbol(symbol)) {
    const other = result.underlyingSymbol.slice(0, 24);
    throw new ProviderError("bad_payload", `answered for ${other} instead of ${symbol}`);
  }
  return result;
}

/** Listed expiries in days since 1970-01-01, ascending; none for an underlying without options. */
export function expiriesOf(body: unknown, instrument: Instrument): number[] {
  const days = resultOf(body, instrument)?.expirationDates.map(expiryDay) ?? [];
  return [...new Set(days)].sort((a, b) => a - b);
}

/**
 * All strikes of one expiry. Open interest and volume in contracts, volatility as a fraction. Before the open the
 * service has neither bids nor asks, sends one of a few fixed volatilities (0.00001, 0.500005) with those legs, and 0
 * as the open interest of all: that is none. It has no greeks and no open interest of the day before. The time is
 * that of the last price of the underlying.
 * @throws {ProviderError} `refused` where none are listed, `bad_payload` for another underlying or expiry.
 */
export function chainOf(body: unknown, instrument: Instrument, expiry: number, nowMs: number): ChainQuotes {
  const result = resultOf(body, instrument);
  if (result === null) throw new ProviderError("refused", `lists no options on ${instrument.symbol}`);
  const { quote, options } = result;
  const legs = options.flatMap(({ expirationDate, calls, puts }) => {
    if (expiryDay(expirationDate) !== expiry) {
      throw new ProviderError("bad_payload", "answered for another expiry");
    }
    return [
      ...calls.map((leg) => ({ leg, right: "call" as const })),
      ...puts.map((leg) => ({ leg, right: "put" as const })),
    ];
  });
  const regular = legs.filter(({ leg }) => isRegular(leg));
  const hasInterest = regular.some(({ leg }) => (leg.openInterest ?? 0) > 0);
  const quotes = regular.map(({ leg, right }) => quoteOf(leg, expiry, right, hasInterest));
  const seconds = quote?.regularMarketTime;
  return {
    underlying: instrument.symbol,
    time: seconds ? requirePast(seconds * 1_000, nowMs) : nowMs,
    spot: priceOrNull(quote?.regularMarketPrice) ?? Number.NaN,
    quotes,
  };
}

function isRegular({ contractSize }: Leg): boolean {
  return contractSize === undefined || contractSize === null || contractSize === "REGULAR";
}

function quoteOf(leg: Leg, expiry: number, right: Right, hasInterest: boolean): OptionQuote {
  if (expiryDay(leg.expiration) !== expiry) {
    throw new ProviderError("bad_payload", "a contract is of another expiry");
  }
  const isPriced = (leg.bid ?? 0) > 0 || (leg.ask ?? 0) > 0;
  return {
    expiry,
    strike: leg.strike,
    right,
    last: leg.lastPrice ?? null,
    bid: isPriced ? (leg.bid ?? null) : null,
    ask: isPriced ? (leg.ask ?? null) : null,
    volume: leg.volume ?? null,
    openInterest: hasInterest ? (leg.openInterest ?? null) : null,
    volatility: isPriced ? (leg.impliedVolatility ?? null) : null,
  };
}

function expiryDay(seconds: number): number {
  return Math.floor((seconds * 1_000) / DAY_MS);
}
