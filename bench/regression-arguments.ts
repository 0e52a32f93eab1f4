import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import { REGRESSION_TOLERANCE } from "../src/core/backtest/regression.js";
import { strategyIdText } from "../src/features/backtests/baseline-file.js";
import { instantText } from "../src/platform/http.js";

export const USAGE =
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

export type RegressionArguments = z.output<typeof argumentSchema>;

/** What the command line of `npm run regression` asks for. @throws {TypeError} saying what is wrong with it. */
export function readArguments(args: readonly string[]): RegressionArguments {
  const { values } = parseArgs({
    args: [...args],
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
