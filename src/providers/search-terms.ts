import { classifySymbol, type Instrument } from "../core/market/instrument.js";

/** How people write of an instrument. */
export interface SearchTerms {
  /** `$AAPL`; null where the symbol has no form that is written so. */
  readonly cashtag: string | null;
  /** `AAPL`; null where it is too short to be told from a word. */
  readonly ticker: string | null;
  /** `Apple`; null where only the symbol is known. */
  readonly name: string | null;
}

const LEGAL_FORM =
  /[\s,]+(inc|incorporated|corp|corporation|co|company|ltd|limited|plc|llc|sa|ag|nv|se|holdings?|group|platforms|trust)\.?$/i;
const SHARE_CLASS = /[\s,]+class [a-z]$/i;
const SHORTEST_TICKER = 3;

/** A name without its legal form: `Apple Inc.` is `Apple`; null for one that is its symbol or has no letters. */
export function shortName({ name, symbol }: Instrument): string | null {
  // Sources that list files know no names.
  const known = name === symbol ? (classifySymbol(symbol)?.name ?? name) : name;
  let short = known.replaceAll(/["()]/g, " ").replaceAll(/\s+/g, " ").trim();
  for (let before = ""; before !== short; ) {
    before = short;
    short = short.replace(SHARE_CLASS, "").replace(LEGAL_FORM, "");
  }
  return /\p{L}{2}/u.test(short) && short.toUpperCase() !== symbol ? short.slice(0, 60) : null;
}

/** The part of a symbol that is the instrument itself: `BTC` of `BTC-USD`, `TCS` of `TCS.NS`. */
export function rootOf({ symbol, assetClass }: Instrument): string | null {
  if (assetClass === "fx" || assetClass === "index" || symbol.endsWith("=F") || symbol.endsWith("=X"))
    return null;
  const root = assetClass === "crypto" ? symbol.replace(/-[A-Z]+$/, "") : symbol.replace(/\.(NS|BO)$/, "");
  return /^[A-Z][A-Z0-9.-]*$/.test(root) ? root : null;
}

export function searchTerms(instrument: Instrument): SearchTerms {
  const root = rootOf(instrument);
  const letters = root !== null && /^[A-Z]{1,6}(\.[A-Z])?$/.test(root);
  const name = shortName(instrument);
  const written = instrument.assetClass === "index" ? instrument.symbol.replace("^", "") : root;
  const long = written !== null && written.length >= SHORTEST_TICKER;
  return {
    cashtag: letters ? `$${root}` : null,
    // Where nothing else is known, what the symbol says has to do.
    ticker: long ? written : letters || name !== null ? null : instrument.symbol.replace(/=.$/, ""),
    name,
  };
}
