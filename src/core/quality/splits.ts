import { lowerBound } from "../base/search.js";
import type { CorporateAction } from "../market/actions.js";
import type { Bars } from "../market/candles.js";

export type Split = Extract<CorporateAction, { kind: "split" }>;

const DAY_MS = 86_400_000;
/** Bars around an ex-day in which its jump is looked for: vendors are days late. */
const NEAR = 5;
/** How far a jump may be from the ratio of the split, as a share of it: prices move overnight. */
const TOLERANCE = 0.15;
/** Splits smaller than this drown in what prices do anyway. */
const LEAST_RATIO = 1.3;
/** Bars on either side of an ex-day that say by how much prices move from close to open, and how many are needed. */
const USUAL_BARS = 40;
const LEAST_MOVES = 20;
/** A split by so many of their deviations, and at least so much, cannot be mistaken for such a move. */
const SURE_DEVIATIONS = 8;
const LEAST_DEVIATION = 0.004;
/** Over a longer pause around an ex-day prices move by themselves. */
const HOLE_MS = 10 * DAY_MS;

/** Ratios of splits that companies make. */
const USUAL_RATIOS = [1.5, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50];
const SUSPICION = 0.03;

/** Bars that lack a split: from <= i < to. */
export interface UnappliedSplit {
  readonly split: Split;
  readonly from: number;
  readonly to: number;
}

function jump({ open, close }: Bars, i: number): number {
  return close[i - 1] / open[i];
}

function matches(ratio: number, wanted: number, tolerance: number): boolean {
  return Math.abs(Math.log(ratio / wanted)) <= Math.log(1 + tolerance);
}

function isSmall({ ratio }: Pick<Split, "ratio">): boolean {
  return ratio < LEAST_RATIO && ratio > 1 / LEAST_RATIO;
}

/** The bar near the ex-day at which prices jump by the ratio of a split; -1 for none. */
function jumpNear(bars: Bars, { exDay, ratio }: Split): number {
  const { time } = bars;
  const at = lowerBound(time, exDay * DAY_MS);
  if (at === time.length || isSmall({ ratio })) return -1;
  let best = -1;
  for (let i = Math.max(1, at - NEAR); i <= Math.min(time.length - 1, at + NEAR); i++) {
    if (!matches(jump(bars, i), ratio, TOLERANCE)) continue;
    if (best < 0 || Math.abs(i - at) < Math.abs(best - at)) best = i;
  }
  return best;
}

/** Bars at which prices jump by a split that is known. Bars must be sound, ascending and daily. */
export function splitJumps(bars: Bars, splits: readonly Split[]): ReadonlySet<number> {
  const jumps = splits.map((split) => {
    const near = jumpNear(bars, split);
    return near < 0 && splitShows(bars, split) === true ? lowerBound(bars.time, split.exDay * DAY_MS) : near;
  });
  return new Set(jumps.filter((i) => i >= 0));
}

/**
 * Splits that prices said to be adjusted for them are not adjusted for: those that show near their ex-day, and those of
 * a later day by which prices fall at a seam, the bars after which have them. Bars must be sound, ascending and daily.
 * @param seams bars at which what was given at another time begins or ends, ascending.
 */
export function findUnappliedSplits(
  bars: Bars,
  splits: readonly Split[],
  seams: readonly number[] = [],
): UnappliedSplit[] {
  const near = splits.map((split) => ({ split, to: jumpNear(bars, split) }));
  const shown = near.filter(({ to }) => to >= 0);
  const others = near.filter(({ to }) => to < 0).map(({ split }) => split);
  const atSeams = seams.flatMap((to) => splitsAtSeam(bars, to, others).map((split) => ({ split, to })));
  const last = [...shown, ...atSeams].map(({ split, to }) => ({
    split,
    from: lackingFrom(bars, to, split, seams),
    to,
  }));
  return [...last, ...splits.flatMap((split) => lackingStretches(bars, split))];
}

/** Splits that are in prices twice: they rise by the ratio where they should not move. As `findUnappliedSplits`, with ratios turned over. */
export function findDoubledSplits(
  bars: Bars,
  splits: readonly Split[],
  seams: readonly number[] = [],
): UnappliedSplit[] {
  const turned = splits.map((split) => ({ ...split, ratio: 1 / split.ratio }));
  return findUnappliedSplits(bars, turned, seams);
}

/** Stretches long before the ex-day that lack a split between bars that have it: from a rise by its ratio to the fall back. */
function lackingStretches(bars: Bars, split: Split): UnappliedSplit[] {
  if (isSmall(split)) return [];
  const found: UnappliedSplit[] = [];
  const end = lowerBound(bars.time, split.exDay * DAY_MS) - NEAR;
  let from = -1;
  for (let i = 1; i < end; i++) {
    const moved = jump(bars, i);
    if (isRestless(bars, i)) continue;
    if (matches(moved, 1 / split.ratio, TOLERANCE)) from = i;
    else if (from > 0 && matches(moved, split.ratio, TOLERANCE)) {
      found.push({ split, from, to: i });
      from = -1;
    }
  }
  return found;
}

/** The split of a day after a seam by whose ratio prices fall there, or the newest of such days if it is by theirs together. */
function splitsAtSeam(bars: Bars, seam: number, splits: readonly Split[]): readonly Split[] {
  const { time } = bars;
  if (seam <= 0 || seam >= time.length || time[seam] - time[seam - 1] > HOLE_MS) return [];
  const moved = jump(bars, seam);
  const later = splits.filter(({ exDay }) => exDay * DAY_MS > time[seam]).sort((a, b) => b.exDay - a.exDay);
  const choices = [...later.map((split) => [split]), ...later.slice(1).map((_, k) => later.slice(0, k + 2))];
  const fitting = choices.find((choice) => {
    const ratio = choice.reduce((product, split) => product * split.ratio, 1);
    return !isSmall({ ratio }) && matches(moved, ratio, TOLERANCE);
  });
  return fitting ?? [];
}

/**
 * The first of the bars before `to` that lack a split as the last of them does: after a rise by its ratio, or a seam at
 * which prices rise by more than half of it.
 */
function lackingFrom(bars: Bars, to: number, { ratio }: Split, seams: readonly number[]): number {
  for (let i = to - 1; i > 0; i--) {
    const moved = jump(bars, i);
    if (seams.includes(i) ? isNearer(moved, 1 / ratio) : matches(moved, 1 / ratio, TOLERANCE)) return i;
    // A fall by the ratio ends a stretch of its own.
    if (matches(moved, ratio, TOLERANCE) && !isRestless(bars, i)) return i;
  }
  return 0;
}

/**
 * Whether a split shows in prices that are as they traded: as a jump on the ex-day that is nearer to its ratio than to
 * none, or as one by about its ratio some days off, between ordinary days. Null where there is no telling: bars on one side alone,
 * a hole around the ex-day, a ratio that prices move by anyway. Bars must be sound, ascending and daily.
 */
export function splitShows(bars: Bars, split: Split): boolean | null {
  const { time } = bars;
  const at = lowerBound(time, split.exDay * DAY_MS);
  if (at === 0 || at === time.length || time[at] - time[at - 1] > HOLE_MS) return null;
  if (drowns(bars, at, split)) return null;
  if (isNearer(jump(bars, at), split.ratio)) return true;
  for (let i = Math.max(1, at - NEAR); i <= Math.min(time.length - 1, at + NEAR); i++) {
    const moved = jump(bars, i);
    if (matches(moved, split.ratio, TOLERANCE) && isNearer(moved, split.ratio) && !isRestless(bars, i))
      return true;
  }
  return false;
}

/** Whether a jump, of an earlier price to a later one, is nearer to a ratio than to none. */
export function isNearer(moved: number, ratio: number): boolean {
  return Math.abs(Math.log(moved / ratio)) < Math.abs(Math.log(moved));
}

/** Whether prices move much within the days of a jump: in a collapse they do, a split leaves ordinary days. */
function isRestless({ high, low }: Bars, i: number): boolean {
  return high[i] / low[i] > 1.12 || high[i - 1] / low[i - 1] > 1.12;
}

/** Whether prices move by the ratio of a split from close to open without one, as far as those around say. */
function drowns(bars: Bars, at: number, split: Split): boolean {
  const moves: number[] = [];
  for (let i = Math.max(1, at - USUAL_BARS); i < Math.min(bars.time.length, at + USUAL_BARS); i++) {
    if (i !== at) moves.push(Math.abs(Math.log(jump(bars, i))));
  }
  if (moves.length < LEAST_MOVES) return isSmall(split);
  // The median of what is normally distributed is 0.67 of its deviation.
  const deviation = moves.sort((a, b) => a - b)[moves.length >> 1] / 0.6745;
  return Math.abs(Math.log(split.ratio)) < SURE_DEVIATIONS * Math.max(deviation, LEAST_DEVIATION);
}

/** Splits within the bars that do not show in prices said to be raw: these are adjusted already. */
export function findAppliedSplits(bars: Bars, splits: readonly Split[]): Split[] {
  return splits.filter((split) => splitShows(bars, split) === false);
}

/** Bars at which the price jumps by a usual ratio of splits, though no split of that day is known. */
export function suspectSplits(bars: Bars, splits: readonly Split[]): { index: number; ratio: number }[] {
  const { time } = bars;
  const known = splitJumps(bars, splits);
  const found: { index: number; ratio: number }[] = [];
  for (let i = 1; i < time.length; i++) {
    const ratio = jump(bars, i);
    const size = ratio > 1 ? ratio : 1 / ratio;
    if (size < 1.45) continue;
    const usual = USUAL_RATIOS.find((each) => matches(size, each, SUSPICION));
    if (usual === undefined || isRestless(bars, i) || known.has(i)) continue;
    found.push({ index: i, ratio: ratio > 1 ? usual : 1 / usual });
  }
  return found;
}
