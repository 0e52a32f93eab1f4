import { type Candles, sliceCandles } from "../../core/market/candles.js";

export type SubjectKind = "indicator" | "pattern" | "regime";
export const SUBJECT_KINDS = ["indicator", "pattern", "regime"] as const satisfies readonly SubjectKind[];

export type Said = number | string | null;

/** Something that says something of each bar, and must not take back what it said. */
export interface TruncationSubject {
  readonly kind: SubjectKind;
  readonly name: string;
  /** Bars before the first of which it says anything. */
  readonly warmup: number;
  /** What it says of bars from `from` on, of given candles, by field. */
  observe(candles: Candles, from: number): (at: number) => ReadonlyMap<string, Said>;
}

/** A bar of which something else was said before the bars after it were known. */
export interface Leak {
  /** Open of the bar, epoch ms. */
  readonly time: number;
  readonly field: string;
  /** Said when the bar was the newest, and said with all bars known; null for nothing. */
  readonly prefix: Said;
  readonly whole: Said;
}

export interface SubjectFinding {
  readonly kind: SubjectKind;
  readonly name: string;
  /** Bars that were tested: those after the warm-up, before which nothing is said. */
  readonly tested: number;
  /** Fields at bars that differ. */
  readonly differences: number;
  /** The first of them. */
  readonly first: readonly Leak[];
}

const FIRST_LIMIT = 10;

/**
 * The truncation test: at each of the bars, what is said of it with the series cut after it must be, to the last bit,
 * what is said of it with the whole series. @param bars indexes, ascending.
 */
export function findLeaks(
  subjects: readonly TruncationSubject[],
  candles: Candles,
  bars: readonly number[],
): SubjectFinding[] {
  const wholes = subjects.map((subject) => subject.observe(candles, bars[0] ?? 0));
  const found = subjects.map(() => ({ differences: 0, first: [] as Leak[] }));
  for (const at of bars) {
    const prefix = sliceCandles(candles, 0, at + 1);
    for (const [i, subject] of subjects.entries()) {
      const before = subject.observe(prefix, at)(at);
      const after = wholes[i](at);
      for (const field of new Set([...before.keys(), ...after.keys()])) {
        const [was, is] = [before.get(field) ?? null, after.get(field) ?? null];
        if (Object.is(was, is)) continue;
        found[i].differences++;
        if (found[i].first.length < FIRST_LIMIT) {
          found[i].first.push({ time: candles.time[at], field, prefix: was, whole: is });
        }
      }
    }
  }
  return subjects.map(({ kind, name, warmup }, i) => {
    const tested = bars.filter((at) => at >= warmup).length;
    return { kind, name, tested, ...found[i] };
  });
}

/** Findings of two parts of the same bars, in their order. */
export function joinFindings(
  before: readonly SubjectFinding[],
  after: readonly SubjectFinding[],
): SubjectFinding[] {
  if (before.length === 0) return [...after];
  return before.map((finding, i) => ({
    ...finding,
    tested: finding.tested + after[i].tested,
    differences: finding.differences + after[i].differences,
    first: [...finding.first, ...after[i].first].slice(0, FIRST_LIMIT),
  }));
}

/** Every bar of a series up to a number of them; of longer ones so many, evenly spread, the first and last included. */
export function barsToTest(length: number, most: number): number[] {
  if (length <= most) return Array.from({ length }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round((i * (length - 1)) / (most - 1)));
}
