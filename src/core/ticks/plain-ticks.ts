import type { Ticks } from "./tick.js";
import type { TradeIds } from "./trade-ids.js";

/** Intervals beside the base at most. */
export const MOST_LONGER = 7;
/** Fields of the bar of an interval that is being made. */
export const BAR_FIELDS = 14;

/** Where things are in the row of a symbol: first what the guard knows of it, from `until` on what the builder does. */
export const ROW = Object.freeze({
  /** Ticks before it are looked at closely, as are all that come while one is held. */
  earliest: 0,
  /** Price of the last accepted tick, 0 before the first; mean square of the returns. */
  last: 1,
  variance: 2,
  /** Ms from when the last accepted tick was made to when it came. */
  lag: 3,
  /** How many were accepted; counts of the other verdicts follow. */
  accepted: 4,
  /** The highest number of the source among those that are remembered. */
  highest: 21,
  /** The bar of the base interval: its first instant after, its first, and so on. */
  until: 24,
  start: 25,
  open: 26,
  high: 27,
  low: 28,
  close: 29,
  volume: 30,
  count: 31,
  value: 32,
  signed: 33,
  /** Times of its earliest and latest tick; the price before and its direction. */
  first: 24 + BAR_FIELDS,
  latest: 24 + BAR_FIELDS + 1,
  price: 24 + BAR_FIELDS + 2,
  direction: 24 + BAR_FIELDS + 3,
  /** An odd number of cache lines, so that the rows of many symbols do not lie on the same ones of the cache. */
  length: 152,
});

/** Where things are among the limits. */
export const LIMIT = Object.freeze({
  latest: 0,
  received: 1,
  largest: 2,
  lateness: 3,
  /** Square of the fraction, and a little less than a quarter of it. */
  off: 4,
  near: 5,
  deviations: 6,
  weight: 7,
  least: 8,
  /** What is left of the mean square at a tick, and what becomes of it at most. */
  kept: 9,
  most: 10,
  /** A price above it is looked at closely: no run of near prices gets from it to one that is too large. */
  high: 11,
  /** One below it as well, for one that is too small. */
  low: 12,
  length: 13,
});

// What a module exports lies in a cell that V8 reads and checks at each use: these do not.
const EARLIEST = ROW.earliest;
const LAST = ROW.last;
const VARIANCE = ROW.variance;
const LAG = ROW.lag;
const ACCEPTED_COUNT = ROW.accepted;
const HIGHEST = ROW.highest;
const UNTIL = ROW.until;
const START = ROW.start;
const OPEN = ROW.open;
const HIGH = ROW.high;
const LOW = ROW.low;
const CLOSE = ROW.close;
const VOLUME = ROW.volume;
const COUNT = ROW.count;
const VALUE = ROW.value;
const SIGNED = ROW.signed;
const FIRST = ROW.first;
const LATEST = ROW.latest;
const PRICE = ROW.price;
const DIRECTION = ROW.direction;
const LENGTH = ROW.length;

/**
 * Ticks at most for which what is known of a symbol is kept in variables, which takes half the time of columns. Were
 * the loop long enough for V8 to optimise it while it runs, that code would lack what follows the loop, be left there,
 * and be entered again at each call: three times as slow for good.
 */
const LONGEST = 128;

// No function gives or takes a double: one that V8 does not inline would leave each on the heap.

/** Remembers the number of the tick at place `i` of columns, which is of symbol `s` with the row at `at`. */
export function rememberId(
  rows: Float64Array,
  at: number,
  ids: TradeIds,
  s: number,
  id: Float64Array,
  time: Float64Array,
  i: number,
): void {
  if (id[i] > rows[at + HIGHEST]) rows[at + HIGHEST] = id[i];
  ids.add(s, id, time, i);
}

/** Takes the return from the last accepted price to tick `i` into the mean square of its symbol. */
export function learnReturn(ticks: Ticks, i: number, rows: Float64Array, limits: Float64Array): void {
  const at = ticks.symbol[i] * LENGTH;
  const last = rows[at + LAST];
  const variance = rows[at + VARIANCE];
  const least = limits[LIMIT.least];
  const move = (2 * (ticks.price[i] - last)) / (ticks.price[i] + last);
  const next = limits[LIMIT.kept] * variance + limits[LIMIT.weight] * (move * move);
  const roof = limits[LIMIT.most] * variance;
  rows[at + VARIANCE] = next > least ? (next < roof ? next : roof) : least;
}

/** Adds tick `i` to the bar of the base interval of its symbol, which is of its time. */
export function addToBar({ symbol, time, price, size }: Ticks, i: number, rows: Float64Array): void {
  const at = symbol[i] * LENGTH;
  const paid = price[i];
  const amount = size[i];
  if (paid > rows[at + HIGH]) rows[at + HIGH] = paid;
  if (paid < rows[at + LOW]) rows[at + LOW] = paid;
  if (time[i] >= rows[at + LATEST]) {
    rows[at + LATEST] = time[i];
    rows[at + CLOSE] = paid;
  } else if (time[i] < rows[at + FIRST]) {
    rows[at + FIRST] = time[i];
    rows[at + OPEN] = paid;
  }
  const before = rows[at + PRICE];
  if (paid > before) rows[at + DIRECTION] = 1;
  else if (paid < before) rows[at + DIRECTION] = -1;
  rows[at + PRICE] = paid;
  rows[at + VOLUME] += amount;
  rows[at + VALUE] += paid * amount;
  rows[at + SIGNED] += rows[at + DIRECTION] * amount;
  rows[at + COUNT]++;
}

/**
 * Takes ticks while they are plain: sound, in order, of the bar that is open, near the last price, and without a number or
 * with one above all before. It does what `learnReturn` and `addToBar` do.
 * @param rows of `ROW.length` doubles, one a symbol.
 * @returns the place of the first that is not, or `to`.
 */
export function takePlain(
  ticks: Ticks,
  from: number,
  to: number,
  rows: Float64Array,
  limits: Float64Array,
  ids: TradeIds,
): number {
  let i = from;
  while (i < to) {
    const taken = takeRun(ticks, i, Math.min(to, i + LONGEST), rows, limits, ids);
    if (taken === i) break;
    i = taken;
  }
  return i;
}

/** Counts the ticks of a run whose last price has been written, which is that of the bar as well. */
function endRun(rows: Float64Array, at: number, count: number): void {
  rows[at + ACCEPTED_COUNT] += count;
  rows[at + COUNT] += count;
  rows[at + CLOSE] = rows[at + LAST];
  rows[at + PRICE] = rows[at + LAST];
}

/**
 * Takes those that follow one another of one symbol. Where no processor can foresee which of two it is, a product is faster
 * than a branch. What is near a price above 0 is above 0.
 * A bar lies within hours in which ticks may come, and after all that are closed. Where the last price is not that of the
 * bar, one was accepted that came too late for it.
 */
function takeRun(
  { symbol, time, price, size, id }: Ticks,
  from: number,
  to: number,
  rows: Float64Array,
  limits: Float64Array,
  ids: TradeIds,
): number {
  const newest = limits[LIMIT.latest];
  const largest = limits[LIMIT.largest];
  const near = limits[LIMIT.near];
  const weight = limits[LIMIT.weight];
  const kept = limits[LIMIT.kept];
  const most = limits[LIMIT.most];
  const least = limits[LIMIT.least];
  let i = from;
  const s = symbol[i];
  const at = s * LENGTH;
  let last = rows[at + LAST];
  if (last !== rows[at + PRICE] || last > limits[LIMIT.high] || last < limits[LIMIT.low]) return i;
  const until = rows[at + UNTIL];
  let latest = Math.max(rows[at + LATEST], rows[at + START], rows[at + EARLIEST]);
  let variance = rows[at + VARIANCE];
  let high = rows[at + HIGH];
  let low = rows[at + LOW];
  let volume = rows[at + VOLUME];
  let value = rows[at + VALUE];
  let signed = rows[at + SIGNED];
  let direction = rows[at + DIRECTION];
  let highest = rows[at + HIGHEST];
  do {
    const now = time[i];
    const paid = price[i];
    const amount = size[i];
    const apart = paid - last;
    if (!(now < until && now >= latest && now <= newest && amount >= 0 && amount <= largest)) break;
    if (!(apart * apart <= near * ((paid + last) * (paid + last))) || id[i] <= highest) break;
    if (id[i] > highest) highest = id[i];
    const move = (2 * apart) / (paid + last);
    const next = kept * variance + weight * (move * move);
    const isAbove = Number(next > least);
    variance = isAbove * (next < most * variance ? next : most * variance) + (1 - isAbove) * least;
    last = paid;
    latest = now;
    if (paid > high) high = paid;
    if (paid < low) low = paid;
    const turn = Number(apart > 0) - Number(apart < 0);
    direction = turn + (1 - turn * turn) * direction;
    volume += amount;
    value += paid * amount;
    signed += direction * amount;
  } while (++i < to && symbol[i] === s);
  if (i === from) return i;
  if (highest > rows[at + HIGHEST]) ids.append(s, id, time, from, i, rows, at + HIGHEST);
  rows[at + LAST] = last;
  endRun(rows, at, i - from);
  rows[at + VARIANCE] = variance;
  rows[at + LAG] = limits[LIMIT.received] - latest;
  rows[at + HIGH] = high;
  rows[at + LOW] = low;
  rows[at + LATEST] = latest;
  rows[at + VOLUME] = volume;
  rows[at + VALUE] = value;
  rows[at + SIGNED] = signed;
  rows[at + DIRECTION] = direction;
  return i;
}
