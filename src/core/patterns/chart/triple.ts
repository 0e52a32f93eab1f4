import type { PatternSeries, PatternVariant } from "../define.js";
import { trendInto, volumeTrend } from "./checks.js";
import { CHART_WARMUP, defineChart } from "./define.js";
import { atLeast, atMost, type ChartShape, grade, level, mean, patienceOf } from "./shape.js";
import { BOTH_BOOKS } from "./sources.js";
import { endKnownAt, endPoint, riseInto, sketchTops, type Tops, turnPoint } from "./tops.js";

/** Least height of each of both turns between in average ranges, and greatest difference of the ends per height. */
const LEAST_HEIGHT = 0.9;
const MOST_DIFFERENCE = 0.25;
const LEAST_RISE = 0.9;
/** How far a bar before the shape may stand above it, per height. */
const MOST_OVER = 0.1;

/** Distance of the middle end from the middle, per span, and how far it may stand above the others, per height. */
const MOST_SKEW = 0.32;
const MOST_LEAD = 0.1;

interface Measures {
  readonly top: number;
  readonly height: number;
  /** Height of the lower of the turns between below the lowest end. */
  readonly shallower: number;
  /** Per height. */
  readonly difference: number;
  readonly rise: number;
  readonly skew: number;
}

/** Sizes of three ends and the turns between them; null where they make no triple top. */
function measure({ candles }: PatternSeries, tops: Tops): Measures | null {
  const { side, pivots, first, middle, last, leftTurn, rightTurn, range } = tops;
  if (middle < 0) return null;
  const { at, price } = pivots;
  const ends = [side * price[first], side * price[middle], side * price[last]];
  const top = Math.max(...ends);
  const least = Math.min(...ends);
  const far = side === 1 ? candles.low : candles.high;
  const shallower = least - Math.max(side * far[leftTurn], side * far[rightTurn]);
  const height = top - Math.min(side * far[leftTurn], side * far[rightTurn]);
  const difference = (top - least) / height;
  const lead = (ends[1] - Math.max(ends[0], ends[2])) / height;
  if (lead > MOST_LEAD) return null;
  if (!(shallower >= LEAST_HEIGHT * range) || difference > MOST_DIFFERENCE) return null;
  const span = at[last] - at[first];
  const highest = top + MOST_OVER * height;
  const rise = riseInto(candles, at[first], span, side, ends[0], highest) / height;
  const skew = Math.abs(at[middle] - at[first] - span / 2) / span;
  return rise >= LEAST_RISE && skew <= MOST_SKEW ? { top, height, shallower, difference, rise, skew } : null;
}

function triple(side: 1 | -1) {
  const name = side === 1 ? "triple_top" : "triple_bottom";
  const title = side === 1 ? "Triple Top" : "Triple Bottom";
  const variant: PatternVariant = {
    id: name,
    title,
    direction: side === 1 ? -1 : 1,
    outlook: "reversal",
    priorTrend: side === 1 ? "up" : "down",
  };
  const [ends, turns, end, between] =
    side === 1 ? ["highs", "lows", "top", "valley"] : ["lows", "highs", "bottom", "peak"];

  function shapeOf(tops: Tops, series: PatternSeries): ChartShape | null {
    const measures = measure(series, tops);
    if (measures === null) return null;
    const { top, height, shallower, difference, rise, skew } = measures;
    const { pivots, first, middle, last, leftTurn, rightTurn, turn, range } = tops;
    const start = pivots.at[first];
    const lastAt = pivots.at[last];
    const trigger = level(turn, (side === 1 ? series.candles.low : series.candles.high)[turn]);
    const formedAt = endKnownAt(series, tops, trigger);
    if (formedAt < 0) return null;
    return {
      expected: { variant, trigger, stop: level(start, side * top), reach: height },
      other: null,
      start,
      lastAt,
      formedAt,
      patience: patienceOf(lastAt - start),
      quality: mean([
        grade(difference, 0, MOST_DIFFERENCE),
        grade(shallower / range, 3, LEAST_HEIGHT),
        grade(rise, 2, LEAST_RISE),
        grade(skew, 0, MOST_SKEW),
      ]),
      points: [
        endPoint(tops, `first_${end}`, first, formedAt),
        turnPoint(series, tops, `first_${between}`, leftTurn, pivots.at[middle]),
        endPoint(tops, `second_${end}`, middle, formedAt),
        turnPoint(series, tops, `second_${between}`, rightTurn, lastAt),
        endPoint(tops, `third_${end}`, last, formedAt),
      ],
      edges: [{ role: "neckline", line: trigger, until: null }],
      checks: [
        atMost("end_difference", difference, MOST_DIFFERENCE),
        atLeast("height", shallower / range, LEAST_HEIGHT),
        atLeast("move_into", rise, LEAST_RISE),
        trendInto(series, start, side),
        volumeTrend(series.candles, start, lastAt),
      ],
    };
  }

  return defineChart({
    name,
    title,
    variants: [variant],
    bars: 6,
    warmup: CHART_WARMUP,
    description: `Three ${ends} of about one price after a move towards them, with ${turns} between them; a close beyond the farther of those ${turns} confirms.`,
    source: BOTH_BOOKS,
    sketch: (series, from, to, shapes) => sketchTops(series, [from, to], side, shapes, shapeOf),
  });
}

export const tripleTop = triple(1);

export const tripleBottom = triple(-1);
