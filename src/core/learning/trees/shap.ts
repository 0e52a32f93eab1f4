import { assert } from "../../base/assert.js";
import { MOST_DEPTH } from "./settings.js";
import type { Trees } from "./trees.js";

/** What each column added to log-odds, and what there was without any; they sum to the log-odds. */
export interface Attribution {
  readonly base: number;
  /** One for each name. */
  readonly parts: Float64Array;
}

/**
 * Columns on the way to a node, each once: what share of the rows go on where it is not known (`zeros`), whether the row
 * itself goes on (`ones`), and weights of how many of them are known. Each depth has a stretch of its own.
 */
interface Way {
  readonly columns: Int32Array;
  readonly zeros: Float64Array;
  readonly ones: Float64Array;
  readonly weights: Float64Array;
}

const PLACES = ((MOST_DEPTH + 2) * (MOST_DEPTH + 3)) / 2;

/**
 * Shapley values of the log-odds of one row, exactly, where the value of known columns is the mean over the rows that a
 * tree was grown on, which at a node for an unknown column go on as they did (S. Lundberg et al. 2020, path-dependent
 * TreeSHAP). In the time of leaves times depth squared.
 */
export function attributeOf(trees: Trees, row: Float64Array): Attribution {
  assert(row.length === trees.names.length, "the row has the columns of the trees");
  const parts = new Float64Array(row.length);
  const way: Way = {
    columns: new Int32Array(PLACES),
    zeros: new Float64Array(PLACES),
    ones: new Float64Array(PLACES),
    weights: new Float64Array(PLACES),
  };
  let base = trees.base;
  for (let tree = 0; tree + 1 < trees.roots.length; tree++) {
    const [root, end] = [trees.roots[tree], trees.roots[tree + 1]];
    for (let node = root; node < end; node++) {
      base += (trees.values[node] * trees.covers[node]) / trees.covers[root];
    }
    walk(trees, row, parts, way, root, 0, 0, 1, 1, -1);
  }
  return { base, parts };
}

/**
 * Adds what the leaves below a node say to the parts.
 * @param before where the way to the parent begins. @param length columns on it, with the one that the parent asked for.
 */
function walk(
  trees: Trees,
  row: Float64Array,
  parts: Float64Array,
  way: Way,
  node: number,
  before: number,
  length: number,
  zero: number,
  one: number,
  asked: number,
): void {
  const begin = before + length;
  copyWay(way, before, begin, length);
  extend(way, begin, length, zero, one, asked);
  const column = trees.columns[node];
  if (column < 0) {
    for (let i = 1; i <= length; i++) {
      const share = weightWithout(way, begin, length, i) * (way.ones[begin + i] - way.zeros[begin + i]);
      parts[way.columns[begin + i]] += share * trees.values[node];
    }
    return;
  }
  const value = row[column];
  const goesLeft = value <= trees.thresholds[node] || (Number.isNaN(value) && trees.missingLeft[node] === 1);
  const own = goesLeft ? node + 1 : trees.rights[node];
  const other = goesLeft ? trees.rights[node] : node + 1;
  let [known, knownZero, knownOne] = [length, 1, 1];
  for (let i = 1; i <= length; i++) {
    if (way.columns[begin + i] !== column) continue;
    // A column that is asked for again is one player still.
    knownZero = way.zeros[begin + i];
    knownOne = way.ones[begin + i];
    drop(way, begin, length, i);
    known = length - 1;
    break;
  }
  const cover = trees.covers[node];
  const next = known + 1;
  walk(trees, row, parts, way, own, begin, next, (knownZero * trees.covers[own]) / cover, knownOne, column);
  walk(trees, row, parts, way, other, begin, next, (knownZero * trees.covers[other]) / cover, 0, column);
}

function copyWay(way: Way, from: number, to: number, count: number): void {
  way.columns.copyWithin(to, from, from + count);
  way.zeros.copyWithin(to, from, from + count);
  way.ones.copyWithin(to, from, from + count);
  way.weights.copyWithin(to, from, from + count);
}

/** Puts one more column at the end of a way of `length` columns. */
function extend(way: Way, begin: number, length: number, zero: number, one: number, column: number): void {
  const { weights } = way;
  way.columns[begin + length] = column;
  way.zeros[begin + length] = zero;
  way.ones[begin + length] = one;
  weights[begin + length] = length === 0 ? 1 : 0;
  for (let i = length - 1; i >= 0; i--) {
    weights[begin + i + 1] += (one * weights[begin + i] * (i + 1)) / (length + 1);
    weights[begin + i] = (zero * weights[begin + i] * (length - i)) / (length + 1);
  }
}

/** Takes a column out of a way whose last place is `last`, as though it had never been put there. */
function drop(way: Way, begin: number, last: number, place: number): void {
  const { columns, zeros, ones, weights } = way;
  const [zero, one] = [zeros[begin + place], ones[begin + place]];
  let next = weights[begin + last];
  for (let i = last - 1; i >= 0; i--) {
    if (one !== 0) {
      const kept = weights[begin + i];
      weights[begin + i] = (next * (last + 1)) / ((i + 1) * one);
      next = kept - (weights[begin + i] * zero * (last - i)) / (last + 1);
    } else {
      weights[begin + i] = (weights[begin + i] * (last + 1)) / (zero * (last - i));
    }
  }
  for (let i = place; i < last; i++) {
    columns[begin + i] = columns[begin + i + 1];
    zeros[begin + i] = zeros[begin + i + 1];
    ones[begin + i] = ones[begin + i + 1];
  }
}

/** Sum of the weights of a way whose last place is `last`, had one column never been put there. */
function weightWithout(way: Way, begin: number, last: number, place: number): number {
  const { weights } = way;
  const [zero, one] = [way.zeros[begin + place], way.ones[begin + place]];
  let next = weights[begin + last];
  let total = 0;
  for (let i = last - 1; i >= 0; i--) {
    if (one !== 0) {
      const weight = (next * (last + 1)) / ((i + 1) * one);
      total += weight;
      next = weights[begin + i] - (weight * zero * (last - i)) / (last + 1);
    } else {
      total += (weights[begin + i] * (last + 1)) / (zero * (last - i));
    }
  }
  return total;
}
