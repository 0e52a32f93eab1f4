import type { Sign } from "../candlestick/define.js";
import { grade, quality } from "../candlestick/quality.js";
import { directed } from "../candlestick/variants.js";
import { definePattern, type PatternSeries } from "../define.js";
import {
  followShapes,
  line,
  measured,
  type Pair,
  volumeCheck,
  type Waiting,
  waitingShape,
} from "../events.js";
import { type Break, breakAt, LEVEL_WARMUP, type Sought, soughtIn, touchPoints } from "./break.js";

const variants: Pair = {
  rising: {
    ...directed("resistance_retest", "Retest of Broken Resistance", 1, "continuation"),
    priorTrend: null,
  },
  falling: {
    ...directed("support_retest", "Retest of Broken Support", -1, "continuation"),
    priorTrend: null,
  },
};

/** Bars after a break within which price comes back. */
const RETURN_BARS = 20;
/** Bars within which the level has to hold or give. */
const WAIT_BARS = 5;
/** In average true ranges at the break: how far price goes first, how near it comes, and what gives the level up. */
const AWAY = 1;
const NEAR = 0.25;
const STOP = 0.5;

/** The first bar that comes back to a broken level, and how far price had gone. */
interface Return {
  readonly broken: Break;
  readonly at: number;
  readonly farthest: number;
}

/** The return to the level of a break before bar `end`, unless a later level breaks or this one gives way first. */
function returnTo(
  series: PatternSeries,
  sought: Sought,
  broken: Break,
  end: number,
  direction: Sign,
): Return | null {
  const { high, low, close } = series.candles;
  const near = direction === 1 ? low : high;
  const far = direction === 1 ? high : low;
  const { level, range } = broken;
  const beyond = (price: number) => (direction * (price - level.price)) / range;
  let farthest = beyond(far[broken.at]);
  for (let at = broken.at + 1; at < end && at <= broken.at + RETURN_BARS; at++) {
    if (beyond(close[at]) < -STOP) return null;
    if (farthest >= AWAY && beyond(near[at]) <= NEAR) return { broken, at, farthest };
    if (beyond(close[at]) < 0 || breakAt(sought, series, at, direction) !== null) return null;
    farthest = Math.max(farthest, beyond(far[at]));
  }
  return null;
}

/** Returns at bars [from, to), by bar; of two at one bar the one to the level broken last. */
function returnsIn(series: PatternSeries, from: number, to: number, direction: Sign): Return[] {
  const returns: Return[] = [];
  const sought = soughtIn(series, direction);
  for (let at = Math.max(LEVEL_WARMUP, from - RETURN_BARS); at < to - 1; at++) {
    const broken = breakAt(sought, series, at, direction);
    if (broken === null) continue;
    const found = returnTo(series, sought, broken, to, direction);
    if (found !== null && found.at >= from) returns.push(found);
  }
  return returns;
}

/** The shapes of the returns at bars [from, to) that are the first in five bars. */
function retestsIn(series: PatternSeries, from: number, to: number, direction: Sign): Waiting[] {
  const returns = returnsIn(series, from - WAIT_BARS, to, direction);
  const isFirst = ({ at }: Return) => !returns.some((other) => other.at < at && other.at >= at - WAIT_BARS);
  return returns
    .filter((found) => found.at >= from && isFirst(found))
    .map((found) => shapeOf(series, found, direction));
}

function shapeOf(series: PatternSeries, { broken, at, farthest }: Return, direction: Sign): Waiting {
  const { high, low, close } = series.candles;
  const { level, range } = broken;
  const trigger = direction === 1 ? high[at] : low[at];
  const stop = level.price - direction * STOP * range;
  const target = level.price + direction * farthest * range;
  const depth = (direction * ((direction === 1 ? low[at] : high[at]) - level.price)) / range;
  const shape = quality(
    level.strength,
    grade(Math.abs(depth), STOP, 0),
    grade(farthest, AWAY, 3),
    grade((direction * (close[at] - level.price)) / range, -STOP, 0.5),
  );
  const points = [
    ...touchPoints(level),
    { role: "break", at: broken.at, price: close[broken.at], knownAt: broken.at },
    { role: "retest", at, price: direction === 1 ? low[at] : high[at], knownAt: at },
  ];
  const wait = { direction, formedAt: at, trigger, stop, bars: WAIT_BARS };
  return waitingShape(series, wait, {
    variants,
    start: broken.at,
    quality: shape,
    points,
    boundaries: [line("level", level.firstAt, level.price, at, level.price)],
    target,
    checks: () => [
      measured("away_in_average_ranges", farthest, AWAY, true),
      measured("depth_in_average_ranges", depth, 0, depth >= 0),
      measured("touches", level.touches.length, 2, level.touches.length >= 2),
      volumeCheck(series, broken.at),
    ],
  });
}

export const levelRetest = definePattern({
  name: "level_retest",
  title: "Retest of a Broken Level",
  family: "level",
  variants: [variants.rising, variants.falling],
  bars: 2,
  warmup: LEVEL_WARMUP + 2,
  description:
    "Price comes back to a level within 20 bars of breaking it; confirmed by a close beyond that bar within five bars, refuted by one half an average range behind the level.",
  source:
    "R. Edwards and J. Magee, Technical Analysis of Stock Trends (1948): broken resistance supports; thresholds of our own",
  find(series, from, to, hits) {
    const first = from - WAIT_BARS;
    const shapes = [...retestsIn(series, first, to, 1), ...retestsIn(series, first, to, -1)];
    followShapes(series.candles.close, from, to, shapes, hits);
  },
});
