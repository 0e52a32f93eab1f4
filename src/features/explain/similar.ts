import type { CandleService } from "../candles/candles.js";
import type { Detections } from "../detections/detections.js";
import type { NewDetection, StoredDetection } from "../detections/store.js";
import type { Instruments } from "../instruments/instruments.js";
import { loadOutcome, type Outcome } from "./outcome.js";

/** What cases are compared by; each difference costs its weight. */
export const CASE_WEIGHTS = Object.freeze({ regime: 1, trend: 0.5, quality: 1 });

/** Detections that are compared, the newest before the one in question, and those that are told of. */
export const POOL_LIMIT = 300;
const CASES_LIMIT = 10;

/** How unlike two detections of one pattern and interval are, 0 for the same: regime, trend before, and quality. */
export function distanceOf(
  a: Pick<NewDetection, "regime" | "facts" | "quality">,
  b: Pick<NewDetection, "regime" | "facts" | "quality">,
): number {
  const regime = a.regime === b.regime ? 0 : a.regime === null || b.regime === null ? 0.5 : 1;
  const trend = a.facts.trend === b.facts.trend ? 0 : 1;
  const quality = Math.abs(a.quality - b.quality);
  return CASE_WEIGHTS.regime * regime + CASE_WEIGHTS.trend * trend + CASE_WEIGHTS.quality * quality;
}

export interface Moment {
  /** Close of the bar of the detection in question: cases closed before it. */
  readonly closedAt: number;
  /** When it was stored: cases were stored by then. */
  readonly storedBy: number;
}

/** Of a pool those that came before a moment, the most alike first, the newest of those that are equally so. */
export function nearestCases(
  subject: NewDetection,
  { closedAt, storedBy }: Moment,
  pool: readonly StoredDetection[],
  limit = CASES_LIMIT,
): { readonly detection: StoredDetection; readonly distance: number }[] {
  return pool
    .filter(
      (each) =>
        each.pattern === subject.pattern &&
        each.interval === subject.interval &&
        each.state === "confirmed" &&
        each.closedAt < closedAt &&
        each.detectedAt <= storedBy,
    )
    .sort((a, b) => b.closedAt - a.closedAt || b.id - a.id)
    .slice(0, POOL_LIMIT)
    .map((detection) => ({ detection, distance: distanceOf(subject, detection) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, limit);
}

export interface SimilarCase {
  readonly detection: StoredDetection;
  readonly distance: number;
  /** As it was known at the close of the bar in question. */
  readonly outcome: Outcome;
}

export interface Similar {
  readonly cases: readonly SimilarCase[];
  /** Of the cases told of: trades that had ended by then, and those that reached their target. */
  readonly settled: number;
  readonly hits: number;
  readonly meanR: number | null;
  readonly meanGain: number | null;
}

/** Past cases that are like a detection, with what had become of them when its bar closed: nothing later is seen. */
export async function findSimilar(
  parts: {
    readonly detections: Pick<Detections, "past">;
    readonly candles: Pick<CandleService, "loadRange">;
    readonly instruments: Pick<Instruments, "resolve">;
  },
  subject: NewDetection,
  moment: Moment,
): Promise<Similar> {
  const { pattern, interval } = subject;
  const past = { pattern, interval, closedBefore: moment.closedAt, storedBy: moment.storedBy };
  const pool = await parts.detections.past(past, POOL_LIMIT);
  const cases = await Promise.all(
    nearestCases(subject, moment, pool).map(async ({ detection, distance }) => {
      const instrument = await parts.instruments.resolve(detection.symbol);
      const outcome = await loadOutcome(parts.candles, detection, instrument, moment.closedAt);
      return { detection, distance, outcome };
    }),
  );
  return summarise(cases);
}

export function summarise(cases: readonly SimilarCase[]): Similar {
  const settled = cases.filter(({ outcome }) => outcome.hit !== null);
  return {
    cases,
    settled: settled.length,
    hits: settled.filter(({ outcome }) => outcome.hit).length,
    meanR: meanOf(settled.map(({ outcome }) => outcome.r)),
    meanGain: meanOf(settled.map(({ outcome }) => outcome.gain)),
  };
}

function meanOf(values: readonly (number | null)[]): number | null {
  if (values.length === 0) return null;
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0) / values.length;
}
