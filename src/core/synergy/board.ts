import { assert } from "../base/assert.js";

/** Parts of what is known of a symbol, each a column of doubles of a fixed length. */
export type Layout<Part extends string> = Readonly<Record<Part, number>>;

const INTS = 1;

/**
 * Columns of many symbols in memory that threads share: one writes, any may read without being waited for. A number by
 * symbol is odd while it is written to; a reader that met a writer reads again.
 */
export class Board<Part extends string> {
  declare private readonly layout: Layout<Part>;
  declare private readonly versions: Int32Array;
  declare private readonly columns: Float64Array;
  declare private readonly stride: number;

  /** @param memory as long as `byteLength` says, zeros at first. */
  constructor(layout: Layout<Part>, memory: SharedArrayBuffer, symbols: number) {
    const stride = strideOf(layout);
    const head = headOf(symbols);
    assert(memory.byteLength >= head + 8 * stride * symbols, "the memory has room for all symbols");
    this.layout = layout;
    this.versions = new Int32Array(memory, 0, INTS * symbols);
    this.columns = new Float64Array(memory, head, stride * symbols);
    this.stride = stride;
  }

  /** Bytes that a board of so many symbols takes. */
  static byteLength(layout: Layout<string>, symbols: number): number {
    return headOf(symbols) + 8 * strideOf(layout) * symbols;
  }

  /** The memory of a part of a symbol, to be written to between `open` and `close`. */
  column(symbol: number, part: Part): Float64Array {
    let from = symbol * this.stride;
    for (const [name, length] of Object.entries<number>(this.layout)) {
      if (name === part) return this.columns.subarray(from, from + length);
      from += length;
    }
    throw new Error(`a board has no part ${part}`);
  }

  /** What follows is written to a symbol. */
  open(symbol: number): void {
    Atomics.add(this.versions, symbol, 1);
  }

  close(symbol: number): void {
    Atomics.add(this.versions, symbol, 1);
  }

  /** A copy of all parts of a symbol as they were at one instant; null where it was written to at each of many looks. */
  read(symbol: number): Readonly<Record<Part, Float64Array>> | null {
    const from = symbol * this.stride;
    for (let attempt = 0; attempt < 1_000; attempt++) {
      const before = Atomics.load(this.versions, symbol);
      if ((before & 1) === 1) continue;
      const copy = this.columns.slice(from, from + this.stride);
      if (Atomics.load(this.versions, symbol) === before) return this.parted(copy);
    }
    return null;
  }

  private parted(copy: Float64Array): Record<Part, Float64Array> {
    const parts: Partial<Record<Part, Float64Array>> = {};
    let from = 0;
    for (const [name, length] of Object.entries<number>(this.layout)) {
      parts[name as Part] = copy.subarray(from, from + length);
      from += length;
    }
    return parts as Record<Part, Float64Array>;
  }
}

function strideOf(layout: Layout<string>): number {
  return Object.values(layout).reduce((sum, length) => sum + length, 0);
}

/** Versions, and what brings the columns to a multiple of eight bytes. */
function headOf(symbols: number): number {
  return 8 * Math.ceil((4 * INTS * symbols) / 8);
}
