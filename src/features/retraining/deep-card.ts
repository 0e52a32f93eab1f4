import type { AgentLearningTerms } from "../../core/learning/agent/candidate.js";
import type { Verdict } from "../../core/learning/governance.js";
import type { NetTerms } from "../../core/learning/sequence-net/candidate.js";
import { isoTime } from "../../platform/http.js";
import { DEEP_HEADS, type DeepLearner } from "../models/artefact.js";
import { type Card, verdictView } from "../models/card.js";
import { agentMetricsOf, netMetricsOf } from "../models/deep-metrics.js";
import { deepPurpose, type NewModel } from "../models/store.js";
import type { LearnedAgent } from "./agent-worker.js";
import type { LearnedNet } from "./net-worker.js";

/** What a version came from, beside what was learned. */
export interface DeepSource<Terms> {
  readonly terms: Terms;
  /** Symbols and intervals of the stored series. */
  readonly series: readonly string[];
  readonly synthetic: boolean;
  readonly jobId: number;
}

const NET_TEXTS = {
  purpose: "the confirmed chart shape that a window of fifty bars shows, of any asset class and interval",
  label:
    "a shape that was planted in a drawn window, or that a chart detector confirmed in a walk or in stored bars",
  limits: [
    "What it says of stored bars is agreement with the chart detectors, no gain in money.",
    "Fifteen shapes and none; a shape counts while its confirming close is among the last six bars.",
  ],
};
const AGENT_TEXTS = {
  purpose: "whether to hold, buy or sell one unit at a close, of any asset class and interval",
  label: "the logarithm of growth of an account after costs, filled at the next open",
  limits: [
    "It is tried in a simulator whose regimes it was trained on; nothing is claimed of stored markets.",
    "What a unit does moves no price; costs are 5 basis points a side for every instrument.",
  ],
};

/** A version of the net as it is stored. */
export function newNet(learned: LearnedNet, source: DeepSource<NetTerms>): NewModel {
  const series = learned.storedLearned > 0 ? source.series : [];
  const { evaluation, storedLearned, windows, epochs } = learned;
  return {
    ...modelOf("sequence_net", learned, source, windows),
    parameters: { ...source.terms, passes: epochs },
    metrics: netMetricsOf(evaluation),
    card: {
      ...cardOf("sequence_net", learned, { ...source, series }, { ...NET_TEXTS, samples: windows }),
      stretches: [
        stretch("drawn windows", source.terms.windows),
        stretch("stored windows", storedLearned),
        stretch("planted windows that it was tried on", evaluation.planted),
        stretch("other windows that it was tried on", evaluation.read),
      ],
    },
  };
}

/** A version of the agent as it is stored. */
export function newAgent(learned: LearnedAgent, source: DeepSource<AgentLearningTerms>): NewModel {
  const { evaluation, margin, bars, heldOut } = learned;
  return {
    ...modelOf("q_agent", learned, source, bars),
    parameters: { ...source.terms, tried_margins: heldOut.tried },
    metrics: agentMetricsOf(evaluation, margin, source.series.length),
    card: {
      ...cardOf("q_agent", learned, source, { ...AGENT_TEXTS, samples: bars }),
      stretches: [
        stretch("bars of planted and stored markets", bars),
        stretch("held-out stretches for the margin", heldOut.stretches),
        stretch("planted bars that it was tried on", evaluation.planted.bars),
        stretch("bars of random walks that it was tried on", evaluation.walks.bars),
      ],
    },
  };
}

type Learned = Pick<LearnedNet, "artefact" | "hash" | "dataHash" | "fromMs" | "toMs" | "trainingMs"> & {
  readonly verdict: Verdict;
};

function modelOf(
  learner: DeepLearner,
  { artefact, hash, dataHash, fromMs, toMs }: Learned,
  { terms: { seed }, jobId }: DeepSource<{ readonly seed: number }>,
  samples: number,
) {
  return {
    ...deepPurpose(learner),
    ...DEEP_HEADS[learner],
    ...{ artefact, hash, dataHash, seed, jobId, samples },
    firstDecisionMs: fromMs,
    lastDecisionMs: toMs,
  };
}

interface CardTexts {
  readonly purpose: string;
  readonly label: string;
  readonly limits: readonly string[];
  readonly samples: number;
}

function cardOf(
  learner: DeepLearner,
  { fromMs, toMs, verdict, trainingMs }: Learned,
  { series, synthetic }: Pick<DeepSource<unknown>, "series" | "synthetic">,
  { purpose, label, limits, samples }: CardTexts,
): Omit<Card, "stretches"> {
  const stored = synthetic ? "candles of the synthetic market" : "stored candles";
  return {
    purpose,
    learner,
    learned_from: {
      series: [...series],
      source: series.length === 0 ? "drawn by the dice" : `drawn by the dice, and ${stored}`,
      synthetic: synthetic || series.length === 0,
      samples,
      wins: null,
      first_decision: fromMs === null ? null : isoTime(fromMs),
      last_decision: toMs === null ? null : isoTime(toMs),
      label,
    },
    limits: [...limits],
    verdict: verdictView(verdict),
    training_ms: trainingMs,
  };
}

const stretch = (name: string, samples: number) => ({ name, samples, from: null, to: null });
