import { resolve } from "node:path";
import { regressionPassed } from "../src/core/backtest/regression.js";
import { regressionText } from "../src/core/backtest/regression-summary.js";
import { createBaselineFolder } from "../src/features/backtests/baseline-folder.js";
import {
  type RecordedBaseline,
  type RegressionScope,
  recordBaselines,
  testBaselines,
} from "../src/features/backtests/regression.js";
import { createRegressionSource } from "../src/features/backtests/regression-source.js";
import { type RegressionArguments, readArguments, USAGE } from "./regression-arguments.js";

/**
 * `npm run regression -- --mode baseline|test --start 2024-01-01 --end 2025-01-01 [--strategy <id> ...] [--tolerance 0.05]`
 * records the signals that strategies give on generated bars that open in [start, end), or compares those they give now
 * with what was recorded. Whatever fails makes the exit code 1. Baselines are in `baselines/` beside this file, or in the
 * folder named by `--folder`.
 */
function recordedText(recorded: readonly RecordedBaseline[]): string {
  const width = Math.max(...recorded.map(({ strategyId }) => strategyId.length));
  const lines = recorded.map(({ strategyId, signals, problem }) => {
    return `${strategyId.padEnd(width)}  ${problem === null ? `${signals} signals` : `FAILED: ${problem}`}`;
  });
  const kept = recorded.filter(({ problem }) => problem === null).length;
  return `${lines.join("\n")}\n\n${kept} of ${recorded.length} baselines recorded\n`;
}

/** @returns what is to be printed, and whether nothing failed. */
async function run(options: RegressionArguments): Promise<{ text: string; passed: boolean }> {
  const { mode, start, end, strategy, tolerance, folder } = options;
  const source = createRegressionSource();
  const baselines = createBaselineFolder(resolve(folder));
  const scope: RegressionScope = { startMs: start, endMs: end, strategies: strategy ?? null };
  if (mode === "baseline") {
    const recorded = await recordBaselines(source, baselines, scope);
    return { text: recordedText(recorded), passed: recorded.every(({ problem }) => problem === null) };
  }
  const results = await testBaselines(source, baselines, scope, tolerance);
  return { text: regressionText(results, tolerance), passed: regressionPassed(results) };
}

try {
  const { text, passed } = await run(readArguments(process.argv.slice(2)));
  process.stdout.write(text);
  process.exitCode = passed ? 0 : 1;
} catch (error) {
  const usage = error instanceof TypeError ? `\n${USAGE}` : "";
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}${usage}\n`);
  process.exitCode = 1;
}
