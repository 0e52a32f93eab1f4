import { compareSnapshots, type RegressionResult, uncompared } from "../../core/backtest/regression.js";
import type { SignalSnapshot } from "../../core/backtest/snapshot.js";
import { assert } from "../../core/base/assert.js";
import { AppError } from "../../platform/errors.js";
import type { BaselineData } from "./baseline-file.js";
import type { Baselines } from "./baseline-folder.js";

/** Strategies that can be run over data that stay the same. */
export interface SnapshotSource {
  /** Ids of all that there are. */
  readonly strategies: readonly string[];
  /** Ids of those that are run where none is named, in their order. */
  readonly standard: readonly string[];
  /** What the signals of a strategy over a stretch are computed from. */
  dataOf(strategyId: string, startMs: number, endMs: number): Promise<BaselineData>;
  /** Signals of a strategy at bars that open in [startMs, endMs). */
  snapshotsOf(strategyId: string, startMs: number, endMs: number): Promise<readonly SignalSnapshot[]>;
}

/** A stretch, and the strategies to be run over it: those named, or else the standard ones. */
export interface RegressionScope {
  readonly startMs: number;
  readonly endMs: number;
  readonly strategies: readonly string[] | null;
}

/** What became of a strategy whose signals were to be kept. */
export interface RecordedBaseline {
  readonly strategyId: string;
  readonly signals: number;
  /** Why nothing was kept, or null. */
  readonly problem: string | null;
}

/**
 * Keeps the signals of strategies as their baselines. A strategy without a signal gets none: a baseline that is empty
 * would pass whatever is broken.
 * @throws {AppError} `invalid_request` for an unknown strategy.
 */
export async function recordBaselines(
  source: SnapshotSource,
  baselines: Baselines,
  { startMs, endMs, strategies }: RegressionScope,
  signal?: AbortSignal,
): Promise<RecordedBaseline[]> {
  const wanted = strategies ?? source.standard;
  const unknown = wanted.find((id) => !source.strategies.includes(id));
  if (unknown !== undefined) throw new AppError("invalid_request", `there is no strategy ${unknown}`);
  const recorded: RecordedBaseline[] = [];
  for (const strategyId of wanted) {
    signal?.throwIfAborted();
    const signals = await source.snapshotsOf(strategyId, startMs, endMs);
    const problem = signals.length === 0 ? "it gave no signal, and an empty baseline proves nothing" : null;
    if (problem === null) {
      const data = await source.dataOf(strategyId, startMs, endMs);
      await baselines.save({ strategyId, startMs, endMs, data, signals });
    }
    recorded.push({ strategyId, signals: signals.length, problem });
  }
  return recorded;
}

/**
 * Compares the signals that strategies give now with their baselines. Without names the standard ones and those that
 * have a baseline: one that is gone fails, as does one that never had a baseline.
 */
export async function testBaselines(
  source: SnapshotSource,
  baselines: Baselines,
  { startMs, endMs, strategies }: RegressionScope,
  tolerance: number,
  signal?: AbortSignal,
): Promise<RegressionResult[]> {
  assert(tolerance >= 0 && tolerance <= 1, `a tolerance of ${tolerance} is not within 0..1`);
  const kept = strategies === null ? await baselines.list(startMs, endMs) : [];
  const wanted = [...new Set([...(strategies ?? source.standard), ...kept])];
  const results: RegressionResult[] = [];
  for (const strategyId of wanted) {
    signal?.throwIfAborted();
    results.push(await testOne(source, baselines, strategyId, { startMs, endMs, tolerance }));
  }
  return results;
}

/** An error of one strategy is its result, so that the others are compared all the same. */
async function testOne(
  source: SnapshotSource,
  baselines: Baselines,
  strategyId: string,
  run: { startMs: number; endMs: number; tolerance: number },
): Promise<RegressionResult> {
  const { startMs, endMs, tolerance } = run;
  if (!source.strategies.includes(strategyId))
    return uncompared(strategyId, "error", "there is no such strategy");
  try {
    const baseline = await baselines.load(strategyId, startMs, endMs);
    if (baseline === null) {
      return uncompared(strategyId, "no_baseline", "record one over the same stretch with --mode baseline");
    }
    const data = await source.dataOf(strategyId, startMs, endMs);
    if (baseline.data.sha256 !== data.sha256) {
      const note = `it was recorded on ${baseline.data.name}; now there is ${data.name}, with other bars`;
      return uncompared(strategyId, "other_data", note);
    }
    const signals = await source.snapshotsOf(strategyId, startMs, endMs);
    return compareSnapshots(strategyId, baseline.signals, signals, tolerance);
  } catch (error) {
    return uncompared(strategyId, "error", error instanceof Error ? error.message : String(error));
  }
}
