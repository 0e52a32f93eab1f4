import { createRng, drawSpread } from "../../core/base/rng.js";
import { type Candles, sliceCandles } from "../../core/market/candles.js";

/** What says something of each bar. */
export type SeriesKind = "indicator" | "pattern" | "regime";
export type SubjectKind = SeriesKind | "strategy";
export const SUBJECT_KINDS = [
  "indicator",
  "pattern",
  "regime",
  "strategy",
] as const satisfies readonly SubjectKind[];

export type Said = number | string | null;

/** Something that says something of each bar, and must not take back what it said. */
export interface TruncationSubject {
  readonly kind: SeriesKind;
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
  readonly symbol: string;
  /** Open of the newest bar that was known, epoch ms: the bar itself, but for decisions, which may change later. */
  readonly known: number;
  /** `decision` for strategies; `failure` where what was to say something threw instead. */
  readonly field: string;
  /** Said when no more was known, and said with all bars known; null for nothing. */
  readonly prefix: Said;
  readonly whole: Said;
}

export interface SubjectFinding {
  readonly kind: SubjectKind;
  readonly name: string;
  /** Bars after the warm-up, before which nothing is said. */
  readonly bars: number;
  /** Those of them that were tested. */
  readonly tested: number;
  /** Of those, bars of which anything was said; of a strategy, its decisions over all bars. */
  readonly said: number;
  /** Fields at bars that differ; of a strategy, bars at which the series was cut and decisions differed. */
  readonly differences: number;
  /** The first of them. */
  readonly first: readonly Leak[];
  /** Why it was not tested, or not with everything; null where it was. */
  readonly reason: string | null;
}

const FIRST_LIMIT = 10;
/** Bars that are tested; of longer series so many. */
export const TESTED_LIMIT = 2_000;

/** Keeps a difference among the first ones, each place once. */
export function addLeak(first: Leak[], leak: Leak): void {
  const { time, symbol, field } = leak;
  const isKnown = first.some((each) => each.time === time && each.symbol === symbol && each.field === field);
  if (!isKnown && first.length < FIRST_LIMIT) first.push(leak);
}

export function withinWarmup(bars: number): string {
  return `the ${bars} bars are within the warm-up`;
}

export function failureOf(error: unknown): string {
  return `fails: ${error instanceof Error ? error.message : String(error)}`;
}

/** What is said of bars, or why nothing can be. */
type Observed =
  | { readonly at: (at: number) => ReadonlyMap<string, Said>; readonly failure: null }
  | { readonly at: null; readonly failure: string };

function observe(subject: TruncationSubject, candles: Candles, from: number): Observed {
  try {
    return { at: subject.observe(candles, from), failure: null };
  } catch (error) {
    return { at: null, failure: failureOf(error) };
  }
}

/** What is said of the newest bar; where that fails, the failure. */
function sayNewest(subject: TruncationSubject, prefix: Candles, at: number): ReadonlyMap<string, Said> {
  const observed = observe(subject, prefix, at);
  return observed.failure === null ? observed.at(at) : new Map([["failure", observed.failure]]);
}

const isSaid = (said: Said) => said !== null && !Number.isNaN(said);

/**
 * The truncation test: at each of the bars, what is said of it with the series cut after it must be, to the last bit,
 * what is said of it with the whole series. @param bars indexes, ascending.
 */
export function findLeaks(
  subjects: readonly TruncationSubject[],
  candles: Candles,
  bars: readonly number[],
): SubjectFinding[] {
  const { symbol, time } = candles;
  const wholes = subjects.map((subject) => observe(subject, candles, bars[0] ?? 0));
  const found = subjects.map(() => ({ said: 0, differences: 0, first: [] as Leak[] }));
  for (const at of bars) {
    const prefix = sliceCandles(candles, 0, at + 1);
    for (const [i, subject] of subjects.entries()) {
      const whole = wholes[i];
      if (whole.failure !== null) continue;
      const before = sayNewest(subject, prefix, at);
      const after = whole.at(at);
      if ([...before.values(), ...after.values()].some(isSaid)) found[i].said++;
      for (const field of new Set([...before.keys(), ...after.keys()])) {
        const [was, is] = [before.get(field) ?? null, after.get(field) ?? null];
        if (Object.is(was, is)) continue;
        found[i].differences++;
        addLeak(found[i].first, { time: time[at], symbol, known: time[at], field, prefix: was, whole: is });
      }
    }
  }
  return subjects.map(({ kind, name, warmup }, i) => {
    const { failure } = wholes[i];
    const tested = failure === null ? bars.filter((at) => at >= warmup).length : 0;
    const after = Math.max(0, time.length - warmup);
    return { kind, name, bars: after, tested, ...found[i], reason: failure };
  });
}

/** Findings of two parts of the same bars, in their order. */
export function joinFindings(
  before: readonly SubjectFinding[],
  after: readonly SubjectFinding[],
): SubjectFinding[] {
  if (before.length === 0) return [...after];
  return before.map((finding, i) => {
    const first = [...finding.first];
    for (const leak of after[i].first) addLeak(first, leak);
    return {
      ...finding,
      tested: finding.tested + after[i].tested,
      said: finding.said + after[i].said,
      differences: finding.differences + after[i].differences,
      first,
    };
  });
}

/** Every bar of a series up to a number of them; of longer ones one drawn from each of so many stretches. */
export function barsToTest(length: number, most: number): number[] {
  return drawSpread(length, most, createRng(SEED));
}

const SEED = 1;
