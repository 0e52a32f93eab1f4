import type { Bars } from "../../market/candles.js";
import type { Direction } from "../../patterns/define.js";
import { findVariant } from "../../patterns/index.js";
import type { LayerInput } from "../../signals/fuse.js";
import { SHAPE_DIRECTIONS, SHAPES, type ShapeName } from "../shapes.js";
import { WINDOW_BARS, windowAt } from "./columns.js";
import { highest } from "./measures.js";
import { createReader, type SequenceNet } from "./net.js";

/** What a net says of the window that ends at a bar. */
export interface WindowReading {
  /** The likeliest class. */
  readonly shape: ShapeName;
  /** Title of its pattern; null where the likeliest is no shape. */
  readonly title: string | null;
  readonly direction: Direction;
  /** Calibrated probability that the window shows it, 0..1. */
  readonly probability: number;
  /** Of every class, in the order of `SHAPES`; they sum to 1. */
  readonly probabilities: Float64Array;
  /** Probability of shapes that point up less that of shapes that point down, -1..1. */
  readonly signed: number;
}

/** Reads windows of bars, one after another. Null where a bar has no window: too few bars, or prices not above 0. */
export type BarReader = (bars: Bars, end: number) => WindowReading | null;

/** @param net with the classes of `SHAPES`. */
export function createBarReader(net: SequenceNet): BarReader {
  const reader = createReader(net);
  return (bars, end) => {
    const window = windowAt(bars, end);
    if (window === null) return null;
    const probabilities = reader.read(window).slice();
    const best = highest(probabilities, 0, probabilities.length);
    let signed = 0;
    for (let k = 0; k < probabilities.length; k++) signed += SHAPE_DIRECTIONS[k] * probabilities[k];
    const shape = SHAPES[best];
    const variant = findVariant(shape)?.variant ?? null;
    return {
      shape,
      title: variant?.title ?? null,
      direction: SHAPE_DIRECTIONS[best],
      probability: probabilities[best],
      probabilities,
      signed: Math.min(1, Math.max(-1, signed)),
    };
  };
}

/**
 * What the `deep` layer of a signal says at a bar: how much likelier shapes that point up are than shapes that point down.
 * Silent where there is no window, or where no shape is likelier than any.
 */
export function deepLayer(reading: WindowReading | null): LayerInput {
  if (reading === null) return { value: null, reason: `fewer than ${WINDOW_BARS} bars with prices above 0` };
  if (reading.shape === "none") return { value: null, reason: "the net sees no confirmed shape" };
  return { value: reading.signed };
}
