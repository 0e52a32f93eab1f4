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
const LEAST = LIMIT.least;
const KEPT = LIMIT.kept;
const WEIGHT = LIMIT.weight;
const MOST = LIMIT.most;
const learn = learnReturn;
const add = addToBar;
const remember = rememberId;
const REMEMBERED = IDS;

// No function gives or takes a double: one that V8 does not inline would leave each on the heap.

/** Takes the return from the last price of the row at `at` to `price[i]` into its mean square. */
export function learnReturn(
  rows: Float64Array,
  at: number,
  limits: Float64Array,
  price: Float64Array,
  i: number,
): void {
  const last = rows[at + LAST];
  const move = (2 * (price[i] - last)) / (price[i] + last);
  const square = move * move;
  const variance = rows[at + VARIANCE];
  const least = limits[LEAST];
  if (!(square > least || variance > least)) return;
  const next = limits[KEPT] * variance + limits[WEIGHT] * square;
  const most = limits[MOST] * variance;
  const clipped = next < most ? next : most;
  rows[at + VARIANCE] = clipped > least ? clipped : least;
}

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

/** Adds a tick to the bar of the row at `at`, which is of its time. */
export function addToBar(
  rows: Float64Array,
  at: number,
  times: Float64Array,
  prices: Float64Array,
  sizes: Float64Array,
  i: number,
): void {
  const time = times[i];
  const price = prices[i];
  const size = sizes[i];
  if (price > rows[at + HIGH]) rows[at + HIGH] = price;
  if (price < rows[at + LOW]) rows[at + LOW] = price;
  if (time >= rows[at + LATEST]) {
    rows[at + LATEST] = time;
    rows[at + CLOSE] = price;
  } else if (time < rows[at + FIRST]) {
    rows[at + FIRST] = time;
    rows[at + OPEN] = price;
  }
  const before = rows[at + PRICE];
  // Without a branch, which of a price that walks no processor could foresee.
  const turn = Number(price > before) - Number(price < before);
  const direction = turn + (1 - turn * turn) * rows[at + DIRECTION];
  rows[at + DIRECTION] = direction;
  rows[at + PRICE] = price;
  rows[at + VOLUME] += size;
  rows[at + VALUE] += price * size;
  rows[at + SIGNED] += direction * size;
  rows[at + COUNT]++;
}

/**
 * Takes ticks from `from` on while they are plain: sound, of a bar that is open, near the price before, and without a number or
 * with one above all before.
 * @param rows of `ROW.length` doubles, one a symbol.
 * @param ids of `IDS` doubles, one a symbol.
 * @returns the place of the first that is not, or `to`.
 */
export function takePlain(
  ticks: Ticks,
  from: number,
  to: number,
  rows: Float64Array,
  limits: Float64Array,
  ids: Float64Array,
): number {
  const { symbol, time, price, size, id } = ticks;
  const newest = limits[LIMIT.latest];
  const received = limits[LIMIT.received];
  const largest = limits[LIMIT.largest];
  const near = limits[LIMIT.near];
  let i = from;
  for (; i < to; i++) {
    const s = symbol[i];
    const at = s * LENGTH;
    const now = time[i];
    const paid = price[i];
    const amount = size[i];
    const last = rows[at + LAST];
    const apart = paid - last;
    const both = paid + last;
    // A bar lies within hours in which ticks may come, and after all that are closed.
    const isPlain =
      now < rows[at + UNTIL] &&
      now >= rows[at + START] &&
      now >= rows[at + EARLIEST] &&
      now <= newest &&
      apart * apart <= near * (both * both) &&
      paid > 0 &&
      amount >= 0 &&
      amount <= largest &&
      !(id[i] <= rows[at + HIGHEST]);
    if (!isPlain) break;
    if (!Number.isNaN(id[i])) remember(rows, at, ids, s, id, i);
    learn(rows, at, limits, price, i);
    rows[at + LAST] = paid;
    rows[at + LAG] = received - now;
    rows[at + ACCEPTED_COUNT]++;
    add(rows, at, time, price, size, i);
  }
  return i;
}
