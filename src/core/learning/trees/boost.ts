import { assert } from "../../base/assert.js";
import type { Samples } from "../define.js";
import { type BinnedColumns, binColumns } from "./bins.js";
import { createDraws } from "./draws.js";
import { addTree, type GrownTree, type RowState, TreeGrower } from "./grow.js";
import { checkLater, type LaterRows } from "./later.js";
import { chanceOf, interceptOf, meanLoss } from "./loss.js";
import { checkSettings, type TreeSettings } from "./settings.js";
import { emptyNodes, logOddsOfAll, type Trees } from "./trees.js";

/** Rows to learn from; each column with a number for each row. */
export interface LessonRows {
  readonly names: readonly string[];
  readonly binned: BinnedColumns;
  /** 0 or 1. */
  readonly labels: Float64Array;
  /** Above 0; each 1 without them. */
  readonly weights?: Float64Array | undefined;
  /** Log-odds that trees are grown on top of; they are no part of what the trees say. */
  readonly offset?: Float64Array | undefined;
  /** Which rows, ascending; all without it. */
  readonly rows?: Int32Array | undefined;
}

/** Samples that are decided after all that is learned from had settled. */
export interface LaterSamples {
  readonly samples: Samples;
  readonly offset?: Float64Array | undefined;
}

/**
 * Boosted trees for the chance of label 1, on all of the samples: bins, then `boostTrees`.
 * @param offset log-odds that trees are grown on top of. @param later what tells when to stop.
 * @throws {AssertionError} where `later` overlaps the samples in time or has other columns, and as `boostTrees`.
 */
export function trainTrees(
  samples: Samples,
  settings: TreeSettings,
  seed: number,
  { offset, later }: { readonly offset?: Float64Array; readonly later?: LaterSamples } = {},
): Trees {
  if (later !== undefined) checkLater(samples, later.samples);
  const { names, columns, labels, weights } = samples;
  const lesson = { names, binned: binColumns(columns, settings.bins), labels, weights, offset };
  return boostTrees(lesson, settings, seed, later && { ...later.samples, offset: later.offset });
}

/**
 * Trees for the log-loss, each grown on the first and second derivatives that those before have left (J. Friedman 2001;
 * T. Chen and C. Guestrin 2016). With later rows growing stops once their loss has not fallen for `patience` rounds,
 * and trees past its lowest are dropped, be it all of them. The same input gives the same trees to the last bit.
 * @throws {AssertionError} for settings out of range and where all labels are the same.
 */
export function boostTrees(
  lesson: LessonRows,
  settings: TreeSettings,
  seed: number,
  later?: LaterRows,
): Trees {
  checkSettings(settings);
  const { names, binned, labels, weights, offset } = lesson;
  assert(binned.edges.length === names.length && labels.length === binned.rows, "columns fit together");
  const rows = lesson.rows ?? Int32Array.from({ length: binned.rows }, (_, row) => row);
  const base = interceptOf(rows, labels, weights, offset);
  const state: RowState = {
    gradients: new Float64Array(binned.rows),
    hessians: new Float64Array(binned.rows),
    logOdds: offset === undefined ? new Float64Array(binned.rows) : offset.slice(),
    weights,
  };
  for (const row of rows) state.logOdds[row] += base;
  const draws = createDraws(rows, names.length, settings, seed);
  const grower = new TreeGrower(binned, state, settings, draws.rowCount);
  const stop = later === undefined ? null : createStop(names, later, base, settings.patience);
  const trees: GrownTree[] = [];
  for (let round = 0; round < settings.rounds; round++) {
    derive(rows, labels, state);
    const drawn = draws.draw(round);
    const tree = grower.grow(drawn.rows, drawn.columns);
    // Where nothing is drawn by chance the next round would find no split either.
    if (tree === null && draws.all) break;
    if (tree !== null) {
      addTree(tree, binned, drawn.others, state.logOdds);
      trees.push(tree);
    }
    if (stop?.isDue(tree) === true) break;
  }
  return joinTrees(names, base, stop === null ? trees : trees.slice(0, stop.kept()));
}

function derive(rows: Int32Array, labels: Float64Array, state: RowState): void {
  const { gradients, hessians, logOdds, weights } = state;
  for (const row of rows) {
    const chance = chanceOf(logOdds[row]);
    const weight = weights === undefined ? 1 : weights[row];
    gradients[row] = weight * (chance - labels[row]);
    hessians[row] = weight * chance * (1 - chance);
  }
}

/** When growing stops. */
interface Stop {
  /** @param tree the next one, or null where a round had none. */
  isDue(tree: GrownTree | null): boolean;
  /** How many trees had the lowest loss. */
  kept(): number;
}

function createStop(names: readonly string[], later: LaterRows, base: number, patience: number): Stop {
  const { columns, labels, weights, offset, share = 1 } = later;
  assert(labels.length > 0, "there are later rows");
  const logOdds = Float64Array.from(
    labels,
    (_, row) => share * base + (offset === undefined ? 0 : offset[row]),
  );
  let lowest = meanLoss(logOdds, labels, weights);
  let [trees, kept, idle] = [0, 0, 0];
  return {
    isDue(tree) {
      idle++;
      if (tree === null) return idle >= patience;
      trees++;
      const added = logOddsOfAll(joinTrees(names, 0, [tree]), columns);
      for (let row = 0; row < logOdds.length; row++) logOdds[row] += share * added[row];
      const loss = meanLoss(logOdds, labels, weights);
      if (loss < lowest) [lowest, kept, idle] = [loss, trees, 0];
      return idle >= patience;
    },
    kept: () => kept,
  };
}

function joinTrees(names: readonly string[], base: number, grown: readonly GrownTree[]): Trees {
  const roots = new Int32Array(grown.length + 1);
  for (const [i, tree] of grown.entries()) roots[i + 1] = roots[i] + tree.columns.length;
  const nodes = roots[grown.length];
  const joined: Trees = { names, base, roots, ...emptyNodes(nodes) };
  for (const [i, tree] of grown.entries()) {
    const root = roots[i];
    joined.columns.set(tree.columns, root);
    joined.thresholds.set(tree.thresholds, root);
    joined.missingLeft.set(tree.missingLeft, root);
    joined.values.set(tree.values, root);
    joined.covers.set(tree.covers, root);
    joined.gains.set(tree.gains, root);
    joined.rights.set(
      tree.rights.map((right) => (right === 0 ? 0 : root + right)),
      root,
    );
  }
  return joined;
}
