import { assert } from "../base/assert.js";
import type { Side } from "../execution/order.js";
import type { Interval } from "../market/interval.js";

/** What is asked for beside side and entry. Prices as they were computed; null for what is not asked for. */
export interface Asked {
  /** `signal` for a pattern, which asks for nothing by itself. */
  readonly does: "enter" | "exit" | "weigh" | "order" | "signal";
  readonly stop: number | null;
  readonly target: number | null;
  /** Of the equity, of a weight. */
  readonly share: number | null;
  /** An order in full, as JSON. */
  readonly order: string | null;
}

/** A signal that asks for nothing beside side and entry. */
export const PLAIN_SIGNAL: Asked = Object.freeze({
  does: "signal",
  stop: null,
  target: null,
  share: null,
  order: null,
});

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
  readonly asked: Asked;
  /** How sure, 0..1; null where the strategy does not say. */
  readonly confidence: number | null;
  /** What the market was like, by name: for whoever reads it, never compared. */
  readonly conditions: Readonly<Record<string, string | number | null>>;
}

/**
 * What makes a signal the one it is: strategy, symbol, interval, bar, side, entry, and what is asked for with it: stop, target, share,
 * order. Prices count to the last bit, for the same bars give the same ones. No two signals that differ in these have one text.
 */
export function identityOf(snapshot: SignalSnapshot): string {
  const { strategyId, symbol, interval, time, side, entry, asked } = snapshot;
  const { does, stop, target, share, order } = asked;
  const at = new Date(time).toISOString();
  return JSON.stringify([strategyId, symbol, interval, at, side, entry, does, stop, target, share, order]);
}

/** What is wrong with a snapshot, or null. */
export function snapshotProblem(snapshot: SignalSnapshot): string | null {
  const { strategyId, symbol, time, entry, confidence, asked } = snapshot;
  const name = `signal of ${strategyId} on ${symbol} at ${time}`;
  if (strategyId === "" || symbol === "") return `${name}: has no strategy or symbol`;
  if (!Number.isInteger(time)) return `${name}: has no time`;
  if (entry !== null && !(Number.isFinite(entry) && entry > 0)) return `${name}: entry ${entry} is no price`;
  for (const level of [asked.stop, asked.target]) {
    if (level !== null && !Number.isFinite(level)) return `${name}: ${level} is no price`;
  }
  if (confidence !== null && !(confidence >= 0 && confidence <= 1)) {
    return `${name}: confidence ${confidence} is not within 0..1`;
  }
  return null;
}

/**
 * Snapshots in their one order: time, symbol, interval, side, entry, confidence, what is asked for; null before numbers. The same set gives
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
      byText(JSON.stringify(a.asked), JSON.stringify(b.asked)) ||
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
