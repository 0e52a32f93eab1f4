import { barClose } from "../../core/market/bar-times.js";
import type { Bars } from "../../core/market/candles.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import { findVariant } from "../../core/patterns/index.js";
import type { RuleVoice } from "../../core/signals/fuse.js";
import { LEAD_BARS } from "../../core/signals/lead.js";
import type { Levels } from "../../core/signals/levels.js";
import { inTime, within } from "../../platform/deadline.js";
import { AppError } from "../../platform/errors.js";
import type { Workers } from "../../platform/workers.js";
import type { CandleService, CandleSet } from "../candles/candles.js";
import { measuredOf } from "../detections/confidence.js";
import { detectionOf } from "../detections/detections.js";
import type { Sighting } from "../detections/find.js";
import { levelsOf } from "../detections/levels.js";
import type { NewDetection } from "../detections/store.js";
import { evidenceAsOf } from "../evidence/as-of.js";
import type { Confidence, Evidence } from "../evidence/evidence.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { ServingScore, Told, ToldScores } from "../models/told.js";
import type { DeepLook, DeepSaid } from "./deep.js";
import { createLookMemory } from "./look-memory.js";
import type { Look } from "./worker.js";

/** Newest closed bars whose patterns count. */
export const RECENT_BARS = 5;

/** A confirmed pattern on the newest bars, with what is measured of trades on it. */
export interface SeenPattern {
  readonly detection: NewDetection;
  readonly confidence: Confidence;
  /** Of the trade on it, planned at its own bar; null without a direction or a range. */
  readonly levels: Levels | null;
  /** Whether a bar since has reached stop or target, so that the trade is over. */
  readonly over: boolean;
  /** What a model said of it when it was seen. */
  readonly told: Told<ServingScore>;
}

/** What one interval of a symbol says now. */
export interface TimeframeLook extends Omit<Look, "sightings"> {
  readonly interval: Interval;
  readonly set: CandleSet;
  /** Close of the newest closed bar, and when it closed, epoch ms. */
  readonly close: number;
  readonly closedAt: number;
  /** Of the net that serves when it is first asked for. */
  readonly deep: DeepSaid;
  /** The newest sighting of each row of the pattern table, in the trend that it asks for; newest first. */
  readonly patterns: readonly SeenPattern[];
}

/** An interval that says nothing, and why. */
export interface BlindTimeframe {
  readonly interval: Interval;
  readonly error: AppError;
}

/** What may be known where a look is taken as of a moment, epoch ms. */
export interface Knowable {
  /** Bars that had closed, texts that had been read and evidence that had been measured by then. */
  readonly closedByMs: number;
  /** Models that had been made by then. */
  readonly madeByMs: number;
}

export interface Looks {
  /** @throws {AppError} `interval_unavailable`, `no_data`, `provider_unavailable`, `timed_out`. */
  look(instrument: KnownInstrument, interval: Interval, asOf?: Knowable): Promise<TimeframeLook>;
  /** The same, with the reason in place of an error that has to do with the interval alone. */
  tryLook(
    instrument: KnownInstrument,
    interval: Interval,
    asOf?: Knowable,
  ): Promise<TimeframeLook | BlindTimeframe>;
}

/** Time that an interval may take, so that one that hangs does not hold up the others' answer. */
const PATIENCE_MS = 3_000;

export function createLooks(options: {
  candles: Pick<CandleService, "loadLatest">;
  workers: Workers;
  evidence: Pick<Evidence, "confidenceOf">;
  deep: Pick<DeepLook, "say">;
  told: ToldScores;
}): Looks {
  const { candles, workers, evidence, deep } = options;
  const lookOnce = createLookMemory(workers);

  async function lookAt(
    instrument: KnownInstrument,
    interval: Interval,
    asOf?: Knowable,
  ): Promise<TimeframeLook> {
    const set = await candles.loadLatest(instrument, interval, RECENT_BARS + LEAD_BARS, asOf?.closedByMs);
    const measured = evidenceAsOf(evidence, asOf?.closedByMs);
    const { time, close } = set.candles;
    const last = time.length - 1;
    if (last < 0) throw new AppError("no_data", `${instrument.symbol} has no ${interval} candles`);
    const from = Math.max(0, time.length - RECENT_BARS);
    // What is asked of the past does not push out what is asked of now.
    const key = `${instrument.id} ${interval} ${asOf === undefined ? "now" : "then"}`;
    const { sightings, ...newest } = await lookOnce(key, { candles: set.candles, from });
    const found = newestOfEach(sightings.filter(counts)).map((sighting) => ({
      at: sighting.at,
      detection: detectionOf(sighting, set, measured.confidenceOf),
    }));
    const told = await toldOf(
      options.told,
      found.map(({ detection }) => detection),
    );
    // Asked of the interval of a signal alone.
    let said: DeepSaid | null = null;
    const patterns = found.map(({ at, detection }, k) => seenPattern(detection, at, set, measured, told[k]));
    return {
      ...newest,
      interval,
      set,
      close: close[last],
      closedAt: barClose(calendarOf(instrument.calendar), interval, time[last]),
      get deep() {
        said ??= deep.say(set.candles, asOf?.madeByMs);
        return said;
      },
      patterns,
    };
  }

  function look(instrument: KnownInstrument, interval: Interval, asOf?: Knowable): Promise<TimeframeLook> {
    const late = () =>
      new AppError("timed_out", `The ${interval} candles of ${instrument.symbol} did not come in time`);
    return within(PATIENCE_MS, () => inTime(lookAt(instrument, interval, asOf), late));
  }

  return {
    look,
    async tryLook(instrument, interval, asOf) {
      try {
        return await look(instrument, interval, asOf);
      } catch (error) {
        if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
        return { interval, error };
      }
    },
  };
}

/** Confirmed, and in the trend that gives it its meaning where it asks for one: what evidence measures. */
const counts = ({ state, trendMet }: Sighting) => state === "confirmed" && trendMet !== false;

/** The newest sighting of each row of the pattern table, newest first: a cross upwards ends what one downwards said. */
function newestOfEach(sightings: readonly Sighting[]): Sighting[] {
  const newest = new Map<string, Sighting>();
  for (const sighting of sightings.toReversed()) {
    const row = findVariant(sighting.pattern)?.pattern.name ?? sighting.pattern;
    if (!newest.has(row)) newest.set(row, sighting);
  }
  return [...newest.values()];
}

const NOTHING_TOLD: Told<ServingScore> = { snapshotId: null, score: null };

/** What models said of each; of those without a direction nothing. */
async function toldOf(told: ToldScores, detections: readonly NewDetection[]): Promise<Told<ServingScore>[]> {
  const directed = detections.flatMap(({ direction, ...rest }) =>
    direction === 0 ? [] : [{ ...rest, direction }],
  );
  const found = await told.of(directed);
  let next = 0;
  return detections.map(({ direction }) => (direction === 0 ? NOTHING_TOLD : found[next++]));
}

function seenPattern(
  detection: NewDetection,
  at: number,
  { candles, instrument }: CandleSet,
  evidence: Pick<Evidence, "confidenceOf">,
  told: Told<ServingScore>,
): SeenPattern {
  const { direction } = detection;
  const levels = levelsOf(detection);
  return {
    detection,
    confidence: measuredOf(detection, instrument.assetClass, evidence.confidenceOf),
    levels,
    over: levels !== null && direction !== 0 && isOver(candles, at, direction, levels),
    told,
  };
}

/** Whether a bar after `at` has reached stop or target, or opened beyond them. */
export function isOver(
  { high, low }: Bars,
  at: number,
  direction: 1 | -1,
  { stop, target }: Levels,
): boolean {
  for (let i = at + 1; i < high.length; i++) {
    if (direction > 0 ? low[i] <= stop || high[i] >= target : high[i] >= stop || low[i] <= target)
      return true;
  }
  return false;
}

/**
 * A pattern as a voice of the rules. Where the active version scored it when it was seen, that chance stands for the hit rate of
 * all of its kind, beside the same base rate, or that of what the version learned from.
 */
export function voiceOf({ detection, confidence, told: { score } }: SeenPattern): RuleVoice {
  const { direction, quality } = detection;
  if (score?.serves === true)
    return { direction, quality, confidence: score.score, base: confidence.baseRate ?? score.rate };
  return { direction, quality, confidence: confidence.value, base: confidence.baseRate };
}

/** How much a pattern says: its quality, and by how much it has been better than chance where that is measured. */
export function strengthOf(pattern: SeenPattern): number {
  const { quality, confidence, base } = voiceOf(pattern);
  return confidence === null || base === null || base <= 0 ? quality : (quality * confidence) / base;
}

/** The pattern that says most; null without any. @param direction of those that count; null for all. */
export function leadingPattern(
  patterns: readonly SeenPattern[],
  direction: 1 | -1 | null = null,
): SeenPattern | null {
  let best: SeenPattern | null = null;
  for (const pattern of patterns) {
    if (direction !== null && pattern.detection.direction !== direction) continue;
    if (best === null || rankOf(pattern) > rankOf(best)) best = pattern;
  }
  return best;
}

/** Patterns with a direction before those without. */
const rankOf = (pattern: SeenPattern) =>
  (pattern.detection.direction === 0 ? 0 : 10) + Math.min(9, strengthOf(pattern));
