import type { Bars } from "../market/candles.js";

/** How far from exactly 100 a slip may lie: prices move meanwhile. */
const SLIP_LEAST = 80;
const SLIP_MOST = 125;
/** No price moves by this factor between two bars, and none within one: more than the greatest usual split. */
export const LEVEL_FACTOR = 60;
/** Jumps away from a level and back to it may differ by this factor. */
const LEVEL_TOLERANCE = Math.log(Math.sqrt(LEVEL_FACTOR));
/** Bars on one level that are needed to trust it, and the share of all bars that they must be. */
export const TRUSTED_BARS = 20;
const TRUSTED_SHARE = 2 / 3;
/** Bars that are needed where nobody traded on any other level. */
const TRADED_BARS = 5;

/** A stretch of bars, from <= i < to, whose prices must be multiplied to stand on the scale of the others. */
export interface Slip {
  readonly from: number;
  readonly to: number;
  /** A power of 100. */
  readonly factor: number;
}

/** A stretch of bars, from <= i < to, of which there is no telling on which scale they stand. */
export interface Doubt {
  readonly from: number;
  readonly to: number;
  /** Whether the jumps that make it one are those of a slip by 100. */
  readonly slip: boolean;
  /** Whether bars that come later, or lay before, may yet tell. */
  readonly atEdge?: boolean;
}

export interface ScaleCheck {
  readonly slips: readonly Slip[];
  readonly doubts: readonly Doubt[];
  /** Bars from which on prices stand 100 times higher or lower, for as long as is seen. */
  readonly lasting: readonly number[];
}

/** No close moves by such a factor and back within so many bars; splits that nobody told of do not come back. */
const EXCURSIONS = [
  { bars: 3, least: Math.log(2.5) },
  { bars: 120, least: Math.log(8) },
];

/** What is known of bars beside themselves. */
export interface ScaleTerms {
  /** Whether a jump at bar i is known to be real, as that of a split of one to 100. */
  explained(i: number): boolean;
  /** Whether bar i was looked at before. */
  known(i: number): boolean;
}

const NOTHING: ScaleTerms = { explained: () => false, known: () => false };

/** Powers of 100 between two prices: 1 when the later is about 100 times the earlier, 0 for none. */
function power(earlier: number, later: number): number {
  const ratio = later / earlier;
  if (ratio >= SLIP_LEAST && ratio <= SLIP_MOST) return 1;
  return ratio <= 1 / SLIP_LEAST && ratio >= 1 / SLIP_MOST ? -1 : 0;
}

/** Powers of 100 by which a price is off another: 0 where it is by anything else, or not at all. */
export function slipOf(right: number, price: number): number {
  const exponent = Math.log(price / right) / Math.log(100);
  const whole = Math.round(exponent);
  return Math.abs(exponent - whole) * Math.log(100) <= Math.log(SLIP_MOST / 100) ? whole : 0;
}

/**
 * Powers of 100 by which closes are off those of the same times in a series that was looked at before; 0 where they are
 * not, or where too few times are shared. Bars must be sound and ascending.
 */
export function slipFrom(known: Bars, bars: Bars): number {
  const at = new Map(Array.from(known.time, (time, i) => [time, i]));
  const slips = Array.from(bars.time, (time, i) => ({ i, j: at.get(time) })).flatMap(({ i, j }) =>
    j === undefined ? [] : [slipOf(known.close[j], bars.close[i])],
  );
  const middle = slips.sort((a, b) => a - b)[slips.length >> 1] ?? 0;
  return isMost(slips.filter((slip) => slip === middle).length, slips.length) ? middle : 0;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Bars between two jumps, and the logarithm of the scale that they stand on, that of the first bars being 0. */
interface Run extends Span {
  readonly level: number;
  /** Whether jumps by 100 alone lead to it from the first. */
  readonly slip: boolean;
}

function runsOf({ close }: Bars, { explained }: ScaleTerms): Run[] {
  const starts: { from: number; level: number; slip: boolean }[] = [{ from: 0, level: 0, slip: true }];
  for (let i = 1; i < close.length; i++) {
    if (explained(i)) continue;
    const exponent = power(close[i - 1], close[i]);
    const moved = Math.log(close[i] / close[i - 1]);
    if (exponent === 0 && Math.abs(moved) <= Math.log(LEVEL_FACTOR)) continue;
    const last = starts[starts.length - 1];
    const level = last.level + (exponent === 0 ? moved : exponent * Math.log(100));
    starts.push({ from: i, level, slip: last.slip && exponent !== 0 });
  }
  return starts.map((start, k) => ({ to: starts[k + 1]?.from ?? close.length, ...start }));
}

/** Runs on one scale, with what speaks for it. */
interface Level {
  readonly level: number;
  readonly runs: Run[];
  bars: number;
  knownBars: number;
  traded: number;
}

function levelsOf(runs: readonly Run[], volume: Float64Array, { known }: ScaleTerms): Level[] {
  const levels: Level[] = [];
  for (const run of runs) {
    let found = levels.find(({ level }) => Math.abs(level - run.level) < LEVEL_TOLERANCE);
    if (found === undefined) {
      found = { level: run.level, runs: [], bars: 0, knownBars: 0, traded: 0 };
      levels.push(found);
    }
    found.runs.push(run);
    found.bars += run.to - run.from;
    for (let i = run.from; i < run.to; i++) {
      found.traded += volume[i];
      if (known(i)) found.knownBars++;
    }
  }
  return levels;
}

/**
 * The level that is right: the one that enough bars stand on which were looked at before, the only one that anybody
 * traded on, or that of enough bars and most of them. Null where none is any of these.
 */
function trustedLevel(levels: readonly Level[]): Level | null {
  const sum = (pick: (level: Level) => number) => levels.reduce((total, level) => total + pick(level), 0);
  const knownBars = sum((level) => level.knownBars);
  const traded = sum((level) => level.traded);
  const bars = sum((level) => level.bars);
  return (
    levels.find((each) => isMost(each.knownBars, knownBars)) ??
    levels.find((each) => traded > 0 && each.traded === traded && each.bars >= TRADED_BARS) ??
    levels.find((each) => isMost(each.bars, bars)) ??
    null
  );
}

/** Whether a level has enough bars, and no other has half as many. */
function standsAlone(level: Level, levels: readonly Level[]): boolean {
  return level.bars >= TRUSTED_BARS && levels.every((each) => each === level || each.bars < level.bars / 2);
}

function isMost(count: number, all: number): boolean {
  return count >= TRUSTED_BARS && count >= TRUSTED_SHARE * all;
}

/** Whether bars on both sides of a run stand on a level. */
function isEnclosed(run: Span, { runs }: Level): boolean {
  return runs.some(({ to }) => to <= run.from) && runs.some(({ from }) => from >= run.to);
}

/** Bars at which prices go to another level than those before, and no known split says why. */
export function levelSteps(bars: Bars, explained: (i: number) => boolean): number[] {
  if (bars.close.length === 0) return [];
  const [, ...later] = runsOf(bars, { ...NOTHING, explained });
  return later.map(({ from }) => from);
}

/**
 * Stretches of closes that are 100 times too large or too small, pounds among pence, and stretches of which there is no
 * telling. Those off a level that can be trusted by powers of 100 are slips, with one remedy; those off it by anything
 * else, and all that are off the newest level where none can be trusted, are in doubt; so are all bars where the newest
 * level has few, or another has half as many: then there is more than one remedy. Slips are those that bars on both sides
 * agree on, and those on which nobody traded; other changes by 100 last, or are in doubt while few bars say so. Bars must
 * be sound and ascending.
 */
export function checkScale(bars: Bars, terms: ScaleTerms = NOTHING): ScaleCheck {
  if (bars.close.length === 0) return NO_CHANGE;
  const runs = runsOf(bars, terms);
  if (runs.length < 2) return NO_CHANGE;
  const levels = levelsOf(runs, bars.volume, terms);
  const trusted = trustedLevel(levels);
  const newest = levels.find((level) => level.runs.includes(runs[runs.length - 1])) ?? null;
  const right = trusted ?? (newest !== null && standsAlone(newest, levels) ? newest : null);
  const slips: Slip[] = [];
  const doubts: Doubt[] = [];
  const lasting: number[] = [];
  const [first, second] = runs;
  const untraded = levels.filter(({ traded }) => traded > 0).length === 1;
  const bothLast = second.slip && isLong(first) && isLong(second);
  if (runs.length === 2 && bothLast && !untraded) return { ...NO_CHANGE, lasting: [second.from] };
  for (const { from, to, level, slip } of runs) {
    const off = right === null ? Number.NaN : right.level - level;
    if (Math.abs(off) < LEVEL_TOLERANCE) continue;
    const mendable = trusted !== null && slip && (right?.runs.every((run) => run.slip) ?? false);
    const oneSided = mendable && !untraded && !isEnclosed({ from, to }, trusted);
    if (oneSided && isLong({ from, to })) lasting.push(from === 0 ? to : from);
    else if (oneSided) doubts.push({ from, to, slip, atEdge: true });
    else if (mendable) slips.push({ from, to, factor: 100 ** Math.round(off / Math.log(100)) });
    else doubts.push({ from, to, slip });
  }
  return { slips, doubts, lasting };
}

const NO_CHANGE: ScaleCheck = { slips: [], doubts: [], lasting: [] };

function isLong({ from, to }: Span): boolean {
  return to - from >= TRUSTED_BARS;
}

/**
 * Stretches whose closes leave their level by a large factor from one bar to the next, and come back as suddenly: whatever
 * they are, they are no prices of this instrument. Bars must be sound and ascending.
 */
export function findExcursions({ close }: Bars, { explained }: ScaleTerms = NOTHING): readonly Doubt[] {
  const [{ least }] = EXCURSIONS;
  const found: Doubt[] = [];
  let left = -1;
  let moved = 0;
  for (let i = 1; i < close.length; i++) {
    const step = Math.log(close[i] / close[i - 1]);
    if (Math.abs(step) < least || explained(i)) continue;
    const size = Math.min(Math.abs(step), Math.abs(moved));
    const isBrief = EXCURSIONS.some(({ bars, least }) => i - left <= bars && size >= least);
    if (left > 0 && isBrief && Math.abs(step + moved) < size / 2) {
      found.push({ from: left, to: i, slip: false });
      left = -1;
    } else {
      left = i;
      moved = step;
    }
  }
  return found;
}

/** Stretches that are off by a power of 100, where it is clear which. */
export function findSlips(bars: Bars): readonly Slip[] {
  return checkScale(bars).slips;
}

/** Which of a bar's four prices alone is 100 times off the other three, and by what it must be multiplied. */
export function findSlippedPrice(prices: readonly number[]): { index: number; factor: number } | null {
  const sorted = prices.toSorted((a, b) => a - b);
  const middle = sorted[1];
  const odd = prices.flatMap((price, index) => {
    const off = power(price > middle ? middle : sorted[2], price);
    return off === 0 ? [] : [{ index, factor: 100 ** -off }];
  });
  return odd.length === 1 ? odd[0] : null;
}
