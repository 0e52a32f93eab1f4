import { assert } from "../base/assert.js";
import { identityOf, type SignalSnapshot, sortSnapshots } from "./snapshot.js";

/**
 * How far confidence may move, as a difference of two confidences: 0.05 lets 0.60 become 0.55 or 0.65. Absolute, since a
 * share of the former would forbid any change near 0 and make the way there and back two different tests.
 */
export const REGRESSION_TOLERANCE = 0.05;
/** Differences smaller than this are none: 0.65 - 0.6 is a little more than 0.05 in doubles. */
const ROUNDING = 1e-12;

/** A signal that is in both sets, and by how much its confidence moved. */
export interface ConfidenceDrift {
  readonly signal: SignalSnapshot;
  readonly from: number | null;
  readonly to: number | null;
  /** To less from; null where one of the two says none, which is always too much. */
  readonly change: number | null;
}

/** Why a comparison failed. */
export type RegressionFailure =
  | "no_baseline"
  | "empty_baseline"
  | "other_data"
  | "error"
  | "missing_signals"
  | "extra_signals"
  | "confidence_drift";

export interface RegressionResult {
  readonly strategyId: string;
  readonly passed: boolean;
  /** Empty where it passed. */
  readonly failures: readonly RegressionFailure[];
  /** What is to be said beside the counts: of data, or of an error; null for nothing. */
  readonly note: string | null;
  /** Signals in the sets. */
  readonly baseline: number;
  readonly current: number;
  /** Signals that are in both, whatever became of their confidence. */
  readonly matched: number;
  /** In the baseline alone, and in the current set alone, in the order of `sortSnapshots`. */
  readonly missing: readonly SignalSnapshot[];
  readonly extra: readonly SignalSnapshot[];
  /** Matched signals whose confidence moved by more than the tolerance. */
  readonly drifts: readonly ConfidenceDrift[];
  /** Largest move of a matched signal's confidence, within the tolerance or not; null where none can be told. */
  readonly largestDrift: number | null;
}

/**
 * Compares the signals of a strategy with those it gave before. Signals are matched by identity, each once: a signal that
 * is twice in one set and once in the other is missing or extra. An empty baseline fails, for nothing was compared.
 * @param tolerance 0..1, see `REGRESSION_TOLERANCE`.
 * @throws {AssertionError} for signals that are unsound or of another strategy.
 */
export function compareSnapshots(
  strategyId: string,
  baseline: readonly SignalSnapshot[],
  current: readonly SignalSnapshot[],
  tolerance = REGRESSION_TOLERANCE,
): RegressionResult {
  assert(tolerance >= 0 && tolerance <= 1, `a tolerance of ${tolerance} is not within 0..1`);
  const before = ownSnapshots(strategyId, baseline);
  const left = groupByIdentity(ownSnapshots(strategyId, current));
  const missing: SignalSnapshot[] = [];
  const drifts: ConfidenceDrift[] = [];
  let largestDrift: number | null = null;
  for (const signal of before) {
    const now = left.get(identityOf(signal))?.shift();
    if (now === undefined) {
      missing.push(signal);
      continue;
    }
    const drift = driftOf(signal, now);
    if (drift.change !== null) largestDrift = Math.max(largestDrift ?? 0, Math.abs(drift.change));
    if (isBeyond(drift, tolerance)) drifts.push(drift);
  }
  const extra = sortSnapshots([...left.values()].flat());
  const failures: RegressionFailure[] = [];
  if (before.length === 0) failures.push("empty_baseline");
  if (missing.length > 0) failures.push("missing_signals");
  if (extra.length > 0) failures.push("extra_signals");
  if (drifts.length > 0) failures.push("confidence_drift");
  return {
    strategyId,
    passed: failures.length === 0,
    failures,
    note: null,
    baseline: before.length,
    current: current.length,
    matched: before.length - missing.length,
    missing,
    extra,
    drifts,
    largestDrift,
  };
}

/** The result of a strategy that could not be compared at all. */
export function uncompared(
  strategyId: string,
  failure: "no_baseline" | "other_data" | "error",
  note: string,
): RegressionResult {
  const none = { baseline: 0, current: 0, matched: 0, missing: [], extra: [], drifts: [] };
  return { strategyId, passed: false, failures: [failure], note, ...none, largestDrift: null };
}

/** Whether there was something to compare and all of it passed. */
export function regressionPassed(results: readonly RegressionResult[]): boolean {
  return results.length > 0 && results.every(({ passed }) => passed);
}

function ownSnapshots(strategyId: string, snapshots: readonly SignalSnapshot[]): SignalSnapshot[] {
  const other = snapshots.find((snapshot) => snapshot.strategyId !== strategyId);
  assert(other === undefined, `a signal of ${other?.strategyId} among those of ${strategyId}`);
  return sortSnapshots(snapshots);
}

function groupByIdentity(snapshots: readonly SignalSnapshot[]): Map<string, SignalSnapshot[]> {
  const groups = new Map<string, SignalSnapshot[]>();
  for (const snapshot of snapshots) {
    const identity = identityOf(snapshot);
    const group = groups.get(identity);
    if (group === undefined) groups.set(identity, [snapshot]);
    else group.push(snapshot);
  }
  return groups;
}

function driftOf(signal: SignalSnapshot, now: SignalSnapshot): ConfidenceDrift {
  const from = signal.confidence;
  const to = now.confidence;
  if (from === null && to === null) return { signal, from, to, change: 0 };
  return { signal, from, to, change: from === null || to === null ? null : to - from };
}

function isBeyond({ change }: ConfidenceDrift, tolerance: number): boolean {
  return change === null || Math.abs(change) > tolerance + ROUNDING;
}
