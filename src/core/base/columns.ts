/**
 * Columns for work that needs them only while it runs. V8 counts what typed arrays hold outside of its heap and collects
 * the whole heap each 64 MB of it: work that makes a megabyte at each call, and returns a row, paused for
 * milliseconds at every sixtieth.
 */

/** Doubles that are lent at a time, 32 MB; what is wanted beyond them is allocated. Memory that nobody wanted yet is the system's. */
const ROOM = 1 << 22;
let room: Float64Array | null = null;
let lent = 0;
let depth = 0;

/** A column of zeros: lent within `lendingColumns`, else the caller's own. */
export function createColumn(length: number): Float64Array {
  const column = createUnset(length);
  return column.buffer === room?.buffer ? column.fill(0) : column;
}

/** The same of whatever numbers, for those who write each of them. */
export function createUnset(length: number): Float64Array {
  if (depth === 0 || lent + length > ROOM) return new Float64Array(length);
  room ??= new Float64Array(ROOM);
  const column = room.subarray(lent, lent + length);
  lent += length;
  return column;
}

/** A copy, lent as `createColumn` lends. */
export function copyColumn(column: Float64Array): Float64Array {
  const copy = createUnset(column.length);
  copy.set(column);
  return copy;
}

/**
 * Runs work whose columns are lent: they are taken back when it returns or throws, and hold other values soon after. No
 * column that it asks for may outlive it, in what it returns or elsewhere, and it must not await.
 */
export function lendingColumns<Result>(work: () => Result): Result {
  return runAt(depth + 1, work);
}

/** Runs work whose columns are its own, to keep, though others around it are lent. */
export function owningColumns<Result>(work: () => Result): Result {
  return runAt(0, work);
}

function runAt<Result>(level: number, work: () => Result): Result {
  const before = { depth, lent };
  depth = level;
  try {
    return work();
  } finally {
    ({ depth, lent } = before);
  }
}
