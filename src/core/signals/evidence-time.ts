import type { Interval } from "../market/interval.js";
import { blockMsOf } from "./evidence-edge.js";
import type { Pool } from "./evidence-pool.js";

/** Blocks of calendar time that hold an occurrence of a pool, ascending from 0: that of each occurrence, and how many. */
export interface Blocks {
  readonly blockOf: Int32Array;
  readonly count: number;
}

export function blocksOf({ knownAt }: Pool, interval: Interval): Blocks {
  const length = blockMsOf(interval);
  const numbers = knownAt.map((ms) => Math.floor(ms / length));
  const occupied = [...new Set(numbers)].sort((a, b) => a - b);
  const places = new Map(occupied.map((number, place) => [number, place]));
  return { blockOf: Int32Array.from(numbers, (number) => places.get(number) ?? 0), count: occupied.length };
}
