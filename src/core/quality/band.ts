import { median } from "../base/stats.js";

/** The prices that would not surprise: the next price lies within, but for something extraordinary. */
export interface Band {
  readonly low: number;
  readonly high: number;
  /** Closes that it was learned from. */
  readonly from: number;
}

/** Closes needed to learn a band, and looked back at. */
export const BAND_LEAST = 30;
const BAND_MOST = 250;
/** Robust deviations of a day's return that a price may be away from the last close. */
const DEVIATIONS = 12;
/** A band is never narrower than this, either way, as a share of the last close. */
const NARROWEST = 0.05;
/** A median absolute deviation times this estimates a standard deviation. */
const NORMAL_SCALE = 1.4826;

/**
 * The band of an underlying, learned from its own daily closes: the last close, up and down by twelve robust standard
 * deviations of its daily log returns times the root of the days since. Null where there are too few closes.
 */
export function learnBand(closes: Float64Array, daysSince: number): Band | null {
  const recent = closes.subarray(Math.max(0, closes.length - BAND_MOST));
  if (recent.length < BAND_LEAST) return null;
  const returns = Float64Array.from(recent.subarray(1), (close, i) => Math.log(close / recent[i]));
  const middle = median(returns);
  const spread = NORMAL_SCALE * median(returns.map((value) => Math.abs(value - middle)));
  const reach = Math.max(Math.log(1 + NARROWEST), DEVIATIONS * spread * Math.sqrt(Math.max(1, daysSince)));
  const last = recent[recent.length - 1];
  return { low: last * Math.exp(-reach), high: last * Math.exp(reach), from: recent.length };
}
