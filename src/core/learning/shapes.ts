import { ensure } from "../base/assert.js";
import type { Direction } from "../patterns/define.js";
import { findVariant } from "../patterns/index.js";

/**
 * What a window of 50 bars can be named: no shape, or a chart shape that a close has confirmed on one of its last bars.
 * Names are those of the variants of the pattern table, which say what each is and where it points to.
 *
 * Left out are triple tops and bottoms, ugly double bottoms, rounding bottoms, pennants, channels and trend lines: in 50
 * bars they are too much like one of these, or do not fit.
 */
export const SHAPES = [
  "none",
  "head_and_shoulders",
  "inverse_head_and_shoulders",
  "double_top",
  "double_bottom",
  "ascending_triangle",
  "descending_triangle",
  "bullish_symmetrical_triangle",
  "bearish_symmetrical_triangle",
  "rising_wedge",
  "falling_wedge",
  "bull_flag",
  "bear_flag",
  "bullish_rectangle",
  "bearish_rectangle",
  "cup_with_handle",
] as const;
export type ShapeName = (typeof SHAPES)[number];

/** Bars after the confirming close within which a window still counts as showing the shape. */
export const BARS_AFTER = 5;

/** Where each shape points to, in the order of `SHAPES`: 0 for none. */
export const SHAPE_DIRECTIONS: readonly Direction[] = SHAPES.map((name) =>
  name === "none" ? 0 : ensure(findVariant(name), name).variant.direction,
);

/** Class of the variant of a chart shape; -1 for one that is no class. */
export function shapeClass(variant: string): number {
  const names: readonly string[] = SHAPES;
  return variant === "none" ? -1 : names.indexOf(variant);
}
