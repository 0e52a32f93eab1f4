import { z } from "zod";
import type { LabelPolicy } from "../../core/learning/label.js";
import { LEARNING_TERMS } from "../../core/learning/lesson.js";
import { SAMPLE_NAMES, SAMPLE_SCHEMA } from "../../core/learning/samples.js";
import { VOLATILITY_INDICES } from "../../core/market/symbols.js";
import { ROUND_TRIP_BPS } from "../../core/signals/levels.js";
import { AppError } from "../../platform/errors.js";
import { defineJob, type JobContext, type JobKind } from "../../platform/jobs.js";
import type { Leases } from "../../platform/lease.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { StoredSeries } from "../evidence/stored.js";
import type { OpenModel } from "../models/artefact.js";
import type { Registry } from "../models/registry.js";
import { ANY, type ModelStore, type Purpose } from "../models/store.js";
import { newModelOf } from "./card.js";
import type { Learned, LearnedMaterial, LearnOrder } from "./learn-worker.js";
import type { Grouping } from "./lesson.js";

const LEARN = defineTask<LearnOrder, LearnedMaterial>(new URL("./learn-worker.js", import.meta.url));

const GROUPINGS = ["regime", "pattern"] as const satisfies readonly Grouping[];
export const TREES = "gradient_trees";
const POLICY: LabelPolicy = { kind: "barriers" };
const SEED = 1;
const DAY_MS = 86_400_000;
const MOST_DAYS = 36_500;
const ATTEMPTS = 3;
const TIMEOUT_MS = 3 * 3_600_000;
export const TRAINING_LEASE = "training";
const LEASE_MS = 900_000;

const lookback = z
  .string()
  .regex(/^\d{1,5}d$/, "must be a number of days, 180d")
  .meta({ type: "string", pattern: undefined, examples: ["180d"] });
const input = z
  .strictObject({
    lookback: lookback.optional().describe("How far back decisions are learned from; all of them without it"),
    window_days: z.number().int().min(1).max(MOST_DAYS).optional().describe("The same as a number of days"),
    asset_class: z.string().min(1).max(12).optional(),
    timeframe: z.string().min(1).max(3).optional(),
  })
  .refine(({ lookback: text, window_days: days }) => text === undefined || days === undefined, {
    message: "lookback and window_days say the same: give one",
  });
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

export interface TrainParts {
  readonly registry: Registry<OpenModel>;
  readonly store: Pick<ModelStore, "artefact">;
  readonly series: { loadSeries(): Promise<StoredSeries[]> };
  readonly read: (
    series: StoredSeries,
    signal: AbortSignal,
  ) => Promise<LearnOrder["series"][number]["candles"]>;
  readonly workers: Workers;
  readonly leases: Pick<Leases, "acquire" | "release">;
  readonly synthetic: boolean;
  readonly now: () => number;
}

/** Trains models of every asset class and interval on the stored history, in threads, one training at a time. */
export function createTrainJob(parts: TrainParts): TrainJob {
  let running = false;
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
    async run(order, context) {
      const busy = () => new AppError("overloaded", "Models are being trained already", { retryAfterS: 30 });
      if (running) throw busy();
      running = true;
      try {
        if ((await parts.leases.acquire(TRAINING_LEASE, LEASE_MS)) === null) throw busy();
        return await train(parts, order, context);
      } finally {
        running = false;
        await parts.leases.release(TRAINING_LEASE);
      }
    },
  });
}

interface Lot {
  readonly assetClass: string;
  readonly interval: string;
  readonly series: readonly StoredSeries[];
}

async function train(parts: TrainParts, order: TrainInput, context: JobContext<null>): Promise<TrainResult> {
  const lots = lotsOf(await parts.series.loadSeries(), order);
  const answer: TrainResult = {
    ...{ trained_global: [], skipped_global: [], trained_pattern: [], skipped_pattern: [] },
    summary: { total_outcomes: 0, global_models_trained: 0, pattern_models_trained: 0 },
  };
  for (const [k, lot] of lots.entries()) {
    context.report(`${lot.assetClass} ${lot.interval}`, k, lots.length);
    context.signal.throwIfAborted();
    await parts.leases.acquire(TRAINING_LEASE, LEASE_MS);
    const found = await learnLot(parts, lot, order, context);
    if (lot.assetClass !== ANY || lots.length === 1) answer.summary.total_outcomes += found.samples;
    for (const [g, grouping] of GROUPINGS.entries()) {
      const learned = found.learned[g];
      await enter(parts, { lot, grouping, found, learned }, context, answer);
    }
  }
  answer.summary.global_models_trained = answer.trained_global.length;
  answer.summary.pattern_models_trained = answer.trained_pattern.length;
  return answer;
}

/** Series by asset class and interval, then all together where there are several lots. */
function lotsOf(all: readonly StoredSeries[], { asset_class, timeframe }: TrainInput): Lot[] {
  const wanted = all.filter(
    ({ instrument, interval }) =>
      !VOLATILITY_INDICES.has(instrument.symbol) &&
      (asset_class === undefined || instrument.assetClass === asset_class) &&
      (timeframe === undefined || interval === timeframe),
  );
  if (wanted.length === 0) throw new AppError("no_data", "No stored series is long enough to learn from");
  const lots = new Map<string, { assetClass: string; interval: string; series: StoredSeries[] }>();
  for (const series of wanted) {
    const { interval, instrument } = series;
    const key = `${instrument.assetClass} ${interval}`;
    const lot = lots.get(key);
    if (lot === undefined) lots.set(key, { assetClass: instrument.assetClass, interval, series: [series] });
    else lot.series.push(series);
  }
  const apart = [...lots.values()];
  return apart.length > 1 ? [...apart, { assetClass: ANY, interval: ANY, series: wanted }] : apart;
}

const purposeOf = ({ assetClass, interval }: Lot, grouping: Grouping): Purpose => ({
  learner: TREES,
  assetClass,
  interval,
  grouping,
});

const HEAD = { learner: TREES, featureSchema: SAMPLE_SCHEMA, columns: SAMPLE_NAMES };
const TERMS = { ...LEARNING_TERMS, seed: SEED };

async function learnLot(
  parts: TrainParts,
  lot: Lot,
  { lookback: text, window_days = text === undefined ? undefined : Number.parseInt(text, 10) }: TrainInput,
  { signal }: JobContext<null>,
): Promise<LearnedMaterial> {
  const since = window_days === undefined ? 0 : parts.now() - window_days * DAY_MS;
  const series: LearnOrder["series"][number][] = [];
  for (const each of lot.series) {
    signal.throwIfAborted();
    if (each.untilMs < since) continue;
    const { calendar, assetClass } = each.instrument;
    const candles = await parts.read({ ...each, fromMs: Math.max(each.fromMs, since) }, signal);
    series.push({ candles, calendar, costBps: ROUND_TRIP_BPS[assetClass] });
  }
  const wanted = await Promise.all(
    GROUPINGS.map(async (grouping) => {
      const active = parts.registry.serving(purposeOf(lot, grouping));
      const same = active?.version.featureSchema === SAMPLE_SCHEMA;
      return {
        grouping,
        incumbent: active !== null && same ? await parts.store.artefact(active.version.id) : null,
      };
    }),
  );
  return parts.workers.run(
    LEARN,
    { series, policy: POLICY, terms: TERMS, head: HEAD, wanted },
    { signal, aside: true },
  );
}

interface Entry {
  readonly lot: Lot;
  readonly grouping: Grouping;
  readonly found: LearnedMaterial;
  readonly learned: Learned;
}

async function enter(
  { registry, synthetic }: TrainParts,
  { lot, grouping, found, learned }: Entry,
  { job }: JobContext<null>,
  answer: TrainResult,
): Promise<void> {
  const lists =
    grouping === "regime"
      ? { trained: answer.trained_global, skipped: answer.skipped_global }
      : { trained: answer.trained_pattern, skipped: answer.skipped_pattern };
  const names = { asset_class: lot.assetClass, timeframe: lot.interval };
  if (!("artefact" in learned)) {
    lists.skipped.push({ ...names, reason: `${learned.reason} (${found.samples} decisions have ended)` });
    return;
  }
  const model = newModelOf(purposeOf(lot, grouping), {
    ...{ head: HEAD, terms: TERMS, found, learned, synthetic, jobId: job.id },
    series: lot.series.map(({ instrument, interval }) => `${instrument.symbol} ${interval}`),
  });
  const audit = {
    action: "trained" as const,
    actor: job.userId,
    reason: `job ${job.id}`,
    numbers: { checks: learned.verdict.checks },
  };
  const version = await registry.enter(model, learned.verdict, audit);
  const { auc } = learned.evaluation;
  lists.trained.push({
    ...names,
    version: version.version,
    status: version.status,
    samples: found.samples,
    auc: Number.isFinite(auc) ? auc : null,
    refused_by: learned.verdict.refusedBy,
  });
}
