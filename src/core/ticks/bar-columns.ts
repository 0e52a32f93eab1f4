/** Bars made of ticks, as columns of one length. */
export interface BarColumns {
  readonly symbol: Uint16Array;
  /** Which of the builder's intervals, from the shortest. */
  readonly interval: Uint8Array;
  /** Open of the bar, epoch ms UTC. */
  readonly time: Float64Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
  /** Ticks. */
  readonly count: Float64Array;
  /** Price weighted by size; NaN without volume. */
  readonly vwap: Float64Array;
  /** Bought less sold over volume, -1 to 1, by the tick rule; NaN without volume. */
  readonly pressure: Float64Array;
  /** Slots of the session since the first bar of the symbol. */
  readonly slot: Float64Array;
}

/** Room for so many bars, written to one by one. */
export class BarTable implements BarColumns {
  declare readonly symbol: Uint16Array;
  declare readonly interval: Uint8Array;
  declare readonly time: Float64Array;
  declare readonly open: Float64Array;
  declare readonly high: Float64Array;
  declare readonly low: Float64Array;
  declare readonly close: Float64Array;
  declare readonly volume: Float64Array;
  declare readonly count: Float64Array;
  declare readonly vwap: Float64Array;
  declare readonly pressure: Float64Array;
  declare readonly slot: Float64Array;

  constructor(capacity: number) {
    this.symbol = new Uint16Array(capacity);
    this.interval = new Uint8Array(capacity);
    this.time = new Float64Array(capacity);
    this.open = new Float64Array(capacity);
    this.high = new Float64Array(capacity);
    this.low = new Float64Array(capacity);
    this.close = new Float64Array(capacity);
    this.volume = new Float64Array(capacity);
    this.count = new Float64Array(capacity);
    this.vwap = new Float64Array(capacity);
    this.pressure = new Float64Array(capacity);
    this.slot = new Float64Array(capacity);
  }

  /** Writes a bar of another table to a place. */
  write(at: number, from: BarColumns, place: number): void {
    this.symbol[at] = from.symbol[place];
    this.interval[at] = from.interval[place];
    this.time[at] = from.time[place];
    this.open[at] = from.open[place];
    this.high[at] = from.high[place];
    this.low[at] = from.low[place];
    this.close[at] = from.close[place];
    this.volume[at] = from.volume[place];
    this.count[at] = from.count[place];
    this.vwap[at] = from.vwap[place];
    this.pressure[at] = from.pressure[place];
    this.slot[at] = from.slot[place];
  }

  /** A copy of the first bars. */
  copyOf(count: number): BarColumns {
    return {
      symbol: this.symbol.slice(0, count),
      interval: this.interval.slice(0, count),
      time: this.time.slice(0, count),
      open: this.open.slice(0, count),
      high: this.high.slice(0, count),
      low: this.low.slice(0, count),
      close: this.close.slice(0, count),
      volume: this.volume.slice(0, count),
      count: this.count.slice(0, count),
      vwap: this.vwap.slice(0, count),
      pressure: this.pressure.slice(0, count),
      slot: this.slot.slice(0, count),
    };
  }
}
