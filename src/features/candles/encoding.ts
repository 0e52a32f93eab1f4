import { BAR_COLUMNS, type Candles } from "../../core/market/candles.js";
import type { CacheKind } from "../../platform/cache.js";

/** What a cached window carries beside its columns. */
export interface WindowFacts {
  readonly source: string | null;
  readonly asOfMs: number;
  readonly trouble: string | null;
}

export interface CandleWindow extends WindowFacts {
  readonly candles: Candles;
}

/**
 * A window as bytes: the length of a JSON header, the header, and the six columns as they lie in memory.
 * Bytes of another layout decode to null.
 */
export const WINDOW_KIND: CacheKind<CandleWindow> = {
  prefix: "candles1",
  encode({ candles, ...facts }) {
    const { symbol, interval, time } = candles;
    const header = Buffer.from(JSON.stringify({ ...facts, symbol, interval, length: time.length }));
    const padding = (8 - ((4 + header.length) % 8)) % 8;
    const bytes = new Uint8Array(4 + header.length + padding + BAR_COLUMNS.length * time.byteLength);
    new DataView(bytes.buffer).setUint32(0, header.length);
    bytes.set(header, 4);
    let at = 4 + header.length + padding;
    for (const name of BAR_COLUMNS) {
      const column = candles[name];
      bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), at);
      at += column.byteLength;
    }
    return bytes;
  },
  decode(bytes) {
    if (bytes.byteLength < 4) return null;
    // A copy, so that columns lie on a boundary of eight whatever buffer the bytes came in.
    const copy = bytes.slice();
    const headerLength = new DataView(copy.buffer).getUint32(0);
    if (4 + headerLength > copy.byteLength) return null;
    const header = parseHeader(Buffer.from(copy.subarray(4, 4 + headerLength)).toString("utf8"));
    if (header === null) return null;
    const { symbol, interval, length, ...facts } = header;
    const start = Math.ceil((4 + headerLength) / 8) * 8;
    if (copy.byteLength !== start + BAR_COLUMNS.length * length * 8) return null;
    const column = (index: number) => new Float64Array(copy.buffer, start + index * length * 8, length);
    const [time, open, high, low, close, volume] = [0, 1, 2, 3, 4, 5].map(column);
    return { ...facts, candles: { symbol, interval, time, open, high, low, close, volume } };
  },
};

interface Header extends WindowFacts {
  readonly symbol: string;
  readonly interval: Candles["interval"];
  readonly length: number;
}

function parseHeader(text: string): Header | null {
  try {
    return JSON.parse(text) as Header;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
