import { z } from "zod";
import { AGENT_LEARNING_TERMS, type AgentLearningTerms } from "../../core/learning/agent/candidate.js";
import type { Verdict } from "../../core/learning/governance.js";
import { NET_TERMS, type NetTerms } from "../../core/learning/sequence-net/candidate.js";
import { type Candles, sliceCandles } from "../../core/market/candles.js";
import { INTERVAL_MS } from "../../core/market/interval.js";
import { defineJob, type JobContext, type JobKind } from "../../platform/jobs.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { StoredSeries } from "../evidence/stored.js";
import {
  DEEP_HEADS,
  DEEP_LEARNERS,
  type DeepLearner,
  type OpenModel,
  packArtefact,
} from "../models/artefact.js";
import { checkSchema } from "../models/card.js";
import type { Registry } from "../models/registry.js";
import { deepPurpose, MODEL_STATUSES, type ModelVersion, type NewModel } from "../models/store.js";
import type { AgentOrder, LearnedAgent } from "./agent-worker.js";
import { newAgent, newNet } from "./deep-card.js";
import { type DeepProgress, runTelling } from "./deep-progress.js";
import type { LearnedNet, NetOrder } from "./net-worker.js";

const LEARN_NET = defineTask<NetOrder, LearnedNet>(new URL("./net-worker.js", import.meta.url));
const LEARN_AGENT = defineTask<AgentOrder, LearnedAgent>(new URL("./agent-worker.js", import.meta.url));

const ATTEMPTS = 3;
const TIMEOUT_MS = 3_600_000;
const SEED = 1;

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
  readonly registry: Pick<Registry<OpenModel>, "serving" | "enter" | "list">;
  readonly series: { loadSeries(): Promise<StoredSeries[]> };
  readonly read: (series: StoredSeries, signal: AbortSignal) => Promise<Candles>;
  readonly workers: Workers;
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

/** Trains the sequence net and the agent, aside from what somebody waits for. */
export function createDeepJob(parts: DeepJobParts): DeepJob {
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
    async run({ learners }, context) {
      const trained: DeepResult["trained"] = [];
      for (const learner of new Set(learners)) trained.push(await train(parts, learner, context));
      return { trained };
    },
  });
}

async function train(
  parts: DeepJobParts,
  learner: DeepLearner,
  { job, signal, report }: JobContext<null>,
): Promise<DeepResult["trained"][number]> {
  // An attempt before this one may have come so far.
  const [newest] = await parts.registry.list({ learner }, 1);
  if (newest?.jobId === job.id) return rowOf(learner, newest, newest.card.verdict as Verdict);
  report(`${learner}: reading`, 0, 1);
  const series = await readSeries(parts, learner, signal);
  const active = parts.registry.serving(deepPurpose(learner));
  const same = active?.version.featureSchema === DEEP_HEADS[learner].featureSchema;
  const incumbent = active !== null && same ? packArtefact(DEEP_HEADS[learner], active.opened) : null;
  const tell = ({ phase, done, total }: DeepProgress) => report(phase, done, total);
  const { model, verdict } = await learn(parts, learner, { series, incumbent, jobId: job.id }, signal, tell);
  signal.throwIfAborted();
  const reason = `job ${job.id}`;
  const audit = {
    action: "trained",
    actor: job.userId,
    reason,
    numbers: { checks: verdict.checks },
  } as const;
  return rowOf(learner, await parts.registry.enter(model, verdict, audit, "active"), verdict);
}

interface Given {
  readonly series: readonly Candles[];
  readonly incumbent: Uint8Array | null;
  readonly jobId: number;
}

async function learn(
  { workers, synthetic, terms = DEEP_TERMS }: DeepJobParts,
  learner: DeepLearner,
  { series, incumbent, jobId }: Given,
  signal: AbortSignal,
  tell: (progress: DeepProgress) => void,
): Promise<{ model: NewModel; verdict: Verdict }> {
  const names = series.map(({ symbol, interval }) => `${symbol} ${interval}`);
  const source = { series: names, synthetic, jobId };
  if (learner === "sequence_net") {
    const order = { series, terms: terms.net, incumbent };
    const found = await runTelling(workers, LEARN_NET, (port) => ({ ...order, port }), signal, tell);
    return { model: newNet(found, { ...source, terms: terms.net }), verdict: found.verdict };
  }
  const order = { series, terms: terms.agent, incumbent };
  const found = await runTelling(workers, LEARN_AGENT, (port) => ({ ...order, port }), signal, tell);
  return { model: newAgent(found, { ...source, terms: terms.agent }), verdict: found.verdict };
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
  { refusedBy, checks }: Verdict,
): DeepResult["trained"][number] {
  return {
    ...{ learner, version, status, samples, refused_by: refusedBy },
    checks: checks.map((each) => ({ ...each })),
  };
}
