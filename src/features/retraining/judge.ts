import type { Duel } from "../../core/learning/duel.js";
import type { LayerStack, LayerVote } from "../../core/learning/layer-stack.js";
import type { StackCandidate, StackDecay } from "../../core/learning/stack-candidate.js";
import { type Decay, type LiveScores, WATCH, type WatchTerms } from "../../core/learning/watch.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { DecayOrder, DuelOrder, LearnOrder, StackOrder } from "./judge-worker.js";

/** Judgements of what live decisions came to. They resample: on thousands of labels one takes a second, in a thread. */
export interface Judge {
  /** As `judgeDuel`. */
  duel(active: LiveScores, shadow: Float64Array): Promise<Duel>;
  /** As `judgeDecay`. */
  decay(scored: LiveScores, terms?: WatchTerms): Promise<Decay | null>;
  /** As `judgeStack`. */
  stack(votes: readonly LayerVote[], stack: LayerStack): Promise<StackDecay | null>;
  /** As `learnStack`. */
  learn(
    votes: readonly LayerVote[],
    incumbent: LayerStack | null,
    level: number,
  ): Promise<StackCandidate | null>;
}

const WORKER = new URL("./judge-worker.js", import.meta.url);
const DUEL = defineTask<DuelOrder, Duel>(WORKER);
const DECAY = defineTask<DecayOrder, Decay | null>(WORKER);
const STACK = defineTask<StackOrder, StackDecay | null>(WORKER);
const LEARN = defineTask<LearnOrder, StackCandidate | null>(WORKER);

export function createJudge(workers: Workers): Judge {
  return {
    duel: (active, shadow) => workers.run(DUEL, { kind: "duel", active, shadow }),
    decay: (scored, terms = WATCH) => workers.run(DECAY, { kind: "decay", scored, terms }),
    stack: (votes, stack) => workers.run(STACK, { kind: "stack", votes, stack }),
    learn: (votes, incumbent, level) => workers.run(LEARN, { kind: "learn", votes, incumbent, level }),
  };
}
