import type { Ticks } from "./tick.js";

/** Numbers that are remembered of a symbol at most: of more the lowest are forgotten, a quarter at a time. */
export const MOST_IDS = 131_072;
const FIRST_ROOM = 64;
const NONE = new Float64Array(0);

/**
 * The trades of many symbols by the number that their source gave them and their time: numbers that begin again each day,
 * or that two senders count for themselves, are of different trades. They lie in the order of the numbers, so that one
 * above all before is put at the end. Memory is taken as the busiest bar of a symbol needs it, and none after that.
 */
export class TradeIds {
  declare private readonly ids: Float64Array[];
  declare private readonly times: Float64Array[];
  declare private readonly counts: Int32Array;

  constructor(symbols: number) {
    this.ids = new Array<Float64Array>(symbols).fill(NONE);
    this.times = new Array<Float64Array>(symbols).fill(NONE);
    this.counts = new Int32Array(symbols);
  }

  /** How many are remembered of a symbol. */
  count(symbol: number): number {
    return this.counts[symbol];
  }

  /** Writes the highest number of a symbol to a place; endlessly little where there is none. */
  writeHighest(symbol: number, into: Float64Array, place: number): void {
    const count = this.counts[symbol];
    into[place] = count === 0 ? Number.NEGATIVE_INFINITY : this.ids[symbol][count - 1];
  }

  /** Whether tick `i` of a symbol is remembered. */
  has(symbol: number, { id, time }: Ticks, i: number): boolean {
    const at = this.placeOf(symbol, id, time, i);
    return at < this.counts[symbol] && this.ids[symbol][at] === id[i] && this.times[symbol][at] === time[i];
  }

  /** Remembers the tick at place `i` of columns, which is not. */
  add(symbol: number, id: Float64Array, time: Float64Array, i: number): void {
    if (this.counts[symbol] === this.ids[symbol].length) this.makeRoom(symbol);
    const count = this.counts[symbol];
    const ids = this.ids[symbol];
    const times = this.times[symbol];
    let at = count;
    if (count > 0 && !(id[i] > ids[count - 1])) {
      at = this.placeOf(symbol, id, time, i);
      ids.copyWithin(at + 1, at, count);
      times.copyWithin(at + 1, at, count);
    }
    ids[at] = id[i];
    times[at] = time[i];
    this.counts[symbol] = count + 1;
  }

  /** Remembers those of places [from, to) that have a number; each is above all before it. The last goes to a place. */
  append(
    symbol: number,
    id: Float64Array,
    time: Float64Array,
    from: number,
    to: number,
    into: Float64Array,
    place: number,
  ): void {
    let ids = this.ids[symbol];
    let times = this.times[symbol];
    let count = this.counts[symbol];
    for (let i = from; i < to; i++) {
      if (Number.isNaN(id[i])) continue;
      if (count === ids.length) {
        this.counts[symbol] = count;
        this.makeRoom(symbol);
        ids = this.ids[symbol];
        times = this.times[symbol];
        count = this.counts[symbol];
      }
      ids[count] = id[i];
      times[count++] = time[i];
    }
    this.counts[symbol] = count;
    this.writeHighest(symbol, into, place);
  }

  /** Forgets the trades of a symbol before an instant, epoch ms, which stands at its place. */
  forgetBefore(symbol: number, instants: Float64Array): void {
    const ids = this.ids[symbol];
    const times = this.times[symbol];
    const count = this.counts[symbol];
    let kept = 0;
    for (let k = 0; k < count; k++) {
      if (times[k] < instants[symbol]) continue;
      ids[kept] = ids[k];
      times[kept++] = times[k];
    }
    this.counts[symbol] = kept;
  }

  /** Writes two doubles for each that is remembered of a symbol. */
  save(symbol: number, into: Float64Array, from: number): void {
    const count = this.counts[symbol];
    into.set(this.ids[symbol].subarray(0, count), from);
    into.set(this.times[symbol].subarray(0, count), from + count);
  }

  /** @param from first place of what `save` wrote, which goes to the end. */
  load(symbol: number, state: Float64Array, from: number): void {
    const count = (state.length - from) / 2;
    this.ids[symbol] = state.slice(from, from + count);
    this.times[symbol] = state.slice(from + count);
    this.counts[symbol] = count;
  }

  /** Place of the first that is not before tick `i`. */
  private placeOf(symbol: number, id: Float64Array, time: Float64Array, i: number): number {
    const ids = this.ids[symbol];
    const times = this.times[symbol];
    let low = 0;
    let high = this.counts[symbol];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const isBefore = ids[middle] < id[i] || (ids[middle] === id[i] && times[middle] < time[i]);
      if (isBefore) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private makeRoom(symbol: number): void {
    const ids = this.ids[symbol];
    const times = this.times[symbol];
    const room = ids.length;
    if (room >= MOST_IDS) {
      const gone = MOST_IDS / 4;
      ids.copyWithin(0, gone, room);
      times.copyWithin(0, gone, room);
      this.counts[symbol] = room - gone;
      return;
    }
    const length = Math.min(MOST_IDS, Math.max(FIRST_ROOM, 2 * room));
    this.ids[symbol] = new Float64Array(length);
    this.times[symbol] = new Float64Array(length);
    this.ids[symbol].set(ids);
    this.times[symbol].set(times);
  }
}
