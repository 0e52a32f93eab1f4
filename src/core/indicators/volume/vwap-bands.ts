import { defineIndicator, numberParameter } from "../define.js";
import * as sessionFile from "./session.js";

const { SESSION_DAYS, sessionOf, sessionSettle } = sessionFile;

export const vwapBands = defineIndicator({
  name: "vwap_bands",
  title: "VWAP Bands",
  family: "volume",
  inputs: ["time", "high", "low", "close", "volume"],
  parameters: [
    numberParameter("deviations", 2, [0, 100], "standard deviations between the average and a band"),
    SESSION_DAYS,
  ],
  outputs: [
    { name: "upper", unit: "price" },
    { name: "middle", unit: "price" },
    { name: "lower", unit: "price" },
  ],
  warmup: () => 0,
  settle: ({ days }, barMs) => sessionSettle(days, barMs),
  nanReach: "session",
  memory: () => 6,
  lookback: () => 0,
  source:
    "VWAP and the standard deviation, weighted by volume, of the session's (high + low + close) / 3 (D. West's update, 1979); all bars weigh alike until there is volume.",
  run(bars, { deviations, days }, outputs, state, from, to) {
    const { time, high, low, close, volume } = bars;
    const offset = (state[0] | 0) - from;
    let session = state[1];
    let traded = state[2];
    let weight = state[3];
    let mean = state[4];
    let squares = state[5];
    let i = from;
    do {
      const n = offset + i;
      const current = sessionOf(time[i], days);
      if (n === 0 || current !== session) {
        session = current;
        traded = weight = mean = squares = 0;
      }
      const typical = (high[i] + low[i] + close[i]) / 3;
      // The first volume of a session makes the bars before it, which had none, count for nothing.
      if (traded === 0 && volume[i] !== 0) {
        traded = 1;
        weight = mean = squares = 0;
      }
      const share = traded === 0 ? 1 : volume[i];
      weight += share;
      const distance = typical - mean;
      if (share !== 0) mean += (share / weight) * distance;
      squares += share * distance * (typical - mean);
      const width = deviations * Math.sqrt(squares / weight);
      outputs[0][i] = mean + width;
      outputs[1][i] = mean;
      outputs[2][i] = mean - width;
    } while (++i < to);
    state[0] = offset + to;
    state[1] = session;
    state[2] = traded;
    state[3] = weight;
    state[4] = mean;
    state[5] = squares;
  },
});
