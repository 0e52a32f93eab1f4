/** The table of exponentials: steps to one, and where values end that count. */
const STEPS = 64;
const LIMIT = 36;
/** What is added to a value and taken off again leaves the nearest step: doubles of this size have no finer ones. */
const ROUNDING = (3 * 2 ** 51) / STEPS;

const EXPONENTIALS = Float64Array.from({ length: LIMIT * STEPS + 1 }, (_, k) => Math.exp(-k / STEPS));

/**
 * exp(-x) for x >= 0 within 7e-16 of the value, 0 from 36 on (where it is 2e-16), NaN of NaN: the nearest of a table
 * times five terms of the series of what is left, in pairs that wait for one another as little as can be. A fifth
 * of the time of Math.exp, and small enough to be inlined.
 */
export function fading(x: number): number {
  if (x >= LIMIT) return 0;
  const nearest = x + ROUNDING - ROUNDING;
  const r = nearest - x;
  const s = r * r;
  const series = 1 + (r + s * (1 / 2 + r * (1 / 6) + s * (1 / 24 + r * (1 / 120))));
  return EXPONENTIALS[(nearest * STEPS) | 0] * series;
}
