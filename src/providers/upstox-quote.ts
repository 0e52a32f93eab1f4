import { z } from "zod";
import type { Instrument } from "../core/market/instrument.js";
import type { Quote } from "../core/market/quote.js";
import type { HttpRequest } from "../platform/http-client.js";
import { payloadOf } from "./answer.js";
import { ProviderError } from "./define.js";
import { priceOrNull, requirePast } from "./price-time.js";
import { type UpstoxAccess, upstoxRequest } from "./upstox-answer.js";

const amount = z.number().nullish();
const depth = z.array(z.object({ price: amount })).nullish();

const entrySchema = z.object({
  instrument_token: z.string(),
  last_price: amount,
  ohlc: z.object({ open: amount, high: amount, low: amount }).nullish(),
  depth: z.object({ buy: depth, sell: depth }).nullish(),
  volume: amount,
  /** Last price less the close before. */
  net_change: amount,
  /** Epoch ms, as text. */
  last_trade_time: z.string().nullish(),
  timestamp: z.string().nullish(),
});
/** By a name of the vendor's own, such as NSE_EQ:TCS. */
const quotesSchema = z.object({
  status: z.literal("success"),
  data: z.record(z.string(), entrySchema).nullable(),
});

type Entry = z.output<typeof entrySchema>;

export function quoteRequest(access: UpstoxAccess, key: string): HttpRequest {
  return upstoxRequest(access, ["v2", "market-quote", "quotes"], { instrument_key: key });
}

/**
 * The last price of an instrument; null where it has never traded. The close before is what the vendor's own change
 * counts from: it sends no other, and its `close` is that of the running day.
 * @throws {ProviderError} `unknown_symbol` for no entry, `bad_payload` for the entry of another.
 */
export function quoteOf(body: unknown, instrument: Instrument, key: string, nowMs: number): Quote | null {
  const { data } = payloadOf(quotesSchema, body, "quote");
  const entries = Object.values(data ?? {});
  const entry = entries.find(({ instrument_token: token }) => token === key);
  if (entry === undefined) {
    if (entries.length === 0) throw new ProviderError("unknown_symbol", `no data for ${instrument.symbol}`);
    const other = entries[0].instrument_token.slice(0, 40);
    throw new ProviderError("bad_payload", `answered for ${other} instead of ${key}`);
  }
  const price = priceOrNull(entry.last_price);
  if (price === null) return null;
  return {
    symbol: instrument.symbol,
    price,
    time: requirePast(priceTime(entry), nowMs),
    open: priceOrNull(entry.ohlc?.open),
    high: priceOrNull(entry.ohlc?.high),
    low: priceOrNull(entry.ohlc?.low),
    previousClose: typeof entry.net_change === "number" ? rounded(price - entry.net_change) : null,
    volume: entry.volume ?? null,
    bid: priceOrNull(entry.depth?.buy?.[0]?.price),
    ask: priceOrNull(entry.depth?.sell?.[0]?.price),
  };
}

/** When the last trade was; of indices, which have none, when the price was told. NaN where neither is said. */
function priceTime({ last_trade_time: traded, timestamp }: Entry): number {
  if (/^[1-9]\d{11,13}$/.test(traded ?? "")) return Number(traded);
  return /[+-]\d{2}:\d{2}$|Z$/.test(timestamp ?? "") ? Date.parse(timestamp ?? "") : Number.NaN;
}

/** Without what subtraction leaves behind the fourth digit; prices have two. */
function rounded(price: number): number | null {
  return priceOrNull(Math.round(price * 10_000) / 10_000);
}
