import type { Interval } from "../market/interval.js";
import { blockMsOf } from "./evidence-edge.js";
import type { Pool } from "./evidence-pool.js";

/** The block of calendar time of each occurrence of a pool, of those that have any, ascending from 0. */
export function blocksOf({ knownAt }: Pool, interval: Interval): { blockOf: Int32Array; count: number } {
  const length = blockMsOf(interval);
  const numbers = knownAt.map((ms) => Math.floor(ms / length));
  const occupied = [...new Set(numbers)].sort((a, b) => a - b);
  const places = new Map(occupied.map((number, place) => [number, place]));
  return { blockOf: Int32Array.from(numbers, (number) => places.get(number) ?? 0), count: occupied.length };
}
