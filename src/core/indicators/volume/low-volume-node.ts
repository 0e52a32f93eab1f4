import type { Bars } from "../../market/candles.js";
import { barsParameter, defineIndicator, numberParameter, type Parameter } from "../define.js";

const BINS: Parameter = {
  name: "bins",
  kind: "integer",
  min: 4,
  max: 1_000,
  default: 40,
  description: "price steps that the range of the window is cut into",
};

/** Rejections that make a node as well tried as can be. */
const MANY = 5;
/** Steps within which a price lies on an edge, and a share within which volumes are equal: rounding is not more. */
const ON_EDGE = 1e-9;
const ALIKE = 1 - 1e-9;

/** In the state: bars seen, the window's lowest price, its price step, and its sum of volumes and closes, NaN if one is. */
const SEEN = 0;
const LOWEST = 1;
const STEP = 2;
const WHOLE = 3;
/** Volume of the busiest step, and that below which a step is thin. */
const MOST = 4;
const THIN = 5;
/** Of the node below and of that above: whether there is one, its edges in steps, the mean volume of its steps. */
const BELOW = 6;
const ABOVE = 10;
const BOTTOM = 1;
const TOP = 2;
const VOLUME = 3;
/** Of each step, what it has more than the one below; then, of each, what belongs to it alone. */
const CHANGES = 14;

// No function gives or takes a double: one that V8 does not inline would leave each on the heap.

/** Lowest price and step of the `period` bars up to `i`. */
function measure(
  { high, low, close, volume }: Bars,
  state: Float64Array,
  i: number,
  period: number,
  bins: number,
): void {
  let lowest = low[i];
  let highest = high[i];
  let whole = 0;
  for (let k = i - period + 1; k <= i; k++) {
    lowest = Math.min(lowest, low[k]);
    highest = Math.max(highest, high[k]);
    whole += volume[k] + close[k];
  }
  state[LOWEST] = lowest;
  state[STEP] = (highest - lowest) / bins;
  state[WHOLE] = whole + lowest + highest;
}

/**
 * Spreads the volume of each of the `period` bars up to `i` evenly over its range, or over one step around it where its
 * range is less.
 */
function spread(
  { high, low, volume }: Bars,
  state: Float64Array,
  i: number,
  period: number,
  bins: number,
): void {
  const lowest = state[LOWEST];
  const scale = 1 / state[STEP];
  const alone = CHANGES + bins + 1;
  state.fill(0, CHANGES, alone + bins + 1);
  for (let k = i - period + 1; k <= i; k++) {
    let bottom = (low[k] - lowest) * scale;
    let top = (high[k] - lowest) * scale;
    if (top - bottom < 1) {
      bottom = Math.min(Math.max((bottom + top) / 2 - 0.5, 0), bins - 1);
      top = bottom + 1;
    }
    const first = Math.min(bottom | 0, bins - 1);
    const last = Math.min(top | 0, bins - 1);
    const density = volume[k] / (top - bottom);
    state[CHANGES + first] += density;
    state[CHANGES + last + 1] -= density;
    state[alone + first] -= density * (bottom - first);
    state[alone + last] -= density * (last + 1 - top);
  }
}

/** Volumes of the steps, which take the place of the changes, and the busiest of them. */
function addUp(state: Float64Array, bins: number): void {
  let height = 0;
  let most = 0;
  for (let bin = 0; bin < bins; bin++) {
    height += state[CHANGES + bin];
    const volume = height + state[CHANGES + bins + 1 + bin];
    state[CHANGES + bin] = volume;
    most = Math.max(most, volume);
  }
  state[MOST] = most;
}

/** The thin steps [from, to) between busier ones are a node, which is kept if it is the nearest of its side so far. */
function keep(bars: Bars, state: Float64Array, i: number, from: number, to: number): void {
  const close = (bars.close[i] - state[LOWEST]) / state[STEP];
  const middle = (from + to) / 2;
  let volume = 0;
  for (let bin = from; bin < to; bin++) volume += state[CHANGES + bin];
  if (middle <= close + ON_EDGE) {
    state[BELOW] = 1;
    state[BELOW + BOTTOM] = from;
    state[BELOW + TOP] = to;
    state[BELOW + VOLUME] = volume / (to - from);
  }
  if (middle >= close - ON_EDGE && state[ABOVE] === 0) {
    state[ABOVE] = 1;
    state[ABOVE + BOTTOM] = from;
    state[ABOVE + TOP] = to;
    state[ABOVE + VOLUME] = volume / (to - from);
  }
}

/** Nearest nodes: runs of thin steps that have busier ones on both sides. */
function find(bars: Bars, state: Float64Array, i: number, bins: number): void {
  const thin = state[THIN];
  state[BELOW] = state[ABOVE] = 0;
  let busy = -1;
  for (let bin = 0; bin < bins; bin++) {
    if (state[CHANGES + bin] < thin) continue;
    if (busy >= 0 && bin - busy > 1) keep(bars, state, i, busy + 1, bin);
    busy = bin;
  }
}

/**
 * Distance of a node from the close, its strength and whether there is one, into three outputs. A visit begins with a
 * bar that reaches the node after a close outside; it is a rejection once a later bar closes on the side it came from.
 */
function rate(
  { high, low, close }: Bars,
  outputs: readonly Float64Array[],
  first: number,
  state: Float64Array,
  node: number,
  i: number,
  period: number,
  bins: number,
): void {
  const bottom = state[node + BOTTOM];
  const top = state[node + TOP];
  const lowest = state[LOWEST];
  const step = state[STEP];
  // As prices, which bars can be held against as they are.
  const under = lowest + (bottom + ON_EDGE) * step;
  const over = lowest + (top - ON_EDGE) * step;
  let side = 0;
  let from = 0;
  let visits = 0;
  let rejections = 0;
  let age = period;
  for (let k = i - period + 1; k <= i; k++) {
    const price = close[k];
    const now = price >= over ? 1 : price <= under ? -1 : 0;
    if (from !== 0) {
      if (now !== 0) {
        visits++;
        if (now === from) {
          rejections++;
          age = i - k;
        }
        from = 0;
      }
    } else if (low[k] < over && high[k] > under) {
      from = side;
    }
    if (now !== 0) side = now;
  }
  const away = (bottom + top) / 2 - (close[i] - lowest) / step;
  const thinness = 1 - state[node + VOLUME] / state[MOST];
  const tried = 0.15 * Math.min(rejections / MANY, 1) + (visits === 0 ? 0 : (0.15 * rejections) / visits);
  outputs[first][i] = away * step;
  outputs[first + 1][i] =
    0.4 * thinness + tried + 0.2 * (1 - age / period) + 0.1 * (1 - Math.abs(away) / bins);
  outputs[first + 2][i] = 1;
}

export const lowVolumeNode = defineIndicator({
  name: "low_volume_node",
  title: "Low Volume Node",
  family: "volume",
  inputs: ["high", "low", "close", "volume"],
  parameters: [
    barsParameter("period", 20, "bars of the window"),
    BINS,
    numberParameter("share", 0.3, [0.01, 1], "part of the busiest step's volume below which a step is thin"),
  ],
  outputs: [
    { name: "below", unit: "price" },
    { name: "below_strength", unit: "ratio", range: [0, 1] },
    { name: "has_below", unit: "flag", range: [0, 1] },
    { name: "above", unit: "price" },
    { name: "above_strength", unit: "ratio", range: [0, 1] },
    { name: "has_above", unit: "flag", range: [0, 1] },
  ],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: ({ bins }) => CHANGES + 2 * (bins + 1),
  lookback: ({ period }) => period - 1,
  source:
    "J. P. Steidlmayer's volume by price over the last bars, each bar's spread evenly over its range, their whole range cut into equal steps. Nodes are runs of thin steps between busier ones; the outputs tell of the nearest whose middle lies below the close, and above it: distance from the close, strength, and whether there is one (all 0 where not). Strength is 0.4 (1 - volume of a step / the busiest) + 0.15 min(rejections / 5, 1) + 0.15 rejections / visits + 0.2 (1 - bars since the last rejection / period) + 0.1 (1 - distance / range). A visit begins with a bar that reaches the node after a close outside, and ends with the first later one that closes outside: on the side it came from it is a rejection.",
  run(bars, values, outputs, state, from, to) {
    const { period, bins, share } = values;
    const offset = (state[SEEN] | 0) - from;
    let i = from;
    do {
      const n = offset + i;
      if (n >= period - 1) measure(bars, state, i, period, bins);
      const fallback = n < period - 1 || Number.isNaN(state[WHOLE]) ? Number.NaN : 0;
      for (let k = 0; k < 6; k++) outputs[k][i] = fallback;
      if (fallback !== 0 || state[STEP] === 0) continue;
      spread(bars, state, i, period, bins);
      addUp(state, bins);
      if (state[MOST] === 0) continue;
      state[THIN] = share * state[MOST] * ALIKE;
      find(bars, state, i, bins);
      if (state[BELOW] === 1) rate(bars, outputs, 0, state, BELOW, i, period, bins);
      if (state[ABOVE] === 1) rate(bars, outputs, 3, state, ABOVE, i, period, bins);
    } while (++i < to);
    state[SEEN] = offset + to;
  },
});
