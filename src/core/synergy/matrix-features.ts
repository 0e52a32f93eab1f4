import { type Indicator, resolveParameters } from "../indicators/define.js";
import { rationalQuadraticSlope } from "../indicators/kernel/rational-quadratic-slope.js";
import { mlmi } from "../indicators/momentum/mlmi.js";
import { fairValueGap } from "../indicators/price/fair-value-gap.js";
import { atr } from "../indicators/volatility/atr.js";
import { SLOPE_PERIOD } from "./legs.js";

/** One column of a matrix: what it means, for the program, the documents and the API alike. */
export interface MatrixFeature {
  readonly name: string;
  readonly formula: string;
  /** What is done to the figure so that instruments can be compared. */
  readonly normalisation: string;
  /** Closed bounds that every defined value keeps. */
  readonly range: readonly [number, number];
  /** Bars of the matrix before the first defined value, the inputs being those of the pipeline. */
  readonly warmup: number;
}

export interface MatrixDefinition {
  readonly name: "structure" | "tactical" | "regime";
  readonly description: string;
  /** Minutes between two rows at least. */
  readonly minutes: number;
  readonly rows: number;
  /** What a bar gives, in the order of `inputs` of the matrix. */
  readonly inputs: readonly string[];
  readonly features: readonly MatrixFeature[];
}

/** Half hours before the first value of the profile of volume and of the regime. */
const PROFILE_WARMUP = 19;
export const REGIME_WARMUP = 105;
/** Bars of five minutes in half an hour. */
const TACTICAL_BARS = 6;
/** Bars over which a volume is compared, and over which moments are taken. */
export const USUAL_BARS = 20;
export const MOMENT_BARS = 30;
/** Bars of a change of the close. */
export const CHANGE_BARS = 5;
/** Weight of the newest bar in the running mean and variance, and bars of them before they are used. */
export const RUNNING_WEIGHT = 0.01;
export const RUNNING_BARS = 100;

function warmupOf(indicator: Indicator, given: Readonly<Record<string, number>> = {}): number {
  const { values } = resolveParameters(indicator, given);
  return values === null ? Number.NaN : indicator.warmup(values);
}

const ESTIMATE_WARMUP = warmupOf(rationalQuadraticSlope, { period: SLOPE_PERIOD });
const RANGE_WARMUP = warmupOf(atr);
/** The range of half hours, in bars of five minutes: known with the last of those that make it. */
const TACTICAL_RANGE_WARMUP = TACTICAL_BARS * (RANGE_WARMUP + 1) - 1;
const GAP_WARMUP = warmupOf(fairValueGap);
const AS_IS = "as it is";

function feature(
  name: string,
  formula: string,
  normalisation: string,
  range: readonly [number, number],
  warmup: number,
): MatrixFeature {
  return Object.freeze({ name, formula, normalisation, range: Object.freeze(range), warmup });
}

const MMD_NAMES = [
  "normal",
  "bull",
  "bear",
  "high_volatility",
  "low_volatility",
  "trending",
  "mean_reverting",
] as const;

const STRUCTURE: MatrixDefinition = {
  name: "structure",
  description: "Where price stands in its larger moves: one day of half hours around the clock.",
  minutes: 30,
  rows: 48,
  inputs: [
    "time",
    "close",
    "range",
    "mlmi",
    "mlmi_cross",
    "estimate",
    "slope",
    "below",
    "below_strength",
    "has_below",
    "above",
    "above_strength",
    "has_above",
    "session_minute",
    "session_minutes",
  ],
  features: [
    feature("mlmi", "MLMI, 0..100", "(value - 50) / 50", [-1, 1], warmupOf(mlmi)),
    feature("mlmi_cross", "1 where its averages cross upwards, -1 downwards", AS_IS, [-1, 1], warmupOf(mlmi)),
    feature(
      "nwrqk",
      "(estimate - close) / average true range",
      "within 5, over 5; 0 where there is no range",
      [-1, 1],
      ESTIMATE_WARMUP,
    ),
    feature(
      "nwrqk_slope",
      "slope in average true ranges a bar",
      "within 2, over 2",
      [-1, 1],
      ESTIMATE_WARMUP,
    ),
    feature(
      "lvn_nearness",
      "exp(-distance of the nearest low volume node from the close / average true range)",
      "0 where there is no node",
      [0, 1],
      PROFILE_WARMUP,
    ),
    feature("lvn_strength", "strength of that node", "0 where there is none", [0, 1], PROFILE_WARMUP),
    feature(
      "session_sin",
      "sine of the time of the session, which goes once round from its open to its close",
      AS_IS,
      [-1, 1],
      0,
    ),
    feature("session_cos", "cosine of it", AS_IS, [-1, 1], 0),
  ],
};

const TACTICAL: MatrixDefinition = {
  name: "tactical",
  description: "Gaps, momentum and volume of the last five hours.",
  minutes: 5,
  rows: 60,
  inputs: [
    "time",
    "close",
    "volume",
    "range",
    "gap",
    "bullish",
    "bearish",
    "distance",
    "age",
    "bullish_fill",
    "bearish_fill",
    "strength",
  ],
  features: [
    feature("fvg_bullish", "1 while a bullish gap is open", AS_IS, [0, 1], GAP_WARMUP),
    feature("fvg_bearish", "1 while a bearish gap is open", AS_IS, [0, 1], GAP_WARMUP),
    feature(
      "fvg_distance",
      "from the close to the nearest open gap, in average true ranges of half an hour",
      "within 2, over 2; 0 where none is open",
      [-1, 1],
      TACTICAL_RANGE_WARMUP,
    ),
    feature("fvg_freshness", "exp(-5 age in lives of that gap)", "0 where none is open", [0, 1], GAP_WARMUP),
    feature(
      "fvg_fill",
      "1 where the bar fills a bullish gap, -1 a bearish one, 0 both or none",
      AS_IS,
      [-1, 1],
      GAP_WARMUP,
    ),
    feature(
      "momentum",
      "change of the close in 5 bars, in average true ranges of half an hour",
      "within 5, over 5",
      [-1, 1],
      TACTICAL_RANGE_WARMUP,
    ),
    feature(
      "volume_ratio",
      "logarithm of the volume over the mean of the 20 before it",
      "hyperbolic tangent; 0 where there was none",
      [-1, 1],
      USUAL_BARS,
    ),
    feature(
      "fvg_gap",
      "size of the gap that the bar completes, below 0 where it is bearish, in average true ranges of half an hour",
      "within 5, over 5",
      [-1, 1],
      TACTICAL_RANGE_WARMUP,
    ),
    feature("fvg_fill_strength", "strength of the fill", "0 where the bar fills none", [0, 1], GAP_WARMUP),
  ],
};

const REGIME: MatrixDefinition = {
  name: "regime",
  description: "What kind of market it is: two days of half hours around the clock.",
  minutes: 30,
  rows: 96,
  inputs: ["time", "close", "volume", "range", ...MMD_NAMES.map((name) => `mmd_${name}`), "mmd_confidence"],
  features: [
    ...MMD_NAMES.map((name) =>
      feature(
        `mmd_${name}`,
        `maximum mean discrepancy from ${name.replaceAll("_", " ")} markets`,
        AS_IS,
        [0, 2],
        REGIME_WARMUP,
      ),
    ),
    feature(
      "mmd_confidence",
      "how much further the second nearest is, as a part of its distance",
      AS_IS,
      [0, 1],
      REGIME_WARMUP,
    ),
    feature(
      "volatility",
      "standard deviation of 30 logarithmic returns",
      "less its running mean before the bar, over its running deviation (both exponential, weight 0.01), within 3, over 3",
      [-1, 1],
      MOMENT_BARS + RUNNING_BARS,
    ),
    feature(
      "volume_skew",
      "skewness of 30 volumes",
      "within 3, over 3; 0 where they do not vary",
      [-1, 1],
      MOMENT_BARS - 1,
    ),
    feature(
      "acceleration",
      "change of the close in 5 bars less that in the 5 before, in average true ranges",
      "within 5, over 5",
      [-1, 1],
      RANGE_WARMUP,
    ),
    feature(
      "drift",
      "mean of 30 logarithmic returns in its standard errors",
      "within 3, over 3",
      [-1, 1],
      MOMENT_BARS,
    ),
  ],
};

/** The three matrices of a symbol. Rows are bars, columns features; NaN until a feature is warm. */
export const MATRICES = Object.freeze({
  structure: frozen(STRUCTURE),
  tactical: frozen(TACTICAL),
  regime: frozen(REGIME),
});

function frozen(definition: MatrixDefinition): MatrixDefinition {
  return Object.freeze({
    ...definition,
    inputs: Object.freeze(definition.inputs),
    features: Object.freeze(definition.features),
  });
}
