/** The states a market can be in; `label` columns hold indexes into this list. */
export const REGIMES = [
  "trending_bull",
  "trending_bear",
  "ranging",
  "high_volatility",
  "low_volatility",
  "breakout",
  "reversal",
  "accumulation",
  "distribution",
] as const;
export type Regime = (typeof REGIMES)[number];

/** Label of bars that have too few before them. */
export const UNKNOWN = -1;

/**
 * Bars that decide a label, its own included: series that agree in this many bars up to a bar give it the same
 * fits, probabilities and label to the last bit, whatever came before.
 */
export const REGIME_MEMORY = 400;

/** Index of the first bar that has a label; from `REGIME_MEMORY - 1` on it no longer depends on where the series begins. */
export const REGIME_WARMUP = 118;

export const VOLATILITY_LEVELS = ["low", "medium", "high", "extreme"] as const;
export type VolatilityLevel = (typeof VOLATILITY_LEVELS)[number];

/** What rules compare: one column each. */
export const MEASURES = {
  trend:
    "Mean of slope, efficiency and directional index, each as a share of a strong trend with its sign, -1..1",
  trend_strength: "The same without its sign, 0..1",
  slope: "Rise of the line fitted to 50 log closes, in average true ranges of 50 bars",
  efficiency: "Net move over 40 bars per sum of their moves, -1..1",
  directional_index: "Mean of 14 directional indexes of 14 bars, 0..100",
  momentum: "Net move over 20 bars per average true range and root of 20",
  momentum_size: "The same without its sign",
  volatility_rank:
    "Place of the volatility of 20 bars among those of the last 252, 0..1; where a volatility index is known, the mean with that of the index",
  volatility_ratio: "Volatility of 20 bars per mean of those of the last 252",
  expansion: "Average true range of 5 bars per that of 50",
  base_width: "Range of the 40 bars before the last 5, per average true range and root of 40",
  beyond_base: "How far the close lies beyond that range, in average true ranges; below 0 inside",
  move_before:
    "Size of the net move over the 40 bars before the last 15, per average true range and root of 40",
  turn: "Net move over the last 15 bars against the move before, per average true range and root of 15",
  retraced: "Share of the move before that the last 15 bars have taken back",
  flow: "Mean of the volume-weighted place of closes in their bars and the balance of volume of rises and falls, 40 bars, -1..1",
  flow_size: "The same without its sign, 0..1",
  volume_trend: "Mean volume of 10 bars per that of 50",
} as const satisfies Readonly<Record<string, string>>;
export type Measure = keyof typeof MEASURES;

/** One column of each measure; NaN where it is not known, as those of volume are without volume. */
export type MeasureColumns = Readonly<Record<Measure, Float64Array>>;
