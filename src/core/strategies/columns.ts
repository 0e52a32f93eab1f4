import { ensure } from "../base/assert.js";
import { owningColumns } from "../base/columns.js";
import { computeIndicator, resolveParameters } from "../indicators/define.js";
import { findIndicator } from "../indicators/index.js";
import type { Bars } from "../market/candles.js";

/** Numbers that are kept of one series at most, 64 MB; the outputs that were not asked for the longest make room. */
const MOST_KEPT = 1 << 23;
const shelves = new WeakMap<Bars, Map<string, readonly Float64Array[]>>();

/**
 * Columns over these bars are computed once from now on, for those who try many values of a strategy on them: nobody may
 * change the bars, or what `outputsOf` gives of them.
 */
export function keepColumns(bars: Bars): void {
  shelves.set(bars, new Map());
}

/** All outputs of a row of the indicator table over the bars. @throws AssertionError for one that there is not. */
export function outputsOf(
  name: string,
  bars: Bars,
  given: Readonly<Record<string, number>>,
): readonly Float64Array[] {
  const shelf = shelves.get(bars);
  if (shelf === undefined) return computeOutputs(name, bars, given);
  const key = JSON.stringify([name, given]);
  const known = shelf.get(key);
  const outputs = known ?? owningColumns(() => computeOutputs(name, bars, given));
  shelf.delete(key);
  shelf.set(key, outputs);
  if (known === undefined) makeRoom(shelf);
  return outputs;
}

function makeRoom(shelf: Map<string, readonly Float64Array[]>): void {
  let numbers = 0;
  for (const outputs of shelf.values()) for (const { length } of outputs) numbers += length;
  for (const [key, outputs] of shelf) {
    if (numbers <= MOST_KEPT || shelf.size === 1) return;
    shelf.delete(key);
    for (const { length } of outputs) numbers -= length;
  }
}

function computeOutputs(
  name: string,
  bars: Bars,
  given: Readonly<Record<string, number>>,
): readonly Float64Array[] {
  const indicator = ensure(findIndicator(name), `no indicator is called ${name}`);
  const { values, problem } = resolveParameters(indicator, given);
  return computeIndicator(indicator, bars, ensure(values, problem ?? name));
}

/** Its first output. */
export function columnOf(name: string, bars: Bars, given: Readonly<Record<string, number>>): Float64Array {
  return outputsOf(name, bars, given)[0];
}

/** 1 where a column goes above another at bar i, strictly, having been strictly below; -1 the other way; else 0. */
export function crossAt(above: Float64Array, below: Float64Array, i: number): 1 | 0 | -1 {
  if (i < 1) return 0;
  if (above[i] > below[i]) return above[i - 1] < below[i - 1] ? 1 : 0;
  return above[i] < below[i] && above[i - 1] > below[i - 1] ? -1 : 0;
}

/** The first bar from one on at which two columns cross; their length where they do not. */
export function nextCross(above: Float64Array, below: Float64Array, from: number): number {
  const { length } = above;
  for (let i = Math.max(from, 1); i < length; i++) {
    const before = above[i - 1] - below[i - 1];
    if (before > 0) {
      while (i < length && above[i] - below[i] > 0) i++;
      if (above[i] - below[i] < 0) return i;
    } else if (before < 0) {
      while (i < length && above[i] - below[i] < 0) i++;
      if (above[i] - below[i] > 0) return i;
    }
  }
  return length;
}
