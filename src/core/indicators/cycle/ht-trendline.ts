import { defineIndicator } from "../define.js";

/** Bars before the Hilbert transform starts, and before the first value. */
const START = 37;
const WARMUP = 63;
/** Longest cycle measured: the mean of one cycle reads so many closes. */
const LONGEST = 50;

/** Doubles of state, the first being the bars seen. */
const PERIOD = 1;
const SMOOTH_PERIOD = 2;
const I2 = 3;
const Q2 = 4;
const REAL = 5;
const IMAGINARY = 6;
/** The last three means of a cycle, latest first. */
const MEANS = 7;
const TURNED_I = 10;
const TURNED_Q = 11;
/** Rings of the last eight values of a series, the value of bar n at n mod 8. */
const SMOOTH = 12;
const DETRENDER = 20;
const IN_PHASE = 28;
const QUADRATURE = 36;
const MEMORY = 44;

/** Ehlers' Hilbert transform of the series in the ring at `ring`, left at state[to]. */
function transform(state: Float64Array, ring: number, n: number, to: number): void {
  const outer = state[ring + (n & 7)] - state[ring + ((n - 6) & 7)];
  const inner = state[ring + ((n - 2) & 7)] - state[ring + ((n - 4) & 7)];
  state[to] = (0.0962 * outer + 0.5769 * inner) * (0.075 * state[PERIOD] + 0.54);
}

/** Takes the cycle's length from the turn of its phase, within limits and within reach of the last one. */
function updatePeriod(state: Float64Array): void {
  const last = state[PERIOD];
  let next = last;
  if (state[IMAGINARY] !== 0 && state[REAL] !== 0) {
    next = (2 * Math.PI) / Math.atan(state[IMAGINARY] / state[REAL]);
  }
  next = Math.max(Math.min(next, 1.5 * last), 0.67 * last);
  next = Math.min(Math.max(next, 6), LONGEST);
  state[PERIOD] = 0.2 * next + 0.8 * last;
  state[SMOOTH_PERIOD] = 0.33 * state[PERIOD] + 0.67 * state[SMOOTH_PERIOD];
}

/** Measures the cycle anew, the smoothed price of bar n being in its ring. */
function measure(state: Float64Array, n: number): void {
  const slot = n & 7;
  transform(state, SMOOTH, n, DETRENDER + slot);
  transform(state, DETRENDER, n, QUADRATURE + slot);
  state[IN_PHASE + slot] = state[DETRENDER + ((n - 3) & 7)];
  transform(state, IN_PHASE, n, TURNED_I);
  transform(state, QUADRATURE, n, TURNED_Q);
  const i2 = 0.2 * (state[IN_PHASE + slot] - state[TURNED_Q]) + 0.8 * state[I2];
  const q2 = 0.2 * (state[QUADRATURE + slot] + state[TURNED_I]) + 0.8 * state[Q2];
  state[REAL] = 0.2 * (i2 * state[I2] + q2 * state[Q2]) + 0.8 * state[REAL];
  state[IMAGINARY] = 0.2 * (i2 * state[Q2] - q2 * state[I2]) + 0.8 * state[IMAGINARY];
  state[I2] = i2;
  state[Q2] = q2;
  updatePeriod(state);
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
  memory: () => MEMORY,
  lookback: () => LONGEST - 1,
  source: "J. Ehlers, Rocket Science for Traders (2001); TA-Lib HT_TRENDLINE.",
  run(bars, _values, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      out[i] = Number.NaN;
      if (n < START) continue;
      const smooth = 4 * close[i] + 3 * close[i - 1] + 2 * close[i - 2] + close[i - 3];
      state[SMOOTH + (n & 7)] = smooth * 0.1;
      measure(state, n);
      const length = Math.floor(state[SMOOTH_PERIOD] + 0.5);
      let sum = 0;
      for (let age = 0; age < length; age++) sum += close[i - age];
      const mean = length === 0 ? 0 : sum / length;
      if (n >= WARMUP) {
        out[i] = (4 * mean + 3 * state[MEANS] + 2 * state[MEANS + 1] + state[MEANS + 2]) / 10;
      }
      state[MEANS + 2] = state[MEANS + 1];
      state[MEANS + 1] = state[MEANS];
      state[MEANS] = mean;
    } while (++i < to);
    state[0] = offset + to;
  },
});
