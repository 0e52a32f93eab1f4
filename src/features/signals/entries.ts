import { checkOrder, type RiskLimits, UNKNOWN_ACCOUNT } from "../../core/risk/limits.js";
import type { LayerFusion } from "../../core/signals/fuse.js";
import { type Levels, levelsAt } from "../../core/signals/levels.js";
import {
  type ActionReason,
  costsAgainst,
  evidenceAgainst,
  LEAST_REWARD_RISK,
} from "../../core/signals/signal.js";
import { shareOfCosts } from "../detections/levels.js";
import { historyOf } from "../evidence/history.js";
import type { CompositeChance } from "../models/layers.js";
import { leadBy } from "./lead.js";
import { type SeenPattern, strengthOf } from "./look.js";
import { evidenceOf, levelsNow, priceOf, type Reading } from "./reading.js";
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
  /** Of an entry at the price now. */
  readonly levels: Levels;
  readonly fusion: LayerFusion;
  readonly chance: CompositeChance;
  readonly judged: Judged;
  /** Whether the decision on the symbol is to trade in this direction. */
  readonly agrees: boolean;
}

/** Least quality where no least confidence is asked for. */
export const LEAST_QUALITY = 0.7;

export function judge({ confidence, detection }: Pick<SeenPattern, "confidence" | "detection">): Judged {
  return confidence.value === null
    ? { value: detection.quality, basis: "quality" }
    : { value: confidence.value, basis: "confidence" };
}

export function judgeQuality({ detection }: Pick<SeenPattern, "detection">): Judged {
  return { value: detection.quality, basis: "quality" };
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

/** Reasons to avoid the symbol whatever the pattern. */
const OF_MARKET: ReadonlySet<ActionReason> = new Set([
  "prices_stale",
  "volatility_extreme",
  "layers_contradict",
]);
/** A composite below it leans the other way. */
const MIDDLE = 50;

export const NO_ENTRIES: Entries = { entries: [], leftOut: [] };

/**
 * A signal for each pattern of the newest bars whose trade is open, what says most first: its price has reached neither
 * stop nor target. What the measured trades on it, somebody's limits, the state of the market, the layers or a
 * recommendation to trade the other way speak against is left out with why.
 * @param least of the measured hit rate, or of the quality where there is none, 0..1. @param judgeBy what is held against it.
 */
export function entriesOf(
  { reading, action }: Pick<Recommendation, "reading" | "action">,
  limits: RiskLimits,
  least = 0,
  judgeBy = judge,
): Entries {
  const price = priceOf(reading);
  const ofMarket = reading.decision.reasons.filter(({ code }) => OF_MARKET.has(code));
  const entries: EntrySignal[] = [];
  const leftOut: LeftOut[] = [];
  for (const pattern of [...reading.live].sort((a, b) => strengthOf(b) - strengthOf(a))) {
    const { levels: planned } = pattern;
    const { direction } = pattern.detection;
    if (planned === null || direction === 0) continue;
    const judged = judgeBy(pattern);
    if (levelsAt(planned, price) === null || judged.value < least) continue;
    const own = direction > 0 ? "BUY" : "SELL";
    const levels = levelsNow(reading, planned);
    const { fusion, chance } = leadBy(reading, pattern);
    const reasons = [...ofMarket, ...againstEntry(reading, pattern, levels, limits)];
    if (fusion.composite !== null && fusion.composite < MIDDLE) {
      reasons.push({ code: "layers_against", value: fusion.composite, limit: MIDDLE });
    }
    if (action === (direction > 0 ? "SELL" : "BUY")) {
      reasons.push({ code: "other_direction", value: null, limit: null });
    }
    if (reasons.length > 0) leftOut.push({ pattern, reasons });
    else entries.push({ pattern, direction, levels, fusion, chance, judged, agrees: action === own });
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
    ...(rewardRisk < LEAST_REWARD_RISK
      ? [{ code: "reward_too_small" as const, value: rewardRisk, limit: LEAST_REWARD_RISK }]
      : []),
    ...(evidence === null ? [] : evidenceAgainst(evidence, { rewardRisk })),
    ...(costs === null ? [] : [costs]),
    ...refusals,
  ];
}
