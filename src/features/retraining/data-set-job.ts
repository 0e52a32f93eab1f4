import { z } from "zod";
import type { DataSetFile } from "../../core/learning/data-set.js";
import { INTERVALS } from "../../core/market/interval.js";
import { AppError } from "../../platform/errors.js";
import { defineJob, type JobKind } from "../../platform/jobs.js";
import { defineTask } from "../../platform/workers.js";
import { nameOfSeries, type StoredSeries } from "../evidence/stored.js";
import { cardSchema } from "../models/card.js";
import { ASSET_CLASSES } from "../models/schema.js";
import { ANY, type ModelStore, type ModelVersion } from "../models/store.js";
import type { DataSetOrder } from "./data-set-worker.js";
import { isOneWindow, type Lot, lotsOf, POLICY, readLot, sinceOf, TREES, windowFields } from "./lots.js";
import type { TrainParts } from "./train-job.js";

const EXPORT = defineTask<DataSetOrder, DataSetFile | number>(
  new URL("./data-set-worker.js", import.meta.url),
);
const ATTEMPTS = 3;
const TIMEOUT_MS = 1_800_000;
/** Rows of one file: a thousand bytes each. */
const MOST_ROWS = 20_000;
const MOST_PARTS = 100;

const input = z
  .strictObject({
    ...windowFields,
    asset_class: z
      .enum([...ASSET_CLASSES, ANY])
      .optional()
      .describe("any, as the timeframe then is, for all that is stored together"),
    timeframe: z.enum([...INTERVALS, ANY]).optional(),
    model_id: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe("What that version learned from, up to the bars that it knew; in place of all else"),
    part: z
      .number()
      .int()
      .min(1)
      .max(MOST_PARTS)
      .optional()
      .describe(
        `Which ${MOST_ROWS} rows, oldest first, where there are more: each part is a file of its own`,
      ),
  })
  .refine(isOneWindow, { message: "lookback and window_days say the same: give one" })
  .refine(isOneLot, {
    path: ["asset_class"],
    message: "and timeframe are needed, both or neither of them any; or model_id, alone",
  });
function isOneLot({ part: _, ...order }: Record<string, unknown>): boolean {
  const { asset_class: assetClass, timeframe, model_id: model } = order;
  if (model !== undefined) return Object.values(order).filter((value) => value !== undefined).length === 1;
  if (assetClass === undefined || timeframe === undefined) return false;
  return (assetClass === ANY) === (timeframe === ANY);
}

type DataSetInput = z.output<typeof input>;
/** What `npx tsx bench/learning-report.ts --data` reads. */
const result = z.custom<DataSetFile>((value) => typeof value === "object" && value !== null);

export type DataSetJob = JobKind<DataSetInput, null, DataSetFile>;

type Parts = Pick<TrainParts, "series" | "read" | "knowledge" | "labels" | "workers" | "now"> & {
  readonly store: Pick<ModelStore, "find">;
  /** Rows of one file: for tests, fewer than usual. */
  readonly mostRows?: number;
};

/** Samples of what is stored as a file that a model can be learned from again, elsewhere. */
export function createDataSetJob(parts: Parts): DataSetJob {
  return defineJob({
    kind: "data-set",
    summary: "Order the samples of an asset class and interval as a file",
    description:
      "What a training of that order learns from now, or what a version learned from, with its digest: a file of a version " +
      "has its data hash, or there is none, where bars or what was known have changed since. `npx tsx bench/learning-report.ts --data <file> --seed 1 --by " +
      `regime\` learns the same model from it. More than ${MOST_ROWS} rows come in parts, of which all are given to it, each with --data.`,
    access: "trader",
    input,
    checkpoint: z.null(),
    result,
    attempts: ATTEMPTS,
    timeoutMs: TIMEOUT_MS,
    async run(order, { signal }) {
      const version = order.model_id === undefined ? null : await requireVersion(parts, order.model_id);
      const lot = lotOf(await parts.series.loadSeries(), version ?? order);
      const known = version === null ? lot : asKnownTo(version, lot);
      const sinceMs = version === null ? sinceOf(order, parts.now()) : sinceOfVersion(version);
      const series = await readLot(parts, known, sinceMs, signal);
      const wanted = {
        series,
        policy: POLICY,
        mostRows: parts.mostRows ?? MOST_ROWS,
        part: order.part ?? null,
      };
      const file = await parts.workers.run(EXPORT, wanted, { signal });
      if (typeof file !== "number") {
        if (version === null || file.sha256 === version.dataHash) return file;
        const problem = `What is stored by now gives the data set ${file.sha256}, and version ${version.version} learned from ${version.dataHash}`;
        throw new AppError("conflict", problem);
      }
      throw new AppError("invalid_request", partProblem(file, wanted));
    },
  });
}

function partProblem(rows: number, { mostRows, part }: Pick<DataSetOrder, "mostRows" | "part">): string {
  const parts = Math.max(1, Math.ceil(rows / mostRows));
  return part === null
    ? `${rows} rows are more than the ${mostRows} of a file: order each part from 1 to ${parts} by "part", or give a window`
    : `${rows} rows have ${parts} parts, and part ${part} is none of them`;
}

/** First moment that decisions of a version were taken from, epoch ms; 0 where its card tells none. */
function sinceOfVersion({ card }: ModelVersion): number {
  const since = cardSchema.safeParse(card).data?.learned_from.since;
  return since === undefined ? 0 : Date.parse(since);
}

async function requireVersion({ store }: Parts, id: number): Promise<ModelVersion> {
  const version = await store.find(id);
  if (version === null) throw new AppError("model_not_found", `There is no model ${id}`);
  if (version.learner === TREES) return version;
  throw new AppError(
    "invalid_request",
    `Model ${id} is of the learner ${version.learner}, which reads no rows`,
  );
}

type Wanted = Partial<Pick<ModelVersion, "assetClass" | "interval">> &
  Pick<DataSetInput, "asset_class" | "timeframe">;

function lotOf(all: readonly StoredSeries[], wanted: Wanted | ModelVersion): Lot {
  const assetClass = "assetClass" in wanted ? wanted.assetClass : wanted.asset_class;
  const interval = "interval" in wanted ? wanted.interval : wanted.timeframe;
  const lots = lotsOf(all, assetClass === ANY ? {} : { asset_class: assetClass, timeframe: interval });
  // All together comes last, where there is more than one lot.
  return lots[lots.length - 1];
}

/** The series that a version learned from, up to the newest bars that it knew. @throws {AppError} `conflict`. */
function asKnownTo({ version, card }: ModelVersion, lot: Lot): Lot {
  const newest = cardSchema.safeParse(card).data?.learned_from.newest_bars;
  if (newest === undefined)
    throw new AppError("conflict", `The card of version ${version} does not tell up to which bars it knew`);
  const series = newest.map(({ series: name, opens_at }) => {
    const found = lot.series.find((each) => nameOfSeries(each) === name);
    if (found !== undefined) return { ...found, untilMs: Date.parse(opens_at) };
    throw new AppError("conflict", `${name}, which version ${version} learned from, is not stored any more`);
  });
  return { ...lot, series };
}
