import { lowerBound } from "../../core/base/search.js";
import type { Agent } from "../../core/learning/agent/policy.js";
import { AGENT_WARMUP } from "../../core/learning/agent/state.js";
import { type AgentDecay, agentLookAt } from "../../core/learning/agent/watch.js";
import { type Candles, sliceCandles } from "../../core/market/candles.js";
import { INTERVAL_MS } from "../../core/market/interval.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { StoredSeries } from "../evidence/stored.js";
import { DEEP_HEADS, packArtefact } from "../models/artefact.js";
import type { ModelVersion } from "../models/store.js";
import type { AgentWatchOrder } from "./agent-watch-worker.js";

/** Looks at an agent that serves; null where there is too little, or no look has come due since the last. */
export type AgentWatch = (
  version: Pick<ModelVersion, "id" | "createdAtMs">,
  agent: Agent,
) => Promise<AgentDecay | null>;

const WATCH = defineTask<AgentWatchOrder, AgentDecay | null>(
  new URL("./agent-watch-worker.js", import.meta.url),
);
/** Stored series that are traded on paper, evenly among all, and newest bars of each. */
const MOST_SERIES = 12;
const MOST_BARS = 20_000;
/** Bars before the first decision, by which recursive indicators have settled. */
const LEAD = 4 * AGENT_WARMUP;
const SIGNAL = new AbortController().signal;

/** @param options `read` reads what is stored of a series. */
export function createAgentWatch(options: {
  readonly series: { loadSeries(): Promise<StoredSeries[]> };
  readonly read: (series: StoredSeries, signal: AbortSignal) => Promise<Candles>;
  readonly workers: Workers;
  readonly now: () => number;
}): AgentWatch {
  const { series, read, workers, now } = options;
  /** Version and end of the look that was made last: each is made once. */
  let looked: { readonly id: number; readonly toMs: number } | null = null;

  return async ({ id, createdAtMs }, agent) => {
    const look = agentLookAt(createdAtMs, now());
    if (look === null || (looked?.id === id && looked.toMs === look.toMs)) return null;
    const { fromMs: sinceMs, toMs, level } = look;
    const all = (await series.loadSeries()).filter(({ untilMs }) => untilMs > sinceMs);
    const step = Math.max(1, all.length / MOST_SERIES);
    const chosen: Candles[] = [];
    for (let k = 0; k < all.length; k += step) {
      const each = all[Math.floor(k)];
      const lead = 6 * LEAD * INTERVAL_MS[each.interval];
      const candles = await read({ ...each, fromMs: Math.max(each.fromMs, sinceMs - lead) }, SIGNAL);
      const end = lowerBound(candles.time, toMs);
      chosen.push(sliceCandles(candles, Math.max(0, end - MOST_BARS), end));
    }
    const artefact = packArtefact(DEEP_HEADS.q_agent, { learner: "q_agent", model: agent });
    const found = await workers.run(WATCH, { artefact, series: chosen, sinceMs, level }, { aside: true });
    looked = { id, toMs };
    return found;
  };
}
