import { lowerBound } from "../../core/base/search.js";
import { barsPerYear } from "../../core/market/bar-times.js";
import type { Bars } from "../../core/market/candles.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import type { Levels } from "../../core/signals/levels.js";
import type { CandleSet } from "../candles/candles.js";
import { measuredOf } from "../detections/confidence.js";
import type { Detections } from "../detections/detections.js";
import { levelsOf } from "../detections/levels.js";
import type { NewDetection } from "../detections/store.js";
import type { Confidence, Evidence } from "../evidence/evidence.js";
import type { Instruments } from "../instruments/instruments.js";
import { type Judged, judge } from "./entries.js";
import { isOver, RECENT_BARS } from "./look.js";

/** A confirmed pattern of the last days. */
export interface ListedPattern {
  readonly detection: NewDetection;
  readonly confidence: Confidence;
  readonly judged: Judged;
  /** At its own bar; null without a direction or a range. */
  readonly levels: Levels | null;
  /** Why its trade is not to be entered any more; null while it may be, and without levels. */
  readonly over: string | null;
  /** Whether its bar has more volume than usual; null where there is none to compare with. */
  readonly volumeConfirms: boolean | null;
  /** Whether the trend before it is as it asks, or in its direction where it asks for none; null without a direction. */
  readonly trendAligns: boolean | null;
  /** Prices that the shape rests on, ascending. */
  readonly keyLevels: readonly number[];
}

export interface PatternList {
  readonly set: CandleSet;
  /** Newest first. */
  readonly patterns: readonly ListedPattern[];
  /** How many were left out by the least confidence, and how many older ones for want of room. */
  readonly below: number;
  readonly beyond: number;
}

export interface PatternFinder {
  /**
   * Confirmed patterns of the last days, of which the measured hit rate, or the quality where there is none, is at
   * least so much. @throws {AppError} as `Detections.examine`.
   */
  find(symbol: string, interval: Interval, days: number, least: number): Promise<PatternList>;
}

const MOST_BARS = 5_000;
const MOST_PATTERNS = 200;
const DAYS_A_YEAR = 365.25;
const VOLUME_BARS = 20;
const VOLUME_FACTOR = 1.2;

export function createPatternFinder(options: {
  detections: Pick<Detections, "examine">;
  instruments: Pick<Instruments, "resolve">;
  evidence: Pick<Evidence, "confidenceOf">;
}): PatternFinder {
  const { detections, instruments, evidence } = options;
  return {
    async find(symbol, interval, days, least) {
      const { calendar } = await instruments.resolve(symbol);
      const bars = Math.ceil((barsPerYear(calendarOf(calendar), interval) * days) / DAYS_A_YEAR);
      const examined = await detections.examine(symbol, interval, Math.min(MOST_BARS, Math.max(1, bars)));
      const confirmed = examined.detections.filter(({ state }) => state === "confirmed").reverse();
      const listed = confirmed.map((detection) => listedPattern(detection, examined.set, evidence));
      const passed = listed.filter(({ judged }) => judged.value >= least);
      return {
        set: examined.set,
        patterns: passed.slice(0, MOST_PATTERNS),
        below: listed.length - passed.length,
        beyond: Math.max(0, passed.length - MOST_PATTERNS),
      };
    },
  };
}

function listedPattern(
  detection: NewDetection,
  { candles: bars, instrument }: CandleSet,
  evidence: Pick<Evidence, "confidenceOf">,
): ListedPattern {
  const { direction, facts, trendMet } = detection;
  const confidence = measuredOf(detection, instrument.assetClass, evidence.confidenceOf);
  const levels = levelsOf(detection);
  const at = lowerBound(bars.time, detection.barTime);
  return {
    detection,
    confidence,
    judged: judge({ detection, confidence }),
    levels,
    over: levels === null || direction === 0 ? null : overSince(bars, at, direction, levels),
    volumeConfirms: volumeConfirms(bars, at),
    trendAligns: direction === 0 ? null : (trendMet ?? facts.trend === (direction > 0 ? "up" : "down")),
    keyLevels: keyLevels(detection, bars),
  };
}

/** The bars on which a pattern is entered are the newest ones, as for signals. */
function overSince(bars: Bars, at: number, direction: 1 | -1, levels: Levels): string | null {
  if (isOver(bars, at, direction, levels)) return "the price has reached its stop or target since";
  const since = bars.time.length - 1 - at;
  return since < RECENT_BARS ? null : `its entry was ${since} bars ago`;
}

function volumeConfirms({ volume }: Bars, at: number): boolean | null {
  if (at < VOLUME_BARS) return null;
  let sum = 0;
  for (let i = at - VOLUME_BARS; i < at; i++) sum += volume[i];
  return sum > 0 ? volume[at] > (VOLUME_FACTOR * sum) / VOLUME_BARS : null;
}

/** The ends of a shape's lines and its trigger; high and low of a shape of bars. */
function keyLevels({ formation, startTime, barTime }: NewDetection, { time, high, low }: Bars): number[] {
  const lines = formation?.boundaries.map(({ to }) => to.price) ?? [];
  const trigger = formation?.trigger ?? null;
  const levels = trigger === null ? lines : [...lines, trigger];
  if (levels.length > 0) return [...new Set(levels)].sort((a, b) => a - b);
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = lowerBound(time, startTime); i < time.length && time[i] <= barTime; i++) {
    least = Math.min(least, low[i]);
    most = Math.max(most, high[i]);
  }
  return least === most ? [least] : [least, most];
}
