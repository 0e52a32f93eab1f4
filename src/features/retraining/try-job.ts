import { z } from "zod";
import { hash32 } from "../../core/base/rng.js";
import type { NothingLearned, Tried } from "../../core/learning/candidate.js";
import { SAMPLE_SCHEMA } from "../../core/learning/samples.js";
import { AppError } from "../../platform/errors.js";
import { defineJob, type JobContext, type JobKind } from "../../platform/jobs.js";
import { defineTask } from "../../platform/workers.js";
import { type DeepLearner, isDeepLearner } from "../models/artefact.js";
import { checkSchema } from "../models/card.js";
import { refusedByOf } from "../models/steps.js";
import { ANY, type ModelStore, type ModelVersion } from "../models/store.js";
import { DEEP_TERMS, type DeepTerms } from "./deep-job.js";
import { incumbentOf } from "./incumbent.js";
import { HEAD, lotsOf, POLICY, readLot, TERMS } from "./lots.js";
import type { TrainParts } from "./train-job.js";
import type { TriedDeep, TryDeepOrder } from "./try-deep-worker.js";
import type { TryOrder } from "./try-worker.js";

const TRY = defineTask<TryOrder, Tried | NothingLearned>(new URL("./try-worker.js", import.meta.url));
const TRY_DEEP = defineTask<TryDeepOrder, TriedDeep>(new URL("./try-deep-worker.js", import.meta.url));
const ATTEMPTS = 3;
const TIMEOUT_MS = 3_600_000;

const input = z.strictObject({ model_id: z.number().int().min(1) });
export type TryInput = z.output<typeof input>;
const result = z.object({
  model_id: z.number().int(),
  version: z.string(),
  status: z.string(),
  samples: z
    .number()
    .int()
    .describe(
      "Decisions after all that it may have learned from; for nets and agents, what was drawn to try them",
    ),
  refused_by: z.string().nullable(),
  checks: z.array(checkSchema),
  reason: z.string().nullable().describe("Why it could not be tried, and stays a candidate"),
});
type TryResult = z.output<typeof result>;

export type TryJob = JobKind<TryInput, null, TryResult>;

type Parts = Omit<TrainParts, "store"> & {
  readonly store: Pick<ModelStore, "artefact" | "find" | "trainedHere">;
  readonly terms?: DeepTerms;
};

/** Tries candidates that were learned elsewhere on stored decisions, by the rules that trainings are tried by. */
export function createTryJob(parts: Parts): TryJob {
  return defineJob({
    kind: "try-model",
    summary: "Order that an imported candidate is tried on what is stored",
    description:
      "On decisions of the untouched tail that came after all it may have learned from. What a file says of its training " +
      "proves nothing: where no version that was trained here has the same hash, that is everything before its import. It " +
      "becomes active, a shadow or refused by the rules of promotion; while there are fewer such decisions than those ask " +
      "for it stays a candidate, and can be tried again within a year; one that nothing can try is refused. Nets and agents " +
      "are tried on windows and markets that are drawn for this trial, and take the place of the active one where they pass.",
    access: "admin",
    input,
    checkpoint: z.null(),
    result,
    attempts: ATTEMPTS,
    timeoutMs: TIMEOUT_MS,
    run: ({ model_id: id }, context) => run(parts, id, context),
  });
}

async function run(parts: Parts, id: number, { job, signal }: JobContext<null>): Promise<TryResult> {
  const version = await parts.store.find(id);
  if (version === null) throw new AppError("model_not_found", `There is no model ${id}`);
  const artefact = await parts.store.artefact(id);
  const { grouping, learner } = version;
  const no = new AppError("conflict", `Version ${version.version} is ${version.status}, and no candidate`);
  if (version.status !== "candidate" || artefact === null) throw no;
  if (isDeepLearner(learner)) return tryDeep(parts, { version, learner, artefact }, job.userId, signal);
  if (grouping === "none") throw no;
  const found = await tryVersion(parts, version, { artefact, grouping }, signal);
  const names = { model_id: id, version: version.version };
  if ("reason" in found) {
    const samples = found.stretches.reduce((sum, stretch) => sum + stretch.samples, 0);
    return { ...names, status: version.status, samples, refused_by: null, checks: [], reason: found.reason };
  }
  const { verdict, evaluation } = found;
  const { status } = await parts.registry.judge(version, verdict, job.userId);
  const checks = verdict.checks.map((check) => ({ ...check }));
  const { samples } = evaluation;
  return { ...names, status, samples, refused_by: refusedByOf(status, verdict), checks, reason: null };
}

interface DeepCandidate {
  readonly version: ModelVersion;
  readonly learner: DeepLearner;
  readonly artefact: Uint8Array;
}

/** Trials of one candidate at most, where another version becomes active during each. */
const MOST_TRIALS = 3;

/** The seed of what is drawn comes of when the version was taken in, which nobody knew who learned it. */
async function tryDeep(
  { registry, store, workers, terms = DEEP_TERMS }: Parts,
  { version, learner, artefact }: DeepCandidate,
  actor: string,
  signal: AbortSignal,
): Promise<TryResult> {
  const seed = hash32(`${version.hash} ${version.id} ${version.createdAtMs}`);
  const drawn = { net: { ...terms.net, seed }, agent: { ...terms.agent, seed } };
  for (let trial = 1; ; trial++) {
    const { artefact: incumbent, compared } = await incumbentOf(registry, learner);
    const order: TryDeepOrder = { learner, artefact, incumbent, ...drawn };
    const { verdict, samples } = await workers.run(TRY_DEEP, order, { signal, aside: true });
    try {
      const { status } = await registry.judge(version, verdict, actor, compared);
      const checks = verdict.checks.map((check) => ({ ...check }));
      const names = { model_id: version.id, version: version.version };
      const refusedBy = refusedByOf(status, verdict);
      return { ...names, status, samples, refused_by: refusedBy, checks, reason: null };
    } catch (error) {
      const candidate = await store.find(version.id);
      const isOther = error instanceof AppError && error.code === "conflict";
      if (!isOther || candidate?.status !== "candidate" || trial === MOST_TRIALS) throw error;
    }
  }
}

async function tryVersion(
  parts: Parts,
  version: ModelVersion,
  { artefact, grouping }: Pick<TryOrder, "artefact" | "grouping">,
  signal: AbortSignal,
): Promise<Tried | NothingLearned> {
  const { assetClass, interval } = version;
  const isAll = assetClass === ANY;
  const asked = isAll ? {} : { asset_class: assetClass, timeframe: interval };
  const lots = lotsOf(await parts.series.loadSeries(), asked);
  const lot = lots.find((each) => each.assetClass === assetClass && each.interval === interval) ?? lots[0];
  const series = await readLot(parts, lot, 0, signal);
  const active = parts.registry.serving(version);
  const isSame = active?.version.featureSchema === SAMPLE_SCHEMA;
  const order: TryOrder = {
    ...{ series, policy: POLICY, terms: TERMS, head: HEAD, grouping, artefact },
    incumbent: active !== null && isSame ? await parts.store.artefact(active.version.id) : null,
    learnedUntilMs: await learnedUntil(parts.store, version),
  };
  return parts.workers.run(TRY, order, { signal });
}

/**
 * The latest decision that a version may have learned from. A version of the same hash that was trained here is the same
 * model, and of it that is known; of any other, all that there was when it came may have been learned from.
 */
async function learnedUntil(
  store: Pick<ModelStore, "trainedHere">,
  { hash, createdAtMs }: ModelVersion,
): Promise<number> {
  return (await store.trainedHere(hash))?.lastDecisionMs ?? createdAtMs;
}
