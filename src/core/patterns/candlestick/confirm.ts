import type { PatternSeries } from "../define.js";
import type { Sign, Signal } from "./define.js";
import { type BarFlags, hasFlags, matchFlags, mirrorBars, want } from "./match.js";

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
  const writeSetups = matchFlags({ positive, negative: "mirror" });

  function setupSign(series: PatternSeries, i: number): Sign | 0 {
    if (i < first) return 0;
    if (hasFlags(series, i, rising)) return 1;
    return hasFlags(series, i, falling) ? -1 : 0;
  }

  /**
   * The bar before `to` that confirms a setup, or -1; a later setup or a price that is not finite ends the
   * search. Setups from bar `from` on stand in `out`.
   */
  function confirmationOf(
    series: PatternSeries,
    setup: number,
    sign: Sign,
    out: Int16Array,
    from: number,
    to: number,
  ): number {
    const { high, low, close } = series.candles;
    const end = Math.min(setup + CONFIRMING_BARS + 1, to);
    for (let i = setup + 1; i < end; i++) {
      const isSetup = i < from ? setupSign(series, i) !== 0 : out[i] !== 0;
      if (isSetup || series.anatomy.shape[i] === 0) return -1;
      if (sign === 1 ? close[i] > high[setup - 1] : close[i] < low[setup - 1]) return i;
    }
    return -1;
  }

  function confirm(
    series: PatternSeries,
    setup: number,
    sign: Sign,
    out: Int16Array,
    from: number,
    to: number,
  ): void {
    const at = confirmationOf(series, setup, sign, out, from, to);
    if (at >= from) out[at] = 200 * sign;
  }

  return {
    signal(series, out, from, to) {
      writeSetups(series, out, from, to);
      // Setups of the three bars before the range may be confirmed within it.
      for (let setup = Math.max(first, from - CONFIRMING_BARS); setup < from; setup++) {
        const sign = setupSign(series, setup);
        if (sign !== 0) confirm(series, setup, sign, out, from, to);
      }
      for (let setup = from; setup < to; setup++) {
        if (out[setup] === 100) confirm(series, setup, 1, out, from, to);
        else if (out[setup] === -100) confirm(series, setup, -1, out, from, to);
      }
    },
    setupOf(series, at) {
      let setup = at;
      while (setup > at - CONFIRMING_BARS && setupSign(series, setup) === 0) setup--;
      return setup;
    },
  };
}
