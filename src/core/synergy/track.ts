import { ensure } from "../base/assert.js";
import { upperBoundAt } from "../base/search.js";
import { type Indicator, resolveParameters } from "../indicators/define.js";
import { rationalQuadraticSlope } from "../indicators/kernel/rational-quadratic-slope.js";
import { mlmi } from "../indicators/momentum/mlmi.js";
import { fairValueGap } from "../indicators/price/fair-value-gap.js";
import { mmdRegime } from "../indicators/statistics/mmd-regime.js";
import { Follower } from "../indicators/stream.js";
import { atr } from "../indicators/volatility/atr.js";
import { lowVolumeNode } from "../indicators/volume/low-volume-node.js";
import { allocateBars, type Bars } from "../market/candles.js";
import type { Calendar } from "../market/session.js";
import type { ClosedBars } from "../ticks/closed-bars.js";
import {
  LEG_BEARISH_FILL,
  LEG_BULLISH_FILL,
  LEG_CLOSE,
  LEG_MLMI,
  LEG_SLOPE,
  LEG_TIME,
  type LegTerms,
  LegWatch,
  SLOPE_PERIOD,
} from "./legs.js";
import { RegimeMatrix, StructureMatrix, TacticalMatrix } from "./matrices.js";
import { CHANGE_BARS, USUAL_BARS } from "./matrix-features.js";
import { type SequenceTerms, SequenceWatch } from "./sequence.js";

export interface TrackTerms {
  readonly legs: Pick<LegTerms, "neighbours" | "conviction" | "slope" | "gap">;
  readonly sequence: SequenceTerms;
}

/** A row over the bars of a track. */
interface Followed {
  readonly indicator: Indicator;
  readonly outputs: readonly Float64Array[];
  readonly follower: Follower;
}

/** Bars between two moves of the columns. */
const ROOM = 64;

/** Bars of one length with the rows that follow them: no more of them than the rows read back. */
class Followers {
  declare readonly bars: Bars;
  declare readonly rows: readonly Followed[];
  declare private readonly kept: number;
  declare private readonly moving: readonly Float64Array[];
  declare private readonly at: Int32Array;

  /** @param least bars that are kept whatever the rows read back. */
  constructor(rows: readonly (readonly [Indicator, Readonly<Record<string, number>>])[], least = 0) {
    const resolved = rows.map(([indicator, given]) => {
      const { values, problem } = resolveParameters(indicator, given);
      return { indicator, values: ensure(values, problem ?? indicator.name) };
    });
    const kept = resolved.reduce(
      (most, { indicator, values }) => Math.max(most, indicator.lookback(values)),
      least,
    );
    const bars = allocateBars(kept + ROOM);
    this.bars = bars;
    this.kept = kept;
    this.rows = resolved.map(({ indicator, values }) => {
      const outputs = indicator.outputs.map(() => new Float64Array(kept + ROOM));
      return { indicator, outputs, follower: new Follower(indicator, values, bars, outputs) };
    });
    this.moving = [...Object.values(bars), ...this.rows.flatMap(({ outputs }) => outputs)];
    this.at = new Int32Array(1);
  }

  /** Takes the closed bar at a place. @returns where its values are. */
  take(closed: ClosedBars, place: number): number {
    if (this.at[0] === this.kept + ROOM) this.makeRoom();
    const at = this.at[0]++;
    const { bars, rows } = this;
    bars.time[at] = closed.time[place];
    bars.open[at] = closed.open[place];
    bars.high[at] = closed.high[place];
    bars.low[at] = closed.low[place];
    bars.close[at] = closed.close[place];
    bars.volume[at] = closed.volume[place];
    for (let k = 0; k < rows.length; k++) rows[k].follower.update();
    return at;
  }

  /** Writes the volume of the newest bar, that over the mean of those before it, and the change of the close; NaN for want of bars. */
  compare(facts: Float64Array): void {
    const { close, volume } = this.bars;
    const last = this.at[0] - 1;
    facts[FACT_VOLUME_RATIO] = facts[FACT_MOMENTUM] = Number.NaN;
    facts[FACT_VOLUME] = volume[last];
    if (last >= CHANGE_BARS) facts[FACT_MOMENTUM] = close[last] - close[last - CHANGE_BARS];
    if (last < USUAL_BARS) return;
    let sum = 0;
    for (let i = last - USUAL_BARS; i < last; i++) sum += volume[i];
    if (sum > 0) facts[FACT_VOLUME_RATIO] = (volume[last] * USUAL_BARS) / sum;
  }

  /** Length of what is saved. */
  get stateLength(): number {
    const columns = this.moving.length * this.kept;
    return this.rows.reduce((sum, { follower }) => sum + follower.stateLength, 1 + columns);
  }

  /** Writes what there is to save from a place on. @returns the place after it. */
  save(into: Float64Array, from: number): number {
    const count = Math.min(this.at[0], this.kept);
    into[from] = count;
    let place = from + 1;
    for (const column of this.moving) {
      into.set(column.subarray(this.at[0] - count, this.at[0]), place);
      place += this.kept;
    }
    for (const { follower } of this.rows) place = follower.save(into, place);
    return place;
  }

  load(from: Float64Array, start: number): number {
    const count = from[start];
    this.at[0] = count;
    let place = start + 1;
    for (const column of this.moving) {
      column.set(from.subarray(place, place + count));
      place += this.kept;
    }
    for (const { follower } of this.rows) place = follower.load(from, place, count);
    return place;
  }

  private makeRoom(): void {
    const { moving, kept, rows } = this;
    for (let k = 0; k < moving.length; k++) {
      const column = moving[k];
      for (let i = 0; i < kept; i++) column[i] = column[ROOM + i];
    }
    this.at[0] = kept;
    for (let k = 0; k < rows.length; k++) rows[k].follower.moved(ROOM);
  }
}

/** Where things are in the facts of a track: of the newest shorter bar its slot and close; then what longer bars say. */
const SLOT = 0;
export const FACT_CLOSE = 1;
export const FACT_RANGE = 2;
/** Prices of the nearest low volume nodes, NaN for none. */
export const FACT_NODE_BELOW = 3;
export const FACT_NODE_ABOVE = 4;
/** End of the newest bar of either length, epoch ms, and the end of its session. */
export const FACT_TIME = 5;
export const FACT_SESSION_END = 6;
/** Bars taken of both lengths. */
export const FACT_SHORTER = 7;
export const FACT_LONGER = 8;
/** End of the newest shorter bar, its open, and that of the newest longer one, epoch ms. */
const SHORTER_UNTIL = 9;
export const FACT_SHORTER_START = 10;
export const FACT_LONGER_START = 11;
/** What was traded in the last slot, and that over the mean of the 20 bars before it, as `measure` writes it. */
export const FACT_VOLUME = 12;
export const FACT_VOLUME_RATIO = 13;
/** Change of the close in 5 shorter bars, as `measure` writes it, and slope of NW-RQK a longer bar: in average true ranges. */
export const FACT_MOMENTUM = 14;
export const FACT_SLOPE = 15;
/** Strengths of the nearest nodes, NaN for none. */
export const FACT_BELOW_STRENGTH = 16;
export const FACT_ABOVE_STRENGTH = 17;
export const FACTS = 18;

/** What of a track others may read, as parts of a board. */
export const BOARD_LAYOUT = Object.freeze({
  structure: new StructureMatrix().state.length,
  tactical: new TacticalMatrix().state.length,
  regime: new RegimeMatrix().state.length,
  facts: FACTS,
});
export type BoardPart = keyof typeof BOARD_LAYOUT;
export type BoardColumns = Readonly<Record<BoardPart, Float64Array>>;

/** All that is known of one symbol from its closed bars. Nothing is allocated by bar. */
export class Track {
  declare readonly legs: LegWatch;
  declare readonly sequences: SequenceWatch;
  declare readonly structure: StructureMatrix;
  declare readonly tactical: TacticalMatrix;
  declare readonly regime: RegimeMatrix;
  declare readonly facts: Float64Array;
  declare readonly shorter: Followers;
  declare readonly longer: Followers;
  declare private readonly shorterMs: number;
  declare private readonly parts: readonly Float64Array[];

  /**
   * @param shorterMs length of the shorter bars.
   * @param columns where others read it, in the lengths of `BOARD_LAYOUT`; memory of its own by default.
   */
  constructor(terms: TrackTerms, shorterMs: number, columns?: BoardColumns) {
    this.legs = new LegWatch(terms.legs);
    this.sequences = new SequenceWatch(terms.sequence);
    this.structure = new StructureMatrix(columns?.structure);
    this.tactical = new TacticalMatrix(columns?.tactical);
    this.regime = new RegimeMatrix(columns?.regime);
    this.facts = columns?.facts ?? new Float64Array(FACTS);
    this.facts.fill(Number.NaN);
    this.facts[FACT_SHORTER] = this.facts[FACT_LONGER] = 0;
    this.shorter = new Followers([[fairValueGap, {}]], USUAL_BARS + 1);
    this.longer = new Followers([
      [mlmi, { neighbours: terms.legs.neighbours }],
      [rationalQuadraticSlope, { period: SLOPE_PERIOD }],
      [lowVolumeNode, {}],
      [mmdRegime, {}],
      [atr, {}],
    ]);
    this.shorterMs = shorterMs;
    this.parts = [
      this.legs.state,
      this.sequences.state,
      this.structure.state,
      this.tactical.state,
      this.regime.state,
      this.facts,
    ];
  }

  /** Takes a closed shorter bar: gaps, its leg and the tactical matrix. */
  takeShorter(closed: ClosedBars, place: number): void {
    const { facts, legs, tactical } = this;
    const at = this.shorter.take(closed, place);
    const rows = this.shorter.rows[0].outputs;
    const { inputs } = legs;
    inputs[LEG_TIME] = closed.until[place];
    inputs[LEG_BULLISH_FILL] = rows[5][at];
    inputs[LEG_BEARISH_FILL] = rows[6][at];
    inputs[LEG_CLOSE] = closed.close[place];
    legs.takeShorter();
    facts[SLOT] = closed.slot[place];
    facts[FACT_CLOSE] = closed.close[place];
    facts[SHORTER_UNTIL] = closed.until[place];
    facts[FACT_SHORTER_START] = closed.time[place];
    facts[FACT_TIME] = closed.until[place];
    facts[FACT_SESSION_END] = closed.sessionEnd[place];
    facts[FACT_SHORTER]++;
    const row = tactical.inputs;
    row[0] = closed.time[place];
    row[1] = closed.close[place];
    row[2] = closed.volume[place];
    row[3] = facts[FACT_RANGE];
    for (let k = 0; k < 8; k++) row[4 + k] = rows[k][at];
    tactical.advance();
  }

  /** Takes a closed longer bar: MLMI, NW-RQK, nodes, the kind of market, both legs and both matrices. */
  takeLonger(closed: ClosedBars, place: number): void {
    const { facts, legs, structure, regime, longer } = this;
    const at = longer.take(closed, place);
    const { rows } = longer;
    const momentum = rows[0].outputs;
    const estimate = rows[1].outputs;
    const nodes = rows[2].outputs;
    const kinds = rows[3].outputs;
    const close = closed.close[place];
    const range = rows[4].outputs[0][at];
    legs.inputs[LEG_TIME] = closed.until[place];
    legs.inputs[LEG_MLMI] = momentum[0][at];
    legs.inputs[LEG_SLOPE] = estimate[1][at];
    legs.takeLonger();
    facts[FACT_RANGE] = range;
    facts[FACT_NODE_BELOW] = nodes[2][at] === 1 ? close + nodes[0][at] : Number.NaN;
    facts[FACT_NODE_ABOVE] = nodes[5][at] === 1 ? close + nodes[3][at] : Number.NaN;
    facts[FACT_BELOW_STRENGTH] = nodes[2][at] === 1 ? nodes[1][at] : Number.NaN;
    facts[FACT_ABOVE_STRENGTH] = nodes[5][at] === 1 ? nodes[4][at] : Number.NaN;
    facts[FACT_SLOPE] = estimate[1][at];
    facts[FACT_LONGER_START] = closed.time[place];
    facts[FACT_TIME] = closed.until[place];
    facts[FACT_SESSION_END] = closed.sessionEnd[place];
    facts[FACT_LONGER]++;
    const row = structure.inputs;
    row[0] = closed.time[place];
    row[1] = close;
    row[2] = range;
    row[3] = momentum[0][at];
    row[4] = momentum[1][at];
    row[5] = estimate[0][at];
    row[6] = estimate[1][at];
    for (let k = 0; k < 6; k++) row[7 + k] = nodes[k][at];
    row[13] = (closed.time[place] - closed.sessionStart[place]) / 60_000;
    row[14] = (closed.sessionEnd[place] - closed.sessionStart[place]) / 60_000;
    structure.advance();
    const kind = regime.inputs;
    kind[0] = closed.time[place];
    kind[1] = close;
    kind[2] = closed.volume[place];
    kind[3] = range;
    for (let k = 0; k < 7; k++) kind[4 + k] = kinds[k][at];
    kind[11] = kinds[8][at];
    regime.advance();
  }

  /** Writes those facts that only a synergy is told with: how busy the newest shorter bar was, and how far price has come. */
  measure(): void {
    const { facts } = this;
    this.shorter.compare(facts);
    facts[FACT_MOMENTUM] /= facts[FACT_RANGE];
    // A half hour may end where nothing was traded in its last five minutes.
    if (facts[SHORTER_UNTIL] !== facts[FACT_TIME]) facts[FACT_VOLUME] = facts[FACT_VOLUME_RATIO] = 0;
  }

  /**
   * Slot at whose close the newest bars speak. A longer bar may end where no shorter one does: so many slots later as the
   * session has until then, and none outside its hours, where slots count bars that came.
   * @param place of a bar that has just been taken.
   */
  slotAt(closed: ClosedBars, place: number, { open, close }: Calendar): number {
    const { facts } = this;
    const later = (closed.until[place] - facts[SHORTER_UNTIL]) / this.shorterMs;
    if (!(later > 0)) return facts[SLOT];
    const session = upperBoundAt(open, closed.time, place) - 1;
    const isRegular = session >= 0 && closed.time[place] < close[session];
    return isRegular ? facts[SLOT] + Math.ceil(later) : facts[SLOT];
  }

  get stateLength(): number {
    const own = this.parts.reduce((sum, part) => sum + part.length, 0);
    return own + this.shorter.stateLength + this.longer.stateLength;
  }

  save(into: Float64Array, from: number): number {
    let place = from;
    for (const part of this.parts) {
      into.set(part, place);
      place += part.length;
    }
    return this.longer.save(into, this.shorter.save(into, place));
  }

  load(from: Float64Array, start: number): number {
    let place = start;
    for (const part of this.parts) {
      part.set(from.subarray(place, place + part.length));
      place += part.length;
    }
    return this.longer.load(from, this.shorter.load(from, place));
  }
}
