import type { RegressionResult } from "../../core/backtest/regression.js";
import { createBaselineFolder } from "./baseline-folder.js";
import { type RecordedBaseline, type RegressionScope, recordBaselines, testBaselines } from "./regression.js";
import { createRegressionSource } from "./regression-source.js";

export interface RegressionTask {
  readonly mode: "baseline" | "test";
  readonly folder: string;
  readonly scope: RegressionScope;
  readonly tolerance: number;
}

export interface RegressionTaskResult {
  readonly recorded: readonly RecordedBaseline[];
  readonly results: readonly RegressionResult[];
}

/** Records or compares baselines over generated bars, in a thread. */
export default async function regress(task: RegressionTask): Promise<RegressionTaskResult> {
  const { mode, folder, scope, tolerance } = task;
  const source = createRegressionSource();
  const baselines = createBaselineFolder(folder);
  if (mode === "baseline") {
    return { recorded: await recordBaselines(source, baselines, scope), results: [] };
  }
  return { recorded: [], results: await testBaselines(source, baselines, scope, tolerance) };
}
