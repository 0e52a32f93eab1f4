import { lowerBound } from "../../core/base/search.js";
import { bytesOfDataSet, dataSetOf } from "../../core/learning/data-set.js";
import type { Feature } from "../../core/learning/features/define.js";
import { FEATURE_WARMUP, FEATURES } from "../../core/learning/features/index.js";
import { contextOf, type Knowledge } from "../../core/learning/features/knowledge.js";
import type { FeatureContext } from "../../core/learning/features/series.js";
import type { LabelPolicy } from "../../core/learning/label.js";
import { findEarlyOutcome, findPeek, findPeekingRow } from "../../core/learning/leaks.js";
import type { Lesson } from "../../core/learning/lesson.js";
import { mergeSamples, pickLabelled } from "../../core/learning/rows.js";
import { type LabelledSamples, samplesOf } from "../../core/learning/samples.js";
import { type Statement, tellersOf, withStatements } from "../../core/learning/stated.js";
import type { CalendarId } from "../../core/market/calendar.js";
import { type Candles, sliceCandles } from "../../core/market/candles.js";
import { calendarOf } from "../../core/market/session.js";
import { sha256 } from "../../platform/sha256.js";

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
  /** Where a model of several asset classes or intervals is learned. */
  readonly assetClass?: string;
}

export type Grouping = "regime" | "pattern";

/** Labelled decisions of several series, newest last. */
export interface Material extends LabelledSamples {
  /** Asset class and interval of each row, apart by a space; of no row where there is one lot, or they were not told. */
  readonly lots: readonly string[];
  /** SHA-256 of the data set, in hex: the same samples have the same. */
  readonly dataHash: string;
  /** Columns that were seen to read later bars, in the features of this program or in the rows themselves. */
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
/** Rows are made again on each series cut off so often, beside after its newest row. */
const ROW_CUTS = 1;

/**
 * Samples of all decisions on series that have settled, and of those of which somebody said how they ended. What bars tell
 * is looked at for leaks; what was said is what was shown, and no bar tells it.
 */
export function gatherMaterial(series: readonly LessonSeries[], policy: LabelPolicy): Material {
  const parts = series.map((each) =>
    samplesOf(each.candles, contextOfSeries(each), {
      ...{ policy, costBps: each.costBps },
      from: Math.max(FEATURE_WARMUP, lowerBound(each.candles.time, each.sinceMs ?? 0)),
    }),
  );
  const material = materialOf(series, parts, policy);
  const statements = series.map(({ statements: all = [], sinceMs = 0 }) =>
    all.filter(({ time }) => time >= sinceMs),
  );
  if (statements.every(({ length }) => length === 0)) return material;
  const said = series.map((each, k) =>
    statements[k].length === 0
      ? parts[k]
      : withStatements(parts[k], each.candles, contextOfSeries(each), each.costBps, statements[k]),
  );
  const merged = newestRows(mergeSamples(said));
  return { ...material, ...merged, lots: lotsOfRows(series, merged.facts), dataHash: hashOf(merged) };
}

/** What features read beside the bars of a series. */
function contextOfSeries({ calendar, knowledge }: LessonSeries): FeatureContext {
  return contextOf(calendarOf(calendar), knowledge);
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
    lots: lotsOfRows(series, merged.facts),
    dataHash: hashOf(merged),
    unstable: [...new Set([...unstableFeatures(series, features), ...peekingColumns(series, merged)])],
    early: series.flatMap((each, k) => (isEarly(each, parts[k], policy) ? [nameOf(each.candles)] : [])),
  };
}

function hashOf(labelled: LabelledSamples): string {
  return sha256(bytesOfDataSet(dataSetOf(labelled)));
}

/** @param grouping what of a row names its group. */
export function lessonOf({ samples, facts, lots, unstable, early }: Material, grouping: Grouping): Lesson {
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
  const suspicious = { unstableFeatures: unstable.length, earlyOutcomes: early.length };
  const intervals = facts.map(({ interval }) => interval);
  return { samples, keys, series, lots, intervals, tellers: tellersOf(facts), ...suspicious };
}

const nameOf = ({ symbol, interval }: Pick<Candles, "symbol" | "interval">) => `${symbol} ${interval}`;

function lotsOfRows(series: readonly LessonSeries[], facts: LabelledSamples["facts"]): string[] {
  const lots = new Map(
    series.flatMap(({ candles, assetClass }) =>
      assetClass === undefined ? [] : [[nameOf(candles), `${assetClass} ${candles.interval}`] as const],
    ),
  );
  if (new Set(lots.values()).size < 2) return [];
  return facts.map((each) => lots.get(nameOf(each)) ?? "");
}

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
    const { candles } = series[k];
    const { length } = candles.time;
    const newest = sliceCandles(candles, Math.max(0, length - LOOKED_BARS), length);
    const peek = findPeek(newest, contextOfSeries(series[k]), features, { cuts: CUTS });
    if (peek !== null) found.add(peek.feature);
  }
  return [...found];
}

/** Columns of the rows that are learned from that the bars up to their decisions do not give. */
function peekingColumns(series: readonly LessonSeries[], merged: LabelledSamples): string[] {
  const places = new Map<string, number[]>();
  for (const [row, facts] of merged.facts.entries()) {
    const name = nameOf(facts);
    const known = places.get(name);
    if (known === undefined) places.set(name, [row]);
    else known.push(row);
  }
  return series.flatMap((each) => {
    const rows = pickLabelled(merged, places.get(nameOf(each.candles)) ?? []);
    const { candles, costBps } = each;
    const found = findPeekingRow(rows, candles, contextOfSeries(each), { costBps }, { cuts: ROW_CUTS });
    return found.map(({ column }) => column);
  });
}
