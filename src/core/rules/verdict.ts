/** What a condition says of a bar: logic of three values, by S. Kleene. */
export const TRUE = 1;
export const FALSE = 0;
export const UNKNOWN = -1;
export type Verdict = typeof TRUE | typeof FALSE | typeof UNKNOWN;

/** False where any is, else unknown where any is. */
export function allOf(columns: readonly Int8Array[]): Int8Array {
  return columns[0].map((_, i) => {
    let verdict: Verdict = TRUE;
    for (const column of columns) {
      if (column[i] === FALSE) return FALSE;
      if (column[i] === UNKNOWN) verdict = UNKNOWN;
    }
    return verdict;
  });
}

/** True where any is, else unknown where any is. */
export function anyOf(columns: readonly Int8Array[]): Int8Array {
  return columns[0].map((_, i) => {
    let verdict: Verdict = FALSE;
    for (const column of columns) {
      if (column[i] === TRUE) return TRUE;
      if (column[i] === UNKNOWN) verdict = UNKNOWN;
    }
    return verdict;
  });
}

export function noneOf(column: Int8Array): Int8Array {
  return column.map((verdict) => (verdict === UNKNOWN ? UNKNOWN : 1 - verdict));
}

/** True where it was at each of the last so many bars; what was before the first is unknown. */
export function lasting(column: Int8Array, bars: number): Int8Array {
  let lastFalse = Number.NEGATIVE_INFINITY;
  let lastUnknown = -1;
  return column.map((verdict, i) => {
    if (verdict === FALSE) lastFalse = i;
    if (verdict === UNKNOWN) lastUnknown = i;
    if (i - lastFalse < bars) return FALSE;
    return i - lastUnknown < bars ? UNKNOWN : TRUE;
  });
}

/**
 * True where the difference has the wanted sign and had the other one when it last had any. A bar at which it is not known
 * hides what was before.
 */
export function crossings(left: Float64Array, right: Float64Array, way: 1 | -1): Int8Array {
  const verdicts = new Int8Array(left.length);
  let side = 0;
  for (let i = 0; i < left.length; i++) {
    const now = Math.sign(left[i] - right[i]);
    if (Number.isNaN(now)) {
      verdicts[i] = UNKNOWN;
      side = 0;
      continue;
    }
    verdicts[i] = now !== way ? FALSE : side === 0 ? UNKNOWN : side === -way ? TRUE : FALSE;
    if (now !== 0) side = now;
  }
  return verdicts;
}
