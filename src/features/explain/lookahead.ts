import { z } from "zod";
import { INTERVALS, type Interval } from "../../core/market/interval.js";
import { AppError } from "../../platform/errors.js";
import { isoTime } from "../../platform/http.js";
import { defineJob, type JobContext, type JobKind } from "../../platform/jobs.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { CandleService } from "../candles/candles.js";
import { intervalText, symbolText } from "../candles/schema.js";
import type { Instruments } from "../instruments/instruments.js";
import type { LeakSearch } from "./lookahead-worker.js";
import { hashBars } from "./proof.js";
import { barsToTest, joinFindings, SUBJECT_KINDS, type SubjectFinding } from "./truncation.js";
import { SUBJECTS, type SubjectRef, type SubjectTable } from "./truncation-table.js";

const SEARCH = defineTask<LeakSearch, SubjectFinding[]>(new URL("./lookahead-worker.js", import.meta.url));
const BARS_LIMIT = 10_000;
/** Bars that are tested; of longer series so many, evenly spread. */
const TESTED_LIMIT = 2_000;
/** Parts that the bars are tested in, so that progress is seen. */
const PARTS = 20;
const NAMES_LIMIT = 200;
const ATTEMPTS = 3;
const TIMEOUT_MS = 2 * 3_600_000;

const name = z.string().min(1).max(100);
const input = z.strictObject({
  symbol: symbolText,
  timeframe: intervalText.prefault("1d"),
  bars: z.number().int().min(2).max(BARS_LIMIT).default(1_000).describe("Newest closed bars"),
  kinds: z
    .array(z.enum(SUBJECT_KINDS))
    .min(1)
    .max(3)
    .default([...SUBJECT_KINDS]),
  names: z
    .array(name)
    .max(NAMES_LIMIT)
    .default([])
    .describe(
      "rsi, macd(12,26,9) or engulfing, of the one kind that is named; without any, all of the kinds",
    ),
});
export type LookaheadInput = z.output<typeof input>;

const said = z.union([z.number(), z.string()]).nullable();
const resultSchema = z.object({
  symbol: z.string(),
  interval: z.enum(INTERVALS),
  passed: z
    .boolean()
    .nullable()
    .describe("Nothing that was said of a bar was said otherwise later; null where something was not tested"),
  reason: z.string().nullable().describe("Why passed is null"),
  untested: z
    .array(z.string())
    .describe("What says nothing of any of the bars, for it needs more before them"),
  bars: z.number().int(),
  tested: z
    .number()
    .int()
    .describe("Bars of which anything that was asked for says something, and was tested"),
  sample: z.string(),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  bars_hash: z.string(),
  subjects: z.array(
    z.object({
      kind: z.enum(SUBJECT_KINDS),
      name: z.string(),
      tested: z.number().int(),
      differences: z.number().int(),
      first: z.array(
        z.object({
          bar_time: z.iso.datetime(),
          field: z.string(),
          prefix: said.describe("Said when the bar was the newest"),
          whole: said.describe("Said with all bars known"),
        }),
      ),
    }),
  ),
});
export type LookaheadResult = z.output<typeof resultSchema>;
export type LookaheadJob = JobKind<LookaheadInput, null, LookaheadResult>;

export interface LookaheadParts {
  readonly candles: Pick<CandleService, "loadLatest">;
  readonly instruments: Pick<Instruments, "identify" | "resolve">;
  readonly workers: Workers;
  /** What can be tested; all there is unless given. */
  readonly table?: SubjectTable;
  /** How a part is tested; in a thread unless given. */
  readonly search?: (order: LeakSearch, signal: AbortSignal) => Promise<SubjectFinding[]>;
}

/** The truncation test over the stored candles of a symbol, as a job. */
export function createLookahead(parts: LookaheadParts): LookaheadJob {
  const { table = SUBJECTS, instruments } = parts;
  return defineJob({
    kind: "lookahead",
    summary: "Order the test of whether indicators, patterns or regimes see the future",
    description:
      "At every bar, what is said of it with the series cut after it must be what is said of it with the whole series. " +
      `Series of more than ${TESTED_LIMIT} bars are tested at so many bars, evenly spread.`,
    access: "trader",
    input,
    checkpoint: z.null(),
    result: resultSchema,
    attempts: ATTEMPTS,
    timeoutMs: TIMEOUT_MS,
    check(order) {
      const { symbol } = instruments.identify(order.symbol);
      subjectsOf(table, order);
      return { ...order, symbol };
    },
    run: (order, context) => runLookahead(parts, subjectsOf(table, order), order, context),
  });
}

/** @throws {AppError} `invalid_request`, `pattern_unknown` for names that are none. */
function subjectsOf(table: SubjectTable, { kinds, names }: LookaheadInput): SubjectRef[] {
  const unique = [...new Set(kinds)];
  if (names.length === 0) return table.all(unique);
  const [kind, ...others] = unique;
  if (kind === undefined || others.length > 0) {
    throw new AppError("invalid_request", "body kinds: names are of one kind, which must be named");
  }
  return [...new Set(names)].map((text) => table.named(kind, text));
}

async function runLookahead(
  { candles: service, instruments, workers, search }: LookaheadParts,
  subjects: readonly SubjectRef[],
  order: LookaheadInput,
  { signal, report }: JobContext<null>,
): Promise<LookaheadResult> {
  const instrument = await instruments.resolve(order.symbol);
  const interval: Interval = order.timeframe;
  const { candles } = await service.loadLatest(instrument, interval, order.bars);
  const { time } = candles;
  if (time.length === 0) throw new AppError("no_data", `${instrument.symbol} has no ${interval} candles`);
  const bars = barsToTest(time.length, TESTED_LIMIT);
  const size = Math.ceil(bars.length / PARTS);
  const run =
    search ?? ((part: LeakSearch, ended: AbortSignal) => workers.run(SEARCH, part, { signal: ended }));
  let findings: SubjectFinding[] = [];
  for (let from = 0; from < bars.length; from += size) {
    signal.throwIfAborted();
    report(`${subjects.length} subjects`, from, bars.length);
    const part = { candles, subjects, bars: bars.slice(from, from + size) };
    findings = joinFindings(findings, await run(part, signal));
  }
  report(`${subjects.length} subjects`, bars.length, bars.length);
  return {
    symbol: instrument.symbol,
    interval,
    ...verdictOf(findings, time.length),
    bars: time.length,
    tested: findings.reduce((most, { tested }) => Math.max(most, tested), 0),
    sample:
      bars.length === time.length
        ? "every bar after the warm-up"
        : `${bars.length} of ${time.length} bars, evenly spread, those after the warm-up`,
    from: isoTime(time[0]),
    to: isoTime(time[time.length - 1]),
    bars_hash: hashBars(candles),
    subjects: findings.map(({ first, ...finding }) => ({
      ...finding,
      first: first.map(({ time: openMs, field, prefix, whole }) => ({
        bar_time: isoTime(openMs),
        field,
        prefix: finite(prefix),
        whole: finite(whole),
      })),
    })),
  };
}

/** What a difference anywhere decides; without one nothing is passed while something was not tested. */
function verdictOf(findings: readonly SubjectFinding[], bars: number) {
  const untested = findings.filter(({ tested }) => tested === 0).map(({ name }) => name);
  if (findings.some(({ differences }) => differences > 0)) return { passed: false, reason: null, untested };
  if (untested.length === 0) return { passed: true, reason: null, untested };
  const what =
    untested.length === findings.length
      ? "Nothing"
      : `Not everything (${untested.length} of ${findings.length} not)`;
  const reason = `${what} was tested: the ${bars} bars are within the warm-up`;
  return { passed: null, reason, untested };
}

/** What JSON has no number for is null. */
function finite(value: number | string | null): number | string | null {
  return typeof value === "number" && !Number.isFinite(value) ? null : value;
}
