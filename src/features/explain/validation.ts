import { spoken } from "../../core/base/words.js";
import type { Interval } from "../../core/market/interval.js";
import type { Check, PatternVariant } from "../../core/patterns/define.js";
import { LEAD_BARS } from "../../core/signals/lead.js";
import { AppError } from "../../platform/errors.js";
import type { CandleService, CandleSet } from "../candles/candles.js";
import { measuredOf } from "../detections/confidence.js";
import { type Detections, detectionOf } from "../detections/detections.js";
import { levelsOf } from "../detections/levels.js";
import type { NewDetection } from "../detections/store.js";
import { evidenceAsOf } from "../evidence/as-of.js";
import type { Instruments } from "../instruments/instruments.js";
import { requireVariants } from "./encyclopaedia.js";
import { ratioToMean } from "./reading.js";
import type { Reliability, ReliabilitySource } from "./reliability.js";

export interface ValidationCheck extends Check {
  /** Whether the pattern stands or falls with it. */
  readonly required: boolean;
}

export interface Validation {
  readonly set: CandleSet;
  readonly pattern: string;
  /** Every required check is passed. */
  readonly valid: boolean;
  readonly reliability: Reliability;
  /** The newest sighting of it on the bars that were looked at; null without one. */
  readonly detection: NewDetection | null;
  readonly checks: readonly ValidationCheck[];
}

/** Newest closed bars on one of which the pattern must have been seen. */
export const SEEN_BARS = 5;

export function createValidation(parts: {
  detections: Pick<Detections, "examineWindows">;
  candles: Pick<CandleService, "loadLatest">;
  instruments: Pick<Instruments, "resolve">;
  evidence: ReliabilitySource;
}) {
  const { detections, candles, instruments, evidence } = parts;
  return {
    /**
     * Whether a pattern is there, on the bars known at a moment or now.
     * @throws {AppError} `pattern_unknown`, `no_data`, and as candles do.
     */
    async validate(symbol: string, text: string, interval: Interval, atMs?: number): Promise<Validation> {
      const meant = requireVariants(text);
      const instrument = await instruments.resolve(symbol);
      const set = await candles.loadLatest(instrument, interval, LEAD_BARS + SEEN_BARS, atMs);
      const { length } = set.candles.time;
      if (length === 0) throw new AppError("no_data", `${instrument.symbol} has no ${interval} candles`);
      const from = Math.max(0, length - SEEN_BARS);
      const [sightings] = await detections.examineWindows([{ candles: set.candles, from }]);
      const seen = sightings.findLast((each) => meant.some(({ variant }) => variant.id === each.pattern));
      const { pattern, variant } = meant.find((each) => each.variant.id === seen?.pattern) ?? meant[0];
      const { confidenceOf } = evidenceAsOf(evidence, atMs);
      const detection = seen === undefined ? null : detectionOf(seen, set, confidenceOf);
      const checks: ValidationCheck[] = [
        check("enough_bars", length > pattern.warmup, length, pattern.warmup + 1),
        check(
          "seen_within_bars",
          seen !== undefined,
          seen === undefined ? null : length - 1 - seen.at,
          SEEN_BARS - 1,
        ),
      ];
      if (seen !== undefined && detection !== null) {
        checks.push(...checksOf(detection, variant, ratioToMean(set.candles.volume, seen.at)));
      }
      const failed = checks.filter(({ required, passed }) => required && passed === false);
      const measured =
        detection === null
          ? confidenceOf(variant.id, interval, null)
          : measuredOf(detection, instrument.assetClass, confidenceOf);
      return {
        set,
        pattern: variant.id,
        valid: failed.length === 0,
        reliability: failed.length === 0 ? measured : withoutConfidence(measured, failed),
        detection,
        checks,
      };
    },
  };
}

/** A hit rate is that of shapes that are there: beside what those came to, one that is not has none. */
function withoutConfidence(measured: Reliability, failed: readonly ValidationCheck[]): Reliability {
  const names = failed.map(({ name }) => spoken(name)).join(", ");
  return { ...measured, value: null, reason: measured.reason ?? `The pattern is not there: ${names}` };
}

export type ValidationVerbs = ReturnType<typeof createValidation>;

function check(
  name: string,
  passed: boolean | null,
  value: number | null,
  threshold: number | null,
  required = true,
): ValidationCheck {
  return { name, passed, value, threshold, required };
}

/** Least quality that is a fair likeness, least reward per risk, and least volume per its mean; none is required. */
const FAIR_QUALITY = 0.3;
const FAIR_REWARD = 1;
const FAIR_VOLUME = 1;
/** Trends as numbers, for checks that compare. */
const TRENDS: Readonly<Record<string, number>> = { up: 1, flat: 0, down: -1 };

function checksOf(
  detection: NewDetection,
  { priorTrend }: PatternVariant,
  volumeRatio: number | null,
): ValidationCheck[] {
  const { state, trendMet, facts, quality, formation } = detection;
  const standing = state === "confirmed" || state === "forming";
  const asked = priorTrend === null ? null : TRENDS[priorTrend];
  const rewardRisk = levelsOf(detection)?.rewardRisk ?? null;
  return [
    check("state_stands", standing, null, null),
    check("prior_trend", trendMet, TRENDS[facts.trend] ?? null, asked),
    check("quality", quality >= FAIR_QUALITY, quality, FAIR_QUALITY, false),
    check(
      "reward_per_risk",
      rewardRisk === null ? null : rewardRisk >= FAIR_REWARD,
      rewardRisk,
      FAIR_REWARD,
      false,
    ),
    check(
      "volume",
      volumeRatio === null ? null : volumeRatio >= FAIR_VOLUME,
      volumeRatio,
      FAIR_VOLUME,
      false,
    ),
    ...(formation?.checks ?? []).map((each) => ({ ...each, required: false })),
  ];
}
