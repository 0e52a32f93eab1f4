import { createColumn } from "../base/columns.js";
import type { Bars } from "../market/candles.js";

/**
 * Bars as logarithms of their prices over the close before: free of the scale of prices, and with the sign changed
 * by turning prices upside down. NaN at the first bar.
 */
export interface Moves {
  readonly close: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  /** From the higher of high and the close before to the lower of low and the close before. */
  readonly trueRange: Float64Array;
  /** By how much the high exceeds the high before, and the low falls short of the low before, where that is the greater; else 0. */
  readonly raised: Float64Array;
  readonly lowered: Float64Array;
}

export function computeMoves({ high, low, close }: Bars): Moves {
  const { length } = close;
  const column = () => createColumn(length).fill(Number.NaN, 0, 1);
  const moves = {
    close: column(),
    high: column(),
    low: column(),
    trueRange: column(),
    raised: column(),
    lowered: column(),
  };
  for (let i = 1; i < length; i++) {
    const before = close[i - 1];
    const up = Math.log(high[i] / before);
    const down = Math.log(low[i] / before);
    const raised = high[i] / high[i - 1];
    const lowered = low[i - 1] / low[i];
    moves.close[i] = Math.log(close[i] / before);
    moves.high[i] = up;
    moves.low[i] = down;
    moves.trueRange[i] = Math.max(up, 0) - Math.min(down, 0);
    if (raised > lowered && raised > 1) moves.raised[i] = Math.log(raised);
    else if (lowered > raised && lowered > 1) moves.lowered[i] = Math.log(lowered);
  }
  return moves;
}

/** The quotient, 0 where nothing moved. */
export function ratio(value: number, scale: number): number {
  return scale === 0 ? 0 : value / scale;
}

/** The value, moved into [low, high]; NaN stays NaN. */
export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}

/** The column without signs. */
export function sizes(column: Float64Array): Float64Array {
  const { length } = column;
  const without = createColumn(length);
  for (let i = 0; i < length; i++) without[i] = Math.abs(column[i]);
  return without;
}
