import { assert } from "../../base/assert.js";

/**
 * Trees whose leaves add up to log-odds, as columns with a number for each node. The nodes of a tree lie together, in
 * preorder: the left child of a node is the one after it.
 */
export interface Trees {
  /** Of the columns, in the order that rows have them. */
  readonly names: readonly string[];
  /** Log-odds before any tree. */
  readonly base: number;
  /** First node of each tree, and at the end how many nodes there are. */
  readonly roots: Int32Array;
  /** Column that a node asks for; -1 of a leaf. */
  readonly columns: Int32Array;
  /** Values up to it go left; 0 of a leaf. */
  readonly thresholds: Float64Array;
  /** 1 where what is missing goes left. */
  readonly missingLeft: Uint8Array;
  /** The right child; 0 of a leaf. */
  readonly rights: Int32Array;
  /** What a leaf adds to the log-odds; 0 of other nodes. */
  readonly values: Float64Array;
  /** Weight of the rows that a node was grown on; that of both children of one that is no leaf. */
  readonly covers: Float64Array;
  /** What a split gained; 0 of a leaf. */
  readonly gains: Float64Array;
}

/** Columns of the nodes of trees. */
export type TreeNodes = Omit<Trees, "names" | "base" | "roots">;

/** Columns for so many nodes, all 0. */
export function emptyNodes(nodes: number): TreeNodes {
  return {
    columns: new Int32Array(nodes),
    thresholds: new Float64Array(nodes),
    missingLeft: new Uint8Array(nodes),
    rights: new Int32Array(nodes),
    values: new Float64Array(nodes),
    covers: new Float64Array(nodes),
    gains: new Float64Array(nodes),
  };
}

/** Log-odds of one row. @param row in the order of `names`, NaN where a value is missing. */
export function logOddsOf(trees: Trees, row: Float64Array): number {
  assert(row.length === trees.names.length, "the row has the columns of the trees");
  const { roots, columns, thresholds, missingLeft, rights, values } = trees;
  let sum = trees.base;
  for (let tree = 0; tree + 1 < roots.length; tree++) {
    let node = roots[tree];
    let column = columns[node];
    while (column >= 0) {
      const value = row[column];
      const left = value <= thresholds[node] || (Number.isNaN(value) && missingLeft[node] === 1);
      node = left ? node + 1 : rights[node];
      column = columns[node];
    }
    sum += values[node];
  }
  return sum;
}

/** Log-odds of many rows. @param samples one column for each name, of one length. */
export function logOddsOfAll(trees: Trees, samples: readonly Float64Array[]): Float64Array {
  const row = new Float64Array(trees.names.length);
  const logOdds = new Float64Array(samples[0].length);
  for (let i = 0; i < logOdds.length; i++) {
    for (let column = 0; column < row.length; column++) row[column] = samples[column][i];
    logOdds[i] = logOddsOf(trees, row);
  }
  return logOdds;
}

/** What columns were worth to trees, in the order of their names. */
export interface TreeImportances {
  /** How often a column was split on. */
  readonly splits: Float64Array;
  /** What those splits gained together. */
  readonly gains: Float64Array;
}

/** On the rows that the trees were grown on: columns of many values are favoured (C. Strobl et al. 2007). */
export function importancesOf({ names, columns, gains }: Trees): TreeImportances {
  const sums = { splits: new Float64Array(names.length), gains: new Float64Array(names.length) };
  for (let node = 0; node < columns.length; node++) {
    const column = columns[node];
    if (column < 0) continue;
    sums.splits[column]++;
    sums.gains[column] += gains[node];
  }
  return sums;
}
