import { ensure } from "../base/assert.js";
import { computeIndicator, type Indicator, resolveParameters } from "../indicators/define.js";
import { rationalQuadratic } from "../indicators/kernel/rational-quadratic.js";
import { mlmi } from "../indicators/momentum/mlmi.js";
import { fairValueGap } from "../indicators/price/fair-value-gap.js";
import { atr } from "../indicators/volatility/atr.js";
import type { Bars, Candles } from "../market/candles.js";
import { longerBars } from "./longer-bars.js";
import type { LegSignal } from "./sequence.js";

export interface LegTerms {
  /** Bars that make one of those that MLMI and NW-RQK look at. */
  readonly groupBars: number;
  /** Crossings that MLMI asks. */
  readonly neighbours: number;
  /** Least distance of MLMI from 50, in parts of 50. */
  readonly conviction: number;
  /** Least slope of NW-RQK, in average true ranges a bar. */
  readonly slope: number;
  /** Least size of a gap, in parts of the close. */
  readonly gap: number;
}

/** Slope and size of a gap, in their units, that are as strong as can be. */
const FULL_SLOPE = 2;
const FULL_GAP = 0.01;

/** First bar at which all legs can have spoken, bars of gaps being the shortest. */
export const LEGS_WARMUP = fairValueGap.warmup(presetsOf(fairValueGap, {}));

/**
 * What the legs say, by bar, each at the bar at which it begins and at no other. MLMI: it comes to lie far from 50.
 * NW-RQK: its slope comes to be steep, once after each of its turns. Both are of longer bars, and speak at the bar at
 * which such a one is known to be over. FVG: price fills gaps that are large enough, of one side alone.
 */
export function legSignals(candles: Candles, terms: LegTerms): ReadonlyMap<number, readonly LegSignal[]> {
  const found = new Map<number, LegSignal[]>();
  const say = (bar: number, leg: LegSignal["leg"], way: number, strength: number) => {
    if (way === 0) return;
    const signals = found.get(bar) ?? [];
    // Of two longer bars that are known at once the later counts.
    found.set(bar, [...signals.filter((each) => each.leg !== leg), { leg, way: way > 0 ? 1 : -1, strength }]);
  };
  const { bars, knownAt } = longerBars(candles, terms.groupBars);
  const [value] = columnsOf(mlmi, bars, { neighbours: terms.neighbours });
  edges(
    value,
    (v) => (v - 50) / 50,
    terms.conviction,
    (k, conviction) => say(knownAt[k], "mlmi", Math.sign(conviction), Math.abs(conviction)),
  );
  turns(slopesOf(bars), terms.slope, (k, slope) =>
    say(knownAt[k], "nwrqk", Math.sign(slope), Math.min(1, Math.abs(slope) / FULL_SLOPE)),
  );
  const fills = columnsOf(fairValueGap, candles, {});
  const [bullish, bearish] = [5, 6].map((output) => fills[output]);
  for (let i = 0; i < candles.time.length; i++) {
    const up = bullish[i] / candles.close[i] >= terms.gap;
    const down = bearish[i] / candles.close[i] >= terms.gap;
    if (up === down) continue;
    const size = (up ? bullish[i] : bearish[i]) / candles.close[i];
    say(i, "fvg", up ? 1 : -1, Math.min(1, size / FULL_GAP));
  }
  return found;
}

/** Where a value comes to be `least` away from 0 or more, having not been so on that side one before. */
function edges(
  column: Float64Array,
  of: (value: number) => number,
  least: number,
  tell: (k: number, value: number) => void,
): void {
  let side = 0;
  for (let k = 0; k < column.length; k++) {
    const value = of(column[k]);
    const now = Math.abs(value) >= least ? Math.sign(value) : 0;
    if (now !== 0 && now !== side) tell(k, value);
    side = now;
  }
}

/** Where a slope first is `least` or more, after each change of its sign. */
function turns(slopes: Float64Array, least: number, tell: (k: number, slope: number) => void): void {
  let sign = 0;
  let isTold = true;
  for (let k = 0; k < slopes.length; k++) {
    const now = Math.sign(slopes[k]);
    if (now === 1 || now === -1) {
      // What it did before its first turn is not known to have begun.
      if (now !== sign) isTold = sign === 0;
      sign = now;
    }
    if (isTold || !(Math.abs(slopes[k]) >= least)) continue;
    isTold = true;
    tell(k, slopes[k]);
  }
}

/** Change of the rational quadratic estimate since the bar before, in average true ranges; NaN while there is none. */
function slopesOf(bars: Bars): Float64Array {
  const [estimate] = columnsOf(rationalQuadratic, bars, {});
  const [range] = columnsOf(atr, bars, {});
  return estimate.map((now, k) =>
    range[k] > 0 ? (now - (estimate[k - 1] ?? Number.NaN)) / range[k] : Number.NaN,
  );
}

function presetsOf(indicator: Indicator, given: Readonly<Record<string, number>>) {
  const { values, problem } = resolveParameters(indicator, given);
  return ensure(values, problem ?? indicator.name);
}

function columnsOf(indicator: Indicator, bars: Bars, given: Readonly<Record<string, number>>) {
  return computeIndicator(indicator, bars, presetsOf(indicator, given));
}
