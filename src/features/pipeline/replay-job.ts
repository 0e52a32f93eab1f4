import { z } from "zod";
import { normaliseSymbol } from "../../core/market/instrument.js";
import { readTickRows } from "../../core/ticks/read-ndjson.js";
import { sleep } from "../../platform/clock.js";
import type { Config } from "../../platform/config.js";
import { AppError } from "../../platform/errors.js";
import { defineJob, type JobContext, type JobKind } from "../../platform/jobs.js";
import { symbolText } from "../candles/schema.js";
import type { Pipeline, Receipt } from "./pipeline.js";
import { readTickFile, tickFile } from "./tick-files.js";

export interface TickReplayParts {
  readonly pipeline: Pick<Pipeline, "take" | "waiting" | "end">;
  readonly config: Pick<Config, "FILES_DIR">;
  /** Rows that are sent together. */
  readonly rowsAtOnce?: number;
}

/** Whose ticks those of files are. */
export const FILES_SOURCE = "files";
const ROWS_AT_ONCE = 20_000;
/** Groups that may wait to be stored before more is read. */
const OUTCOMES = 50;
const PAUSE_MS = 50;
/** Rows that are no ticks are listed, the first of them. */
const LISTED = 20;
const ATTEMPTS = 10;
const TIMEOUT_MS = 12 * 3_600_000;

const input = z.strictObject({
  file: z.string().min(1).max(200).describe("Name of a .csv or .csv.gz in a folder of FILES_DIR"),
  symbol: symbolText,
  continues: z
    .boolean()
    .optional()
    .describe("Another file goes on within the bars with which this one ends: they stay open"),
});
export type TickReplayInput = z.output<typeof input>;

const tally = z.object({
  rows: z.number().int(),
  accepted: z.number().int(),
  held: z.number().int().describe("Confirmed or refuted by a tick of a later batch"),
  unknown: z.number().int().describe("In batches that were taken before a restart"),
  rejected: z.record(z.string(), z.number().int()).describe("By reason"),
});
type Tally = z.output<typeof tally>;

const checkpointSchema = z.object({
  /** Rows of the file that have been taken. */
  row: z.number().int(),
  tally,
  listed: z.array(z.object({ line: z.number().int(), reason: z.string() })),
});
export type TickReplayCheckpoint = z.output<typeof checkpointSchema>;

const resultSchema = z.object({
  ...{ file: z.string(), symbol: z.string(), ...tally.shape },
  rejected_rows: z
    .array(z.object({ line: z.number().int().describe("Of the file, from 1"), reason: z.string() }))
    .describe(`The first ${LISTED}`),
});
export type TickReplayResult = z.output<typeof resultSchema>;

/** Sends the trades of a file through the pipeline, as fast as they are taken. */
export function createTickReplay(
  parts: TickReplayParts,
): JobKind<TickReplayInput, TickReplayCheckpoint, TickReplayResult> {
  return defineJob({
    kind: "replay-ticks",
    summary: "Order that the trades of a file are sent through the pipeline",
    description:
      "Columns are named by the first line: time, ts_ms or timestamp (epoch ms or RFC 3339), price, size, perhaps id. " +
      "Its last bars are closed with it, unless it continues. Ends by itself where another process takes ticks.",
    access: "admin",
    input,
    checkpoint: checkpointSchema,
    result: resultSchema,
    attempts: ATTEMPTS,
    timeoutMs: TIMEOUT_MS,
    async check(order) {
      const symbol = normaliseSymbol(order.symbol);
      if (symbol === null) throw new AppError("symbol_invalid", "symbol: is no symbol");
      await tickFile(foldersOf(parts), order.file);
      return { ...order, symbol };
    },
    run: (order, context) => replay(parts, order, context),
  });
}

/** @throws {AppError} `source_missing` where there is none. */
function foldersOf({ config }: TickReplayParts): readonly string[] {
  if (config.FILES_DIR === undefined) throw new AppError("source_missing", "FILES_DIR names no folder");
  return config.FILES_DIR;
}

async function replay(
  parts: TickReplayParts,
  { file, symbol, continues = false }: TickReplayInput,
  { job, signal, checkpoint, report }: JobContext<TickReplayCheckpoint>,
): Promise<TickReplayResult> {
  const { pipeline, rowsAtOnce = ROWS_AT_ONCE } = parts;
  const { path, bytes } = await tickFile(foldersOf(parts), file);
  const begun = checkpoint.last ?? {
    row: 0,
    tally: { rows: 0, accepted: 0, held: 0, unknown: 0, rejected: {} },
    listed: [],
  };
  const sum = structuredClone(begun.tally);
  const listed = [...begun.listed];
  for await (const part of readTickFile(path, symbol, rowsAtOnce)) {
    signal.throwIfAborted();
    report("replaying", Math.min(part.bytes, bytes), bytes);
    if (part.from < begun.row) continue;
    while (pipeline.waiting().outcomes > OUTCOMES) {
      await sleep(PAUSE_MS);
      signal.throwIfAborted();
    }
    // Under a key of its own: what was taken before a crash is not taken again.
    const key = `job ${job.id} ${part.from}`;
    const receipt = await pipeline.take(readTickRows(part.rows), FILES_SOURCE, key);
    count(sum, receipt, part.rows.length);
    for (const { index, reason } of receipt.rejected.slice(0, LISTED - listed.length)) {
      listed.push({ line: part.lines[index], reason });
    }
    await checkpoint.save({ row: part.from + part.rows.length, tally: sum, listed });
  }
  if (!continues) await pipeline.end(symbol);
  return { file, symbol, ...sum, rejected_rows: listed };
}

function count(sum: Tally, { accepted, held, rejected }: Receipt, rows: number): void {
  sum.rows += rows;
  sum.held += held.length;
  if (accepted === null) sum.unknown += rows - rejected.length;
  else sum.accepted += accepted;
  for (const { reason } of rejected) sum.rejected[reason] = (sum.rejected[reason] ?? 0) + 1;
}
