import type { Pattern } from "../define.js";
import { levelBounce } from "./bounce.js";
import { levelBreak } from "./break.js";
import { levelRetest } from "./retest.js";

/** Every pattern that is told by support and resistance. */
export const LEVEL_PATTERNS: readonly Pattern[] = Object.freeze([levelBreak, levelRetest, levelBounce]);
