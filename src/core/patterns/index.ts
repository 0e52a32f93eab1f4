import { CANDLESTICKS } from "./candlestick/index.js";
import { CHARTS } from "./chart/index.js";
import type { Pattern, PatternVariant } from "./define.js";
import { INDICATOR_PATTERNS } from "./indicator/index.js";
import { LEVEL_PATTERNS } from "./level/index.js";
import { VOLUME_PATTERNS } from "./volume/index.js";

/** Every pattern, by family. */
export const PATTERNS: readonly Pattern[] = Object.freeze([
  ...CANDLESTICKS,
  ...CHARTS,
  ...VOLUME_PATTERNS,
  ...LEVEL_PATTERNS,
  ...INDICATOR_PATTERNS,
]);

const byName = new Map(PATTERNS.map((pattern) => [pattern.name, pattern]));
const byVariant = new Map(
  PATTERNS.flatMap((pattern) =>
    pattern.variants.map((variant) => [variant.id, { pattern, variant }] as const),
  ),
);

export function findPattern(name: string): Pattern | null {
  return byName.get(name) ?? null;
}

/** A variant and the row it belongs to. */
export function findVariant(
  id: string,
): { readonly pattern: Pattern; readonly variant: PatternVariant } | null {
  return byVariant.get(id) ?? null;
}
