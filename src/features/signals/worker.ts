import { lendingColumns } from "../../core/base/columns.js";
import type { Candles } from "../../core/market/candles.js";
import { REGIMES, type Regime, VOLATILITY_LEVELS, type VolatilityLevel } from "../../core/regime/define.js";
import { computeRegimes } from "../../core/regime/regime.js";
import { newestRange } from "../../core/signals/ranges.js";
import { directionScores } from "../../core/signals/timeframes.js";
import { findSightings, type Sighting } from "../detections/find.js";

export interface LookTask {
  readonly candles: Candles;
  /** First bar whose patterns are wanted. */
  readonly from: number;
}

/** What candles say of their newest bar; null for what too few bars tell. */
export interface Look {
  readonly sightings: readonly Sighting[];
  /** -1 falling .. 1 rising, by trend and momentum. */
  readonly direction: number | null;
  readonly regime: Regime | null;
  readonly volatility: VolatilityLevel | null;
  /** Average true range of 14 bars. */
  readonly range: number | null;
}

/** Looks at candles in a thread. */
export default function look({ candles, from }: LookTask): Look {
  return lendingColumns(() => {
    const last = candles.time.length - 1;
    const regimes = computeRegimes(candles);
    const direction = directionScores(regimes)[last];
    const regime = REGIMES[regimes.label[last]] ?? null;
    return {
      sightings: findSightings(candles, from, regimes.label),
      direction: Number.isNaN(direction) ? null : direction,
      regime,
      volatility: regime === null ? null : VOLATILITY_LEVELS[regimes.volatilityLevel[last]],
      range: newestRange(candles),
    };
  });
}
