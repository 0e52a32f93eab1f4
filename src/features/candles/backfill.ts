import { z } from "zod";
import { INTERVALS } from "../../core/market/interval.js";
import { AppError } from "../../platform/errors.js";
import { instantText } from "../../platform/http.js";
import { defineJob, type JobKind } from "../../platform/jobs.js";
import { gapSchema } from "./backfill-gaps.js";
import { type BackfillParts, countBars, runBackfill } from "./backfill-run.js";
import { intervalText, symbolText } from "./schema.js";

const SYMBOLS_LIMIT = 100;
/** Symbols times bars, as the calendars count them. */
const BARS_LIMIT = 2_000_000;
const ATTEMPTS = 4;
const TIMEOUT_MS = 6 * 3_600_000;

/** An instant as callers write it, or as it is stored: epoch ms of the years 1 to 9999. */
const instant = z.union([instantText, z.number().int().min(-62_135_596_800_000).max(253_402_300_799_999)]);
const input = z
  .strictObject({
    symbols: z.array(symbolText).min(1).max(1_000),
    interval: intervalText,
    from: instant.describe("Bars that open at or after this"),
    to: instant.describe("Bars that open before this"),
    refresh: z
      .boolean()
      .optional()
      .describe("Ask for what is stored, too, and keep what its source says otherwise now"),
  })
  .refine(({ from, to }) => from < to, { path: ["from"], message: "must lie before to" });
export type BackfillInput = z.output<typeof input>;

const seriesSchema = z.object({
  symbol: z.string(),
  expected: z.number().int().describe("Bars that the calendar has in the stretch"),
  bars: z.number().int().describe("Bars that are stored in the stretch"),
  missing: z.number().int().describe("Expected bars that are not stored"),
  restated: z
    .number()
    .int()
    .optional()
    .describe("Stored bars that their source says otherwise now, where it was asked for a refresh"),
  sources: z.array(z.string()),
  gaps: z.array(gapSchema).describe("Runs of expected bars that are not stored"),
  gaps_left_out: z.number().int().describe("Further runs that are not listed"),
  problem: z.string().nullable().describe("Why nothing could be asked for; null otherwise"),
});
export type Series = z.output<typeof seriesSchema>;

const resultSchema = z.object({
  interval: z.enum(INTERVALS),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  bars: z.number().int(),
  missing: z.number().int(),
  series: z.array(seriesSchema),
});
export type BackfillResult = z.output<typeof resultSchema>;

/** Series that are done, the one underway included, and where it goes on. */
const checkpointSchema = z.object({
  series: z.array(seriesSchema),
  nextMs: z.number(),
});
export type BackfillCheckpoint = z.output<typeof checkpointSchema>;

/** Fetches and stores what is missing of series, stretch by stretch, and tells what is missing still. */
export function createBackfill(
  options: BackfillParts,
): JobKind<BackfillInput, BackfillCheckpoint, BackfillResult> {
  return defineJob({
    kind: "backfill",
    summary: "Order that candles of a time are fetched and stored",
    description:
      `Of at most ${SYMBOLS_LIMIT} symbols and ${BARS_LIMIT} bars in all. Holes are asked for again, and what no ` +
      "source gives is listed in the result with the reason.",
    access: "trader",
    input,
    checkpoint: checkpointSchema,
    result: resultSchema,
    attempts: ATTEMPTS,
    timeoutMs: TIMEOUT_MS,
    check: (order) => checkOrder(options, order),
    run: (order, context) => runBackfill(options, order, context),
  });
}

/** @throws {AppError} naming the limit, or what is wrong with a symbol. */
function checkOrder({ instruments, gateway }: BackfillParts, order: BackfillInput): BackfillInput {
  const { interval } = order;
  const known = order.symbols.map((symbol) => instruments.identify(symbol));
  const symbols = [...new Set(known.map(({ symbol }) => symbol))];
  if (symbols.length > SYMBOLS_LIMIT) {
    const detail = `symbols: ${symbols.length} are more than ${SYMBOLS_LIMIT} in a job`;
    throw new AppError("job_limit_exceeded", detail);
  }
  let bars = 0;
  for (const instrument of known) {
    if (!gateway.intervals(instrument).includes(interval)) {
      throw new AppError("interval_unavailable", `${instrument.symbol} has no ${interval} candles`);
    }
    bars += countBars(instrument, order);
    if (bars > BARS_LIMIT) {
      const detail = `symbols x bars: more than ${BARS_LIMIT} ${interval} bars in a job; ask for fewer symbols or less time`;
      throw new AppError("job_limit_exceeded", detail);
    }
  }
  return { ...order, symbols };
}
