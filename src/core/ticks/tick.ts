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

/** The first `count` ticks, in the memory of all. */
export function firstTicks(ticks: Ticks, count: number): Ticks {
  return {
    symbol: ticks.symbol.subarray(0, count),
    time: ticks.time.subarray(0, count),
    price: ticks.price.subarray(0, count),
    size: ticks.size.subarray(0, count),
    id: ticks.id.subarray(0, count),
  };
}

/** Ticks at some places, in that order; the ticks themselves where it is as many places as there are ticks. */
export function pickTicks(ticks: Ticks, places: Int32Array): Ticks {
  if (places.length === ticks.time.length) return ticks;
  const picked = allocateTicks(places.length);
  for (let k = 0; k < places.length; k++) {
    const i = places[k];
    picked.symbol[k] = ticks.symbol[i];
    picked.time[k] = ticks.time[i];
    picked.price[k] = ticks.price[i];
    picked.size[k] = ticks.size[i];
    picked.id[k] = ticks.id[i];
  }
  return picked;
}

/** Ticks one after another; the part itself where there is one alone. */
export function joinTicks(parts: readonly Ticks[]): Ticks {
  if (parts.length === 1) return parts[0];
  const all = allocateTicks(parts.reduce((sum, { time }) => sum + time.length, 0));
  let at = 0;
  for (const { symbol, time, price, size, id } of parts) {
    all.symbol.set(symbol, at);
    all.time.set(time, at);
    all.price.set(price, at);
    all.size.set(size, at);
    all.id.set(id, at);
    at += time.length;
  }
  return all;
}
