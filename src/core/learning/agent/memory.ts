import type { Rng } from "../../base/rng.js";
import type { Holding, Position } from "./state.js";

/** States an agent has been in, the newest in place of the oldest once it is full. */
export interface Memory {
  readonly size: number;
  add(series: number, bar: number, holding: Holding): void;
  /** One drawn evenly: what was held is written into `holding`. */
  draw(rng: Rng, holding: Holding): { readonly series: number; readonly bar: number };
}

export function createMemory(capacity: number): Memory {
  const series = new Int32Array(capacity);
  const bar = new Int32Array(capacity);
  const position = new Int8Array(capacity);
  const exposure = new Float64Array(capacity);
  const entry = new Float64Array(capacity);
  const filledAt = new Int32Array(capacity);
  const drawn = { series: 0, bar: 0 };
  let added = 0;
  return {
    get size() {
      return Math.min(added, capacity);
    },
    add(where, i, holding) {
      const at = added % capacity;
      added++;
      series[at] = where;
      bar[at] = i;
      position[at] = holding.position;
      exposure[at] = holding.exposure;
      entry[at] = holding.entry;
      filledAt[at] = holding.filledAt;
    },
    draw(rng, holding) {
      const at = rng.below(Math.min(added, capacity));
      holding.position = position[at] as Position;
      holding.exposure = exposure[at];
      holding.entry = entry[at];
      holding.filledAt = filledAt[at];
      drawn.series = series[at];
      drawn.bar = bar[at];
      return drawn;
    },
  };
}
