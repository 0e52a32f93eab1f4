import { assert } from "../base/assert.js";
import type { Interval } from "../market/interval.js";
import { type Calendar, calendarOf, isOpen } from "../market/session.js";
import { BAR_TERMS, type BarTerms } from "../ticks/bar-builder.js";
import { CONFIRMED, NONE_HELD } from "../ticks/guard.js";
import { GUARD_TERMS, type GuardTerms } from "../ticks/guard-terms.js";
import { TickIntake } from "../ticks/intake.js";
import type { Ticks } from "../ticks/tick.js";
import { ACCEPTED, HELD, OUTLIER } from "../ticks/verdict.js";
import type { Board } from "./board.js";
import {
  DECISION_INPUTS,
  DECISION_OUTPUTS,
  decideInto,
  IN_COST,
  IN_ENTRY,
  IN_EQUITY,
  IN_HELD,
  IN_NODE_ABOVE,
  IN_NODE_BELOW,
  IN_OPEN,
  IN_POINT_VALUE,
  IN_POSITIONS,
  IN_QUALITY,
  IN_RANGE,
  IN_RATE,
  IN_SCORE,
  IN_WARM,
  IN_WAY,
} from "./decision.js";
import type { DecisionTerms } from "./decision-terms.js";
import { Findings, LEG_FIELDS } from "./findings.js";
import { LEG_BEARISH_FILL, LEG_BULLISH_FILL, LEG_CLOSE, LEG_MLMI, LEG_SLOPE } from "./legs.js";
import { FOUND_QUALITY, FOUND_WAY, LEGS, PASSED_OVER, SIGNAL_SIZE, SIGNAL_TIME } from "./sequence.js";
import {
  type BoardColumns,
  type BoardPart,
  FACT_CLOSE,
  FACT_LONGER_START,
  FACT_NODE_ABOVE,
  FACT_NODE_BELOW,
  FACT_RANGE,
  FACT_SHORTER_START,
  FACT_TIME,
  Track,
  type TrackTerms,
} from "./track.js";

export interface EngineTerms extends TrackTerms {
  /** Intervals that are made; those of `shorter` and `longer` are among them. */
  readonly bars: BarTerms;
  readonly guard: GuardTerms;
  /** Of gaps and slots, and of MLMI, NW-RQK, nodes and the kind of market. */
  readonly shorter: Interval;
  readonly longer: Interval;
  /** A bar is closed by the clock so long after its end, ms, for trades that are told late; */
  readonly graceMs: number;
  /** and only where the newest tick was not older than this when it came, ms: a recording is closed by its ticks alone. */
  readonly liveMs: number;
  /** A recording of which nothing came for so long, ms, has ended. */
  readonly idleMs: number;
}

export const ENGINE_TERMS: EngineTerms = Object.freeze({
  bars: BAR_TERMS,
  guard: GUARD_TERMS,
  shorter: "5m",
  longer: "30m",
  graceMs: 2_000,
  liveMs: 600_000,
  idleMs: 3_600_000,
  legs: Object.freeze({ neighbours: 5, conviction: 0.5, slope: 0.1, gap: 0.001 }),
  sequence: Object.freeze({ windowBars: 10, cooldownBars: 5 }),
});

/** What a symbol is traded by. */
export interface Listing {
  readonly calendar: Calendar;
  readonly decision: DecisionTerms;
  /** Money per point of price and unit, NaN where it is not known. */
  readonly pointValue: number;
  /** Money of the account for one of the instrument's: NaN where it is not known, `inverse` where it is one over the price. */
  readonly rate: number | "inverse";
  /** What it costs to trade in and out, a fraction of the price. */
  readonly costShare: number;
}

const EQUITY = 0;
const POSITIONS = 1;
const POINT_VALUE = 0;
const COST_SHARE = 1;
const RATE = 2;
const OF_SYMBOL = 3;

/**
 * From ticks to decisions, for many symbols: guard, bars, indicators, matrices, legs, synergies, decisions. What it
 * finds goes to `findings`, which its caller reads and clears. Nothing is allocated by tick or by bar; the same ticks in
 * the same order give the same bits, and all that is known of a symbol can be saved and loaded.
 */
export class TickEngine {
  declare readonly findings: Findings;
  declare readonly intake: TickIntake;
  /** By symbol. */
  declare readonly tracks: Track[];
  declare private readonly listings: Listing[];
  declare private readonly terms: EngineTerms;
  declare private readonly board: Board<BoardPart> | null;
  declare private readonly shorter: number;
  declare private readonly longer: number;
  declare private readonly account: Float64Array;
  declare private readonly held: Uint8Array;
  declare private readonly due: Float64Array;
  declare private readonly graceMs: number;
  declare private readonly liveMs: number;
  declare private readonly idleMs: number;
  declare private readonly facts: Float64Array;
  /** Row of the tick that is held, among those that are being taken, and which taking that is. */
  declare private readonly heldAt: Int32Array;
  declare private readonly heldIn: Int32Array;
  declare private taking: number;
  /** Of ticks that were held in an earlier taking, how many this one has confirmed, and how many refuted. */
  declare confirmed: number;
  declare refuted: number;
  declare private readonly inputs: Float64Array;
  declare private readonly outputs: Float64Array;
  /** Of each leg of a symbol when it was taken last, by which value, and the close and the open time of its bar. */
  declare private readonly legs: Float64Array;

  /**
   * @param capacity symbols that can be opened.
   * @param board where what is known of them is to be read by others.
   */
  constructor(capacity: number, terms: EngineTerms = ENGINE_TERMS, board: Board<BoardPart> | null = null) {
    const { bars, guard, shorter, longer, graceMs, liveMs, idleMs } = terms;
    const intervals = [bars.base, ...bars.longer];
    this.shorter = intervals.indexOf(shorter);
    this.longer = intervals.indexOf(longer);
    assert(this.shorter >= 0 && this.longer > this.shorter, `${shorter} and ${longer} bars are made`);
    const calendars = new Array<Calendar>(capacity).fill(calendarOf("24x7"));
    this.intake = new TickIntake(calendars, bars, guard);
    this.terms = terms;
    this.board = board;
    this.tracks = [];
    this.listings = [];
    this.findings = new Findings();
    this.account = new Float64Array(2);
    this.held = new Uint8Array(capacity);
    this.due = new Float64Array(1);
    this.graceMs = graceMs;
    this.liveMs = liveMs;
    this.idleMs = idleMs;
    this.facts = new Float64Array(OF_SYMBOL * capacity);
    this.heldAt = new Int32Array(capacity);
    this.heldIn = new Int32Array(capacity).fill(-1);
    this.taking = 0;
    this.confirmed = 0;
    this.refuted = 0;
    this.inputs = new Float64Array(DECISION_INPUTS.length);
    this.outputs = new Float64Array(DECISION_OUTPUTS.length);
    this.legs = new Float64Array(LEG_FIELDS * LEGS.length * capacity).fill(Number.NaN);
  }

  /** Symbols that are open, by their numbers from 0. */
  get symbols(): number {
    return this.listings.length;
  }

  /** Opens one more symbol. @returns its number. */
  open(listing: Listing): number {
    const s = this.listings.length;
    const { board, terms, intake } = this;
    assert(s < this.held.length, `an engine of ${this.held.length} symbols has no room for more`);
    const columns = board === null ? undefined : columnsOf(board, s);
    this.tracks.push(new Track(terms, intake.builder.lengths[this.shorter], columns));
    this.listings.push(listing);
    intake.list(s, listing.calendar);
    const at = s * OF_SYMBOL;
    this.facts[at + POINT_VALUE] = listing.pointValue;
    this.facts[at + COST_SHARE] = listing.costShare;
    this.facts[at + RATE] = listing.rate === "inverse" ? 0 : listing.rate;
    return s;
  }

  /** What decisions read of the account: its equity, how many positions are open (NaN: nobody counts), and of which symbols. */
  setAccount(equity: number, positions: number, held: (symbol: number) => boolean): void {
    this.account[EQUITY] = equity;
    this.account[POSITIONS] = positions;
    for (let s = 0; s < this.held.length; s++) this.held[s] = held(s) ? 1 : 0;
  }

  /**
   * What follows arrived at an instant, epoch ms, and is one taking: verdicts on held ticks of it are written where the
   * ticks are. NaN where nobody knows, as in a recording.
   */
  begin(receivedAt: number): void {
    this.intake.guard.receivedAt(receivedAt);
    this.taking = (this.taking + 1) | 0;
    this.confirmed = 0;
    this.refuted = 0;
  }

  /**
   * Takes ticks from `from` on, and writes the verdict on each to its place.
   * @returns the place of the first that was not taken, which is `to` unless `findings` are full: they are to be read and
   * cleared then.
   */
  take(ticks: Ticks, from: number, to: number, verdicts: Uint8Array): number {
    const { intake, findings } = this;
    const { guard, builder } = intake;
    const { closed } = builder;
    verdicts.fill(ACCEPTED, from, to);
    for (let i = intake.takePlain(ticks, from, to); i < to; i = intake.takePlain(ticks, i + 1, to)) {
      const verdict = intake.takeOdd(ticks, i);
      verdicts[i] = verdict;
      if (guard.settled !== NONE_HELD || verdict === HELD) this.follow(ticks, i, verdicts);
      if (closed.unread > 0) {
        this.drain();
        if (findings.isFull) return i + 1;
      }
    }
    return to;
  }

  /**
   * Closes what ended before an instant, epoch ms, of a symbol whose ticks come as they are made, and all of a recording
   * that has ended. @returns how many bars.
   */
  pass(symbol: number, nowMs: number): number {
    const { guard, builder } = this.intake;
    const lag = guard.lag(symbol);
    if (lag < this.liveMs) return this.closeUntil(symbol, nowMs - this.graceMs);
    const silence = nowMs - (builder.latest(symbol) + lag);
    return silence >= this.idleMs ? this.finish(symbol) : 0;
  }

  /** The recording of a symbol has ended: closes all its bars, which lack nothing. @returns how many. */
  finish(symbol: number): number {
    return this.closeUntil(symbol, this.intake.builder.openUntil(symbol));
  }

  /** Ticks of a symbol that was just opened were lost: bars that lack their beginning are not told. */
  cut(symbol: number): void {
    this.intake.builder.cut(symbol);
  }

  private closeUntil(symbol: number, instant: number): number {
    if (!Number.isFinite(instant)) return 0;
    this.due[0] = instant;
    const closed = this.intake.closeUntil(symbol, this.due);
    if (this.intake.guard.settled !== NONE_HELD) this.refuted++;
    if (closed > 0) this.drain();
    return closed;
  }

  /** Length of the saved state of a symbol, but for two doubles for each number of a trade that is remembered. */
  get stateLength(): number {
    const { guard, builder } = this.intake;
    return guard.stateLength + builder.stateLength + this.tracks[0].stateLength + LEG_FIELDS * LEGS.length;
  }

  save(symbol: number): Float64Array {
    const { guard, builder } = this.intake;
    const state = new Float64Array(this.stateLength + 2 * guard.ids.count(symbol));
    guard.save(symbol, state);
    builder.save(symbol, state.subarray(guard.stateLength));
    const at = this.tracks[symbol].save(state, guard.stateLength + builder.stateLength);
    const legs = LEG_FIELDS * LEGS.length;
    state.set(this.legs.subarray(legs * symbol, legs * (symbol + 1)), at);
    guard.ids.save(symbol, state, at + legs);
    return state;
  }

  load(symbol: number, state: Float64Array): void {
    assert(state.length >= this.stateLength, "the state is of this layout");
    const { guard, builder } = this.intake;
    guard.load(symbol, state);
    builder.load(symbol, state.subarray(guard.stateLength));
    this.board?.open(symbol);
    const at = this.tracks[symbol].load(state, guard.stateLength + builder.stateLength);
    this.board?.close(symbol);
    // Where the tick that is held now stands, nobody knows.
    this.heldIn[symbol] = this.taking - 1;
    const legs = LEG_FIELDS * LEGS.length;
    this.legs.set(state.subarray(at, at + legs), legs * symbol);
    guard.ids.load(symbol, state, at + legs);
  }

  /** Writes what became of a held tick where it stands, if it is among those that are being taken. */
  private follow(ticks: Ticks, i: number, verdicts: Uint8Array): void {
    const s = ticks.symbol[i];
    const { settled } = this.intake.guard;
    if (settled !== NONE_HELD) {
      if (this.heldIn[s] === this.taking)
        verdicts[this.heldAt[s]] = settled === CONFIRMED ? ACCEPTED : OUTLIER;
      else if (settled === CONFIRMED) this.confirmed++;
      else this.refuted++;
    }
    if (verdicts[i] !== HELD) return;
    this.heldAt[s] = i;
    this.heldIn[s] = this.taking;
  }

  /** Takes the bars that were closed: those of a symbol that end together speak together. */
  drain(): void {
    const { closed } = this.intake.builder;
    const { findings, shorter, longer } = this;
    while (closed.unread > 0) {
      const s = closed.symbol[closed.first];
      const track = this.tracks[s];
      this.board?.open(s);
      let last = closed.first;
      let short = -1;
      let isHeard = false;
      track.legs.clear();
      do {
        last = closed.first;
        findings.addBar(closed, last);
        const level = closed.interval[last];
        if (level === shorter) {
          short = last;
          isHeard = true;
        } else if (level === longer) {
          track.takeLonger(closed, last);
          isHeard = true;
        }
        closed.shift();
      } while (
        closed.unread > 0 &&
        closed.symbol[closed.first] === s &&
        closed.until[closed.first] === closed.until[last]
      );
      // After the longer one, whose range is known by then.
      if (short >= 0) track.takeShorter(closed, short);
      if (isHeard) this.conclude(s, track.slotAt(closed, last, this.listings[s].calendar));
      this.board?.close(s);
    }
  }

  private conclude(s: number, slot: number): void {
    const { legs, sequences, facts } = this.tracks[s];
    const type = sequences.take(slot, legs.signals);
    for (let leg = 0; leg < LEGS.length; leg++) {
      if (legs.signals[SIGNAL_SIZE * leg] === 0 || (sequences.outcomes[leg] & PASSED_OVER) !== 0) continue;
      const at = LEG_FIELDS * (LEGS.length * s + leg);
      this.legs[at] = legs.signals[SIGNAL_SIZE * leg + SIGNAL_TIME];
      this.writeValue(s, leg, at + 1);
      // The last trade of a longer bar is that of its last shorter one.
      this.legs[at + 2] = facts[FACT_CLOSE];
      this.legs[at + 3] = facts[leg < 2 ? FACT_LONGER_START : FACT_SHORTER_START];
    }
    if (type > 0) this.decide(s, type);
  }

  /**
   * Writes what the indicator of a leg has just said to a place of `legs`: MLMI, the slope in ranges, the size of the
   * fill over the close.
   */
  private writeValue(s: number, leg: number, at: number): void {
    const { inputs } = this.tracks[s].legs;
    if (leg === 0) this.legs[at] = inputs[LEG_MLMI];
    else if (leg === 1) this.legs[at] = inputs[LEG_SLOPE];
    else this.legs[at] = Math.max(inputs[LEG_BULLISH_FILL], inputs[LEG_BEARISH_FILL]) / inputs[LEG_CLOSE];
  }

  private decide(s: number, type: number): void {
    const { inputs, outputs, account, facts, findings } = this;
    const { calendar, decision } = this.listings[s];
    const track = this.tracks[s];
    const { state } = track.sequences;
    const at = s * OF_SYMBOL;
    inputs[IN_WAY] = state[FOUND_WAY];
    inputs[IN_QUALITY] = state[FOUND_QUALITY];
    inputs[IN_ENTRY] = track.facts[FACT_CLOSE];
    inputs[IN_RANGE] = track.facts[FACT_RANGE];
    inputs[IN_NODE_BELOW] = track.facts[FACT_NODE_BELOW];
    inputs[IN_NODE_ABOVE] = track.facts[FACT_NODE_ABOVE];
    inputs[IN_WARM] = Number.isNaN(track.facts[FACT_RANGE]) ? 0 : 1;
    inputs[IN_OPEN] = isOpen(calendar, track.facts[FACT_TIME]) ? 1 : 0;
    inputs[IN_EQUITY] = account[EQUITY];
    inputs[IN_POINT_VALUE] = facts[at + POINT_VALUE];
    inputs[IN_RATE] = facts[at + RATE] === 0 ? 1 / track.facts[FACT_CLOSE] : facts[at + RATE];
    inputs[IN_COST] = facts[at + COST_SHARE] * track.facts[FACT_CLOSE];
    inputs[IN_POSITIONS] = account[POSITIONS];
    inputs[IN_HELD] = this.held[s];
    inputs[IN_SCORE] = Number.NaN;
    track.measure();
    const refusal = decideInto(inputs, decision, outputs);
    findings.addSynergy(s, type, state, this.legs, refusal, inputs, outputs, track.facts);
  }
}

const columnsOf = (board: Board<BoardPart>, symbol: number): BoardColumns => ({
  structure: board.column(symbol, "structure"),
  tactical: board.column(symbol, "tactical"),
  regime: board.column(symbol, "regime"),
  facts: board.column(symbol, "facts"),
});
