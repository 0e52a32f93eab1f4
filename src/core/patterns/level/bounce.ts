import type { Sign } from "../candlestick/define.js";
import { grade, quality } from "../candlestick/quality.js";
import { directed } from "../candlestick/variants.js";
import { definePattern, type PatternSeries } from "../define.js";
import {
  followShapes,
  isWorthWaiting,
  line,
  measured,
  type Pair,
  volumeCheck,
  type Waiting,
  waitingShape,
} from "../events.js";
import { LEVEL_WARMUP, touchPoints } from "./break.js";
import { firmLevelIn, type Level } from "./levels.js";

const variants: Pair = {
  rising: directed("support_bounce", "Support Bounce", 1, "reversal"),
  falling: directed("resistance_rejection", "Resistance Rejection", -1, "reversal"),
};

/** Bars in which price comes to the level. */
const APPROACH_BARS = 10;
/** Bars within which the level has to hold or give. */
const WAIT_BARS = 5;
/** In average true ranges before the touch: how far price came from, how near it comes, and what gives the level up. */
const CAME = 2;
const NEAR = 0.25;
const STOP = 0.5;
const WARMUP = LEVEL_WARMUP + WAIT_BARS;

interface Arrival {
  readonly level: Level;
  /** Farthest price of the ten bars before, which the last of them to reach it has. */
  readonly origin: number;
  readonly range: number;
}

/** The level that bar `at` touches and closes on the near side of, as a new extreme of ten bars; null if none. */
function arrivalAt(series: PatternSeries, at: number, direction: Sign): Arrival | null {
  const { high, low, close } = series.candles;
  const near = direction === 1 ? low : high;
  const touched = direction * near[at];
  for (let i = at - 1; i >= at - APPROACH_BARS; i--) if (direction * near[i] <= touched) return null;
  const range = series.range[at - 1];
  if (!(range > 0)) return null;
  const far = direction === 1 ? high : low;
  let origin = direction * far[at - 1];
  for (let i = at - APPROACH_BARS; i < at; i++) origin = Math.max(origin, direction * far[i]);
  // The level lies within reach of the touch, and price came from afar.
  const least = touched - NEAR * range;
  const most = Math.min(touched + STOP * range, origin - CAME * range, direction * close[at]);
  if (!(least < most)) return null;
  const level = firmLevelIn(series, at - 1, direction, least, most);
  return level === null ? null : { level, origin: direction * origin, range };
}

/** The shapes of the touches at bars [from, to) that are the first in five bars. */
function bouncesIn(series: PatternSeries, from: number, to: number, direction: Sign): Waiting[] {
  const shapes: Waiting[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (let at = Math.max(LEVEL_WARMUP, from - WAIT_BARS); at < to; at++) {
    const arrival = arrivalAt(series, at, direction);
    if (arrival === null) continue;
    if (at >= from && at - last > WAIT_BARS) {
      const shape = shapeOf(series, arrival, at, direction);
      if (shape !== null) shapes.push(shape);
    }
    last = at;
  }
  return shapes;
}

/**
 * The target is where price came from. Null where that promises less than half of what is risked: the bar that touched
 * the level reaches nearly as far back itself, and a close beyond it leaves nothing to gain.
 */
function shapeOf(series: PatternSeries, arrival: Arrival, at: number, direction: Sign): Waiting | null {
  const { high, low, close } = series.candles;
  const { level, origin, range } = arrival;
  const [touched, trigger] = direction === 1 ? [low[at], high[at]] : [high[at], low[at]];
  const far = direction === 1 ? high : low;
  let originAt = at - 1;
  while (far[originAt] !== origin) originAt--;
  const depth = (direction * (touched - level.price)) / range;
  const came = (direction * (origin - level.price)) / range;
  const stop = level.price - direction * STOP * range;
  const wait = { direction, formedAt: at, trigger, stop, bars: WAIT_BARS };
  if (!isWorthWaiting(wait, origin)) return null;
  const shape = quality(
    level.strength,
    grade(Math.abs(depth), STOP, 0),
    grade(came, CAME, 5),
    grade((direction * (close[at] - touched)) / range, 0, 1),
  );
  const points = [
    ...touchPoints(level),
    { role: "origin", at: originAt, price: origin, knownAt: at },
    { role: "bounce", at, price: touched, knownAt: at },
  ];
  return waitingShape(series, wait, {
    variants,
    start: at - APPROACH_BARS,
    quality: shape,
    points,
    boundaries: [line("level", level.firstAt, level.price, at, level.price)],
    target: origin,
    checks: () => [
      measured("came_in_average_ranges", came, CAME, true),
      measured("depth_in_average_ranges", depth, 0, depth >= 0),
      measured("touches", level.touches.length, 2, level.touches.length >= 2),
      volumeCheck(series, at),
    ],
  });
}

export const levelBounce = definePattern({
  name: "level_bounce",
  title: "Bounce off a Level",
  family: "level",
  variants: [variants.rising, variants.falling],
  bars: APPROACH_BARS + 1,
  warmup: WARMUP,
  description:
    "Price comes two average ranges to a level, touches it as the extreme of ten bars and closes on the near side; confirmed by a close beyond that bar within five bars, refuted by one half an average range behind the level.",
  source: "J. Murphy, Technical Analysis of the Financial Markets (1999); thresholds of our own",
  find(series, from, to, hits) {
    const first = Math.max(WARMUP, from - WAIT_BARS);
    const shapes = [...bouncesIn(series, first, to, 1), ...bouncesIn(series, first, to, -1)];
    followShapes(series.candles.close, from, to, shapes, hits);
  },
});
