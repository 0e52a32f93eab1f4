import { correlation } from "../base/stats.js";
import type { Bars } from "../market/candles.js";

/** Returns in common that are needed to tell. */
export const KINSHIP_LEAST = 60;
/** Correlation of returns below which two series are not of one instrument. */
export const KINSHIP = 0.5;

/** Greater moves are those of splits and slips: they are in one series and not in the other, and tell nothing. */
const TELLING = Math.log(1.45);

/** Share of days with about the same return below which two series of one exchange's days are not of one instrument. */
export const AGREEMENT = 0.5;
/** How far returns may be apart to be about the same, in sizes of the median return. */
const SAME = 0.25;

/** Log returns of two series over the times they share. Bars must be sound and ascending. */
function sharedReturns(a: Bars, b: Bars): { ours: number[]; theirs: number[] } {
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
  return { ours, theirs };
}

/**
 * Correlation of the log returns of two series over the times they share; null where these are too few. Adjustments and
 * slips leave it as it is. Bars must be sound and ascending.
 */
export function kinship(a: Bars, b: Bars): number | null {
  const { ours, theirs } = sharedReturns(a, b);
  return ours.length < KINSHIP_LEAST ? null : correlation(ours, theirs);
}

/**
 * Share of the times of two series at which they have about the same return; null where these are too few. Two sources of
 * one share agree on 70 % of the days or more, an index and its largest shares, or two indices, on a third at most.
 */
export function agreement(a: Bars, b: Bars): number | null {
  const { ours, theirs } = sharedReturns(a, b);
  if (ours.length < KINSHIP_LEAST) return null;
  const sizes = ours.map(Math.abs).sort((x, y) => x - y);
  const least = SAME * sizes[sizes.length >> 1];
  return ours.filter((our, i) => Math.abs(our - theirs[i]) <= least).length / ours.length;
}
