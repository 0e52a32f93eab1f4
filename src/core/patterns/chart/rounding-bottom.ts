import type { Candles } from "../../market/candles.js";
import type { PatternSeries, PatternVariant } from "../define.js";
import { knownPivots, pivotsOf } from "../pivots.js";
import { trendInto, volumeTrend } from "./checks.js";
import { CHART_WARMUP, defineChart } from "./define.js";
import { atLeast, atMost, type ChartShape, edge, grade, level, mean, patienceOf } from "./shape.js";
import { BOTH_BOOKS } from "./sources.js";

const SHORTEST = 25;
const LONGEST = 130;
/** Least depth in average ranges, and the share of it that must have been regained. */
const LEAST_DEPTH = 4;
const REGAINED = 0.7;
/** Least share of the variance of closes that is the curve of a parabola. */
const LEAST_ROUND = 0.6;
/** Greatest distance of the lowest bar from the middle, per span. */
const MOST_SKEW = 0.25;
/** Scale of the pivots that can be a left rim. */
const RIM_SCALE = 8;

const variant: PatternVariant = {
  id: "rounding_bottom",
  title: "Rounding Bottom",
  direction: 1,
  outlook: "reversal",
  priorTrend: null,
};

/**
 * Share of the variance of closes over [start, end] that the curved part of their best parabola explains; 0 where
 * it curves downwards. The curve is taken free of the slope, so that a straight rise has none.
 */
export function roundness({ close }: Candles, start: number, end: number): number {
  const count = end - start + 1;
  const middle = (count - 1) / 2;
  const meanSquare = (count * count - 1) / 12;
  let sum = 0;
  for (let i = start; i <= end; i++) sum += close[i] - close[start];
  const average = sum / count;
  let variance = 0;
  let curve = 0;
  let norm = 0;
  for (let d = 0; d < count; d++) {
    const deviation = close[start + d] - close[start] - average;
    const bend = (d - middle) * (d - middle) - meanSquare;
    variance += deviation * deviation;
    curve += deviation * bend;
    norm += bend * bend;
  }
  return curve > 0 ? (curve * curve) / norm / variance : 0;
}

function shapeOf(series: PatternSeries, rim: number, bottom: number, at: number): ChartShape | null {
  const { candles, range } = series;
  const { high, low, close } = candles;
  const span = at - rim;
  const depth = high[rim] - low[bottom];
  const skew = Math.abs(bottom - (rim + at) / 2) / span;
  if (!(depth >= LEAST_DEPTH * range[at]) || skew > MOST_SKEW) return null;
  const round = roundness(candles, rim, at);
  if (round < LEAST_ROUND) return null;
  const trigger = level(rim, high[rim]);
  return {
    expected: { variant, trigger, stop: level(bottom, low[bottom]), reach: depth },
    other: null,
    start: rim,
    lastAt: at,
    formedAt: at,
    patience: patienceOf(span),
    quality: mean([
      grade(round, 0.95, LEAST_ROUND),
      grade(skew, 0, MOST_SKEW),
      grade(depth / range[at], 10, 0),
    ]),
    size: 3,
    describe: () => ({
      points: [
        { role: "left_rim", at: rim, price: high[rim], knownAt: rim + RIM_SCALE },
        { role: "bottom", at: bottom, price: low[bottom], knownAt: at },
        { role: "right_side", at, price: close[at], knownAt: at },
      ],
      edges: [edge("neckline", trigger)],
      checks: [
        atLeast("depth", depth / range[at], LEAST_DEPTH),
        atLeast("roundness", round, LEAST_ROUND),
        atMost("skew", skew, MOST_SKEW),
        trendInto(series, rim, 1),
        volumeTrend(candles, rim, bottom),
      ],
    }),
    description: null,
  };
}

/** Appends the bars in [from, to) at which so much of the fall from a rim is regained for the first time. */
function addFrom(series: PatternSeries, rim: number, from: number, to: number, shapes: ChartShape[]): void {
  const { high, low, close } = series.candles;
  const end = Math.min(to - 1, rim + LONGEST);
  let bottom = rim + 1;
  let isRegained = false;
  for (let at = rim + 1; at <= end; at++) {
    if (high[at] > high[rim]) return;
    if (low[at] < low[bottom]) {
      bottom = at;
      isRegained = false;
    }
    if (isRegained || close[at] - low[bottom] < REGAINED * (high[rim] - low[bottom])) continue;
    isRegained = true;
    if (at < from || at - rim < SHORTEST) continue;
    const shape = shapeOf(series, rim, bottom, at);
    if (shape !== null) shapes.push(shape);
  }
}

export const roundingBottom = defineChart({
  name: "rounding_bottom",
  title: "Rounding Bottom",
  variants: [variant],
  bars: SHORTEST,
  warmup: Math.max(SHORTEST, CHART_WARMUP),
  description:
    "A slow fall that turns into a slow rise along a curve, seen when seven tenths of the fall are regained; a close above the high from which it fell confirms.",
  source: BOTH_BOOKS,
  sketch(series, from, to, shapes) {
    const rims = pivotsOf(series, RIM_SCALE);
    const last = knownPivots(rims, to - 1);
    for (let n = knownPivots(rims, from - LONGEST - 1); n < last; n++) {
      if (rims.kind[n] > 0) addFrom(series, rims.at[n], from, to, shapes);
    }
  },
});
