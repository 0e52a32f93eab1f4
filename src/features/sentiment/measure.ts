import { DAY_MS, dateOf } from "../../core/market/day.js";
import {
  type Aggregate,
  aggregateSource,
  aggregateSources,
  type Keyword,
  keywordsOf,
  SOURCE_WEIGHTS,
  type SourceSentiment,
} from "../../core/sentiment/aggregate.js";
import { correlationOf } from "../../core/sentiment/correlation.js";
import type { NewsKind } from "../../providers/news.js";
import type { ScoredRow } from "./store.js";

/** Texts of this long count, each half as much as one a day younger. */
export const WINDOW_MS = 7 * DAY_MS;
const HALF_LIFE_MS = DAY_MS;
const KEYWORDS = 10;

export interface DaySentiment {
  /** Day of UTC, `YYYY-MM-DD`. */
  readonly date: string;
  /** Mean score; null where no text of the day could be read. */
  readonly score: number | null;
  readonly volume: number;
}

/** What the texts about one symbol, or several, say at a moment. */
export interface Measure {
  readonly aggregate: Aggregate;
  readonly sources: ReadonlyMap<NewsKind, SourceSentiment>;
  /** Posts of both networks as one, by their weights; null without any. */
  readonly social: number | null;
  /** Texts in the window, by kind. */
  readonly counts: Readonly<Record<NewsKind, number>>;
  /** Texts of the last day against a day of the rest of the window; null where there were none. */
  readonly buzz: number | null;
  /** Share of the last day in it and a day before, 0..1: 0.5 is as usual; null without texts. */
  readonly trending: number | null;
  readonly keywords: readonly Keyword[];
}

/** @param absenceOf why there can be no texts of a kind; null where there can. */
export function measureTexts(
  rows: readonly ScoredRow[],
  nowMs: number,
  absenceOf: (kind: NewsKind) => string | null,
): Measure {
  const recent = rows.filter(({ time }) => time <= nowMs && time > nowMs - WINDOW_MS);
  const ofKind = (kind: NewsKind) => recent.filter((row) => row.kind === kind);
  const sources = new Map<NewsKind, SourceSentiment>();
  for (const kind of ["twitter", "reddit", "news"] as const) {
    const texts = ofKind(kind);
    const absence = texts.length === 0 ? absenceOf(kind) : null;
    const recency = { nowMs, halfLifeMs: HALF_LIFE_MS };
    sources.set(
      kind,
      absence === null ? aggregateSource(texts, recency) : { available: false, reason: absence },
    );
  }
  const lastDay = recent.filter(({ time }) => time > nowMs - DAY_MS).length;
  const dayBefore = (recent.length - lastDay) / (WINDOW_MS / DAY_MS - 1);
  return {
    aggregate: aggregateSources(sources),
    sources,
    social: socialOf(sources),
    counts: {
      news: ofKind("news").length,
      reddit: ofKind("reddit").length,
      twitter: ofKind("twitter").length,
    },
    buzz: dayBefore === 0 ? null : lastDay / dayBefore,
    trending: recent.length === 0 ? null : lastDay / (lastDay + dayBefore),
    keywords: keywordsOf(
      recent.map(({ terms, score }) => ({ hits: terms.map((term) => ({ term })), score })),
      KEYWORDS,
    ),
  };
}

function socialOf(sources: ReadonlyMap<NewsKind, SourceSentiment>): number | null {
  let [sum, weight] = [0, 0];
  for (const kind of ["twitter", "reddit"] as const) {
    const source = sources.get(kind);
    if (source?.available !== true) continue;
    sum += SOURCE_WEIGHTS[kind] * source.score;
    weight += SOURCE_WEIGHTS[kind];
  }
  return weight === 0 ? null : sum / weight;
}

function meanOf(rows: readonly ScoredRow[]): number | null {
  const read = rows.filter(({ confidence }) => confidence !== null);
  return read.length === 0 ? null : read.reduce((sum, { score }) => sum + score, 0) / read.length;
}

/** Each day with texts, oldest first. */
export function historyOf(rows: readonly ScoredRow[]): DaySentiment[] {
  const days = new Map<string, ScoredRow[]>();
  for (const row of rows) {
    const date = dateOf(Math.floor(row.time / DAY_MS));
    const day = days.get(date);
    if (day === undefined) days.set(date, [row]);
    else day.push(row);
  }
  return [...days]
    .map(([date, texts]) => ({ date, score: meanOf(texts), volume: texts.length }))
    .sort((a, b) => (a.date < b.date ? -1 : 1));
}

/** Closes of sessions, ascending in time. */
export interface SessionCloses {
  /** Epoch ms. */
  readonly time: ArrayLike<number>;
  readonly close: ArrayLike<number>;
}

/** Texts from one close to the next against the change of the price between the two. */
export function priceCorrelation(rows: readonly ScoredRow[], { time, close }: SessionCloses) {
  const pairs: [number, number][] = [];
  for (let i = 1; i < time.length; i++) {
    const between = rows.filter((row) => row.time > time[i - 1] && row.time <= time[i]);
    const mean = meanOf(between);
    if (mean !== null) pairs.push([mean, close[i] / close[i - 1] - 1]);
  }
  return correlationOf(pairs);
}
