import { type Token, tokensOf } from "./tokens.js";

/** A place where a text speaks of an instrument; token indexes [first, end), UTF-16 offsets [start, end). */
export interface Mention {
  readonly symbol: string;
  /** `$AAPL`, `(NASDAQ: AAPL)` or a name. */
  readonly by: "ticker" | "exchange" | "alias";
  readonly first: number;
  readonly last: number;
  readonly start: number;
  readonly end: number;
}

/** Names ready to be looked for, by their first word. */
export type Aliases = ReadonlyMap<
  string,
  readonly { readonly words: readonly string[]; readonly symbol: string }[]
>;

const EXCHANGES = new Set(
  `nasdaq nasdaqgs nasdaqgm nasdaqcm nyse nysearca nysemkt amex arca otc otcmkts otcqx otcqb cboe bats
   lse aim tsx tsxv cve tse nse bse asx hkex hkg etr fra epa ams swx sgx krx`.split(/\s+/),
);

/** Prepares names by symbol ("AAPL" -> "Apple", "Apple Inc."); longer names win over shorter ones. */
export function aliasesOf(table: Iterable<readonly [symbol: string, names: readonly string[]]>): Aliases {
  const found = new Map<string, { words: readonly string[]; symbol: string }[]>();
  for (const [symbol, names] of table) {
    for (const name of names) {
      const words = tokensOf(name)
        .filter((token) => token.kind !== "stop")
        .map(wordOf);
      if (words.length === 0) continue;
      const list = found.get(words[0]) ?? [];
      list.push({ words, symbol });
      found.set(words[0], list);
    }
  }
  for (const list of found.values()) list.sort((a, b) => b.words.length - a.words.length);
  return found;
}

/** Numbers have no norm; in names ("3M", "20th Century") they stand for their value. */
function wordOf(token: Token): string {
  return token.kind === "number" ? String(token.value) : token.norm;
}

function aliasAt(tokens: readonly Token[], at: number, aliases: Aliases) {
  // A name is written large somewhere at its head: "apple pie" is not Apple.
  if (tokens[at].kind === "word" && tokens[at].casing === "lower") return null;
  for (const alias of aliases.get(wordOf(tokens[at])) ?? []) {
    const matches = alias.words.every((word, i) => at + i < tokens.length && wordOf(tokens[at + i]) === word);
    if (matches) return { symbol: alias.symbol, by: "alias" as const, last: at + alias.words.length - 1 };
  }
  return null;
}

/** `NYSE: IBM`, `NYSE:BRK.B`. */
function listingAt(text: string, tokens: readonly Token[], at: number) {
  const symbol = tokens[at + 2];
  if (!EXCHANGES.has(tokens[at].norm) || tokens[at + 1]?.norm !== ":" || symbol?.kind !== "word") return null;
  const written = /^[A-Z]{1,12}(?:[.-][A-Z])?(?![A-Za-z])/.exec(
    text.slice(symbol.start, symbol.start + 16),
  )?.[0];
  if (written === undefined) return null;
  const end = symbol.start + written.length;
  let last = at + 2;
  while (last + 1 < tokens.length && tokens[last + 1].end <= end) last++;
  return { symbol: written.replace("-", "."), by: "exchange" as const, last };
}

/** Where a text speaks of instruments, in order and without overlaps. */
export function mentionsOf(text: string, tokens: readonly Token[], aliases: Aliases): Mention[] {
  const mentions: Mention[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const found =
      tokens[i].kind === "ticker"
        ? { symbol: tokens[i].norm, by: "ticker" as const, last: i }
        : (listingAt(text, tokens, i) ?? aliasAt(tokens, i, aliases));
    if (found === null) continue;
    mentions.push({ ...found, first: i, start: tokens[i].start, end: tokens[found.last].end });
    i = found.last;
  }
  return mentions;
}
