import type { PatternVariant } from "./define.js";
import { PATTERNS } from "./index.js";

/** Letters and digits in lower case, joined by one underscore: `Bullish Engulfing`, `bullish-engulfing` are the same. */
export function plainName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "");
}

const named = new Map<string, PatternVariant>();
for (const { name, title, variants } of PATTERNS) {
  for (const variant of variants) {
    named.set(variant.id, variant);
    if (!named.has(plainName(variant.title))) named.set(plainName(variant.title), variant);
  }
  // The name of a row stands for its variant where it has one alone.
  const [only, ...others] = variants;
  if (others.length > 0) continue;
  for (const text of [name, plainName(title)]) if (!named.has(text)) named.set(text, only);
}

/** The variant that a text names by id or title, in any case, with blanks, dashes or underscores; null for none. */
export function namedVariant(text: string): PatternVariant | null {
  return named.get(plainName(text)) ?? null;
}
