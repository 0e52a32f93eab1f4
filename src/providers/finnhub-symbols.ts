import type { PriceBasis } from "../core/market/adjust.js";
import { classifySymbol, type Instrument, normaliseSymbol } from "../core/market/instrument.js";
import type { Interval } from "../core/market/interval.js";

/**
 * Finnhub's symbols: AAPL, BRK.B, COINBASE:BTC-USD, BINANCE:BTCUSDT, OANDA:EUR_USD. Coins in dollars are those of an
 * exchange that trades dollars: a price in tethers is another instrument's.
 */

export type FinnhubKind = "stock" | "crypto" | "forex";

/**
 * Days of currencies are not taken, for it does not say when they end; hours of shares lie on the clock, across the
 * open. Both are made of finer bars.
 */
const INTERVALS: Readonly<Record<FinnhubKind, readonly Interval[]>> = {
  stock: ["1m", "5m", "15m", "30m", "1d"],
  crypto: ["1m", "5m", "15m", "30m", "1h", "1d"],
  forex: ["1m", "5m", "15m", "30m", "1h"],
};

/** An instrument as Finnhub names it; null when it does not carry it. */
export function finnhubSymbol({ symbol, assetClass, calendar }: Instrument): string | null {
  if (assetClass === "crypto") {
    const [, coin, quote] = /^([A-Z0-9]+)-([A-Z]+)$/.exec(symbol) ?? [];
    if (quote === "USD" || quote === "EUR" || quote === "GBP") return `COINBASE:${coin}-${quote}`;
    return quote === "USDT" || quote === "USDC" ? `BINANCE:${coin}${quote}` : null;
  }
  if (symbol.endsWith("=X")) return `OANDA:${symbol.slice(0, 3)}_${symbol.slice(3, 6)}`;
  return calendar === "XNYS" && assetClass !== "index" && !symbol.includes("=") ? symbol : null;
}

export function kindOf(vendorSymbol: string): FinnhubKind {
  if (vendorSymbol.startsWith("OANDA:")) return "forex";
  return vendorSymbol.includes(":") ? "crypto" : "stock";
}

export function finnhubIntervals(instrument: Instrument): readonly Interval[] {
  const vendorSymbol = finnhubSymbol(instrument);
  return vendorSymbol === null ? [] : INTERVALS[kindOf(vendorSymbol)];
}

/** "Daily data will be adjusted for Splits. Intraday data will remain unadjusted." */
export function finnhubBasis(instrument: Instrument, interval: Interval): PriceBasis {
  const vendorSymbol = finnhubSymbol(instrument);
  return interval === "1d" && vendorSymbol !== null && kindOf(vendorSymbol) === "stock" ? "split" : "none";
}

/** The instrument of one of its symbols; null for what has no spelling here, such as shares of other countries. */
export function instrumentOfFinnhub(vendorSymbol: string): Instrument | null {
  const symbol = normaliseSymbol(vendorSymbol.replace(/^OANDA:([A-Z]{3})_([A-Z]{3})$/, "$1$2=X"));
  const instrument = symbol === null ? null : classifySymbol(symbol);
  return instrument !== null && finnhubSymbol(instrument) === vendorSymbol ? instrument : null;
}
