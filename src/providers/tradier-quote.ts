import { z } from "zod";
import { classifySymbol, type Instrument, normaliseSymbol } from "../core/market/instrument.js";
import type { Quote } from "../core/market/quote.js";
import { payloadOf } from "./answer.js";
import { type FoundSymbol, type MarketStatus, ProviderError } from "./define.js";
import { priceOrNull, requirePast } from "./price-time.js";
import { listOf, nothing, vendorSymbolOf } from "./tradier-answer.js";

const amount = z.number().nullish();

const quoteSchema = z.object({
  symbol: z.string(),
  last: amount,
  open: amount,
  high: amount,
  low: amount,
  prevclose: amount,
  volume: amount,
  bid: amount,
  ask: amount,
  /** Epoch ms; a date with an offset in older answers. */
  trade_date: z.union([z.number(), z.string()]).nullish(),
});
const quotesSchema = z.object({
  quotes: z.union([nothing.transform(() => ({ quote: [] })), z.object({ quote: listOf(quoteSchema) })]),
});

export type TradierQuote = z.output<typeof quoteSchema>;

/**
 * The row of one symbol in an answer of quotes.
 * @throws {ProviderError} `unknown_symbol` where no row came, as for unmatched symbols; `bad_payload` where rows of
 * others did.
 */
export function quoteRow(body: unknown, vendorSymbol: string): TradierQuote {
  const { quote } = payloadOf(quotesSchema, body, "list of quotes").quotes;
  const row = quote.find(({ symbol }) => symbol === vendorSymbol);
  if (row !== undefined) return row;
  if (quote.length === 0) throw new ProviderError("unknown_symbol", `no data for ${vendorSymbol}`);
  const other = quote[0].symbol.slice(0, 24);
  throw new ProviderError("bad_payload", `answered for ${other} instead of ${vendorSymbol}`);
}

/** The last price of a symbol; null where it has never traded. @throws {ProviderError} as `quoteRow` does. */
export function quoteOf(body: unknown, instrument: Instrument, nowMs: number): Quote | null {
  const vendorSymbol = vendorSymbolOf(instrument);
  if (vendorSymbol === null) throw new ProviderError("unknown_symbol", `no data for ${instrument.symbol}`);
  const row = quoteRow(body, vendorSymbol);
  const price = priceOrNull(row.last);
  if (price === null || row.trade_date === 0) return null;
  return {
    symbol: instrument.symbol,
    price,
    time: requirePast(tradeTime(row), nowMs),
    open: priceOrNull(row.open),
    high: priceOrNull(row.high),
    low: priceOrNull(row.low),
    previousClose: priceOrNull(row.prevclose),
    volume: row.volume ?? null,
    bid: priceOrNull(row.bid),
    ask: priceOrNull(row.ask),
  };
}

/** When the last trade was, epoch ms; NaN where that cannot be told. */
export function tradeTime({ trade_date: stamp }: TradierQuote): number {
  if (typeof stamp === "number") return stamp;
  return /T\d{2}:\d{2}:\d{2}(\.\d+)?([+-]\d{2}:\d{2}|Z)$/.test(stamp ?? "")
    ? Date.parse(stamp ?? "")
    : Number.NaN;
}

const clockSchema = z.object({
  clock: z.object({
    state: z.enum(["premarket", "open", "postmarket", "closed"]),
    /** Epoch seconds. */
    timestamp: z.number(),
    description: z.string().nullish(),
  }),
});
const PHASES = { premarket: "pre", open: "open", postmarket: "post", closed: "closed" } as const;

/** What the clock of the US exchanges says. @throws {ProviderError} `bad_payload` */
export function statusOf(body: unknown, nowMs: number): MarketStatus {
  const { state, timestamp, description } = payloadOf(clockSchema, body, "clock").clock;
  const time = requirePast(timestamp * 1_000, nowMs);
  return { phase: PHASES[state], time, description: description ?? null };
}

const lookupSchema = z.object({
  securities: z.union([
    nothing.transform(() => ({ security: [] })),
    z.object({
      security: listOf(
        z.object({
          symbol: z.string(),
          exchange: z.string().nullish(),
          type: z.string().nullish(),
          description: z.string().nullish(),
        }),
      ),
    }),
  ]),
});

/** Exchanges by the letter of the tape or, in older answers, by market identifier code. */
const EXCHANGES: Readonly<Record<string, string>> = {
  Q: "NASDAQ",
  N: "NYSE",
  A: "AMEX",
  P: "ARCA",
  XNAS: "NASDAQ",
  XNYS: "NYSE",
  XASE: "AMEX",
  ARCX: "ARCA",
};

/**
 * The shares and funds of an answer of lookup. Those whose symbol would mean another instrument here are left out:
 * preferred shares are written AAp, and BTC is a coin. @throws {ProviderError} `bad_payload`
 */
export function foundOf(body: unknown): FoundSymbol[] {
  const { security } = payloadOf(lookupSchema, body, "list of symbols").securities;
  return security.flatMap(({ symbol: vendorSymbol, exchange, type, description }): FoundSymbol[] => {
    const symbol = vendorSymbol.replace("/", ".");
    const known = normaliseSymbol(symbol) === symbol ? classifySymbol(symbol) : null;
    if (known === null || vendorSymbolOf(known) !== vendorSymbol) return [];
    if (type !== "stock" && type !== "etf") return [];
    const name = description?.trim() || known.name;
    const instrument: Instrument = {
      ...known,
      name: name.slice(0, 120),
      assetClass: type === "etf" ? "etf" : "equity",
      exchange: EXCHANGES[exchange ?? ""] ?? known.exchange,
    };
    return [{ instrument, vendorSymbol }];
  });
}
