import type { PatternSeries, PatternVariant } from "../define.js";
import type { PivotScale } from "../pivots.js";
import { volumeTrend } from "./checks.js";
import { CHART_WARMUP, defineChart } from "./define.js";
import {
  atLeast,
  atMost,
  type ChartShape,
  edge,
  grade,
  type Line,
  mean,
  patienceOf,
  through,
  valueAt,
} from "./shape.js";
import { BOTH_BOOKS } from "./sources.js";
import { pointsOf, sketchTails, type Tail } from "./tails.js";

/** In average ranges: greatest distance of the touch between, least rise from first to last touch, least swing away. */
const MOST_MISFIT = 0.8;
const LEAST_RISE = 3;
const LEAST_SWING = 2;
/** Bars between the first touch and the last. */
const SHORTEST = 10;
const LONGEST = 130;
/** Share of the span that the touch between keeps from either end. */
const LEAST_SPACING = 0.2;

/** Of swings of one bar a side lines are noise. */
const SCALES: readonly PivotScale[] = [2, 3, 5, 8, 13];

const down: PatternVariant = {
  id: "uptrend_line_break",
  title: "Uptrend Line Break",
  direction: -1,
  outlook: "reversal",
  priorTrend: null,
};

const up: PatternVariant = {
  id: "downtrend_line_break",
  title: "Downtrend Line Break",
  direction: 1,
  outlook: "reversal",
  priorTrend: null,
};

/** Greatest distance of a price above a line (side 1) or below it (-1), from the line's own bar on; at least 0. */
function farthestFrom({ at, price, slope }: Line, prices: Float64Array, end: number, side: number): number {
  let farthest = 0;
  for (let i = at; i <= end; i++)
    farthest = Math.max(farthest, side * (prices[i] - (price + slope * (i - at))));
  return farthest;
}

interface Measures {
  readonly line: Line;
  /** In average ranges. */
  readonly rise: number;
  readonly misfit: number;
  readonly spacing: number;
  readonly away: number;
}

/** The line through three touches, lows (side -1) or highs (side 1), and its sizes; null where they make no trend. */
function measure(series: PatternSeries, { pivots, swings, range }: Tail, side: 1 | -1): Measures | null {
  const { at, price } = pivots;
  const last = swings[0];
  const middle = swings[2];
  const first = swings[4];
  const span = at[last] - at[first];
  // Touches of an uptrend line are lows that rise, those of a downtrend line highs that fall.
  const rise = (side * (price[first] - price[last])) / range;
  if (!(rise >= LEAST_RISE) || span < SHORTEST || span > LONGEST) return null;
  const spacing = Math.min(at[middle] - at[first], at[last] - at[middle]) / span;
  if (spacing < LEAST_SPACING) return null;
  const line = through(at[first], price[first], at[last], price[last]);
  const misfit = Math.abs(price[middle] - valueAt(line, at[middle])) / range;
  if (misfit > MOST_MISFIT) return null;
  const { high, low, close } = series.candles;
  if (farthestFrom(line, close, at[last], side) > MOST_MISFIT * range) return null;
  const away = farthestFrom(line, side === -1 ? high : low, at[last], -side);
  return away < LEAST_SWING * range ? null : { line, rise, misfit, spacing, away };
}

function shapeOf(series: PatternSeries, tail: Tail, side: 1 | -1): ChartShape | null {
  const measures = measure(series, tail, side);
  return measures && sketch(series, tail, side, measures);
}

function sketch(series: PatternSeries, tail: Tail, side: 1 | -1, measures: Measures): ChartShape {
  const { line, rise, misfit, spacing, away } = measures;
  const { pivots, swings, formedAt, range } = tail;
  const ends = [swings[0], swings[1], swings[2], swings[3], swings[4]];
  const start = pivots.at[ends[4]];
  const lastAt = pivots.at[ends[0]];
  const variant = side === -1 ? down : up;
  const stop = { ...line, price: line.price - side * away };
  return {
    expected: { variant, trigger: line, stop, reach: away },
    other: null,
    start,
    lastAt,
    formedAt,
    patience: patienceOf(lastAt - start),
    quality: mean([grade(misfit, 0, MOST_MISFIT), grade(spacing, 0.5, 0), grade(rise, 6, LEAST_RISE)]),
    size: 5,
    describe: () => ({
      points: pointsOf(pivots, ends, [
        "first_touch",
        "first_swing",
        "second_touch",
        "second_swing",
        "third_touch",
      ]),
      edges: [edge(side === -1 ? "lower" : "upper", line)],
      checks: [
        atLeast("rise", rise, LEAST_RISE),
        atMost("misfit", misfit, MOST_MISFIT),
        atLeast("spacing", spacing, LEAST_SPACING),
        atLeast("swing", away / range, LEAST_SWING),
        volumeTrend(series.candles, start, lastAt),
      ],
    }),
    description: null,
  };
}

export const trendLineBreak = defineChart({
  name: "trend_line_break",
  title: "Trend Line Break",
  variants: [down, up],
  bars: 12,
  warmup: CHART_WARMUP,
  description:
    "A line through three rising lows or three falling highs that closes have kept to; a close beyond it confirms that the trend has ended.",
  source: BOTH_BOOKS,
  sketch(series, from, to, shapes) {
    for (const side of [-1, 1] as const) {
      sketchTails(series, [from, to], side, 5, SCALES, shapes, (tail) => shapeOf(series, tail, side));
    }
  },
});
