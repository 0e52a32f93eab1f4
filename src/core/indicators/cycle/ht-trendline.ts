import { defineIndicator } from "../define.js";

/** Bars before the Hilbert transform starts, and before the first value. */
const START = 37;
const WARMUP = 63;
/** Longest cycle measured: the mean of one cycle reads so many closes. */
const LONGEST = 50;
const A = 0.0962;
const B = 0.5769;

/** State: bars seen, period, its smoothed form, in-phase and quadrature parts, products, past means, four rings. */
const RINGS = 10;
const RING = 8;

/**
 * One step of Ehlers' Hilbert transform of a series kept in the ring of 8 at `ring`, `n` its number: reads
 * the values 2, 4 and 6 steps back.
 */
function hilbert(state: Float64Array, ring: number, value: number, n: number, gain: number): number {
  state[ring + (n & 7)] = value;
  const second = state[ring + ((n - 2) & 7)];
  const fourth = state[ring + ((n - 4) & 7)];
  const sixth = state[ring + ((n - 6) & 7)];
  return (A * value - A * sixth - B * fourth + B * second) * gain;
}

/** The next cycle length: from the phase's turn, kept within limits and within reach of the last one. */
function nextPeriod(period: number, real: number, imaginary: number): number {
  let next = period;
  if (imaginary !== 0 && real !== 0) next = 360 / (Math.atan(imaginary / real) * (45 / Math.atan(1)));
  if (next > 1.5 * period) next = 1.5 * period;
  if (next < 0.67 * period) next = 0.67 * period;
  if (next < 6) next = 6;
  else if (next > LONGEST) next = LONGEST;
  return 0.2 * next + 0.8 * period;
}

/** Measures the cycle anew from a smoothed price. */
function measure(state: Float64Array, smooth: number, n: number): void {
  const gain = 0.075 * state[1] + 0.54;
  const detrender = hilbert(state, RINGS, smooth, n, gain);
  const quadrature = hilbert(state, RINGS + RING, detrender, n, gain);
  const inPhase = state[RINGS + RING + ((n - 3) & 7)];
  const turnedInPhase = hilbert(state, RINGS + 2 * RING, inPhase, n, gain);
  const turnedQuadrature = hilbert(state, RINGS + 3 * RING, quadrature, n, gain);
  const q2 = 0.2 * (quadrature + turnedInPhase) + 0.8 * state[4];
  const i2 = 0.2 * (inPhase - turnedQuadrature) + 0.8 * state[3];
  state[5] = 0.2 * (i2 * state[3] + q2 * state[4]) + 0.8 * state[5];
  state[6] = 0.2 * (i2 * state[4] - q2 * state[3]) + 0.8 * state[6];
  state[3] = i2;
  state[4] = q2;
  state[1] = nextPeriod(state[1], state[5], state[6]);
  state[2] = 0.33 * state[1] + 0.67 * state[2];
}

export const htTrendline = defineIndicator({
  name: "ht_trendline",
  title: "Hilbert Transform Instantaneous Trendline",
  family: "cycle",
  inputs: ["close"],
  parameters: [],
  outputs: [{ name: "ht_trendline", unit: "price" }],
  warmup: () => WARMUP,
  settle: () => Number.POSITIVE_INFINITY,
  nanReach: "rest",
  memory: () => RINGS + 4 * RING,
  lookback: () => LONGEST - 1,
  source: "J. Ehlers, Rocket Science for Traders (2001); TA-Lib HT_TRENDLINE.",
  run(bars, _values, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    let n = state[0] | 0;
    for (let i = from; i < to; i++, n++) {
      out[i] = Number.NaN;
      if (n < START) continue;
      const smooth = (4 * close[i] + 3 * close[i - 1] + 2 * close[i - 2] + close[i - 3]) * 0.1;
      measure(state, smooth, n);
      const length = Math.floor(state[2] + 0.5);
      let sum = 0;
      for (let age = 0; age < length; age++) sum += close[i - age];
      const mean = length === 0 ? 0 : sum / length;
      const trend = (4 * mean + 3 * state[7] + 2 * state[8] + state[9]) / 10;
      state[9] = state[8];
      state[8] = state[7];
      state[7] = mean;
      if (n >= WARMUP) out[i] = trend;
    }
    state[0] = n;
  },
});
