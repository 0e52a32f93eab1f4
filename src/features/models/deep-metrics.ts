import { z } from "zod";
import { finiteOrNull } from "../../core/base/finite.js";
import type { AgentEvaluation } from "../../core/learning/agent/candidate.js";
import type { AgentReport, Estimate } from "../../core/learning/agent/evaluate.js";
import type { NetEvaluation } from "../../core/learning/sequence-net/candidate.js";

const number = z.number().nullable();

/** What was measured of a sequence net on windows that it did not learn from. */
export const netMetricsSchema = z
  .object({
    planted_windows: z.number().int(),
    macro_f1: number.describe("Of shapes that were planted in drawn windows"),
    accuracy: number,
    least_f1: number.describe("Of the class that is named worst"),
    read_windows: z.number().int().describe("Found in walks, and the newest that are stored"),
    read_f1: number.describe("Macro-F1 against what the chart detectors confirm in them"),
    calibration_error: number.describe("Expected calibration error on them, fifteen bins of equal width"),
    raw_calibration_error: number.describe("The same without the temperature"),
    log_loss: number.describe("Mean cross-entropy of planted windows and of those found in walks"),
    stored_windows: z.number().int(),
    stored_f1: number.describe("Macro-F1 on stored windows alone"),
  })
  .meta({ id: "NetMetrics" });

const estimate = z
  .object({ value: number, low: number, high: number })
  .describe("With the interval that 95 % of resampled stretches give it");
const marketSchema = z.object({
  stretches: z.number().int(),
  bars: z.number().int(),
  log_return: estimate.describe("Mean logarithm of growth of a stretch, after costs"),
  sharpe: estimate.describe("By bar, not annualised"),
  max_drawdown: estimate,
  turnover: estimate.describe("Fills a bar"),
  ahead_of_hold: estimate.describe("Mean logarithm of growth less that of holding"),
  ahead_of_random: estimate,
  ahead_of_flat: estimate,
});

/** What was measured of an agent on markets that it did not learn from. */
export const agentMetricsSchema = z
  .object({
    planted: marketSchema.describe("Markets whose regimes take turns"),
    random_walks: marketSchema.describe("Markets in which there is nothing to be known"),
    margin: number.describe("Units by which an action must exceed HOLD; null where it stays out"),
    stored_series: z.number().int().describe("Stored series that it learned from, too"),
  })
  .meta({ id: "AgentMetrics" });

export function netMetricsOf(found: NetEvaluation): z.output<typeof netMetricsSchema> {
  return {
    planted_windows: found.planted,
    macro_f1: finiteOrNull(found.macroF1),
    accuracy: finiteOrNull(found.accuracy),
    least_f1: finiteOrNull(found.leastF1),
    read_windows: found.read,
    read_f1: finiteOrNull(found.readF1),
    calibration_error: finiteOrNull(found.calibrationError),
    raw_calibration_error: finiteOrNull(found.rawError),
    log_loss: finiteOrNull(found.loss),
    stored_windows: found.stored,
    stored_f1: finiteOrNull(found.storedF1),
  };
}

export function agentMetricsOf(
  { planted, walks }: AgentEvaluation,
  margin: number | null,
  storedSeries: number,
): z.output<typeof agentMetricsSchema> {
  return { planted: marketOf(planted), random_walks: marketOf(walks), margin, stored_series: storedSeries };
}

const estimateOf = ({ value, low, high }: Estimate) => ({ value, low, high });

function marketOf({ stretches, bars, policies: { agent }, ahead }: AgentReport) {
  return {
    stretches,
    bars,
    log_return: estimateOf(agent.logReturn),
    sharpe: estimateOf(agent.sharpe),
    max_drawdown: estimateOf(agent.maxDrawdown),
    turnover: estimateOf(agent.turnover),
    ahead_of_hold: estimateOf(ahead.hold),
    ahead_of_random: estimateOf(ahead.random),
    ahead_of_flat: estimateOf(ahead.flat),
  };
}
