import type { Interval } from "../../core/market/interval.js";
import { meantVariants } from "../../core/patterns/near-names.js";
import { COST_CLASSES, type CostClass } from "../../core/signals/cost-class.js";
import { ANY_COSTS, ANY_REGIME, type EvidenceRow, type Shortage } from "../../core/signals/evidence.js";
import { AppError } from "../../platform/errors.js";
import type { Principal } from "../../platform/http.js";
import type { JobState } from "../../platform/jobs.js";
import type { Log } from "../../platform/log.js";
import type { LoopDefinition } from "../../platform/loop.js";
import type { Jobs } from "../jobs/jobs.js";
import { orderOnce } from "../jobs/order-once.js";
import { createRecompute, type EvidenceJob, type RecomputeParts } from "./recompute.js";
import type { EvidenceRun } from "./store.js";

/** What is to be expected of a trade on a pattern, and from how much it was measured. */
export interface Confidence {
  /** Measured hit rate, shrunk to the base rate by sample size, 0..1; null where there is none. */
  readonly value: number | null;
  /** Why there is none; null otherwise. */
  readonly reason: string | null;
  /** The cell it is of: the regime that was asked for, or `any` where that has too few trades or costs decide. */
  readonly regime: string;
  /** Trades behind it, their hit rate with Wilson's 95 % interval, and that of the same trade without the pattern. */
  readonly n: number;
  readonly hitRate: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly baseRate: number | null;
  /**
   * Ends of what the hit rate exceeds the base rate by, 99 % of the time and with trades that come in clusters counted
   * as such: above 0 it is better than chance, below worse.
   */
  readonly edgeLow: number | null;
  readonly edgeHigh: number | null;
  /** Chance of such an edge without any, corrected for all cells of the table. */
  readonly qValue: number | null;
  /** Mean gain of the trades after costs, in units of the planned risk. */
  readonly meanR: number | null;
  /** The moment up to which bars were measured, epoch ms; null before the first run. */
  readonly asOfMs: number | null;
}

export interface EvidenceFilter {
  /** A variant in any spelling, or a name of several for all of them. */
  readonly pattern?: string | undefined;
  readonly interval?: Interval | undefined;
  readonly regime?: string | undefined;
  /** All classes and `any` without it. */
  readonly costs?: EvidenceRow["costs"] | undefined;
  readonly status?: EvidenceRow["status"] | undefined;
  readonly leastN?: number | undefined;
  readonly sort?: EvidenceSort | undefined;
}

/** The greatest first; the least for p-values. Rows that have no such number come last. */
export const EVIDENCE_SORTS = ["n", "hit_rate", "edge", "confidence", "mean_r", "q_value", "live_n"] as const;
export type EvidenceSort = (typeof EVIDENCE_SORTS)[number];

export interface Evidence {
  /** The kind of job that measures. */
  readonly kind: EvidenceJob;
  /**
   * From memory, as of the newest run that this process has read. A regime of null asks for any; so does the class of the
   * costs of a trade. Where trades of the pattern have costs of several classes, the class decides and not the regime.
   */
  confidenceOf(
    variant: string,
    interval: Interval,
    regime: string | null,
    costs?: CostClass | null,
  ): Confidence;
  /** @throws {AppError} `pattern_unknown`. */
  list(filter: EvidenceFilter): Promise<{ run: EvidenceRun | null; rows: readonly EvidenceRow[] }>;
  /** Orders a run, or finds the one that waits or runs. @throws {AppError} as orders of jobs do. */
  recompute(principal: Principal): Promise<JobState>;
  /** Reads the newest run into memory. */
  refresh(): Promise<void>;
  /** Reads newer runs, and orders one when the newest is too old. */
  readonly loop: LoopDefinition;
}

export interface EvidenceOptions extends Omit<RecomputeParts, "onRun"> {
  readonly jobs: () => Pick<Jobs, "enqueue" | "list">;
  /** Age of the newest run from which another is ordered; null to order none. */
  readonly maxAgeMs: number | null;
  readonly log: Log;
}

const LOOP_MS = 60_000;
const LOOP_TIMEOUT_MS = 30_000;
/** Orders runs by itself. */
const SCHEDULE: Principal = { userId: "evidence", role: "admin", anonymous: true };

interface Memory {
  readonly run: EvidenceRun;
  readonly rows: readonly EvidenceRow[];
  readonly cells: ReadonlyMap<string, EvidenceRow>;
}

/** Share of a pattern's trades from which one class of costs stands for all of them. */
const MAIN_CLASS = 0.95;

const keyOf = (variant: string, interval: string, regime: string, costs: string) =>
  `${variant} ${interval} ${regime} ${costs}`;

export function createEvidence(options: EvidenceOptions): Evidence {
  const { store, jobs, maxAgeMs, log, now } = options;
  let memory: Memory | null = null;

  async function refresh(): Promise<void> {
    const run = await store.newestRun();
    if (run === null || run.id === memory?.run.id) return;
    memory = remember(run, await store.loadRows(run.id));
  }

  const kind = createRecompute({ ...options, onRun: refresh });

  const recompute = (principal: Principal) => orderOnce(jobs(), principal, kind, {});

  /** Whether nothing was measured for too long, and there is something to be measured. */
  async function isDue(maxAge: number): Promise<boolean> {
    if (memory !== null) return now() - memory.run.asOfMs >= maxAge;
    return (await store.loadSeries()).length > 0;
  }

  return {
    kind,
    refresh,
    recompute,
    confidenceOf: (variant, interval, regime, costs = null) =>
      confidenceOf(memory, { variant, interval, regime, costs }),
    async list(filter) {
      const meant = filter.pattern === undefined ? null : requireMeant(filter.pattern);
      await refresh();
      return { run: memory?.run ?? null, rows: memory === null ? [] : select(memory.rows, filter, meant) };
    },
    loop: {
      name: "evidence",
      everyMs: () => LOOP_MS,
      timeoutMs: LOOP_TIMEOUT_MS,
      async run() {
        await refresh();
        if (maxAgeMs === null || !(await isDue(maxAgeMs))) return;
        const { id, status } = await recompute(SCHEDULE);
        if (status === "queued") log.info({ job: id }, "evidence of patterns is measured anew");
      },
    },
  };
}

/** Variants that a text means, one at least. @throws {AppError} `pattern_unknown`. */
function requireMeant(text: string): ReadonlySet<string> {
  const meant = meantVariants(text);
  if (meant.length > 0) return new Set(meant);
  throw new AppError("pattern_unknown", `There is no pattern ${text}`);
}

function remember(run: EvidenceRun, rows: readonly EvidenceRow[]): Memory {
  const cells = new Map(rows.map((row) => [keyOf(row.variant, row.interval, row.regime, row.costs), row]));
  return { run, rows, cells };
}

const SHORTAGES: Readonly<Record<Shortage, string>> = {
  no_direction: "The pattern expects neither rise nor fall: there is no trade on it",
  few_trades: "Fewer than 30 trades on the pattern have ended",
  few_blocks: "The trades on the pattern lie too close together in time to tell chance from effect",
  no_hits: "No trade hit, neither on the pattern nor without it: there is nothing to tell apart",
  no_base: "The same trade never hits, or always, without the pattern: there is nothing to compare it with",
};

export function shortageText(shortage: Shortage | null): string | null {
  return shortage === null ? null : SHORTAGES[shortage];
}

/** What is known of a pattern of which nothing is measured, and why. */
export function unmeasured(regime: string | null, reason: string, asOfMs: number | null = null): Confidence {
  return {
    value: null,
    reason,
    regime: regime ?? ANY_REGIME,
    n: 0,
    hitRate: null,
    low: null,
    high: null,
    baseRate: null,
    edgeLow: null,
    edgeHigh: null,
    qValue: null,
    meanR: null,
    asOfMs,
  };
}

interface Question {
  readonly variant: string;
  readonly interval: Interval;
  readonly regime: string | null;
  readonly costs: CostClass | null;
}

function confidenceOf(memory: Memory | null, question: Question): Confidence {
  const { variant, interval } = question;
  const asOfMs = memory?.run.asOfMs ?? null;
  const absent = (reason: string) => unmeasured(question.regime, reason, asOfMs);
  if (memory === null) return absent("No evidence has been measured yet");
  const found = cellFor(memory.cells, question);
  if (typeof found === "string") return absent(`No ${interval} ${found} were measured for ${variant}`);
  const { confidence, n, hitRate, low, high, baseRate, edgeLow, edgeHigh, qValue, meanR, shortage, regime } =
    found;
  const reason = shortageText(shortage);
  const edge = { edgeLow, edgeHigh, qValue };
  return { value: confidence, reason, regime, n, hitRate, low, high, baseRate, ...edge, meanR, asOfMs };
}

/** The cell that tells of a trade, or what there is none of. */
function cellFor(
  cells: Memory["cells"],
  { variant, interval, regime, costs }: Question,
): EvidenceRow | string {
  const cell = (of: string, at: string) => cells.get(keyOf(variant, interval, of, at));
  const whole = cell(ANY_REGIME, ANY_COSTS);
  if (whole === undefined) return "candles";
  const own = regime === null ? undefined : cell(regime, ANY_COSTS);
  const ofRegime = own === undefined || own.confidence === null ? whole : own;
  if (costs === null || COST_CLASSES.every((each) => cell(ANY_REGIME, each) === undefined)) return ofRegime;
  const ofCosts = cell(ANY_REGIME, costs);
  if (ofCosts === undefined) return `trades with ${costs} costs`;
  return ofCosts.n >= MAIN_CLASS * whole.n ? ofRegime : ofCosts;
}

/** Rows that pass a filter, in the order that it asks for. */
/** @param meant variants that are asked for; null for all. */
function select(
  rows: readonly EvidenceRow[],
  filter: EvidenceFilter,
  meant: ReadonlySet<string> | null,
): readonly EvidenceRow[] {
  const { interval, regime, costs, status, leastN = 0, sort } = filter;
  const passed = rows.filter(
    (row) =>
      (meant === null || meant.has(row.variant)) &&
      (interval === undefined || row.interval === interval) &&
      (regime === undefined || row.regime === regime) &&
      (costs === undefined || row.costs === costs) &&
      (status === undefined || row.status === status) &&
      row.n >= leastN,
  );
  if (sort === undefined) return passed;
  const value = (row: EvidenceRow) => sortValue(row, sort) ?? Number.NEGATIVE_INFINITY;
  return passed.sort((a, b) => (value(a) === value(b) ? 0 : value(b) - value(a)));
}

function sortValue(row: EvidenceRow, sort: EvidenceSort): number | null {
  const { n, hitRate, edge, confidence, meanR, qValue, liveN } = row;
  const values: Readonly<Record<EvidenceSort, number | null>> = {
    n,
    hit_rate: hitRate,
    edge,
    confidence,
    mean_r: meanR,
    q_value: qValue === null ? null : -qValue,
    live_n: liveN,
  };
  return values[sort];
}
