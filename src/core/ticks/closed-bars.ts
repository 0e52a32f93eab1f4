import { assert } from "../base/assert.js";
import { BarTable } from "./bar-columns.js";

/** Bars that were closed and wait to be read, oldest first, as columns of a ring. */
export class ClosedBars extends BarTable {
  /** First instant after the bar, and the hours that it lies in, epoch ms: its session, or what lies between two. */
  declare readonly until: Float64Array;
  declare readonly sessionStart: Float64Array;
  declare readonly sessionEnd: Float64Array;
  /** Where the oldest is. */
  declare first: number;
  declare unread: number;

  constructor(capacity: number) {
    super(capacity);
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
