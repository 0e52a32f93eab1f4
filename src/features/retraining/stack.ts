import { createHash } from "node:crypto";
import { learnStack, type StackCandidate } from "../../core/learning/stack-candidate.js";
import { LAYERS } from "../../core/signals/fuse.js";
import { type OpenModel, packArtefact } from "../models/artefact.js";
import { STACK } from "../models/layers.js";
import { type Registry, sha256 } from "../models/registry.js";
import type { ModelVersion, NewModel } from "../models/store.js";
import type { LayerStore, SettledVote } from "./layer-store.js";
import type { Update } from "./loop.js";

const HEAD = { learner: STACK.learner, featureSchema: "layers-1", columns: LAYERS };
/** Newest decisions that weights are learned from. */
const MOST_READINGS = 5_000;
/** Decisions that ended since the newest version from which on weights are learned anew. */
const NEW_DECISIONS = 50;

/**
 * Learns how to weigh layers once enough alerts have ended whose layers were kept; what the rules pass serves from then on.
 */
export async function relearnStack(
  registry: Registry<OpenModel>,
  layers: Pick<LayerStore, "newestSettled" | "settledAfter">,
  note: (update: Omit<Update, "atMs">) => void,
): Promise<void> {
  const [newest] = await registry.list(STACK, 1);
  if ((await layers.settledAfter(lastOutcomeOf(newest))) < NEW_DECISIONS) return;
  const votes = await layers.newestSettled(0, MOST_READINGS);
  const serving = registry.serving(STACK);
  const incumbent = serving?.opened.learner === "layer_stack" ? serving.opened.model : null;
  const found = learnStack(votes, incumbent);
  if (found === null) return;
  const version = await registry.enter(modelOf(found, votes), found.verdict, {
    action: "trained",
    actor: "retraining",
    reason: `${votes.length} alerts with kept layers have ended`,
    numbers: { checks: found.verdict.checks },
  });
  // Weights need no shadow: what they are tried on is live already.
  if (version.status === "shadow") {
    const audit = { actor: "retraining", reason: "not worse on the newest decisions", numbers: {} };
    await registry.promote(STACK, version.version, audit);
  }
  const { refusedBy } = found.verdict;
  note({
    type: refusedBy === null ? "promoted" : "refused",
    count: votes.length,
    description: `weights of layers ${version.version}${refusedBy === null ? " serve" : `: rule ${refusedBy}`}`,
  });
}

/** The newest outcome that a version was learned from; 0 where it does not say. */
function lastOutcomeOf(version: ModelVersion | undefined): number {
  const last = version?.parameters.last_outcome;
  return typeof last === "number" ? last : 0;
}

function modelOf(found: StackCandidate, votes: readonly SettledVote[]): NewModel {
  const artefact = packArtefact(HEAD, { learner: "layer_stack", model: found.stack });
  const { stack, verdict, ...figures } = found;
  const times = votes.map(({ decidedAt }) => decidedAt);
  return {
    ...STACK,
    ...HEAD,
    hash: sha256(artefact),
    dataHash: createHash("sha256").update(JSON.stringify(votes)).digest("hex"),
    seed: 1,
    parameters: { weights: stack.weights, last_outcome: Math.max(...votes.map(({ outcome }) => outcome)) },
    metrics: { ...figures },
    card: {
      purpose: "how layers are weighed in the composite of a signal",
      learner: STACK.learner,
      verdict: { promoted: verdict.promoted, refusedBy: verdict.refusedBy, checks: verdict.checks },
    },
    artefact,
    samples: votes.length,
    firstDecisionMs: Math.min(...times),
    lastDecisionMs: Math.max(...times),
    jobId: null,
  };
}
