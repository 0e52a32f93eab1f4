import { assert } from "../../base/assert.js";
import { lowerBound } from "../../base/search.js";

/** Codes of one byte: 255 of values and one of what is missing. */
export const MOST_BINS = 255;

/** Columns whose codes make a word of 32 bits, so that a row has them in one place. */
export const WORD = 4;

/** Columns as small whole numbers that keep their order, made once and used by every tree that is grown on them. */
export interface BinnedColumns {
  readonly rows: number;
  /**
   * A word for each row, for each four columns: the code of the first column in its lowest byte. A code is 0 of the
   * lowest values, `edges[column].length` of NaN, 0 of columns that there are not.
   */
  readonly words: readonly Int32Array[];
  /**
   * Highest value of each bin, ascending, for each column: values up to it and above the one before have its code. The
   * last one is the largest double.
   */
  readonly edges: readonly Float64Array[];
}

/**
 * Columns in bins of about as many rows each; a value for each bin where there are no more values than bins. Edges lie
 * halfway between the values that they part. NaN has a code of its own.
 * @param bins most for a column, 2 to 255. @throws {AssertionError} for an infinite value.
 */
export function binColumns(columns: readonly Float64Array[], bins = MOST_BINS): BinnedColumns {
  assert(Number.isInteger(bins) && bins >= 2 && bins <= MOST_BINS, "bins are 2 to 255");
  assert(columns.length > 0, "there are columns");
  const rows = columns[0].length;
  assert(
    columns.every((column) => column.length === rows),
    "columns are of one length",
  );
  const edges = columns.map((column) => edgesOf(column, bins));
  const words = Array.from({ length: Math.ceil(columns.length / WORD) }, () => new Int32Array(rows));
  for (const [index, column] of columns.entries()) {
    addCodes(words[wordOf(index)], shiftOf(index), column, edges[index]);
  }
  return { rows, edges, words };
}

/** Which words have the codes of a column. */
export function wordOf(column: number): number {
  return column >>> 2;
}

/** Bits by which a word is shifted for the code of a column in its lowest byte. */
export function shiftOf(column: number): number {
  return 8 * (column & 3);
}

function edgesOf(column: Float64Array, bins: number): Float64Array {
  const sorted = column.filter((value) => !Number.isNaN(value)).sort();
  const { length } = sorted;
  if (length === 0) return Float64Array.of(Number.MAX_VALUE);
  assert(Number.isFinite(sorted[0]) && Number.isFinite(sorted[length - 1]), "values are finite or NaN");
  const distinct = distinctOf(sorted, bins);
  const edges: number[] = [];
  // Each bin takes its part of the rows that the bins before it have left, and never a part of equal ones.
  for (let begin = 0; begin < length; ) {
    const left = bins - edges.length;
    const share = distinct <= bins ? 1 : (length - begin) / left;
    let end = Math.min(length, begin + Math.max(1, Math.round(share)));
    while (end < length && sorted[end] === sorted[end - 1]) end++;
    edges.push(end === length || left === 1 ? Number.MAX_VALUE : halfway(sorted[end - 1], sorted[end]));
    begin = left === 1 ? length : end;
  }
  return Float64Array.from(edges);
}

/** How many different values there are, up to one more than `most`. */
function distinctOf(sorted: Float64Array, most: number): number {
  let distinct = 1;
  for (let i = 1; i < sorted.length && distinct <= most; i++) if (sorted[i] !== sorted[i - 1]) distinct++;
  return distinct;
}

/** A double at or above the lower value and below the higher one. */
function halfway(low: number, high: number): number {
  const middle = low / 2 + high / 2;
  return middle >= low && middle < high ? middle : low;
}

function addCodes(words: Int32Array, shift: number, column: Float64Array, edges: Float64Array): void {
  const missing = edges.length;
  for (let row = 0; row < column.length; row++) {
    const value = column[row];
    const code = Number.isNaN(value) ? missing : lowerBound(edges, value);
    words[row] |= code << shift;
  }
}
