import { createHash } from "node:crypto";
import type { MessagePort } from "node:worker_threads";
import {
  type AgentCandidate,
  type AgentLearningTerms,
  learnAgent,
} from "../../core/learning/agent/candidate.js";
import { marketOf } from "../../core/learning/agent/state.js";
import { BAR_COLUMNS, type Candles } from "../../core/market/candles.js";
import { sha256 } from "../../platform/sha256.js";
import { giveWay } from "../../platform/workers.js";
import { DEEP_HEADS, openArtefact, packArtefact } from "../models/artefact.js";
import type { DeepProgress } from "./deep-progress.js";

export interface AgentOrder {
  /** Stored series that are learned from beside planted markets. */
  readonly series: readonly Candles[];
  readonly terms: AgentLearningTerms;
  /** Artefact of the active version; null where there is none that reads the same columns. */
  readonly incumbent: Uint8Array | null;
  /** Data hash of what serves; null where the same would not give the same. */
  readonly learnedHash: string | null;
  readonly port: MessagePort;
}

export interface LearnedAgent extends Omit<AgentCandidate, "agent"> {
  readonly artefact: Uint8Array;
  readonly hash: string;
  /** SHA-256 of the stored series and of the terms, which the planted ones follow from. */
  readonly dataHash: string;
  readonly margin: number | null;
  /** Bars of all series that it learned from. */
  readonly bars: number;
  /** Of the stored series, epoch ms; null without any. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly trainingMs: number;
}

/** Learns and tries an agent. @returns null where nothing of what it would learn from is new. */
export default function learn({
  series,
  terms,
  incumbent,
  learnedHash,
  port,
}: AgentOrder): LearnedAgent | null {
  giveWay();
  const started = performance.now();
  const head = DEEP_HEADS.q_agent;
  const dataHash = dataHashOf(terms, series);
  if (dataHash === learnedHash) return null;
  const opened = incumbent === null ? null : openArtefact(head, incumbent);
  const active = opened?.learner === "q_agent" ? opened.model : null;
  const found = learnAgent(series.map(marketOfSeries), terms, active, ({ step, steps }) => {
    const progress: DeepProgress = { phase: `q_agent: step ${step}`, done: step, total: steps };
    port.postMessage(progress);
    return true;
  });
  const { agent, ...candidate } = found;
  const artefact = packArtefact(head, { learner: "q_agent", model: agent });
  const times = series.flatMap(({ time }) => [time[0], time[time.length - 1]]);
  return {
    ...candidate,
    artefact,
    hash: sha256(artefact),
    dataHash,
    margin: agent.margin,
    bars: terms.markets * terms.bars + series.reduce((sum, { time }) => sum + time.length, 0),
    fromMs: times.length === 0 ? null : Math.min(...times),
    toMs: times.length === 0 ? null : Math.max(...times),
    trainingMs: performance.now() - started,
  };
}

const marketOfSeries = (candles: Candles) => marketOf(candles);

function dataHashOf(terms: AgentLearningTerms, series: readonly Candles[]): string {
  const hash = createHash("sha256").update(JSON.stringify(terms));
  for (const candles of series) for (const column of BAR_COLUMNS) hash.update(candles[column]);
  return hash.digest("hex");
}
