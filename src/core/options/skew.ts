import { type Measure, measured, unmeasured } from "./measure.js";
import type { Smile } from "./smile.js";

/** Fewer known volatilities than this on a side say nothing of its slope. */
export const MIN_POINTS = 3;

/**
 * Volatility of the call of a delta less that of the put of minus that delta, by default 0.25: negative where
 * downside protection is dear. Volatilities are interpolated linearly in delta between listed strikes.
 */
export function riskReversal(smile: Smile, delta = 0.25): Measure {
  const call = interpolated(smile.callDelta, smile.callVolatility, delta);
  if (call === null) return tooFew("calls", `delta ${delta}`);
  const put = interpolated(smile.putDelta, smile.putVolatility, -delta);
  if (put === null) return tooFew("puts", `delta ${-delta}`);
  return measured(call - put);
}

/**
 * Volatility of the put a fraction below the forward over that of the call the same fraction above it, by default
 * 5 %, interpolated linearly in strike.
 */
export function volatilityRatio(smile: Smile, distance = 0.05): Measure {
  const below = smile.forward * (1 - distance);
  const above = smile.forward * (1 + distance);
  const put = interpolated(smile.strike, smile.putVolatility, below);
  if (put === null) return tooFew("puts", `strike ${below}`);
  const call = interpolated(smile.strike, smile.callVolatility, above);
  if (call === null) return tooFew("calls", `strike ${above}`);
  return measured(put / call);
}

function tooFew(side: string, where: string): Measure {
  return unmeasured(`fewer than ${MIN_POINTS} volatilities in ${side}, or none on both sides of ${where}`);
}

/**
 * y at x between the neighbouring known points that have x between them; null where there are none or fewer than
 * MIN_POINTS known. Of several such pairs, which noisy deltas can make, the one with the points nearest each other.
 */
function interpolated(xs: Float64Array, ys: Float64Array, x: number): number | null {
  let points = 0;
  let previous = -1;
  let found: number | null = null;
  let narrowest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < xs.length; i++) {
    if (Number.isNaN(xs[i]) || Number.isNaN(ys[i])) continue;
    points++;
    if (previous >= 0 && (xs[i] - x) * (xs[previous] - x) <= 0) {
      const width = xs[i] - xs[previous];
      if (Math.abs(width) < narrowest) {
        narrowest = Math.abs(width);
        const share = width === 0 ? 0 : (x - xs[previous]) / width;
        found = ys[previous] + share * (ys[i] - ys[previous]);
      }
    }
    previous = i;
  }
  return points < MIN_POINTS ? null : found;
}
