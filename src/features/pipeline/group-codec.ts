import { allocateTicks, type Ticks } from "../../core/ticks/tick.js";
import { sha256 } from "../../platform/sha256.js";

/** Ticks as they are kept: the symbols by name, then the columns, every bit as it came. */
export interface NamedTicks {
  readonly symbols: readonly string[];
  /** `symbol` are places in `symbols`. */
  readonly ticks: Ticks;
}

const VERSION = 1;
const HEAD_BYTES = 16;
const DOUBLES = ["time", "price", "size", "id"] as const;

/**
 * Version, number of ticks, length of the names in bytes, as whole numbers of 32 bits; the names as JSON; from the next
 * multiple of 8 on the columns: time, price, size, id as doubles, symbol as whole numbers of 16 bits.
 */
export function encodeGroup({ symbols, ticks }: NamedTicks): Uint8Array {
  const count = ticks.time.length;
  const names = new TextEncoder().encode(JSON.stringify(symbols));
  const at = columnsAt(names.length);
  const bytes = new Uint8Array(at + count * (8 * DOUBLES.length + 2));
  new Uint32Array(bytes.buffer, 0, 3).set([VERSION, count, names.length]);
  bytes.set(names, HEAD_BYTES);
  for (const [k, name] of DOUBLES.entries()) {
    new Float64Array(bytes.buffer, at + 8 * count * k, count).set(ticks[name]);
  }
  new Uint16Array(bytes.buffer, at + 8 * count * DOUBLES.length, count).set(ticks.symbol);
  return bytes;
}

/** @throws Error for bytes that are no group of this version. */
export function decodeGroup(bytes: Uint8Array): NamedTicks {
  // A copy begins at a multiple of 8, as columns must.
  const copy = bytes.slice();
  if (copy.length < HEAD_BYTES) throw new Error("a kept group of ticks is cut off");
  const [version, count, length] = new Uint32Array(copy.buffer, 0, 3);
  const at = columnsAt(length);
  if (version !== VERSION || copy.length !== at + count * (8 * DOUBLES.length + 2)) {
    throw new Error(`a kept group of ticks is not of version ${VERSION}, or is cut off`);
  }
  const names: unknown = JSON.parse(new TextDecoder().decode(copy.subarray(HEAD_BYTES, HEAD_BYTES + length)));
  if (!Array.isArray(names)) throw new Error("a kept group of ticks names no symbols");
  const ticks = allocateTicks(count);
  for (const [k, name] of DOUBLES.entries()) {
    ticks[name].set(new Float64Array(copy.buffer, at + 8 * count * k, count));
  }
  ticks.symbol.set(new Uint16Array(copy.buffer, at + 8 * count * DOUBLES.length, count));
  return { symbols: names.map(String), ticks };
}

/** Tells batches apart: the same ticks in the same order have the same, however their symbols are listed. */
export function fingerprintOf({ symbols, ticks }: NamedTicks): string {
  const places = new Map<string, number>();
  const symbol = ticks.symbol.map((place) => {
    const name = symbols[place];
    const known = places.get(name) ?? places.size;
    places.set(name, known);
    return known;
  });
  const named = { symbols: [...places.keys()], ticks: { ...ticks, symbol } };
  return sha256(encodeGroup(named));
}

const columnsAt = (names: number) => 8 * Math.ceil((HEAD_BYTES + names) / 8);
