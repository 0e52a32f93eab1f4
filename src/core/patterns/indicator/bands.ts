import { createColumn } from "../../base/columns.js";
import { kept } from "../kept.js";

export const BAND_BARS = 20;
const DEVIATIONS = 2;

/** Bollinger's bands of 20 closes and two deviations as columns, NaN at the first 19 bars. */
export interface Bands {
  readonly middle: Float64Array;
  /** Distance of a band from the middle. */
  readonly reach: Float64Array;
  /** Width of the bands as a fraction of their middle. */
  readonly width: Float64Array;
  /** 1 where the close lies above the upper band, -1 where it lies below the lower one, else 0. */
  readonly beyond: Int8Array;
}

/**
 * Computed afresh at each bar from distances to the first close of the window, so that they depend on twenty bars
 * alone; the table's `bbands` agrees up to the rounding of its running sums.
 */
export const bandsOf = kept(({ candles: { close } }): Bands => {
  const { length } = close;
  const middle = createColumn(length).fill(Number.NaN);
  const reach = createColumn(length).fill(Number.NaN);
  const width = createColumn(length).fill(Number.NaN);
  const beyond = new Int8Array(length);
  for (let i = BAND_BARS - 1; i < length; i++) {
    const from = i - BAND_BARS + 1;
    const origin = close[from];
    let sum = 0;
    for (let j = from + 1; j <= i; j++) sum += close[j] - origin;
    const offset = sum / BAND_BARS;
    let squares = 0;
    for (let j = from; j <= i; j++) {
      const deviation = close[j] - origin - offset;
      squares += deviation * deviation;
    }
    const distance = DEVIATIONS * Math.sqrt(squares / BAND_BARS);
    const above = close[i] - origin - offset;
    middle[i] = origin + offset;
    reach[i] = distance;
    width[i] = (2 * distance) / middle[i];
    beyond[i] = above > distance ? 1 : -above > distance ? -1 : 0;
  }
  return { middle, reach, width, beyond };
});
