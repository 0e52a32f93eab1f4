import { blackPrice, blackShortfall, logSlope, priceOverSlope } from "./black.js";
import { SQRT_2PI } from "./normal.js";

/** The s of a normalised price and how many evaluations of the price it took. */
export interface BlackInverse {
  readonly s: number;
  readonly evaluations: number;
}

/**
 * A step shorter than this share of s ends the search: the step is of fourth order, so that what is left is
 * below the rounding of a double.
 */
const LAST_STEP = 1e-4;
const MAX_EVALUATIONS = 60;
/** Steepness of the rational first guess for small prices; fitted once for the fewest evaluations. */
const GUESS_BEND = 0.25;

/** Objective phi(b), which is nearly linear in s where it is used. */
type Objective = "reciprocal-log" | "price" | "log-shortfall";

/**
 * The s > 0 with b(x, s) = price, for x <= 0 and 0 < price < e^(x/2), by Householder steps of order four on a
 * transformed price, kept inside a bracket. Which transform and that two or three steps are enough is the idea
 * of P. Jaeckel, "Let's Be Rational", 2013; branches and first guesses are others.
 */
export function blackInverse(x: number, price: number): BlackInverse {
  const bound = Math.exp(0.5 * x);
  const { s: first, objective } = firstGuess(x, price, bound);
  const logTarget = Math.log(price);
  const target = objective === "log-shortfall" ? Math.log(bound - price) : logTarget;
  let s = first;
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  for (let evaluations = 1; evaluations <= MAX_EVALUATIONS; evaluations++) {
    const step = householderStep(x, s, price, target, objective);
    if (Math.abs(step) <= LAST_STEP * s) return { s: s + step, evaluations };
    if (step > 0) low = s;
    else high = s;
    const next = s + step;
    s = next > low && next < high ? next : bisection(low, high);
    if (high - low <= LAST_STEP * LAST_STEP * low) return { s, evaluations };
  }
  return { s, evaluations: MAX_EVALUATIONS };
}

function bisection(low: number, high: number): number {
  if (high === Number.POSITIVE_INFINITY) return 2 * low;
  return low === 0 ? 0.5 * high : Math.sqrt(low * high);
}

/** The step from s towards the solution; its sign is that of the solution less s. */
function householderStep(x: number, s: number, price: number, target: number, objective: Objective): number {
  const h = x / s;
  // b''/b' and b'''/b'.
  const second = (h * h) / s - 0.25 * s;
  const third = second * second - (3 * h * h) / (s * s) - 0.25;
  if (objective === "reciprocal-log") {
    const ratio = priceOverSlope(x, s);
    const log = Math.log(ratio) + logSlope(x, s);
    const a = 1 / ratio;
    const newton = ((target - log) * log * ratio) / target;
    const gamma = second - a * (1 + 2 / log);
    const delta = third - 3 * a * second * (1 + 2 / log) + a * a * (2 + (6 + 6 / log) / log);
    return householder(newton, gamma, delta);
  }
  const slope = Math.exp(logSlope(x, s));
  if (objective === "price") return householder((price - blackPrice(x, s)) / slope, second, third);
  const shortfall = blackShortfall(x, s);
  const a = slope / shortfall;
  const newton = (Math.log(shortfall) - target) / a;
  return householder(newton, second + a, third + 3 * a * second + 2 * a * a);
}

/** Third Householder iterate from a Newton step and the ratios f''/f' and f'''/f'; Newton's where it turns back. */
function householder(newton: number, gamma: number, delta: number): number {
  const factor = (1 + 0.5 * gamma * newton) / (1 + newton * (gamma + (delta * newton) / 6));
  return factor > 0 && factor < 10 ? newton * factor : newton;
}

function firstGuess(x: number, price: number, bound: number): { s: number; objective: Objective } {
  const distance = -x;
  // Below this s the price falls like exp(-h^2 / 2); for strikes far away it is the inflection of b.
  const bendH = Math.max(1, Math.sqrt(0.5 * distance));
  const bend = distance / bendH;
  if (distance > 0) {
    const ratio = priceOverSlope(x, bend);
    const logBend = Math.log(ratio) + logSlope(x, bend);
    const below = logBend - Math.log(price);
    if (below > 0) {
      const slope = ((bendH * bendH) / bend) * ratio;
      const exponent =
        0.5 * bendH * bendH + (below * (slope + GUESS_BEND * below)) / (1 + GUESS_BEND * below);
      return { s: distance / Math.sqrt(2 * exponent), objective: "reciprocal-log" };
    }
  }
  const shortfall = bound - price;
  if (shortfall < 0.5 * bound) {
    return {
      s: Math.max(bend, -2 * lowerQuantile(shortfall / (bound + 1 / bound))),
      objective: "log-shortfall",
    };
  }
  // The expansion of b near the money to second order in h, solved for s (Corrado and Miller, 1996).
  const b = SQRT_2PI * (price / bound + 0.5 * distance);
  const root = b * b - 2 * distance * distance;
  return { s: root > 0 ? Math.max(bend, 0.5 * (b + Math.sqrt(root))) : bend, objective: "price" };
}

/** Quantile of the standard normal for 0 < p <= 1/2 to 4.5e-4 (Abramowitz and Stegun 26.2.23). */
function lowerQuantile(p: number): number {
  const t = Math.sqrt(-2 * Math.log(p));
  const top = (0.010328 * t + 0.802853) * t + 2.515517;
  const bottom = ((0.001308 * t + 0.189269) * t + 1.432788) * t + 1;
  return top / bottom - t;
}
