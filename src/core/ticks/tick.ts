/** Trades of many symbols as columns of one length, in the order in which they arrived. */
export interface Ticks {
  /** An index of whoever holds the list of symbols. */
  readonly symbol: Uint16Array;
  /** When the trade was made, epoch ms UTC. */
  readonly time: Float64Array;
  readonly price: Float64Array;
  /** In units of the instrument, 0 or more. */
  readonly size: Float64Array;
  /** The number that the source gave the trade; NaN for none. */
  readonly id: Float64Array;
}

/** Columns for so many ticks, without numbers of their source. */
export function allocateTicks(capacity: number): Ticks {
  return {
    symbol: new Uint16Array(capacity),
    time: new Float64Array(capacity),
    price: new Float64Array(capacity),
    size: new Float64Array(capacity),
    id: new Float64Array(capacity).fill(Number.NaN),
  };
}
