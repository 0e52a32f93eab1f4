import { createColumn } from "../../base/columns.js";
import type { PatternSeries } from "../define.js";
import { kept } from "../kept.js";
import { stackSums, windowSums } from "../sums.js";

/** Bars before a bar whose volume its own is compared with. */
export const VOLUME_BARS = 20;

/** Columns of volume, one value per bar. */
export interface Volumes {
  /** Bars in a row, up to and with this one, that have a volume: a source without volumes gives 0. */
  readonly recorded: Int32Array;
  /** Sums of the last 5 and 10 volumes, NaN where there are too few bars. */
  readonly fives: Float64Array;
  readonly tens: Float64Array;
  /** Mean of the 20 bars before, NaN where there are too few. */
  readonly mean: Float64Array;
}

export const volumesOf = kept(({ candles: { volume } }): Volumes => {
  const { length } = volume;
  const recorded = new Int32Array(length);
  let run = 0;
  for (let i = 0; i < length; i++) {
    run = volume[i] > 0 && volume[i] < Number.POSITIVE_INFINITY ? run + 1 : 0;
    recorded[i] = run;
  }
  const fives = windowSums(volume, 5);
  const tens = stackSums(fives, 5, 2);
  const mean = createColumn(length);
  mean.fill(Number.NaN, 0, Math.min(VOLUME_BARS, length));
  for (let i = VOLUME_BARS; i < length; i++) mean[i] = (tens[i - 1] + tens[i - 11]) / VOLUME_BARS;
  return { recorded, fives, tens, mean };
});

/** Volume of the bar in means of the 20 before; null where one of the 21 has none. */
export function volumeRatio(series: PatternSeries, at: number): number | null {
  const { recorded, mean } = volumesOf(series);
  return recorded[at] > VOLUME_BARS ? series.candles.volume[at] / mean[at] : null;
}

const sorted = new Float64Array(VOLUME_BARS);

/**
 * Median volume of the 20 bars before, each of which has a volume. Sorted by insertion: `sort` of a typed array leaves
 * compiled code, which takes longer than so few values do.
 */
export function medianVolume({ candles: { volume } }: PatternSeries, at: number): number {
  for (let j = 0; j < VOLUME_BARS; j++) {
    const value = volume[at - VOLUME_BARS + j];
    let place = j;
    for (; place > 0 && sorted[place - 1] > value; place--) sorted[place] = sorted[place - 1];
    sorted[place] = value;
  }
  return (sorted[VOLUME_BARS / 2 - 1] + sorted[VOLUME_BARS / 2]) / 2;
}
