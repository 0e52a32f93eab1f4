import { promisify } from "node:util";
import { deflate, inflate } from "node:zlib";
import { z } from "zod";
import { LEG_COLUMNS, type LegColumn } from "../../core/market/option-quote.js";
import { chainFromColumns, type Legs, mapLegs, type OptionChain } from "../../core/options/chain.js";

/**
 * A chain as bytes: the length of a JSON header, the header, padding to eight, and as they lie in memory the columns
 * of expiries, strikes and of each figure that any leg has. Figures that no leg has take no room.
 */
export function packChain(chain: OptionChain): Uint8Array {
  const { underlying, time, spot } = chain;
  const named = (["call", "put"] as const).flatMap((right) =>
    LEG_COLUMNS.filter((name) => chain[right][name].some((value) => !Number.isNaN(value))).map((name) => ({
      key: `${right} ${name}`,
      column: chain[right][name],
    })),
  );
  const columns = [chain.expiry, chain.strike, ...named.map(({ column }) => column)];
  const facts = {
    underlying,
    time,
    spot: Number.isNaN(spot) ? null : spot,
    rows: chain.strike.length,
    columns: named.map(({ key }) => key),
  };
  const header = Buffer.from(JSON.stringify(facts));
  const start = startOf(header.length);
  const bytes = new Uint8Array(start + columns.length * chain.strike.byteLength);
  new DataView(bytes.buffer).setUint32(0, header.length);
  bytes.set(header, 4);
  columns.forEach((column, i) => {
    const raw = new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
    bytes.set(raw, start + i * column.byteLength);
  });
  return bytes;
}

/** Null for bytes of another layout, or whose columns are no chain. */
export function unpackChain(bytes: Uint8Array): OptionChain | null {
  if (bytes.byteLength < 4) return null;
  // A copy, so that columns lie on a boundary of eight whatever buffer the bytes came in.
  const { buffer } = new Uint8Array(bytes);
  const headerLength = new DataView(buffer).getUint32(0);
  if (4 + headerLength > buffer.byteLength) return null;
  const header = parseHeader(Buffer.from(buffer, 4, headerLength).toString("utf8"));
  if (header === null) return null;
  const { underlying, time, spot, rows, columns } = header;
  const start = startOf(headerLength);
  if (buffer.byteLength !== start + (2 + columns.length) * rows * 8) return null;
  const column = (index: number) => new Float64Array(buffer, start + index * rows * 8, rows);
  const side = (right: "call" | "put"): Legs =>
    mapLegs((name: LegColumn) => {
      const index = columns.indexOf(`${right} ${name}`);
      return index < 0 ? new Float64Array(rows).fill(Number.NaN) : column(2 + index);
    });
  return chainFromColumns(
    { underlying, time, spot: spot ?? Number.NaN },
    { expiry: column(0), strike: column(1), call: side("call"), put: side("put") },
  );
}

const deflated = promisify(deflate);
const inflated = promisify(inflate);

/** Packed and compressed, off the event loop. */
export function compressChain(chain: OptionChain): Promise<Buffer> {
  return deflated(packChain(chain));
}

export async function decompressChain(bytes: Uint8Array): Promise<OptionChain | null> {
  return unpackChain(await inflated(bytes));
}

const headerSchema = z.strictObject({
  underlying: z.string(),
  time: z.number(),
  spot: z.number().nullable(),
  rows: z.number().int().min(0),
  columns: z.array(z.string()),
});

function parseHeader(text: string): z.output<typeof headerSchema> | null {
  try {
    return headerSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function startOf(headerLength: number): number {
  return Math.ceil((4 + headerLength) / 8) * 8;
}
