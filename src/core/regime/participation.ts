import { createColumn } from "../base/columns.js";
import { type Moves, ratio, sizes } from "./moves.js";
import { windowMeans, windowSums } from "./windows.js";

const FLOW_BARS = 40;
/** Share of bars with volume below which nothing is said of it. */
const LEAST_SHARE = 0.9;
const NEAR_BARS = 10;
const FAR_BARS = 50;

export interface ParticipationColumns {
  readonly flow: Float64Array;
  readonly flow_size: Float64Array;
  readonly volume_trend: Float64Array;
}

/**
 * Whether volume is on the side of buyers or sellers. The slopes of on-balance volume and of the
 * accumulation/distribution line over a window, each per volume of the window; NaN where volume is absent.
 */
export function computeParticipation(
  { close, high, low }: Moves,
  volume: Float64Array,
): ParticipationColumns {
  const { length } = volume;
  const sided = createColumn(length);
  for (let i = 0; i < length; i++) {
    const placed = ratio(2 * close[i] - low[i] - high[i], high[i] - low[i]);
    sided[i] = volume[i] * (placed + Math.sign(close[i])) * 0.5;
  }
  const flow = windowSums(sided, FLOW_BARS);
  const total = windowSums(volume, FLOW_BARS);
  const volumeTrend = windowMeans(volume, NEAR_BARS);
  const far = windowMeans(volume, FAR_BARS);
  let present = 0;
  for (let i = 0; i < length; i++) {
    present += Number(volume[i] > 0) - Number(i >= FLOW_BARS && volume[i - FLOW_BARS] > 0);
    const told = present >= LEAST_SHARE * FLOW_BARS;
    flow[i] = told ? flow[i] / total[i] : Number.NaN;
    volumeTrend[i] = told ? volumeTrend[i] / far[i] : Number.NaN;
  }
  return { flow, flow_size: sizes(flow), volume_trend: volumeTrend };
}
