import { correlation } from "../base/stats.js";
import type { Bars } from "../market/candles.js";

/** Returns in common that are needed to tell. */
export const KINSHIP_LEAST = 60;
/** Correlation of returns below which two series are not of one instrument. */
export const KINSHIP = 0.5;

/** Greater moves are those of splits and slips: they are in one series and not in the other, and tell nothing. */
const TELLING = Math.log(1.45);

/**
 * Correlation of the log returns of two series over the times they share; null where these are too few. Adjustments and
 * slips leave it as it is. Bars must be sound and ascending.
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
      const our = Math.log(a.close[i] / pastA);
      const their = Math.log(b.close[j] / pastB);
      if (Math.abs(our) < TELLING && Math.abs(their) < TELLING) {
        ours.push(our);
        theirs.push(their);
      }
      pastA = a.close[i++];
      pastB = b.close[j++];
    }
  }
  return ours.length < KINSHIP_LEAST ? null : correlation(ours, theirs);
}
