import type { Sign } from "../candlestick/define.js";
import { grade, quality } from "../candlestick/quality.js";
import { directed } from "../candlestick/variants.js";
import { definePattern, type FormationPoint, type Hit, type PatternSeries } from "../define.js";
import {
  eventAt,
  line,
  measured,
  type Pair,
  priceOrNull,
  rewardRisk,
  trendCheck,
  variantOf,
  volumeCheck,
} from "../events.js";
import { kept } from "../kept.js";
import { firmLevelIn, type Level, nextLevel, PIVOT_BARS } from "./levels.js";

const variants: Pair = {
  rising: { ...directed("resistance_break", "Resistance Break", 1, "continuation"), priorTrend: null },
  falling: { ...directed("support_break", "Support Break", -1, "continuation"), priorTrend: null },
};

/** Closes before that have not broken the level. */
export const BASE_BARS = 20;
/** Distance beyond the level that breaks it, in average true ranges of the bars before. */
const BUFFER = 0.25;
/** Distance behind the level that refutes the break. */
const STOP = 0.5;
/** Bars before the first that can be judged: two pivots and an average range. */
export const LEVEL_WARMUP = 30;

/** A close that breaks a level which none of the twenty closes before had broken. */
export interface Break {
  readonly at: number;
  readonly level: Level;
  /** Average true range of the bars before. */
  readonly range: number;
}

function seekBreak(series: PatternSeries, at: number, direction: Sign): Break | null {
  const { close } = series.candles;
  const now = direction * close[at];
  // The highest level that one of the closes before had broken, by the range of its time.
  let broken = Number.NEGATIVE_INFINITY;
  for (let i = at - 1; i >= at - BASE_BARS; i--) {
    const earlier = direction * close[i];
    if (!(earlier < now)) return null;
    const own = series.range[i - 1];
    const below = own > 0 ? earlier - BUFFER * own : earlier;
    if (below > broken) broken = below;
  }
  const range = series.range[at - 1];
  if (!(range > 0)) return null;
  const buffer = BUFFER * range;
  const least = Math.max(broken, direction * close[at - 1] - buffer);
  const level = firmLevelIn(series, at - 1, direction, least, now - buffer);
  return level === null ? null : { at, level, range };
}

/** What has come of looking for a break at a bar; 0 where nobody has looked. */
const NONE = 1;
const SOME = 2;

/** Breaks in one direction that have been looked for, and those that were found. */
export interface Sought {
  readonly looked: Uint8Array;
  readonly found: Map<number, Break>;
}

const seek = ({ candles }: PatternSeries): Sought => ({
  looked: new Uint8Array(candles.time.length),
  found: new Map(),
});
const upward = kept(seek);
const downward = kept(seek);

/** The breaks of a series in one direction, for `breakAt`. */
export function soughtIn(series: PatternSeries, direction: Sign): Sought {
  return direction === 1 ? upward(series) : downward(series);
}

/** The break of a firm level by the close of bar `at`, through the strongest where there are several. */
export function breakAt(sought: Sought, series: PatternSeries, at: number, direction: Sign): Break | null {
  if (at < LEVEL_WARMUP) return null;
  const { looked, found } = sought;
  if (looked[at] === 0) {
    const broken = seekBreak(series, at, direction);
    looked[at] = broken === null ? NONE : SOME;
    if (broken !== null) found.set(at, broken);
  }
  return looked[at] === SOME ? (found.get(at) ?? null) : null;
}

/** The last touches of a level as points, at most six. */
export function touchPoints({ touches }: Level): FormationPoint[] {
  return touches.slice(-6).map(({ at, price }) => ({ role: "touch", at, price, knownAt: at + PIVOT_BARS }));
}

function hitOf(series: PatternSeries, { at, level, range }: Break, direction: Sign): Hit {
  const { close, high, low } = series.candles;
  const beyond = (direction * (close[at] - level.price)) / range;
  const stop = priceOrNull(level.price - direction * STOP * range);
  const target = nextLevel(series, at - 1, direction, close[at], range);
  const place = (direction * (close[at] - low[at] - (high[at] - close[at]))) / range;
  const volume = volumeCheck(series, at);
  const shape = quality(level.strength, grade(beyond, BUFFER, 1.5), grade(place, -0.5, 1));
  return eventAt(variantOf(variants, direction), at, level.firstAt, shape, {
    points: touchPoints(level),
    boundaries: [line("level", level.firstAt, level.price, at, level.price)],
    trigger: level.price + direction * BUFFER * range,
    target,
    stop,
    rewardRisk: rewardRisk(direction, close[at], target, stop),
    checks: [
      measured("touches", level.touches.length, 2, level.touches.length >= 2),
      measured("beyond_level_in_average_ranges", beyond, BUFFER, true),
      volume,
      trendCheck(series, at, direction),
    ],
  });
}

export const levelBreak = definePattern({
  name: "level_break",
  title: "Support and Resistance Break",
  family: "level",
  variants: [variants.rising, variants.falling],
  bars: BASE_BARS + 1,
  warmup: LEVEL_WARMUP,
  description:
    "A close a quarter of an average range beyond a level that none of the twenty closes before had been as far beyond; levels are highs and lows of 150 bars that stood together and prices of most volume.",
  source: "J. Murphy, Technical Analysis of the Financial Markets (1999); thresholds of our own",
  find(series, from, to, hits) {
    const upwards = soughtIn(series, 1);
    const downwards = soughtIn(series, -1);
    for (let at = Math.max(from, LEVEL_WARMUP); at < to; at++) {
      const up = breakAt(upwards, series, at, 1);
      if (up !== null) hits.push(hitOf(series, up, 1));
      const down = breakAt(downwards, series, at, -1);
      if (down !== null) hits.push(hitOf(series, down, -1));
    }
  },
});
