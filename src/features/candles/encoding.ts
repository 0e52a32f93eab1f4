import { z } from "zod";
import type { AdjustedAt } from "../../core/market/adjust.js";
import { BAR_COLUMNS, type Candles, findInvalidBar } from "../../core/market/candles.js";
import { INTERVALS } from "../../core/market/interval.js";
import type { CacheKind } from "../../platform/cache.js";

/** What a cached window carries beside its columns. */
export interface WindowFacts {
  readonly source: string | null;
  readonly asOfMs: number;
  readonly trouble: string | null;
}

export interface CandleWindow extends WindowFacts {
  readonly candles: Candles;
  readonly adjustedAt: AdjustedAt;
}

/**
 * A window as bytes: the length of a JSON header, the header, and the six columns as they lie in memory, and up to
 * when splits are in each price where they are.
 * Bytes of another layout, of another build or with bars that cannot be decode to null.
 */
export const WINDOW_KIND: CacheKind<CandleWindow> = {
  prefix: "candles2",
  encode({ candles, adjustedAt, ...facts }) {
    const { symbol, interval, time } = candles;
    const adjusted = adjustedAt !== null;
    const header = Buffer.from(JSON.stringify({ ...facts, symbol, interval, length: time.length, adjusted }));
    const padding = (8 - ((4 + header.length) % 8)) % 8;
    const columns = [
      ...BAR_COLUMNS.map((name) => candles[name]),
      ...(adjustedAt === null ? [] : [adjustedAt]),
    ];
    const bytes = new Uint8Array(4 + header.length + padding + columns.length * time.byteLength);
    new DataView(bytes.buffer).setUint32(0, header.length);
    bytes.set(header, 4);
    let at = 4 + header.length + padding;
    for (const column of columns) {
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
    const { symbol, interval, length, adjusted, ...facts } = header;
    const columns = BAR_COLUMNS.length + (adjusted ? 1 : 0);
    const start = Math.ceil((4 + headerLength) / 8) * 8;
    if (copy.byteLength !== start + columns * length * 8) return null;
    const column = (index: number) => new Float64Array(copy.buffer, start + index * length * 8, length);
    const [time, open, high, low, close, volume] = [0, 1, 2, 3, 4, 5].map(column);
    const candles: Candles = { symbol, interval, time, open, high, low, close, volume };
    return findInvalidBar(candles) === null
      ? { ...facts, candles, adjustedAt: adjusted ? column(6) : null }
      : null;
  },
};

const headerSchema = z.strictObject({
  source: z.string().nullable(),
  asOfMs: z.number(),
  trouble: z.string().nullable(),
  symbol: z.string(),
  interval: z.enum(INTERVALS),
  length: z.number().int().min(0),
  adjusted: z.boolean(),
});

function parseHeader(text: string): z.output<typeof headerSchema> | null {
  try {
    return headerSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
