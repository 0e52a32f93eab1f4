import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import { REGRESSION_TOLERANCE, regressionPassed } from "../src/core/backtest/regression.js";
import { regressionText } from "../src/core/backtest/regression-summary.js";
import { strategyIdText } from "../src/features/backtests/baseline-file.js";
import { createBaselineFolder } from "../src/features/backtests/baseline-folder.js";
import {
  type RecordedBaseline,
  type RegressionScope,
  recordBaselines,
  testBaselines,
} from "../src/features/backtests/regression.js";
import { createRegressionSource } from "../src/features/backtests/regression-source.js";
import { instantText } from "../src/platform/http.js";

/**
 * `npm run regression -- --mode baseline|test --start 2024-01-01 --end 2025-01-01 [--strategy <id> ...] [--tolerance 0.05]`
 * records the signals that strategies give on generated bars that open in [start, end), or compares those they give now
 * with what was recorded. Whatever fails makes the exit code 1. Baselines are in `baselines/` beside this file, or in the
 * folder named by `--folder`.
 */
const USAGE =
  "usage: npm run regression -- --mode baseline|test --start <date> --end <date> [--strategy <id> ...] [--tolerance 0.05] [--folder <path>]";

const argumentSchema = z
  .strictObject({
    mode: z.enum(["baseline", "test"]),
    start: instantText,
    end: instantText,
    strategy: z.array(strategyIdText).optional(),
    tolerance: z
      .string()
      .regex(/^\d+(\.\d+)?$/, "must be a number from 0 to 1")
      .transform(Number)
      .pipe(z.number().min(0).max(1))
      .default(REGRESSION_TOLERANCE),
    folder: z
      .string()
      .min(1)
      .default(fileURLToPath(new URL("baselines", import.meta.url))),
  })
  .refine(({ start, end }) => start < end, { message: "must lie before end", path: ["start"] });

function recordedText(recorded: readonly RecordedBaseline[]): string {
  const width = Math.max(...recorded.map(({ strategyId }) => strategyId.length));
  const lines = recorded.map(({ strategyId, signals, problem }) => {
    return `${strategyId.padEnd(width)}  ${problem === null ? `${signals} signals` : `FAILED: ${problem}`}`;
  });
  const kept = recorded.filter(({ problem }) => problem === null).length;
  return `${lines.join("\n")}\n\n${kept} of ${recorded.length} baselines recorded\n`;
}

/** @returns what is to be printed, and whether nothing failed. */
async function run(options: z.output<typeof argumentSchema>): Promise<{ text: string; passed: boolean }> {
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

function readArguments(): z.output<typeof argumentSchema> {
  const { values } = parseArgs({
    options: {
      mode: { type: "string" },
      start: { type: "string" },
      end: { type: "string" },
      strategy: { type: "string", multiple: true },
      tolerance: { type: "string" },
      folder: { type: "string" },
    },
  });
  const found = argumentSchema.safeParse(values);
  if (found.success) return found.data;
  const problems = found.error.issues.map(({ path, message }) => `--${path.join(".")}: ${message}`);
  throw new TypeError(problems.join("\n"));
}

try {
  const { text, passed } = await run(readArguments());
  process.stdout.write(text);
  process.exitCode = passed ? 0 : 1;
} catch (error) {
  const usage = error instanceof TypeError ? `\n${USAGE}` : "";
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}${usage}\n`);
  process.exitCode = 1;
}
