import { MEMORY_BARS } from "../patterns/define.js";
import { REGIME_MEMORY } from "../regime/define.js";

/** Bars a window needs before the first bar whose patterns and regime are wanted. */
export const LEAD_BARS = Math.max(MEMORY_BARS, REGIME_MEMORY);
