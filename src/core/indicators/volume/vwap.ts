import { defineIndicator } from "../define.js";
import * as sessionFile from "./session.js";

const { SESSION_DAYS, sessionOf, sessionSettle } = sessionFile;

export const vwap = defineIndicator({
  name: "vwap",
  title: "Volume-Weighted Average Price",
  family: "volume",
  inputs: ["time", "high", "low", "close", "volume"],
  parameters: [SESSION_DAYS],
  outputs: [{ name: "vwap", unit: "price" }],
  warmup: () => 0,
  settle: ({ days }, barMs) => sessionSettle(days, barMs),
  nanReach: "session",
  memory: () => 6,
  lookback: () => 0,
  source:
    "Mean of (high + low + close) / 3 since the session began, weighted by volume; the plain mean until there is volume. Sessions are UTC days.",
  run(bars, { days }, outputs, state, from, to) {
    const { time, high, low, close, volume } = bars;
    const out = outputs[0];
    const offset = (state[0] | 0) - from;
    let session = state[1];
    let count = state[2];
    let plain = state[3];
    let weighted = state[4];
    let weight = state[5];
    let i = from;
    do {
      const n = offset + i;
      const current = sessionOf(time[i], days);
      if (n === 0 || current !== session) {
        session = current;
        count = plain = weighted = weight = 0;
      }
      const typical = (high[i] + low[i] + close[i]) / 3;
      count++;
      plain += typical;
      weighted += typical * volume[i];
      weight += volume[i];
      out[i] = weight === 0 ? plain / count : weighted / weight;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = session;
    state[2] = count;
    state[3] = plain;
    state[4] = weighted;
    state[5] = weight;
  },
});
