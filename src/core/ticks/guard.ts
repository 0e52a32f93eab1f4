import { assert } from "../base/assert.js";
import { upperBoundAt } from "../base/search.js";
import type { Calendar } from "../market/session.js";
import { allocateTicks, type Ticks } from "./tick.js";
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
  SIZE_NEGATIVE,
  SIZE_TOO_LARGE,
  VERDICTS,
} from "./verdict.js";

export interface GuardTerms {
  /** An outlier is off by more than this many deviations of the returns from tick to tick, */
  readonly sigmas: number;
  /** and by more than this fraction of the price, */
  readonly fraction: number;
  /** which alone counts for the first so many accepted ticks of a symbol. */
  readonly warmup: number;
  /** Weight of the newest squared return in their mean. */
  readonly weight: number;
  /** Least deviation, a fraction of the price: about the tick size, since most returns are 0. */
  readonly floor: number;
  /** How far a tick may lie behind the newest of its symbol, ms; its bar must be open all the same. */
  readonly latenessMs: number;
  /** How far the time of a trade may lie after that of its receipt, ms: clocks differ. */
  readonly aheadMs: number;
  readonly largestSize: number;
  /** Refuses ticks outside regular hours. */
  readonly regularOnly: boolean;
}

/**
 * 1 % is far beyond what a liquid instrument moves from one trade to the next; ten deviations keep those that bounce
 * by more. The mean of squares looks back over about 100 ticks.
 */
export const GUARD_TERMS: GuardTerms = Object.freeze({
  sigmas: 10,
  fraction: 0.01,
  warmup: 100,
  weight: 0.01,
  floor: 1e-4,
  latenessMs: Number.POSITIVE_INFINITY,
  aheadMs: 2_000,
  largestSize: 1e15,
  regularOnly: false,
});

/** What became of the tick that was held when another of its symbol came. */
export const NONE_HELD = 0;
export const CONFIRMED = 1;
export const REFUTED = 2;

/** Numbers of the source that are remembered, by symbol. */
const IDS = 256;
/** Squared returns count as at most so many times their mean: what is off in under a ninth of all ticks stays so. */
const CLIP = 9;

/** Where things are in the state of a symbol. */
const UNTIL = 0;
/** Ticks before it are looked at closely, as are all that come while one is held. */
const EARLIEST = 1;
const LAST = 2;
const VARIANCE = 3;
const FROM = 4;
/** Followed only where lateness is limited. */
const NEWEST = 5;
const IS_HOLDING = 6;
const HIGHEST_ID = 7;
const NEXT_ID = 8;
const COUNTS = 9;
const FIRST_ID = COUNTS + VERDICTS.length;
const STRIDE = FIRST_ID + IDS;
/** The tick that is held: time, price, size, id. */
const HELD_FIELDS = 4;

/** Where things are among the limits. */
const LATEST = 0;
const LARGEST = 1;
const LATENESS = 2;
const OFF = 3;
const DEVIATIONS = 4;
const WEIGHT = 5;
const LEAST = 6;
/** What is left of the mean square at a tick, and what becomes of it at most. */
const KEPT = 7;
const MOST = 8;
const LIMITS = 9;

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
  declare private readonly limits: Float64Array;
  declare private readonly aheadMs: number;
  declare private readonly warmup: number;
  declare private readonly isRegularOnly: boolean;
  declare private readonly isPunctual: boolean;

  /**
   * @param calendars one for each symbol.
   * @param closedUntil of each symbol the instant before which its bars are closed, epoch ms: a column of whoever
   * builds them, read at each tick.
   */
  constructor(calendars: readonly Calendar[], closedUntil: Float64Array, terms: GuardTerms = GUARD_TERMS) {
    assert(closedUntil.length === calendars.length, "one instant for each symbol");
    this.held = allocateTicks(calendars.length);
    this.settled = NONE_HELD;
    this.calendars = [...calendars];
    this.closedUntil = closedUntil;
    this.state = new Float64Array(STRIDE * calendars.length);
    this.limits = new Float64Array(LIMITS);
    this.aheadMs = terms.aheadMs;
    this.warmup = terms.warmup;
    this.isRegularOnly = terms.regularOnly;
    this.isPunctual = Number.isFinite(terms.latenessMs);
    this.limits[LATEST] = Number.POSITIVE_INFINITY;
    this.limits[LARGEST] = Math.min(terms.largestSize, Number.MAX_VALUE);
    this.limits[LATENESS] = terms.latenessMs;
    this.limits[OFF] = terms.fraction * terms.fraction;
    this.limits[DEVIATIONS] = terms.sigmas * terms.sigmas;
    this.limits[WEIGHT] = terms.weight;
    this.limits[KEPT] = 1 - terms.weight;
    this.limits[MOST] = 1 + (CLIP - 1) * terms.weight;
    this.limits[LEAST] = terms.floor * terms.floor;
    for (let s = 0; s < calendars.length; s++) {
      const at = s * STRIDE;
      this.held.symbol[s] = s;
      this.state[at + EARLIEST] = Number.POSITIVE_INFINITY;
      this.state[at + FROM] = Number.POSITIVE_INFINITY;
      this.state[at + NEWEST] = Number.NEGATIVE_INFINITY;
      this.state[at + VARIANCE] = this.limits[LEAST];
      this.state[at + HIGHEST_ID] = Number.NEGATIVE_INFINITY;
      this.state.fill(Number.NaN, at + FIRST_ID, at + STRIDE);
    }
  }

  /** Gives a symbol that had no tick yet another calendar. */
  list(symbol: number, calendar: Calendar): void {
    this.calendars[symbol] = calendar;
  }

  /** The ticks that follow were received at an instant, epoch ms; NaN where nobody knows, as in a replay. */
  receivedAt(timeMs: number): void {
    this.limits[LATEST] = Number.isNaN(timeMs) ? Number.POSITIVE_INFINITY : timeMs + this.aheadMs;
  }

  /**
   * The verdict on tick `i`. Where `settled` is `CONFIRMED` after it, the row of its symbol in `held` is accepted and
   * comes before it; where it is `REFUTED`, that row is an outlier.
   */
  judge(ticks: Ticks, i: number): number {
    const { state, limits } = this;
    const s = ticks.symbol[i];
    const at = s * STRIDE;
    const time = ticks.time[i];
    const price = ticks.price[i];
    const size = ticks.size[i];
    this.settled = NONE_HELD;
    const isPlain =
      price > 0 &&
      price < Number.POSITIVE_INFINITY &&
      size >= 0 &&
      size <= limits[LARGEST] &&
      time <= limits[LATEST] &&
      time >= this.closedUntil[s] &&
      time >= state[at + EARLIEST] &&
      time < state[at + UNTIL];
    if (!isPlain) {
      const fault = this.faultOf(ticks, i);
      if (fault !== ACCEPTED) {
        state[at + COUNTS + fault]++;
        return fault;
      }
    }
    if (!Number.isNaN(ticks.id[i]) && !this.takeId(ticks, i)) {
      state[at + COUNTS + DUPLICATE]++;
      return DUPLICATE;
    }
    if (!isPlain && state[at + IS_HOLDING] !== 0) this.settle(ticks, i);

    const last = state[at + LAST];
    const move = (2 * (price - last)) / (price + last);
    const square = move * move;
    const variance = state[at + VARIANCE];
    const least = limits[LEAST];
    if (square > limits[OFF]) {
      // The first tick of a symbol has none before it.
      if (last !== 0) {
        const isNew = state[at + COUNTS] < this.warmup;
        const isSuspect = isNew || square > limits[DEVIATIONS] * variance;
        this.learn(ticks, i);
        if (isSuspect) return this.hold(ticks, i);
      }
    } else if (square > least || variance > least) {
      const next = limits[KEPT] * variance + limits[WEIGHT] * square;
      const most = limits[MOST] * variance;
      const clipped = next < most ? next : most;
      state[at + VARIANCE] = clipped > least ? clipped : least;
    }
    state[at + LAST] = price;
    if (this.isPunctual) this.follow(ticks, i);
    state[at + COUNTS]++;
    return ACCEPTED;
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

  /** Length of the saved state of a symbol. */
  get stateLength(): number {
    return STRIDE + HELD_FIELDS;
  }

  save(symbol: number, into: Float64Array): void {
    const { held, state } = this;
    for (let k = 0; k < STRIDE; k++) into[k] = state[symbol * STRIDE + k];
    into[STRIDE] = held.time[symbol];
    into[STRIDE + 1] = held.price[symbol];
    into[STRIDE + 2] = held.size[symbol];
    into[STRIDE + 3] = held.id[symbol];
  }

  load(symbol: number, from: Float64Array): void {
    const { held, state } = this;
    for (let k = 0; k < STRIDE; k++) state[symbol * STRIDE + k] = from[k];
    held.time[symbol] = from[STRIDE];
    held.price[symbol] = from[STRIDE + 1];
    held.size[symbol] = from[STRIDE + 2];
    held.id[symbol] = from[STRIDE + 3];
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
    if (size < 0) return SIZE_NEGATIVE;
    if (size > limits[LARGEST]) return SIZE_TOO_LARGE;
    if (time > limits[LATEST]) return FROM_THE_FUTURE;
    if (this.isKnown(ticks, i)) return DUPLICATE;
    const isKept = time >= state[at + FROM] && time < state[at + UNTIL];
    if (!isKept && !this.findHours(ticks, i)) return OUTSIDE_SESSION;
    return time < this.closedUntil[s] || time < state[at + NEWEST] - limits[LATENESS] ? LATE : ACCEPTED;
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

  /** Whether the number of tick `i` is among the last of its symbol. */
  private isKnown(ticks: Ticks, i: number): boolean {
    const { state } = this;
    const at = ticks.symbol[i] * STRIDE;
    const id = ticks.id[i];
    if (!(id <= state[at + HIGHEST_ID])) return false;
    for (let k = at + FIRST_ID; k < at + STRIDE; k++) if (state[k] === id) return true;
    return false;
  }

  /** Remembers the number of tick `i`; false where it is known. Most sources count upwards, and need not be searched. */
  private takeId(ticks: Ticks, i: number): boolean {
    if (this.isKnown(ticks, i)) return false;
    const { state } = this;
    const at = ticks.symbol[i] * STRIDE;
    const id = ticks.id[i];
    if (id > state[at + HIGHEST_ID]) state[at + HIGHEST_ID] = id;
    const next = state[at + NEXT_ID] | 0;
    state[at + FIRST_ID + next] = id;
    state[at + NEXT_ID] = (next + 1) % IDS;
    return true;
  }

  /** Takes the return up to tick `i` into the mean square. */
  private learn(ticks: Ticks, i: number): void {
    const { state, limits } = this;
    const at = ticks.symbol[i] * STRIDE;
    const move = (2 * (ticks.price[i] - state[at + LAST])) / (ticks.price[i] + state[at + LAST]);
    const variance = state[at + VARIANCE];
    const next = limits[KEPT] * variance + limits[WEIGHT] * (move * move);
    state[at + VARIANCE] = Math.max(limits[LEAST], Math.min(next, limits[MOST] * variance));
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

  /** Tick `i` says whether the price of the one that is held was real. */
  private settle(ticks: Ticks, i: number): void {
    const { held, state, limits } = this;
    const s = ticks.symbol[i];
    const at = s * STRIDE;
    const price = held.price[s];
    const move = (2 * (ticks.price[i] - price)) / (ticks.price[i] + price);
    const square = move * move;
    const isNew = state[at + COUNTS] < this.warmup;
    const isOff = square > limits[OFF] && (isNew || square > limits[DEVIATIONS] * state[at + VARIANCE]);
    if (isOff || held.time[s] < this.closedUntil[s]) {
      this.refute(s);
      return;
    }
    state[at + IS_HOLDING] = 0;
    state[at + COUNTS + HELD]--;
    state[at + COUNTS]++;
    state[at + LAST] = price;
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
