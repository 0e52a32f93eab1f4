import type { PlainFormula } from "./columns.js";
import { MOMENTUM } from "./momentum.js";
import { PRICE } from "./price.js";
import { CYCLE, KERNEL, STATISTICS } from "./statistics.js";
import { TREND } from "./trend.js";
import { VOLATILITY } from "./volatility.js";
import { VOLUME } from "./volume.js";

/**
 * Indicators written a second time, straight from their definitions: a window is gone through anew at every bar,
 * a recursion runs from bar 0, and no code is shared with the rows.
 */
export const PLAIN: Readonly<Record<string, PlainFormula>> = {
  ...TREND,
  ...MOMENTUM,
  ...VOLATILITY,
  ...VOLUME,
  ...PRICE,
  ...STATISTICS,
  ...CYCLE,
  ...KERNEL,
};
