import { createHash } from "node:crypto";
import type { Lesson } from "../../core/learning/candidate.js";
import { bytesOfDataSet, dataSetOf } from "../../core/learning/data-set.js";
import type { LabelPolicy } from "../../core/learning/label.js";
import { findPeek } from "../../core/learning/leaks.js";
import { mergeSamples, pickLabelled } from "../../core/learning/rows.js";
import { type LabelledSamples, samplesOf } from "../../core/learning/samples.js";
import type { CalendarId } from "../../core/market/calendar.js";
import { type Candles, sliceCandles } from "../../core/market/candles.js";
import { calendarOf } from "../../core/market/session.js";

/** A series to learn from. */
export interface LessonSeries {
  readonly candles: Candles;
  readonly calendar: CalendarId;
  /** In and out together, basis points. */
  readonly costBps: number;
}

export type Grouping = "regime" | "pattern";

/** Labelled decisions of several series, newest last. */
export interface Material extends LabelledSamples {
  /** SHA-256 of the data set, in hex: the same samples have the same. */
  readonly dataHash: string;
  /** Features that were seen to read later bars. */
  readonly unstable: readonly string[];
}

/** Newest rows that a model learns from. */
const MOST_ROWS = 120_000;
/** The newest bars of a series are looked at for features that read later ones, cut at so many places. */
const LOOKED_BARS = 1_500;
const CUTS = 3;
const LOOKED_SERIES = 8;

/** Samples of all decisions on series that have settled. */
export function gatherMaterial(series: readonly LessonSeries[], policy: LabelPolicy): Material {
  const parts = series.map(({ candles, calendar, costBps }) =>
    samplesOf(candles, { calendar: calendarOf(calendar) }, { policy, costBps }),
  );
  const merged = newestRows(mergeSamples(parts));
  return {
    ...merged,
    dataHash: createHash("sha256")
      .update(bytesOfDataSet(dataSetOf(merged)))
      .digest("hex"),
    unstable: unstableFeatures(series),
  };
}

/** @param grouping what of a row names its group. */
export function lessonOf({ samples, facts, unstable }: Material, grouping: Grouping): Lesson {
  const numbers = new Map<string, number>();
  const series = Int32Array.from(facts, ({ symbol, interval }) => {
    const name = `${symbol} ${interval}`;
    const known = numbers.get(name) ?? numbers.size;
    numbers.set(name, known);
    return known;
  });
  const keys = facts.map(({ regime, patterns: [pattern] }) =>
    grouping === "regime" ? (regime ?? "") : pattern,
  );
  return { samples, keys, series, unstableFeatures: unstable.length };
}

function newestRows(merged: LabelledSamples): LabelledSamples {
  const { length } = merged.facts;
  if (length <= MOST_ROWS) return merged;
  return pickLabelled(
    merged,
    Int32Array.from({ length: MOST_ROWS }, (_, k) => length - MOST_ROWS + k),
  );
}

function unstableFeatures(series: readonly LessonSeries[]): string[] {
  const step = Math.max(1, Math.floor(series.length / LOOKED_SERIES));
  const found = new Set<string>();
  for (let k = 0; k < series.length; k += step) {
    const { candles, calendar } = series[k];
    const { length } = candles.time;
    const newest = sliceCandles(candles, Math.max(0, length - LOOKED_BARS), length);
    const peek = findPeek(newest, { calendar: calendarOf(calendar) }, undefined, { cuts: CUTS });
    if (peek !== null) found.add(peek.feature);
  }
  return [...found];
}
