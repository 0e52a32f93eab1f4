import { CANDLESTICKS } from "./candlestick/index.js";
import type { PatternVariant } from "./define.js";
import { findPattern, PATTERNS } from "./index.js";
import { namedVariant, plainName } from "./names.js";

/** Longest text that is compared, so that a long one costs nothing. */
const TEXT_LIMIT = 60;
const KNOWN: readonly { readonly id: string; readonly squeezed: string }[] = PATTERNS.flatMap(
  ({ variants }) => variants.map(({ id }) => ({ id, squeezed: squeeze(id) })),
);
/** Share of letters that may differ. */
const TOLERANCE = 0.45;

/** Letters and digits alone: `BullishEngulfing` and `bullish_engulfing` are the same. */
function squeeze(text: string): string {
  return plainName(text.slice(0, TEXT_LIMIT)).replaceAll("_", "");
}

/** The variant whose letters a text has, with whatever between them; null for none. */
export function squeezedVariant(text: string): string | null {
  const squeezed = squeeze(text);
  return KNOWN.find((known) => known.squeezed === squeezed)?.id ?? null;
}

/** Ids of variants that a text may have meant, the nearest first; none for a text that is near to nothing. */
export function nearVariants(text: string, limit = 3): string[] {
  const squeezed = squeeze(text);
  const words = plainName(text.slice(0, TEXT_LIMIT))
    .split("_")
    .filter((word) => word.length > 2);
  if (squeezed === "") return [];
  return KNOWN.map((known) => {
    const apart = editDistance(squeezed, known.squeezed) / Math.max(squeezed.length, known.squeezed.length);
    const shared = words.filter((word) => known.id.split("_").includes(word)).length;
    return { id: known.id, shared, apart: apart - 0.3 * (words.length === 0 ? 0 : shared / words.length) };
  })
    .filter(({ apart, shared }) => apart <= TOLERANCE || shared > 0)
    .sort((a, b) => a.apart - b.apart || (a.id < b.id ? -1 : 1))
    .slice(0, limit)
    .map(({ id }) => id);
}

/** Letters to add, drop or change that make one text the other (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}

/** Words that name nothing, and words that are spelled in several ways. */
const FILLERS = new Set(["a", "an", "and", "the", "with", "of", "on", "off", "by", "pattern", "formation"]);
const SPELLINGS: Readonly<Record<string, string>> = {
  bullish: "bull",
  bearish: "bear",
  crossover: "cross",
  crossing: "cross",
  trendline: "trend line",
  uptrend: "up trend",
  downtrend: "down trend",
  dryup: "dry up",
  inverted: "inverse",
  reverse: "inverse",
  hs: "head shoulder",
  h: "head",
  s: "shoulder",
  "2": "two",
  "3": "three",
};

/** The words of a text in one spelling and without their plural. */
function wordsOf(text: string): ReadonlySet<string> {
  const words = plainName(text.slice(0, TEXT_LIMIT).replace(/([a-z])([A-Z])/g, "$1 $2"))
    .split("_")
    .flatMap((word) => (SPELLINGS[word] ?? word).split(" "))
    .filter((word) => word !== "" && !FILLERS.has(word));
  return new Set(words.map((word) => (word.length > 3 ? word.replace(/(?<!s)s$/, "") : word)));
}

interface Worded {
  readonly id: string;
  /** The words of its names, and of those of its row. */
  readonly names: readonly ReadonlySet<string>[];
  readonly rowNames: readonly ReadonlySet<string>[];
  /** All of these, its direction and its family. */
  readonly all: ReadonlySet<string>;
}

const DIRECTION_WORDS = { 1: "bull", 0: "neutral", [-1]: "bear" } as const;
const WORDED: readonly Worded[] = PATTERNS.flatMap(({ name, title, family, variants }) =>
  variants.map(({ id, title: own, direction }: PatternVariant) => {
    const names = [wordsOf(id), wordsOf(own)];
    const rowNames = [wordsOf(name), wordsOf(title)];
    const all = [...names, ...rowNames].flatMap((words) => [...words]);
    return { id, names, rowNames, all: new Set([...all, DIRECTION_WORDS[direction], family]) };
  }),
);

const isWithin = (few: ReadonlySet<string>, many: ReadonlySet<string>) =>
  [...few].every((word) => many.has(word));
const isSame = (a: ReadonlySet<string>, b: ReadonlySet<string>) => a.size === b.size && isWithin(a, b);

/** Names that TA-Lib has for candlesticks, and the ids of the variants of each. */
const TALIB_NAMES: ReadonlyMap<string, readonly string[]> = new Map(
  CANDLESTICKS.flatMap(({ talib, variants }) =>
    talib === null ? [] : [[talib.toLowerCase(), variants.map(({ id }) => id)] as const],
  ),
);

/**
 * Ids of the variants that a text means, whatever its spelling: the one that it names; all of a row that it names, or that
 * TA-Lib names so; else
 * those whose words it has, in any order: `wedge` is the rising and the falling one. None where it means nothing.
 */
export function meantVariants(text: string): string[] {
  const one = namedVariant(text)?.id ?? squeezedVariant(text);
  if (one !== null) return [one];
  const ofTalib = TALIB_NAMES.get(text.trim().toLowerCase());
  if (ofTalib !== undefined) return [...ofTalib];
  const row = findPattern(plainName(text));
  if (row !== null) return row.variants.map(({ id }) => id);
  const words = wordsOf(text.replaceAll("&", " and "));
  if (words.size === 0) return [];
  const idsOf = (means: (known: Worded) => boolean) => WORDED.filter(means).map(({ id }) => id);
  const named = idsOf(({ names }) => names.some((each) => isSame(words, each)));
  if (named.length > 0) return named;
  const ofRow = idsOf(({ rowNames }) => rowNames.some((each) => isSame(words, each)));
  return ofRow.length > 0 ? ofRow : idsOf(({ all }) => isWithin(words, all));
}
