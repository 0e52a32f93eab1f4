import { ensure } from "../../core/base/assert.js";
import { computeIndicator, type ParameterValues } from "../../core/indicators/define.js";
import { findIndicator } from "../../core/indicators/index.js";
import { type Candles, sliceCandles } from "../../core/market/candles.js";

export interface Computation {
  readonly candles: Candles;
  /** First bar whose values are wanted. */
  readonly from: number;
  /** Rows of the indicator table by name, with complete values. */
  readonly rows: readonly {
    readonly name: string;
    readonly values: ParameterValues;
    /** First bar it is computed from. */
    readonly start: number;
  }[];
}

/** Columns of each row's outputs over bars [from, length), computed in a thread. */
export default function compute({ candles, from, rows }: Computation): Float64Array[][] {
  const { length } = candles.time;
  return rows.map(({ name, values, start }) => {
    const indicator = ensure(findIndicator(name), name);
    const bars = sliceCandles(candles, start, length);
    return computeIndicator(indicator, bars, values).map((column) => column.slice(from - start));
  });
}
