import type { CalendarId } from "./calendar.js";
import {
  type AssetClass,
  COIN_NAMES,
  COIN_QUOTES,
  COINS,
  CURRENCIES,
  INDEX_NAMES,
  METALS,
  NAMED_INSTRUMENTS,
  type NamedInstrument,
  PAIRED_COINS,
} from "./symbols.js";

export type { AssetClass } from "./symbols.js";

/** Something with a price series, named as `normaliseSymbol` spells it. */
export interface Instrument {
  readonly symbol: string;
  /** The symbol itself where no name is known. */
  readonly name: string;
  readonly assetClass: AssetClass;
  /** `US` where only the country is known. */
  readonly exchange: string;
  /** ISO 4217 code, or the quoting coin. */
  readonly currency: string;
  readonly calendar: CalendarId;
}

const MAX_LENGTH = 40;

/** Prefixes of vendors' and charting symbols, and what they say of the rest. */
const PREFIXES: Readonly<Record<string, "crypto" | "fx" | ".NS" | ".BO" | "">> = {
  X: "crypto",
  CRYPTO: "crypto",
  COINBASE: "crypto",
  BINANCE: "crypto",
  C: "fx",
  FX: "fx",
  OANDA: "fx",
  NSE: ".NS",
  BSE: ".BO",
  NASDAQ: "",
  NYSE: "",
  AMEX: "",
  ARCA: "",
};

const named = new Map<string, NamedInstrument>(NAMED_INSTRUMENTS.map((row) => [row[0], row]));

/**
 * The one spelling of a symbol: `BTC`, `BTC/USD`, `X:BTCUSD`, `bitcoin` are `BTC-USD`; `EUR/USD`, `FX:EURUSD` are
 * `EURUSD=X`; `NSE:TCS` is `TCS.NS`; `VIX` and `SPX` are the indices; anything else is the ticker in capitals. Null for text that cannot be a
 * symbol. The result has 1 to 40 characters of A-Z 0-9 . - = ^ _ and is safe as a file name.
 */
export function normaliseSymbol(text: string): string | null {
  const trimmed = text.trim();
  // Checked before changing case: some letters outside ASCII have capitals inside it.
  if (!/^[\x21-\x7e]{1,40}$/.test(trimmed)) return null;
  const upper = trimmed.toUpperCase();
  const colon = upper.indexOf(":");
  if (colon < 0) return coinAlone(upper) ?? coinPair(upper, false) ?? currencyPair(upper) ?? ticker(upper);
  const prefix = upper.slice(0, colon);
  if (!Object.hasOwn(PREFIXES, prefix)) return null;
  const rest = upper.slice(colon + 1);
  const kind = PREFIXES[prefix];
  if (kind === "crypto") return coinPair(rest, true);
  if (kind === "fx") return currencyPair(rest);
  return ticker(rest + kind);
}

/**
 * What the spelling of a normalised symbol tells of the instrument, with names of the default universe. Null
 * for exchanges whose calendar is not kept, which is each suffix but `.NS`, `.BO` and a share class such as `.B`.
 */
export function classifySymbol(symbol: string): Instrument | null {
  const row = named.get(symbol);
  const instrument = fromSpelling(symbol);
  if (instrument === null || row === undefined) return instrument;
  const [, name, exchange, assetClass] = row;
  return { ...instrument, name, exchange, assetClass };
}

/** Whether something is traded in it: a currency, or a coin that others are quoted in. */
export function isQuoteCurrency(code: string): boolean {
  return CURRENCIES.has(code) || COIN_QUOTES.includes(code);
}

/** The instruments of the default universe that have a name. */
export function namedInstruments(): readonly Instrument[] {
  return NAMED_INSTRUMENTS.map(([symbol]) => classifySymbol(symbol)).filter(
    (instrument) => instrument !== null,
  );
}

function fromSpelling(symbol: string): Instrument | null {
  const base = { symbol, name: symbol };
  if (symbol.startsWith("^")) {
    return /^\^(NSE|BSE|CNX|INDIAVIX)/.test(symbol)
      ? { assetClass: "index", exchange: "NSE", currency: "INR", calendar: "XNSE", ...base }
      : { assetClass: "index", exchange: "INDEX", currency: "USD", calendar: "XNYS", ...base };
  }
  if (symbol.endsWith("=X")) return fromCurrencyPair(symbol);
  if (symbol.endsWith("=F")) {
    // Futures pause for an hour where spot exchange does not; the days are the same.
    return { assetClass: "commodity", exchange: "FUTURES", currency: "USD", calendar: "FX", ...base };
  }
  const quote = COIN_QUOTES.find((code) => symbol.endsWith(`-${code}`));
  if (quote !== undefined) {
    return { assetClass: "crypto", exchange: "CRYPTO", currency: quote, calendar: "24x7", ...base };
  }
  const suffix = /\.([A-Z0-9]+)$/.exec(symbol)?.[1];
  if (suffix === "NS" || suffix === "BO") {
    const exchange = suffix === "NS" ? "NSE" : "BSE";
    return { assetClass: "equity", exchange, currency: "INR", calendar: "XNSE", ...base };
  }
  if (suffix !== undefined && !/^[ABCU]$/.test(suffix)) return null;
  return { assetClass: "equity", exchange: "US", currency: "USD", calendar: "XNYS", ...base };
}

function fromCurrencyPair(symbol: string): Instrument | null {
  const base = symbol.slice(0, 3);
  const quote = symbol.slice(3, -2);
  if (currencyPair(symbol) !== symbol) return null;
  const metal = isMetal(base) ? METALS[base] : undefined;
  return {
    symbol,
    name: `${metal ?? base}/${quote}`,
    assetClass: metal === undefined ? "fx" : "commodity",
    exchange: "FX",
    currency: quote,
    calendar: "FX",
  };
}

function coinAlone(text: string): string | null {
  const code = Object.hasOwn(COIN_NAMES, text) ? COIN_NAMES[text] : text;
  return COINS.has(code) || code !== text ? `${code}-USD` : null;
}

/** `BTCUSD`, `BTC/USD`, `BTC-USD`; an unknown coin only where a prefix or a stroke says that it is a pair. */
function coinPair(text: string, certain: boolean): string | null {
  for (const quote of COIN_QUOTES) {
    const match = /^([A-Z0-9]{2,10})([/-]?)$/.exec(text.endsWith(quote) ? text.slice(0, -quote.length) : "");
    if (match === null) continue;
    const [, coin, separator] = match;
    if (coin === quote || CURRENCIES.has(coin) || isMetal(coin)) continue;
    if (certain || separator === "/" || COINS.has(coin) || PAIRED_COINS.has(coin)) return `${coin}-${quote}`;
  }
  return null;
}

/** `EURUSD`, `EUR/USD`, `EUR-USD`, `EURUSD=X`; Yahoo's `JPY=X` is USD to JPY. */
function currencyPair(text: string): string | null {
  const alone = /^([A-Z]{3})=X$/.exec(text);
  const match = alone === null ? /^([A-Z]{3})[/-]?([A-Z]{3})(?:=X)?$/.exec(text) : [text, "USD", alone[1]];
  if (match === null) return null;
  const [, base, quote] = match;
  if (base === quote || !CURRENCIES.has(quote)) return null;
  return CURRENCIES.has(base) || isMetal(base) ? `${base}${quote}=X` : null;
}

function isMetal(code: string): boolean {
  return Object.hasOwn(METALS, code);
}

function ticker(text: string): string | null {
  if (Object.hasOwn(INDEX_NAMES, text)) return INDEX_NAMES[text];
  if (text.length > MAX_LENGTH || !/^\^?[A-Z0-9][A-Z0-9.\-=^_]*$/.test(text)) return null;
  return text.includes("..") || text.endsWith(".") ? null : text;
}
