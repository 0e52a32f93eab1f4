import { assert } from "../base/assert.js";
import { STRETCH, writeStretch } from "../market/bar-times.js";
import { INTERVAL_MS, type Interval, isIntraday } from "../market/interval.js";
import type { Calendar } from "../market/session.js";
import type { BarColumns } from "./bar-columns.js";
import { ClosedBars } from "./closed-bars.js";
import { addToBar, BAR_FIELDS, MOST_LONGER, ROW } from "./plain-ticks.js";
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
const START = ROW.start - ROW.until;
const OPEN = ROW.open - ROW.until;
const HIGH = ROW.high - ROW.until;
const LOW = ROW.low - ROW.until;
const CLOSE = ROW.close - ROW.until;
const VOLUME = ROW.volume - ROW.until;
const COUNT = ROW.count - ROW.until;
const VALUE = ROW.value - ROW.until;
const SIGNED = ROW.signed - ROW.until;
const SLOT = SIGNED + 1;
/** Slots of the calendar before the first that is not counted yet. */
const COUNTED = SLOT + 1;
/** The stretch of the grid that it lies in: its session, or what lies between two. */
const SESSION_START = SLOT + 2;
const SESSION_END = SLOT + 3;

/** In the row of a symbol, what is the builder's begins with the bar of the base; then, counted from that, */
const BASE = ROW.until;
const FIRST = ROW.first - BASE;
const LATEST = ROW.latest - BASE;
const PRICE = ROW.price - BASE;
/** the stretch of the grid in which the last bar was opened, */
const STRETCH_AT = ROW.direction + 1 - BASE;
const FROM = STRETCH_AT + STRETCH.from;
const TO = STRETCH_AT + STRETCH.until;
const ANCHOR = STRETCH_AT + STRETCH.anchor;
const SESSION = STRETCH_AT + STRETCH.session;
const IS_REGULAR = STRETCH_AT + STRETCH.regular;
/** and the bars of longer intervals. */
const LONGER = STRETCH_AT + STRETCH.length;
const STRIDE = ROW.length;

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
  /** Bars that begin before it lack their beginning, and are told to nobody; NaN for before the next tick, epoch ms. */
  declare private readonly wholeFrom: Float64Array;
  declare private readonly calendars: Calendar[];
  /** Of each interval, ms. */
  declare readonly lengths: Float64Array;
  declare private readonly slots: (readonly Float64Array[])[];
  declare private readonly tables: Map<Calendar, readonly Float64Array[]>;
  /** Of each symbol a row of `ROW`. */
  declare readonly rows: Float64Array;
  /** Fields of the builder in it. */
  declare private readonly fields: number;

  /** @param calendars one for each symbol. */
  constructor(calendars: readonly Calendar[], { base, longer, room }: BarTerms = BAR_TERMS) {
    const lengths = Float64Array.from([base, ...longer], (interval) => INTERVAL_MS[interval]);
    for (let level = 0; level < lengths.length; level++) {
      const isMultiple =
        level === 0 || (lengths[level] > lengths[level - 1] && lengths[level] % lengths[0] === 0);
      const interval = [base, ...longer][level];
      assert(isMultiple && isIntraday(interval), `${interval} bars cannot be made of ${base} bars`);
    }
    assert(longer.length <= MOST_LONGER, `${longer.length} longer intervals`);
    this.closedUntil = new Float64Array(calendars.length).fill(Number.NEGATIVE_INFINITY);
    this.wholeFrom = new Float64Array(calendars.length).fill(Number.NEGATIVE_INFINITY);
    this.closed = new ClosedBars(room);
    this.intervals = [base, ...longer];
    this.calendars = [...calendars];
    this.lengths = lengths;
    this.tables = new Map();
    this.slots = calendars.map((calendar) => this.slotsOf(calendar));
    this.fields = LONGER + BAR_FIELDS * longer.length;
    this.rows = new Float64Array(STRIDE * calendars.length);
    for (let s = 0; s < calendars.length; s++) {
      for (let level = 0; level < lengths.length; level++) {
        const at = this.barAt(s, level);
        this.rows[at + UNTIL] = Number.NEGATIVE_INFINITY;
        this.rows[at + SLOT] = -1;
      }
      this.rows[s * STRIDE + BASE + PRICE] = Number.NaN;
      this.rows[s * STRIDE + BASE + FROM] = Number.POSITIVE_INFINITY;
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
    const { rows } = this;
    const at = ticks.symbol[i] * STRIDE;
    const time = ticks.time[i];
    let closed = 0;
    if (!(time < rows[at + BASE + UNTIL] && time >= rows[at + BASE + START])) {
      closed = this.turn(ticks, i);
      if (closed < 0) return closed;
    }
    addToBar(ticks, i, rows);
    return closed;
  }

  /**
   * Closes all bars of a symbol that end at or before an instant. How many that were.
   * @param clock the instant in its first place, epoch ms.
   */
  closeUntil(symbol: number, clock: Float64Array): number {
    const at = symbol * STRIDE + BASE;
    if (!this.findStretch(symbol, clock, 0)) return 0;
    const start = this.rows[at + ANCHOR] + this.cellOf(at, clock, 0, 0) * this.lengths[0];
    const opened = Math.max(start, this.rows[at + FROM]);
    let ends = 0;
    for (let level = 0; level < this.lengths.length; level++) {
      const bar = this.barAt(symbol, level);
      if (this.rows[bar + COUNT] > 0 && this.rows[bar + UNTIL] <= opened) ends++;
    }
    // Where no bar ends, late ticks may still make one.
    if (ends === 0) return 0;
    if (opened > this.closedUntil[symbol]) this.closedUntil[symbol] = opened;
    return this.close(symbol);
  }

  /** First instant after all bars of a symbol that are open, epoch ms; -Infinity for none. */
  openUntil(symbol: number): number {
    let until = Number.NEGATIVE_INFINITY;
    for (let level = 0; level < this.lengths.length; level++) {
      until = Math.max(until, this.rows[this.barAt(symbol, level) + UNTIL]);
    }
    return until;
  }

  /** Time of the latest tick of the newest bar of a symbol, epoch ms. */
  latest(symbol: number): number {
    return this.rows[symbol * STRIDE + BASE + LATEST];
  }

  /** Ticks of a symbol that has none here were lost before the next one: bars that began before it are not told. */
  cut(symbol: number): void {
    this.wholeFrom[symbol] = Number.NaN;
  }

  /** A tick of a closed bar came: what lies after it lacks nothing from here on, if more was lost before. */
  hear(ticks: Ticks, i: number): void {
    const s = ticks.symbol[i];
    if (Number.isNaN(this.wholeFrom[s])) this.wholeFrom[s] = ticks.time[i];
  }

  /** First instant after the bar of a time, epoch ms; NaN outside the years of the calendar. */
  endOf(symbol: number, level: number, times: Float64Array, i: number): number {
    const at = symbol * STRIDE + BASE;
    if (!this.findStretch(symbol, times, i)) return Number.NaN;
    const cell = this.cellOf(at, times, i, level);
    return Math.min(this.rows[at + ANCHOR] + (cell + 1) * this.lengths[level], this.rows[at + TO]);
  }

  /**
   * Puts a bar that was closed and stored before among those that are closed, and goes on after it: its ticks are late, and
   * slots are counted from its own. Bars of a symbol have to come in the order in which they ended, and from within the years
   * of the calendar.
   */
  recall(symbol: number, bars: BarColumns, i: number): void {
    const { rows, closed } = this;
    const level = bars.interval[i];
    const until = this.endOf(symbol, level, bars.time, i);
    const at = symbol * STRIDE + BASE;
    const bar = this.barAt(symbol, level);
    const isRegular = rows[at + IS_REGULAR];
    const cell = this.cellOf(at, bars.time, i, level);
    const before = this.slots[symbol][level][rows[at + SESSION] + 1 - isRegular] + isRegular * cell;
    rows[bar + SLOT] = bars.slot[i];
    rows[bar + COUNTED] = before + isRegular;
    this.closedUntil[symbol] = Math.max(this.closedUntil[symbol], until);
    const place = closed.push();
    closed.write(place, bars, i);
    closed.symbol[place] = symbol;
    closed.until[place] = until;
    closed.sessionStart[place] = rows[at + FROM];
    closed.sessionEnd[place] = rows[at + TO];
  }

  /** Length of the saved state of a symbol. */
  get stateLength(): number {
    return this.fields + 2;
  }

  save(symbol: number, into: Float64Array): void {
    const at = symbol * STRIDE + BASE;
    for (let k = 0; k < this.fields; k++) into[k] = this.rows[at + k];
    into[this.fields] = this.closedUntil[symbol];
    into[this.fields + 1] = this.wholeFrom[symbol];
  }

  load(symbol: number, from: Float64Array): void {
    const at = symbol * STRIDE + BASE;
    for (let k = 0; k < this.fields; k++) this.rows[at + k] = from[k];
    this.closedUntil[symbol] = from[this.fields];
    this.wholeFrom[symbol] = from[this.fields + 1];
  }

  private barAt(symbol: number, level: number): number {
    return symbol * STRIDE + BASE + (level === 0 ? 0 : LONGER + BAR_FIELDS * (level - 1));
  }

  /** Closes what lies before tick `i` and opens its bar, to which it is yet to be added. */
  private turn(ticks: Ticks, i: number): number {
    const { rows } = this;
    const s = ticks.symbol[i];
    const at = s * STRIDE + BASE;
    if (!(ticks.time[i] >= this.closedUntil[s]) || !this.findStretch(s, ticks.time, i)) return NOT_TAKEN;
    const cell = this.cellOf(at, ticks.time, i, 0);
    if (Number.isNaN(this.wholeFrom[s])) this.wholeFrom[s] = ticks.time[i];
    this.closedUntil[s] = Math.max(rows[at + ANCHOR] + cell * this.lengths[0], rows[at + FROM]);
    const closed = this.close(s);
    for (let level = 0; level < this.lengths.length; level++) {
      const bar = this.barAt(s, level);
      // A longer bar that goes on has some of its shorter ones.
      if (rows[bar + COUNT] === 0) this.place(s, level, this.cellOf(at, ticks.time, i, level));
    }
    const price = ticks.price[i];
    rows[at + OPEN] = price;
    rows[at + HIGH] = price;
    rows[at + LOW] = price;
    rows[at + CLOSE] = price;
    rows[at + FIRST] = ticks.time[i];
    rows[at + LATEST] = ticks.time[i];
    return closed;
  }

  /** Which bar of its stretch a time lies in, counted from the anchor. */
  private cellOf(at: number, times: Float64Array, i: number, level: number): number {
    return Math.floor((times[i] - this.rows[at + ANCHOR]) / this.lengths[level]);
  }

  /** Gives a bar that has nothing in it its times and its slot. */
  private place(symbol: number, level: number, cell: number): void {
    const { rows } = this;
    const at = symbol * STRIDE + BASE;
    const bar = this.barAt(symbol, level);
    const length = this.lengths[level];
    const start = rows[at + ANCHOR] + cell * length;
    rows[bar + START] = Math.max(start, rows[at + FROM]);
    rows[bar + UNTIL] = Math.min(start + length, rows[at + TO]);
    rows[bar + SESSION_START] = rows[at + FROM];
    rows[bar + SESSION_END] = rows[at + TO];
    const session = rows[at + SESSION];
    const isRegular = rows[at + IS_REGULAR];
    const before = this.slots[symbol][level][session + 1 - isRegular] + isRegular * cell;
    rows[bar + SLOT] = rows[bar + SLOT] < 0 ? 0 : rows[bar + SLOT] + before + 1 - rows[bar + COUNTED];
    rows[bar + COUNTED] = before + isRegular;
  }

  /** Makes the stretch of a time the one that is kept; false outside the years of the calendar. */
  private findStretch(symbol: number, times: Float64Array, i: number): boolean {
    const { rows } = this;
    const at = symbol * STRIDE + BASE;
    if (times[i] >= rows[at + FROM] && times[i] < rows[at + TO]) return true;
    return writeStretch(this.calendars[symbol], times, i, rows, at + STRETCH_AT);
  }

  /** Closes what ends at or before the instant until which the bars of a symbol are closed. */
  private close(symbol: number): number {
    const { rows } = this;
    const at = symbol * STRIDE + BASE;
    const until = this.closedUntil[symbol];
    let closed = 0;
    if (rows[at + COUNT] > 0 && rows[at + UNTIL] <= until) {
      for (let level = 1; level < this.lengths.length; level++) this.extend(at, this.barAt(symbol, level));
      this.tell(symbol, 0);
      closed++;
    }
    for (let level = 1; level < this.lengths.length; level++) {
      const bar = this.barAt(symbol, level);
      if (rows[bar + COUNT] === 0 || rows[bar + UNTIL] > until) continue;
      this.tell(symbol, level);
      closed++;
    }
    return closed;
  }

  /** Adds the bar at `from` to a longer one. */
  private extend(from: number, bar: number): void {
    const { rows } = this;
    if (rows[bar + COUNT] === 0) {
      rows[bar + OPEN] = rows[from + OPEN];
      rows[bar + HIGH] = rows[from + HIGH];
      rows[bar + LOW] = rows[from + LOW];
    }
    if (rows[from + HIGH] > rows[bar + HIGH]) rows[bar + HIGH] = rows[from + HIGH];
    if (rows[from + LOW] < rows[bar + LOW]) rows[bar + LOW] = rows[from + LOW];
    rows[bar + CLOSE] = rows[from + CLOSE];
    rows[bar + VOLUME] += rows[from + VOLUME];
    rows[bar + COUNT] += rows[from + COUNT];
    rows[bar + VALUE] += rows[from + VALUE];
    rows[bar + SIGNED] += rows[from + SIGNED];
  }

  /** Puts a bar among those that are closed, if it is whole, and empties it. */
  private tell(symbol: number, level: number): void {
    const { rows } = this;
    const bar = this.barAt(symbol, level);
    if (!(rows[bar + START] < this.wholeFrom[symbol])) this.put(symbol, level, bar);
    rows[bar + UNTIL] = Number.NEGATIVE_INFINITY;
    rows[bar + VOLUME] = 0;
    rows[bar + COUNT] = 0;
    rows[bar + VALUE] = 0;
    rows[bar + SIGNED] = 0;
  }

  private put(symbol: number, level: number, bar: number): void {
    const { rows, closed } = this;
    const place = closed.push();
    const volume = rows[bar + VOLUME];
    closed.symbol[place] = symbol;
    closed.interval[place] = level;
    closed.time[place] = rows[bar + START];
    closed.open[place] = rows[bar + OPEN];
    closed.high[place] = rows[bar + HIGH];
    closed.low[place] = rows[bar + LOW];
    closed.close[place] = rows[bar + CLOSE];
    closed.volume[place] = volume;
    closed.count[place] = rows[bar + COUNT];
    closed.vwap[place] = volume > 0 ? rows[bar + VALUE] / volume : Number.NaN;
    closed.pressure[place] = volume > 0 ? rows[bar + SIGNED] / volume : Number.NaN;
    closed.slot[place] = rows[bar + SLOT];
    closed.until[place] = rows[bar + UNTIL];
    closed.sessionStart[place] = rows[bar + SESSION_START];
    closed.sessionEnd[place] = rows[bar + SESSION_END];
  }
}
