import type { z } from "zod";
import type { EvidenceRow } from "../../core/signals/evidence.js";
import { isoTime } from "../../platform/http.js";
import { shortageText } from "./evidence.js";
import type { evidenceSchema, runSchema } from "./schema.js";
import type { EvidenceRun } from "./store.js";

const timeOf = (ms: number | null) => (ms === null ? null : isoTime(ms));

export function evidenceView(row: EvidenceRow): z.input<typeof evidenceSchema> {
  const { occurrences, n, voided, unsettled, hits, predicted, blocks, liveN, liveHits } = row;
  return {
    pattern_type: row.variant,
    pattern: row.pattern,
    interval: row.interval,
    regime: row.regime,
    costs: row.costs,
    status: row.status,
    reason: shortageText(row.shortage),
    ...{ occurrences, n, voided, unsettled, hits, predicted, blocks },
    hit_rate: row.hitRate,
    hit_rate_low: row.low,
    hit_rate_high: row.high,
    base_rate: row.baseRate,
    edge: row.edge,
    edge_low: row.edgeLow,
    edge_high: row.edgeHigh,
    p_value: row.pValue,
    q_value: row.qValue,
    mean_r: row.meanR,
    confidence: row.confidence,
    prior_trades: row.priorTrades,
    brier_score: row.brier,
    calibration_error: row.calibrationError,
    first_at: timeOf(row.firstMs),
    last_at: timeOf(row.lastMs),
    live_n: liveN,
    live_hits: liveHits,
    live_hit_rate: liveN === 0 ? null : liveHits / liveN,
  };
}

export function runView(run: EvidenceRun): z.input<typeof runSchema> {
  const { id, series, bars, occurrences, tests, policy } = run;
  return {
    ...{ id, series, bars, occurrences, tests, policy },
    as_of: isoTime(run.asOfMs),
    created_at: isoTime(run.createdAtMs),
    from: timeOf(run.fromMs),
    until: timeOf(run.untilMs),
    live_since: isoTime(run.liveSinceMs),
    live_missing: run.liveMissing,
  };
}
