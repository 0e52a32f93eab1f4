import { assert } from "../base/assert.js";

/** Bars [from, to). */
export interface BarRange {
  readonly from: number;
  readonly to: number;
}

/** What parameters are chosen on, and what they are then tried on. */
export interface Fold {
  /** Ascending, apart from each other. */
  readonly train: readonly BarRange[];
  readonly test: readonly BarRange[];
}

export interface WalkForwardTerms {
  /** `rolling` keeps the length of training; `anchored` trains on everything since the first bar. */
  readonly mode: "rolling" | "anchored";
  /** Bars of training, at least of it when anchored, and of each test. */
  readonly train: number;
  readonly test: number;
  /** Bars from one test to the next; as many as a test has by default, so that each bar is tested once. */
  readonly step?: number;
  /** Bars left out between training and test, over which what was decided in training may still be open. */
  readonly embargo?: number;
}

/** Walk-forward folds of `bars` bars, in their order; a last test that would not be whole is left out. */
export function walkForwardFolds(bars: number, terms: WalkForwardTerms): Fold[] {
  const { mode, train, test, step = test, embargo = 0 } = terms;
  for (const length of [train, test, step])
    assert(Number.isInteger(length) && length >= 1, "folds have bars");
  assert(Number.isInteger(embargo) && embargo >= 0, "an embargo is a number of bars");
  const folds: Fold[] = [];
  for (let from = train + embargo; from + test <= bars; from += step) {
    const end = from - embargo;
    folds.push({
      train: [{ from: mode === "anchored" ? 0 : end - train, to: end }],
      test: [{ from, to: from + test }],
    });
  }
  return folds;
}

export interface PurgedTerms {
  /** Groups of bars in a row that the whole is cut into, and how many of them are tested at a time. */
  readonly groups: number;
  readonly testGroups: number;
  /** Bars before a test that are left out of training: as long as what is decided at a bar may stay open. */
  readonly purge: number;
  /** Bars after a test that are left out of training, over which what was tested may still be felt. */
  readonly embargo: number;
}

/** Folds of all ways to test some of the groups, and the paths that their tests make. */
export interface PurgedFolds {
  readonly folds: readonly (Fold & { readonly groups: readonly number[] })[];
  /** Each path says for each group the fold whose test of it is taken. */
  readonly paths: readonly (readonly number[])[];
}

/**
 * Combinatorial purged cross-validation (M. López de Prado, Advances in Financial Machine Learning 2018, chapter 12): C(n, k)
 * folds, whose tests make `k / n * C(n, k)` paths, each of which has every bar tested once.
 */
export function purgedFolds(bars: number, { groups, testGroups, purge, embargo }: PurgedTerms): PurgedFolds {
  assert(groups >= 2 && testGroups >= 1 && testGroups < groups, "some of the groups are tested");
  assert(bars >= groups, "a group has a bar");
  assert(purge >= 0 && embargo >= 0, "purge and embargo are numbers of bars");
  assert(combinationCount(groups, testGroups) <= MOST_FOLDS, `more than ${MOST_FOLDS} folds`);
  const edge = (group: number) => Math.floor((group * bars) / groups);
  const folds = combinationsOf(groups, testGroups).map((chosen) => {
    const test = joined(chosen.map((group) => ({ from: edge(group), to: edge(group + 1) })));
    return { groups: chosen, test, train: restOf(bars, test, purge, embargo) };
  });
  const paths = Array.from({ length: pathCount(groups, testGroups) }, () => new Array<number>(groups));
  const taken = new Int32Array(groups);
  for (const [fold, { groups: chosen }] of folds.entries()) {
    for (const group of chosen) paths[taken[group]++][group] = fold;
  }
  return { folds, paths };
}

const MOST_FOLDS = 10_000;

/** How many paths the tests of combinatorial cross-validation make. */
export function pathCount(groups: number, testGroups: number): number {
  return combinationCount(groups - 1, testGroups - 1);
}

/** Ways to choose some of many. */
export function combinationCount(n: number, k: number): number {
  let count = 1;
  for (let i = 1; i <= k; i++) count = (count * (n - k + i)) / i;
  return Math.round(count);
}

/** All of them, each ascending, in the order of a dictionary. */
function combinationsOf(n: number, k: number): number[][] {
  const found: number[][] = [];
  const chosen = Array.from({ length: k }, (_, i) => i);
  for (;;) {
    found.push(chosen.slice());
    let at = k - 1;
    while (at >= 0 && chosen[at] === n - k + at) at--;
    if (at < 0) return found;
    chosen[at]++;
    for (let i = at + 1; i < k; i++) chosen[i] = chosen[i - 1] + 1;
  }
}

/** Ranges that touch each other are one. */
function joined(ranges: readonly BarRange[]): BarRange[] {
  const whole: { from: number; to: number }[] = [];
  for (const { from, to } of ranges) {
    const last = whole[whole.length - 1];
    if (last !== undefined && last.to === from) last.to = to;
    else whole.push({ from, to });
  }
  return whole;
}

/** Bars that are neither tested nor too near to a test. */
function restOf(bars: number, tests: readonly BarRange[], purge: number, embargo: number): BarRange[] {
  const rest: BarRange[] = [];
  let from = 0;
  for (const test of tests) {
    const to = test.from - purge;
    if (to > from) rest.push({ from, to });
    from = test.to + embargo;
  }
  if (bars > from) rest.push({ from, to: bars });
  return rest;
}
