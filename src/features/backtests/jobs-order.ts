import { z } from "zod";
import { combinationCount } from "../../core/backtest/folds.js";
import { SEARCH_METHODS } from "../../core/backtest/search.js";
import { symbolText } from "../candles/schema.js";
import { dateText, parametersText, runFields, singleOrder, strategyRef, symbolsField } from "./order.js";
import { HASH_WORDS } from "./report-hash.js";
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
    "What is tried of each parameter, by its name: an object of min, max and step, or a list of values. A parameter that is not named keeps the value that the order gives it. Without space every number of the strategy is tried, from its min to its max",
  );

const searchFields = {
  method: z
    .enum(["grid", ...SEARCH_METHODS])
    .default("grid")
    .describe("grid tries every combination, random draws them, parzen draws where good ones were found"),
  trials: z
    .int()
    .min(1)
    .max(TRIALS_LIMIT)
    .default(50)
    .describe("Combinations of values that are tried at most; a grid that has more is refused"),
  space: spaceSchema.optional(),
  objective: z
    .enum(OBJECTIVES)
    .default("sharpe")
    .describe("What is made as large as can be: the Sharpe ratio of the returns of days, or the return"),
};

export const runJobOrder = singleOrder.extend({
  monte_carlo_paths: z
    .int()
    .min(0)
    .max(20_000)
    .default(1_000)
    .describe("Paths of the same trades in another order, and of trades drawn from them; 0 for none"),
  bootstrap_paths: z
    .int()
    .min(0)
    .max(1_000)
    .default(100)
    .describe("Runs of the strategy over bars drawn in blocks, within the day by whole days; 0 for none"),
  block_bars: z.int().min(1).max(1_000).default(20).describe("Mean length of a block in bars"),
  random_entries: z
    .int()
    .min(0)
    .max(2_000)
    .default(200)
    .describe("Runs with as many trades of the same lengths at random times; 0 for none"),
  sensitivity: z
    .boolean()
    .default(true)
    .describe("Whether it is run under multiples of its costs and under more slippage, too"),
});

const TRAIN_BARS = 250;
const TEST_BARS = 125;

const periodText = z
  .union([z.int().min(1).max(100_000), z.string().regex(/^[1-9]\d{0,5}(d|w|mo|y)?$/)])
  .optional();

export const walkForwardOrder = singleOrder.extend({
  ...searchFields,
  strategy: strategyRef.optional().describe("Another name for strategy_id"),
  train_period: periodText.describe(
    "In place of train_bars: bars, or a time as 90d, 26w, 12mo or 2y, of which the bars before the end are counted",
  ),
  test_period: periodText.describe("In place of test_bars, as train_period"),
  mode: z
    .enum(["rolling", "anchored"])
    .default("rolling")
    .describe("rolling chooses on the train_bars before each test, anchored on all bars since the first"),
  train_bars: z.int().min(20).max(100_000).default(TRAIN_BARS),
  test_bars: z.int().min(5).max(100_000).default(TEST_BARS),
  step_bars: z
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe("Bars from one test to the next; by default test_bars, so that tests do not overlap"),
  embargo_bars: z
    .int()
    .min(0)
    .max(10_000)
    .default(0)
    .describe("Bars between training and test that are in neither"),
  folds: z.int().min(1).max(FOLDS_LIMIT).default(200).describe("Folds at most; of more the newest are kept"),
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

export const regressionOrder = z
  .strictObject({
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
    against: z
      .enum(["own", "committed"])
      .default("own")
      .describe(
        "The caller's own baselines, or those that come with the program, of 2023-01-01 to 2025-01-01, which are only read",
      ),
    tolerance: z
      .number()
      .min(0)
      .max(1)
      .default(0.05)
      .describe("How far a confidence may move, as a difference"),
  })
  .refine(({ mode, against }) => mode === "test" || against === "own", {
    message: "must be own where baselines are kept",
    path: ["against"],
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
  hash: z.string().describe(HASH_WORDS),
  report: z.looseObject({}),
});
export type RunResult = z.output<typeof runResult>;

/** What all jobs have in common that keep a run. */
export const RUN_JOB = { access: "trader", checkpoint: z.null(), result: runResult, attempts: 3 } as const;

/** What such a job answers with. @param id of the run that was kept. */
export function resultOf(id: number, hash: string, report: RunResult["report"]): RunResult {
  return { run_id: id, href: `/api/backtest/${id}`, hash, report };
}
