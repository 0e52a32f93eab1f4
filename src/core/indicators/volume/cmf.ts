import * as rolling from "../../base/rolling.js";
import { barsParameter, defineIndicator } from "../define.js";
import * as ad from "./ad.js";

const { runEnd, sumRestsOfPairs } = rolling;
const { moneyFlowVolume } = ad;

/** Doubles of state before flows and volumes in pairs, and a pair of 0 for the rest after the last bar of a block. */
const PAIRS = 4;

export const cmf = defineIndicator({
  name: "cmf",
  title: "Chaikin Money Flow",
  family: "volume",
  inputs: ["high", "low", "close", "volume"],
  parameters: [barsParameter("period", 20, "bars of the window", 1)],
  outputs: [{ name: "cmf", unit: "ratio", range: [-1, 1] }],
  warmup: ({ period }) => period - 1,
  nanReach: "window",
  memory: ({ period }) => PAIRS + 2 * period + 2,
  lookback: () => 0,
  source: "M. Chaikin: sum of money flow volumes over the sum of volumes. 0 in a window without volume.",
  run(bars, { period }, outputs, state, from, to) {
    const { high, low, close, volume } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    const end = PAIRS + 2 * period;
    // Of the block of bars that the current one is in, and where its pair goes.
    let flow = state[1];
    let total = state[2];
    let at = PAIRS + (state[3] | 0);
    let i = from;
    do {
      if (at === end) {
        sumRestsOfPairs(state, PAIRS, end);
        flow = 0;
        total = 0;
        at = PAIRS;
      }
      const left = (end - at) >> 1;
      const stop = runEnd(i, to, left, left);
      do {
        const bought = moneyFlowVolume(high[i], low[i], close[i], volume[i]);
        flow += bought;
        total += volume[i];
        state[at] = bought;
        state[at + 1] = volume[i];
        at += 2;
        const volumes = total + state[at + 1];
        const share = volumes === 0 ? 0 : (flow + state[at]) / volumes;
        out[i] = offset + i < period - 1 ? Number.NaN : share;
      } while (++i < stop);
    } while (i < to);
    state[0] = offset + to;
    state[1] = flow;
    state[2] = total;
    state[3] = at - PAIRS;
  },
});
