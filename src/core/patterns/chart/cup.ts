import type { Candles } from "../../market/candles.js";
import type { PatternSeries, PatternVariant } from "../define.js";
import { kept } from "../kept.js";
import { type PivotScale, pivotsOf } from "../pivots.js";
import { trendInto, volumeTrend } from "./checks.js";
import { defineChart } from "./define.js";
import { atLeast, atMost, type ChartShape, edge, grade, level, mean, patienceOf } from "./shape.js";
import { BULKOWSKI } from "./sources.js";
import { LONGEST_SHAPE } from "./swings.js";
import { sketchTails, type Tail } from "./tails.js";

/** Bars of the cup, lip to lip, and its least depth in average ranges. */
const SHORTEST_CUP = 20;
const LONGEST_CUP = 130;
const LEAST_DEPTH = 3;
/** Per depth: difference of the lips, and how deep the handle goes. */
const MOST_DIFFERENCE = 0.35;
const MOST_HANDLE = 0.6;
/** Bars of the handle per bars of the cup. */
const LONGEST_HANDLE = 0.6;
/** Scales of the swings that can be a right lip and its handle. */
const HANDLE_SCALES: readonly PivotScale[] = [2, 5];
/** Share of closes in the lower half of the cup: a half in a V, seven tenths in a parabola. */
const LEAST_ROUND = 0.42;
/** Share of the cup that its lowest bar keeps from either lip. */
const LEAST_MARGIN = 0.15;

const variant: PatternVariant = {
  id: "cup_with_handle",
  title: "Cup with Handle",
  direction: 1,
  outlook: "continuation",
  priorTrend: null,
};

interface Cup {
  readonly lip: number;
  readonly bottom: number;
  readonly depth: number;
  readonly difference: number;
  readonly round: number;
  readonly margin: number;
}

/** Highs that may be left lips, by bar, and what lies between each and the next: many cups look at the same bars. */
interface Lips {
  readonly scale: number;
  readonly at: readonly number[];
  /** Lowest low after the lip and before the next, and the last bar that has it. */
  readonly low: readonly number[];
  readonly bottom: readonly number[];
  /** Highest high there. */
  readonly high: readonly number[];
  /** Of each bar, the index of the last lip at or before it; -1 where there is none. */
  readonly last: Int32Array;
}

const lipsOf = kept((series): Lips => {
  const { high, low } = series.candles;
  const { at: pivots, kind, scale } = pivotsOf(series, 3);
  const lips = { at: [] as number[], low: [] as number[], bottom: [] as number[], high: [] as number[] };
  const last = new Int32Array(high.length);
  let next = 0;
  for (let i = 0; i < high.length; i++) {
    while (next < pivots.length && (pivots[next] < i || (pivots[next] === i && kind[next] < 0))) next++;
    const n = lips.at.length - 1;
    if (pivots[next] === i) {
      lips.at.push(i);
      lips.low.push(Number.POSITIVE_INFINITY);
      lips.bottom.push(i);
      lips.high.push(Number.NEGATIVE_INFINITY);
    } else if (n >= 0) {
      if (high[i] > lips.high[n]) lips.high[n] = high[i];
      if (low[i] <= lips.low[n]) {
        lips.low[n] = low[i];
        lips.bottom[n] = i;
      }
    }
    last[i] = lips.at.length - 1;
  }
  return { scale, ...lips, last };
});

/** The cup before a right lip whose left lip is nearest in price; null where there is none. */
function cupBefore(
  { candles, range }: PatternSeries,
  lips: Lips,
  right: number,
  formedAt: number,
): Cup | null {
  const { high, low } = candles;
  const height = high[right];
  const oldest = Math.max(0, right - LONGEST_CUP, formedAt - LONGEST_SHAPE);
  let bottom = right;
  let ceiling = ceilingOf(height, low[right]);
  let best: Cup | null = null;
  let end = right;
  for (let n = lips.last[right - 1]; n >= 0 && lips.at[n] >= oldest; n--) {
    const lip = lips.at[n];
    // A stretch that stays below the ceiling, which only rises, is looked at as a whole.
    const isWhole = lips.at[n + 1] === end && !(lips.high[n] > ceiling);
    if (isWhole && lips.low[n] < low[bottom]) bottom = lips.bottom[n];
    for (let i = end - 1; i > lip && !isWhole; i--) {
      if (low[i] < low[bottom]) bottom = i;
      if (high[i] > ceilingOf(height, low[bottom])) return best;
    }
    if (low[lip] < low[bottom]) bottom = lip;
    ceiling = ceilingOf(height, low[bottom]);
    const isLip = right - lip >= SHORTEST_CUP;
    if (isLip) {
      const depth = Math.min(high[lip], height) - low[bottom];
      const difference = Math.abs(high[lip] - height) / depth;
      const isNearer = difference <= MOST_DIFFERENCE && (best === null || difference < best.difference);
      if (isNearer && depth >= LEAST_DEPTH * range[formedAt]) {
        best = roundCup(candles, lip, bottom, right, depth, difference) ?? best;
      }
    }
    if (high[lip] > ceiling || (isLip && high[lip] > height)) return best;
    end = lip;
  }
  return best;
}

/** What is higher than a lip may be, before a right lip of that height, hides everything before it. */
function ceilingOf(height: number, lowest: number): number {
  return height + MOST_DIFFERENCE * (height - lowest);
}

function roundCup(
  { close, low }: Candles,
  lip: number,
  bottom: number,
  right: number,
  depth: number,
  difference: number,
): Cup | null {
  const margin = Math.min(bottom - lip, right - bottom) / (right - lip);
  if (margin < LEAST_MARGIN) return null;
  const half = low[bottom] + depth / 2;
  let lower = 0;
  for (let i = lip; i <= right; i++) lower += Number(close[i] < half);
  const round = lower / (right - lip + 1);
  return round >= LEAST_ROUND ? { lip, bottom, depth, difference, round, margin } : null;
}

/** The cup that ends with the last two swings: its right lip and the low of its handle. */
function shapeOf(series: PatternSeries, lips: Lips, { pivots, swings, formedAt }: Tail): ChartShape | null {
  const { high, low } = series.candles;
  const lastAt = pivots.at[swings[0]];
  const right = pivots.at[swings[1]];
  if (lastAt === right) return null;
  const cup = cupBefore(series, lips, right, formedAt);
  if (cup === null) return null;
  const { lip, bottom, depth, difference, round, margin } = cup;
  const handle = (high[right] - low[lastAt]) / depth;
  const length = (lastAt - right) / (right - lip);
  if (handle > MOST_HANDLE || length > LONGEST_HANDLE) return null;
  const trigger = level(right, high[right]);
  return {
    expected: { variant, trigger, stop: level(lastAt, low[lastAt]), reach: depth },
    other: null,
    start: lip,
    lastAt,
    formedAt,
    patience: patienceOf(lastAt - right),
    quality: mean([
      grade(difference, 0, MOST_DIFFERENCE),
      grade(round, 0.7, LEAST_ROUND),
      grade(margin, 0.4, LEAST_MARGIN),
      grade(handle, 0.2, MOST_HANDLE),
    ]),
    size: 4,
    describe: () => ({
      points: [
        { role: "left_lip", at: lip, price: high[lip], knownAt: lip + lips.scale },
        { role: "bottom", at: bottom, price: low[bottom], knownAt: right },
        { role: "right_lip", at: right, price: high[right], knownAt: right + pivots.scale },
        { role: "handle", at: lastAt, price: low[lastAt], knownAt: formedAt },
      ],
      edges: [edge("neckline", trigger)],
      checks: [
        atMost("lip_difference", difference, MOST_DIFFERENCE),
        atLeast("roundness", round, LEAST_ROUND),
        atMost("handle_depth", handle, MOST_HANDLE),
        atMost("handle_length", length, LONGEST_HANDLE),
        trendInto(series, lip, 1),
        volumeTrend(series.candles, lip, right),
      ],
    }),
    description: null,
  };
}

export const cupWithHandle = defineChart({
  name: "cup_with_handle",
  title: "Cup with Handle",
  variants: [variant],
  bars: SHORTEST_CUP + 3,
  warmup: SHORTEST_CUP + 3,
  description:
    "A rounded low between two lips of about one price and, after the right one, a shallower and shorter dip; a close above the right lip confirms.",
  source: BULKOWSKI,
  sketch(series, from, to, shapes) {
    const lips = lipsOf(series);
    const shape = (tail: Tail) => shapeOf(series, lips, tail);
    sketchTails(series, [from, to], -1, 2, HANDLE_SCALES, shapes, shape);
  },
});
