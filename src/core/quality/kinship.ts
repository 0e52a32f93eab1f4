import { correlation } from "../base/stats.js";
import type { Bars } from "../market/candles.js";

/** Returns in common that are needed to tell. */
export const KINSHIP_LEAST = 60;
/** Correlation of returns below which two series are not of one instrument. */
export const KINSHIP = 0.5;

/**
 * Correlation of the log returns of two series over the times they share; null where these are too few. Adjustments
 * leave it as it is but for the days they fall on. Bars must be sound and ascending.
 */
export function kinship(a: Bars, b: Bars): number | null {
  const ours: number[] = [];
  const theirs: number[] = [];
  let i = 0;
  let j = 0;
  let pastA = Number.NaN;
  let pastB = Number.NaN;
  while (i < a.time.length && j < b.time.length) {
    if (a.time[i] < b.time[j]) i++;
    else if (a.time[i] > b.time[j]) j++;
    else {
      if (!Number.isNaN(pastA)) {
        ours.push(Math.log(a.close[i] / pastA));
        theirs.push(Math.log(b.close[j] / pastB));
      }
      pastA = a.close[i++];
      pastB = b.close[j++];
    }
  }
  return ours.length < KINSHIP_LEAST ? null : correlation(ours, theirs);
}
