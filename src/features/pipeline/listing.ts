import type { Instrument } from "../../core/market/instrument.js";
import { ROUND_TRIP_BPS } from "../../core/signals/levels.js";
import type { DecisionTerms } from "../../core/synergy/decision-terms.js";
import type { OpenSymbol } from "./messages.js";

/** Lots of what trades in fractions are small; a unit of currency or coin moves its price by one. */
export const LOTS: Readonly<Record<Instrument["assetClass"], number>> = Object.freeze({
  equity: 1,
  etf: 1,
  index: 1,
  crypto: 1e-4,
  fx: 1_000,
  commodity: 1,
});

/** Dollars per point of price and contract, by the specifications of CME Group. */
const CONTRACTS: Readonly<Record<string, number>> = Object.freeze({
  "ES=F": 50,
  "NQ=F": 20,
  "YM=F": 5,
  "RTY=F": 50,
  "CL=F": 1_000,
  "NG=F": 10_000,
  "GC=F": 100,
  "SI=F": 5_000,
});

/** @param currency of the account. */
export function listingOf(
  { symbol, calendar, assetClass, currency: own }: Instrument,
  decision: DecisionTerms,
  currency: string,
): OpenSymbol {
  return {
    symbol,
    calendar,
    decision: { ...decision, lot: LOTS[assetClass] },
    pointValue: pointValueOf(symbol, assetClass),
    rate: own === currency ? 1 : symbol === `${currency}${own}=X` ? "inverse" : Number.NaN,
    costShare: ROUND_TRIP_BPS[assetClass] / 10_000,
  };
}

/** A share, a coin, an ounce, a unit of currency moves by what its price moves; an index is not traded. */
function pointValueOf(symbol: string, assetClass: Instrument["assetClass"]): number {
  if (symbol.endsWith("=F")) return Object.hasOwn(CONTRACTS, symbol) ? CONTRACTS[symbol] : Number.NaN;
  return assetClass === "index" ? Number.NaN : 1;
}
