import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { runEnd } = rolling;

/** Bars from one rebuild of the sums to the next: raw values of before it are not mended and have yet to pass. */
const ANCHORED = 512;

/** Doubles of state before the raw values, twice the average of half the period less that of the whole. */
const RAWS = 9;

/** Sum of the weights 1, 2, ... of so many bars. */
function weightOf(length: number): number {
  return (length * (length + 1)) / 2;
}

/**
 * Makes the close of bar i the anchor price and sums up the distances from it of the bars before and of the raw
 * values: the six doubles of state after the count of bars.
 * @param slot of the raw value that the next one replaces.
 */
function sumAnew(state: Float64Array, close: Float64Array, i: number, period: number, slot: number): void {
  const half = Math.floor(period / 2);
  const root = Math.floor(Math.sqrt(period));
  const anchor = close[i];
  let short = 0;
  let long = 0;
  let shortWeighted = 0;
  let longWeighted = 0;
  for (let age = period - 1; age > 0; age--) {
    const distance = close[i - age] - anchor;
    long += distance;
    longWeighted += distance * (period - age);
    if (age >= half) continue;
    short += distance;
    shortWeighted += distance * (half - age);
  }
  const shift = state[1] - anchor;
  let raws = 0;
  let hull = 0;
  for (let k = 0; k < root; k++) state[RAWS + k] += shift;
  for (let k = 1; k < root; k++) {
    const raw = state[RAWS + ((slot + k) % root)];
    raws += raw;
    hull += raw * k;
  }
  state[1] = anchor;
  state[2] = short;
  state[3] = long;
  state[4] = (2 * shortWeighted) / weightOf(half) - longWeighted / weightOf(period);
  state[5] = raws;
  state[6] = hull / weightOf(root);
}

export const hma = defineIndicator({
  name: "hma",
  title: "Hull Moving Average",
  family: "trend",
  inputs: ["close"],
  parameters: [barsParameter("period", 20, "bars of the longest of its three weighted averages")],
  outputs: [{ name: "hma", unit: "price" }],
  warmup: ({ period }) => period - 1 + Math.floor(Math.sqrt(period)) - 1,
  nanReach: "window",
  memory: ({ period }) => RAWS + Math.floor(Math.sqrt(period)),
  lookback: ({ period }) => period - 1,
  source:
    "A. Hull (2005): WMA over sqrt(period) of 2 WMA(period / 2) - WMA(period), both lengths rounded down.",
  run(bars, { period }, outputs, state, from, to) {
    const { close } = bars;
    const out = outputs[0];
    const half = Math.floor(period / 2);
    const root = Math.floor(Math.sqrt(period));
    const shortShare = 2 / weightOf(half);
    const longShare = 1 / weightOf(period);
    const rawShare = 1 / weightOf(root);
    const current = shortShare * half - longShare * period;
    const next = current - shortShare + longShare;
    const warmup = period + root - 2;
    const offset = (state[0] | 0) - from;
    let i = from;
    // Raw values before the first are taken to stand at the anchor price.
    for (; i < to && offset + i < period - 1; i++) {
      out[i] = Number.NaN;
      state[1] = close[i];
    }
    // Of the bars before the current one within its windows; of the averages, what these bars add to the next.
    let anchor = state[1];
    let short = state[2];
    let long = state[3];
    let weighted = state[4];
    let raws = state[5];
    let hull = state[6];
    let slot = state[7] | 0;
    // Bars until they are summed anew.
    let left = state[8] | 0;
    if (i < to) {
      do {
        if (left === 0 || Number.isNaN(hull)) {
          sumAnew(state, close, i, period, slot);
          anchor = state[1];
          short = state[2];
          long = state[3];
          weighted = state[4];
          raws = state[5];
          hull = state[6];
          left = ANCHORED;
        }
        const start = i;
        const end = runEnd(i, to, left, left);
        do {
          const value = close[i];
          const raw = weighted + current * (value - anchor);
          weighted += next * (value - anchor) - (shortShare * short - longShare * long);
          short += value - close[i - half + 1];
          long += value - close[i - period + 1];
          out[i] = offset + i < warmup ? Number.NaN : anchor + (hull + rawShare * root * raw);
          hull += rawShare * ((root - 1) * raw - raws);
          state[RAWS + slot] = raw;
          if (++slot === root) slot = 0;
          raws += raw - state[RAWS + slot];
        } while (++i < end && !Number.isNaN(hull));
        left -= i - start;
      } while (i < to);
    }
    state[0] = offset + to;
    state[1] = anchor;
    state[2] = short;
    state[3] = long;
    state[4] = weighted;
    state[5] = raws;
    state[6] = hull;
    state[7] = slot;
    state[8] = left;
  },
});
