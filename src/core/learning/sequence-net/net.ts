import { NET_COLUMNS, WINDOW_BARS } from "./columns.js";
import { createPass, forward, type Pass } from "./forward.js";
import type { NetSize } from "./layout.js";
import { softmaxRow } from "./loss.js";

/** Raised when the same parameters would say something else of a window than before. */
export const NET_SCHEMA = 1;

/** A trained net: what it reads, what it tells apart, its parameters, and by how much its logits are too sure. */
export interface SequenceNet {
  readonly size: NetSize;
  /** Columns of a bar, in their order. */
  readonly columns: readonly string[];
  /** Names of the classes, in the order of the logits. */
  readonly classes: readonly string[];
  /** As `layoutOf` lays them out; each a number that a 32-bit float can hold. */
  readonly values: Float64Array;
  /** By what logits are divided before they become probabilities (C. Guo et al. 2017), above 0. */
  readonly temperature: number;
}

/** The size that is shipped: about 10,000 parameters. */
export function usualSize(classes: number): NetSize {
  return {
    bars: WINDOW_BARS,
    columns: NET_COLUMNS.length,
    filters: [16, 24],
    spans: [5, 4],
    cells: 32,
    classes,
  };
}

/** Reads windows one at a time, in room that is allocated once. */
export interface WindowReader {
  /**
   * Probabilities of the classes for a window, by bar and column. They lie in the same column at each call.
   */
  read(window: Float64Array): Float64Array;
}

export function createReader(net: SequenceNet): WindowReader {
  const pass: Pass = createPass(net.size, net.values, 1);
  const { classes } = net.size;
  const chances = new Float64Array(classes);
  return {
    read(window) {
      pass.input.set(window);
      forward(pass, 1);
      softmaxRow(pass.logits, 0, classes, net.temperature, chances, 0);
      return chances;
    },
  };
}

/** Logits of windows, by window and class. @param values windows, by window, bar and column. */
export function logitsOf(net: Pick<SequenceNet, "size" | "values">, values: Float32Array): Float64Array {
  const width = net.size.bars * net.size.columns;
  const count = values.length / width;
  const logits = new Float64Array(count * net.size.classes);
  const pass = createPass(net.size, net.values, Math.max(1, Math.min(EVALUATED, count)));
  for (let from = 0; from < count; from += pass.batch) {
    const size = Math.min(pass.batch, count - from);
    pass.input.set(values.subarray(from * width, (from + size) * width));
    forward(pass, size);
    logits.set(pass.logits.subarray(0, size * net.size.classes), from * net.size.classes);
  }
  return logits;
}

/** Windows that are evaluated at a time. */
const EVALUATED = 32;
