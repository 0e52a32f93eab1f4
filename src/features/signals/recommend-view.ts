import type { z } from "zod";
import { spoken } from "../../core/base/words.js";
import { isoTime } from "../../platform/http.js";
import { provenanceOf } from "../candles/views.js";
import { titleOf } from "../catalogue/pattern-names.js";
import { chanceView } from "../models/layers.js";
import type { Factor, Recommendation } from "./recommend.js";
import type { recommendationSchema } from "./signal-schema.js";
import { decisionView, reasonView, sentimentBrief } from "./signal-views.js";
import { factorText, MITIGATIONS, plain } from "./texts.js";
import { DIRECTIONS, layersView } from "./views.js";

const NO_PATTERN = "No pattern in this direction is on the newest bars";

export function recommendationView(
  found: Recommendation,
  nowMs: number,
): z.input<typeof recommendationSchema> {
  const { reading, levels, confidence, sizing, price } = found;
  const { main, fusion, live, quote } = reading;
  const { size } = sizing;
  const ratio = confidence?.value ?? null;
  return {
    symbol: main.set.instrument.symbol,
    timeframe: main.interval,
    ...decisionView(found),
    direction: DIRECTIONS[fusion.direction],
    confidence: ratio === null ? null : 100 * ratio,
    confidence_ratio: ratio,
    confidence_reason: confidence === null ? NO_PATTERN : confidence.reason,
    composite_score: fusion.composite,
    ...chanceView(reading.chance),
    layers: layersView(reading, fusion),
    current_price: price,
    price_from: quote.value === null ? "candle" : "quote",
    entry_price: levels?.entry ?? null,
    target_price: levels?.target ?? null,
    stop_loss: levels?.stop ?? null,
    risk_reward_ratio: levels?.rewardRisk ?? null,
    position_size: size?.quantity ?? null,
    patterns_detected: live.map(({ detection, confidence: own }) => ({
      pattern: titleOf(detection.pattern),
      pattern_type: detection.pattern,
      direction: DIRECTIONS[detection.direction],
      confidence: own.value,
      quality: detection.quality,
      closed_at: isoTime(detection.closedAt),
    })),
    sentiment: sentimentBrief(reading),
    reasoning: reasoningOf(found),
    risk_analysis: {
      max_loss: size?.riskAmount ?? null,
      max_gain: size === null || levels === null ? null : size.riskAmount * levels.rewardRisk,
      probability_success: ratio,
    },
    risk_assessment: assessmentView(found),
    complete: found.check !== null && found.check.unchecked.length === 0,
    unchecked: [...(found.check?.unchecked ?? [])],
    position_sizing: sizingView(found),
    last_updated: isoTime(nowMs),
    timestamp: isoTime(nowMs),
    ...provenanceOf(main.set),
  };
}

/** What was decided and by which numbers, in sentences. */
function reasoningOf({ action, reasons, reading, levels, factors, check }: Recommendation): string {
  const { fusion, timeframes } = reading;
  const said = fusion.layers.flatMap(({ name, score, weight }) =>
    score === null ? [] : [`${name.replace("_", " ")} ${plain(score)} (weight ${plain(weight)})`],
  );
  const sentences = [
    `${action}: ${reasons.map(factorText).join("; ")}`,
    said.length === 0
      ? "No layer says anything"
      : `Of 100, ${DIRECTIONS[fusion.direction]}: ${said.join(", ")}`,
    ...(timeframes.agreement === null
      ? []
      : [`Agreement of intervals: ${timeframes.agreement.replace("_", " ")}`]),
    ...(levels === null
      ? []
      : [
          `Stop ${plain(levels.stop)} and target ${plain(levels.target)} by ${levels.basis === "range" ? "the average range" : "the shape"}`,
        ]),
    againstOf(factors, new Set(reasons.map(({ code }) => code))),
    ...(check === null || check.unchecked.length === 0
      ? []
      : [`Not looked at, for what they compare is not known: ${check.unchecked.map(spoken).join(", ")}`]),
  ];
  return `${sentences.join(". ")}.`;
}

/** What speaks against a trade beside the reasons that were told already. */
function againstOf(factors: readonly Factor[], told: ReadonlySet<string>): string {
  if (factors.length === 0) return "Nothing that was looked at speaks against it";
  const others = factors.filter(({ code }) => !told.has(code));
  return others.length === 0
    ? "Nothing else that was looked at speaks against it"
    : `Against it: ${others.map(factorText).join("; ")}`;
}

function assessmentView({ riskScore, factors, levels, check }: Recommendation) {
  const lessens = factors.flatMap(({ code }) => MITIGATIONS[code] ?? []);
  const stop = levels === null ? [] : [`Leave the trade at ${plain(levels.stop)}`];
  return {
    risk_score: riskScore,
    risk_factors: factors.map(factorText),
    risk_mitigation: [...new Set([...stop, ...lessens])],
    factors: factors.map(reasonView),
    unchecked: check === null ? [] : [...check.unchecked],
  };
}

function sizingView({ sizing, equity, action }: Recommendation) {
  const { percent, mostPercent, kelly, kellyMeasured, riskPercent, size } = sizing;
  const trades = action === "BUY" || action === "SELL";
  const reason = !trades
    ? "There is no trade to be sized"
    : kellyMeasured && kelly === 0
      ? "At the measured hit rate nothing is to be gained"
      : equity === null
        ? "No equity is known: give account_size"
        : size?.quantity === 0
          ? "What is allowed is less than the least quantity"
          : null;
  return {
    unit: "percent_of_equity" as const,
    recommended_size: percent,
    max_size: mostPercent,
    kelly_criterion: kelly,
    kelly_measured: kellyMeasured,
    risk_percent: riskPercent,
    equity,
    quantity: size?.quantity ?? null,
    notional: size?.notional ?? null,
    reason,
  };
}
