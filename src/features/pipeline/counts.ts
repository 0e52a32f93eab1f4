import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { Interval } from "../../core/market/interval.js";
import { ACCEPTED, HELD, OUTLIER, VERDICTS } from "../../core/ticks/verdict.js";
import type { Metrics } from "../../platform/metrics.js";
import type { Fed } from "./shards.js";

/** Stages of the way of a group of ticks: kept, worked out, stored; and from its arrival to its answer. */
export const STAGES = ["log", "engine", "store", "answer"] as const;
export type Stage = (typeof STAGES)[number];

export interface StageTimes {
  readonly count: number;
  /** Milliseconds; null before the first. */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

const RATE_WINDOW_MS = 10_000;
const MICROS = 1_000;

/** What the pipeline of this process has done since it was started. */
export function createCounts(metrics: Metrics, intervals: readonly Interval[], now: () => number) {
  const verdicts = new Float64Array(VERDICTS.length);
  const unjudged = new Map<string, number>();
  const bars = new Map<Interval, number>(intervals.map((interval) => [interval, 0]));
  const refusals = new Map<string, number>();
  const times: Record<Stage, RecordableHistogram> = {
    log: createHistogram(),
    engine: createHistogram(),
    store: createHistogram(),
    answer: createHistogram(),
  };
  const recent: { at: number; ticks: number }[] = [];
  const counted = { ticks: 0, groups: 0, synergies: 0, accepted: 0 };
  const startedAt = now();

  function time(stage: Stage, ms: number): void {
    times[stage].record(Math.max(1, Math.round(ms * MICROS)));
  }

  /** What came longer ago than the rate looks back. */
  function forget(): void {
    const from = now() - RATE_WINDOW_MS;
    while (recent.length > 0 && recent[0].at < from) recent.shift();
  }

  return {
    startedAt,
    time,
    /** Counts what came of a group. */
    fed(fed: Fed, ticks: number): void {
      counted.groups++;
      counted.ticks += ticks;
      recent.push({ at: now(), ticks });
      forget();
      time("engine", fed.tookMs);
      const before = verdicts.slice();
      for (let i = 0; i < fed.verdicts.length; i++) verdicts[fed.verdicts[i]]++;
      verdicts[ACCEPTED] += fed.confirmed;
      verdicts[OUTLIER] += fed.refuted;
      for (const [code, verdict] of VERDICTS.entries()) {
        const more = verdicts[code] - before[code];
        if (more > 0) metrics.pipelineTicks.inc({ verdict }, more);
      }
      // Those that were held before this process counted are not among its own.
      verdicts[HELD] = Math.max(0, verdicts[HELD] - fed.confirmed - fed.refuted);
      for (const columns of fed.bars) {
        for (let k = 0; k < columns.interval.length; k++) {
          const interval = intervals[columns.interval[k]];
          bars.set(interval, (bars.get(interval) ?? 0) + 1);
        }
        metrics.pipelineBars.inc(columns.interval.length);
      }
      for (const { refusedBy } of fed.synergies) {
        counted.synergies++;
        const outcome = refusedBy ?? "accepted";
        refusals.set(outcome, (refusals.get(outcome) ?? 0) + 1);
        metrics.pipelineDecisions.inc({ outcome });
      }
    },
    /** Counts a row that the engine has not seen. @param reason as its sender is told: a word, perhaps with more after it. */
    refused(reason: string): void {
      const verdict = /^[a-z_]+(?=:|$)/.exec(reason)?.[0] ?? "not_a_tick";
      unjudged.set(verdict, (unjudged.get(verdict) ?? 0) + 1);
      metrics.pipelineTicks.inc({ verdict });
    },
    refusals: () => Object.fromEntries(unjudged),
    /** Ticks a second over the last ten. */
    rate(): number {
      forget();
      return recent.reduce((sum, { ticks }) => sum + ticks, 0) / (RATE_WINDOW_MS / 1_000);
    },
    verdicts: () => Object.fromEntries(VERDICTS.map((verdict, code) => [verdict, verdicts[code]])),
    bars: () => Object.fromEntries(bars),
    decisions: () => Object.fromEntries(refusals),
    totals: () => ({ ...counted }),
    times: (stage: Stage): StageTimes => {
      const histogram = times[stage];
      const { count } = histogram;
      const at = (percentile: number) => (count === 0 ? null : histogram.percentile(percentile) / MICROS);
      return {
        count,
        p50: at(50),
        p95: at(95),
        p99: at(99),
        max: count === 0 ? null : histogram.max / MICROS,
      };
    },
  };
}

export type Counts = ReturnType<typeof createCounts>;
