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
import { BASE_BARS, type Break, breakAt, LEVEL_WARMUP, type Sought, soughtIn, touchPoints } from "./break.js";

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

/** The first bar that comes back to a broken level, and how far price had gone from the level, in average true ranges. */
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
    .flatMap((found) => shapeOf(series, found, direction) ?? []);
}

/** The move that broke a level: from the extreme behind it of the bars before to the farthest price beyond it. */
function lengthOf({ candles }: PatternSeries, { broken, farthest }: Return, direction: Sign): number {
  const near = direction === 1 ? candles.low : candles.high;
  let behind = direction * near[broken.at];
  for (let i = broken.at - BASE_BARS; i < broken.at; i++) behind = Math.min(behind, direction * near[i]);
  return direction * broken.level.price + farthest * broken.range - behind;
}

/**
 * The target is Murphy's measured move: the leg that follows the rest is as long as the one before it, so as far from
 * where price turned at the level as it had gone through it. The farthest price before the return is no target: the
 * trigger, at the far end of the bar that came back, lies near it or beyond it, and nothing would be left to gain once a
 * close confirms. Nor would it do to go as far beyond the trigger as price had gone beyond the level alone: after the
 * close that confirms, a third of daily retests would have less than half of their risk left to gain. A retest that promises less than half of what it risks is none.
 */
function shapeOf(series: PatternSeries, found: Return, direction: Sign): Waiting | null {
  const { broken, at, farthest } = found;
  const { high, low, close } = series.candles;
  const { level, range } = broken;
  const trigger = direction === 1 ? high[at] : low[at];
  const stop = level.price - direction * STOP * range;
  const turn = direction === 1 ? low[at] : high[at];
  const target = turn + direction * lengthOf(series, found, direction);
  const wait = { direction, formedAt: at, trigger, stop, bars: WAIT_BARS };
  if (!isWorthWaiting(wait, target)) return null;
  const depth = (direction * (turn - level.price)) / range;
  const shape = quality(
    level.strength,
    grade(Math.abs(depth), STOP, 0),
    grade(farthest, AWAY, 3),
    grade((direction * (close[at] - level.price)) / range, -STOP, 0.5),
  );
  const points = [
    ...touchPoints(level),
    { role: "break", at: broken.at, price: close[broken.at], knownAt: broken.at },
    { role: "retest", at, price: turn, knownAt: at },
  ];
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
    "Price comes back to a level within 20 bars of breaking it; confirmed by a close beyond that bar within five bars, refuted by one half an average range behind the level. The target lies as far from the turn at the level as price had gone through it.",
  source:
    "R. Edwards and J. Magee, Technical Analysis of Stock Trends (1948): broken resistance supports; J. Murphy, Technical Analysis of the Financial Markets (1999): measured moves; thresholds of our own",
  find(series, from, to, hits) {
    const first = from - WAIT_BARS;
    const shapes = [...retestsIn(series, first, to, 1), ...retestsIn(series, first, to, -1)];
    followShapes(series.candles.close, from, to, shapes, hits);
  },
});
