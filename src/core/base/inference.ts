/** Two-sided 95 % of the normal distribution. */
export const Z_95 = 1.959963984540054;

/** Wilson's score interval of a share: `hits` of `n` trials. E. B. Wilson (1927). @returns [0, 1] of no trials. */
export function wilsonInterval(hits: number, n: number, z = Z_95): readonly [low: number, high: number] {
  if (n === 0) return [0, 1];
  const share = hits / n;
  const scale = 1 + (z * z) / n;
  const centre = (share + (z * z) / (2 * n)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/**
 * P-values corrected so that of those below q a share of q at most is expected to be false (Benjamini and Hochberg
 * 1995), in the order they came.
 */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const m = pValues.length;
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a] - pValues[b] || a - b);
  const corrected = new Array<number>(m);
  let least = 1;
  for (let rank = m; rank >= 1; rank--) {
    const i = order[rank - 1];
    least = Math.min(least, Math.max(pValues[i], (pValues[i] * m) / rank));
    corrected[i] = least;
  }
  return corrected;
}

/**
 * Probability that the distance of `n` values from their own distribution is at least so much (A. Kolmogorov 1933): the
 * limit of many, with M. Stephens' (1970) correction for few.
 */
export function kolmogorovTail(distance: number, n: number): number {
  const root = Math.sqrt(n);
  const scaled = (root + 0.12 + 0.11 / root) * distance;
  // Below this the sum is 1 up to what doubles lack, and converges slowly.
  if (scaled < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k++) {
    const term = Math.exp(-2 * k * k * scaled * scaled);
    sum += k % 2 === 1 ? term : -term;
    if (term < 1e-17) break;
  }
  return Math.min(1, Math.max(0, 2 * sum));
}

/** Probability that |T| of Student's distribution is at least |t|. */
export function studentTail(t: number, degrees: number): number {
  if (!Number.isFinite(t)) return 0;
  return incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
}

/** The t beyond which, on both sides together, Student's distribution has a share of `tail`, 0..1. */
export function studentQuantile(tail: number, degrees: number): number {
  return bisect((t) => studentTail(t, degrees) > tail, 0, 1e6);
}

/**
 * Tails of the binomial distribution at `hits` of `n` trials with a chance of `rate` each, both with `hits` itself. By
 * the incomplete beta function, so that hits and trials need not be whole: an effective number of trials is not.
 */
export function binomialTails(
  hits: number,
  n: number,
  rate: number,
): readonly [below: number, above: number] {
  return [
    hits >= n ? 1 : incompleteBeta(1 - rate, n - hits, hits + 1),
    hits <= 0 ? 1 : incompleteBeta(rate, hits, n - hits + 1),
  ];
}

/**
 * Interval of a share whose ends leave `tail` on either side (C. Clopper and E. Pearson 1934), within 0..1; for trials
 * that depend on each other with their effective number (E. Korn and B. Graubard 1998).
 */
export function exactInterval(hits: number, n: number, tail: number): readonly [low: number, high: number] {
  const low = hits <= 0 ? 0 : bisect((rate) => binomialTails(hits, n, rate)[1] < tail, 0, 1);
  const high = hits >= n ? 1 : bisect((rate) => binomialTails(hits, n, rate)[0] > tail, 0, 1);
  return [low, high];
}

const HALVINGS = 200;

/** The place up to which `holds` is true, between two ends. */
export function bisect(holds: (value: number) => boolean, from: number, to: number): number {
  let low = from;
  let high = to;
  for (let step = 0; step < HALVINGS; step++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Regularised incomplete beta function I_x(a, b), by Lentz's continued fraction (Numerical Recipes 6.4). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return x < (a + 1) / (a + b + 2)
    ? (front * betaFraction(x, a, b)) / a
    : 1 - (front * betaFraction(1 - x, b, a)) / b;
}

const TINY = 1e-300;
const FRACTION_STEPS = 10_000;

function betaFraction(x: number, a: number, b: number): number {
  const away = (value: number) => (Math.abs(value) < TINY ? TINY : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= FRACTION_STEPS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return fraction;
}

/** Lanczos' approximation with g = 7 and nine coefficients. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

function logGamma(x: number): number {
  const t = x + 6.5;
  let sum = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i] / (x - 1 + i);
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

/** Bins of equal width that predictions are told apart by. */
export const CALIBRATION_BINS = 10;

/** Which bin a probability falls in. */
export function calibrationBin(probability: number): number {
  return Math.min(CALIBRATION_BINS - 1, Math.max(0, Math.floor(probability * CALIBRATION_BINS)));
}

/**
 * Mean distance between what was predicted and what happened, by bins of the prediction, weighted by how much fell
 * into each (expected calibration error). NaN of none.
 */
export function calibrationError(
  counts: ArrayLike<number>,
  predicted: ArrayLike<number>,
  happened: ArrayLike<number>,
): number {
  let total = 0;
  let error = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    total += counts[bin];
    error += Math.abs(predicted[bin] - happened[bin]);
  }
  return total === 0 ? Number.NaN : error / total;
}
