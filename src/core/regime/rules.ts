import { type Measure, REGIMES, type Regime } from "./define.js";

/** Counts nothing at `from`, full at `to` and linearly between; `to` may be the lower. */
export interface Condition {
  readonly measure: Measure;
  readonly from: number;
  readonly to: number;
  /** What it counts where the measure is not known, 0 unless given. */
  readonly unknown?: number;
}

export interface Rule {
  readonly title: string;
  readonly description: string;
  /** A label fits as well as the least of its conditions; those that are met least often come first, to be done sooner. */
  readonly conditions: readonly Condition[];
  /** It never fits less than this. */
  readonly least: number;
}

const SIDEWAYS: readonly Condition[] = [
  { measure: "trend_strength", from: 0.5, to: 0.1 },
  { measure: "momentum_size", from: 1.6, to: 0.9 },
  { measure: "volatility_ratio", from: 1.8, to: 1.2 },
];

export const REGIME_RULES: Readonly<Record<Regime, Rule>> = {
  trending_bull: {
    title: "Trending up",
    description:
      "Prices rise steadily: the fitted line, the efficiency of the moves and the directional index agree.",
    conditions: [
      { measure: "trend", from: 0.1, to: 0.5 },
      { measure: "momentum", from: -0.5, to: 0.2 },
    ],
    least: 0,
  },
  trending_bear: {
    title: "Trending down",
    description:
      "Prices fall steadily: the fitted line, the efficiency of the moves and the directional index agree.",
    conditions: [
      { measure: "trend", from: -0.1, to: -0.5 },
      { measure: "momentum", from: 0.5, to: -0.2 },
    ],
    least: 0,
  },
  ranging: {
    title: "Ranging",
    description:
      "Prices go sideways at their usual volatility, volume being on neither side; also what is left where nothing else fits.",
    conditions: [
      ...SIDEWAYS,
      { measure: "volatility_ratio", from: 0.45, to: 0.85 },
      { measure: "flow_size", from: 0.2, to: 0.05, unknown: 1 },
    ],
    least: 0.2,
  },
  high_volatility: {
    title: "High volatility",
    description: "Moves are large by the measure of the last 252 bars.",
    conditions: [
      { measure: "volatility_rank", from: 0.75, to: 0.97 },
      { measure: "volatility_ratio", from: 1.2, to: 1.9 },
    ],
    least: 0,
  },
  low_volatility: {
    title: "Low volatility",
    description: "Moves are small by the measure of the last 252 bars.",
    conditions: [
      { measure: "volatility_rank", from: 0.35, to: 0.05 },
      { measure: "volatility_ratio", from: 0.95, to: 0.55 },
      { measure: "expansion", from: 1.4, to: 1 },
    ],
    least: 0,
  },
  breakout: {
    title: "Breakout",
    description:
      "Within the last 5 bars prices have left a narrow range of 40 bars, and bars have become longer.",
    conditions: [
      { measure: "beyond_base", from: 0, to: 1.5 },
      { measure: "base_width", from: 1.3, to: 0.8 },
      { measure: "expansion", from: 0.9, to: 1.3 },
      { measure: "volume_trend", from: 0.7, to: 1.1, unknown: 1 },
    ],
    least: 0,
  },
  reversal: {
    title: "Reversal",
    description: "The last 15 bars go strongly against the move of the 40 bars before.",
    conditions: [
      { measure: "turn", from: 0.4, to: 1.1 },
      { measure: "retraced", from: 0.3, to: 0.6 },
      { measure: "move_before", from: 0.4, to: 0.9 },
    ],
    least: 0,
  },
  accumulation: {
    title: "Accumulation",
    description: "Prices go sideways while volume is on the side of buyers.",
    conditions: [{ measure: "flow", from: 0.05, to: 0.2 }, ...SIDEWAYS],
    least: 0,
  },
  distribution: {
    title: "Distribution",
    description: "Prices go sideways while volume is on the side of sellers.",
    conditions: [{ measure: "flow", from: -0.05, to: -0.2 }, ...SIDEWAYS],
    least: 0,
  },
};

/** The rules in the order of the labels. */
export const RULES: readonly Rule[] = REGIMES.map((regime) => REGIME_RULES[regime]);

/** How far a condition is met, 0..1. */
export function metBy({ from, to, unknown = 0 }: Condition, value: number): number {
  return lesserMet(1, from, 1 / (to - from), unknown, value);
}

/** The lesser of a fit of 0..1 and how far a condition is met. @param scale 1 / (to - from). */
export function lesserMet(fit: number, from: number, scale: number, unknown: number, value: number): number {
  const share = (value - from) * scale;
  if (share < fit) return share <= 0 ? 0 : share;
  return Number.isNaN(share) && unknown < fit ? unknown : fit;
}
