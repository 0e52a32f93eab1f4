import { barClose, lastClosedBar, openBefore } from "../../core/market/bar-times.js";
import type { Interval } from "../../core/market/interval.js";
import type { Calendar } from "../../core/market/session.js";
import { PROHIBITIVE_SHARE } from "../../core/signals/cost-class.js";
import { isoTime } from "../../platform/http.js";
import type { NewDetection } from "../detections/store.js";
import type { Confidence } from "../evidence/evidence.js";

/** A detection that may become an alert. */
export interface Candidate extends NewDetection {
  readonly id: number;
  readonly symbol: string;
  readonly synthetic: boolean;
  /** What is measured of the pattern in the regime it was seen in. */
  readonly evidence: Pick<Confidence, "edgeHigh">;
  /** What the costs of the trade on it take of the way to its target; null where there is no trade. */
  readonly costShare: number | null;
  /** Smallest quality that raises an alert, where it is not measured on the scale of patterns. */
  readonly threshold?: number;
  /** False for bars that were no longer the newest when the symbol was first scanned. */
  readonly fresh: boolean;
  /** Bars of its interval that have closed since, on the clock of the source. */
  readonly barsSince: number;
  /** How far the source has come, and how far it should have by the clock of the market. */
  readonly reach: Reach;
}

/** Closes of bars, epoch ms. */
export interface Reach {
  /** Of the newest that the source has reached. */
  readonly reachedMs: number;
  /** Of the oldest that may be its newest. */
  readonly dueMs: number;
}

export interface AlertSettings {
  /** Smallest quality of a pattern that raises an alert, 0..1. */
  readonly threshold: number;
  /** Smallest measured hit rate that raises an alert, 0..1; 0 demands none. */
  readonly leastConfidence: number;
  /** Market time within which a symbol and pattern raise no second alert. */
  readonly dedupeMs: number;
  /** False while alerts are switched off. */
  readonly enabled: boolean;
}

/** What a rule says of a candidate, with the values it compared. */
export interface Verdict {
  readonly rule: Rule;
  readonly passed: boolean;
  readonly value: number | string | boolean | null;
  readonly limit: number | string | boolean | null;
}

export const RULES = [
  "alerts_enabled",
  "bar_is_new",
  "bar_is_recent",
  "source_is_current",
  "trend_context",
  "costs_bearable",
  "score_threshold",
  "confidence_threshold",
  "no_worse_than_chance",
  "dedupe_window",
] as const;
export type Rule = (typeof RULES)[number];

export const RULE_DESCRIPTIONS: Readonly<Record<Rule, string>> = {
  alerts_enabled: "Alerts are switched on",
  bar_is_new: "The bar was the newest when the symbol was first scanned, or closed after",
  bar_is_recent: "Not too many bars have closed since, for scans that catch up",
  source_is_current:
    "The source is at most two bars of the interval behind the clock, or that of the replay, by the calendar of its market",
  trend_context: "The trend before the shape is the one that gives it its meaning",
  costs_bearable: "Costs leave something of the way to the target",
  score_threshold: "The quality of the shape reaches the threshold of its kind",
  confidence_threshold: "The measured hit rate reaches the least that is demanded, if anything is",
  no_worse_than_chance:
    "The pattern has not done worse than the same trade taken at any time, as far as is measured",
  dedupe_window: "The symbol and pattern raised no alert shortly before",
};

/** Bars that may have closed since: a scan that was down for longer reports, but does not alert. */
export const RECENT_BARS = 12;

/** Bars that a source may be behind, beside the time by which exchanges delay what they give away. */
const LATE_BARS = 2;
const DELAY_MS = 20 * 60_000;

/**
 * How far a source has come and should have. @param reachedMs moment that its bars have reached. @param marketMs the
 * moment of the market: now, or where a replay has come.
 */
export function reachOf(calendar: Calendar, interval: Interval, reachedMs: number, marketMs: number): Reach {
  const newest = lastClosedBar(calendar, interval, reachedMs);
  const expected = lastClosedBar(calendar, interval, marketMs - DELAY_MS);
  const closeOf = (open: number | null) => (open === null ? reachedMs : barClose(calendar, interval, open));
  return {
    reachedMs: closeOf(newest),
    dueMs: closeOf(expected === null ? null : openBefore(calendar, interval, expected + 1, LATE_BARS + 1)),
  };
}

/** The verdicts that need no database, in the order of the rules. */
export function judge(candidate: Candidate, settings: AlertSettings): Verdict[] {
  const { quality, confidence, evidence, costShare, threshold = settings.threshold } = candidate;
  const { reachedMs, dueMs } = candidate.reach;
  return [
    { rule: "alerts_enabled", passed: settings.enabled, value: settings.enabled, limit: true },
    { rule: "bar_is_new", passed: candidate.fresh, value: candidate.fresh, limit: true },
    {
      rule: "bar_is_recent",
      passed: candidate.barsSince <= RECENT_BARS,
      value: candidate.barsSince,
      limit: RECENT_BARS,
    },
    {
      rule: "source_is_current",
      passed: reachedMs >= dueMs,
      value: isoTime(reachedMs),
      limit: isoTime(dueMs),
    },
    {
      rule: "trend_context",
      passed: candidate.trendMet !== false,
      value: candidate.facts.trend,
      limit: candidate.trendMet,
    },
    {
      rule: "costs_bearable",
      passed: costShare === null || costShare < PROHIBITIVE_SHARE,
      value: costShare,
      limit: PROHIBITIVE_SHARE,
    },
    {
      rule: "score_threshold",
      passed: quality >= threshold,
      value: quality,
      limit: threshold,
    },
    {
      rule: "confidence_threshold",
      // What is demanded must have been measured.
      passed: settings.leastConfidence === 0 || (confidence ?? 0) >= settings.leastConfidence,
      value: confidence,
      limit: settings.leastConfidence,
    },
    {
      rule: "no_worse_than_chance",
      passed: evidence.edgeHigh === null || evidence.edgeHigh >= 0,
      value: evidence.edgeHigh,
      limit: 0,
    },
  ];
}
