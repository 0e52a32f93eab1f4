import { z } from "zod";
import { combinationCount } from "../../core/backtest/folds.js";
import { SEARCH_METHODS } from "../../core/backtest/search.js";
import { symbolText } from "../candles/schema.js";
import { dateText, parametersText, runFields, singleOrder, strategyRef, symbolsField } from "./order.js";
import { KEPT_WORDS } from "./run-store.js";

/** Bars of one job, of all symbols. */
export const JOB_BARS = 200_000;
export const TRIALS_LIMIT = 1_000;
const FOLDS_LIMIT = 500;
const COMPARED_LIMIT = 20;

export const OBJECTIVES = ["sharpe", "total_return"] as const;
export type Objective = (typeof OBJECTIVES)[number];

const spaceSchema = z
  .record(
    z.string().max(40),
    z.union([
      z.strictObject({ min: z.number(), max: z.number(), step: z.number().gt(0).optional() }),
      z
        .array(z.union([z.number(), z.string().max(2_000)]))
        .min(1)
        .max(200),
    ]),
  )
  .describe(
    "Parameters that are tried: from, to and step, or a list of values; all numbers of the strategy without it",
  );

const searchFields = {
  method: z
    .enum(["grid", ...SEARCH_METHODS])
    .default("grid")
    .describe("All, any, or where good ones were"),
  trials: z.int().min(1).max(TRIALS_LIMIT).default(50).describe("Values that are tried at most"),
  space: spaceSchema.optional(),
  objective: z.enum(OBJECTIVES).default("sharpe").describe("What the best has most of"),
};

export const runJobOrder = singleOrder.extend({
  monte_carlo_paths: z
    .int()
    .min(0)
    .max(20_000)
    .default(1_000)
    .describe("Other orders and draws of the trades"),
  bootstrap_paths: z.int().min(0).max(1_000).default(100).describe("Runs over bars drawn in blocks"),
  block_bars: z.int().min(1).max(1_000).default(20).describe("Mean length of a block"),
  random_entries: z.int().min(0).max(2_000).default(200).describe("Strategies that enter at random times"),
  sensitivity: z.boolean().default(true).describe("Whether it is run under other costs too"),
});

export const walkForwardOrder = singleOrder.extend({
  ...searchFields,
  mode: z
    .enum(["rolling", "anchored"])
    .default("rolling")
    .describe("Trains on the last bars, or on all since the first"),
  train_bars: z.int().min(20).max(100_000).default(500),
  test_bars: z.int().min(5).max(100_000).default(125),
  step_bars: z.int().min(1).max(100_000).optional().describe("As many as a test has without it"),
  embargo_bars: z.int().min(0).max(10_000).default(0).describe("Left out between training and test"),
  folds: z.int().min(1).max(FOLDS_LIMIT).default(200).describe("At most, the newest"),
});

const purgedSchema = z
  .strictObject({
    groups: z.int().min(2).max(20).default(6),
    test_groups: z.int().min(1).max(10).default(2),
    purge_bars: z.int().min(0).max(10_000).default(20).describe("Left out of training before a test"),
    embargo_bars: z.int().min(0).max(10_000).default(20).describe("Left out of training after a test"),
  })
  .refine(({ groups, test_groups }) => test_groups < groups, {
    message: "must be fewer than groups",
    path: ["test_groups"],
  })
  .refine(({ groups, test_groups }) => combinationCount(groups, test_groups) <= 5_000, {
    message: "makes more than 5000 folds",
    path: ["groups"],
  })
  .describe("Combinatorial purged cross-validation of the choice");

export const sweepOrder = singleOrder.extend({ ...searchFields, cross_validation: purgedSchema.optional() });

export const compareOrder = z.strictObject({
  strategies: z
    .array(
      z.strictObject({
        strategy_id: strategyRef.optional(),
        pattern_name: z.string().min(1).max(60).optional(),
        parameters: parametersText.prefault({}),
      }),
    )
    .min(2)
    .max(COMPARED_LIMIT),
  symbol: symbolText.optional(),
  symbols: symbolsField.optional(),
  ...runFields,
});

export const regressionOrder = z.strictObject({
  mode: z
    .enum(["baseline", "test"])
    .describe("Keep the signals as they are, or compare them with what was kept"),
  start: dateText,
  end: dateText,
  strategies: z
    .array(z.string().min(1).max(160))
    .min(1)
    .max(300)
    .optional()
    .describe("The standard ones without it"),
  tolerance: z.number().min(0).max(1).default(0.05).describe("How far a confidence may move"),
});

const reconcileWindow = {
  start: dateText
    .optional()
    .describe("Trades entered from here on; the run's own, or the order's, without it"),
  end: dateText
    .optional()
    .describe("Up to here, and as they stood then; the run's own, or the order's, without it"),
};

export const reconcileOrder = z
  .strictObject({
    account_id: z.uuid().optional().describe("The caller's oldest open account unless given"),
    ...reconcileWindow,
    run_id: z
      .int()
      .min(1)
      .optional()
      .describe("A backtest of the caller that is kept; it is run again on the bars it saw"),
    order: singleOrder
      .extend({
        costs: singleOrder.shape.costs
          .unwrap()
          .optional()
          .describe("Those of the account where none are given"),
      })
      .optional()
      .describe("A backtest that is run now; its dates are those of the window unless it names others"),
    only_strategy: z
      .boolean()
      .default(false)
      .describe("Only paper trades whose order named the strategy; else all in the symbols"),
    tolerance_bars: z
      .int()
      .min(0)
      .max(100)
      .default(3)
      .describe("Bars that the entries of a pair may lie apart"),
  })
  .refine(({ run_id, order }) => (run_id === undefined) !== (order === undefined), {
    message: "must be given, or order, and not both",
    path: ["run_id"],
  });

export type ReconcileOrder = z.output<typeof reconcileOrder>;
export type RunJobOrder = z.output<typeof runJobOrder>;
export type WalkForwardOrder = z.output<typeof walkForwardOrder>;
export type SweepOrder = z.output<typeof sweepOrder>;
export type CompareOrder = z.output<typeof compareOrder>;
export type RegressionOrder = z.output<typeof regressionOrder>;

/** What a job that has succeeded answers with. */
export const runResult = z.object({
  run_id: z.number().int(),
  href: z.string().describe(`Where the report is kept: ${KEPT_WORDS}`),
  hash: z.string(),
  report: z.looseObject({}),
});
export type RunResult = z.output<typeof runResult>;

/** What all jobs have in common that keep a run. */
export const RUN_JOB = { access: "trader", checkpoint: z.null(), result: runResult, attempts: 3 } as const;

/** What such a job answers with. @param id of the run that was kept. */
export function resultOf(id: number, hash: string, report: RunResult["report"]): RunResult {
  return { run_id: id, href: `/api/backtest/${id}`, hash, report };
}
