import { type Explanation, explainRegime } from "../../core/regime/explain.js";
import { computeRegimes } from "../../core/regime/regime.js";
import type { Levels } from "../../core/signals/levels.js";
import type { CandleService } from "../candles/candles.js";
import { measuredOf } from "../detections/confidence.js";
import type { Detections } from "../detections/detections.js";
import { levelsOf } from "../detections/levels.js";
import type { Instruments } from "../instruments/instruments.js";
import { loadLeading } from "./leading.js";
import type { Reliability, ReliabilitySource } from "./reliability.js";
import { findSimilar, type Similar } from "./similar.js";
import { loadStanding, type Standing } from "./standing.js";
import type { Subject } from "./subject.js";

/** What was known of a subject when its bar closed, what is measured of its pattern by now, and how the trade on it stands. */
export interface Reading {
  readonly subject: Subject;
  /** The alert's own levels, or those that an alert on it would have; null without any. */
  readonly levels: Omit<Levels, "basis"> | null;
  /** Its regime with the numbers that made it; null where it has none. */
  readonly regime: Explanation | null;
  /** Volume of the bar per mean of the 20 before; null where there is no volume. */
  readonly volumeRatio: number | null;
  readonly reliability: Reliability;
  readonly similar: Similar;
  /** How the trade on it stands now. */
  readonly standing: Standing;
}

export const VOLUME_BARS = 20;

export interface ReadingParts {
  readonly candles: Pick<CandleService, "loadRange" | "loadLatest">;
  readonly detections: Pick<Detections, "past">;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly evidence: ReliabilitySource;
  readonly now: () => number;
}

/** Reads a subject on the bars that were known when its bar closed. @throws {AppError} as candles do. */
export async function readSubject(parts: ReadingParts, subject: Subject): Promise<Reading> {
  const { detection, instrument } = subject;
  const { interval, barTime, closedAt, regime } = detection;
  const knownAtMs = Math.min(closedAt, parts.now());
  const [{ candles }, similar, standing] = await Promise.all([
    loadLeading(parts.candles, instrument, interval, barTime, knownAtMs),
    findSimilar(parts, detection, { closedAt, storedBy: subject.storedBy }),
    loadStanding(parts, subject),
  ]);
  const at = candles.time.length - 1;
  const there = at >= 0 && candles.time[at] === barTime;
  const regimes = computeRegimes(candles);
  const explained = there && regimes.label[at] >= 0 ? explainRegime(regimes, at) : [];
  return {
    subject,
    levels: alertLevels(subject),
    regime: explained.find((each) => each.regime === regime) ?? null,
    volumeRatio: there ? ratioToMean(candles.volume, at) : null,
    reliability: measuredOf(detection, instrument.assetClass, parts.evidence.confidenceOf),
    similar,
    standing,
  };
}

function alertLevels({ alert, detection }: Subject): Omit<Levels, "basis"> | null {
  if (alert === null) return detection.state === "confirmed" ? levelsOf(detection) : null;
  const { entry, stop, target } = alert;
  if (entry === null || stop === null || target === null) return null;
  return { entry, stop, target, rewardRisk: Math.abs(target - entry) / Math.abs(entry - stop) };
}

/** A bar's value per mean of the 20 before it; null where these are none or too few. */
export function ratioToMean(column: Float64Array, at: number): number | null {
  if (at < VOLUME_BARS) return null;
  let sum = 0;
  for (let i = at - VOLUME_BARS; i < at; i++) sum += column[i];
  return sum > 0 ? (VOLUME_BARS * column[at]) / sum : null;
}
