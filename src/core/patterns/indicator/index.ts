import type { Pattern } from "../define.js";
import { bollingerBreakout } from "./bollinger-breakout.js";
import { bollingerSqueeze } from "./bollinger-squeeze.js";
import { macdCross } from "./macd-cross.js";
import { rsiDivergence } from "./rsi-divergence.js";
import { rsiOverbought, rsiOversold } from "./rsi-extremes.js";
import { sma20And50Cross, sma50And200Cross } from "./sma-cross.js";

/** Every pattern that is an event of an indicator. */
export const INDICATOR_PATTERNS: readonly Pattern[] = Object.freeze([
  sma50And200Cross,
  sma20And50Cross,
  rsiOversold,
  rsiOverbought,
  rsiDivergence,
  bollingerBreakout,
  bollingerSqueeze,
  macdCross,
]);
