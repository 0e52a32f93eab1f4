import { allocateBars, BAR_COLUMNS, type Bar, type Bars } from "../market/candles.js";
import type { Indicator, ParameterValues } from "./define.js";

/** An indicator that takes one closed bar at a time. */
export interface IndicatorStream {
  readonly indicator: Indicator;
  readonly values: ParameterValues;
  /** Each output at the last bar taken, NaN through its warm-up; the same array at every bar. */
  readonly latest: Float64Array;
  update(bar: Bar): void;
  /** Takes bar `index` of the columns: allocates nothing, where a bar as an object costs its doubles. */
  updateFrom(bars: Bars, index: number): void;
}

/** Bars between two moves of the columns, beyond what an indicator reads back. */
const ROOM = 256;

/**
 * A stream whose values equal those of the batch form over the same bars, to the last bit: both are the
 * indicator's own `run`, here on columns that keep what it reads back and little more.
 */
export function createStream(indicator: Indicator, values: ParameterValues): IndicatorStream {
  const { inputs, run } = indicator;
  const lookback = indicator.lookback(values);
  const capacity = 2 * lookback + ROOM;
  const kept = allocateBars(capacity);
  const { time, open, high, low, close, volume } = kept;
  const [readsTime, readsOpen, readsHigh, readsLow, readsClose, readsVolume] = BAR_COLUMNS.map((name) =>
    inputs.includes(name),
  );
  const outputs = indicator.outputs.map(() => new Float64Array(capacity));
  const moved = [...inputs.map((name) => kept[name]), ...outputs];
  const state = new Float64Array(indicator.memory(values));
  const latest = new Float64Array(outputs.length).fill(Number.NaN);
  let at = 0;

  function makeRoom(): void {
    for (let k = 0; k < moved.length; k++) moved[k].copyWithin(0, capacity - lookback);
    at = lookback;
  }

  function step(): void {
    run(kept, values, outputs, state, at, at + 1);
    for (let output = 0; output < outputs.length; output++) latest[output] = outputs[output][at];
    at++;
  }

  return {
    indicator,
    values,
    latest,
    update(bar) {
      if (at === capacity) makeRoom();
      if (readsTime) time[at] = bar.time;
      if (readsOpen) open[at] = bar.open;
      if (readsHigh) high[at] = bar.high;
      if (readsLow) low[at] = bar.low;
      if (readsClose) close[at] = bar.close;
      if (readsVolume) volume[at] = bar.volume;
      step();
    },
    updateFrom(bars, index) {
      if (at === capacity) makeRoom();
      if (readsTime) time[at] = bars.time[index];
      if (readsOpen) open[at] = bars.open[index];
      if (readsHigh) high[at] = bars.high[index];
      if (readsLow) low[at] = bars.low[index];
      if (readsClose) close[at] = bars.close[index];
      if (readsVolume) volume[at] = bars.volume[index];
      step();
    },
  };
}
