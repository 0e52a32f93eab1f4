import type { ScoreModel } from "./judge.js";
import { unpackModel } from "./pack.js";
import { WEIGHTS } from "./weights.js";

/** The project's own model: lexicon and classifier together. */
export const SHIPPED: ScoreModel = { classifier: unpackModel(WEIGHTS), hitRates: WEIGHTS.hitRates };

/** The lexicon alone, every point of whose score is explained by its hits. */
export const LEXICON_ONLY: ScoreModel = { classifier: null, hitRates: WEIGHTS.hitRates };
