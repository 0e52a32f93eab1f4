import type { Direction } from "../../core/patterns/define.js";
import { findPattern, findVariant } from "../../core/patterns/index.js";

/**
 * The side of what a client calls a pattern: one of ours by id or title, or a text that says bullish or bearish. 0 for
 * anything else, `AUTO` among it, and for patterns that show themselves either way.
 */
export function sideOf(pattern: string): Direction {
  const id = pattern
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, "_");
  const variant = findVariant(id)?.variant;
  if (variant !== undefined) return variant.direction;
  const directions = new Set(findPattern(id)?.variants.map(({ direction }) => direction));
  if (directions.size === 1) return [...directions][0];
  if (directions.size > 1) return 0;
  const bullish = /bull|\b(buy|long)\b/i.test(pattern);
  const bearish = /bear|\b(sell|short)\b/i.test(pattern);
  return bullish === bearish ? 0 : bullish ? 1 : -1;
}
