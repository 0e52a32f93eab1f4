import { z } from "zod";
import { AGENT_LEARNING_TERMS, type AgentLearningTerms } from "../../core/learning/agent/candidate.js";
import { type Verdict, verdictOf } from "../../core/learning/governance.js";
import { NET_TERMS, type NetTerms } from "../../core/learning/sequence-net/candidate.js";
import { type Candles, sliceCandles } from "../../core/market/candles.js";
import { INTERVAL_MS } from "../../core/market/interval.js";
import { createAlone } from "../../platform/alone.js";
import { AppError } from "../../platform/errors.js";
import { defineJob, type JobContext, type JobKind } from "../../platform/jobs.js";
import type { Leases } from "../../platform/lease.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { StoredSeries } from "../evidence/stored.js";
import { DEEP_HEADS, DEEP_LEARNERS, type DeepLearner, type OpenModel } from "../models/artefact.js";
import { checkSchema, verdictView } from "../models/card.js";
import type { Registry } from "../models/registry.js";
import { refusedByOf } from "../models/steps.js";
import { MODEL_STATUSES, type ModelVersion, type NewModel } from "../models/store.js";
import type { AgentOrder, LearnedAgent } from "./agent-worker.js";
import { newAgent, newNet } from "./deep-card.js";
import { type DeepProgress, runTelling } from "./deep-progress.js";
import { type Incumbent, type IncumbentRegistry, incumbentOf } from "./incumbent.js";
import type { LearnedNet, NetOrder } from "./net-worker.js";
import type { TriedDeep, TryDeepOrder } from "./try-deep-worker.js";

const LEARN_NET = defineTask<NetOrder, LearnedNet | null>(new URL("./net-worker.js", import.meta.url));
const LEARN_AGENT = defineTask<AgentOrder, LearnedAgent | null>(
  new URL("./agent-worker.js", import.meta.url),
);
const TRY_DEEP = defineTask<TryDeepOrder, TriedDeep>(new URL("./try-deep-worker.js", import.meta.url));

const ATTEMPTS = 3;
const TIMEOUT_MS = 3_600_000;
const SEED = 1;
export const DEEP_LEASE = "deep training";
const LEASE_MS = 900_000;
/** Comparisons of one candidate at most, where another version becomes active during each. */
const MOST_COMPARED = 3;

const input = z.strictObject({
  learners: z
    .array(z.enum(DEEP_LEARNERS))
    .min(1)
    .default([...DEEP_LEARNERS])
    .describe("Both without it"),
});
export type DeepInput = z.output<typeof input>;

const result = z.object({
  trained: z.array(
    z.object({
      learner: z.enum(DEEP_LEARNERS),
      version: z.string(),
      status: z.enum(MODEL_STATUSES),
      samples: z.number().int(),
      refused_by: z.string().nullable(),
      checks: z.array(checkSchema),
    }),
  ),
  skipped: z.array(z.object({ learner: z.enum(DEEP_LEARNERS), reason: z.string() })),
});
type DeepResult = z.output<typeof result>;

export type DeepJob = JobKind<DeepInput, null, DeepResult>;

/** How both are learned: for tests, less than usual. */
export interface DeepTerms {
  readonly net: NetTerms;
  readonly agent: AgentLearningTerms;
}

export const DEEP_TERMS: DeepTerms = {
  net: { ...NET_TERMS, seed: SEED },
  agent: { ...AGENT_LEARNING_TERMS, seed: SEED },
};

export interface DeepJobParts {
  readonly registry: IncumbentRegistry & Pick<Registry<OpenModel>, "enter">;
  readonly series: { loadSeries(): Promise<StoredSeries[]> };
  readonly read: (series: StoredSeries, signal: AbortSignal) => Promise<Candles>;
  readonly workers: Workers;
  readonly leases: Pick<Leases, "acquire" | "release">;
  readonly synthetic: boolean;
  readonly terms?: DeepTerms;
}

/** Stored series, and newest bars of each, that are learned from at most. */
const MOST = {
  sequence_net: { series: 60, bars: 5_000 },
  q_agent: { series: 12, bars: 2_500 },
} as const satisfies Record<DeepLearner, unknown>;
/** Bars below which a series has next to nothing after the warm-up. */
const LEAST_BARS = 300;

/** Trains the sequence net and the agent, aside from what somebody waits for, one training at a time. */
export function createDeepJob(parts: DeepJobParts): DeepJob {
  const busy = () =>
    new AppError("overloaded", "Nets and agents are being trained already", { retryAfterS: 30 });
  const alone = createAlone(parts.leases, { name: DEEP_LEASE, ttlMs: LEASE_MS }, busy);
  return defineJob({
    kind: "train-deep",
    summary: "Order that the sequence net and the agent are trained",
    description:
      "The net learns shapes that are drawn and, where there are enough, stored ones; the agent trades planted markets " +
      "and stored ones. Each is tried on others, and the rules of promotion decide what becomes of it.",
    access: "admin",
    input,
    checkpoint: z.null(),
    result,
    attempts: ATTEMPTS,
    timeoutMs: TIMEOUT_MS,
    run: ({ learners }, context) =>
      alone(async () => {
        const answer: DeepResult = { trained: [], skipped: [] };
        for (const learner of new Set(learners)) {
          await parts.leases.acquire(DEEP_LEASE, LEASE_MS);
          const found = await train(parts, learner, context);
          if ("version" in found) answer.trained.push(found);
          else answer.skipped.push(found);
        }
        return answer;
      }),
  });
}

type Trained = DeepResult["trained"][number];
type Skipped = DeepResult["skipped"][number];

async function train(
  parts: DeepJobParts,
  learner: DeepLearner,
  { job, signal, report }: JobContext<null>,
): Promise<Trained | Skipped> {
  // An attempt before this one may have come so far.
  const [newest] = await parts.registry.list({ learner }, 1);
  if (newest?.jobId === job.id) return rowOf(learner, newest, newest.card.verdict as Verdict);
  report(`${learner}: reading`, 0, 1);
  const series = await readSeries(parts, learner, signal);
  const incumbent = await incumbentOf(parts.registry, learner);
  const tell = ({ phase, done, total }: DeepProgress) => report(phase, done, total);
  const found = await learn(parts, learner, { series, incumbent, jobId: job.id }, signal, tell);
  signal.throwIfAborted();
  const { active } = incumbent;
  if (active !== null && (found === null || found.model.hash === active.hash)) {
    const same = found === null ? "the same bars and terms" : "the same bytes";
    return { learner, reason: `nothing new: ${same} gave version ${active.version}, which is active` };
  }
  if (found === null) throw new Error("a training found nothing new beside nothing");
  return enter(parts, learner, { ...found, incumbent }, { job, signal });
}

/** Enters what was learned, compared anew where another version has become active meanwhile. */
async function enter(
  parts: DeepJobParts,
  learner: DeepLearner,
  learned: LearnedDeep & { readonly incumbent: Incumbent },
  { job, signal }: Pick<JobContext<null>, "job" | "signal">,
): Promise<Trained> {
  let { model, verdict, incumbent } = learned;
  for (let time = 1; ; time++) {
    const numbers = { checks: verdict.checks };
    const audit = { action: "trained", actor: job.userId, reason: `job ${job.id}`, numbers } as const;
    try {
      const version = await parts.registry.enter(model, verdict, audit, incumbent.compared);
      return rowOf(learner, version, verdict);
    } catch (error) {
      const isOther = error instanceof AppError && error.code === "conflict";
      if (!isOther || time === MOST_COMPARED) throw error;
    }
    incumbent = await incumbentOf(parts.registry, learner);
    verdict = await compareAgain(parts, learner, { model, verdict, incumbent }, signal);
    model = { ...model, card: { ...model.card, verdict: verdictView(verdict) } };
  }
}

/** The verdict with what is found beside another version; what hangs on the candidate alone stays. */
async function compareAgain(
  { workers, terms = DEEP_TERMS }: DeepJobParts,
  learner: DeepLearner,
  { model, verdict, incumbent }: LearnedDeep & { readonly incumbent: Incumbent },
  signal: AbortSignal,
): Promise<Verdict> {
  const { artefact } = model;
  const order = { learner, artefact, incumbent: incumbent.artefact, net: terms.net, agent: terms.agent };
  const { verdict: again } = await workers.run(TRY_DEEP, order, { signal, aside: true });
  const anew = new Map(again.checks.map((check) => [check.rule, check]));
  return verdictOf(
    verdict.checks.map((check) => (check.rule.endsWith("_active") ? (anew.get(check.rule) ?? check) : check)),
  );
}

interface Given {
  readonly series: readonly Candles[];
  readonly incumbent: Incumbent;
  readonly jobId: number;
}

interface LearnedDeep {
  readonly model: NewModel;
  readonly verdict: Verdict;
}

/** @returns null where the active version was learned here from the same by the same terms. */
async function learn(
  { workers, synthetic, terms = DEEP_TERMS }: DeepJobParts,
  learner: DeepLearner,
  { series, incumbent, jobId }: Given,
  signal: AbortSignal,
  tell: (progress: DeepProgress) => void,
): Promise<LearnedDeep | null> {
  const names = series.map(({ symbol, interval }) => `${symbol} ${interval}`);
  const source = { series: names, synthetic, jobId };
  const given = { series, incumbent: incumbent.artefact, learnedHash: learnedHashOf(incumbent, learner) };
  if (learner === "sequence_net") {
    const order = { ...given, terms: terms.net };
    const found = await runTelling(workers, LEARN_NET, (port) => ({ ...order, port }), signal, tell);
    if (found === null) return null;
    return { model: newNet(found, { ...source, terms: terms.net }), verdict: found.verdict };
  }
  const order = { ...given, terms: terms.agent };
  const found = await runTelling(workers, LEARN_AGENT, (port) => ({ ...order, port }), signal, tell);
  if (found === null) return null;
  return { model: newAgent(found, { ...source, terms: terms.agent }), verdict: found.verdict };
}

/** Data hash of the active version; null where it was not learned here, as a file may say what it likes. */
function learnedHashOf({ active }: Incumbent, learner: DeepLearner): string | null {
  const isOwn = active?.jobId !== null && active?.featureSchema === DEEP_HEADS[learner].featureSchema;
  return isOwn ? active.dataHash : null;
}

/** The newest bars of series that lie evenly among all. */
async function readSeries(
  { series, read }: DeepJobParts,
  learner: DeepLearner,
  signal: AbortSignal,
): Promise<Candles[]> {
  const most = MOST[learner];
  const all = await series.loadSeries();
  const step = Math.max(1, all.length / most.series);
  const chosen: Candles[] = [];
  for (let k = 0; k < all.length; k += step) {
    signal.throwIfAborted();
    const each = all[Math.floor(k)];
    const since = each.untilMs - 2 * most.bars * INTERVAL_MS[each.interval];
    const candles = await read({ ...each, fromMs: Math.max(each.fromMs, since) }, signal);
    const { length } = candles.time;
    if (length >= LEAST_BARS) chosen.push(sliceCandles(candles, Math.max(0, length - most.bars), length));
  }
  return chosen;
}

function rowOf(
  learner: DeepLearner,
  { version, status, samples }: Pick<ModelVersion, "version" | "status" | "samples">,
  verdict: Verdict,
): Trained {
  return {
    ...{ learner, version, status, samples, refused_by: refusedByOf(status, verdict) },
    checks: verdict.checks.map((each) => ({ ...each })),
  };
}
