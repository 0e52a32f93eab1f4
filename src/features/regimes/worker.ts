import type { Candles } from "../../core/market/candles.js";
import { UNKNOWN, VOLATILITY_LEVELS, type VolatilityLevel } from "../../core/regime/define.js";
import { type Explanation, explainRegime } from "../../core/regime/explain.js";
import {
  computeRegimes,
  countTransitions,
  probabilitiesAt,
  type Transitions,
} from "../../core/regime/regime.js";

export interface RegimeTask {
  readonly candles: Candles;
  /** First bar that is wanted; those before it only count towards the windows. */
  readonly from: number;
  /** Value of a volatility index at the close of each bar; null without one. */
  readonly volatilityIndex: Float64Array | null;
}

/** The newest bar, explained. */
export interface NewestRegime {
  /** All labels, the most probable first. */
  readonly explanations: readonly Explanation[];
  readonly direction: number;
  readonly volatilityLevel: VolatilityLevel;
  readonly momentum: number;
  /** Root of the mean squared logarithmic return of 20 bars, per bar. */
  readonly volatility: number;
  readonly measures: Readonly<Record<string, number | null>>;
}

/** Columns over the bars from `from` on; labels are indexes into `REGIMES`, -1 where unknown. */
export interface RegimeResult {
  readonly label: Int8Array;
  readonly duration: Int32Array;
  /** Probability of the label; NaN where unknown. */
  readonly probability: Float64Array;
  readonly transitions: Transitions;
  /** Null while there are too few bars. */
  readonly newest: NewestRegime | null;
}

/** Labels bars, in a thread where there are many. */
export default function label({ candles, from, volatilityIndex }: RegimeTask): RegimeResult {
  const columns = computeRegimes(candles, volatilityIndex === null ? {} : { volatilityIndex });
  const wanted = columns.label.slice(from);
  const last = candles.time.length - 1;
  const known = last >= 0 && columns.label[last] !== UNKNOWN;
  return {
    label: wanted,
    duration: columns.duration.slice(from),
    probability: Float64Array.from(wanted, (label, i) =>
      label === UNKNOWN ? Number.NaN : probabilitiesAt(columns.fits, from + i)[label],
    ),
    transitions: countTransitions(wanted),
    newest: known
      ? {
          explanations: explainRegime(columns, last),
          direction: columns.direction[last],
          volatilityLevel: VOLATILITY_LEVELS[columns.volatilityLevel[last]],
          momentum: columns.momentum[last],
          volatility: columns.volatility[last],
          measures: Object.fromEntries(
            Object.entries(columns.measures).map(([name, column]) => [
              name,
              Number.isNaN(column[last]) ? null : column[last],
            ]),
          ),
        }
      : null,
  };
}
