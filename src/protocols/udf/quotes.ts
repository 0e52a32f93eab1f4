import type { PricedQuote, Quotes } from "../../features/candles/quotes.js";
import type { KnownInstrument } from "../../features/instruments/store.js";
import { AppError } from "../../platform/errors.js";
import { errorBody } from "./errors.js";
import { descriptionOf, type Symbols } from "./symbols.js";

export type ChartQuote =
  | { readonly s: "ok"; readonly n: string; readonly v: ReturnType<typeof valuesOf> }
  | { readonly s: "error"; readonly n: string; readonly v: Record<string, never>; readonly errmsg: string };

const AT_A_TIME = 8;

/** A quote for each text, in their order; one that cannot be had says why in its place. */
export async function loadChartQuotes(
  { symbols, quotes }: { readonly symbols: Symbols; readonly quotes: Pick<Quotes, "load"> },
  texts: readonly string[],
): Promise<ChartQuote[]> {
  const found: ChartQuote[] = [];
  let next = 0;
  async function work(): Promise<void> {
    for (let i = next++; i < texts.length; i = next++) found[i] = await quoteOf(texts[i]);
  }
  async function quoteOf(text: string): Promise<ChartQuote> {
    try {
      const instrument = await symbols.resolve(text);
      return { s: "ok", n: text, v: valuesOf(instrument, await quotes.load(instrument)) };
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
      return { s: "error", n: text, v: {}, errmsg: errorBody(error).errmsg };
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, texts.length) }, work));
  return found;
}

function valuesOf(instrument: KnownInstrument, quote: PricedQuote) {
  const { symbol, exchange } = instrument;
  const { bid, ask } = quote;
  return {
    ch: quote.change,
    chp: quote.changePercent,
    short_name: symbol,
    exchange,
    original_name: `${exchange}:${symbol}`,
    description: descriptionOf(instrument, quote.synthetic),
    lp: quote.price,
    ask,
    bid,
    spread: bid === null || ask === null ? null : ask - bid,
    open_price: quote.open,
    high_price: quote.high,
    low_price: quote.low,
    prev_close_price: quote.previousClose,
    volume: quote.volume,
  };
}
