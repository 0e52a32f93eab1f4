import type { Sign } from "../candlestick/define.js";
import { grade, quality } from "../candlestick/quality.js";
import { directed } from "../candlestick/variants.js";
import { definePattern, type PatternSeries } from "../define.js";
import {
  followShapes,
  measured,
  type Pair,
  shapesIn,
  trendCheck,
  type Waiting,
  waitingShape,
} from "../events.js";
import { standingOut } from "./spike.js";
import { VOLUME_BARS, volumesOf } from "./volumes.js";

const variants: Pair = {
  rising: directed("selling_climax", "Selling Climax", 1, "reversal"),
  falling: directed("buying_climax", "Buying Climax", -1, "reversal"),
};

/** Bars of the run before, and how far it goes at least, in average true ranges. */
const RUN_BARS = 10;
const LEAST_RUN = 3;
/** Least length of the bar in average true ranges of the bars before. */
const LEAST_RANGE = 1.75;
/** Bars within which price has to turn. */
const WAIT_BARS = 5;
const WARMUP = VOLUME_BARS + WAIT_BARS;

/** Distance that price came over ten bars up to the extreme of bar `at`, in average true ranges before it. */
function runInto({ candles: { high, low, close }, range }: PatternSeries, at: number, side: Sign): number {
  const extreme = side === 1 ? high[at] : low[at];
  return (side * (extreme - close[at - RUN_BARS])) / range[at - 1];
}

/** Whether bar `at` ends a run to `side`: a long bar to a new extreme of 20 bars with volume that stands out. */
function isClimax(series: PatternSeries, at: number, side: Sign): boolean {
  const { high, low, close } = series.candles;
  const range = series.range[at - 1];
  const length = Math.max(high[at], close[at - 1]) - Math.min(low[at], close[at - 1]);
  if (!(range > 0 && length >= LEAST_RANGE * range && runInto(series, at, side) >= LEAST_RUN)) return false;
  for (let i = at - 1; i >= at - VOLUME_BARS; i--) {
    if (!(side === 1 ? high[i] < high[at] : low[i] > low[at])) return false;
  }
  return standingOut(series, volumesOf(series), at) > 0;
}

/** The climax at bar `at` that ends a run to `side`, the first in five bars; null where there is none. */
function climaxAt(series: PatternSeries, at: number, side: Sign): Waiting | null {
  if (!isClimax(series, at, side)) return null;
  for (let i = at - WAIT_BARS; i < at; i++) if (isClimax(series, i, side)) return null;
  return shapeOf(series, at, side);
}

function shapeOf(series: PatternSeries, at: number, side: Sign): Waiting {
  const { high, low, close } = series.candles;
  const direction = side === 1 ? -1 : 1;
  const stop = side === 1 ? high[at] : low[at];
  const trigger = low[at] + (high[at] - low[at]) / 2;
  const medians = standingOut(series, volumesOf(series), at);
  const run = runInto(series, at, side);
  const length = (high[at] - low[at]) / series.range[at - 1];
  const shape = quality(grade(medians, 2, 5), grade(run, LEAST_RUN, 8), grade(length, 1, 3));
  const wait = { direction, formedAt: at, trigger, stop, bars: WAIT_BARS } as const;
  return waitingShape(series, wait, {
    variants,
    start: at - RUN_BARS,
    quality: shape,
    points: [
      { role: "run", at: at - RUN_BARS, price: close[at - RUN_BARS], knownAt: at - RUN_BARS },
      { role: "climax", at, price: stop, knownAt: at },
    ],
    checks: () => [
      measured("volume_in_medians", medians, 2, true),
      measured("run_in_average_ranges", run, LEAST_RUN, true),
      measured("bar_in_average_ranges", length, LEAST_RANGE, length >= LEAST_RANGE),
      trendCheck(series, at, side),
    ],
  });
}

export const climax = definePattern({
  name: "climax",
  title: "Buying and Selling Climax",
  family: "volume",
  variants: [variants.rising, variants.falling],
  bars: RUN_BARS + 1,
  warmup: WARMUP,
  description:
    "A run ends in a long bar to a new extreme of 20 bars with volume that stands out; confirmed by a close beyond the middle of that bar within five bars, refuted by one beyond its end.",
  source: "R. Wyckoff, Studies in Tape Reading (1910); thresholds of our own",
  find(series, from, to, hits) {
    const first = Math.max(WARMUP, from - WAIT_BARS);
    const shapes = shapesIn(first, to, (at, direction) => climaxAt(series, at, direction === 1 ? -1 : 1));
    followShapes(series.candles.close, from, to, shapes, hits);
  },
});
