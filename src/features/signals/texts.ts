import type { Refusal, Warning } from "../../core/risk/limits.js";
import { REFUSAL_TEXTS, WARNING_TEXTS } from "../../core/risk/texts.js";
import type { ActionReason, ExitReason } from "../../core/signals/signal.js";
import type { CONDITIONS, Factor } from "./recommend.js";

export const TEXTS: Readonly<Record<Factor["code"], string>> = {
  nothing_known: "No layer says anything",
  undecided: "The layers do not lean far enough either way",
  prices_stale: "Prices are older than they should be",
  volatility_extreme: "Volatility is extreme",
  layers_contradict: "Layers contradict each other",
  no_levels: "Too few bars tell where stop and target would lie",
  reward_too_small: "The reward is too small for the risk",
  costs_prohibitive: "Costs take all of the way to the target",
  price_beyond_levels: "The price has passed the stop or the target already",
  worse_than_chance: "The pattern has done worse than trades at any time",
  no_edge: "The pattern's measured hit rate leaves nothing to be gained at this reward",
  layers_split: "Too little of the weight of the layers that speak points one way",
  layers_too_few: "A single layer speaks, and no trades on a pattern were measured",
  layers_agree: "The layers that speak lean far enough in one direction",
  ...REFUSAL_TEXTS,
  ...WARNING_TEXTS,
  // Of a signal, and of bars of its interval.
  confidence_unknown:
    "The settings demand a measured hit rate, and none is known of a pattern in this direction",
  stop_within_noise: "The stop is nearer than an ordinary bar's range",
  volatility_high: "Volatility is high for this market",
  timeframes_diverge: "Short and long intervals point in opposite directions",
  layers_against: "All layers together lean the other way",
  other_direction: "The recommendation is to trade the other way",
  no_evidence:
    "No hit rate is known of a pattern in this direction: too few trades were measured, or too close together in time",
};

/** What lessens a risk, where something does. */
export const MITIGATIONS: Readonly<
  Partial<Record<ActionReason | Refusal | Warning | (typeof CONDITIONS)[number], string>>
> = {
  prices_stale: "Wait for fresh prices",
  price_stale: "Wait for a fresh quote",
  volatility_extreme: "Wait until volatility has calmed down",
  volatility_high: "Take a smaller position: the same stop in average ranges is wider in price",
  layers_contradict: "Wait until patterns, intervals and sentiment agree",
  timeframes_diverge: "Wait until short and long intervals agree",
  reward_too_small: "Wait for an entry nearer to the stop",
  reward_risk_low: "Wait for an entry nearer to the stop",
  costs_prohibitive: "Trade it on a longer interval, whose moves are larger",
  price_beyond_levels: "Let this one go and wait for the next pattern",
  stop_within_noise: "Place the stop further away and take a smaller position",
  spread_wide: "Use a limit order",
  no_evidence: "Treat the hit rate as unknown and risk little",
};

export const EXIT_TEXTS: Readonly<Record<ExitReason, string>> = {
  stop_reached: "The price has reached the stop",
  target_reached: "The price has reached the target",
  trailing_stop_reached: "The price has come back three average ranges from its best",
  opposite_pattern: "A pattern against the position is on the newest bars",
  sentiment_against: "Sentiment is strongly against the position",
  time_over: "The position has been open as long as a trade of the policy lasts",
};

/** A reason with the numbers that were compared. */
export function factorText({ code, value, limit }: Factor): string {
  const numbers = [value, limit].flatMap((number) => (number === null ? [] : [plain(number)]));
  return numbers.length < 2 ? TEXTS[code] : `${TEXTS[code]} (${numbers[0]} against ${numbers[1]})`;
}

/** A number for people: four significant digits, or all before the point. */
export function plain(value: number): string {
  return Math.abs(value) >= 1_000 ? value.toFixed(0) : String(Number(value.toPrecision(4)));
}
