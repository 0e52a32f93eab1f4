/** Standard normal distribution to the last few bits of a double, also far out in the tails. */

import { bisect } from "../base/inference.js";

export const SQRT_2PI = 2.5066282746310002;
const SQRT_HALF = Math.SQRT1_2;
const ONE_OVER_SQRT_PI = 0.5641895835477563;

/**
 * exp(x^2) erfc(x) for x >= 0: W. J. Cody, "Rational Chebyshev approximations for the error function",
 * Mathematics of Computation 23 (1969), the minimax quotients of its three ranges.
 */
function scaledComplement(x: number): number {
  if (x <= 0.46875) return Math.exp(x * x) * (1 - x * centralQuotient(x * x));
  return x <= 4 ? middleQuotient(x) : outerQuotient(x);
}

/** erf(x) / x for |x| <= 0.46875 as a function of y = x^2. */
function centralQuotient(y: number): number {
  const top =
    (((0.18577770618460315 * y + 3.1611237438705655) * y + 113.86415415105016) * y + 377.485237685302) * y +
    3209.3775891384694;
  const bottom =
    (((y + 23.601290952344122) * y + 244.02463793444417) * y + 1282.6165260773723) * y + 2844.236833439171;
  return top / bottom;
}

/** For 0.46875 <= x <= 4. */
function middleQuotient(x: number): number {
  const top =
    (((((((2.1531153547440383e-8 * x + 0.5641884969886701) * x + 8.883149794388377) * x + 66.11919063714163) *
      x +
      298.6351381974001) *
      x +
      881.952221241769) *
      x +
      1712.0476126340707) *
      x +
      2051.0783778260716) *
      x +
    1230.3393547979972;
  const bottom =
    (((((((x + 15.744926110709835) * x + 117.6939508913125) * x + 537.1811018620099) * x +
      1621.3895745666903) *
      x +
      3290.7992357334597) *
      x +
      4362.619090143247) *
      x +
      3439.3676741437216) *
      x +
    1230.3393548037495;
  return top / bottom;
}

/** For x >= 4: the asymptotic 1 / (x sqrt(pi)) with a rational correction in 1 / x^2. */
function outerQuotient(x: number): number {
  const y = 1 / (x * x);
  const top =
    ((((0.016315387137302097 * y + 0.30532663496123236) * y + 0.36034489994980445) * y +
      0.12578172611122926) *
      y +
      0.016083785148742275) *
      y +
    0.0006587491615298378;
  const bottom =
    ((((y + 2.568520192289822) * y + 1.8729528499234673) * y + 0.5279051029514285) * y +
      0.06051834131244132) *
      y +
    0.0023352049762686918;
  return (ONE_OVER_SQRT_PI - (y * top) / bottom) / x;
}

/** exp(-x^2 / 2) without the error that squaring a large x would bring into the exponent. */
function gaussian(x: number): number {
  const coarse = Math.trunc(x * 16) / 16;
  return Math.exp(-0.5 * coarse * coarse) * Math.exp(-0.5 * (x - coarse) * (x + coarse));
}

/** Density of the standard normal distribution. */
export function normalDensity(x: number): number {
  return Math.abs(x) > 40 ? 0 : gaussian(x) / SQRT_2PI;
}

/** P(Z <= x) with a relative error below 1e-14 down to the smallest normal double (x = -37.5). */
export function normalCdf(x: number): number {
  if (x < 0) return x < -40 ? 0 : 0.5 * gaussian(x) * scaledComplement(-x * SQRT_HALF);
  if (x > 9) return 1;
  // Near the middle 1 minus the other tail would lose nothing, but erf itself is odd and shorter.
  if (x < 0.66) return 0.5 + 0.5 * x * SQRT_HALF * centralQuotient(0.5 * x * x);
  return 1 - 0.5 * gaussian(x) * scaledComplement(x * SQRT_HALF);
}

/** The z below which the distribution has a share of it: infinite at 0 and 1, NaN outside. */
export function normalQuantile(share: number): number {
  if (!(share >= 0 && share <= 1)) return Number.NaN;
  if (share > 0.5) return -normalQuantile(1 - share);
  if (share === 0) return Number.NEGATIVE_INFINITY;
  return share === 0.5 ? 0 : bisect((z) => normalCdf(z) < share, -40, 0);
}

/** The cdf over the density, N(x) / n(x): grows like exp(x^2 / 2) to the right, falls like -1 / x to the left. */
export function cdfOverDensity(x: number): number {
  if (x <= 0) return 0.5 * SQRT_2PI * scaledComplement(-x * SQRT_HALF);
  return normalCdf(x) / normalDensity(x);
}
