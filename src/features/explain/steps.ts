import { spoken } from "../../core/base/words.js";
import { MEASURES } from "../../core/regime/define.js";
import { REGIME_RULES } from "../../core/regime/rules.js";
import { RULE_DESCRIPTIONS } from "../alerts/rules.js";
import type { NewDetection } from "../detections/store.js";
import type { Reading } from "./reading.js";
import { VOLUME_BARS } from "./reading.js";
import type { Reliability } from "./reliability.js";
import { ageText, endOf, entryClosed } from "./standing.js";
import { DIRECTIONS, figure, known, percent } from "./words.js";

export const STEP_STATUSES = ["passed", "neutral", "failed", "unavailable"] as const;
export type StepStatus = (typeof STEP_STATUSES)[number];

/** One step of the reasoning, with the numbers behind it in words. */
export interface Step {
  readonly title: string;
  readonly status: StepStatus;
  readonly description: string;
  readonly details: readonly string[];
  /** A measured rate of coming true, 0..1; null for steps that measure none. */
  readonly confidence: number | null;
}

export const ICONS: Readonly<Record<StepStatus, string>> = {
  passed: "✅",
  neutral: "➖",
  failed: "❌",
  unavailable: "❔",
};

/** From the shape to the past: what speaks for and against a pattern, each with real numbers. */
export function reasoningSteps(reading: Reading): Step[] {
  return [
    shapeStep(reading),
    trendStep(reading),
    regimeStep(reading),
    volumeStep(reading),
    levelStep(reading),
    tradeStep(reading),
    evidenceStep(reading),
    similarStep(reading),
    ...ruleSteps(reading),
  ];
}

const step = (
  title: string,
  status: StepStatus,
  description: string,
  details: readonly string[] = [],
): Step => ({ title, status, description, details, confidence: null });

const GOOD_QUALITY = 0.6;
const POOR_QUALITY = 0.3;

function shapeStep({ subject: { detection, variant } }: Reading): Step {
  const { quality, state, formation, price } = detection;
  const status = quality >= GOOD_QUALITY ? "passed" : quality >= POOR_QUALITY ? "neutral" : "failed";
  const points = (formation?.points ?? []).map(
    ({ role, price: at, time }) => `${spoken(role)} ${figure(at)} at ${new Date(time).toISOString()}`,
  );
  const checks = (formation?.checks ?? []).map(({ name, passed, value, threshold }) => {
    const word = passed === null ? "not known" : passed ? "met" : "not met";
    return `${spoken(name)} ${word}: ${known(value)} against ${known(threshold)}`;
  });
  const text = `${variant.title} is ${state} at a close of ${figure(price)}; its shape fits with quality ${quality.toFixed(2)} of 1, which is no probability`;
  return step(
    "Shape",
    state === "failed" || state === "expired" ? "failed" : status,
    text,
    points.concat(checks),
  );
}

function trendStep({ subject: { detection, variant } }: Reading): Step {
  const { trend } = detection.facts;
  const asked =
    variant.priorTrend === null
      ? "the pattern asks for none"
      : `the pattern asks for one that goes ${variant.priorTrend}`;
  const status = detection.trendMet === null ? "neutral" : detection.trendMet ? "passed" : "failed";
  return step("Prior trend", status, `The trend before the shape is ${trend}; ${asked}`);
}

/** Regimes whose direction is with a rise, 1, or a fall, -1. */
const LEANINGS: Readonly<Record<string, number>> = {
  trending_bull: 1,
  accumulation: 1,
  trending_bear: -1,
  distribution: -1,
};

/** 1 where a regime speaks for a direction, -1 against it, 0 neither. */
export function leaningOf(regime: string | null, direction: number): number {
  return regime === null ? 0 : (LEANINGS[regime] ?? 0) * direction;
}

function regimeStep({ subject: { detection }, regime }: Reading): Step {
  if (detection.regime === null) {
    return step("Market regime", "unavailable", "Too few bars came before to tell the regime");
  }
  const leaning = leaningOf(detection.regime, detection.direction);
  const status = leaning > 0 ? "passed" : leaning < 0 ? "failed" : "neutral";
  const title = regime === null ? spoken(detection.regime) : REGIME_RULES[regime.regime].title;
  const share = regime === null ? "" : `, with probability ${percent(regime.probability)}`;
  const details = (regime?.reasons ?? []).map(
    ({ measure, value, from, to, met }) =>
      `${spoken(measure)} ${known(value)}, counts from ${figure(from)} and in full at ${figure(to)}: met ${percent(met)} (${MEASURES[measure]})`,
  );
  return step("Market regime", status, `The market was in the regime ${title}${share}`, details);
}

const HIGH_VOLUME = 1.2;
const LOW_VOLUME = 0.8;

function volumeStep({ subject: { detection }, volumeRatio }: Reading): Step {
  if (volumeRatio === null) {
    return step(
      "Volume",
      "unavailable",
      "The source has no volume here, or too few bars came before to compare it",
    );
  }
  const status = volumeRatio >= HIGH_VOLUME ? "passed" : volumeRatio < LOW_VOLUME ? "failed" : "neutral";
  const text = `Volume of ${figure(detection.volume)} is ${volumeRatio.toFixed(2)} times the mean of the ${VOLUME_BARS} bars before`;
  return step("Volume", status, text);
}

function levelStep({ subject: { detection }, levels }: Reading): Step {
  if (levels === null) {
    const why =
      detection.direction === 0
        ? "The pattern expects neither rise nor fall"
        : detection.state === "confirmed"
          ? "Too few bars came before for a range"
          : `The pattern is ${detection.state}`;
    return step("Levels", "unavailable", `There is nothing to trade: ${why.toLowerCase()}`);
  }
  const { entry, stop, target, rewardRisk } = levels;
  const { range } = detection.facts;
  const ranges =
    range === null
      ? []
      : [`the average true range of 14 bars is ${figure(range)}, ${distances(levels, range)}`];
  const text = `Entry ${figure(entry)}, stop ${figure(stop)}, target ${figure(target)}: ${rewardRisk.toFixed(2)} of reward per risk`;
  return step("Levels", rewardRisk >= 1 ? "passed" : "neutral", text, ranges);
}

function distances({ entry, stop, target }: { entry: number; stop: number; target: number }, range: number) {
  const away = (level: number) => (Math.abs(level - entry) / range).toFixed(2);
  return `the stop ${away(stop)} and the target ${away(target)} of them from the entry`;
}

/** How the trade stands by now: what the other steps tell of then is of no use to one that is over. */
function tradeStep({ standing, subject: { detection } }: Reading): Step {
  const { outcome, ageMs, stale } = standing;
  const age = `The bar closed at ${new Date(detection.closedAt).toISOString()}, ${ageText(ageMs)} ago`;
  const { entry, exit } = outcome;
  const details =
    entry === null || exit === null ? [age] : [age, `entry ${figure(entry)}, exit ${figure(exit)}`];
  const end = endOf(standing);
  if (outcome.status === "none") {
    return step("Trade", "unavailable", outcome.reason ?? "There is no trade on it", details);
  }
  const closed = entryClosed(standing);
  const text = closed ?? "The trade on it is open: neither stop nor target has been reached";
  return step(
    "Trade",
    end !== null || stale ? "failed" : closed === null ? "passed" : "neutral",
    text,
    details,
  );
}

function evidenceStep({ reliability, subject: { detection } }: Reading): Step {
  const { value, reason, n, hitRate, low, high, baseRate, regime, edgeLow, edgeHigh, qValue } = reliability;
  if (value === null || hitRate === null) {
    const seen = n === 0 ? [] : [`${n} trades were measured`];
    return step("Evidence", "unavailable", reason ?? "There is no measured hit rate", seen);
  }
  const text = `${percent(hitRate)} of ${n} trades on it (regime: ${spoken(regime)}) reached the target before the stop after costs`;
  const interval = low === null || high === null ? [] : [`95 % interval ${percent(low)} to ${percent(high)}`];
  const base = baseRate === null ? [] : [`the same trade without the pattern: ${percent(baseRate)}`];
  const edge =
    edgeLow === null || edgeHigh === null
      ? []
      : [
          `better than that by ${percent(edgeLow)} to ${percent(edgeHigh)} (99 %, trades in clusters counted as such)`,
        ];
  const chance =
    qValue === null ? [] : [`chance of such a difference without any: ${qValue.toFixed(3)}, corrected`];
  const shrunk = `shrunk by sample size: ${percent(value)}`;
  const details = [...interval, ...base, ...edge, ...chance, shrunk, ...whenMeasured(reliability, detection)];
  const status = standing(edgeLow, edgeHigh);
  return { ...step("Evidence", status, text, details), confidence: value };
}

/** Up to when trades were measured, and what was known when the pattern was seen where that is another number. */
function whenMeasured({ asOfMs }: Reliability, { closedAt, confidence }: NewDetection): string[] {
  if (asOfMs === null) return [];
  const until = `trades until ${new Date(asOfMs).toISOString()}`;
  if (asOfMs <= closedAt) return [until];
  const before = confidence === null ? "none was known" : `it was ${percent(confidence)}`;
  return [`${until}, later than the pattern; when that was seen, ${before}`];
}

/** Passed where all of what it exceeds chance by lies above 0, failed where all of it lies below. */
function standing(low: number | null, high: number | null): StepStatus {
  if (low === null || high === null) return "neutral";
  if (low > 0) return "passed";
  return high < 0 ? "failed" : "neutral";
}

function similarStep({ similar, subject }: Reading): Step {
  const { cases, settled, hits, meanR } = similar;
  if (cases.length === 0) {
    return step(
      "Similar cases",
      "unavailable",
      "No earlier detection of this pattern and interval is stored",
    );
  }
  const told = cases.map(({ detection, distance, outcome }) => {
    const end = outcome.r === null ? outcome.status : `${outcome.status}, ${outcome.r.toFixed(2)} R`;
    return `${detection.symbol} ${new Date(detection.barTime).toISOString()}: ${end} (${distance.toFixed(2)} apart)`;
  });
  const way = DIRECTIONS[subject.detection.direction];
  const result =
    settled === 0 || meanR === null
      ? "none of them had ended by then"
      : `${hits} of ${settled} that had ended by then reached their target, ${meanR.toFixed(2)} R on average`;
  return step(
    "Similar cases",
    "neutral",
    `Of ${cases.length} earlier ${way} cases most like it, ${result}`,
    told,
  );
}

function ruleSteps({ subject: { verdicts } }: Reading): Step[] {
  if (verdicts.length === 0) return [];
  const failed = verdicts.filter(({ passed }) => !passed);
  const details = verdicts.map(
    ({ rule, passed, value, limit }) =>
      `${spoken(rule)} ${passed ? "passed" : "refused"}: ${String(value)} against ${String(limit)} (${RULE_DESCRIPTIONS[rule]})`,
  );
  const text =
    failed.length === 0
      ? `All ${verdicts.length} rules of alerts let it pass`
      : `${failed.length} of ${verdicts.length} rules of alerts refused it`;
  return [step("Alert rules", failed.length === 0 ? "passed" : "failed", text, details)];
}
