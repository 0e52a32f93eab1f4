import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { SAMPLE_SCHEMA } from "../../core/learning/samples.js";
import { INTERVALS } from "../../core/market/interval.js";
import { createAlone } from "../../platform/alone.js";
import { AppError } from "../../platform/errors.js";
import { defineJob, type JobContext, type JobKind } from "../../platform/jobs.js";
import type { Leases } from "../../platform/lease.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import { nameOfSeries, type StoredSeries } from "../evidence/stored.js";
import type { OpenModel } from "../models/artefact.js";
import { cardSchema, metricsSchema } from "../models/card.js";
import type { Registry } from "../models/registry.js";
import { ASSET_CLASSES } from "../models/schema.js";
import { ANY, type ModelStore, type ModelVersion } from "../models/store.js";
import { newModelOf } from "./card.js";
import type { Learned, LearnedMaterial, LearnOrder, Wanted } from "./learn-worker.js";
import type { Grouping } from "./lesson.js";
import {
  HEAD,
  isOneWindow,
  type Lot,
  type LotSource,
  lotsOf,
  POLICY,
  purposeOf,
  readLot,
  sinceOf,
  TERMS,
  windowFields,
} from "./lots.js";

const LEARN = defineTask<LearnOrder, LearnedMaterial>(new URL("./learn-worker.js", import.meta.url));

const GROUPINGS = ["regime", "pattern"] as const satisfies readonly Grouping[];
const ATTEMPTS = 3;
const TIMEOUT_MS = 3 * 3_600_000;
export const TRAINING_LEASE = "training";
const LEASE_MS = 900_000;

const input = z
  .strictObject({
    ...windowFields,
    asset_class: z.enum(ASSET_CLASSES).optional(),
    timeframe: z.enum(INTERVALS).optional(),
  })
  .refine(isOneWindow, { message: "lookback and window_days say the same: give one" });
export type TrainInput = z.output<typeof input>;

const trained = z.object({
  asset_class: z.string(),
  timeframe: z.string(),
  version: z.string(),
  status: z.string(),
  samples: z.number().int(),
  auc: z.number().nullable(),
  refused_by: z.string().nullable(),
});
const skipped = z.object({ asset_class: z.string(), timeframe: z.string(), reason: z.string() });
const result = z.object({
  trained_global: z.array(trained),
  skipped_global: z.array(skipped),
  trained_pattern: z.array(trained),
  skipped_pattern: z.array(skipped),
  summary: z.object({
    total_outcomes: z.number().int().describe("Labelled decisions, each counted once"),
    global_models_trained: z.number().int(),
    pattern_models_trained: z.number().int(),
  }),
});
type TrainResult = z.output<typeof result>;

export type TrainJob = JobKind<TrainInput, null, TrainResult>;

export interface TrainParts extends LotSource {
  readonly registry: Registry<OpenModel>;
  readonly store: Pick<ModelStore, "artefact">;
  readonly series: { loadSeries(): Promise<StoredSeries[]> };
  readonly workers: Workers;
  readonly leases: Pick<Leases, "acquire" | "release">;
  readonly synthetic: boolean;
  readonly now: () => number;
}

/** Trains models of every asset class and interval on the stored history, in threads, one training at a time. */
export function createTrainJob(parts: TrainParts): TrainJob {
  const busy = () => new AppError("overloaded", "Models are being trained already", { retryAfterS: 30 });
  const alone = createAlone(parts.leases, { name: TRAINING_LEASE, ttlMs: LEASE_MS }, busy);
  return defineJob({
    kind: "train",
    summary: "Order that models are trained on what is stored",
    description:
      "Trees by asset class and interval, by market regime and by pattern, and one of all together. Each candidate is " +
      "tried on the newest fifth, which nothing was chosen by; the rules of promotion decide what becomes of it.",
    access: "admin",
    input,
    checkpoint: z.null(),
    result,
    attempts: ATTEMPTS,
    timeoutMs: TIMEOUT_MS,
    run: (order, context) => alone(() => train(parts, order, context)),
  });
}

/** An order, with the number of candidates that come of it. */
type Counted = TrainInput & { readonly candidates: number };

async function train(parts: TrainParts, asked: TrainInput, context: JobContext<null>): Promise<TrainResult> {
  const lots = lotsOf(await parts.series.loadSeries(), asked);
  const order: Counted = { ...asked, candidates: lots.length * GROUPINGS.length };
  const answer: TrainResult = {
    ...{ trained_global: [], skipped_global: [], trained_pattern: [], skipped_pattern: [] },
    summary: { total_outcomes: 0, global_models_trained: 0, pattern_models_trained: 0 },
  };
  for (const [k, lot] of lots.entries()) {
    context.report(`${lot.assetClass} ${lot.interval}`, k, lots.length);
    context.signal.throwIfAborted();
    await parts.leases.acquire(TRAINING_LEASE, LEASE_MS);
    const samples = await trainLot(parts, lot, order, context, answer);
    if (lot.assetClass !== ANY || lots.length === 1) answer.summary.total_outcomes += samples;
  }
  answer.summary.global_models_trained = answer.trained_global.length;
  answer.summary.pattern_models_trained = answer.trained_pattern.length;
  return answer;
}

/** @returns decisions of the lot that have ended. */
async function trainLot(
  parts: TrainParts,
  lot: Lot,
  order: Counted,
  context: JobContext<null>,
  answer: TrainResult,
): Promise<number> {
  const newest = await Promise.all(
    GROUPINGS.map(async (grouping) => {
      const [version] = await parts.registry.list({ ...purposeOf(lot, grouping), trainedHere: true }, 1);
      return { grouping, version: version ?? null };
    }),
  );
  // An attempt before this one may have come so far.
  const isDone = ({ version }: (typeof newest)[number]) => version?.jobId === context.job.id;
  for (const { grouping, version } of newest.filter(isDone))
    if (version !== null) listsOf(answer, grouping).trained.push(rowOf(version));
  const left = newest.filter((each) => !isDone(each));
  if (left.length === 0) return newest[0].version?.samples ?? 0;
  const sinceMs = sinceOf(order, parts.now());
  const found = await learnLot(parts, lot, { sinceMs, candidates: order.candidates }, left, context);
  for (const [k, { grouping, version }] of left.entries())
    await enter(
      parts,
      { lot, sinceMs, grouping, found, learned: found.learned[k], newest: version },
      context,
      answer,
    );
  return found.samples;
}

async function learnLot(
  parts: TrainParts,
  lot: Lot,
  { sinceMs, candidates }: { readonly sinceMs: number; readonly candidates: number },
  left: readonly { readonly grouping: Grouping; readonly version: ModelVersion | null }[],
  { signal }: JobContext<null>,
): Promise<LearnedMaterial> {
  const series = await readLot(parts, lot, sinceMs, signal);
  const wanted = await Promise.all(
    left.map(async ({ grouping, version }): Promise<Wanted> => {
      const active = parts.registry.serving(purposeOf(lot, grouping));
      const same = active?.version.featureSchema === SAMPLE_SCHEMA;
      return {
        grouping,
        incumbent: active !== null && same ? await parts.store.artefact(active.version.id) : null,
        learnedHash: version !== null && isByTheseTerms(version) ? version.dataHash : null,
      };
    }),
  );
  return parts.workers.run(
    LEARN,
    { series, policy: POLICY, terms: TERMS, head: HEAD, wanted, candidates },
    { signal, aside: true },
  );
}

/** Whether the same data would give the same version: it was trained here, with the same dice, terms and columns. */
function isByTheseTerms({ jobId, seed, featureSchema, parameters }: ModelVersion): boolean {
  const { seed: ownSeed, ...own } = TERMS;
  return (
    jobId !== null &&
    seed === ownSeed &&
    featureSchema === SAMPLE_SCHEMA &&
    isDeepStrictEqual(parameters, JSON.parse(JSON.stringify(own)))
  );
}

interface Entry {
  readonly lot: Lot;
  readonly sinceMs: number;
  readonly grouping: Grouping;
  readonly found: LearnedMaterial;
  readonly learned: Learned;
  /** Version that was trained here before it. */
  readonly newest: ModelVersion | null;
}

async function enter(
  { registry, synthetic }: TrainParts,
  { lot, sinceMs, grouping, found, learned, newest }: Entry,
  { job }: JobContext<null>,
  answer: TrainResult,
): Promise<void> {
  const lists = listsOf(answer, grouping);
  const names = { asset_class: lot.assetClass, timeframe: lot.interval };
  if (!("artefact" in learned)) {
    const reason =
      learned.reason === "nothing_new"
        ? `nothing new: no work (version ${newest?.version} learned from the same ${found.samples} decisions)`
        : `${learned.reason} (${found.samples} decisions have ended)`;
    lists.skipped.push({ ...names, reason });
    return;
  }
  const model = newModelOf(purposeOf(lot, grouping), {
    ...{ head: HEAD, terms: TERMS, found, learned, synthetic, jobId: job.id },
    series: lot.series.map(nameOfSeries),
    newestBars: lot.series.map(({ untilMs }) => untilMs),
    sinceMs,
  });
  const audit = {
    action: "trained" as const,
    actor: job.userId,
    reason: `job ${job.id}`,
    numbers: { checks: learned.verdict.checks },
  };
  const version = await registry.enter(model, learned.verdict, audit);
  lists.trained.push(rowOf(version));
}

const listsOf = (answer: TrainResult, grouping: Grouping) =>
  grouping === "regime"
    ? { trained: answer.trained_global, skipped: answer.skipped_global }
    : { trained: answer.trained_pattern, skipped: answer.skipped_pattern };

function rowOf({ assetClass, interval, version, status, samples, metrics, card }: ModelVersion) {
  const { verdict } = cardSchema.parse(card);
  return {
    ...{ asset_class: assetClass, timeframe: interval, version, status, samples },
    auc: metricsSchema.parse(metrics).auc,
    refused_by: verdict.refusedBy,
  };
}
