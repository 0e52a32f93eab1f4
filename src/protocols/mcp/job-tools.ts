import { z } from "zod";
import { STRATEGIES } from "../../core/strategies/index.js";
import type { BacktestDesk } from "../../features/backtests/feature.js";
import { followJob } from "../../features/jobs/follow.js";
import type { Jobs } from "../../features/jobs/jobs.js";
import type { Bus } from "../../platform/bus.js";
import type { EventLog } from "../../platform/event-log.js";
import { isoTime } from "../../platform/http.js";
import { isEnd, JOB_STATUSES, type JobState, jobView } from "../../platform/jobs.js";
import { cut, detail, figure, interval, symbol } from "./schema.js";
import { defineTool, invalidArguments, type Tool, type ToolCall } from "./tool.js";

export interface JobToolOptions {
  readonly jobs: Pick<Jobs, "enqueue" | "get" | "result">;
  readonly kinds: Pick<BacktestDesk["kinds"], "run">;
  readonly eventLog: EventLog;
  readonly bus: Bus;
  readonly now: () => number;
}

export function jobTools(options: JobToolOptions): readonly Tool[] {
  return [backtestTool(options), jobTool(options)];
}

const date = z.string().max(40).optional();

function backtestTool({ jobs, kinds, now }: JobToolOptions): Tool {
  const name = "run_backtest";
  return defineTool({
    name,
    title: "Order a backtest",
    description:
      "Orders a backtest of a strategy, or of trades on a pattern, over past bars, with costs and what chance would explain. Answers at once with a job_id; get_job tells how far it is and what came of it.",
    access: "trader",
    effect: "adds",
    input: z.strictObject({
      strategy: z
        .enum(STRATEGIES.map(({ id }) => id))
        .optional()
        .describe("What is traded; golden_cross or the like. Leave it out to name a pattern"),
      pattern: z
        .string()
        .min(1)
        .max(60)
        .optional()
        .describe("A pattern that is traded in place of a strategy"),
      symbols: z.array(symbol).min(1).max(10),
      interval,
      start_date: date.describe("ISO date; two years before the end without it"),
      end_date: date.describe("ISO date; now without it"),
      initial_capital: z.number().min(1).max(1e9).default(100_000),
      parameters: z
        .record(z.string().max(40), z.number())
        .default({})
        .describe("Values by name; defaults for the rest"),
    }),
    output: { job_id: z.number().int(), status: z.enum(JOB_STATUSES), next: z.string() },
    async run({ strategy, pattern, ...rest }, { principal }) {
      const read = kinds.run.input.safeParse({
        ...rest,
        ...(strategy === undefined ? {} : { strategy_id: strategy }),
        ...(pattern === undefined ? {} : { pattern_name: pattern }),
      });
      if (!read.success) throw invalidArguments(name, read.error);
      const job = await jobs.enqueue(principal, kinds.run, read.data, null);
      const next = `Call get_job with job_id ${job.id} and wait_seconds 30 until status is succeeded, failed or cancelled.`;
      return { job_id: job.id, status: job.status, next, ...provenanceOf(job, now()) };
    },
  });
}

const provenanceOf = ({ synthetic }: JobState, nowMs: number) => ({
  ...{ synthetic, source: "job queue", as_of: isoTime(nowMs), stale: false },
});

/** How long a call waits at most; and where nothing is sent meanwhile, which ends connections. */
const WAIT_MOST_S = 45;
const SILENT_MOST_S = 10;
const LOOK_EVERY_MS = 1_000;
/** Characters of a whole result, and figures of a summary. */
const RESULT_MOST = 24_000;
const FIGURES_MOST = 60;

function jobTool(options: JobToolOptions): Tool {
  const { jobs, now } = options;
  return defineTool({
    name: "get_job",
    title: "Progress and result of a job",
    description:
      "How far a job of run_backtest is, and once it has succeeded its main figures. wait_seconds waits for its end and sends progress where the call has a progressToken; cancelling the call ends the waiting, not the job. detail full adds the whole result as JSON where it is short enough.",
    access: "viewer",
    effect: "reads",
    waits: true,
    input: z.strictObject({
      job_id: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
      wait_seconds: z
        .number()
        .min(0)
        .max(WAIT_MOST_S)
        .default(0)
        .describe(`At most ${WAIT_MOST_S}; without a progressToken no more than ${SILENT_MOST_S} are waited`),
      detail,
    }),
    output: {
      job_id: z.number().int(),
      kind: z.string(),
      status: z.enum(JOB_STATUSES),
      phase: z.string().nullable(),
      percent: figure,
      eta_seconds: figure,
      error: z.string().nullable(),
      figures: z
        .record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()]))
        .nullable()
        .describe("Main figures of the result by name; null before it has succeeded"),
      result_json: z
        .string()
        .nullable()
        .describe("The whole result with detail full, where it is short enough"),
      result_href: z.string().nullable().describe("Address of the whole result on this server"),
    },
    async run({ job_id: id, wait_seconds: wait, detail: wanted }, call) {
      const most = call.progress === null ? SILENT_MOST_S : WAIT_MOST_S;
      if (wait > 0) await waitFor(options, id, Math.min(wait, most) * 1_000, call);
      const { job } = await jobs.get(call.principal, id);
      const result = job.status === "succeeded" ? (await jobs.result(call.principal, id)).result : null;
      const text = result === null || wanted === "summary" ? null : JSON.stringify(result);
      const view = jobView(job);
      return {
        job_id: job.id,
        kind: job.kind,
        status: job.status,
        phase: job.phase,
        percent: view.pct,
        eta_seconds: view.eta_s,
        error: job.error === null ? null : cut(job.error, 500),
        figures: result === null ? null : figuresOf(result),
        result_json: text === null || text.length > RESULT_MOST ? null : text,
        result_href: view.result_href,
        ...provenanceOf(job, now()),
      };
    },
  });
}

/** Until a job ends, the time is over or the caller goes. @throws {AppError} `job_not_found`. */
async function waitFor(
  { jobs, eventLog, bus }: JobToolOptions,
  id: number,
  waitMs: number,
  { principal, signal: gone, progress }: ToolCall,
): Promise<void> {
  const signal = AbortSignal.any([gone, AbortSignal.timeout(waitMs)]);
  const at = await jobs.get(principal, id);
  let told = -1;
  for await (const _event of followJob(at, null, { eventLog, bus, patienceMs: LOOK_EVERY_MS, signal })) {
    const { job } = await jobs.get(principal, id);
    const percent = jobView(job).pct ?? 0;
    // Progress only grows; a new attempt begins anew.
    if (progress !== null && percent > told) {
      told = percent;
      await progress(percent, job.phase === null ? job.status : `${job.status}: ${job.phase}`);
    }
    if (isEnd(job.status)) return;
  }
}

type Scalar = number | string | boolean | null;

function isScalar(value: unknown): value is Scalar {
  return value === null || ["number", "string", "boolean"].includes(typeof value);
}

/** Levels of a result that are looked into for figures. */
const LEVELS = 4;

/**
 * What a result says in figures, as many as a summary has: those that it lists as such, then other numbers, higher levels
 * first. Texts are of its top level alone: further down they are terms and digests.
 */
function figuresOf(result: unknown): Record<string, Scalar> {
  const listed: [string, Scalar][] = [];
  const others: [string, Scalar][] = [];
  let level: (readonly [string, unknown])[] = [["", result]];
  for (let depth = 0; depth < LEVELS; depth++) {
    const next: (readonly [string, unknown])[] = [];
    for (const [path, value] of level) {
      const fields = z.record(z.string(), z.unknown()).safeParse(value);
      for (const [key, child] of Object.entries(fields.data ?? {})) {
        const name = path === "" ? key : `${path}.${key}`;
        const rows = figureRows.safeParse(child);
        if (rows.success) listed.push(...rows.data.map((row) => [row.name, row.value] as [string, Scalar]));
        else if (typeof child === "string" && depth > 0) continue;
        else if (isScalar(child)) others.push([name, typeof child === "string" ? cut(child, 120) : child]);
        else next.push([name, child]);
      }
    }
    level = next;
  }
  return Object.fromEntries([...listed, ...others].slice(0, FIGURES_MOST));
}

/** A list of figures, each with its name and its value. */
const figureRows = z.array(z.looseObject({ name: z.string(), value: z.number().nullable() })).min(1);
