import type { DecisionTerms } from "./decision-terms.js";

/** Why nothing is done, in the order in which it is asked: the first that holds is told. */
export const DECISION_RULES = [
  { name: "warming_up", description: "something that the decision reads has not enough bars behind it" },
  { name: "market_closed", description: "the market is closed" },
  { name: "quality_below_least", description: "the quality of the synergy is below leastQuality" },
  { name: "model_below_least", description: "a model is asked and scores below leastModel" },
  { name: "position_limit", description: "mostPositions are open, or one of this symbol" },
  { name: "no_price_range", description: "there is no price, or no average true range above 0" },
  { name: "no_stop_level", description: "there is no node on the side of the stop, or it is no price" },
  { name: "stop_too_wide", description: "the stop would lie further than furthestStop" },
  { name: "no_target_level", description: "the target would be no price" },
  { name: "reward_below_least", description: "the reward per risk after costs is below leastReward" },
  { name: "unknown_point_value", description: "what a point of price is worth in money is not known" },
  { name: "other_currency", description: "it trades in another currency than the account, at no known rate" },
  { name: "size_below_one", description: "the risk budget does not pay for one lot" },
] as const;
export type DecisionRule = (typeof DECISION_RULES)[number]["name"];

/** Where the stop comes from. */
export const STOP_BASES = ["node", "nearest_stop", "no_node"] as const;
export type StopBasis = (typeof STOP_BASES)[number];

/** What is known at the close at which a synergy is complete. */
export interface DecisionRequest {
  readonly way: 1 | -1;
  /** Quality of the synergy, 0..1. */
  readonly quality: number;
  /** The close. */
  readonly entry: number;
  /** Average true range, in price; NaN while there is none. */
  readonly range: number;
  /** The nearest low volume nodes on both sides of the entry, in price; NaN for none. */
  readonly nodeBelow: number;
  readonly nodeAbove: number;
  readonly isWarm: boolean;
  readonly isOpen: boolean;
  /** Equity of the account. */
  readonly equity: number;
  /** Money per point of price and unit, in the currency of the instrument; NaN where it is not known. */
  readonly pointValue: number;
  /** Money of the account for one of the instrument; NaN where no rate is known. */
  readonly rate: number;
  /** What a unit costs to trade in and out, in price. */
  readonly cost: number;
  /** NaN where nobody counts them: the rule is not applied then. */
  readonly openPositions: number;
  /** Whether one of them is of this symbol. */
  readonly isHeld: boolean;
  /** Calibrated chance that the target comes before the stop, or why there is none. */
  readonly model: { readonly score: number } | { readonly score: null; readonly why: string };
}

/** What is to be done; what a refusal left unknown is null. */
export interface Decision {
  readonly acts: boolean;
  readonly refusedBy: DecisionRule | null;
  readonly way: 1 | -1;
  readonly entry: number;
  readonly stop: number | null;
  readonly stopBasis: StopBasis | null;
  readonly target: number | null;
  readonly units: number | null;
  /** Money lost at the stop, costs aside. */
  readonly risk: number | null;
  /** Gain at the target per loss at the stop, both after costs. */
  readonly rewardRisk: number | null;
  /** The score of the model where there is one, else the quality of the synergy. */
  readonly confidence: number;
  readonly confidenceBasis: "model" | "quality";
  readonly model: DecisionRequest["model"];
}

/** What a decision reads, as doubles; flags are 1 or 0, a score that is not there NaN. */
export const DECISION_INPUTS = [
  "way",
  "quality",
  "entry",
  "range",
  "nodeBelow",
  "nodeAbove",
  "isWarm",
  "isOpen",
  "equity",
  "pointValue",
  "cost",
  "openPositions",
  "isHeld",
  "score",
  "rate",
] as const;
export const [
  IN_WAY,
  IN_QUALITY,
  IN_ENTRY,
  IN_RANGE,
  IN_NODE_BELOW,
  IN_NODE_ABOVE,
  IN_WARM,
  IN_OPEN,
  IN_EQUITY,
  IN_POINT_VALUE,
  IN_COST,
  IN_POSITIONS,
  IN_HELD,
  IN_SCORE,
  IN_RATE,
] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14] as const;

/** What it writes: NaN for what it did not come to. */
export const DECISION_OUTPUTS = ["stop", "stopBasis", "target", "units", "risk", "rewardRisk"] as const;
export const [OUT_STOP, OUT_BASIS, OUT_TARGET, OUT_UNITS, OUT_RISK, OUT_REWARD] = [0, 1, 2, 3, 4, 5] as const;

/**
 * The decision, from doubles to doubles: it allocates nothing. The stop lies beyond the nearest node below the entry of
 * a long position, above that of a short one, for what little is traded there does not hold price. Units are lots of
 * the least of `mostUnits`, what the risk budget pays for at the stop and what `mostLeverage` allows, times a factor that grows with quality.
 * @param into as `DECISION_OUTPUTS`.
 * @returns 0 to act, else the place of the rule that refuses, counted from 1.
 */
export function decideInto(inputs: Float64Array, terms: DecisionTerms, into: Float64Array): number {
  for (let k = 0; k < DECISION_OUTPUTS.length; k++) into[k] = Number.NaN;
  if (inputs[IN_WARM] !== 1) return 1;
  if (inputs[IN_OPEN] !== 1) return 2;
  if (!(inputs[IN_QUALITY] >= terms.leastQuality)) return 3;
  if (inputs[IN_SCORE] < terms.leastModel) return 4;
  if (inputs[IN_HELD] === 1 || inputs[IN_POSITIONS] >= terms.mostPositions) return 5;
  if (!(inputs[IN_ENTRY] > 0 && inputs[IN_RANGE] > 0)) return 6;
  const refusal = placeStop(inputs, terms, into);
  if (refusal !== 0) return refusal;
  const entry = inputs[IN_ENTRY];
  const distance = Math.abs(entry - into[OUT_STOP]);
  const target = entry + inputs[IN_WAY] * terms.rewardRisk * distance;
  if (!(target > 0)) return 9;
  into[OUT_TARGET] = target;
  into[OUT_REWARD] = (terms.rewardRisk * distance - inputs[IN_COST]) / (distance + inputs[IN_COST]);
  if (!(into[OUT_REWARD] >= terms.leastReward)) return 10;
  if (!(inputs[IN_POINT_VALUE] > 0)) return 11;
  if (!(inputs[IN_RATE] > 0)) return 12;
  const perPoint = inputs[IN_POINT_VALUE] * inputs[IN_RATE];
  const perUnit = distance * perPoint;
  const worth = entry * perPoint;
  const afforded = Math.min(
    terms.mostUnits,
    (terms.riskShare * inputs[IN_EQUITY]) / perUnit,
    (terms.mostLeverage * inputs[IN_EQUITY]) / worth,
  );
  const factor = terms.sizeAtNoQuality + (1 - terms.sizeAtNoQuality) * inputs[IN_QUALITY];
  const wanted = afforded * factor;
  const lots = Math.floor(wanted / terms.lot);
  if (!(lots >= 1)) return 13;
  // The product of lots may round to more than they were counted from.
  into[OUT_UNITS] = Math.min(lots * terms.lot, wanted);
  into[OUT_RISK] = into[OUT_UNITS] * perUnit;
  return 0;
}

function placeStop(inputs: Float64Array, terms: DecisionTerms, into: Float64Array): number {
  const way = inputs[IN_WAY];
  const entry = inputs[IN_ENTRY];
  const range = inputs[IN_RANGE];
  const node = way > 0 ? inputs[IN_NODE_BELOW] : inputs[IN_NODE_ABOVE];
  const away = way * (entry - node);
  let distance = terms.stopWithoutNode * range;
  let basis = 2;
  if (away > 0) {
    distance = away + terms.beyondNode * range;
    basis = 0;
  } else if (!(distance > 0)) return 7;
  if (distance < terms.nearestStop * range) {
    distance = terms.nearestStop * range;
    basis = 1;
  }
  const stop = entry - way * distance;
  if (!(stop > 0)) return 7;
  if (distance > terms.furthestStop * range) return 8;
  into[OUT_STOP] = stop;
  into[OUT_BASIS] = basis;
  return 0;
}

/** `decideInto` in words. */
export function decide(request: DecisionRequest, terms: DecisionTerms): Decision {
  const { way, quality, entry, model } = request;
  const inputs = Float64Array.from(DECISION_INPUTS, (name) =>
    name === "score" ? (model.score ?? Number.NaN) : Number(request[name]),
  );
  const out = new Float64Array(DECISION_OUTPUTS.length);
  const refusal = decideInto(inputs, terms, out);
  const known = (value: number) => (Number.isNaN(value) ? null : value);
  return {
    acts: refusal === 0,
    refusedBy: refusal === 0 ? null : DECISION_RULES[refusal - 1].name,
    way,
    entry,
    stop: known(out[OUT_STOP]),
    stopBasis: Number.isNaN(out[OUT_BASIS]) ? null : STOP_BASES[out[OUT_BASIS]],
    target: known(out[OUT_TARGET]),
    units: known(out[OUT_UNITS]),
    risk: known(out[OUT_RISK]),
    rewardRisk: known(out[OUT_REWARD]),
    confidence: model.score ?? quality,
    confidenceBasis: model.score === null ? "quality" : "model",
    model,
  };
}
