import { checkOrder, type RiskLimits, UNKNOWN_ACCOUNT } from "../../core/risk/limits.js";
import type { LayerFusion } from "../../core/signals/fuse.js";
import type { Levels } from "../../core/signals/levels.js";
import { costsAgainst, evidenceAgainst } from "../../core/signals/signal.js";
import { shareOfCosts } from "../detections/levels.js";
import { historyOf } from "../evidence/history.js";
import type { CompositeChance } from "../models/layers.js";
import { leadBy } from "./lead.js";
import { type SeenPattern, strengthOf } from "./look.js";
import { evidenceOf, priceOf, type Reading } from "./reading.js";
import { type Factor, marketOf, type Recommendation } from "./recommend.js";

/** What a pattern is held against where a least confidence is asked for. */
export interface Judged {
  readonly value: number;
  /** Measured hit rate, or quality where too few trades tell. */
  readonly basis: "confidence" | "quality";
}

/** A trade that can be entered now. */
export interface EntrySignal {
  readonly pattern: SeenPattern;
  readonly direction: 1 | -1;
  readonly levels: Levels;
  readonly fusion: LayerFusion;
  readonly chance: CompositeChance;
  readonly judged: Judged;
  /** Whether the decision on the symbol is to trade in this direction. */
  readonly agrees: boolean;
}

export function judge({ confidence, detection }: Pick<SeenPattern, "confidence" | "detection">): Judged {
  return confidence.value === null
    ? { value: detection.quality, basis: "quality" }
    : { value: confidence.value, basis: "confidence" };
}

/** A pattern whose trade is open and is not to be taken, and why. */
export interface LeftOut {
  readonly pattern: SeenPattern;
  readonly reasons: readonly Factor[];
}

export interface Entries {
  readonly entries: readonly EntrySignal[];
  readonly leftOut: readonly LeftOut[];
}

export const NO_ENTRIES: Entries = { entries: [], leftOut: [] };

/**
 * A signal for each pattern of the newest bars whose trade is open, what says most first: its price has reached neither
 * stop nor target. What the measured trades on it, somebody's limits or a recommendation to trade the other way speak
 * against is left out with why. @param least of the measured hit rate, or of the quality where there is none, 0..1.
 */
export function entriesOf(
  { reading, action }: Pick<Recommendation, "reading" | "action">,
  limits: RiskLimits,
  least = 0,
): Entries {
  const price = priceOf(reading);
  const entries: EntrySignal[] = [];
  const leftOut: LeftOut[] = [];
  for (const pattern of [...reading.live].sort((a, b) => strengthOf(b) - strengthOf(a))) {
    const { levels } = pattern;
    const { direction } = pattern.detection;
    if (levels === null || direction === 0) continue;
    const inside = direction * (price - levels.stop) > 0 && direction * (levels.target - price) > 0;
    const judged = judge(pattern);
    if (!inside || judged.value < least) continue;
    const own = direction > 0 ? "BUY" : "SELL";
    const reasons = againstEntry(reading, pattern, levels, limits);
    if (action === (direction > 0 ? "SELL" : "BUY")) {
      reasons.push({ code: "other_direction", value: null, limit: null });
    }
    if (reasons.length > 0) leftOut.push({ pattern, reasons });
    else {
      const { fusion, chance } = leadBy(reading, pattern);
      entries.push({ pattern, direction, levels, fusion, chance, judged, agrees: action === own });
    }
  }
  return { entries, leftOut };
}

/** What speaks against the trade on a pattern whatever the account holds. */
function againstEntry(
  reading: Reading,
  pattern: SeenPattern,
  { entry, stop, target, rewardRisk }: Levels,
  limits: RiskLimits,
): Factor[] {
  const side = pattern.detection.direction > 0 ? "buy" : "sell";
  const order = { side, quantity: null, entry, stop, target } as const;
  const history = historyOf(pattern.confidence);
  const { refusals } = checkOrder(order, limits, marketOf(reading), history, UNKNOWN_ACCOUNT);
  const evidence = evidenceOf(pattern);
  const costs = costsAgainst(shareOfCosts({ entry, target }, reading.main.set.instrument.assetClass));
  return [
    ...(evidence === null ? [] : evidenceAgainst(evidence, { rewardRisk })),
    ...(costs === null ? [] : [costs]),
    ...refusals,
  ];
}
