import type { NewDetection } from "../detections/store.js";

/** A detection that may become an alert. */
export interface Candidate extends NewDetection {
  readonly id: number;
  readonly symbol: string;
  readonly synthetic: boolean;
  /** False for bars that were no longer the newest when the symbol was first scanned. */
  readonly fresh: boolean;
  /** Bars of its interval that have closed since, on the clock of the source. */
  readonly barsSince: number;
}

export interface AlertSettings {
  /** Smallest score that raises an alert, 0..1. */
  readonly threshold: number;
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
  "trend_context",
  "score_threshold",
  "dedupe_window",
] as const;
export type Rule = (typeof RULES)[number];

export const RULE_DESCRIPTIONS: Readonly<Record<Rule, string>> = {
  alerts_enabled: "Alerts are switched on",
  bar_is_new: "The bar was the newest when the symbol was first scanned, or closed after",
  bar_is_recent: "Not too many bars have closed since, for scans that catch up",
  trend_context: "The trend before the shape is the one that gives it its meaning",
  score_threshold: "Confidence, or quality while there is none, reaches the threshold",
  dedupe_window: "The symbol and pattern raised no alert shortly before",
};

/** Bars that may have closed since: a scan that was down for longer reports, but does not alert. */
export const RECENT_BARS = 12;

/** What is compared with the threshold: the measured confidence, or the quality while there is none. */
export function scoreOf(candidate: { confidence: number | null; quality: number }): {
  score: number;
  basis: "confidence" | "quality";
} {
  const { confidence, quality } = candidate;
  return confidence === null
    ? { score: quality, basis: "quality" }
    : { score: confidence, basis: "confidence" };
}

/** The verdicts that need no database, in the order of the rules. */
export function judge(candidate: Candidate, settings: AlertSettings): Verdict[] {
  const { score } = scoreOf(candidate);
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
      rule: "trend_context",
      passed: candidate.trendMet !== false,
      value: candidate.facts.trend,
      limit: candidate.trendMet,
    },
    { rule: "score_threshold", passed: score >= settings.threshold, value: score, limit: settings.threshold },
  ];
}
