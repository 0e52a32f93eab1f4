import { type Duel, judgeDuel } from "../../core/learning/duel.js";
import type { LayerStack, LayerVote } from "../../core/learning/layer-stack.js";
import {
  judgeStack,
  learnStack,
  type StackCandidate,
  type StackDecay,
} from "../../core/learning/stack-candidate.js";
import { type Decay, judgeDecay, type LiveScores, type WatchTerms } from "../../core/learning/watch.js";

export interface DuelOrder {
  readonly kind: "duel";
  readonly active: LiveScores;
  /** Of the shadow, on the same rows. */
  readonly shadow: Float64Array;
}

export interface DecayOrder {
  readonly kind: "decay";
  readonly scored: LiveScores;
  readonly terms: WatchTerms;
}

export interface StackOrder {
  readonly kind: "stack";
  readonly votes: readonly LayerVote[];
  readonly stack: LayerStack;
}

export interface LearnOrder {
  readonly kind: "learn";
  readonly votes: readonly LayerVote[];
  readonly incumbent: LayerStack | null;
  readonly level: number;
}

export type Judgement = Duel | Decay | StackDecay | StackCandidate | null;

/** Judges by what live decisions came to, in a thread. */
export default function judge(order: DuelOrder | DecayOrder | StackOrder | LearnOrder): Judgement {
  switch (order.kind) {
    case "duel":
      return judgeDuel(order.active, order.shadow);
    case "decay":
      return judgeDecay(order.scored, order.terms);
    case "stack":
      return judgeStack(order.votes, order.stack);
    case "learn":
      return learnStack(order.votes, order.incumbent, order.level);
  }
}
