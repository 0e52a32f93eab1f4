/**
 * Steps of the averages that indicators share. Each is small enough to be inlined, so that the doubles it
 * takes and returns stay in registers; `n` counts the values that came before this one.
 */

/**
 * Running sums are rebuilt from their window whenever `n % BLOCK === 0`, so that rounding can't pile up. Loops
 * run from one rebuild to the next; where a NaN came in between they are run again, bar by bar, so that the
 * sum is rebuilt as soon as the NaN has left the window and the loop itself need not look for it.
 */
export const BLOCK = 1_024;

// What a module exports lies in a cell that V8 reads and checks at each use, here too: these do not.
const BLOCK_MASK = BLOCK - 1;
const sumOf = windowSum;
const isDue = rebuildDue;

/** Whether running sums are rebuilt at value n. */
export function rebuildDue(n: number): boolean {
  return (n & BLOCK_MASK) === 0;
}

/** Where a loop that begins at value i stops: at `to`, after `most` values or the `left` of a block. One value is one. */
export function runEnd(i: number, to: number, most: number, left: number): number {
  return i + 1 < to ? Math.min(to, i + most, i + left) | 0 : i + 1;
}

/**
 * The same for sums of squares: 8,192 values. A variance is a small difference of large sums, so how
 * far they have drifted shows in it, and TA-Lib lets them drift: rebuilt more often, ours would be nearer
 * the truth and further than 1e-9 from TA-Lib on a quiet series.
 */
export const SQUARES_BLOCK = 8_192;

/**
 * What a running sum of squares is worth once a value has left it: NaN, so that it is rebuilt, where the value was all
 * but a trace of it, since its rounding stays behind.
 */
export function squaresAfter(squares: number, leaving: number): number {
  const left = squares - leaving;
  return left < LEAST_LEFT * squares ? Number.NaN : left;
}

/** Below it, fewer than nine digits of what is left are right. */
const LEAST_LEFT = 1e-7;

/**
 * Sum of column[from..to), first to last.
 *
 * Where a call that returns a double is made seldom, V8 leaves it out of line and its result untyped, and a
 * variable that may hold it is then boxed at every bar: there the result is taken with a unary plus.
 */
export function windowSum(column: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += column[i];
  return sum;
}

/** Sum of squares of column[from..to), first to last. */
export function windowSquares(column: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += column[i] * column[i];
  return sum;
}

/**
 * Mean squared deviation of column[from..to) from its mean, in two passes over the distances from the first
 * value, so that a window of equal values gives exactly 0.
 */
export function windowVariance(column: Float64Array, from: number, to: number): number {
  const origin = column[from];
  let sum = 0;
  for (let i = from + 1; i < to; i++) sum += column[i] - origin;
  const mean = sum / (to - from);
  let squares = 0;
  for (let i = from; i < to; i++) {
    const deviation = column[i] - origin - mean;
    squares += deviation * deviation;
  }
  return squares / (to - from);
}

/**
 * A variance taken as the difference of two running sums has lost its digits when it is below this share of
 * the squared mean; it is then computed from the deviations instead.
 */
export const QUIET_SHARE = 1e-7;

/** Index of the highest of column[from..to): of the last NaN when there is one, else of the last highest. */
export function indexOfHighest(column: Float64Array, from: number, to: number): number {
  let best = from;
  let highest = column[from];
  for (let i = from + 1; i < to; i++) {
    const value = column[i];
    if (value < highest || (Number.isNaN(highest) && !Number.isNaN(value))) continue;
    highest = value;
    best = i;
  }
  return best;
}

/** Index of the lowest of column[from..to): of the last NaN when there is one, else of the last lowest. */
export function indexOfLowest(column: Float64Array, from: number, to: number): number {
  let best = from;
  let lowest = column[from];
  for (let i = from + 1; i < to; i++) {
    const value = column[i];
    if (value > lowest || (Number.isNaN(lowest) && !Number.isNaN(value))) continue;
    lowest = value;
    best = i;
  }
  return best;
}

/**
 * Index of the highest of column[first..i], given that of the window before, which is read even where it has
 * just left the window: one bar more of lookback than the window is long. A new value that is not lower takes
 * its place (a NaN too, which then stays); comparisons taken as numbers spare the branch, which is a coin toss.
 * A window is searched only when its highest has left it.
 */
export function nextHighest(column: Float64Array, highest: number, first: number, i: number): number {
  const value = column[i];
  const taken = Number(value >= column[highest]) | Number(Number.isNaN(value));
  const next = highest + taken * (i - highest);
  return next < first ? indexOfHighest(column, first, i + 1) : next;
}

/** `nextHighest` for the lowest. */
export function nextLowest(column: Float64Array, lowest: number, first: number, i: number): number {
  const value = column[i];
  const taken = Number(value <= column[lowest]) | Number(Number.isNaN(value));
  const next = lowest + taken * (i - lowest);
  return next < first ? indexOfLowest(column, first, i + 1) : next;
}

/**
 * A window that slides over a series without a column ends in one block of as many values and begins in the block
 * before it: what it adds up to is the sum of the values of the later block so far and that of the rest of the earlier.
 * Nothing is ever taken away, so what has left the window leaves no trace. A full block is turned in place into the
 * sums of its rests; values of the next then take the place of rests that the window no longer reaches.
 *
 * Of two series that lie in column[from..to) in pairs, each value becomes the sum of itself and all after it.
 */
export function sumRestsOfPairs(column: Float64Array, from: number, to: number): void {
  let first = 0;
  let second = 0;
  for (let i = to - 2; i >= from; i -= 2) {
    first += column[i];
    second += column[i + 1];
    column[i] = first;
    column[i + 1] = second;
  }
}

/**
 * The same for extremes: in column[from..to) each value lies twice side by side, and the first of a pair becomes the
 * highest, the second the lowest of the value and all after it. No NaN is among them.
 */
export function extremesOfRests(column: Float64Array, from: number, to: number): void {
  for (let i = to - 4; i >= from; i -= 2) {
    column[i] = column[i + 2 * Number(column[i + 2] > column[i])];
    column[i + 1] = column[i + 1 + 2 * Number(column[i + 3] < column[i + 1])];
  }
}

/** Smoothing factor of an exponential average of `period` values. */
export function emaFactor(period: number): number {
  return 2 / (period + 1);
}

/**
 * One step of an exponential average seeded by the mean of its first `period` values.
 * The result is the sum so far while n < period - 1, the average from then on.
 */
export function emaStep(average: number, value: number, n: number, period: number, factor: number): number {
  if (n >= period) return (value - average) * factor + average;
  const sum = average + value;
  return n === period - 1 ? sum / period : sum;
}

/**
 * One step of Wilder's average (factor 1 / period), seeded by the mean of its first `period` values.
 * The result is the sum so far while n < period - 1, the average from then on.
 */
export function wilderStep(average: number, value: number, n: number, period: number): number {
  if (n >= period) return (average * (period - 1) + value) / period;
  const sum = average + value;
  return n === period - 1 ? sum / period : sum;
}

/** Wilder's running sum: the first `period - 1` values added up, then one period-th given up for each new one. */
export function wilderSum(sum: number, value: number, n: number, period: number): number {
  return n < period - 1 ? sum + value : sum - sum / period + value;
}

/**
 * Mean of the last `period` values of a series that has no column: the sum is kept at ring[at], the values in
 * the `period` doubles after it, all 0 at first. Meaningful from n = period - 1 on; a NaN passes through.
 */
export function ringMean(ring: Float64Array, at: number, value: number, n: number, period: number): number {
  const slot = at + 1 + (n % period);
  let sum = ring[at] - ring[slot] + value;
  ring[slot] = value;
  if (isDue(n) || Number.isNaN(sum)) sum = +sumOf(ring, at + 1, at + 1 + period);
  ring[at] = sum;
  return sum / period;
}

/**
 * Sum of the last `period` values of a series that has no column, added up anew each time: for sums that must
 * be exactly 0 when all their values are. The values are kept at ring[at..at + period), all 0 at first.
 */
export function ringSum(ring: Float64Array, at: number, value: number, n: number, period: number): number {
  ring[at + (n % period)] = value;
  return sumOf(ring, at, at + period);
}

/**
 * The value `distance` steps before this one, of a series that has no column; kept at
 * ring[at..at + distance], all 0 at first.
 */
export function ringPast(ring: Float64Array, at: number, value: number, n: number, distance: number): number {
  ring[at + (n % (distance + 1))] = value;
  return ring[at + ((n + 1) % (distance + 1))];
}

/**
 * Steps after which an average that keeps the share `kept` of its past at each step agrees with one started
 * elsewhere to a part in 10^12.
 */
export function fadeSteps(kept: number): number {
  return kept <= 0 ? 0 : Math.ceil(Math.log(1e-12) / Math.log(kept));
}

/** `fadeSteps` of an exponential average of `period` values. */
export function emaFade(period: number): number {
  return fadeSteps(1 - emaFactor(period));
}

/** `fadeSteps` of Wilder's average of `period` values. */
export function wilderFade(period: number): number {
  return fadeSteps(1 - 1 / period);
}
