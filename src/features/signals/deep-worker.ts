import { WINDOW_BARS } from "../../core/learning/sequence-net/columns.js";
import type { SequenceNet } from "../../core/learning/sequence-net/net.js";
import { createBarReader, type WindowReading } from "../../core/learning/sequence-net/reading.js";
import type { ShapeName } from "../../core/learning/shapes.js";
import type { Candles } from "../../core/market/candles.js";
import type { Direction } from "../../core/patterns/define.js";

export interface DeepTask {
  readonly candles: Candles;
  readonly net: SequenceNet;
  /** Newest bars whose windows are read. */
  readonly bars: number;
}

/** A shape that the net names at one bar or at several in a row. */
export interface DeepSighting {
  readonly shape: ShapeName;
  readonly title: string | null;
  readonly direction: Direction;
  /** Bars at which it was named first and last, and at which it was likeliest. */
  readonly first: number;
  readonly last: number;
  readonly at: number;
  /** At `at`. */
  readonly probability: number;
}

export interface DeepSightings {
  /** Oldest first. */
  readonly sightings: readonly DeepSighting[];
  /** Windows that were read. */
  readonly windows: number;
}

/** A shape is named where it is likelier than all other classes together. */
const LEAST_PROBABILITY = 0.5;

/** Reads windows of candles in a thread. */
export default function read({ candles, net, bars }: DeepTask): DeepSightings {
  const reader = createBarReader(net);
  const { length } = candles.close;
  const runs: DeepSighting[] = [];
  let windows = 0;
  for (let end = Math.max(WINDOW_BARS - 1, length - bars); end < length; end++) {
    const reading = reader(candles, end);
    if (reading === null) continue;
    windows++;
    const before = runs.at(-1);
    const named = namedBy(reading, end);
    if (named === null) continue;
    if (before?.shape !== named.shape || before.last !== end - 1) runs.push(named);
    else {
      const likelier = named.probability > before.probability ? named : before;
      runs[runs.length - 1] = { ...likelier, first: before.first, last: end };
    }
  }
  return { sightings: runs, windows };
}

function namedBy(reading: WindowReading, end: number): DeepSighting | null {
  const { shape, title, direction, probability } = reading;
  if (shape === "none" || probability <= LEAST_PROBABILITY) return null;
  return { shape, title, direction, probability, first: end, last: end, at: end };
}
