/** A matrix within a column: what stands in row i and column p lies at `at + i * row + p * step`. */
export interface Matrix {
  readonly values: Float64Array;
  readonly at: number;
  readonly row: number;
  readonly step: number;
}

/** Rows of `width` values that follow each other from `at` on. Rows closer than they are wide are windows that overlap. */
export function matrix(values: Float64Array, width: number, at = 0): Matrix {
  return { values, at, row: width, step: 1 };
}

/** Rows as columns, in the same memory. */
export function transposed({ values, at, row, step }: Matrix): Matrix {
  return { values, at, row: step, step: row };
}

/**
 * Adds the products of two matrices to a third: `c[i, j] += sum over p of a[i, p] * b[j, p]`, for i below `rows`, j
 * below `columns`, p below `depth`, each matrix moved on by its offset in values. `c` has steps of 1.
 *
 * Four rows by two columns are summed at a time, eight products for six loads; sums run over p in its order and do not
 * depend on how rows and columns are cut.
 */
export function multiplyAdd(
  c: Matrix,
  cOffset: number,
  a: Matrix,
  aOffset: number,
  b: Matrix,
  bOffset: number,
  rows: number,
  columns: number,
  depth: number,
): void {
  const { values: x, row: aRow, step: aStep } = a;
  const { values: y, row: bRow, step: bStep } = b;
  const { values: z, row: cRow } = c;
  const aAt = a.at + aOffset;
  const bAt = b.at + bOffset;
  const cAt = c.at + cOffset;
  const fullRows = rows & ~3;
  const fullColumns = columns & ~1;
  for (let j = 0; j < fullColumns; j += 2) {
    for (let i = 0; i < fullRows; i += 4) {
      let left = aAt + i * aRow;
      let right = bAt + j * bRow;
      let s00 = 0;
      let s01 = 0;
      let s10 = 0;
      let s11 = 0;
      let s20 = 0;
      let s21 = 0;
      let s30 = 0;
      let s31 = 0;
      for (let p = 0; p < depth; p++) {
        const b0 = y[right];
        const b1 = y[right + bRow];
        const a0 = x[left];
        const a1 = x[left + aRow];
        const a2 = x[left + 2 * aRow];
        const a3 = x[left + 3 * aRow];
        s00 += a0 * b0;
        s01 += a0 * b1;
        s10 += a1 * b0;
        s11 += a1 * b1;
        s20 += a2 * b0;
        s21 += a2 * b1;
        s30 += a3 * b0;
        s31 += a3 * b1;
        left += aStep;
        right += bStep;
      }
      const to = cAt + i * cRow + j;
      z[to] += s00;
      z[to + 1] += s01;
      z[to + cRow] += s10;
      z[to + cRow + 1] += s11;
      z[to + 2 * cRow] += s20;
      z[to + 2 * cRow + 1] += s21;
      z[to + 3 * cRow] += s30;
      z[to + 3 * cRow + 1] += s31;
    }
  }
  if (fullRows < rows || fullColumns < columns) {
    addRest(c, cOffset, a, aOffset, b, bOffset, rows, columns, depth);
  }
}

/** The sums that are left over beside full blocks of four rows by two columns. */
function addRest(
  c: Matrix,
  cOffset: number,
  a: Matrix,
  aOffset: number,
  b: Matrix,
  bOffset: number,
  rows: number,
  columns: number,
  depth: number,
): void {
  const { values: x, row: aRow, step: aStep } = a;
  const { values: y, row: bRow, step: bStep } = b;
  const fullRows = rows & ~3;
  const fullColumns = columns & ~1;
  for (let i = 0; i < rows; i++) {
    for (let j = i < fullRows ? fullColumns : 0; j < columns; j++) {
      let left = a.at + aOffset + i * aRow;
      let right = b.at + bOffset + j * bRow;
      let sum = 0;
      for (let p = 0; p < depth; p++) {
        sum += x[left] * y[right];
        left += aStep;
        right += bStep;
      }
      c.values[c.at + cOffset + i * c.row + j] += sum;
    }
  }
}

/** Writes a row of a column, from `at` on, into each of the first rows of another. */
export function repeatRow(
  into: Float64Array,
  from: Float64Array,
  at: number,
  rows: number,
  width: number,
): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < width; j++) into[i * width + j] = from[at + j];
  }
}

/** Adds the rows of a column to a row of another, from `at` on. */
export function addRows(
  into: Float64Array,
  at: number,
  from: Float64Array,
  rows: number,
  width: number,
): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < width; j++) into[at + j] += from[i * width + j];
  }
}
