import { AppError } from "../../platform/errors.js";
import type { Market } from "../candles/market.js";
import type { Missing, PricedQuote } from "../candles/quotes.js";

const AT_A_TIME = 8;

/** Quotes of symbols in the order given; those that could not be had come with why. */
export async function loadQuotes(
  market: Market,
  symbols: readonly string[],
): Promise<{ quotes: PricedQuote[]; unavailable: Missing[] }> {
  const found: (PricedQuote | Missing)[] = [];
  let next = 0;
  async function work(): Promise<void> {
    for (let i = next++; i < symbols.length; i = next++) found[i] = await loadOne(market, symbols[i]);
  }
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, symbols.length) }, work));
  const quotes: PricedQuote[] = [];
  const unavailable: Missing[] = [];
  for (const each of found) {
    if ("reason" in each) unavailable.push(each);
    else quotes.push(each);
  }
  return { quotes, unavailable };
}

async function loadOne(market: Market, symbol: string): Promise<PricedQuote | Missing> {
  try {
    return await market.loadQuote(symbol);
  } catch (error) {
    if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
    return { symbol, reason: error.message };
  }
}
