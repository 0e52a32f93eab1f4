import { upperBound } from "../../base/search.js";
import type { Calendar } from "../../market/session.js";
import type { FeatureContext, KnownValues } from "./series.js";

/** Edges of variants at one interval, as a run measured them, from when on they were known, epoch ms. */
export interface MeasuredEdges {
  readonly knownAt: number;
  readonly edges: Readonly<Record<string, number>>;
}

/** What a text says of a symbol. Times in epoch ms. */
export interface KnownText {
  readonly publishedAt: number;
  /** By when it had been read, at `publishedAt` or later. */
  readonly knownAt: number;
  /** -1 bad news .. 1 good news. */
  readonly score: number;
}

/** What is known of a series beside its bars, each part in the order in which it became known. */
export interface Knowledge {
  readonly edges: readonly MeasuredEdges[];
  readonly texts: readonly KnownText[];
}

const DAY_MS = 86_400_000;
const HALF_LIFE_MS = DAY_MS;
/** Texts count for so long after they were published, and what they came to for so long after the newest was known. */
const TEXTS_COUNT_MS = 7 * DAY_MS;
const SENTIMENT_KEPT_MS = 7 * DAY_MS;

/** How long before a bar what may still speak at its close was published, ms. */
export const KNOWLEDGE_REACH_MS = TEXTS_COUNT_MS + SENTIMENT_KEPT_MS;

/**
 * Mean score of the texts of seven days as it stood whenever another became known, each halved in weight per day of age.
 * Time alone changes no such mean, so that it stands until the next text.
 * @param texts by when they were known.
 */
export function sentimentOf(texts: readonly KnownText[]): KnownValues {
  const { length } = texts;
  const knownAt = Float64Array.from(texts, (text) => text.knownAt);
  const value = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const since = knownAt[i] - TEXTS_COUNT_MS;
    let [sum, weight] = [0, 0];
    // A text is known no sooner than it is published: none further back is young enough.
    for (let k = i; k >= 0 && knownAt[k] > since; k--) {
      const { publishedAt, score } = texts[k];
      if (publishedAt <= since) continue;
      const share = 0.5 ** ((knownAt[i] - publishedAt) / HALF_LIFE_MS);
      sum += share * score;
      weight += share;
    }
    value[i] = weight > 0 ? sum / weight : Number.NaN;
  }
  return { knownAt, value, keptMs: SENTIMENT_KEPT_MS };
}

/** What features read beside the bars: of edges those of the newest run that had ended, of texts those that had been read. */
export function contextOf(calendar: Calendar, knowledge?: Knowledge): FeatureContext {
  if (knowledge === undefined) return { calendar };
  const { edges, texts } = knowledge;
  const knownAt = Float64Array.from(edges, (run) => run.knownAt);
  return {
    calendar,
    ...(texts.length === 0 ? {} : { sentiment: sentimentOf(texts) }),
    ...(edges.length === 0 ? {} : { edgeOf: (variant, atMs) => edgeAt(edges, knownAt, variant, atMs) }),
  };
}

function edgeAt(
  edges: readonly MeasuredEdges[],
  knownAt: Float64Array,
  variant: string,
  atMs: number,
): number {
  const run = upperBound(knownAt, atMs) - 1;
  return run < 0 ? Number.NaN : (edges[run].edges[variant] ?? Number.NaN);
}
