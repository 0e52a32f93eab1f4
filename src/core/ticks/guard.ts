import { assert } from "../base/assert.js";
import { upperBoundAt } from "../base/search.js";
import type { Calendar } from "../market/session.js";
import { GUARD_TERMS, type GuardTerms } from "./guard-terms.js";
import { LIMIT, learnReturn, ROW, rememberId } from "./plain-ticks.js";
import { allocateTicks, type Ticks } from "./tick.js";
import { TradeIds } from "./trade-ids.js";
import {
  ACCEPTED,
  DUPLICATE,
  FROM_THE_FUTURE,
  HELD,
  LATE,
  NOT_FINITE,
  OUTLIER,
  OUTSIDE_SESSION,
  PRICE_NOT_POSITIVE,
  PRICE_TOO_LARGE,
  PRICE_TOO_SMALL,
  SIZE_NEGATIVE,
  SIZE_TOO_LARGE,
  VERDICTS,
} from "./verdict.js";

/** What became of the tick that was held when another of its symbol came. */
export const NONE_HELD = 0;
export const CONFIRMED = 1;
export const REFUTED = 2;

/** No trade was told by a machine before 1971, when NASDAQ began: what lies there are seconds taken for milliseconds. */
const FIRST_TRADE = Date.UTC(1971, 0);

/** Squared returns count as at most so many times their mean: what is off in under a ninth of all ticks stays so. */
const CLIP = 9;

/** Where things are in the row of a symbol. */
const EARLIEST = ROW.earliest;
const LAST = ROW.last;
const VARIANCE = ROW.variance;
const LAG = ROW.lag;
const COUNTS = ROW.accepted;
/** The stretch of hours in which ticks may come. */
const FROM = COUNTS + VERDICTS.length;
const UNTIL = FROM + 1;
/** Followed only where lateness is limited. */
const NEWEST = FROM + 2;
const IS_HOLDING = FROM + 3;
const HIGHEST_ID = ROW.highest;
/** Fields of the guard. */
const FIELDS = ROW.highest + 1;
const STRIDE = ROW.length;
/** The tick that is held: time, price, size, id. */
const HELD_FIELDS = 4;

const LATEST = LIMIT.latest;
const LARGEST = LIMIT.largest;
const LATENESS = LIMIT.lateness;
const OFF = LIMIT.off;
const DEVIATIONS = LIMIT.deviations;
const LEAST = LIMIT.least;
/** More than a run of 128 near prices rises or falls by, of which each may be 1 % above the one before. */
const HIGH_SHARE = 8;
/** Rounding of what is compared for being near is far less. */
const BELOW = 1 - 1e-9;

/**
 * Judges the ticks of many symbols, one after the other. Nothing is allocated by tick; all that it knows of a symbol
 * can be saved and loaded.
 *
 * A return is twice the difference of two prices over their sum, which is that of their logarithms to within a twelfth
 * of its cube. Its mean square is fed by accepted, held and refused ticks alike, each cut off at three deviations:
 * single wrong prices do not widen it, and a market that always jumps by more than the fraction is let through after
 * some ticks. The tick before is the last accepted in the order of arrival.
 */
export class TickGuard {
  /** Of each symbol the tick that is held, or was when `settled` is not 0: valid until the next is judged. */
  declare readonly held: Ticks;
  /** What the last call of `judge` or `expire` did with a held tick of the symbol. */
  declare settled: number;
  declare private readonly calendars: Calendar[];
  declare private readonly closedUntil: Float64Array;
  declare private readonly state: Float64Array;
  /** As `LIMIT` says. */
  declare readonly limits: Float64Array;
  /** Accepted trades of open bars that have a number. */
  declare readonly ids: TradeIds;
  declare private readonly aheadMs: number;
  declare private readonly gapMs: number;
  declare private readonly smallestPrice: number;
  declare private readonly largestPrice: number;
  declare private readonly warmup: number;
  declare private readonly isRegularOnly: boolean;
  /** Whether lateness is limited: each tick has to be looked at then. */
  declare readonly isPunctual: boolean;

  /**
   * @param calendars one for each symbol.
   * @param closedUntil of each symbol the instant before which its bars are closed, epoch ms: a column of whoever
   * builds them, read at each tick.
   * @param rows of `ROW.length` doubles, one a symbol: those of the builder, or its own by default.
   */
  constructor(
    calendars: readonly Calendar[],
    closedUntil: Float64Array,
    terms: GuardTerms = GUARD_TERMS,
    rows: Float64Array = new Float64Array(ROW.length * calendars.length),
  ) {
    assert(closedUntil.length === calendars.length, "one instant for each symbol");
    this.held = allocateTicks(calendars.length);
    this.settled = NONE_HELD;
    this.calendars = [...calendars];
    this.closedUntil = closedUntil;
    this.state = rows;
    this.ids = new TradeIds(calendars.length);
    this.limits = new Float64Array(LIMIT.length);
    this.aheadMs = terms.aheadMs;
    this.gapMs = terms.gapMs;
    this.smallestPrice = terms.smallestPrice;
    this.largestPrice = terms.largestPrice;
    this.warmup = terms.warmup;
    this.isRegularOnly = terms.regularOnly;
    this.isPunctual = Number.isFinite(terms.latenessMs);
    this.limits[LATEST] = Number.POSITIVE_INFINITY;
    this.limits[LIMIT.received] = Number.NaN;
    this.limits[LARGEST] = Math.min(terms.largestSize, Number.MAX_VALUE);
    this.limits[LIMIT.high] = terms.largestPrice / HIGH_SHARE;
    this.limits[LIMIT.low] = terms.smallestPrice * HIGH_SHARE;
    this.limits[LATENESS] = terms.latenessMs;
    this.limits[OFF] = terms.fraction * terms.fraction;
    this.limits[DEVIATIONS] = terms.sigmas * terms.sigmas;
    this.limits[LIMIT.near] = (BELOW * this.limits[OFF]) / 4;
    this.limits[LIMIT.weight] = terms.weight;
    this.limits[LIMIT.kept] = 1 - terms.weight;
    this.limits[LIMIT.most] = 1 + (CLIP - 1) * terms.weight;
    this.limits[LEAST] = terms.floor * terms.floor;
    for (let s = 0; s < calendars.length; s++) {
      const at = s * STRIDE;
      this.held.symbol[s] = s;
      this.state[at + EARLIEST] = Number.POSITIVE_INFINITY;
      this.state[at + FROM] = Number.POSITIVE_INFINITY;
      this.state[at + NEWEST] = Number.NEGATIVE_INFINITY;
      this.state[at + VARIANCE] = this.limits[LEAST];
      this.state[at + HIGHEST_ID] = Number.NEGATIVE_INFINITY;
      this.state[at + LAG] = Number.POSITIVE_INFINITY;
    }
  }

  /** Gives a symbol that had no tick yet another calendar. */
  list(symbol: number, calendar: Calendar): void {
    this.calendars[symbol] = calendar;
  }

  /** The ticks that follow were received at an instant, epoch ms; NaN where nobody knows, as in a replay. */
  receivedAt(timeMs: number): void {
    this.limits[LIMIT.received] = timeMs;
    this.limits[LATEST] = Number.isNaN(timeMs) ? Number.POSITIVE_INFINITY : timeMs + this.aheadMs;
  }

  /**
   * The verdict on tick `i`. Where `settled` is `CONFIRMED` after it, the row of its symbol in `held` is accepted and
   * comes before it; where it is `REFUTED`, that row is an outlier.
   */
  judge(ticks: Ticks, i: number): number {
    const { state, limits } = this;
    const at = ticks.symbol[i] * STRIDE;
    const price = ticks.price[i];
    this.settled = NONE_HELD;
    const fault = this.faultOf(ticks, i);
    if (fault !== ACCEPTED) {
      state[at + COUNTS + fault]++;
      return fault;
    }
    if (state[at + IS_HOLDING] !== 0) this.settle(ticks, i);

    const last = state[at + LAST];
    const move = (2 * (price - last)) / (price + last);
    const square = move * move;
    const isOff = square > limits[OFF];
    // The first tick of a symbol has none before it.
    const hasBefore = !isOff || last !== 0;
    const isNew = state[at + COUNTS] < this.warmup;
    const isSuspect = isOff && hasBefore && (isNew || square > limits[DEVIATIONS] * state[at + VARIANCE]);
    if (hasBefore) learnReturn(ticks, i, state, limits);
    if (isSuspect || this.isApart(ticks, i)) return this.hold(ticks, i);
    state[at + LAST] = price;
    state[at + COUNTS]++;
    if (!Number.isNaN(ticks.id[i])) rememberId(state, at, this.ids, ticks.symbol[i], ticks.id, ticks.time, i);
    if (this.isPunctual) this.follow(ticks, i);
    return ACCEPTED;
  }

  /** To be called when bars of a symbol were closed: their trades are late when they are sent again, and need no memory. */
  forgetIds(symbol: number): void {
    if (this.ids.count(symbol) === 0) return;
    this.ids.forgetBefore(symbol, this.closedUntil);
    this.ids.writeHighest(symbol, this.state, symbol * STRIDE + HIGHEST_ID);
  }

  /**
   * To be called when bars of a symbol were closed by the clock. A tick that is held and whose bar is among them is
   * refused: one price that nobody confirmed would else be the high or low of a bar that can no longer be mended.
   */
  expire(symbol: number): void {
    this.settled = NONE_HELD;
    if (this.state[symbol * STRIDE + IS_HOLDING] === 0) return;
    if (this.held.time[symbol] < this.closedUntil[symbol]) this.refute(symbol);
  }

  /** The tick of a symbol that was accepted last came too late after all: the one held before it closed its bar. */
  retract(symbol: number): void {
    const at = symbol * STRIDE + COUNTS;
    this.state[at]--;
    this.state[at + LATE]++;
  }

  /** How many ticks of a symbol a verdict was passed on; of those held, how many still are: all add up to the ticks judged. */
  count(symbol: number, verdict: number): number {
    return this.state[symbol * STRIDE + COUNTS + verdict];
  }

  /** Ms from when the last tick of a symbol that was accepted was made to when it came; NaN where nobody knows when. */
  lag(symbol: number): number {
    return this.state[symbol * STRIDE + LAG];
  }

  /** Tick `i` was accepted in the end: it came when those that are being taken did. */
  arrive(ticks: Ticks, i: number): void {
    this.state[ticks.symbol[i] * STRIDE + LAG] = this.limits[LIMIT.received] - ticks.time[i];
  }

  /** Length of the saved state of a symbol, but for `ids`, which are saved by themselves. */
  get stateLength(): number {
    return FIELDS + HELD_FIELDS;
  }

  save(symbol: number, into: Float64Array): void {
    const { held, state } = this;
    for (let k = 0; k < FIELDS; k++) into[k] = state[symbol * STRIDE + k];
    const end = FIELDS;
    into[end] = held.time[symbol];
    into[end + 1] = held.price[symbol];
    into[end + 2] = held.size[symbol];
    into[end + 3] = held.id[symbol];
  }

  load(symbol: number, from: Float64Array): void {
    const { held, state } = this;
    const at = symbol * STRIDE;
    for (let k = 0; k < FIELDS; k++) state[at + k] = from[k];
    const { open, close } = this.calendars[symbol];
    const isAnyHour = state[at + FROM] === open[0] && state[at + UNTIL] === close[close.length - 1];
    // The hours were kept by one that refused others: they are found anew.
    if (isAnyHour === this.isRegularOnly) state[at + FROM] = state[at + EARLIEST] = Number.POSITIVE_INFINITY;
    const end = FIELDS;
    held.time[symbol] = from[end];
    held.price[symbol] = from[end + 1];
    held.size[symbol] = from[end + 2];
    held.id[symbol] = from[end + 3];
  }

  /** What is wrong with tick `i` by itself; `ACCEPTED` where the stretch of hours that is known was not its own. */
  private faultOf(ticks: Ticks, i: number): number {
    const { state, limits } = this;
    const s = ticks.symbol[i];
    const at = s * STRIDE;
    const time = ticks.time[i];
    const price = ticks.price[i];
    const size = ticks.size[i];
    if (!Number.isFinite(time) || !Number.isFinite(price) || !Number.isFinite(size)) return NOT_FINITE;
    if (price <= 0) return PRICE_NOT_POSITIVE;
    if (price < this.smallestPrice) return PRICE_TOO_SMALL;
    if (price > this.largestPrice) return PRICE_TOO_LARGE;
    if (size < 0) return SIZE_NEGATIVE;
    if (size > limits[LARGEST]) return SIZE_TOO_LARGE;
    if (time > limits[LATEST]) return FROM_THE_FUTURE;
    if (time < FIRST_TRADE) return OUTSIDE_SESSION;
    const isKept = time >= state[at + FROM] && time < state[at + UNTIL];
    if (!isKept && !this.findHours(ticks, i)) return OUTSIDE_SESSION;
    if (time < this.closedUntil[s]) return LATE;
    if (this.isKnown(ticks, i)) return DUPLICATE;
    return time < state[at + NEWEST] - limits[LATENESS] ? LATE : ACCEPTED;
  }

  /** Whether ticks may come at the time of tick `i`; if so the stretch in which they may is kept. */
  private findHours(ticks: Ticks, i: number): boolean {
    const s = ticks.symbol[i];
    const { open, close } = this.calendars[s];
    const session = upperBoundAt(open, ticks.time, i) - 1;
    const at = s * STRIDE;
    if (session < 0 || ticks.time[i] >= close[close.length - 1]) return false;
    if (this.isRegularOnly && ticks.time[i] >= close[session]) return false;
    this.state[at + FROM] = open[this.isRegularOnly ? session : 0];
    this.state[at + UNTIL] = close[this.isRegularOnly ? session : close.length - 1];
    this.reopen(at);
    return true;
  }

  /** Tick `i` may be the newest of its symbol. */
  private follow(ticks: Ticks, i: number): void {
    const at = ticks.symbol[i] * STRIDE;
    if (ticks.time[i] <= this.state[at + NEWEST]) return;
    this.state[at + NEWEST] = ticks.time[i];
    this.reopen(at);
  }

  /** Finds again the time from which ticks are plain. */
  private reopen(at: number): void {
    const { state, limits } = this;
    const earliest = Math.max(state[at + FROM], state[at + NEWEST] - limits[LATENESS]);
    state[at + EARLIEST] = state[at + IS_HOLDING] === 0 ? earliest : Number.POSITIVE_INFINITY;
  }

  /** Whether tick `i` has been accepted, or waits. Most sources count upwards, and need not be searched. */
  private isKnown(ticks: Ticks, i: number): boolean {
    const { held, state } = this;
    const s = ticks.symbol[i];
    const at = s * STRIDE;
    const id = ticks.id[i];
    if (state[at + IS_HOLDING] !== 0 && held.id[s] === id && held.time[s] === ticks.time[i]) return true;
    return id <= state[at + HIGHEST_ID] && this.ids.has(s, ticks, i);
  }

  /** Whether tick `i` of a recording is far later than the one before, of which the builder knows the time. */
  private isApart(ticks: Ticks, i: number): boolean {
    const { held, state, limits, gapMs } = this;
    const s = ticks.symbol[i];
    const before = this.settled === CONFIRMED ? held.time[s] : state[s * STRIDE + ROW.latest];
    const isFar = before > 0 && ticks.time[i] - before > gapMs;
    return isFar && !(limits[LIMIT.received] - ticks.time[i] <= gapMs);
  }

  private hold(ticks: Ticks, i: number): number {
    const { held, state } = this;
    const s = ticks.symbol[i];
    held.time[s] = ticks.time[i];
    held.price[s] = ticks.price[i];
    held.size[s] = ticks.size[i];
    held.id[s] = ticks.id[i];
    state[s * STRIDE + IS_HOLDING] = 1;
    state[s * STRIDE + EARLIEST] = Number.POSITIVE_INFINITY;
    state[s * STRIDE + COUNTS + HELD]++;
    return HELD;
  }

  /** Tick `i` says whether the price and the time of the one that is held were real. */
  private settle(ticks: Ticks, i: number): void {
    const { held, state, limits } = this;
    const s = ticks.symbol[i];
    const at = s * STRIDE;
    const price = held.price[s];
    const move = (2 * (ticks.price[i] - price)) / (ticks.price[i] + price);
    const square = move * move;
    const isNew = state[at + COUNTS] < this.warmup;
    const isOff = square > limits[OFF] && (isNew || square > limits[DEVIATIONS] * state[at + VARIANCE]);
    const isEarly = held.time[s] - ticks.time[i] > this.gapMs;
    if (isOff || isEarly || held.time[s] < this.closedUntil[s]) {
      this.refute(s);
      return;
    }
    state[at + IS_HOLDING] = 0;
    state[at + COUNTS + HELD]--;
    state[at + COUNTS]++;
    state[at + LAST] = price;
    if (!Number.isNaN(held.id[s])) rememberId(state, at, this.ids, s, held.id, held.time, s);
    if (this.isPunctual) this.follow(held, s);
    this.reopen(at);
    this.settled = CONFIRMED;
  }

  private refute(symbol: number): void {
    const at = symbol * STRIDE;
    this.state[at + IS_HOLDING] = 0;
    this.state[at + COUNTS + HELD]--;
    this.state[at + COUNTS + OUTLIER]++;
    this.reopen(at);
    this.settled = REFUTED;
  }
}
