import { type AgentLearningTerms, tryAgent } from "../../core/learning/agent/candidate.js";
import { WeightsRefused } from "../../core/learning/define.js";
import type { Verdict } from "../../core/learning/governance.js";
import { type NetTerms, tryForeignNet } from "../../core/learning/sequence-net/candidate.js";
import { giveWay } from "../../platform/workers.js";
import { DEEP_HEADS, type DeepLearner, openArtefact } from "../models/artefact.js";

/** A net or an agent from elsewhere to be tried in a thread. */
export interface TryDeepOrder {
  readonly learner: DeepLearner;
  readonly artefact: Uint8Array;
  /** Artefact of the active version; null where there is none that reads the same columns. */
  readonly incumbent: Uint8Array | null;
  /** Their seed was unknown when the model was learned. */
  readonly net: NetTerms;
  readonly agent: AgentLearningTerms;
}

export interface TriedDeep {
  readonly verdict: Verdict;
  /** Drawn windows, or bars of drawn markets, that it was tried on. */
  readonly samples: number;
}

/** Tries it beside the active one on what is drawn for this trial. */
export default function tryDeep({ learner, artefact, incumbent, net, agent }: TryDeepOrder): TriedDeep {
  giveWay();
  const head = DEEP_HEADS[learner];
  const model = openArtefact(head, artefact);
  const active = incumbent === null ? null : openArtefact(head, incumbent);
  if (model.learner === "sequence_net") {
    const before = active?.learner === "sequence_net" ? active.model : null;
    const { verdict, evaluation } = tryForeignNet(model.model, net, before);
    return { verdict, samples: evaluation.planted + evaluation.read };
  }
  if (model.learner !== "q_agent")
    throw new WeightsRefused(`a model of the learner ${model.learner} is no net`);
  const before = active?.learner === "q_agent" ? active.model : null;
  const { verdict, evaluation } = tryAgent(model.model, agent, before);
  return { verdict, samples: evaluation.planted.bars + evaluation.walks.bars };
}
