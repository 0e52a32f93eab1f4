import { lowerBound } from "../base/search.js";
import { median } from "../base/stats.js";
import type { CorporateAction } from "../market/actions.js";
import type { Bars } from "../market/candles.js";

export type Split = Extract<CorporateAction, { kind: "split" }>;

const DAY_MS = 86_400_000;
/** Bars around an ex-day in which its jump is looked for: vendors are days late. */
const NEAR = 5;
/** How many bars before the ex-day the jump may be where it is mended: some lists are a day late. */
const DAYS_EARLY = 1;
/** Bars after an ex-day within which a jump by the ratio may be that of a vendor who is late. */
const BARS_LATE = 60;
/** How far a jump may be from the ratio of the split, as a share of it: prices move overnight. */
const TOLERANCE = 0.15;
/** How far on the ex-day itself, where prices may have moved much as well. */
const OWN_MOVE = 0.5;
/** Share of a split in a jump from which it is clearly that of the split, and up to which it clearly is not. */
const CLEAR_SHARE = 2 / 3;
const DOUBT_SHARE = 1 / 4;
/** So much of a split may be a day's own move, beside one as large as `OWN_MOVE`. */
const LARGE_SHARE = 0.2;
/** More is no split alone: what is left of it once that is mended must not look like one again. */
const MOST_SHARE = 3 / 2;
/** How far a jump may be at least from the ratio on another day, as a share of it. */
const LEAST_REACH = 0.01;
/** Bars on either side whose median volumes are compared, and how many there must be. */
const VOLUME_BARS = 20;
const VOLUME_LEAST = 3;
/** Days with a range of so many usual ones, and more than so much, are not quiet; none is with a range of this factor. */
const QUIET_RANGES = 3;
const LEAST_QUIET = 0.02;
const RESTLESS = 1.12;
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

/** The bar near the ex-day at which prices jump by about the ratio of a split; -1 for none. */
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

/** How much of a split is in a jump: 0 where prices did not move, 1 where they moved by its ratio. */
function shareOf(moved: number, ratio: number): number {
  return Math.log(moved) / Math.log(ratio);
}

/** Whether a jump on the ex-day is clearly that of the split: it is far nearer to its ratio than to none. */
function isClear(bars: Bars, at: number, ratio: number): boolean {
  const { time } = bars;
  const moved = jump(bars, at);
  const share = shareOf(moved, ratio);
  if (share < CLEAR_SHARE || share > MOST_SHARE) return false;
  const isHole = time[at] - time[at - 1] > HOLE_MS;
  if (!isHole && Math.abs(share - 1) <= LARGE_SHARE) return true;
  return matches(moved, ratio, isHole ? TOLERANCE : OWN_MOVE);
}

/** Where a known split shows in prices that should have it, and whether there is no other reading of the jump. */
interface Shown {
  readonly at: number;
  readonly sure: boolean;
}

/**
 * On the ex-day the jump may be that of the split and of a day's own move together; some days later, or on the day before,
 * it must be that of the split alone, between quiet days, and volumes must change as shares do: prices fall by themselves,
 * too.
 */
function shownNear(bars: Bars, split: Split): Shown | null {
  const { time } = bars;
  const { exDay, ratio } = split;
  const at = lowerBound(time, exDay * DAY_MS);
  if (at === time.length || isSmall(split)) return null;
  if (at > 0 && isClear(bars, at, ratio)) return { at, sure: true };
  const usual = usualMoves(bars, at);
  for (let i = Math.max(1, at - DAYS_EARLY); i <= Math.min(time.length - 1, at + NEAR); i++) {
    if (i !== at && isAlone(bars, i, ratio, usual) && volumeFollows(bars, i, ratio))
      return { at: i, sure: true };
  }
  const share = at > 0 ? shareOf(jump(bars, at), ratio) : 0;
  if (share > DOUBT_SHARE) return { at, sure: false };
  const about = jumpNear(bars, split);
  return about < 0 ? null : { at: about, sure: false };
}

/** Whether as many more shares are traded from a bar on as there are; true where nobody tells volumes. */
function volumeFollows({ volume }: Bars, i: number, ratio: number): boolean {
  const before = volume.subarray(Math.max(0, i - VOLUME_BARS), i);
  const after = volume.subarray(i, i + VOLUME_BARS);
  if (Math.min(before.length, after.length) < VOLUME_LEAST) return false;
  const [less, more] = [median(before), median(after)];
  return less === 0 || more === 0 || isNearer(more / less, ratio);
}

/** How prices around a bar move when nothing happens. */
interface Usual {
  /** Deviation of the logarithm of an open against the close before; null where too few days say so. */
  readonly deviation: number | null;
  /** Median of the logarithm of high against low. */
  readonly range: number;
}

function usualMoves(bars: Bars, at: number): Usual {
  const moves: number[] = [];
  const ranges: number[] = [];
  for (let i = Math.max(1, at - USUAL_BARS); i < Math.min(bars.time.length, at + USUAL_BARS); i++) {
    ranges.push(Math.log(bars.high[i] / bars.low[i]));
    if (i !== at) moves.push(Math.abs(Math.log(jump(bars, i))));
  }
  // The median of what is normally distributed is 0.67 of its deviation.
  const deviation = moves.length < LEAST_MOVES ? null : median(moves) / 0.6745;
  return { deviation, range: ranges.length === 0 ? 0 : median(ranges) };
}

/** Whether prices jump by a ratio and nothing else, between days as quiet as others. */
function isAlone(bars: Bars, i: number, ratio: number, { deviation, range }: Usual): boolean {
  const reach = Math.max(2 * (deviation ?? 0), Math.log(1 + LEAST_REACH));
  if (Math.abs(Math.log(jump(bars, i) / ratio)) > reach) return false;
  const most = Math.min(Math.log(RESTLESS), Math.max(QUIET_RANGES * range, Math.log(1 + LEAST_QUIET)));
  for (let j = i - 1; j <= Math.min(i + 1, bars.time.length - 1); j++) {
    if (Math.log(bars.high[j] / bars.low[j]) > most) return false;
  }
  return true;
}

/** Bars at which prices jump by a split that is known. Bars must be sound, ascending and daily. */
export function splitJumps(bars: Bars, splits: readonly Split[]): ReadonlySet<number> {
  const jumps = splits.map((split) => {
    const at = lowerBound(bars.time, split.exDay * DAY_MS);
    const shows = at > 0 && at < bars.time.length && !isSmall(split) && isClear(bars, at, split.ratio);
    if (shows) return at;
    const near = jumpNear(bars, split);
    return near < 0 && splitShows(bars, split) === true ? at : near;
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
  const near = splits.map((split) => {
    const shown = shownNear(bars, split);
    return { split, to: shown?.sure === true ? shown.at : -1 };
  });
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

/**
 * The split if all bars before its ex-day lack it, as far as is seen, or with its ratio turned over if they have it twice;
 * null if neither.
 */
export function lackedAround(bars: Bars, split: Split): Split | null {
  const isWhole = ({ from }: UnappliedSplit) => from === 0;
  const found =
    findUnappliedSplits(bars, [split]).find(isWhole) ?? findDoubledSplits(bars, [split]).find(isWhole);
  return found?.split ?? null;
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

/** What prices that are as they traded say of a split. */
type Showing = "shown" | "absent" | "unclear" | "untold";

/**
 * Shown is a jump on the ex-day that is nearer to the ratio than to none, or one by the ratio alone some days off. In doubt,
 * with a jump between or one by about the ratio on another day, nothing is said against the source.
 */
function showingOf(bars: Bars, split: Split): Showing {
  const { time } = bars;
  const at = lowerBound(time, split.exDay * DAY_MS);
  if (at === 0 || at === time.length || time[at] - time[at - 1] > HOLE_MS) return "untold";
  const usual = usualMoves(bars, at);
  if (drowns(split, usual)) return "untold";
  const moved = jump(bars, at);
  if (isNearer(moved, split.ratio)) return "shown";
  if (shareOf(moved, split.ratio) > DOUBT_SHARE) return "unclear";
  let about = false;
  for (let i = Math.max(1, at - NEAR); i <= Math.min(time.length - 1, at + NEAR); i++) {
    if (isAlone(bars, i, split.ratio, usual)) return "shown";
    const near = jump(bars, i);
    if (matches(near, split.ratio, TOLERANCE) && isNearer(near, split.ratio) && !isRestless(bars, i))
      about = true;
  }
  return about ? "unclear" : "absent";
}

/**
 * Whether a split shows in prices that are as they traded. Null where there is no telling: bars on one side alone, a hole
 * around the ex-day, a ratio that prices move by anyway, a jump between the ratio and none. Bars must be sound, ascending
 * and daily.
 */
export function splitShows(bars: Bars, split: Split): boolean | null {
  const showing = showingOf(bars, split);
  return showing === "shown" ? true : showing === "absent" ? false : null;
}

/** Whether a jump, of an earlier price to a later one, is nearer to a ratio than to none. */
export function isNearer(moved: number, ratio: number): boolean {
  return Math.abs(Math.log(moved / ratio)) < Math.abs(Math.log(moved));
}

/** Whether prices move much within the days of a jump: in a collapse they do, a split leaves ordinary days. */
function isRestless({ high, low }: Bars, i: number): boolean {
  return high[i] / low[i] > RESTLESS || high[i - 1] / low[i - 1] > RESTLESS;
}

/** Whether prices move by the ratio of a split from close to open without one, as far as those around say. */
function drowns(split: Split, { deviation }: Usual): boolean {
  if (deviation === null) return isSmall(split);
  return Math.abs(Math.log(split.ratio)) < SURE_DEVIATIONS * Math.max(deviation, LEAST_DEVIATION);
}

/** Splits within the bars that do not show in prices said to be raw: these are adjusted already. */
export function findAppliedSplits(bars: Bars, splits: readonly Split[]): Split[] {
  return splits.filter((split) => splitShows(bars, split) === false);
}

/** A jump that may be a split. */
export interface Suspicion {
  readonly index: number;
  readonly ratio: number;
  /** The known split whose jump it may be; null where none of that ratio is known. */
  readonly split: Split | null;
  /** Whether nothing but the day of it speaks against its being that. */
  readonly likely: boolean;
}

/**
 * Bars at which the price jumps by a usual ratio of splits, though no split of that day is known, and in prices that
 * should have all splits those at which it jumps by one that is known, too, once those that they lack are mended.
 * @param mended bars at which one was.
 */
export function suspectSplits(
  bars: Bars,
  splits: readonly Split[],
  adjusted: "none" | "split",
  mended: ReadonlySet<number> = new Set(),
): Suspicion[] {
  const { time } = bars;
  const found = new Map<number, Suspicion>();
  for (const each of adjusted === "split" ? leftIn(bars, splits) : unclearIn(bars, splits)) {
    const known = found.get(each.index);
    if (mended.has(each.index)) continue;
    if (known === undefined || each.likely) found.set(each.index, each);
  }
  const known = adjusted === "none" ? splitJumps(bars, splits) : new Set();
  for (let i = 1; i < time.length; i++) {
    const ratio = jump(bars, i);
    const size = ratio > 1 ? ratio : 1 / ratio;
    if (size < 1.45 || found.has(i) || known.has(i) || isRestless(bars, i)) continue;
    const usual = USUAL_RATIOS.find((each) => matches(size, each, SUSPICION));
    if (usual === undefined) continue;
    found.set(i, { index: i, ratio: ratio > 1 ? usual : 1 / usual, split: null, likely: false });
  }
  return [...found.values()].sort((a, b) => a.index - b.index);
}

/** Jumps by known splits that prices should have. */
function leftIn(bars: Bars, splits: readonly Split[]): Suspicion[] {
  const { time } = bars;
  return splits.flatMap((split) => {
    const { ratio } = split;
    if (isSmall(split)) return [];
    const near = shownNear(bars, split);
    const found = near === null ? [] : [{ index: near.at, ratio, split, likely: near.sure }];
    const at = lowerBound(time, split.exDay * DAY_MS);
    for (let i = 1; i < Math.min(time.length, at + BARS_LATE); i++) {
      if (!matches(jump(bars, i), ratio, TOLERANCE)) continue;
      if (isAlone(bars, i, ratio, usualMoves(bars, i))) found.push({ index: i, ratio, split, likely: true });
    }
    return found;
  });
}

/** Ex-days of which prices said to be as they traded do not tell whether they have the split. */
function unclearIn(bars: Bars, splits: readonly Split[]): Suspicion[] {
  return splits
    .filter((split) => showingOf(bars, split) === "unclear")
    .map((split) => {
      const index = lowerBound(bars.time, split.exDay * DAY_MS);
      return { index, ratio: split.ratio, split, likely: false };
    });
}
