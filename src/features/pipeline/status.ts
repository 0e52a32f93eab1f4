import { isoTime } from "../../platform/http.js";
import { STAGES, type Stage, type StageTimes } from "./counts.js";
import { LOTS } from "./listing.js";
import type { Pipeline } from "./pipeline.js";

/** What the pipeline of this process has done, and what all have stored. */
export async function statusView(pipeline: Pipeline) {
  const { counts, store, terms } = pipeline;
  // Lots are those of each kind of instrument.
  const { lot, ...stated } = terms;
  const bars = counts.bars();
  const { groups, synergies } = counts.totals();
  const times = Object.fromEntries(STAGES.map((stage) => [stage, counts.times(stage)])) as Record<
    Stage,
    StageTimes
  >;
  const shorter = bars["5m"] ?? 0;
  const longer = bars["30m"] ?? 0;
  return {
    state: pipeline.state(),
    since: isoTime(counts.startedAt),
    ticks_per_second: counts.rate(),
    symbols: pipeline.symbols().length,
    groups,
    waiting: pipeline.waiting(),
    latency_ms: times,
    ticks: counts.verdicts(),
    refused: counts.refusals(),
    bars,
    indicator_sets: shorter + longer,
    matrices: shorter + 2 * longer,
    synergies,
    decisions: counts.decisions(),
    stored: await store.count(),
    terms: { ...stated },
    lots: { ...LOTS },
  };
}
