import { assert } from "../base/assert.js";

/** Bars that were closed and wait to be read, oldest first, as columns of a ring. */
export class ClosedBars {
  declare readonly symbol: Uint16Array;
  /** Which of the builder's intervals, from the shortest. */
  declare readonly interval: Uint8Array;
  /** Open of the bar, epoch ms UTC. */
  declare readonly time: Float64Array;
  declare readonly open: Float64Array;
  declare readonly high: Float64Array;
  declare readonly low: Float64Array;
  declare readonly close: Float64Array;
  declare readonly volume: Float64Array;
  /** Ticks. */
  declare readonly count: Float64Array;
  /** Price weighted by size; NaN without volume. */
  declare readonly vwap: Float64Array;
  /** Bought less sold over volume, -1 to 1, by the tick rule; NaN without volume. */
  declare readonly pressure: Float64Array;
  /** Slots of the session since the first bar of the symbol. */
  declare readonly slot: Float64Array;
  /** First instant after the bar, and the hours that it lies in, epoch ms: its session, or what lies between two. */
  declare readonly until: Float64Array;
  declare readonly sessionStart: Float64Array;
  declare readonly sessionEnd: Float64Array;
  /** Where the oldest is. */
  declare first: number;
  declare unread: number;

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
    this.until = new Float64Array(capacity);
    this.sessionStart = new Float64Array(capacity);
    this.sessionEnd = new Float64Array(capacity);
    this.first = 0;
    this.unread = 0;
  }

  /** The oldest has been read. */
  shift(): void {
    assert(this.unread > 0, "no bar waits");
    this.first = this.first + 1 === this.time.length ? 0 : this.first + 1;
    this.unread--;
  }

  /** Room for one more, whose place is given. */
  push(): number {
    const capacity = this.time.length;
    assert(this.unread < capacity, "closed bars are not read");
    const place = this.first + this.unread;
    this.unread++;
    return place < capacity ? place : place - capacity;
  }
}
