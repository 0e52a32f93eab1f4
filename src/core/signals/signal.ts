import type { VolatilityLevel } from "../regime/define.js";
import { PROHIBITIVE_SHARE } from "./cost-class.js";
import type { LayerFusion } from "./fuse.js";
import type { Levels } from "./levels.js";

export type Action = "BUY" | "SELL" | "HOLD" | "AVOID";

/** What is measured of the pattern behind a signal; rates 0..1. */
export interface SignalEvidence {
  /** Hit rate to be expected, shrunk by sample size, and the upper end of the measured one's interval. */
  readonly confidence: number;
  readonly most: number | null;
  readonly base: number;
  readonly n: number;
  /** Upper end of the interval of the edge over the base rate; null where it is not known. */
  readonly edgeHigh: number | null;
}

export interface SignalFacts {
  readonly fusion: LayerFusion;
  /** Of the direction that the fusion reads; null where none can be drawn. */
  readonly levels: Levels | null;
  /** Null where too few cases tell. */
  readonly evidence: SignalEvidence | null;
  readonly volatility: VolatilityLevel | null;
  /** What the costs of a trade by the levels take of the way to the target; null without levels. */
  readonly costShare: number | null;
  /** The price now; null where none is known but that of the levels' entry. */
  readonly price: number | null;
  /** Whether prices are old while their exchange trades. */
  readonly stale: boolean;
}

export const ACTION_REASONS = [
  "nothing_known",
  "undecided",
  "prices_stale",
  "volatility_extreme",
  "layers_contradict",
  "no_levels",
  "reward_too_small",
  "costs_prohibitive",
  "price_beyond_levels",
  "worse_than_chance",
  "history_loses",
  "no_edge",
  "layers_split",
  "layers_too_few",
  "layers_agree",
] as const;
export type ActionReason = (typeof ACTION_REASONS)[number];

/** A reason with what was compared. */
export interface Reason {
  readonly code: ActionReason;
  readonly value: number | null;
  readonly limit: number | null;
}

export interface Decision {
  readonly action: Action;
  /** Why; for AVOID everything that speaks against. */
  readonly reasons: readonly Reason[];
}

/** A composite this far from the middle is a signal, in the unit of `signed`. */
export const SIGNAL_FROM = 0.2;
/** Two layers that say at least this much, one up and one down, contradict each other. */
const CONTRADICTION = 0.5;
/** Share of the weight of the layers that speak which must point the way they lean to together. */
const AGREEMENT = 2 / 3;
/** Layers that must say something where no trades on a pattern were measured: one agrees with nothing. */
const LEAST_LAYERS = 2;
/** Reward per risk below which a trade has to be right too often. */
export const LEAST_REWARD_RISK = 0.75;

/**
 * What to do now. AVOID where prices or the market cannot be trusted, or where a signal has something against it; BUY and
 * SELL where the layers lean far enough, most of their weight one way, and nothing does; HOLD where they do not, or where
 * the measured hit rate leaves nothing to be gained at the levels, or where a single layer speaks and nothing was measured.
 * Levels are those of an entry at the price now, where it lies between them.
 */
export function decideAction(facts: SignalFacts): Decision {
  const { fusion, levels, evidence, volatility, costShare, price, stale } = facts;
  const against: Reason[] = [];
  const speak = (code: ActionReason, value: number | null = null, limit: number | null = null) =>
    against.push({ code, value, limit });
  if (stale) speak("prices_stale");
  if (volatility === "extreme") speak("volatility_extreme");
  const { signed } = fusion;
  if (signed === null) return decision(against, "HOLD", { code: "nothing_known", value: null, limit: null });
  const said = fusion.layers.flatMap(({ value }) => (value === null ? [] : [value]));
  const most = Math.max(...said);
  const least = Math.min(...said);
  if (most >= CONTRADICTION && least <= -CONTRADICTION)
    speak("layers_contradict", most - least, 2 * CONTRADICTION);
  const size = Math.abs(signed);
  const hold = (code: ActionReason, value: number, limit: number) => {
    // What is avoided is told with all that speaks against it.
    if (against.length > 0 && levels !== null) speakOfLevels(levels, price, speak);
    return decision(against, "HOLD", { code, value, limit });
  };
  if (size < SIGNAL_FROM) return hold("undecided", size, SIGNAL_FROM);
  const share = agreeingShare(fusion);
  if (share < AGREEMENT) return hold("layers_split", share, AGREEMENT);
  if (evidence === null && said.length < LEAST_LAYERS) {
    return hold("layers_too_few", said.length, LEAST_LAYERS);
  }
  if (levels === null) speak("no_levels");
  else speakOfLevels(levels, price, speak);
  const costs = costsAgainst(costShare);
  if (costs !== null) against.push(costs);
  const measured = evidence === null ? [] : evidenceAgainst(evidence, levels);
  against.push(...measured.filter(({ code }) => code !== "no_edge"));
  const noEdge = measured.find(({ code }) => code === "no_edge");
  if (noEdge !== undefined) return decision(against, "HOLD", noEdge);
  const agree = { code: "layers_agree", value: size, limit: SIGNAL_FROM } as const;
  return decision(against, signed > 0 ? "BUY" : "SELL", agree);
}

/** Share of the weight of the layers that say something which lies on the side they lean to together. */
function agreeingShare({ direction, layers }: LayerFusion): number {
  let [agreeing, all] = [0, 0];
  for (const { value, weight } of layers) {
    if (value === null || value === 0) continue;
    all += weight;
    if (Math.sign(value) === direction) agreeing += weight;
  }
  return all === 0 ? 0 : agreeing / all;
}

/**
 * What the measured trades on a pattern say against another one. At levels it loses where even the upper end of the hit
 * rate is below what their reward needs to break even, and has no edge where the rate to be expected is not above it.
 */
export function evidenceAgainst(
  { confidence, most, edgeHigh }: SignalEvidence,
  levels: Pick<Levels, "rewardRisk"> | null,
): Reason[] {
  const against: Reason[] = [];
  if (edgeHigh !== null && edgeHigh < 0) {
    against.push({ code: "worse_than_chance", value: edgeHigh, limit: 0 });
  }
  if (levels === null) return against;
  const limit = breakEvenOf(levels.rewardRisk);
  if (most !== null && most < limit) against.push({ code: "history_loses", value: most, limit });
  else if (confidence <= limit) against.push({ code: "no_edge", value: confidence, limit });
  return against;
}

/** What costs say against a trade, by the share that they take of the way to its target; null where they say nothing. */
export function costsAgainst(costShare: number | null): Reason | null {
  return costShare !== null && costShare >= PROHIBITIVE_SHARE
    ? { code: "costs_prohibitive", value: costShare, limit: PROHIBITIVE_SHARE }
    : null;
}

/** Hit rate at which a trade gains nothing and loses nothing. @param rewardRisk reward per unit of risk, above 0. */
export function breakEvenOf(rewardRisk: number): number {
  return 1 / (1 + rewardRisk);
}

/** A trade is void when the price has reached its stop or target before it is entered. */
function speakOfLevels(
  { stop, target, rewardRisk }: Levels,
  price: number | null,
  speak: (code: ActionReason, value: number, limit: number) => void,
): void {
  if (rewardRisk < LEAST_REWARD_RISK) speak("reward_too_small", rewardRisk, LEAST_REWARD_RISK);
  if (price === null) return;
  const up = target > stop ? 1 : -1;
  if (up * (price - stop) <= 0) speak("price_beyond_levels", price, stop);
  if (up * (price - target) >= 0) speak("price_beyond_levels", price, target);
}

function decision(against: readonly Reason[], action: Action, reason: Reason): Decision {
  return against.length > 0 ? { action: "AVOID", reasons: against } : { action, reasons: [reason] };
}

/** A position as exits look at it; prices in one unit. */
export interface OpenPosition {
  readonly direction: 1 | -1;
  readonly entry: number;
  readonly stop: number | null;
  readonly target: number | null;
  /** Best price since the entry, in its direction; null where it is not known. */
  readonly best: number | null;
  /** Bars since the entry; null where it is not known. */
  readonly bars: number | null;
}

export interface ExitFacts {
  readonly price: number;
  /** Average true range; null with too few bars. */
  readonly range: number | null;
  /** Confirmed patterns of the newest bars against the position, by id. */
  readonly opposite: readonly string[];
  /** Signed, -1..1; null where nothing tells. */
  readonly sentiment: number | null;
  /** Bars that a trade of the policy has. */
  readonly horizon: number;
}

export const EXIT_REASONS = [
  "stop_reached",
  "target_reached",
  "trailing_stop_reached",
  "opposite_pattern",
  "sentiment_against",
  "time_over",
] as const;
export type ExitReason = (typeof EXIT_REASONS)[number];

export interface Exit {
  readonly reason: ExitReason;
  readonly urgency: "low" | "medium" | "high";
  readonly value: number | null;
  readonly limit: number | null;
  /** Pattern behind an opposite signal. */
  readonly pattern: string | null;
}

/** A stop that follows the best price at this many average ranges. */
const TRAILING_RANGES = 3;
const SENTIMENT_AGAINST = 0.6;

/** Every reason to close a position now, the most urgent first. */
export function exitsOf(position: OpenPosition, facts: ExitFacts): Exit[] {
  const { direction, stop, target, best, bars } = position;
  const { price, range, opposite, sentiment, horizon } = facts;
  const exits: Exit[] = [];
  const add = (reason: ExitReason, urgency: Exit["urgency"], value: number, limit: number) =>
    exits.push({ reason, urgency, value, limit, pattern: null });
  if (stop !== null && direction * (price - stop) <= 0) add("stop_reached", "high", price, stop);
  if (best !== null && range !== null) {
    const trailing = best - direction * TRAILING_RANGES * range;
    const gained = direction * (best - position.entry) > 0;
    if (gained && direction * (price - trailing) <= 0) add("trailing_stop_reached", "high", price, trailing);
  }
  if (target !== null && direction * (price - target) >= 0) add("target_reached", "medium", price, target);
  for (const pattern of opposite) {
    exits.push({ reason: "opposite_pattern", urgency: "medium", value: null, limit: null, pattern });
  }
  if (sentiment !== null && direction * sentiment <= -SENTIMENT_AGAINST) {
    add("sentiment_against", "medium", sentiment, -direction * SENTIMENT_AGAINST);
  }
  if (bars !== null && bars >= horizon) add("time_over", "low", bars, horizon);
  return exits;
}
