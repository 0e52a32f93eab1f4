import { classifySymbol, type Instrument, normaliseSymbol } from "../core/market/instrument.js";
import type { Interval } from "../core/market/interval.js";

/** Polygon's tickers: AAPL, BRK.B, X:BTCUSD, C:EURUSD, I:SPX. */

const INDICES: Readonly<Record<string, string>> = {
  "^GSPC": "I:SPX",
  "^DJI": "I:DJI",
  "^IXIC": "I:COMP",
  "^NDX": "I:NDX",
  "^RUT": "I:RUT",
  "^VIX": "I:VIX",
};
const SYMBOL_OF_INDEX = new Map(Object.entries(INDICES).map(([symbol, ticker]) => [ticker, symbol]));
/** What it quotes coins in. */
const COIN_PAIR = /^([A-Z0-9]+)-(USD|EUR|GBP|JPY)$/;

export type PolygonMarket = "stocks" | "crypto" | "fx" | "indices";

/**
 * Hours of shares are not taken: the service lays them on the clock, across the open. Days of currencies neither:
 * it ends them at midnight UTC, not at 17:00 in New York. Both are made of finer bars.
 */
const INTERVALS: Readonly<Record<PolygonMarket, readonly Interval[]>> = {
  stocks: ["1m", "5m", "15m", "30m", "1d"],
  indices: ["1m", "5m", "15m", "30m", "1d"],
  crypto: ["1m", "5m", "15m", "30m", "1h", "1d"],
  fx: ["1m", "5m", "15m", "30m", "1h"],
};

/** An instrument as Polygon names it; null when it does not carry it. */
export function polygonTicker({ symbol, assetClass, calendar }: Instrument): string | null {
  if (assetClass === "index") return Object.hasOwn(INDICES, symbol) ? INDICES[symbol] : null;
  if (assetClass === "crypto") {
    const pair = COIN_PAIR.exec(symbol);
    return pair === null ? null : `X:${pair[1]}${pair[2]}`;
  }
  if (symbol.endsWith("=X")) return `C:${symbol.slice(0, -2)}`;
  return calendar === "XNYS" && !symbol.includes("=") ? symbol : null;
}

export function marketOf(ticker: string): PolygonMarket {
  if (ticker.startsWith("X:")) return "crypto";
  if (ticker.startsWith("C:")) return "fx";
  return ticker.startsWith("I:") ? "indices" : "stocks";
}

export function polygonIntervals(instrument: Instrument): readonly Interval[] {
  const ticker = polygonTicker(instrument);
  return ticker === null ? [] : INTERVALS[marketOf(ticker)];
}

/**
 * The instrument of one of its tickers; null for what has no spelling here: options, preferred shares (written with
 * small letters), and shares whose ticker means a coin.
 */
export function instrumentOfTicker(ticker: string): Instrument | null {
  const symbol = SYMBOL_OF_INDEX.get(ticker) ?? normaliseSymbol(ticker);
  const instrument = symbol === null ? null : classifySymbol(symbol);
  return instrument !== null && polygonTicker(instrument) === ticker ? instrument : null;
}
