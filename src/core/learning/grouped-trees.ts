import { assert } from "../base/assert.js";
import { hash32 } from "../base/rng.js";
import { type Samples, WeightsRefused } from "./define.js";
import { pickSamples } from "./rows.js";
import type { SampleFold } from "./split.js";
import { type BinnedColumns, binColumns } from "./trees/bins.js";
import { boostTrees } from "./trees/boost.js";
import { decodeTrees, encodeTrees, finite, recordOf, refuse } from "./trees/file.js";
import { isEnough as isEnoughRows, splitLater } from "./trees/later.js";
import { chanceOf, meanLoss } from "./trees/loss.js";
import { TREE_SETTINGS, type TreeSettings } from "./trees/settings.js";
import { type Attribution, attributeOf } from "./trees/shap.js";
import { logOddsOf, logOddsOfAll, type Trees } from "./trees/trees.js";

/** How trees of groups are grown. */
export interface GroupSettings {
  readonly global: TreeSettings;
  /** Of groups, but for `bins`, which are those of all. */
  readonly group: TreeSettings;
  /** Rows that a group has at least, and rows of either label. */
  readonly leastRows: number;
  readonly leastOfClass: number;
  /** Rows at which half of what a group says is taken. */
  readonly halfAt: number;
}

export const GROUP_SETTINGS: GroupSettings = {
  global: TREE_SETTINGS,
  group: { ...TREE_SETTINGS, depth: 3 },
  leastRows: 300,
  leastOfClass: 50,
  halfAt: 500,
};

/** What one group adds to the log-odds of all. */
export interface GroupTrees {
  readonly trees: Trees;
  /** Share of the log-odds of `trees` that is added, 0..1: n / (n + halfAt) of a group of n rows. */
  readonly share: number;
}

/** Trees for all rows, and for groups of them what the group differs by. */
export interface GroupedTrees {
  readonly global: Trees;
  /** By key, ascending. */
  readonly groups: ReadonlyMap<string, GroupTrees>;
}

/**
 * Trees of all samples, and on top of their log-odds trees of each group that has rows enough. The share of a group grows
 * with the rows it is worth, as estimates of a group do that are drawn to the mean of all (W. James and C. Stein 1961;
 * H. Buehlmann 1967). The number of trees of all is the mean of how many tell the tests of walk-forward folds best, each by
 * the rows that it learned from; that of groups is found on the last of the folds. A group that does not tell its own rows
 * there better than all do has none, and there is none where the samples are too few to tell.
 * @param keys of the group of each row. @param folds places of rows among the samples, oldest first; without any the last
 * fifth of the samples is the only test. @throws {AssertionError} where all labels are the same.
 */
export function trainGroupedTrees(
  samples: Samples,
  keys: readonly string[],
  settings: GroupSettings,
  seed: number,
  folds: readonly SampleFold[] = [],
): GroupedTrees {
  assert(keys.length === samples.labels.length, "each row has a key");
  const { bins } = settings.global;
  const { labels, weights, names, columns } = samples;
  const whole: Lesson = { samples, keys, binned: binColumns(columns, bins) };
  const plan = planOf(whole, settings, seed, folds);
  const global = boostTrees(
    { names, binned: whole.binned, labels, weights },
    { ...settings.global, rounds: plan.rounds },
    seed,
  );
  const offset = logOddsOfAll(global, columns);
  const groups = new Map<string, GroupTrees>();
  for (const [key, rounds] of plan.groups) {
    const rows = rowsOf(keys, key);
    const grown = { ...settings.group, rounds };
    const lesson = { names, binned: whole.binned, labels, weights, offset, rows };
    const trees = boostTrees(lesson, grown, groupSeed(seed, key));
    groups.set(key, { trees, share: shareOf(rows, weights, settings) });
  }
  return { global, groups };
}

interface Lesson {
  readonly samples: Samples;
  readonly keys: readonly string[];
  readonly binned: BinnedColumns;
}

/** How many trees all samples have, and each group that is told better by some of its own. */
interface Plan {
  readonly rounds: number;
  readonly groups: ReadonlyMap<string, number>;
}

function planOf(
  { samples, keys }: Lesson,
  settings: GroupSettings,
  seed: number,
  folds: readonly SampleFold[],
): Plan {
  const usable = folds.filter(({ train, test }) => isEnoughRows(samples.labels, train, test));
  const last = usable.at(-1);
  const split = last === undefined ? splitLater(samples) : { lesson: last.train, later: last.test };
  if (split === null) return { rounds: 0, groups: new Map() };
  const [early, late] = [pickSamples(samples, split.lesson), pickSamples(samples, split.later)];
  const [earlyKeys, lateKeys] = [split.lesson, split.later].map((rows) =>
    Array.from(rows, (row) => keys[row]),
  );
  const binned = binColumns(early.columns, settings.global.bins);
  const lesson = { names: early.names, binned, labels: early.labels, weights: early.weights };
  const global = boostTrees(lesson, settings.global, seed, late);
  const offset = logOddsOfAll(global, early.columns);
  const groups = new Map<string, number>();
  for (const key of [...new Set(earlyKeys)].sort()) {
    const rows = rowsOf(earlyKeys, key);
    const own = pickSamples(late, rowsOf(lateKeys, key));
    if (!isEnough(rows, early.labels, settings) || own.labels.length === 0) continue;
    const before = logOddsOfAll(global, own.columns);
    const share = shareOf(rows, early.weights, settings);
    const later = { ...own, offset: before, share };
    const trees = boostTrees({ ...lesson, offset, rows }, settings.group, groupSeed(seed, key), later);
    const after = logOddsOfAll(trees, own.columns).map((each, row) => before[row] + share * each);
    if (meanLoss(after, own.labels, own.weights) >= meanLoss(before, own.labels, own.weights)) continue;
    groups.set(key, trees.roots.length - 1);
  }
  let [sum, rows] = [(global.roots.length - 1) * split.lesson.length, split.lesson.length];
  for (const { train, test } of usable.slice(0, -1)) {
    sum += roundsOn(samples, { train, test }, settings.global, seed) * train.length;
    rows += train.length;
  }
  return { rounds: Math.round(sum / rows), groups };
}

/** How many trees of the rows of a fold tell its test best. */
function roundsOn(
  samples: Samples,
  { train, test }: SampleFold,
  settings: TreeSettings,
  seed: number,
): number {
  const { names, columns, labels, weights } = pickSamples(samples, train);
  const lesson = { names, binned: binColumns(columns, settings.bins), labels, weights };
  return boostTrees(lesson, settings, seed, pickSamples(samples, test)).roots.length - 1;
}

const groupSeed = (seed: number, key: string) => (seed ^ hash32(key)) | 0;

function rowsOf(keys: readonly string[], key: string): Int32Array {
  return Int32Array.from(keys.flatMap((each, row) => (each === key ? [row] : [])));
}

function isEnough(rows: Int32Array, labels: Float64Array, settings: GroupSettings): boolean {
  let ones = 0;
  for (const row of rows) ones += labels[row];
  const least = Math.min(ones, rows.length - ones);
  return rows.length >= settings.leastRows && least >= Math.max(1, settings.leastOfClass);
}

/** By the rows that a group is worth: weights that differ make fewer of them (L. Kish 1965). */
function shareOf(rows: Int32Array, weights: Float64Array | undefined, { halfAt }: GroupSettings): number {
  let [sum, squares] = [0, 0];
  for (const row of rows) {
    const weight = weights === undefined ? 1 : weights[row];
    sum += weight;
    squares += weight * weight;
  }
  const n = (sum * sum) / squares;
  return n / (n + halfAt);
}

/** Log-odds of one row of a group; those of all where the group has no trees or is not known. */
export function groupedLogOdds({ global, groups }: GroupedTrees, row: Float64Array, key: string): number {
  const group = groups.get(key);
  const logOdds = logOddsOf(global, row);
  return group === undefined ? logOdds : logOdds + group.share * logOddsOf(group.trees, row);
}

/** Chance of label 1 for one row of a group, 0..1. */
export function groupedScore(trees: GroupedTrees, row: Float64Array, key: string): number {
  return chanceOf(groupedLogOdds(trees, row, key));
}

/** What each column added to the log-odds of a row of a group: to those of all, and to what the group differs by. */
export function groupedAttribution(
  { global, groups }: GroupedTrees,
  row: Float64Array,
  key: string,
): Attribution {
  const all = attributeOf(global, row);
  const group = groups.get(key);
  if (group === undefined) return all;
  const own = attributeOf(group.trees, row);
  return {
    base: all.base + group.share * own.base,
    parts: all.parts.map((part, column) => part + group.share * own.parts[column]),
  };
}

/** JSON that `decodeGroupedTrees` reads back. */
export function encodeGroupedTrees({ global, groups }: GroupedTrees): unknown {
  return {
    global: encodeTrees(global),
    groups: Array.from(groups, ([key, { trees, share }]) => ({ key, share, trees: encodeTrees(trees) })),
  };
}

/** @throws {WeightsRefused} for all that is not whole, finite and of one shape. */
export function decodeGroupedTrees(value: unknown): GroupedTrees {
  const file = recordOf(value, ["global", "groups"], "grouped trees");
  const global = decodeTrees(file.global);
  if (!Array.isArray(file.groups)) throw new WeightsRefused("groups are no list");
  const groups = new Map<string, GroupTrees>();
  let last: string | null = null;
  for (const each of file.groups as readonly unknown[]) {
    const group = recordOf(each, ["key", "share", "trees"], "a group");
    const { key } = group;
    if (typeof key !== "string") throw new WeightsRefused("a key is no text");
    refuse(last !== null && key <= last, "keys ascend");
    last = key;
    const share = finite(group.share, "share");
    refuse(share <= 0 || share > 1, "a share is above 0 and up to 1");
    const trees = decodeTrees(group.trees);
    const same = trees.names.length === global.names.length;
    refuse(
      !same || trees.names.some((name, i) => name !== global.names[i]),
      "groups have the columns of all",
    );
    groups.set(key, { trees, share });
  }
  return { global, groups };
}
