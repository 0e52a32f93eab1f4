import { type Traded, tradedShare } from "../../core/execution/instrument.js";
import { classifySymbol, type Instrument } from "../../core/market/instrument.js";
import { AppError } from "../../platform/errors.js";

/**
 * What the trading of an instrument obeys: cents and fractions for the day for US shares, five paise and whole shares
 * on the NSE, a hundred-millionth for coins, which are bought with cash alone, tenths of a pip for currencies. Indexes and futures are not traded here.
 * @returns null for those.
 */
export function tradedIfAny({ symbol, assetClass, currency }: Instrument): Traded | null {
  const share = tradedShare(symbol);
  switch (assetClass) {
    case "equity":
    case "etf":
      return currency === "INR"
        ? { ...share, tick: 0.05, tickBelowOne: null, lot: 1, fractions: "none" }
        : share;
    case "crypto":
      return {
        ...share,
        tick: 1e-8,
        tickBelowOne: null,
        fractions: "free",
        shortable: false,
        marginable: false,
      };
    case "fx":
      return { ...share, tick: 1e-5, tickBelowOne: null, fractions: "free" };
    default:
      return null;
  }
}

/** The same. @throws {AppError} `invalid_request` for what is not traded here. */
export function tradedOf(instrument: Instrument): Traded {
  const traded = tradedIfAny(instrument);
  if (traded !== null) return traded;
  const { symbol } = instrument;
  throw new AppError(
    "invalid_request",
    `${symbol} is no share, coin or pair of currencies: it is not traded here`,
  );
}

/** The same for a symbol that an account traded before. */
export function tradedAs(symbol: string): Traded {
  const instrument = classifySymbol(symbol);
  return instrument === null ? tradedShare(symbol) : tradedOf(instrument);
}
