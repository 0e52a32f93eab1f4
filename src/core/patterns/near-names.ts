import { PATTERNS } from "./index.js";
import { plainName } from "./names.js";

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
