import { OCCURRENCE_COLUMNS, type Occurrences, OUTCOMES } from "./evidence-series.js";

/** Occurrences of one interval over all series, as columns of one length. */
export type Pool = Pick<Occurrences, (typeof OCCURRENCE_COLUMNS)[number]>;

/** Occurrences of a variant in a pool, by index into its columns. */
export interface VariantPool {
  /** All of them, by the close of their bars. */
  readonly known: Int32Array;
  /** Those whose trade was taken and ended, by when that was known. */
  readonly settled: Int32Array;
}

/** Puts series together in the order they are given. */
export function poolOf(parts: readonly Pool[]): Pool {
  const length = parts.reduce((sum, { variant }) => sum + variant.length, 0);
  const pool: Pool = {
    variant: new Uint16Array(length),
    regime: new Int8Array(length),
    outcome: new Uint8Array(length),
    live: new Uint8Array(length),
    knownAt: new Float64Array(length),
    settledAt: new Float64Array(length),
    r: new Float64Array(length),
    base: new Float64Array(length),
    baseBefore: new Float64Array(length),
    regimeBase: new Float64Array(length),
    regimeBefore: new Float64Array(length),
    costShare: new Float64Array(length),
  };
  let from = 0;
  for (const part of parts) {
    for (const column of OCCURRENCE_COLUMNS) pool[column].set(part[column] as never, from);
    from += part.variant.length;
  }
  return pool;
}

/** The occurrences of each variant in order of time; of one moment, in the order of the pool. */
export function splitByVariant({ variant, outcome, knownAt, settledAt }: Pool, count: number): VariantPool[] {
  const sizes = new Int32Array(count);
  for (const index of variant) sizes[index]++;
  const members = Array.from(sizes, (size) => new Int32Array(size));
  sizes.fill(0);
  for (let i = 0; i < variant.length; i++) members[variant[i]][sizes[variant[i]]++] = i;
  return members.map((all) => ({
    known: all.slice().sort((a, b) => knownAt[a] - knownAt[b] || a - b),
    settled: all
      .filter((i) => outcome[i] === OUTCOMES.hit || outcome[i] === OUTCOMES.miss)
      .sort((a, b) => settledAt[a] - settledAt[b] || a - b),
  }));
}
