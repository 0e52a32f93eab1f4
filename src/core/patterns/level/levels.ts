import { createColumn } from "../../base/columns.js";
import type { Sign } from "../candlestick/define.js";
import { grade, quality } from "../candlestick/quality.js";
import type { PatternSeries } from "../define.js";
import { kept } from "../kept.js";
import { pivotsOf } from "../pivots.js";
import { volumesOf } from "../volume/volumes.js";
import { type Node, volumeNodes } from "./profile.js";

/** Bars before and with the bar at hand whose pivots and volumes make its levels. */
export const LEVEL_BARS = 150;
/** Bars on both sides of a pivot, and the least that price came and went in average true ranges. */
export const PIVOT_BARS = 5;
const LEAST_PROMINENCE = 1;
/** Distance from a level at which a pivot touches it, in average true ranges. */
const TOLERANCE = 0.5;
/** Pivots that make a level, and those around one whose break or bounce is an event. */
const LEAST_TOUCHES = 2;
const FIRM_TOUCHES = 3;

/** A pivot that stood at a level. */
export interface Touch {
  readonly at: number;
  readonly price: number;
  /** 1 for a high, -1 for a low. */
  readonly side: Sign;
}

/** A price at which the market has turned or traded most. Whether it supports or resists is up to the close. */
export interface Level {
  readonly price: number;
  readonly low: number;
  readonly high: number;
  readonly source: "pivots" | "volume_profile";
  /** Pivots within half an average true range, by bar. */
  readonly touches: readonly Touch[];
  /** 0..1, from the touches and how far apart they are, or from the volume. No probability. */
  readonly strength: number;
  /** Bars that the level is drawn from: its first and last touch, or the ends of the window. */
  readonly firstAt: number;
  readonly lastAt: number;
}

/** The pivots of a series that stand out, by bar. */
interface Turns {
  readonly at: readonly number[];
  readonly price: Float64Array;
  readonly side: readonly Sign[];
  /** Of each bar, how many of them stood before it. */
  readonly before: Int32Array;
}

const turnsOf = kept((series): Turns => {
  const { at, price, kind, prominence, count } = pivotsOf(series, PIVOT_BARS);
  const before = new Int32Array(series.candles.time.length + 1);
  const turns = { at: [] as number[], side: [] as Sign[] };
  const prices = createColumn(count);
  for (let n = 0; n < count; n++) {
    if (!(prominence[n] >= LEAST_PROMINENCE)) continue;
    prices[turns.at.length] = price[n];
    turns.at.push(at[n]);
    turns.side.push(kind[n] === 1 ? 1 : -1);
    before[at[n] + 1]++;
  }
  for (let i = 1; i < before.length; i++) before[i] += before[i - 1];
  return { price: prices, before, ...turns };
});

/** What the levels at a bar are made of: turns [from, to) that are known by then, and what is near to what. */
interface Ground {
  readonly turns: Turns;
  readonly from: number;
  readonly to: number;
  readonly tolerance: number;
}

function groundAt(series: PatternSeries, at: number): Ground {
  const turns = turnsOf(series);
  return {
    turns,
    from: turns.before[Math.max(0, at - LEVEL_BARS + 1)],
    to: turns.before[Math.max(0, at - PIVOT_BARS + 1)],
    tolerance: TOLERANCE * series.range[at],
  };
}

/** Turns within the tolerance of a price. */
function countNear({ turns: { price }, from, to, tolerance }: Ground, centre: number): number {
  let count = 0;
  for (let n = from; n < to; n++) count += Number(Math.abs(price[n] - centre) <= tolerance);
  return count;
}

/** The turns of a ground that are looked at, and of each how many of those are within the tolerance of it. */
const looked = new Int32Array(LEVEL_BARS);
const counts = new Int32Array(LEVEL_BARS);

/**
 * Looks at the turns in [least, most] and counts which are near to each.
 * @returns how many there are.
 */
function countAmong(
  { turns: { price }, from, to, tolerance }: Ground,
  least = Number.NEGATIVE_INFINITY,
  most = Number.POSITIVE_INFINITY,
): number {
  let size = 0;
  for (let n = from; n < to; n++) {
    const own = price[n];
    if (!(own >= least && own <= most)) continue;
    let count = 1;
    for (let k = 0; k < size; k++) {
      const near = Number(Math.abs(own - price[looked[k]]) <= tolerance);
      count += near;
      counts[k] += near;
    }
    looked[size] = n;
    counts[size++] = count;
  }
  return size;
}

/**
 * Whether the turns around the turn at `place`, of `size` that are looked at, are a group: at least `least`, and no
 * turn within twice the tolerance has more around it, or as many and is later.
 */
function isCentre(
  { turns: { price }, tolerance }: Ground,
  size: number,
  place: number,
  least: number,
): boolean {
  const count = counts[place];
  if (count < least) return false;
  const own = price[looked[place]];
  for (let k = 0; k < size; k++) {
    if (counts[k] < count || (counts[k] === count && k <= place)) continue;
    if (Math.abs(price[looked[k]] - own) <= 2 * tolerance) return false;
  }
  return true;
}

function touchesNear({ turns, from, to, tolerance }: Ground, centre: number): Touch[] {
  const touches: Touch[] = [];
  for (let n = from; n < to; n++) {
    if (Math.abs(turns.price[n] - centre) > tolerance) continue;
    touches.push({ at: turns.at[n], price: turns.price[n], side: turns.side[n] });
  }
  return touches;
}

/** The level of the turns around turn `seed`, at their mean. */
function levelAround(ground: Ground, seed: number): Level {
  const centre = ground.turns.price[seed];
  const touches = touchesNear(ground, centre);
  let offset = 0;
  let low = centre;
  let high = centre;
  for (const { price } of touches) {
    offset += price - centre;
    low = Math.min(low, price);
    high = Math.max(high, price);
  }
  const firstAt = touches[0].at;
  const lastAt = touches[touches.length - 1].at;
  const strength = quality(grade(touches.length, 1, 5), grade(lastAt - firstAt, 0, 100));
  const price = centre + offset / touches.length;
  return { price, low, high, source: "pivots", touches, strength, firstAt, lastAt };
}

/**
 * Peaks of the volume by price over the bars of the levels at `at`, within [least, most] where given; none where a bar
 * has no volume.
 */
function nodesAt(series: PatternSeries, at: number, least?: number, most?: number): readonly Node[] {
  const from = Math.max(0, at + 1 - LEVEL_BARS);
  return volumesOf(series).recorded[at] > at - from ? volumeNodes(series, from, at + 1, least, most) : [];
}

function levelOfNode(ground: Ground, { price, low, high, share }: Node, at: number): Level {
  const touches = touchesNear(ground, price);
  const strength = quality(grade(share, 1, 3), grade(touches.length, 0, 4));
  const firstAt = Math.max(0, at + 1 - LEVEL_BARS);
  return { price, low, high, source: "volume_profile", touches, strength, firstAt, lastAt: at };
}

/**
 * Support and resistance as known at the close of bar `at`, ascending by price: groups of pivots of the last 150
 * bars that stood within half an average true range of their middle one, and peaks of the volume by price over the
 * same bars, where each of them has a volume. Empty while there is no average range or price has not moved.
 *
 * Pure: the bars [at - 165, at] decide, in whatever series they stand.
 */
export function levelsAt(series: PatternSeries, at: number): readonly Level[] {
  const ground = groundAt(series, at);
  if (!(ground.tolerance > 0)) return [];
  const levels: Level[] = [];
  const size = countAmong(ground);
  for (let k = 0; k < size; k++) {
    if (isCentre(ground, size, k, LEAST_TOUCHES)) levels.push(levelAround(ground, looked[k]));
  }
  for (const node of nodesAt(series, at)) levels.push(levelOfNode(ground, node, at));
  return levels.sort((a, b) => a.price - b.price);
}

/**
 * The firm level known at bar `at` whose price times `side` lies in [low, high): the strongest of three touches,
 * else the strongest peak of volume of two; null where there is none, or where fewer than three pivots stood within
 * or near those prices.
 */
export function firmLevelIn(
  series: PatternSeries,
  at: number,
  side: Sign,
  low: number,
  high: number,
): Level | null {
  const ground = groundAt(series, at);
  if (countWithin(ground, side, low, high) < FIRM_TOUCHES) return null;
  return strongestGroup(ground, side, low, high) ?? strongestNode(series, at, ground, side, low, high);
}

/** Turns whose price times `side` lies in [low, high) or within the tolerance of it; 0 without a tolerance. */
function countWithin({ turns, from, to, tolerance }: Ground, side: Sign, low: number, high: number): number {
  if (!(tolerance > 0)) return 0;
  const { price } = turns;
  let count = 0;
  for (let n = from; n < to; n++) {
    const place = side * price[n];
    count += Number(place >= low - tolerance) & Number(place < high + tolerance);
  }
  return count;
}

function strongestGroup(ground: Ground, side: Sign, low: number, high: number): Level | null {
  const { turns, tolerance } = ground;
  let best: Level | null = null;
  // Turns farther away neither touch a level there nor have one near enough to stand for it.
  const reach = 5 * tolerance;
  const size = countAmong(ground, (side === 1 ? low : -high) - reach, (side === 1 ? high : -low) + reach);
  for (let k = 0; k < size; k++) {
    const place = side * turns.price[looked[k]];
    if (counts[k] < FIRM_TOUCHES || !(place >= low - tolerance && place < high + tolerance)) continue;
    if (!isCentre(ground, size, k, FIRM_TOUCHES)) continue;
    best = stronger(best, levelAround(ground, looked[k]), side, low, high);
  }
  return best;
}

function strongestNode(
  series: PatternSeries,
  at: number,
  ground: Ground,
  side: Sign,
  low: number,
  high: number,
): Level | null {
  let best: Level | null = null;
  const lowest = side === 1 ? low : -high;
  const highest = side === 1 ? high : -low;
  for (const node of nodesAt(series, at, lowest, highest)) {
    const place = side * node.price;
    if (place < low || place >= high || countNear(ground, node.price) < LEAST_TOUCHES) continue;
    best = stronger(best, levelOfNode(ground, node, at), side, low, high);
  }
  return best;
}

/** The level where its price times `side` lies in [low, high) and it is stronger than the best so far, else that. */
function stronger(best: Level | null, level: Level, side: Sign, low: number, high: number): Level | null {
  const place = side * level.price;
  return place >= low && place < high && (best === null || level.strength > best.strength) ? level : best;
}

/**
 * Price of the next level known at bar `at` in a direction, at least `distance` away from a price; null where there
 * is none.
 */
export function nextLevel(
  series: PatternSeries,
  at: number,
  direction: Sign,
  price: number,
  distance: number,
): number | null {
  const ground = groundAt(series, at);
  if (!(ground.tolerance > 0)) return null;
  let nearest = Number.POSITIVE_INFINITY;
  const size = countAmong(ground);
  for (let k = 0; k < size; k++) {
    const away = direction * (ground.turns.price[looked[k]] - price);
    if (away < distance - ground.tolerance || away >= nearest + ground.tolerance) continue;
    if (!isCentre(ground, size, k, LEAST_TOUCHES)) continue;
    const level = direction * (levelAround(ground, looked[k]).price - price);
    if (level >= distance && level < nearest) nearest = level;
  }
  const edge = price + direction * distance;
  const far = direction * Number.POSITIVE_INFINITY;
  for (const node of nodesAt(series, at, Math.min(edge, far), Math.max(edge, far))) {
    nearest = Math.min(nearest, direction * (node.price - price));
  }
  return nearest < Number.POSITIVE_INFINITY ? price + direction * nearest : null;
}
