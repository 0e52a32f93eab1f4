import { type BinnedColumns, WORD } from "./bins.js";

/** Numbers that each bin has: sums of first and second derivatives, and rows. */
export const CELL = 3;

/**
 * Where each column's bins begin in a histogram, in numbers, up to the last of the last word, and where they all end.
 * The last bin of a column is of what is missing; a column that there is not has one bin.
 */
export function histogramOffsets({ edges, words }: BinnedColumns): Int32Array {
  const offsets = new Int32Array(WORD * words.length + 1);
  for (let column = 0; column + 1 < offsets.length; column++) {
    const bins = column < edges.length ? edges[column].length + 1 : 1;
    offsets[column + 1] = offsets[column] + CELL * bins;
  }
  return offsets;
}

/**
 * Adds rows to the bins of the four columns of a word.
 * @param offsets of the columns. @param gradients @param hessians of the rows from `begin` to `end`, from place 0.
 */
export function addRows(
  histogram: Float64Array,
  offsets: Int32Array,
  word: number,
  words: Int32Array,
  rows: Int32Array,
  begin: number,
  end: number,
  gradients: Float64Array,
  hessians: Float64Array,
): void {
  const first = offsets[WORD * word];
  const second = offsets[WORD * word + 1];
  const third = offsets[WORD * word + 2];
  const fourth = offsets[WORD * word + 3];
  for (let i = begin; i < end; i++) {
    const codes = words[rows[i]];
    const gradient = gradients[i - begin];
    const hessian = hessians[i - begin];
    let at = first + CELL * (codes & 255);
    histogram[at] += gradient;
    histogram[at + 1] += hessian;
    histogram[at + 2] += 1;
    at = second + CELL * ((codes >>> 8) & 255);
    histogram[at] += gradient;
    histogram[at + 1] += hessian;
    histogram[at + 2] += 1;
    at = third + CELL * ((codes >>> 16) & 255);
    histogram[at] += gradient;
    histogram[at + 1] += hessian;
    histogram[at + 2] += 1;
    at = fourth + CELL * (codes >>> 24);
    histogram[at] += gradient;
    histogram[at + 1] += hessian;
    histogram[at + 2] += 1;
  }
}

/** Takes a stretch of another histogram away: what of a parent is not in one child is in the other. */
export function takeAway(histogram: Float64Array, other: Float64Array, begin: number, end: number): void {
  for (let i = begin; i < end; i++) histogram[i] -= other[i];
}
