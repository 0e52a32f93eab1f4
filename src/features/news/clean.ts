import { sha256 } from "../../platform/sha256.js";
import type { NewsItem } from "../../providers/define.js";

/** Most characters that are kept. */
export const LIMITS = { publisher: 100, title: 300, summary: 2_000, url: 2_048, symbol: 40 } as const;
/** Text is read up to this many times its limit: the rest may be marks that fall away. */
const READ_FACTOR = 20;
/** How often entities within entities are read. */
const DECODE_ROUNDS = 3;
/** Texts of other times are errors of a source. */
const EARLIEST_MS = Date.UTC(2000, 0, 1);
const FUTURE_MS = 600_000;
/** Titles with fewer words or characters do not tell two texts apart. */
const TITLE_WORDS = 4;
const TITLE_CHARACTERS = 20;
const MAX_VENDOR_SYMBOLS = 50;

/** A text that is fit to be stored and shown as plain text. */
export interface CleanItem {
  readonly publisher: string;
  readonly title: string;
  readonly summary: string;
  readonly url: string | null;
  /** Digest of the address; null where there is none. */
  readonly urlKey: string | null;
  /** The words of the title; null for one too short to tell texts apart. */
  readonly titleWords: string | null;
  readonly publishedMs: number;
  /** As the vendor spelled them. */
  readonly symbols: readonly string[];
}

/** What was wrong with a text that is not stored. */
export type Refusal = "no_text" | "no_time" | "future" | "too_old";

/** A source's text as it is stored, or why it is not. */
export function cleanItem(item: NewsItem, nowMs: number): CleanItem | Refusal {
  const { publishedMs } = item;
  if (!Number.isFinite(publishedMs)) return "no_time";
  if (publishedMs > nowMs + FUTURE_MS) return "future";
  if (publishedMs < EARLIEST_MS) return "too_old";
  const publisher = cleanText(item.publisher, LIMITS.publisher);
  const summary = cleanText(item.summary, LIMITS.summary);
  const title = cleanText(item.title, LIMITS.title) || cut(summary, LIMITS.title);
  if (title === "") return "no_text";
  const url = cleanUrl(item.url);
  return {
    publisher,
    title,
    summary: summary === title ? "" : summary,
    url,
    urlKey: url === null ? null : sha256(canonicalUrl(url)),
    titleWords: titleWords(title, publisher),
    publishedMs: Math.round(publishedMs),
    symbols: item.symbols.slice(0, MAX_VENDOR_SYMBOLS),
  };
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
  ndash: "–",
  mdash: "—",
  lsquo: "‘",
  rsquo: "’",
  ldquo: "“",
  rdquo: "”",
  hellip: "…",
  euro: "€",
  pound: "£",
};

function decoded(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]{2,6}));/g,
    (whole, decimal, hex, name) => {
      if (name !== undefined) return Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : whole;
      const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
      return code > 0x10ffff || code === 0 ? " " : String.fromCodePoint(code);
    },
  );
}

/** Scripts and styles with what they hold, comments, and tags; one that is not closed reaches to the end. */
function withoutMarkup(text: string): string {
  return text
    .replace(/<(script|style|template|noscript)\b[\s\S]*?(?:<\/\1\s*>|$)/gi, " ")
    .replace(/<!--[\s\S]*?(?:-->|$)/g, " ")
    .replace(/<[/!?]?[a-zA-Z][^>]*(?:>|$)/g, " ");
}

function withoutInvisible(text: string): string {
  return text.replace(/(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}]/gu, "");
}

/**
 * Plain text in one line: no markup, also where it was written in entities, no control, format, private or lone
 * surrogate characters (zero-width and bidirectional ones are among them), no piles of accents. It may still hold `<`
 * as in `a < b`: whoever shows it escapes it.
 */
export function cleanText(text: string, limit: number): string {
  let plain = withoutMarkup(withoutInvisible(text.slice(0, limit * READ_FACTOR)));
  for (let round = 0; round < DECODE_ROUNDS; round++) plain = withoutMarkup(withoutInvisible(decoded(plain)));
  const calm = plain.normalize("NFC").replace(/(\p{M}{3})\p{M}+/gu, "$1");
  return cut(calm.replace(/[\s\u2028\u2029]+/gu, " ").trim(), limit);
}

/** The beginning, without half a character at its end. */
function cut(text: string, limit: number): string {
  return text
    .slice(0, limit)
    .replace(/[\ud800-\udbff]$/, "")
    .trimEnd();
}

/** The address as it is given, or null unless it is one of http or https, without credentials, and short enough. */
export function cleanUrl(text: string): string | null {
  const trimmed = text.trim();
  if (trimmed.length > LIMITS.url || !/^https?:\/\//i.test(trimmed) || !URL.canParse(trimmed)) return null;
  const url = new URL(trimmed);
  const public_ = url.username === "" && url.password === "" && url.hostname.includes(".");
  return public_ && url.href.length <= LIMITS.url ? url.href : null;
}

const TRACKING =
  /^(utm_.*|fbclid|gclid|yclid|mc_[ce]id|igshid|cmpid|src|ref|ref_src|guccounter|guce_.*|\.tsrc|tsrc)$/i;

/** What names the text in an address: no scheme, `www.`, mark, tracking parameters or last stroke. */
export function canonicalUrl(address: string): string {
  const url = new URL(address);
  const kept = [...url.searchParams].filter(([name]) => !TRACKING.test(name)).sort();
  const query = kept.length === 0 ? "" : `?${new URLSearchParams(kept)}`;
  const path = url.pathname.replace(/\/+$/, "");
  return `${url.host.replace(/^(www|m|amp)\./, "")}${path}${query}`;
}

/** Words by which a title is known again: without case, signs and the publisher that some sources append. */
export function titleWords(title: string, publisher: string): string | null {
  const wordsOf = (text: string) =>
    text
      .normalize("NFKC")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}$%]+/gu, " ")
      .trim();
  const words = wordsOf(title);
  const by = wordsOf(publisher);
  const bare =
    by !== "" && /[-|–—]/u.test(title) && words.endsWith(` ${by}`) ? words.slice(0, -by.length - 1) : words;
  return bare.length < TITLE_CHARACTERS || bare.split(" ").length < TITLE_WORDS ? null : bare;
}
