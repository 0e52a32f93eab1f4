import { EMBARGO_SHARE } from "../../core/learning/split.js";
import { type StackCandidate, stackLookAt } from "../../core/learning/stack-candidate.js";
import { LAYERS } from "../../core/signals/fuse.js";
import { AppError } from "../../platform/errors.js";
import { sha256 } from "../../platform/sha256.js";
import { type OpenModel, packArtefact } from "../models/artefact.js";
import { STACK } from "../models/layers.js";
import type { Registry } from "../models/registry.js";
import { refusedByOf } from "../models/steps.js";
import type { ModelVersion, NewModel } from "../models/store.js";
import type { Judge } from "./judge.js";
import type { LayerStore, SettledVote } from "./layer-store.js";
import type { Update } from "./loop.js";

const HEAD = { learner: STACK.learner, featureSchema: "layers-1", columns: LAYERS };
/** Newest decisions that weights are learned from. */
const MOST_READINGS = 5_000;

/**
 * Learns how to weigh layers at each look that the number of alerts with kept layers that have ended makes due; what the
 * rules pass serves from then on. A look is made once, for each leaves a version that says how many there were.
 */
export async function relearnStack(
  registry: Pick<Registry<OpenModel>, "list" | "serving" | "enter" | "refresh">,
  {
    layers,
    judge,
  }: {
    readonly layers: Pick<LayerStore, "newestSettled" | "settledAfter">;
    readonly judge: Pick<Judge, "learn">;
  },
  note: (update: Omit<Update, "atMs">) => void,
): Promise<void> {
  const [newest] = await registry.list(STACK, 1);
  const { decisions, before } = await decisionsBy(newest, layers);
  const look = stackLookAt(decisions);
  if (look === null || before >= look.from) return;
  const votes = await layers.newestSettled({}, MOST_READINGS);
  const [active] = await registry.list({ ...STACK, status: "active" }, 1);
  await registry.refresh();
  const serving = registry.serving(STACK);
  const incumbent = serving?.opened.learner === "layer_stack" ? serving.opened.model : null;
  const found = await judge.learn(votes, incumbent, look.level);
  if (found === null) return;
  const model = modelOf(found, votes, { decisions, look: look.number, level: look.level });
  const audit = {
    action: "trained" as const,
    actor: "retraining",
    reason: `${decisions} alerts with kept layers have ended`,
    numbers: { checks: found.verdict.checks },
  };
  // Weights need no shadow: what they are tried on is live already.
  const other = incumbent === null ? null : (serving?.version.version ?? null);
  const entered = registry.enter(model, found.verdict, audit, { active: active?.id ?? null, with: other });
  const version = await unlessOutdated(entered);
  if (version === null) return;
  const refusedBy = refusedByOf(version.status, found.verdict);
  note({
    type: refusedBy === null ? "promoted" : "refused",
    count: votes.length,
    description: `weights of layers ${version.version}${refusedBy === null ? " serve" : `: ${refusedBy}`}`,
  });
}

/** Null where another version became active while weights were learned: the next pass looks again. */
async function unlessOutdated(entered: Promise<ModelVersion>): Promise<ModelVersion | null> {
  try {
    return await entered;
  } catch (error) {
    if (error instanceof AppError && error.code === "conflict") return null;
    throw error;
  }
}

/** Alerts with kept layers that have ended, and those that had by the newest version, of which some may be gone by now. */
async function decisionsBy(
  version: ModelVersion | undefined,
  layers: Pick<LayerStore, "settledAfter">,
): Promise<{ readonly decisions: number; readonly before: number }> {
  const { last_outcome: last, decisions: known } = version?.parameters ?? {};
  if (typeof last !== "number") return { decisions: await layers.settledAfter(0), before: 0 };
  const since = await layers.settledAfter(last);
  const before = typeof known === "number" ? known : (await layers.settledAfter(0)) - since;
  return { decisions: before + since, before };
}

function modelOf(
  found: StackCandidate,
  votes: readonly SettledVote[],
  looked: { readonly decisions: number; readonly look: number; readonly level: number },
): NewModel {
  const artefact = packArtefact(HEAD, { learner: "layer_stack", model: found.stack });
  const { stack, verdict, ...figures } = found;
  const times = votes.map(({ decidedAt }) => decidedAt);
  return {
    ...STACK,
    ...HEAD,
    hash: sha256(artefact),
    dataHash: sha256(JSON.stringify(votes)),
    seed: 1,
    parameters: {
      weights: stack.weights,
      last_outcome: Math.max(...votes.map(({ outcome }) => outcome)),
      ...looked,
    },
    metrics: { ...figures },
    card: {
      purpose: "how layers are weighed in the composite of a signal",
      learner: STACK.learner,
      embargo_share: EMBARGO_SHARE,
      verdict: { promoted: verdict.promoted, refusedBy: verdict.refusedBy, checks: verdict.checks },
    },
    artefact,
    samples: votes.length,
    firstDecisionMs: Math.min(...times),
    lastDecisionMs: Math.max(...times),
    jobId: null,
  };
}
