import type { Sign } from "./candlestick/define.js";
import { grade, quality } from "./candlestick/quality.js";
import { type Check, definePattern, type Hit, type Pattern, type PatternSeries } from "./define.js";
import {
  eventAt,
  line,
  measured,
  type Pair,
  rewardRisk,
  targetAhead,
  trendCheck,
  variantOf,
  volumeCheck,
} from "./events.js";
import { knownPivots, type Pivots, pivotsOf } from "./pivots.js";

/** Bars on both sides of the pivots compared, and the least that price came and went in average true ranges. */
const SCALE = 5;
const LEAST_PROMINENCE = 1;
/** Bars between two pivots that are compared. */
const LEAST_BARS = 8;
const MOST_BARS = 60;

/** Two highs (`side` 1) of which the later is higher, or two lows (-1) of which the later is lower. */
export interface PivotPair {
  readonly side: Sign;
  readonly first: number;
  readonly last: number;
  readonly firstPrice: number;
  readonly lastPrice: number;
}

/** How far a measure goes against price from the first pivot to the last. */
export interface Disagreement {
  /** Positive where the measure goes the other way; 1 and beyond is far. NaN where it is not known. */
  readonly size: number;
  readonly checks: readonly Check[];
}

interface Divergence extends Pick<Pattern, "name" | "title" | "family" | "description" | "source"> {
  readonly variants: Pair;
  /** Bars that the measure needs before a pivot. */
  readonly lead: number;
  compare(series: PatternSeries, pair: PivotPair): Disagreement;
}

/** Pivot `n` beside the last one of its kind before it that stands out; null where they don't compare. */
function pairOf({ at, kind, price, prominence }: Pivots, n: number): PivotPair | null {
  if (!(prominence[n] >= LEAST_PROMINENCE)) return null;
  for (let m = n - 1; m >= 0 && at[n] - at[m] <= MOST_BARS; m--) {
    if (kind[m] !== kind[n] || !(prominence[m] >= LEAST_PROMINENCE)) continue;
    const side = kind[n] === 1 ? 1 : -1;
    if (at[n] - at[m] < LEAST_BARS || !(side * (price[n] - price[m]) > 0)) return null;
    return { side, first: at[m], last: at[n], firstPrice: price[m], lastPrice: price[n] };
  }
  return null;
}

/** The farthest price between two pivots on the side that they turn to. */
function between({ candles: { high, low } }: PatternSeries, { side, first, last }: PivotPair): number {
  let farthest = side === 1 ? low[first] : high[first];
  for (let i = first + 1; i <= last; i++) {
    farthest = side === 1 ? Math.min(farthest, low[i]) : Math.max(farthest, high[i]);
  }
  return farthest;
}

function hitOf(series: PatternSeries, variants: Pair, pair: PivotPair, { size, checks }: Disagreement): Hit {
  const { side, first, last, firstPrice, lastPrice } = pair;
  const direction = side === 1 ? -1 : 1;
  const at = last + SCALE;
  const close = series.candles.close[at];
  const goal = between(series, pair);
  const target = targetAhead(direction, close, goal);
  // Where it closes at the later pivot itself, there is nothing behind it to give it up at.
  const stop = side * (lastPrice - close) > 0 ? lastPrice : null;
  const farther = (side * (lastPrice - firstPrice)) / series.range[at];
  const role = side === 1 ? "high" : "low";
  const shape = quality(grade(size, 0, 1), grade(farther, 0, 1.5), grade(last - first, MOST_BARS, 15));
  return eventAt(variantOf(variants, direction), at, first, shape, {
    points: [
      { role: `first_${role}`, at: first, price: firstPrice, knownAt: first + SCALE },
      { role: `last_${role}`, at: last, price: lastPrice, knownAt: at },
    ],
    boundaries: [line("price", first, firstPrice, last, lastPrice)],
    target,
    stop,
    rewardRisk: rewardRisk(direction, close, target, stop),
    checks: [
      measured("price_farther", farther, 0, true),
      ...checks,
      volumeCheck(series, last),
      trendCheck(series, at, direction),
    ],
  });
}

/**
 * Price makes a farther high or low and a measure does not follow it. Seen when the later pivot is known, five bars
 * after it stood; the stop is that pivot, the target the farthest price between the two.
 */
export function defineDivergence({ variants, lead, compare, ...row }: Divergence): Pattern {
  return definePattern({
    ...row,
    variants: [variants.rising, variants.falling],
    bars: LEAST_BARS + 1 + SCALE,
    warmup: lead + LEAST_BARS + SCALE,
    find(series, from, to, hits) {
      const pivots = pivotsOf(series, SCALE);
      const end = knownPivots(pivots, to - 1);
      for (let n = knownPivots(pivots, from - 1); n < end; n++) {
        const pair = pairOf(pivots, n);
        if (pair === null || pair.first < lead) continue;
        const disagreement = compare(series, pair);
        if (disagreement.size > 0) hits.push(hitOf(series, variants, pair, disagreement));
      }
    },
  });
}
