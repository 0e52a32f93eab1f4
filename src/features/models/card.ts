import { z } from "zod";
import { finiteOrNull } from "../../core/base/finite.js";
import type { Evaluation, Verdict } from "../../core/learning/governance.js";
import type { LotTried } from "../../core/learning/lots-tried.js";
import { agentMetricsSchema, netMetricsSchema } from "./deep-metrics.js";

const number = z.number().nullable();
const time = z.iso.datetime();

/** What was measured of a version on the stretch of time that nothing was chosen by. */
export const metricsSchema = z
  .object({
    samples: z.number().int(),
    wins: z.number().int(),
    auc: number,
    auc_low: number.describe("95 %, by a bootstrap over blocks of time and Student's distribution"),
    auc_high: number,
    auc_least: number
      .default(null)
      .describe(
        "Lower bound at 2.5 % shared out among all candidates of the training; promotion hangs on it",
      ),
    candidates: z.number().int().default(1).describe("Candidates of the same training"),
    log_loss: number,
    base_log_loss: number.describe("Of the share of wins in training for every decision"),
    brier: number,
    calibration_error: number.describe("Expected calibration error, ten bins of equal counts"),
    calibration_gap: number
      .default(null)
      .describe("Root mean square of that distance, less what chance makes of it; promotion hangs on it"),
    accuracy: number.describe("At a score of a half"),
    precision: number,
    recall: number,
    f1_score: number,
    permuted_auc: number.describe("Mean AUC of the same training on shuffled labels"),
    permuted_low: number,
    shift_gain: number.describe("What the AUC gains with the features of the decision before"),
    shift_gain_low: number,
    unstable_features: z.number().int().describe("Features that change when later bars are cut off"),
    early_outcomes: number
      .default(null)
      .describe("Series in which an outcome is not what the bars by its moment tell"),
    lots: z
      .array(
        z.object({
          asset_class: z.string(),
          timeframe: z.string(),
          samples: z.number().int(),
          auc: number,
          auc_low: number,
          serves: z
            .boolean()
            .describe(
              "Whether there were enough decisions there, and it ranked them well enough, beyond what chance makes of so many lots",
            ),
        }),
      )
      .default([])
      .describe(
        "Of a model that several asset classes and intervals share: it serves those alone that it was tried on",
      ),
    reliability: z.array(z.object({ predicted: z.number(), happened: z.number(), samples: z.number() })),
  })
  .meta({ id: "ModelMetrics" });
export type Metrics = z.output<typeof metricsSchema>;

/** By learner: each is measured by figures of its own. */
export const modelMetricsSchema = z.union([metricsSchema, netMetricsSchema, agentMetricsSchema]);

export const checkSchema = z.object({
  rule: z.string(),
  passed: z.boolean(),
  value: number,
  limit: number,
});

/** The model card (M. Mitchell et al. 2019). */
export const cardSchema = z
  .object({
    purpose: z.string(),
    learner: z.string(),
    learned_from: z.object({
      series: z.array(z.string()).describe("Symbols and intervals"),
      newest_bars: z
        .array(z.object({ series: z.string(), opens_at: time }))
        .optional()
        .describe("Of each series the newest bar that was read, in the order of reading"),
      since: time
        .optional()
        .describe("First moment that decisions were taken from, where a window was given"),
      source: z.string(),
      synthetic: z.boolean(),
      samples: z.number().int(),
      wins: z.number().int().nullable().describe("Null where samples neither win nor lose"),
      sources: z
        .record(z.string(), z.number().int())
        .optional()
        .describe(
          "Samples by who told how they ended: detection for bars, outcome_log for trades, feedback for users",
        ),
      source_weights: z
        .record(z.string(), z.number())
        .optional()
        .describe(
          "How much a row counts by who said how it ended, per row that bars tell: bars, a trade of an account, a trade that a " +
            "client logged, a verdict of a user. Chosen, not measured",
        ),
      first_decision: time.nullable().describe("Null where nothing that was learned from happened"),
      last_decision: time.nullable(),
      label: z.string().describe("What makes a decision a win, or what a sample is"),
    }),
    stretches: z.array(
      z.object({
        name: z.string(),
        samples: z.number().int(),
        from: time.nullable(),
        to: time.nullable(),
        settled_by: time
          .nullable()
          .optional()
          .describe("When the last of their outcomes was known: before the embargo of the next stretch"),
      }),
    ),
    embargo_share: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe(
        "Share of the samples of each interval that is left out before each stretch, 0..1, beside all whose " +
          "outcome was known only since the first of them",
      ),
    limits: z.array(z.string()).describe("What it was not tried for"),
    verdict: z.object({
      promoted: z.boolean(),
      refusedBy: z.string().nullable(),
      checks: z.array(checkSchema),
    }),
    training_ms: z.number(),
  })
  .meta({ id: "ModelCard" });
export type Card = z.output<typeof cardSchema>;

/** What is told of an evaluation, with what a threshold of a half makes of it. */
export function metricsOf(
  found: Evaluation,
  decided: { accuracy: number; precision: number; recall: number; f1: number },
  reliability: Metrics["reliability"],
  lots: readonly LotTried[],
): Metrics {
  return {
    samples: found.samples,
    wins: found.wins,
    auc: finiteOrNull(found.auc),
    auc_low: finiteOrNull(found.aucLow),
    auc_high: finiteOrNull(found.aucHigh),
    auc_least: finiteOrNull(found.aucLeast),
    candidates: found.candidates,
    log_loss: finiteOrNull(found.logLoss),
    base_log_loss: finiteOrNull(found.baseLogLoss),
    brier: finiteOrNull(found.brier),
    calibration_error: finiteOrNull(found.calibrationError),
    calibration_gap: finiteOrNull(found.calibrationGap),
    accuracy: finiteOrNull(decided.accuracy),
    precision: finiteOrNull(decided.precision),
    recall: finiteOrNull(decided.recall),
    f1_score: finiteOrNull(decided.f1),
    permuted_auc: finiteOrNull(found.permutedAuc),
    permuted_low: finiteOrNull(found.permutedLow),
    shift_gain: finiteOrNull(found.shiftGain),
    shift_gain_low: finiteOrNull(found.shiftGainLow),
    unstable_features: found.unstableFeatures,
    early_outcomes: found.earlyOutcomes,
    lots: lots.map(({ lot, samples, auc, aucLow, serves }) => {
      const [asset_class = "", timeframe = ""] = lot.split(" ");
      return {
        asset_class,
        timeframe,
        samples,
        auc: finiteOrNull(auc),
        auc_low: finiteOrNull(aucLow),
        serves,
      };
    }),
    reliability,
  };
}

const lotsSchema = z.object({ lots: metricsSchema.shape.lots });

/** Whether a version that several lots share was tried in one, and may serve it. @param metrics as they are stored. */
export function servesLot(metrics: unknown, assetClass: string, interval: string): boolean {
  const lots = lotsSchema.safeParse(metrics).data?.lots ?? [];
  return lots.some(
    ({ asset_class, timeframe, serves }) => serves && asset_class === assetClass && timeframe === interval,
  );
}

/** A verdict as a card tells it. */
export function verdictView({ promoted, refusedBy, checks }: Verdict): Card["verdict"] {
  return { promoted, refusedBy, checks: checks.map((check) => ({ ...check })) };
}
