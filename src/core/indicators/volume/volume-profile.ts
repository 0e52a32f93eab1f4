import { defineIndicator, numberParameter, type Parameter } from "../define.js";
import * as sessionFile from "./session.js";

const { SESSION_DAYS, sessionOf, sessionSettle } = sessionFile;

/** Doubles of state before the histogram. */
const HEAD = 5;

const BINS: Parameter = {
  name: "bins",
  kind: "integer",
  min: 8,
  max: 1_000,
  default: 100,
  description: "price steps of the histogram, an even number",
};

/** Twice the price step: neighbouring bins become one, in the lower half of the grid or in the upper. */
function coarsen(state: Float64Array, bins: number, upper: boolean): void {
  const half = bins / 2;
  const first = HEAD + (upper ? half : 0);
  // The half that is written must not be read again: the upper one is filled from the top.
  for (let k = 0; k < half; k++) {
    const j = upper ? half - 1 - k : k;
    state[first + j] = state[HEAD + 2 * j] + state[HEAD + 2 * j + 1];
  }
  state.fill(0, HEAD + (upper ? 0 : half), HEAD + (upper ? half : bins));
  if (upper) state[3] -= bins * state[2];
  state[2] *= 2;
}

/** Step of the grid that a price lies in; one that is an edge up to rounding belongs to the step above it. */
function binOf(state: Float64Array, price: number): number {
  return Math.floor((price - state[3]) / state[2] + 1e-9);
}

/** Spreads `volume` evenly over the prices from `low` to `high`. */
function spread(state: Float64Array, bins: number, low: number, high: number, volume: number): void {
  while (high > state[3] + bins * state[2] || binOf(state, low) >= bins) coarsen(state, bins, false);
  while (low < state[3]) coarsen(state, bins, true);
  const step = state[2];
  const origin = state[3];
  const first = binOf(state, low);
  const last = Math.min(bins - 1, binOf(state, high));
  if (first === last) {
    state[HEAD + first] += volume;
    return;
  }
  for (let bin = first; bin <= last; bin++) {
    const edge = origin + bin * step;
    const overlap = Math.min(high, edge + step) - Math.max(low, edge);
    state[HEAD + bin] += (volume * Math.max(0, overlap)) / (high - low);
  }
}

/** Volumes this near to each other count as equal: a bar fills many steps alike, up to rounding. */
const ALIKE = 1 - 1e-12;

/** Bin with the most volume; the lowest of equals. */
function busiest(state: Float64Array, bins: number): number {
  let most = 0;
  for (let bin = 0; bin < bins; bin++) most = Math.max(most, state[HEAD + bin]);
  let best = 0;
  while (state[HEAD + best] < most * ALIKE) best++;
  return best;
}

export const volumeProfile = defineIndicator({
  name: "volume_profile",
  title: "Volume Profile",
  family: "volume",
  inputs: ["time", "high", "low", "close", "volume"],
  parameters: [
    BINS,
    numberParameter("share", 0.7, [0.01, 1], "part of the volume that lies within the value area"),
    SESSION_DAYS,
  ],
  constraint: { text: "bins must be an even number", holds: ({ bins }) => bins % 2 === 0 },
  outputs: [
    { name: "point_of_control", unit: "price" },
    { name: "value_area_high", unit: "price" },
    { name: "value_area_low", unit: "price" },
  ],
  warmup: () => 0,
  settle: ({ days }, barMs) => sessionSettle(days, barMs),
  nanReach: "session",
  memory: ({ bins }) => HEAD + bins,
  lookback: () => 0,
  source:
    "J. P. Steidlmayer: the session's volume so far by price, each bar's spread evenly over its range. The price step is 1/2000 of the session's first price and doubles whenever the session outgrows the grid; a price on an edge belongs to the step above it. The value area grows from the busiest step, a step at a time, towards the busier side, upwards from equals; all three are (high + low + close) / 3 until there is volume.",
  run(bars, { bins, share, days }, outputs, state, from, to) {
    const { time, high, low, close, volume } = bars;
    const offset = (state[0] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      const session = sessionOf(time[i], days);
      const typical = (high[i] + low[i] + close[i]) / 3;
      if (n === 0 || session !== state[1]) {
        state.fill(0, HEAD, HEAD + bins);
        state[1] = session;
        state[2] = Math.abs(typical) / 2_000;
        state[3] = (Math.floor(typical / state[2]) - bins / 2) * state[2];
        state[4] = 0;
      }
      if (Number.isNaN(typical) || Number.isNaN(volume[i])) state[4] = Number.NaN;
      if (volume[i] > 0 && !Number.isNaN(state[4])) {
        spread(state, bins, low[i], high[i], volume[i]);
        state[4] += volume[i];
      }
      if (!(state[4] > 0)) {
        const stand = state[4] === 0 ? typical : Number.NaN;
        outputs[0][i] = outputs[1][i] = outputs[2][i] = stand;
        continue;
      }
      const point = busiest(state, bins);
      let lowest = point;
      let highest = point;
      let held = state[HEAD + point];
      while (held < share * state[4] * ALIKE && highest - lowest < bins - 1) {
        const above = highest < bins - 1 ? state[HEAD + highest + 1] : -1;
        const below = lowest > 0 ? state[HEAD + lowest - 1] : -1;
        held += Math.max(above, below);
        if (above >= below * ALIKE) highest++;
        else lowest--;
      }
      outputs[0][i] = state[3] + (point + 0.5) * state[2];
      outputs[1][i] = state[3] + (highest + 1) * state[2];
      outputs[2][i] = state[3] + lowest * state[2];
    } while (++i < to);
    state[0] = offset + to;
  },
});
