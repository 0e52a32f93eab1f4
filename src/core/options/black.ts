import { cdfOverDensity, normalCdf, SQRT_2PI } from "./normal.js";

/**
 * The Black price of an out-of-the-money call in units of sqrt(forward x strike):
 *   b(x, s) = e^(x/2) N(x/s + s/2) - e^(-x/2) N(x/s - s/2),  x = ln(forward / strike) <= 0,  s = volatility sqrt(years)
 * (P. Jaeckel, "By Implication", 2006). Every European option is this plus its intrinsic value.
 * With h = x/s and t = s/2 the slope in s is n(h) n(t) sqrt(2 pi), and price over slope is Y(h+t) - Y(h-t) with
 * Y = N / n, which neither overflows nor underflows where the price itself does.
 */

/** Below this share of 1 + |h| the half-width t is so small that the difference of two Y would lose digits. */
const NARROW = 0.05;
/** From this distance out the asymptotic series of Y has all its digits. */
const FAR = 10;
const FAR_TERMS = 20;

/** ln of the slope of the price in s, -(h^2 + t^2) / 2 - ln sqrt(2 pi). */
export function logSlope(x: number, s: number): number {
  const h = x / s;
  return -0.5 * (h * h + 0.25 * s * s) - Math.log(SQRT_2PI);
}

/** Price over its slope in s, to about 1e-14 relative, for s > 0 and x <= 0. */
export function priceOverSlope(x: number, s: number): number {
  const h = x / s;
  const t = 0.5 * s;
  if (-h - t > FAR) return farDifference(-h, t);
  if (t < NARROW * (1 - h)) return narrowDifference(h, t);
  return cdfOverDensity(h + t) - cdfOverDensity(h - t);
}

/** b(x, s). */
export function blackPrice(x: number, s: number): number {
  const h = x / s;
  const t = 0.5 * s;
  if (h + t > 0 && t >= NARROW * (1 - h)) {
    return Math.exp(0.5 * x) * normalCdf(h + t) - Math.exp(-0.5 * x) * normalCdf(h - t);
  }
  return Math.exp(logSlope(x, s)) * priceOverSlope(x, s);
}

/** What the price falls short of its bound e^(x/2): a sum of positive terms, exact where the price is saturated. */
export function blackShortfall(x: number, s: number): number {
  const h = x / s;
  const t = 0.5 * s;
  return Math.exp(0.5 * x) * normalCdf(-h - t) + Math.exp(-0.5 * x) * normalCdf(h - t);
}

/**
 * Y(t-a) - Y(-t-a) from Y(-z) = sum of (-1)^k (2k-1)!! / z^(2k+1), the difference of each pair of powers
 * factored so that nothing cancels.
 */
function farDifference(a: number, t: number): number {
  const near = 1 / (a - t);
  const far = 1 / (a + t);
  // powers = sum over i < n of near^i far^(n-1-i), for n = 1, 3, 5, ...
  let powers = 1;
  let nearPower = 1;
  let factor = 1;
  let sum = 1;
  for (let k = 1; k <= FAR_TERMS; k++) {
    for (let step = 0; step < 2; step++) {
      nearPower *= near;
      powers = nearPower + far * powers;
    }
    factor *= -(2 * k - 1);
    const term = factor * powers;
    sum += term;
    if (Math.abs(term) < 1e-17 * sum) break;
  }
  return 2 * t * near * far * sum;
}

/**
 * The odd part of the Taylor series of Y about h: derivatives m(j) of Y follow
 * m(j+1) = h m(j) + j m(j-1), m(1) = 1 + h m(0).
 */
function narrowDifference(h: number, t: number): number {
  let even = cdfOverDensity(h);
  let odd = 1 + h * even;
  let power = t;
  let sum = t * odd;
  for (let j = 1; j < 24; j += 2) {
    even = h * odd + j * even;
    odd = h * even + (j + 1) * odd;
    power *= (t * t) / ((j + 1) * (j + 2));
    const term = power * odd;
    sum += term;
    if (Math.abs(term) < 1e-17 * sum) break;
  }
  return 2 * sum;
}
