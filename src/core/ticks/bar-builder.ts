import { assert } from "../base/assert.js";
import { STRETCH, writeStretch } from "../market/bar-times.js";
import { INTERVAL_MS, type Interval, isIntraday } from "../market/interval.js";
import type { Calendar } from "../market/session.js";
import { ClosedBars } from "./closed-bars.js";
import type { Ticks } from "./tick.js";

export interface BarTerms {
  readonly base: Interval;
  /** Intraday intervals that the base divides, from the shortest. */
  readonly longer: readonly Interval[];
  /** Closed bars that can wait to be read. */
  readonly room: number;
}

export const BAR_TERMS: BarTerms = Object.freeze({
  base: "5m",
  longer: Object.freeze(["30m"] as const),
  room: 1_024,
});

/** The tick is of a closed bar, or of no time that the calendar knows. */
export const NOT_TAKEN = -1;

/** Where things are in the bar of an interval that is being made. */
const UNTIL = 0;
const START = 1;
const OPEN = 2;
const HIGH = 3;
const LOW = 4;
const CLOSE = 5;
const VOLUME = 6;
const COUNT = 7;
const VALUE = 8;
const SIGNED = 9;
const SLOT = 10;
/** Slots of the calendar before the first that is not counted yet. */
const COUNTED = 11;
/** The stretch of the grid that it lies in: its session, or what lies between two. */
const SESSION_START = 12;
const SESSION_END = 13;
const BAR_FIELDS = 14;

/** What follows the bar of the base: times of its earliest and latest tick, last price and its direction. */
const FIRST = 14;
const LAST = 15;
const PRICE = 16;
const DIRECTION = 17;
/** The stretch of the grid in which the last bar was opened. */
const STRETCH_AT = 18;
const FROM = STRETCH_AT + STRETCH.from;
const TO = STRETCH_AT + STRETCH.until;
const ANCHOR = STRETCH_AT + STRETCH.anchor;
const SESSION = STRETCH_AT + STRETCH.session;
const IS_REGULAR = STRETCH_AT + STRETCH.regular;
/** The bars of longer intervals. */
const LONGER = STRETCH_AT + STRETCH.length;

/** Regular bars of a length before each session of a calendar, and after the last. */
function slotsBefore({ open, close }: Calendar, length: number): Float64Array {
  const before = new Float64Array(open.length + 1);
  for (let i = 0; i < open.length; i++) before[i + 1] = before[i] + Math.ceil((close[i] - open[i]) / length);
  return before;
}

/**
 * Makes the ticks of many symbols into bars of a base interval, and these into longer ones, by the time of the trades
 * and the grid of `barSpan`. Nothing is allocated by tick or bar, and all that is known of a symbol can be saved.
 *
 * A bar is closed by the first tick of a later one or by the clock, and with it all that lies before. Within it the
 * open is the price of the earliest tick, of several the first that arrived; the close that of the latest, of several
 * the last that arrived. A slot without ticks has no bar. Slots count regular bars of the calendar since the first
 * bar of the symbol, whether they came or not, and bars outside regular hours where they came.
 *
 * Pressure is by the tick rule (Lee and Ready, 1991) in the order of arrival: a price above the one before is bought,
 * below it sold, and one like it as the one before.
 */
export class BarBuilder {
  /** Of each symbol the instant before which its bars are closed, epoch ms. */
  declare readonly closedUntil: Float64Array;
  /** To be read and shifted by the caller; bars that close together come from the shortest on. */
  declare readonly closed: ClosedBars;
  /** The base and the longer intervals. */
  declare readonly intervals: readonly Interval[];
  declare private readonly calendars: Calendar[];
  /** Of each interval, ms. */
  declare readonly lengths: Float64Array;
  declare private readonly slots: (readonly Float64Array[])[];
  declare private readonly tables: Map<Calendar, readonly Float64Array[]>;
  declare private readonly state: Float64Array;
  declare private readonly stride: number;

  /** @param calendars one for each symbol. */
  constructor(calendars: readonly Calendar[], { base, longer, room }: BarTerms = BAR_TERMS) {
    const lengths = Float64Array.from([base, ...longer], (interval) => INTERVAL_MS[interval]);
    for (let level = 0; level < lengths.length; level++) {
      const isMultiple =
        level === 0 || (lengths[level] > lengths[level - 1] && lengths[level] % lengths[0] === 0);
      const interval = [base, ...longer][level];
      assert(isMultiple && isIntraday(interval), `${interval} bars cannot be made of ${base} bars`);
    }
    this.closedUntil = new Float64Array(calendars.length).fill(Number.NEGATIVE_INFINITY);
    this.closed = new ClosedBars(room);
    this.intervals = [base, ...longer];
    this.calendars = [...calendars];
    this.lengths = lengths;
    this.tables = new Map();
    this.slots = calendars.map((calendar) => this.slotsOf(calendar));
    this.stride = LONGER + BAR_FIELDS * longer.length;
    this.state = new Float64Array(this.stride * calendars.length);
    for (let s = 0; s < calendars.length; s++) {
      for (let level = 0; level < lengths.length; level++) {
        const at = this.barAt(s, level);
        this.state[at + UNTIL] = Number.NEGATIVE_INFINITY;
        this.state[at + SLOT] = -1;
      }
      this.state[s * this.stride + PRICE] = Number.NaN;
      this.state[s * this.stride + FROM] = Number.POSITIVE_INFINITY;
    }
  }

  /** Gives a symbol that had no tick yet another calendar. */
  list(symbol: number, calendar: Calendar): void {
    assert(this.closedUntil[symbol] === Number.NEGATIVE_INFINITY, "no bar of the symbol was begun");
    this.calendars[symbol] = calendar;
    this.slots[symbol] = this.slotsOf(calendar);
  }

  private slotsOf(calendar: Calendar): readonly Float64Array[] {
    const known = this.tables.get(calendar);
    if (known !== undefined) return known;
    const made = Array.from(this.lengths, (length) => slotsBefore(calendar, length));
    this.tables.set(calendar, made);
    return made;
  }

  /**
   * Takes tick `i`, which is sound. How many bars it closed, or `NOT_TAKEN`: what the bars of that symbol are is then
   * as before.
   */
  add(ticks: Ticks, i: number): number {
    const { state } = this;
    const s = ticks.symbol[i];
    const at = s * this.stride;
    const time = ticks.time[i];
    let closed = 0;
    if (!(time < state[at + UNTIL] && time >= state[at + START])) {
      closed = this.turn(ticks, i);
      if (closed < 0) return closed;
    }
    const price = ticks.price[i];
    const size = ticks.size[i];
    if (price > state[at + HIGH]) state[at + HIGH] = price;
    if (price < state[at + LOW]) state[at + LOW] = price;
    if (time >= state[at + LAST]) {
      state[at + LAST] = time;
      state[at + CLOSE] = price;
    } else if (time < state[at + FIRST]) {
      state[at + FIRST] = time;
      state[at + OPEN] = price;
    }
    const before = state[at + PRICE];
    if (price > before) state[at + DIRECTION] = 1;
    else if (price < before) state[at + DIRECTION] = -1;
    state[at + PRICE] = price;
    state[at + VOLUME] += size;
    state[at + VALUE] += price * size;
    state[at + SIGNED] += state[at + DIRECTION] * size;
    state[at + COUNT]++;
    return closed;
  }

  /**
   * Closes all bars of a symbol that end at or before an instant. How many that were.
   * @param clock the instant in its first place, epoch ms.
   */
  closeUntil(symbol: number, clock: Float64Array): number {
    const at = symbol * this.stride;
    if (!this.findStretch(symbol, clock, 0)) return 0;
    const start = this.state[at + ANCHOR] + this.cellOf(at, clock, 0, 0) * this.lengths[0];
    const opened = Math.max(start, this.state[at + FROM]);
    let ends = 0;
    for (let level = 0; level < this.lengths.length; level++) {
      const bar = this.barAt(symbol, level);
      if (this.state[bar + COUNT] > 0 && this.state[bar + UNTIL] <= opened) ends++;
    }
    // Where no bar ends, late ticks may still make one.
    if (ends === 0) return 0;
    if (opened > this.closedUntil[symbol]) this.closedUntil[symbol] = opened;
    return this.close(symbol);
  }

  /** Length of the saved state of a symbol. */
  get stateLength(): number {
    return this.stride + 1;
  }

  save(symbol: number, into: Float64Array): void {
    for (let k = 0; k < this.stride; k++) into[k] = this.state[symbol * this.stride + k];
    into[this.stride] = this.closedUntil[symbol];
  }

  load(symbol: number, from: Float64Array): void {
    for (let k = 0; k < this.stride; k++) this.state[symbol * this.stride + k] = from[k];
    this.closedUntil[symbol] = from[this.stride];
  }

  private barAt(symbol: number, level: number): number {
    return symbol * this.stride + (level === 0 ? 0 : LONGER + BAR_FIELDS * (level - 1));
  }

  /** Closes what lies before tick `i` and opens its bar, to which it is yet to be added. */
  private turn(ticks: Ticks, i: number): number {
    const { state } = this;
    const s = ticks.symbol[i];
    const at = s * this.stride;
    if (!(ticks.time[i] >= this.closedUntil[s]) || !this.findStretch(s, ticks.time, i)) return NOT_TAKEN;
    const cell = this.cellOf(at, ticks.time, i, 0);
    this.closedUntil[s] = Math.max(state[at + ANCHOR] + cell * this.lengths[0], state[at + FROM]);
    const closed = this.close(s);
    for (let level = 0; level < this.lengths.length; level++) {
      const bar = this.barAt(s, level);
      // A longer bar that goes on has some of its shorter ones.
      if (state[bar + COUNT] === 0) this.place(s, level, this.cellOf(at, ticks.time, i, level));
    }
    const price = ticks.price[i];
    state[at + OPEN] = price;
    state[at + HIGH] = price;
    state[at + LOW] = price;
    state[at + CLOSE] = price;
    state[at + FIRST] = ticks.time[i];
    state[at + LAST] = ticks.time[i];
    return closed;
  }

  /** Which bar of its stretch a time lies in, counted from the anchor. */
  private cellOf(at: number, times: Float64Array, i: number, level: number): number {
    return Math.floor((times[i] - this.state[at + ANCHOR]) / this.lengths[level]);
  }

  /** Gives a bar that has nothing in it its times and its slot. */
  private place(symbol: number, level: number, cell: number): void {
    const { state } = this;
    const at = symbol * this.stride;
    const bar = this.barAt(symbol, level);
    const length = this.lengths[level];
    const start = state[at + ANCHOR] + cell * length;
    state[bar + START] = Math.max(start, state[at + FROM]);
    state[bar + UNTIL] = Math.min(start + length, state[at + TO]);
    state[bar + SESSION_START] = state[at + FROM];
    state[bar + SESSION_END] = state[at + TO];
    const session = state[at + SESSION];
    const isRegular = state[at + IS_REGULAR];
    const before = this.slots[symbol][level][session + 1 - isRegular] + isRegular * cell;
    state[bar + SLOT] = state[bar + SLOT] < 0 ? 0 : state[bar + SLOT] + before + 1 - state[bar + COUNTED];
    state[bar + COUNTED] = before + isRegular;
  }

  /** Makes the stretch of a time the one that is kept; false outside the years of the calendar. */
  private findStretch(symbol: number, times: Float64Array, i: number): boolean {
    const { state } = this;
    const at = symbol * this.stride;
    if (times[i] >= state[at + FROM] && times[i] < state[at + TO]) return true;
    return writeStretch(this.calendars[symbol], times, i, state, at + STRETCH_AT);
  }

  /** Closes what ends at or before the instant until which the bars of a symbol are closed. */
  private close(symbol: number): number {
    const { state } = this;
    const at = symbol * this.stride;
    const until = this.closedUntil[symbol];
    let closed = 0;
    if (state[at + COUNT] > 0 && state[at + UNTIL] <= until) {
      for (let level = 1; level < this.lengths.length; level++) this.extend(at, this.barAt(symbol, level));
      this.tell(symbol, 0);
      closed++;
    }
    for (let level = 1; level < this.lengths.length; level++) {
      const bar = this.barAt(symbol, level);
      if (state[bar + COUNT] === 0 || state[bar + UNTIL] > until) continue;
      this.tell(symbol, level);
      closed++;
    }
    return closed;
  }

  /** Adds the bar at `from` to a longer one. */
  private extend(from: number, bar: number): void {
    const { state } = this;
    if (state[bar + COUNT] === 0) {
      state[bar + OPEN] = state[from + OPEN];
      state[bar + HIGH] = state[from + HIGH];
      state[bar + LOW] = state[from + LOW];
    }
    if (state[from + HIGH] > state[bar + HIGH]) state[bar + HIGH] = state[from + HIGH];
    if (state[from + LOW] < state[bar + LOW]) state[bar + LOW] = state[from + LOW];
    state[bar + CLOSE] = state[from + CLOSE];
    state[bar + VOLUME] += state[from + VOLUME];
    state[bar + COUNT] += state[from + COUNT];
    state[bar + VALUE] += state[from + VALUE];
    state[bar + SIGNED] += state[from + SIGNED];
  }

  /** Puts a bar among those that are closed, and empties it. */
  private tell(symbol: number, level: number): void {
    const { state, closed } = this;
    const bar = this.barAt(symbol, level);
    const place = closed.push();
    const volume = state[bar + VOLUME];
    closed.symbol[place] = symbol;
    closed.interval[place] = level;
    closed.time[place] = state[bar + START];
    closed.open[place] = state[bar + OPEN];
    closed.high[place] = state[bar + HIGH];
    closed.low[place] = state[bar + LOW];
    closed.close[place] = state[bar + CLOSE];
    closed.volume[place] = volume;
    closed.count[place] = state[bar + COUNT];
    closed.vwap[place] = volume > 0 ? state[bar + VALUE] / volume : Number.NaN;
    closed.pressure[place] = volume > 0 ? state[bar + SIGNED] / volume : Number.NaN;
    closed.slot[place] = state[bar + SLOT];
    closed.until[place] = state[bar + UNTIL];
    closed.sessionStart[place] = state[bar + SESSION_START];
    closed.sessionEnd[place] = state[bar + SESSION_END];
    state[bar + UNTIL] = Number.NEGATIVE_INFINITY;
    state[bar + VOLUME] = 0;
    state[bar + COUNT] = 0;
    state[bar + VALUE] = 0;
    state[bar + SIGNED] = 0;
  }
}
