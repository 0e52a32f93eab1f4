import { type BinnedColumns, shiftOf, WORD, wordOf } from "./bins.js";
import { addRows, histogramOffsets, takeAway } from "./histograms.js";
import type { TreeSettings } from "./settings.js";
import { clearSplit, emptySplit, type Sums, searchColumn } from "./splits.js";
import { emptyNodes, type TreeNodes } from "./trees.js";

/** One tree, its nodes in preorder from 0. */
export interface GrownTree extends TreeNodes {
  /** Bin of each threshold. */
  readonly bins: Uint8Array;
}

/** What rows have, each by the number of its row in the binned columns. */
export interface RowState {
  /** First and second derivatives of the loss by the log-odds. */
  readonly gradients: Float64Array;
  readonly hessians: Float64Array;
  readonly logOdds: Float64Array;
  /** Each 1 without them. */
  readonly weights?: Float64Array | undefined;
}

/**
 * Grows trees in depth on histograms, the smaller child of a split from its rows, the larger one by taking that from its
 * parent (G. Ke et al. 2017), one after another in buffers that are made once.
 */
export class TreeGrower {
  readonly #binned: BinnedColumns;
  readonly #state: RowState;
  readonly #settings: TreeSettings;
  readonly #offsets: Int32Array;
  readonly #histograms: readonly Float64Array[];
  readonly #nodes: GrownTree;
  readonly #gradients: Float64Array;
  readonly #hessians: Float64Array;
  readonly #moved: Int32Array;
  readonly #split = emptySplit();
  #rows: Int32Array = new Int32Array();
  #columns: Int32Array = new Int32Array();
  /** Those that have the codes of the columns. */
  #words: Int32Array = new Int32Array();
  #count = 0;

  /** @param most rows that a tree is grown on. */
  constructor(binned: BinnedColumns, state: RowState, settings: TreeSettings, most: number) {
    const { depth } = settings;
    this.#binned = binned;
    this.#state = state;
    this.#settings = settings;
    this.#offsets = histogramOffsets(binned);
    this.#histograms = Array.from(
      { length: depth },
      () => new Float64Array(this.#offsets[this.#offsets.length - 1]),
    );
    this.#nodes = emptyTree(Math.min(2 ** (depth + 1), 2 * most));
    this.#gradients = new Float64Array(most);
    this.#hessians = new Float64Array(most);
    this.#moved = new Int32Array(most);
  }

  /**
   * One tree, or null where no split gains enough. Its leaves are added to the log-odds of the rows it is grown on.
   * @param rows which are put in the order of the leaves. @param columns that may be split on, ascending.
   */
  grow(rows: Int32Array, columns: Int32Array): GrownTree | null {
    this.#rows = rows;
    this.#columns = columns;
    this.#words = Int32Array.from(new Set(columns.map(wordOf)));
    this.#count = 0;
    const { gradients, hessians } = this.#state;
    const sums = { gradient: 0, hessian: 0, rows: rows.length };
    for (const row of rows) {
      sums.gradient += gradients[row];
      sums.hessian += hessians[row];
    }
    if (!this.#isOpen(rows.length, 0)) return null;
    this.#fill(this.#histograms[0], 0, rows.length);
    if (!this.#search(this.#histograms[0], sums)) return null;
    this.#growNode(0, rows.length, 0, sums, 0, 1);
    return copyTree(this.#nodes, this.#count);
  }

  /** Whether a node may be split and so needs a histogram. */
  #isOpen(rows: number, depth: number): boolean {
    return depth < this.#settings.depth && rows >= 2 * this.#settings.leafRows;
  }

  #fill(histogram: Float64Array, begin: number, end: number): void {
    const { gradients, hessians } = this.#state;
    const rows = this.#rows;
    const [nodeGradients, nodeHessians] = [this.#gradients, this.#hessians];
    for (let i = begin; i < end; i++) {
      nodeGradients[i - begin] = gradients[rows[i]];
      nodeHessians[i - begin] = hessians[rows[i]];
    }
    const offsets = this.#offsets;
    for (const word of this.#words) {
      histogram.fill(0, offsets[WORD * word], offsets[WORD * (word + 1)]);
      const words = this.#binned.words[word];
      addRows(histogram, offsets, word, words, rows, begin, end, nodeGradients, nodeHessians);
    }
  }

  #search(histogram: Float64Array, sums: Sums): boolean {
    const { edges } = this.#binned;
    clearSplit(this.#split, this.#settings);
    for (const column of this.#columns) {
      const offset = this.#offsets[column];
      searchColumn(histogram, offset, edges[column].length, column, sums, this.#settings, this.#split);
    }
    return this.#split.column >= 0;
  }

  /**
   * What is below a stretch of rows.
   * @param slot of its histogram, which there is if the node is open. @param free first slot that is free.
   * @returns its node.
   */
  #growNode(begin: number, end: number, depth: number, sums: Sums, slot: number, free: number): number {
    const node = this.#count++;
    const histogram = this.#histograms[slot];
    if (!this.#isOpen(end - begin, depth) || !this.#search(histogram, sums)) {
      this.#leaf(node, begin, end, sums);
      return node;
    }
    const { column, bin, gain, gradient, hessian, rows } = this.#split;
    const left = { gradient, hessian, rows };
    const right = {
      gradient: sums.gradient - gradient,
      hessian: sums.hessian - hessian,
      rows: sums.rows - rows,
    };
    const missingLeft = this.#missingLeft(histogram, left, right);
    const middle = this.#part(begin, end, column, bin, missingLeft);
    const leftIsSmall = rows <= right.rows;
    if (this.#isOpen(Math.max(rows, right.rows), depth + 1)) {
      const small = this.#histograms[free];
      if (leftIsSmall) this.#fill(small, begin, middle);
      else this.#fill(small, middle, end);
      for (const word of this.#words) {
        takeAway(histogram, small, this.#offsets[WORD * word], this.#offsets[WORD * (word + 1)]);
      }
    }
    const { columns, thresholds, bins, missingLeft: missing, rights, values, covers, gains } = this.#nodes;
    columns[node] = column;
    thresholds[node] = this.#binned.edges[column][bin];
    bins[node] = bin;
    missing[node] = missingLeft ? 1 : 0;
    values[node] = 0;
    gains[node] = gain;
    // The slot of the right child stays taken while the left one is grown.
    this.#growNode(begin, middle, depth + 1, left, leftIsSmall ? free : slot, free + 1);
    rights[node] = this.#growNode(middle, end, depth + 1, right, leftIsSmall ? slot : free, free + 1);
    covers[node] = covers[node + 1] + covers[rights[node]];
    return node;
  }

  /** Where no row of a node lacks the value, what lacks it later goes where most rows went. */
  #missingLeft(histogram: Float64Array, left: Sums, right: Sums): boolean {
    const { column, missingLeft } = this.#split;
    const lacking = histogram[this.#offsets[column + 1] - 1];
    return lacking > 0 ? missingLeft : left.rows >= right.rows;
  }

  /** Puts rows that go left before those that go right, both in the order they had. @returns where the latter begin. */
  #part(begin: number, end: number, column: number, bin: number, missingLeft: boolean): number {
    const [rows, moved] = [this.#rows, this.#moved];
    const words = this.#binned.words[wordOf(column)];
    const shift = shiftOf(column);
    const missing = missingLeft ? this.#binned.edges[column].length : -1;
    let left = begin;
    let right = 0;
    for (let i = begin; i < end; i++) {
      const row = rows[i];
      if (isLeft((words[row] >>> shift) & 255, bin, missing)) rows[left++] = row;
      else moved[right++] = row;
    }
    for (let i = 0; i < right; i++) rows[left + i] = moved[i];
    return left;
  }

  #leaf(node: number, begin: number, end: number, { gradient, hessian }: Sums): void {
    const { learningRate, lambda } = this.#settings;
    const { logOdds, weights } = this.#state;
    const rows = this.#rows;
    // No -0, which JSON does not have.
    const value = 0 - (learningRate * gradient) / (hessian + lambda);
    let cover = 0;
    for (let i = begin; i < end; i++) {
      logOdds[rows[i]] += value;
      cover += weights === undefined ? 1 : weights[rows[i]];
    }
    const nodes = this.#nodes;
    nodes.columns[node] = -1;
    nodes.thresholds[node] = 0;
    nodes.bins[node] = 0;
    nodes.missingLeft[node] = 0;
    nodes.rights[node] = 0;
    nodes.values[node] = value;
    nodes.covers[node] = cover;
    nodes.gains[node] = 0;
  }
}

/** @param missing code of what is missing where it goes left, else -1. */
function isLeft(code: number, bin: number, missing: number): boolean {
  return code <= bin || code === missing;
}

/** Adds the leaves of a tree to the log-odds of rows that it was not grown on. */
export function addTree(
  tree: GrownTree,
  { words, edges }: BinnedColumns,
  rows: Int32Array,
  logOdds: Float64Array,
): void {
  const { columns, bins, missingLeft, rights, values } = tree;
  for (const row of rows) {
    let node = 0;
    while (columns[node] >= 0) {
      const column = columns[node];
      const missing = missingLeft[node] === 1 ? edges[column].length : -1;
      const code = (words[wordOf(column)][row] >>> shiftOf(column)) & 255;
      node = isLeft(code, bins[node], missing) ? node + 1 : rights[node];
    }
    logOdds[row] += values[node];
  }
}

function emptyTree(nodes: number): GrownTree {
  return { ...emptyNodes(nodes), bins: new Uint8Array(nodes) };
}

function copyTree(tree: GrownTree, nodes: number): GrownTree {
  return {
    columns: tree.columns.slice(0, nodes),
    thresholds: tree.thresholds.slice(0, nodes),
    missingLeft: tree.missingLeft.slice(0, nodes),
    rights: tree.rights.slice(0, nodes),
    values: tree.values.slice(0, nodes),
    covers: tree.covers.slice(0, nodes),
    gains: tree.gains.slice(0, nodes),
    bins: tree.bins.slice(0, nodes),
  };
}
