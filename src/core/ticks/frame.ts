import { assert } from "../base/assert.js";
import { Spellings, SymbolTable, type TickBatch } from "./batch.js";
import { allocateTicks } from "./tick.js";

/**
 * The binary frame of ticks; every number with its low end first.
 *
 * | bytes | what |
 * |---|---|
 * | 4 | `TXTK` |
 * | u8 | version, 1 |
 * | u8 | flags: 1 when numbers of the source follow the records; no others |
 * | u16 | symbols, 1 or more |
 * | u32 | records, up to 65,536 |
 * | u32 | length of the whole frame in bytes |
 * | f64 | epoch, ms since 1970: a whole number |
 * | each symbol: u8, then as many bytes | length 1 to 40, and ASCII |
 * | each record: u16, u16, u32, f64, f64 | place of its symbol, 0, ms since the epoch, price, size |
 * | each record, where so flagged: f64 | number of the source, whole and within 2^53 - 1; NaN for none |
 *
 * A record of 24 bytes has both price and size as doubles, so that a frame says to the bit what JSON would.
 */
export const FRAME_VERSION = 1;
/** "TXTK", low end first. */
const MAGIC = 0x4b545854;
const HEADER_BYTES = 24;
const RECORD_BYTES = 24;
const HAS_IDS = 1;
const LONGEST_SYMBOL = 40;
const LARGEST_OFFSET = 0xffffffff;
/** Most records of a frame. */
export const FRAME_RECORDS = 65_536;

export type DecodedFrame = { readonly batch: TickBatch } | { readonly problem: string };

/**
 * The bytes of a batch. Times are to be whole ms within 49 days of each other, and there may be up to `FRAME_RECORDS`
 * ticks: an AssertionError else.
 */
export function encodeFrame({ symbols, ticks }: TickBatch): Uint8Array {
  const count = ticks.time.length;
  assert(count <= FRAME_RECORDS, `${count} ticks in one frame`);
  assert(symbols.length > 0 && symbols.length < 65_536, `${symbols.length} symbols in one frame`);
  const epoch = count === 0 ? 0 : ticks.time.reduce((least, time) => Math.min(least, time));
  const hasIds = ticks.id.some((id) => !Number.isNaN(id));
  const names = symbols.reduce((sum, symbol) => sum + 1 + symbol.length, 0);
  const length = HEADER_BYTES + names + count * (RECORD_BYTES + (hasIds ? 8 : 0));
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, FRAME_VERSION);
  view.setUint8(5, hasIds ? HAS_IDS : 0);
  view.setUint16(6, symbols.length, true);
  view.setUint32(8, count, true);
  view.setUint32(12, length, true);
  view.setFloat64(16, epoch, true);
  let at = HEADER_BYTES;
  for (const symbol of symbols) {
    assert(/^[\x21-\x7e]{1,40}$/.test(symbol), `${symbol} is not a symbol`);
    view.setUint8(at++, symbol.length);
    for (let k = 0; k < symbol.length; k++) view.setUint8(at++, symbol.charCodeAt(k));
  }
  for (let i = 0; i < count; i++, at += RECORD_BYTES) {
    const offset = ticks.time[i] - epoch;
    assert(Number.isInteger(ticks.time[i]) && offset <= LARGEST_OFFSET, `time ${ticks.time[i]} in a frame`);
    view.setUint16(at, ticks.symbol[i], true);
    view.setUint32(at + 4, offset, true);
    view.setFloat64(at + 8, ticks.price[i], true);
    view.setFloat64(at + 16, ticks.size[i], true);
  }
  if (hasIds) for (let i = 0; i < count; i++, at += 8) view.setFloat64(at, ticks.id[i], true);
  return bytes;
}

/** The ticks of a frame, or what is wrong with it: all of it is refused then. Prices and sizes may be of any kind. */
export function decodeFrame(bytes: Uint8Array, spellings = new Spellings()): DecodedFrame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const wrong = headerProblem(view);
  if (wrong !== null) return { problem: wrong };
  const named = view.getUint16(6, true);
  const count = view.getUint32(8, true);
  const hasIds = view.getUint8(5) === HAS_IDS;
  const recordBytes = count * (RECORD_BYTES + (hasIds ? 8 : 0));
  const table = readSymbols(view, named, bytes.length - recordBytes, spellings);
  if (typeof table === "string") return { problem: table };

  const { symbols, places } = table;
  const epoch = view.getFloat64(16, true);
  const ticks = allocateTicks(count);
  let at = bytes.length - recordBytes;
  for (let i = 0; i < count; i++, at += RECORD_BYTES) {
    const symbol = view.getUint16(at, true);
    if (symbol >= named) return { problem: `record ${i} is of symbol ${symbol} of ${named}` };
    if (view.getUint16(at + 2, true) !== 0) return { problem: `record ${i} has flags, which are not known` };
    ticks.symbol[i] = places[symbol];
    ticks.time[i] = epoch + view.getUint32(at + 4, true);
    ticks.price[i] = view.getFloat64(at + 8, true);
    ticks.size[i] = view.getFloat64(at + 16, true);
  }
  if (hasIds) for (let i = 0; i < count; i++, at += 8) ticks.id[i] = view.getFloat64(at, true);
  return { batch: { symbols, ticks } };
}

function headerProblem(view: DataView): string | null {
  const { byteLength } = view;
  if (byteLength < HEADER_BYTES) return `frame of ${byteLength} bytes, which is shorter than its header`;
  if (view.getUint32(0, true) !== MAGIC) return "frame does not begin with TXTK";
  const version = view.getUint8(4);
  if (version !== FRAME_VERSION) return `version ${version} is not known`;
  const flags = view.getUint8(5);
  if (flags > HAS_IDS) return `flags ${flags} are not known`;
  if (view.getUint16(6, true) === 0) return "frame names no symbol";
  const count = view.getUint32(8, true);
  if (count > FRAME_RECORDS) return `${count} records, where ${FRAME_RECORDS} are allowed`;
  const length = view.getUint32(12, true);
  if (length !== byteLength) return `frame of ${byteLength} bytes says that it has ${length}`;
  const epoch = view.getFloat64(16, true);
  return Number.isSafeInteger(epoch) ? null : "epoch is not a whole number of ms";
}

/** The symbols and the place of each that was named, or what is wrong; they have to end exactly at `end`. */
function readSymbols(
  view: DataView,
  named: number,
  end: number,
  spellings: Spellings,
): { readonly symbols: readonly string[]; readonly places: Uint16Array } | string {
  const table = new SymbolTable(spellings);
  const places = new Uint16Array(named);
  let at = HEADER_BYTES;
  for (let k = 0; k < named; k++) {
    const length = at < end ? view.getUint8(at++) : 0;
    if (length === 0 || length > LONGEST_SYMBOL || at + length > end)
      return `symbol ${k} is cut off or empty`;
    let text = "";
    for (const stop = at + length; at < stop; at++) text += String.fromCharCode(view.getUint8(at));
    const place = table.placeOf(text);
    if (place === null) return `symbol ${k} is not a symbol`;
    places[k] = place;
  }
  if (at !== end) return "records do not end with the frame";
  return { symbols: table.symbols, places };
}
