import { DAY_MS } from "../../core/market/day.js";
import { classifySymbol, type Instrument, normaliseSymbol } from "../../core/market/instrument.js";
import { calendarOf, previousSession, sessionAt, tradingDay } from "../../core/market/session.js";
import { type ExpiryCalendarId, expiryOn } from "../../core/options/expiries.js";
import { AppError } from "../../platform/errors.js";

/** What options are written on. */
export interface Underlying extends Instrument {
  /** Whose rules its options expire by; null where they are not known. */
  readonly expiries: ExpiryCalendarId | null;
}

/** Indices by the name their options go by, with the symbol of the index. */
const INDICES: readonly (readonly [name: string, symbol: string, expiries: ExpiryCalendarId])[] = [
  ["NIFTY", "^NSEI", "NIFTY"],
  ["BANKNIFTY", "^NSEBANK", "BANKNIFTY"],
  ["FINNIFTY", "NIFTY_FIN_SERVICE.NS", "FINNIFTY"],
  ["MIDCPNIFTY", "NIFTY_MID_SELECT.NS", "MIDCPNIFTY"],
  ["SENSEX", "^BSESN", "SENSEX"],
  ["BANKEX", "BSE-BANK.BO", "BANKEX"],
  ["SPX", "^GSPC", "SPXW"],
];

/** @throws {AppError} `symbol_invalid` for what is no symbol, `symbol_unknown` for an exchange that is not kept. */
export function identifyUnderlying(text: string): Underlying {
  const plain = text.trim().toUpperCase();
  const index = INDICES.find(([name, symbol]) => plain === name || plain === symbol);
  const symbol = index?.[1] ?? normaliseSymbol(text);
  if (symbol === null) {
    throw new AppError("symbol_invalid", "A symbol has letters, digits and . - = ^ _ only");
  }
  const instrument = classifySymbol(symbol);
  if (instrument === null) throw new AppError("symbol_unknown", `The exchange of ${symbol} is not known`);
  if (index !== undefined) return { ...instrument, assetClass: "index", expiries: index[2] };
  const usShare =
    instrument.calendar === "XNYS" && (instrument.assetClass === "equity" || instrument.assetClass === "etf");
  return { ...instrument, expiries: usShare ? "US-EQUITY" : null };
}

/** When the options dated a day stop, and which calendar says so. */
export interface CutOff {
  /** Epoch ms. */
  readonly time: number;
  readonly from: "expiry rules" | "last session of the exchange";
}

/**
 * By the rules as contracts were listed at the time of the chain; a date that they do not have, such as one that a
 * holiday moved later, ends with the last session up to it.
 */
export function cutOffOf({ expiries, calendar: id }: Underlying, expiry: number, timeMs: number): CutOff {
  const calendar = calendarOf(id);
  if (expiries !== null) {
    const listed = expiryOn(expiries, expiry, tradingDay(calendar, timeMs)) ?? expiryOn(expiries, expiry);
    if (listed !== null) return { time: listed.cutOff, from: "expiry rules" };
  }
  // Noon of the day after lies behind each session of the day, in every zone.
  const after = (expiry + 1) * DAY_MS + DAY_MS / 2;
  let session = sessionAt(calendar, after) ?? previousSession(calendar, after);
  while (session !== null && tradingDay(calendar, session.open) > expiry) {
    session = previousSession(calendar, session.open);
  }
  return { time: session?.close ?? (expiry + 1) * DAY_MS, from: "last session of the exchange" };
}
