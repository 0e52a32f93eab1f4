import { type Instrument, normaliseSymbol } from "../../core/market/instrument.js";
import { type Aliases, aliasesOf, mentionsOf } from "../../core/sentiment/entities.js";
import { tokensOf } from "../../core/sentiment/tokens.js";
import { rootOf, shortName } from "../../providers/search-terms.js";
import { type CleanItem, LIMITS } from "./clean.js";

/** How it is known that a text speaks of a symbol, the surest first. */
export const LINK_WAYS = ["vendor", "cashtag", "listing", "ticker", "name"] as const;
export type LinkWay = (typeof LINK_WAYS)[number];

export interface Link {
  readonly symbol: string;
  readonly by: LinkWay;
}

export interface Linker {
  /** Names of the known instruments, for whoever reads texts after it. */
  readonly aliases: Aliases;
  /** The symbols a text speaks of. @param sought the instrument it was found by; null for none. */
  linksOf(item: CleanItem, sought: Instrument | null): Link[];
}

const MAX_LINKS = 30;
/** Shorter tickers in capitals are words too often. */
const SHORTEST_TICKER = 3;
/** A ticker means nothing in a text that shouts. */
const LOWER_SHARE = 0.3;

/** @param instruments those whose names, and tickers in parentheses, are known again. */
export function createLinker(instruments: readonly Instrument[]): Linker {
  const byRoot = new Map<string, string>();
  const names: [symbol: string, names: readonly string[]][] = [];
  for (const instrument of instruments) {
    const root = rootOf(instrument);
    if (root !== null && !byRoot.has(root)) byRoot.set(root, instrument.symbol);
    const short = shortName(instrument);
    const long = instrument.name === instrument.symbol ? [] : [instrument.name];
    if (short !== null) names.push([instrument.symbol, [...new Set([...long, short])]]);
  }
  const aliases = aliasesOf(names);

  function* found(item: CleanItem, sought: Instrument | null): Generator<Link> {
    for (const text of item.symbols) yield* linkTo(vendorSymbol(text), "vendor");
    const text = `${item.title}\n${item.summary}`;
    const mentions = mentionsOf(text, tokensOf(text), aliases);
    for (const { by, symbol, start, end } of mentions) {
      if (by === "ticker") yield* linkTo(byRoot.get(symbol) ?? normaliseSymbol(symbol), "cashtag");
      if (by === "exchange")
        yield* linkTo(normaliseSymbol(text.slice(start, end).replaceAll(" ", "")), "listing");
      if (by === "alias") yield { symbol, by: "name" };
    }
    // Unlike `(NASDAQ: AAPL)`, a word in parentheses counts only where it is a ticker that is known.
    for (const [, ticker] of text.matchAll(/\(([A-Z]{1,6}(?:\.[A-Z])?)\)/g))
      yield* linkTo(byRoot.get(ticker), "listing");
    const root = sought === null ? null : rootOf(sought);
    if (sought !== null && root !== null && namesTicker(text, root))
      yield { symbol: sought.symbol, by: "ticker" };
  }

  return {
    aliases,
    linksOf(item, sought) {
      const links = new Map<string, LinkWay>();
      for (const { symbol, by } of found(item, sought)) {
        const known = links.get(symbol);
        if (known === undefined || LINK_WAYS.indexOf(by) < LINK_WAYS.indexOf(known)) links.set(symbol, by);
      }
      return [...links].map(([symbol, by]) => ({ symbol, by })).slice(0, MAX_LINKS);
    },
  };
}

function* linkTo(symbol: string | null | undefined, by: LinkWay): Generator<Link> {
  if (symbol !== null && symbol !== undefined && symbol.length <= LIMITS.symbol) yield { symbol, by };
}

/** Alpha Vantage writes `CRYPTO:BTC` and `FOREX:USD`: the coin has a price in dollars, the currency alone has none. */
function vendorSymbol(text: string): string | null {
  const coin = /^CRYPTO:([A-Z0-9]{2,10})$/i.exec(text)?.[1];
  return normaliseSymbol(coin === undefined ? text : `X:${coin}USD`);
}

/** Whether a text names a ticker in capitals, as a word of its own, without being all in capitals itself. */
function namesTicker(text: string, root: string): boolean {
  if (root.length < SHORTEST_TICKER) return false;
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const lower = text.match(/\p{Ll}/gu)?.length ?? 0;
  if (lower < LOWER_SHARE * letters) return false;
  const escaped = root.replace(/[.-]/g, "\\$&");
  return new RegExp(`(?<![\\p{L}\\p{N}$])${escaped}(?![\\p{L}\\p{N}])`, "u").test(text);
}
