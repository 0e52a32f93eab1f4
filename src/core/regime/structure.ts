import { createColumn } from "../base/columns.js";
import type { Bars } from "../market/candles.js";
import { type Moves, ratio } from "./moves.js";
import { laggedBy, windowHighest, windowLowest, windowSums } from "./windows.js";

const BASE_BARS = 40;
/** A breakout is one for so many bars; then its bars belong to the base. */
const BREAKOUT_BARS = 5;
const BEFORE_BARS = 40;
const TURN_BARS = 15;

export interface StructureColumns {
  readonly base_width: Float64Array;
  readonly beyond_base: Float64Array;
  readonly move_before: Float64Array;
  readonly turn: Float64Array;
  readonly retraced: Float64Array;
}

/** How the newest bars stand to those before them. @param range average true range of 50 bars in logarithms. */
export function computeStructure(bars: Bars, moves: Moves, range: Float64Array): StructureColumns {
  return Object.assign({}, breakouts(bars, range), turns(moves, range));
}

function breakouts({ high, low, close }: Bars, range: Float64Array) {
  const top = laggedBy(windowHighest(high, BASE_BARS), BREAKOUT_BARS);
  const bottom = laggedBy(windowLowest(low, BASE_BARS), BREAKOUT_BARS);
  const usual = laggedBy(range, BREAKOUT_BARS);
  const width = createColumn(close.length);
  const beyond = createColumn(close.length);
  for (let i = 0; i < close.length; i++) {
    width[i] = ratio(Math.log(top[i] / bottom[i]), usual[i] * Math.sqrt(BASE_BARS));
    const times = Math.max(close[i] / top[i], bottom[i] / close[i]);
    beyond[i] = ratio(Math.log(times), usual[i]);
  }
  return { base_width: width, beyond_base: beyond };
}

function turns({ close }: Moves, range: Float64Array) {
  const before = laggedBy(windowSums(close, BEFORE_BARS), TURN_BARS);
  const turn = windowSums(close, TURN_BARS);
  const usual = laggedBy(range, TURN_BARS);
  const retraced = createColumn(close.length);
  for (let i = 0; i < close.length; i++) {
    const move = turn[i];
    retraced[i] = ratio(-move, before[i]);
    turn[i] = ratio(-Math.sign(before[i]) * move, range[i] * Math.sqrt(TURN_BARS));
    before[i] = ratio(Math.abs(before[i]), usual[i] * Math.sqrt(BEFORE_BARS));
  }
  return { move_before: before, turn, retraced };
}
