import { allocateBars, type Bars, type Candles } from "../market/candles.js";
import { INTERVAL_MS } from "../market/interval.js";

/** Longer bars made of shorter ones, each with the index of the bar at whose close it is known to be over. */
export interface LongerBars {
  readonly bars: Bars;
  readonly knownAt: Int32Array;
}

/**
 * Bars of `count` times the interval on the clock of UTC, counted from the epoch: bars belong together whose opens lie
 * in one stretch of it. One is over with a bar after which none can open in it, or else with the first bar of a later one;
 * one that is not over is left out.
 */
export function longerBars(
  { interval, time, open, high, low, close, volume }: Candles,
  count: number,
): LongerBars {
  const length = INTERVAL_MS[interval];
  const span = count * length;
  const bars = allocateBars(time.length);
  const knownAt = new Int32Array(time.length);
  let made = 0;
  let start = Number.NaN;
  for (let i = 0; i < time.length; i++) {
    const opened = Math.floor(time[i] / span) * span;
    if (opened === start) {
      if (high[i] > bars.high[made]) bars.high[made] = high[i];
      if (low[i] < bars.low[made]) bars.low[made] = low[i];
      bars.close[made] = close[i];
      bars.volume[made] += volume[i];
    } else {
      if (!Number.isNaN(start)) knownAt[made++] = i;
      start = opened;
      bars.time[made] = opened;
      bars.open[made] = open[i];
      bars.high[made] = high[i];
      bars.low[made] = low[i];
      bars.close[made] = close[i];
      bars.volume[made] = volume[i];
    }
    if (time[i] + length < opened + span) continue;
    knownAt[made++] = i;
    start = Number.NaN;
  }
  const cut = (column: Float64Array) => column.subarray(0, made);
  return {
    bars: {
      time: cut(bars.time),
      open: cut(bars.open),
      high: cut(bars.high),
      low: cut(bars.low),
      close: cut(bars.close),
      volume: cut(bars.volume),
    },
    knownAt: knownAt.subarray(0, made),
  };
}
