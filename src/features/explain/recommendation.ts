import { PROHIBITIVE_SHARE } from "../../core/signals/cost-class.js";
import { breakEvenOf } from "../../core/signals/signal.js";
import { shareOfCosts } from "../detections/levels.js";
import type { Reading } from "./reading.js";
import { ageText, endOf, entryClosed } from "./standing.js";
import { leaningOf } from "./steps.js";
import { ACTIONS, figure, percent } from "./words.js";

/** Something that speaks against a trade, or would. */
export interface RiskFactor {
  readonly name: string;
  /** Whether it is so; null where it is not known. */
  readonly present: boolean | null;
  readonly text: string;
}

export const RISK_LABELS = ["LOW", "MEDIUM", "HIGH"] as const;

export interface Recommendation {
  /** HOLD where there is a trade that is not to be entered now: it is over, or what is measured speaks against it. */
  readonly action: "BUY" | "SELL" | "WATCH" | "HOLD";
  readonly confidence: number | null;
  readonly entry: number | null;
  readonly target: number | null;
  readonly stop: number | null;
  readonly rewardRisk: number | null;
  /** Share of the known risk factors that are present, 0..100; null where none is known. */
  readonly riskScore: number | null;
  /** By the score; MEDIUM at least where something speaks so much against it that there is no trade. */
  readonly riskLabel: (typeof RISK_LABELS)[number] | null;
  readonly factors: readonly RiskFactor[];
  /** Score of the alert on it, 0..1; the quality where there is none. */
  readonly score: number;
  readonly reasoning: string;
}

/** What speaks against a trade so much that there is none to recommend. */
const DECISIVE: ReadonlySet<string> = new Set([
  "trade_over",
  "prices_stale",
  "entry_passed",
  "trend_not_met",
  "costs_prohibitive",
  "worse_than_chance",
  "below_break_even",
]);

/** What to do now by the alert's own levels and direction, with what speaks against it; levels of a trade to be entered alone. */
export function recommend(reading: Reading): Recommendation {
  const { subject, reliability } = reading;
  const { detection, alert } = subject;
  const factors = riskFactors(reading);
  const decided = factors.some(({ name, present: is }) => is === true && DECISIVE.has(name));
  const action = reading.levels === null ? "WATCH" : decided ? "HOLD" : ACTIONS[detection.direction];
  const levels = action === "HOLD" ? null : reading.levels;
  const told = factors.filter(({ present }) => present !== null);
  const present = told.filter((factor) => factor.present);
  const riskScore = told.length === 0 ? null : Math.round((100 * present.length) / told.length);
  const { score } = alert ?? { score: detection.quality };
  return {
    action,
    confidence: reliability.value,
    entry: levels?.entry ?? null,
    target: levels?.target ?? null,
    stop: levels?.stop ?? null,
    rewardRisk: levels?.rewardRisk ?? null,
    riskScore,
    riskLabel: riskScore === null ? null : labelOf(riskScore, decided),
    factors,
    score,
    reasoning: sentence(reading, action, present),
  };
}

function labelOf(riskScore: number, decided: boolean): (typeof RISK_LABELS)[number] {
  if (riskScore >= 67) return "HIGH";
  return riskScore >= 34 || decided ? "MEDIUM" : "LOW";
}

/** A place of volatility among those of the last year from which it is high. */
const HIGH_RANK = 0.8;

function riskFactors(reading: Reading): RiskFactor[] {
  const { subject, levels, reliability, volumeRatio, regime } = reading;
  const { detection } = subject;
  const rank = regime?.reasons.find(({ measure }) => measure === "volatility_rank")?.value ?? null;
  const loud =
    detection.regime === null ? null : detection.regime === "high_volatility" || over(rank, HIGH_RANK);
  const needed = levels === null ? null : breakEvenOf(levels.rewardRisk);
  const { value } = reliability;
  const share = shareOfCosts(levels, subject.instrument.assetClass);
  return [
    {
      name: "trend_not_met",
      present: detection.trendMet === null ? null : !detection.trendMet,
      text: "The trend before the shape is not the one that gives it its meaning",
    },
    {
      name: "regime_against",
      present: detection.regime === null ? null : leaningOf(detection.regime, detection.direction) < 0,
      text: "The regime of the market leans the other way",
    },
    { name: "volatility_high", present: loud, text: "Volatility is high for this market" },
    {
      name: "volume_low",
      present: volumeRatio === null ? null : volumeRatio < 1,
      text: "Volume is below the mean of the 20 bars before",
    },
    {
      name: "costs_prohibitive",
      present: share === null ? null : share >= PROHIBITIVE_SHARE,
      text: "Costs take all of the way to the target",
    },
    {
      name: "reward_below_risk",
      present: levels === null ? null : levels.rewardRisk < 1,
      text: "The target is nearer than the stop",
    },
    { name: "unmeasured", present: value === null, text: "No hit rate of the pattern has been measured" },
    {
      name: "worse_than_chance",
      present: value === null || reliability.edgeHigh === null ? null : reliability.edgeHigh < 0,
      text: "The pattern has done worse than the same trade without it",
    },
    {
      name: "below_break_even",
      present: value === null || needed === null ? null : value <= needed,
      text: `The measured hit rate is not above the ${needed === null ? "rate" : percent(needed)} at which its levels break even`,
    },
    ...standingFactors(reading),
  ];
}

/** What speaks against entering the trade now. */
function standingFactors({ standing, levels }: Reading): RiskFactor[] {
  const end = endOf(standing);
  const traded = levels !== null;
  const factor = (name: string, present: boolean, text: string) => ({
    name,
    present: traded ? present : null,
    text,
  });
  return [
    factor("trade_over", end !== null, `The trade on it is ${end ?? "over"}`),
    factor("prices_stale", standing.stale, "Prices are older than they should be"),
    factor("entry_passed", standing.late, "The open at which it was to be entered has passed some bars ago"),
  ];
}

const over = (value: number | null, limit: number) => value !== null && value > limit;

/** What of the factors decides that there is no trade, in words. */
function decidedBy(present: readonly RiskFactor[]): string | null {
  return present.find(({ name }) => DECISIVE.has(name))?.text ?? null;
}

function sentence(
  { subject: { detection, variant }, levels, reliability, standing }: Reading,
  action: Recommendation["action"],
  present: readonly RiskFactor[],
): string {
  const against =
    present.length === 0
      ? "Nothing that is known speaks against it."
      : `Against it: ${present.map(({ text }) => text.charAt(0).toLowerCase() + text.slice(1)).join("; ")}.`;
  const measured =
    reliability.value === null
      ? `No hit rate is measured: ${(reliability.reason ?? "unknown why").replace(/^./, (letter) => letter.toLowerCase())}.`
      : `Measured confidence ${percent(reliability.value)} from ${reliability.n} trades.`;
  if (levels === null)
    return `${action}: ${variant.title} gives no levels to trade by. ${measured} ${against}`;
  if (action === "HOLD") {
    const why = entryClosed(standing) ?? decidedBy(present) ?? "There is no trade on it";
    return `HOLD: ${why}. ${variant.title} closed ${ageText(standing.ageMs)} ago at ${figure(detection.price)}. ${measured} ${against}`;
  }
  const { entry, stop, target } = levels;
  return `${action} near ${figure(entry)} at the next open, stop ${figure(stop)}, target ${figure(target)}, on ${variant.title} at a close of ${figure(detection.price)}. ${measured} ${against}`;
}
