import { assert } from "../base/assert.js";
import type { Side } from "../execution/order.js";
import type { Interval } from "../market/interval.js";

/** What a strategy said at the close of a bar, as far as it can be compared later. */
export interface SignalSnapshot {
  readonly strategyId: string;
  readonly symbol: string;
  readonly interval: Interval;
  /** Open of the bar at whose close it was said, epoch ms. */
  readonly time: number;
  readonly side: Side;
  /** Price that the strategy reckons with, as it was computed; null where it names none. */
  readonly entry: number | null;
  /** How sure, 0..1; null where the strategy does not say. */
  readonly confidence: number | null;
  /** What the market was like, by name: for whoever reads it, never compared. */
  readonly conditions: Readonly<Record<string, string | number | null>>;
}

/**
 * What makes a signal the one it is: strategy, symbol, interval, bar, side and entry. Entries count to the last bit, for
 * the same bars give the same prices. No two signals that differ in these have one text.
 */
export function identityOf(snapshot: SignalSnapshot): string {
  const { strategyId, symbol, interval, time, side, entry } = snapshot;
  return JSON.stringify([strategyId, symbol, interval, new Date(time).toISOString(), side, entry]);
}

/** What is wrong with a snapshot, or null. */
export function snapshotProblem(snapshot: SignalSnapshot): string | null {
  const { strategyId, symbol, time, entry, confidence } = snapshot;
  const name = `signal of ${strategyId} on ${symbol} at ${time}`;
  if (strategyId === "" || symbol === "") return `${name}: has no strategy or symbol`;
  if (!Number.isInteger(time)) return `${name}: has no time`;
  if (entry !== null && !(Number.isFinite(entry) && entry > 0)) return `${name}: entry ${entry} is no price`;
  if (confidence !== null && !(confidence >= 0 && confidence <= 1)) {
    return `${name}: confidence ${confidence} is not within 0..1`;
  }
  return null;
}

/**
 * Snapshots in their one order: time, symbol, interval, side, entry, confidence; null before numbers. The same set gives
 * the same list, in whatever order it came.
 * @throws {AssertionError} for one that is unsound.
 */
export function sortSnapshots(snapshots: Iterable<SignalSnapshot>): SignalSnapshot[] {
  const sorted = [...snapshots];
  for (const snapshot of sorted) {
    const problem = snapshotProblem(snapshot);
    assert(problem === null, problem ?? "");
  }
  return sorted.sort(
    (a, b) =>
      a.time - b.time ||
      byText(a.symbol, b.symbol) ||
      byText(a.interval, b.interval) ||
      byText(a.strategyId, b.strategyId) ||
      byText(a.side, b.side) ||
      byNumber(a.entry, b.entry) ||
      byNumber(a.confidence, b.confidence) ||
      byText(conditionsText(a), conditionsText(b)),
  );
}

/** By code unit: the same on every machine, whatever its language. */
function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byNumber(a: number | null, b: number | null): number {
  return (a ?? Number.NEGATIVE_INFINITY) === (b ?? Number.NEGATIVE_INFINITY)
    ? 0
    : (a ?? Number.NEGATIVE_INFINITY) - (b ?? Number.NEGATIVE_INFINITY);
}

function conditionsText({ conditions }: SignalSnapshot): string {
  return JSON.stringify(Object.entries(conditions).sort(([a], [b]) => byText(a, b)));
}
