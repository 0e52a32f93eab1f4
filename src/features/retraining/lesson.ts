import { createHash } from "node:crypto";
import { lowerBound } from "../../core/base/search.js";
import { bytesOfDataSet, dataSetOf } from "../../core/learning/data-set.js";
import type { Feature } from "../../core/learning/features/define.js";
import { FEATURE_WARMUP, FEATURES } from "../../core/learning/features/index.js";
import { contextOf, type Knowledge } from "../../core/learning/features/knowledge.js";
import type { LabelPolicy } from "../../core/learning/label.js";
import { findEarlyOutcome, findPeek } from "../../core/learning/leaks.js";
import type { Lesson } from "../../core/learning/lesson.js";
import { mergeSamples, pickLabelled } from "../../core/learning/rows.js";
import { type LabelledSamples, samplesOf } from "../../core/learning/samples.js";
import { type Statement, withStatements } from "../../core/learning/stated.js";
import type { CalendarId } from "../../core/market/calendar.js";
import { type Candles, sliceCandles } from "../../core/market/candles.js";
import { calendarOf } from "../../core/market/session.js";

/** A series to learn from. */
export interface LessonSeries {
  readonly candles: Candles;
  readonly calendar: CalendarId;
  /** In and out together, basis points. */
  readonly costBps: number;
  /** What was known when beside the bars; nothing without it. */
  readonly knowledge?: Knowledge;
  /** What was said of its decisions. */
  readonly statements?: readonly Statement[];
  /** Decisions on bars that open before are not learned from, epoch ms; on all without it. */
  readonly sinceMs?: number;
}

export type Grouping = "regime" | "pattern";

/** Labelled decisions of several series, newest last. */
export interface Material extends LabelledSamples {
  /** SHA-256 of the data set, in hex: the same samples have the same. */
  readonly dataHash: string;
  /** Features that were seen to read later bars. */
  readonly unstable: readonly string[];
  /** Series, by symbol and interval, with an outcome that the bars by its moment do not tell. */
  readonly early: readonly string[];
}

/** Newest rows that a model learns from. */
const MOST_ROWS = 120_000;
/** The newest bars of a series are looked at for features that read later ones, cut at so many places. */
const LOOKED_BARS = 1_500;
const CUTS = 3;
const LOOKED_SERIES = 8;

/**
 * Samples of all decisions on series that have settled, and of those of which somebody said how they ended. What bars tell
 * is looked at for leaks; what was said is what was shown, and no bar tells it.
 */
export function gatherMaterial(series: readonly LessonSeries[], policy: LabelPolicy): Material {
  const parts = series.map(({ candles, calendar, costBps, knowledge, sinceMs = 0 }) =>
    samplesOf(candles, contextOf(calendarOf(calendar), knowledge), {
      ...{ policy, costBps },
      from: Math.max(FEATURE_WARMUP, lowerBound(candles.time, sinceMs)),
    }),
  );
  const material = materialOf(series, parts, policy);
  const statements = series.map(({ statements: all = [], sinceMs = 0 }) =>
    all.filter(({ time }) => time >= sinceMs),
  );
  if (statements.every(({ length }) => length === 0)) return material;
  const said = series.map(({ candles, calendar, costBps, knowledge }, k) =>
    statements[k].length === 0
      ? parts[k]
      : withStatements(parts[k], candles, contextOf(calendarOf(calendar), knowledge), costBps, statements[k]),
  );
  const merged = newestRows(mergeSamples(said));
  return { ...material, ...merged, dataHash: hashOf(merged) };
}

/**
 * Samples of series as one, with what is suspicious about them. @param parts samples of each series.
 * @param features that are looked at for those that read later bars.
 */
export function materialOf(
  series: readonly LessonSeries[],
  parts: readonly LabelledSamples[],
  policy: LabelPolicy,
  features: readonly Feature[] = FEATURES,
): Material {
  const merged = newestRows(mergeSamples(parts));
  return {
    ...merged,
    dataHash: hashOf(merged),
    unstable: unstableFeatures(series, features),
    early: series.flatMap((each, k) => (isEarly(each, parts[k], policy) ? [nameOf(each.candles)] : [])),
  };
}

function hashOf(labelled: LabelledSamples): string {
  return createHash("sha256")
    .update(bytesOfDataSet(dataSetOf(labelled)))
    .digest("hex");
}

/** @param grouping what of a row names its group. */
export function lessonOf({ samples, facts, unstable, early }: Material, grouping: Grouping): Lesson {
  const numbers = new Map<string, number>();
  const series = Int32Array.from(facts, ({ symbol, interval }) => {
    const name = nameOf({ symbol, interval });
    const known = numbers.get(name) ?? numbers.size;
    numbers.set(name, known);
    return known;
  });
  const keys = facts.map(({ regime, patterns: [pattern] }) =>
    grouping === "regime" ? (regime ?? "") : pattern,
  );
  return { samples, keys, series, unstableFeatures: unstable.length, earlyOutcomes: early.length };
}

const nameOf = ({ symbol, interval }: Pick<Candles, "symbol" | "interval">) => `${symbol} ${interval}`;

function isEarly({ candles, calendar }: LessonSeries, part: LabelledSamples, policy: LabelPolicy): boolean {
  return findEarlyOutcome(part, candles, calendarOf(calendar), policy) !== null;
}

function newestRows(merged: LabelledSamples): LabelledSamples {
  const { length } = merged.facts;
  if (length <= MOST_ROWS) return merged;
  return pickLabelled(
    merged,
    Int32Array.from({ length: MOST_ROWS }, (_, k) => length - MOST_ROWS + k),
  );
}

function unstableFeatures(series: readonly LessonSeries[], features: readonly Feature[]): string[] {
  const step = Math.max(1, Math.floor(series.length / LOOKED_SERIES));
  const found = new Set<string>();
  for (let k = 0; k < series.length; k += step) {
    const { candles, calendar, knowledge } = series[k];
    const { length } = candles.time;
    const newest = sliceCandles(candles, Math.max(0, length - LOOKED_BARS), length);
    const peek = findPeek(newest, contextOf(calendarOf(calendar), knowledge), features, { cuts: CUTS });
    if (peek !== null) found.add(peek.feature);
  }
  return [...found];
}
