import { assert } from "../base/assert.js";
import { allocateBars, BAR_COLUMNS, type Bar, type BarColumn, type Bars } from "../market/candles.js";
import type { Indicator, ParameterValues } from "./define.js";

/** An indicator that takes one closed bar at a time. */
export interface IndicatorStream {
  readonly indicator: Indicator;
  readonly values: ParameterValues;
  update(bar: Bar): void;
  /** An output at the last bar taken, in the order of the row; NaN before the first bar and through warm-up. */
  value(output?: number): number;
  /** Takes bar `index` of the columns: allocates nothing, where a bar as an object costs its doubles. */
  updateFrom(bars: Bars, index: number): void;
}

/** Bars between two moves of the columns, beyond what an indicator reads back. */
const ROOM = 1_024;

/** The columns an indicator reads, one bit each in the order of `BAR_COLUMNS`. */
function bitsOf(columns: readonly BarColumn[]): number {
  return BAR_COLUMNS.reduce((bits, name, position) => bits | (columns.includes(name) ? 1 << position : 0), 0);
}

const TIME_OR_OPEN = bitsOf(["time", "open"]);
const HIGH_OR_LOW = bitsOf(["high", "low"]);
const CLOSE = bitsOf(["close"]);
const VOLUME = bitsOf(["volume"]);

/**
 * Columns that keep what an indicator reads back and little more.
 *
 * A class, for V8 knows of its fields which hold a typed array and need not ask at each bar, as it must of
 * variables that closures share: a third of the time of a bar. It knows only of fields whose first value is the
 * typed array, so they are declared here, where a definition would set them to undefined first.
 */
class Stream implements IndicatorStream {
  declare readonly indicator: Indicator;
  declare readonly values: ParameterValues;
  declare private readonly run: Indicator["run"];
  declare private readonly lookback: number;
  declare private readonly capacity: number;
  declare private readonly kept: Bars;
  declare private readonly time: Float64Array;
  declare private readonly open: Float64Array;
  declare private readonly high: Float64Array;
  declare private readonly low: Float64Array;
  declare private readonly close: Float64Array;
  declare private readonly volume: Float64Array;
  declare private readonly reads: number;
  declare private readonly outputs: readonly Float64Array[];
  declare private readonly moved: readonly Float64Array[];
  declare private readonly state: Float64Array;
  /** Where the next bar goes. */
  declare private at: number;

  constructor(indicator: Indicator, values: ParameterValues) {
    const lookback = indicator.lookback(values);
    const capacity = 2 * lookback + ROOM;
    const kept = allocateBars(capacity);
    const outputs = indicator.outputs.map(() => new Float64Array(capacity));
    this.indicator = indicator;
    this.values = values;
    this.run = indicator.run;
    this.lookback = lookback;
    this.capacity = capacity;
    this.kept = kept;
    this.time = kept.time;
    this.open = kept.open;
    this.high = kept.high;
    this.low = kept.low;
    this.close = kept.close;
    this.volume = kept.volume;
    this.reads = bitsOf(indicator.inputs);
    this.outputs = outputs;
    this.moved = [...indicator.inputs.map((name) => kept[name]), ...outputs];
    this.state = new Float64Array(indicator.memory(values));
    this.at = 0;
  }

  update(bar: Bar): void {
    if (this.at === this.capacity) this.makeRoom();
    const { at, reads } = this;
    if ((reads & CLOSE) !== 0) this.close[at] = bar.close;
    if ((reads & HIGH_OR_LOW) !== 0) {
      this.high[at] = bar.high;
      this.low[at] = bar.low;
    }
    if ((reads & VOLUME) !== 0) this.volume[at] = bar.volume;
    if ((reads & TIME_OR_OPEN) !== 0) {
      this.time[at] = bar.time;
      this.open[at] = bar.open;
    }
    this.step(at);
  }

  updateFrom(bars: Bars, index: number): void {
    if (this.at === this.capacity) this.makeRoom();
    const { at, reads } = this;
    if ((reads & CLOSE) !== 0) this.close[at] = bars.close[index];
    if ((reads & HIGH_OR_LOW) !== 0) {
      this.high[at] = bars.high[index];
      this.low[at] = bars.low[index];
    }
    if ((reads & VOLUME) !== 0) this.volume[at] = bars.volume[index];
    if ((reads & TIME_OR_OPEN) !== 0) {
      this.time[at] = bars.time[index];
      this.open[at] = bars.open[index];
    }
    this.step(at);
  }

  value(output = 0): number {
    return this.at === 0 ? Number.NaN : this.outputs[output][this.at - 1];
  }

  private step(at: number): void {
    const { run } = this;
    this.at = at + 1;
    run(this.kept, this.values, this.outputs, this.state, at, at + 1);
  }

  private makeRoom(): void {
    const { moved, capacity, lookback } = this;
    for (let k = 0; k < moved.length; k++) {
      const column = moved[k];
      // A loop: most rows read back less than a call of copyWithin costs.
      for (let i = 0; i < lookback; i++) column[i] = column[capacity - lookback + i];
    }
    this.at = lookback;
  }
}

/**
 * A stream whose values equal those of the batch form over the same bars, to the last bit: both are the
 * indicator's own `run`, here on columns of its own.
 */
export function createStream(indicator: Indicator, values: ParameterValues): IndicatorStream {
  return new Stream(indicator, values);
}

/**
 * An indicator over columns that their owner fills, bar after bar: nothing is copied, and many of them share the
 * same bars.
 */
export class Follower {
  declare readonly indicator: Indicator;
  declare readonly values: ParameterValues;
  declare private readonly run: Indicator["run"];
  declare private readonly bars: Bars;
  declare private readonly outputs: readonly Float64Array[];
  declare private readonly state: Float64Array;
  declare private at: number;

  /**
   * @param bars the first bar is to come at index 0.
   * @param outputs a column for each output of the row, as long as those of `bars`: the caller's.
   */
  constructor(indicator: Indicator, values: ParameterValues, bars: Bars, outputs: readonly Float64Array[]) {
    const { length } = bars.time;
    const fitting =
      outputs.length === indicator.outputs.length && outputs.every((row) => row.length === length);
    assert(fitting, `${indicator.name} has ${indicator.outputs.length} outputs as long as the bars`);
    this.indicator = indicator;
    this.values = values;
    this.run = indicator.run;
    this.bars = bars;
    this.outputs = outputs;
    this.state = new Float64Array(indicator.memory(values));
    this.at = 0;
  }

  /** Where the next bar is read, and its values are written. */
  get next(): number {
    return this.at;
  }

  /** Doubles of what it keeps. */
  get stateLength(): number {
    return this.state.length;
  }

  /** Writes what it keeps from a place on. @returns the place after it. */
  save(into: Float64Array, from: number): number {
    into.set(this.state, from);
    return from + this.state.length;
  }

  /** Takes back what was saved, the next bar being read at `next`. @returns the place after it. */
  load(from: Float64Array, start: number, next: number): number {
    this.state.set(from.subarray(start, start + this.state.length));
    this.at = next;
    return start + this.state.length;
  }

  /** Takes the bar at `next`, which has been filled in. */
  update(): void {
    const { at, run } = this;
    this.at = at + 1;
    run(this.bars, this.values, this.outputs, this.state, at, at + 1);
  }

  /**
   * The owner has moved the bars and outputs towards the front by so many, keeping at least `lookback` of the
   * indicator before `next`.
   */
  moved(count: number): void {
    assert(Number.isInteger(count) && count >= 0 && count <= this.at, `moved by ${count} of ${this.at} bars`);
    this.at -= count;
  }
}
