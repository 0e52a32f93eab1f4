import type { Ticks } from "./tick.js";

/** Intervals beside the base at most. */
export const MOST_LONGER = 7;
/** Fields of the bar of an interval that is being made. */
export const BAR_FIELDS = 14;

/** Numbers of the source that are remembered, by symbol. */
export const IDS = 256;

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
  /** The highest number of the source, and the place of the next among those that are remembered. */
  highest: 19,
  next: 20,
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
  length: 11,
});

// What a module exports lies in a cell that V8 reads and checks at each use: these do not.
const EARLIEST = ROW.earliest;
const LAST = ROW.last;
const VARIANCE = ROW.variance;
const LAG = ROW.lag;
const ACCEPTED_COUNT = ROW.accepted;
const HIGHEST = ROW.highest;
const NEXT = ROW.next;
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
const REMEMBERED = IDS;
const remember = rememberId;

/** What is done with ticks, by bits. */
export const PLAIN_ONLY = 1;
export const LEARN = 2;
export const ACCEPT = 4;
const ALL = PLAIN_ONLY | LEARN | ACCEPT;
/**
 * Ticks at most for which what is known of a symbol is kept in variables, which takes half the time of columns. Were
 * the loop long enough for V8 to optimise it while it runs, that code would lack what follows the loop, be left there,
 * and be entered again at each call: three times as slow for good.
 */
const LONGEST = 128;

// No function gives or takes a double: one that V8 does not inline would leave each on the heap.

/** Remembers the number of tick `i` of symbol `s`, which has the row at `at`. */
export function rememberId(
  rows: Float64Array,
  at: number,
  ids: Float64Array,
  s: number,
  id: Float64Array,
  i: number,
): void {
  if (id[i] > rows[at + HIGHEST]) rows[at + HIGHEST] = id[i];
  const next = rows[at + NEXT] | 0;
  ids[s * REMEMBERED + next] = id[i];
  rows[at + NEXT] = (next + 1) % REMEMBERED;
}

/**
 * Judges ticks from `from` on: `LEARN` takes the return from the last accepted price into its mean square, `ACCEPT`
 * makes the price the last. With `PLAIN_ONLY` it ends at a tick that is not plain: sound, of the bar that is open, near
 * the last price, and without a number or with one above all before; without, ticks are as they should be.
 * @param rows of `ROW.length` doubles, one a symbol.
 * @param ids of `IDS` doubles, one a symbol.
 * @returns the place after the last that was taken.
 */
export function judgeRun(
  ticks: Ticks,
  from: number,
  to: number,
  rows: Float64Array,
  limits: Float64Array,
  ids: Float64Array,
  parts: number,
): number {
  const { symbol, time, price, size, id } = ticks;
  const isPlainOnly = (parts & PLAIN_ONLY) !== 0;
  const newest = limits[LIMIT.latest];
  const largest = limits[LIMIT.largest];
  const near = limits[LIMIT.near];
  const weight = limits[LIMIT.weight];
  const kept = limits[LIMIT.kept];
  const most = limits[LIMIT.most];
  const least = limits[LIMIT.least];
  let i = from;
  while (i < to) {
    const begun = i;
    const end = Math.min(to, i + LONGEST);
    const s = symbol[i];
    const at = s * LENGTH;
    // A bar lies within hours in which ticks may come, and after all that are closed.
    const until = rows[at + UNTIL];
    const earliest = Math.max(rows[at + START], rows[at + EARLIEST]);
    let last = rows[at + LAST];
    let variance = rows[at + VARIANCE];
    do {
      const paid = price[i];
      const apart = paid - last;
      const both = paid + last;
      if (isPlainOnly) {
        const isInTime = time[i] < until && time[i] >= earliest && time[i] <= newest;
        const isNear = apart * apart <= near * (both * both) && paid > 0;
        if (!isInTime || !isNear || !(size[i] >= 0 && size[i] <= largest)) break;
        if (id[i] <= rows[at + HIGHEST]) break;
        if (!Number.isNaN(id[i])) remember(rows, at, ids, s, id, i);
      }
      if ((parts & LEARN) !== 0) {
        const move = (2 * apart) / both;
        const next = kept * variance + weight * (move * move);
        const roof = most * variance;
        const clipped = next < roof ? next : roof;
        // Where no processor can foresee which it is, a product is faster than a branch.
        const isAbove = Number(clipped > least);
        variance = isAbove * clipped + (1 - isAbove) * least;
      }
      if ((parts & ACCEPT) !== 0) last = paid;
    } while (++i < end && symbol[i] === s);
    rows[at + VARIANCE] = variance;
    rows[at + LAST] = last;
    if ((parts & ACCEPT) !== 0) rows[at + ACCEPTED_COUNT] += i - begun;
    if (isPlainOnly && i > begun) rows[at + LAG] = limits[LIMIT.received] - time[i - 1];
    if (i < end && symbol[i] === s) break;
  }
  return i;
}

/** Adds ticks to the bars of the base interval of their symbols, which are of their times. */
export function buildRun(ticks: Ticks, from: number, to: number, rows: Float64Array): void {
  const { symbol, time, price, size } = ticks;
  let i = from;
  while (i < to) {
    const begun = i;
    const end = Math.min(to, i + LONGEST);
    const s = symbol[i];
    const at = s * LENGTH;
    let high = rows[at + HIGH];
    let low = rows[at + LOW];
    let close = rows[at + CLOSE];
    let latest = rows[at + LATEST];
    let volume = rows[at + VOLUME];
    let value = rows[at + VALUE];
    let signed = rows[at + SIGNED];
    let before = rows[at + PRICE];
    let direction = rows[at + DIRECTION];
    do {
      const now = time[i];
      const paid = price[i];
      const amount = size[i];
      if (paid > high) high = paid;
      if (paid < low) low = paid;
      if (now >= latest) {
        latest = now;
        close = paid;
      } else if (now < rows[at + FIRST]) {
        rows[at + FIRST] = now;
        rows[at + OPEN] = paid;
      }
      const turn = Number(paid > before) - Number(paid < before);
      direction = turn + (1 - turn * turn) * direction;
      before = paid;
      volume += amount;
      value += paid * amount;
      signed += direction * amount;
    } while (++i < end && symbol[i] === s);
    rows[at + HIGH] = high;
    rows[at + LOW] = low;
    rows[at + CLOSE] = close;
    rows[at + LATEST] = latest;
    rows[at + VOLUME] = volume;
    rows[at + VALUE] = value;
    rows[at + SIGNED] = signed;
    rows[at + COUNT] += i - begun;
    rows[at + PRICE] = before;
    rows[at + DIRECTION] = direction;
  }
}

/** Takes ticks while they are plain. @returns the place of the first that is not, or `to`. */
export function takePlain(
  ticks: Ticks,
  from: number,
  to: number,
  rows: Float64Array,
  limits: Float64Array,
  ids: Float64Array,
): number {
  const end = judgeRun(ticks, from, to, rows, limits, ids, ALL);
  if (end > from) buildRun(ticks, from, end, rows);
  return end;
}
