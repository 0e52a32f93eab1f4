import { bollingerReversal } from "./bollinger-reversal.js";
import type { Strategy } from "./define.js";
import { donchianBreakout } from "./donchian-breakout.js";
import { goldenCross } from "./golden-cross.js";
import { ivRank } from "./iv-rank.js";
import { macdCross } from "./macd-cross.js";
import { maxPain } from "./max-pain.js";
import { meanReversion } from "./mean-reversion.js";
import { modelScore } from "./model-score.js";
import { momentumRotation } from "./momentum-rotation.js";
import { oiChange } from "./oi-change.js";
import { oiLevels } from "./oi-levels.js";
import { openingRange } from "./opening-range.js";
import { patternList } from "./pattern-list.js";
import { patternTrade } from "./pattern-trade.js";
import { pcrExtremes } from "./pcr-extremes.js";
import { regimeSwitched } from "./regime-switched.js";
import { rsiReversal } from "./rsi-reversal.js";
import { synergy } from "./synergy.js";
import { vwapDeviation } from "./vwap-deviation.js";

/** Every strategy. The seed's numbers 1, 2 and 3 are the first three. */
export const STRATEGIES: readonly Strategy[] = Object.freeze([
  goldenCross,
  rsiReversal,
  bollingerReversal,
  macdCross,
  donchianBreakout,
  meanReversion,
  momentumRotation,
  vwapDeviation,
  openingRange,
  regimeSwitched,
  patternTrade,
  patternList,
  synergy,
  pcrExtremes,
  oiChange,
  maxPain,
  ivRank,
  oiLevels,
  modelScore,
]);

const byId = new Map(STRATEGIES.map((strategy) => [strategy.id, strategy]));

/** The row of that id, or null. */
export function findStrategy(id: string): Strategy | null {
  return byId.get(id) ?? null;
}
