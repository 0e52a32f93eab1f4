import { z } from "zod";
import type { DataSetFile } from "../../core/learning/data-set.js";
import { INTERVALS } from "../../core/market/interval.js";
import { AppError } from "../../platform/errors.js";
import { defineJob, type JobKind } from "../../platform/jobs.js";
import { defineTask } from "../../platform/workers.js";
import { ASSET_CLASSES } from "../models/schema.js";
import type { DataSetOrder } from "./data-set-worker.js";
import { isOneWindow, lotsOf, POLICY, readLot, sinceOf, windowFields } from "./lots.js";
import type { TrainParts } from "./train-job.js";

const EXPORT = defineTask<DataSetOrder, DataSetFile | number>(
  new URL("./data-set-worker.js", import.meta.url),
);
const ATTEMPTS = 3;
const TIMEOUT_MS = 1_800_000;
/** Rows of one file: a thousand bytes each. */
const MOST_ROWS = 20_000;

const input = z
  .strictObject({
    ...windowFields,
    asset_class: z.enum(ASSET_CLASSES),
    timeframe: z.enum(INTERVALS),
  })
  .refine(isOneWindow, { message: "lookback and window_days say the same: give one" });
type DataSetInput = z.output<typeof input>;
/** What `npx tsx bench/learning-report.ts --data` reads. */
const result = z.custom<DataSetFile>((value) => typeof value === "object" && value !== null);

export type DataSetJob = JobKind<DataSetInput, null, DataSetFile>;

/** Samples of what is stored as a file that a model can be learned from again, elsewhere. */
export function createDataSetJob(
  parts: Pick<TrainParts, "series" | "read" | "knowledge" | "labels" | "workers" | "now">,
): DataSetJob {
  return defineJob({
    kind: "data-set",
    summary: "Order the samples of an asset class and interval as a file",
    description:
      "What a training of that order learns from, with its digest: `npx tsx bench/learning-report.ts --data <file> --seed 1 --by " +
      `regime\` learns the same model from it. At most ${MOST_ROWS} rows: a window takes fewer.`,
    access: "trader",
    input,
    checkpoint: z.null(),
    result,
    attempts: ATTEMPTS,
    timeoutMs: TIMEOUT_MS,
    async run(order, { signal }) {
      const [lot] = lotsOf(await parts.series.loadSeries(), order);
      const series = await readLot(parts, lot, sinceOf(order, parts.now()), signal);
      const file = await parts.workers.run(
        EXPORT,
        { series, policy: POLICY, mostRows: MOST_ROWS },
        { signal },
      );
      if (typeof file !== "number") return file;
      const problem = `${file} rows are more than the ${MOST_ROWS} of a file: give a window`;
      throw new AppError("invalid_request", problem);
    },
  });
}
