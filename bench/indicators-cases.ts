import type { Bars } from "../src/core/market/candles.js";
import { KERNELS, rowOf } from "./indicators-kernels.js";
import type { Case, Figure, Timings } from "./time.js";

export const BARS = 1_000_000;
export const NAMES = Object.keys(KERNELS);

/** Output columns that all cases write in turn, as the C harness does: none pays for memory others have not touched. */
export const POOL = [0, 1, 2].map(() => new Float64Array(BARS));

/** Short runs of a row before it is measured. */
const WARM_RUNS = 400;

/** The batch form into caller-owned outputs, which are those of the pool for the rows of the comparison. */
export function batchCase(name: string, bars: Bars, { pool = POOL, warmRuns = WARM_RUNS } = {}): Case {
  const { indicator, values } = rowOf(name);
  const items = bars.time.length;
  const outputs = pool.slice(0, indicator.outputs.length).map((column) => column.subarray(0, items));
  const state = new Float64Array(indicator.memory(values));
  const over = (length: number) => {
    state.fill(0);
    indicator.run(bars, values, outputs, state, 0, length);
  };
  // Many short runs, as over many symbols: after a few long ones V8 would stay with code compiled in mid-loop.
  for (let k = 0; k < warmRuns; k++) over(2_000);
  return { name, items, run: () => over(items) };
}

/** Of the fastest of all compared functions; `suffix` picks one of several cases of a function. */
export function sumOf(timings: Timings, suffix = ""): number {
  return NAMES.reduce((sum, name) => sum + timings.fastest(`${name}${suffix}`), 0);
}

export function figure(
  name: string,
  value: number,
  unit: string,
  target?: readonly [text: string, met: boolean],
): Figure {
  if (target === undefined) return { name, value, unit };
  return { name, value, unit, target: { text: target[0], met: target[1] } };
}
