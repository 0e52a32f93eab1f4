import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";

const { runEnd, sumRestsOfPairs } = rolling;

/**
 * Doubles of state before those of the windows. Each window has the sums of its block of bars so far, then buying
 * pressures and true ranges in pairs, and a pair of 0 for the rest after the last bar of a block.
 */
const WINDOWS = 4;
const BESIDE_PAIRS = 4;

/** Where the next pair of the window at `start` goes, after what ends a full block and begins another. */
function placeOf(state: Float64Array, start: number, period: number, at: number): number {
  const end = start + 2 + 2 * period;
  if (at < end) return at;
  sumRestsOfPairs(state, start + 2, end);
  state[start] = 0;
  state[start + 1] = 0;
  return start + 2;
}

/** Share of the buying pressure in the range; 0 without range. */
function shareOf(pressure: number, range: number): number {
  return range === 0 ? 0 : pressure / range;
}

export const ultosc = defineIndicator({
  name: "ultosc",
  title: "Ultimate Oscillator",
  family: "momentum",
  inputs: ["high", "low", "close"],
  parameters: [
    barsParameter("short", 7, "bars of the window that counts four times", 1),
    barsParameter("middle", 14, "bars of the window that counts twice"),
    barsParameter("long", 28, "bars of the window that counts once"),
  ],
  constraint: {
    text: "short, middle and long must grow in this order",
    holds: ({ short, middle, long }) => short < middle && middle < long,
  },
  outputs: [{ name: "ultosc", unit: "index", range: [0, 100] }],
  warmup: ({ long }) => long,
  nanReach: "window",
  memory: ({ short, middle, long }) => WINDOWS + 2 * (short + middle + long) + 3 * BESIDE_PAIRS,
  lookback: () => 1,
  source: "L. Williams (1976); TA-Lib ULTOSC. A window without range adds 0.",
  run(bars, { short, middle, long }, outputs, state, from, to) {
    const { high, low, close } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    const shortStart = WINDOWS;
    const middleStart = shortStart + 2 * short + BESIDE_PAIRS;
    const longStart = middleStart + 2 * middle + BESIDE_PAIRS;
    const stateEnd = longStart + 2 * long + BESIDE_PAIRS;
    let shortAt = shortStart + 2 + (state[1] | 0);
    let middleAt = middleStart + 2 + (state[2] | 0);
    let longAt = longStart + 2 + (state[3] | 0);
    let i = from;
    if (offset + i === 0) {
      out[i] = Number.NaN;
      i++;
    }
    if (i < to) {
      do {
        shortAt = placeOf(state, shortStart, short, shortAt);
        middleAt = placeOf(state, middleStart, middle, middleAt);
        longAt = placeOf(state, longStart, long, longAt);
        let shortPressure = state[shortStart];
        let shortRange = state[shortStart + 1];
        let middlePressure = state[middleStart];
        let middleRange = state[middleStart + 1];
        let longPressure = state[longStart];
        let longRange = state[longStart + 1];
        const left = (Math.min(middleStart - shortAt, longStart - middleAt, stateEnd - longAt) >> 1) - 1;
        const end = runEnd(i, to, left, left);
        do {
          const past = close[i - 1];
          // Twice the distance of the previous close from the bar, below and above it: 0 within it, without a branch.
          const below = low[i] - past + Math.abs(low[i] - past);
          const above = past - high[i] + Math.abs(past - high[i]);
          const pressure = close[i] - low[i] + below / 2;
          const range = high[i] - low[i] + (below + above) / 2;
          shortPressure += pressure;
          middlePressure += pressure;
          longPressure += pressure;
          shortRange += range;
          middleRange += range;
          longRange += range;
          state[shortAt] = state[middleAt] = state[longAt] = pressure;
          state[shortAt + 1] = state[middleAt + 1] = state[longAt + 1] = range;
          shortAt += 2;
          middleAt += 2;
          longAt += 2;
          const shortShare = shareOf(shortPressure + state[shortAt], shortRange + state[shortAt + 1]);
          const middleShare = shareOf(middlePressure + state[middleAt], middleRange + state[middleAt + 1]);
          const longShare = shareOf(longPressure + state[longAt], longRange + state[longAt + 1]);
          const score = (4 * shortShare + 2 * middleShare + longShare) / 7;
          out[i] = offset + i < long ? Number.NaN : 100 * score;
        } while (++i < end);
        state[shortStart] = shortPressure;
        state[shortStart + 1] = shortRange;
        state[middleStart] = middlePressure;
        state[middleStart + 1] = middleRange;
        state[longStart] = longPressure;
        state[longStart + 1] = longRange;
      } while (i < to);
    }
    state[0] = offset + to;
    state[1] = shortAt - shortStart - 2;
    state[2] = middleAt - middleStart - 2;
    state[3] = longAt - longStart - 2;
  },
});
