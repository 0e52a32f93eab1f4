import type { PatternSeries } from "../define.js";
import type { Sign, Signal } from "./define.js";
import { type BarFlags, hasFlags, mirrorBars, want } from "./match.js";

/** Bars after a setup in which its confirmation counts. */
const CONFIRMING_BARS = 3;

export interface ConfirmedMatch {
  /** 100 and -100 at setups, 200 and -200 at their confirmations; a setup on the same bar has precedence. */
  readonly signal: Signal;
  /** The setup that a hit at bar `at` is or confirms. */
  setupOf(series: PatternSeries, at: number): number;
}

/**
 * Shapes that are seen once, and once more when within three bars a close lies beyond the extreme of the bar
 * before the last bar of the setup. `positive` is the bullish setup, oldest bar first; the bearish one is its
 * mirror image. `first` is the first bar at which TA-Lib looks for a setup.
 */
export function matchConfirmed(positive: readonly BarFlags[], first: number): ConfirmedMatch {
  const rising = want(1, positive);
  const falling = want(-1, mirrorBars(positive));

  function setupSign(series: PatternSeries, i: number): Sign | 0 {
    if (i < first) return 0;
    if (hasFlags(series, i, rising)) return 1;
    return hasFlags(series, i, falling) ? -1 : 0;
  }

  function isConfirmed({ candles, anatomy }: PatternSeries, i: number, setup: number, sign: Sign): boolean {
    const { high, low, close } = candles;
    if (anatomy.shape[i] === 0) return false;
    return sign === 1 ? close[i] > high[setup - 1] : close[i] < low[setup - 1];
  }

  return {
    signal(series, out, from, to) {
      let setup = -1;
      let sign: Sign | 0 = 0;
      // A setup can be confirmed three bars on, so the three bars before the range say how it begins.
      for (let i = Math.max(first, from - CONFIRMING_BARS); i < to; i++) {
        const found = setupSign(series, i);
        let value = 100 * found;
        if (found !== 0) {
          setup = i;
          sign = found;
        } else if (series.anatomy.shape[i] === 0 || i > setup + CONFIRMING_BARS) {
          sign = 0;
        } else if (sign !== 0 && isConfirmed(series, i, setup, sign)) {
          value = 200 * sign;
          sign = 0;
        }
        if (i >= from) out[i] = value;
      }
    },
    setupOf(series, at) {
      let setup = at;
      while (setup > at - CONFIRMING_BARS && setupSign(series, setup) === 0) setup--;
      return setup;
    },
  };
}
