import { lowerBound } from "../../core/base/search.js";
import { marketOf } from "../../core/learning/agent/state.js";
import { AGENT_WATCH, type AgentDecay, judgeAgentDecay } from "../../core/learning/agent/watch.js";
import type { Candles } from "../../core/market/candles.js";
import { giveWay } from "../../platform/workers.js";
import { DEEP_HEADS, openArtefact } from "../models/artefact.js";

export interface AgentWatchOrder {
  readonly artefact: Uint8Array;
  readonly series: readonly Candles[];
  /** First bars that are decided on open then, epoch ms; those before only warm indicators up. */
  readonly sinceMs: number;
  /** Chance of an error that the look may spend. */
  readonly level: number;
}

/** Looks at what an agent's decisions came to, in a thread. */
export default function watch({ artefact, series, sinceMs, level }: AgentWatchOrder): AgentDecay | null {
  giveWay();
  const opened = openArtefact(DEEP_HEADS.q_agent, artefact);
  if (opened.learner !== "q_agent") return null;
  const watched = series.map((candles) => ({
    market: marketOf(candles),
    time: candles.time,
    from: lowerBound(candles.time, sinceMs),
  }));
  return judgeAgentDecay(opened.model, watched, { ...AGENT_WATCH, level });
}
