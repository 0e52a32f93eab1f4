/** Index of the first element >= target in an ascending column, or its length when there is none. */
export function lowerBound(column: Float64Array | Int32Array, target: number): number {
  let low = 0;
  let high = column.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (column[middle] < target) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the first element > target in an ascending column, or its length when there is none. */
export function upperBound(column: Float64Array, target: number): number {
  let low = 0;
  let high = column.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (column[middle] <= target) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** `upperBound` of element `i` of another column: where it is not inlined, it is given no double, which V8 would put on the heap. */
export function upperBoundAt(column: Float64Array, targets: Float64Array, i: number): number {
  let low = 0;
  let high = column.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (column[middle] <= targets[i]) low = middle + 1;
    else high = middle;
  }
  return low;
}
