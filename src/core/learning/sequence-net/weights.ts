import { decodeFloats, encodeFloats } from "../../base/base64.js";
import { hash32 } from "../../base/rng.js";
import { isSame } from "../../base/words.js";
import { WeightsRefused } from "../define.js";
import { SHAPES } from "../shapes.js";
import { NET_COLUMNS, WINDOW_BARS } from "./columns.js";
import { layoutOf, type NetSize } from "./layout.js";
import { NET_SCHEMA, type SequenceNet } from "./net.js";

/** A net as JSON has it. */
export interface EncodedNet {
  readonly kind: "sequence_net";
  readonly schema: number;
  readonly size: NetSize;
  readonly columns: readonly string[];
  readonly classes: readonly string[];
  readonly temperature: number;
  /** Base64 of the parameters as 32-bit floats, little-endian, as `layoutOf` lays them out. */
  readonly values: string;
  /** 32-bit FNV-1a of all of the above as JSON, so that no change of any goes unseen by accident. */
  readonly checksum: number;
}

type Content = Omit<EncodedNet, "checksum">;

function checksumOf({ kind, schema, size, columns, classes, temperature, values }: Content): number {
  const { bars, columns: width, filters, spans, cells, classes: count } = size;
  const sizes = [bars, width, filters, spans, cells, count];
  return hash32(JSON.stringify([kind, schema, sizes, columns, classes, temperature, values]));
}

/** What `decodeNet` reads back to the last bit. */
export function encodeNet({ size, columns, classes, temperature, values }: SequenceNet): EncodedNet {
  const content: Content = {
    kind: "sequence_net",
    schema: NET_SCHEMA,
    size,
    columns,
    classes,
    temperature,
    values: encodeFloats(values),
  };
  return { ...content, checksum: checksumOf(content) };
}

const KEYS = ["kind", "schema", "size", "columns", "classes", "temperature", "values", "checksum"];
const SIZE_KEYS = ["bars", "columns", "filters", "spans", "cells", "classes"];
/** Parameters that a net may have at most, so that a foreign size asks for no memory. */
const MOST_VALUES = 1_000_000;
const MOST_SIDE = 4_096;

/**
 * The net that was encoded.
 * @throws {WeightsRefused} where anything is missing, added, changed or not finite, or where it reads other columns or
 * tells other shapes apart than this version.
 */
export function decodeNet(value: unknown): SequenceNet {
  const { kind, schema, columns, classes, temperature, values, checksum, ...rest } = recordOf(value, KEYS);
  if (kind !== "sequence_net") throw new WeightsRefused("not a sequence net");
  if (schema !== NET_SCHEMA) throw new WeightsRefused(`schema ${String(schema)} instead of ${NET_SCHEMA}`);
  const size = sizeOf(rest.size);
  if (!isSame(columns, NET_COLUMNS)) throw new WeightsRefused("reads other columns");
  if (!isSame(classes, SHAPES)) throw new WeightsRefused("tells other shapes apart");
  if (size.bars !== WINDOW_BARS || size.columns !== NET_COLUMNS.length || size.classes !== SHAPES.length) {
    throw new WeightsRefused("its size does not fit its columns and shapes");
  }
  if (typeof temperature !== "number" || !Number.isFinite(temperature) || temperature <= 0) {
    throw new WeightsRefused("its temperature is not above 0 and finite");
  }
  if (typeof values !== "string") throw new WeightsRefused("its parameters are no text");
  const numbers = decodeFloats(values, lengthOf(size));
  if (numbers === null) throw new WeightsRefused("its parameters are cut off or no base64 of its size");
  if (!numbers.every(Number.isFinite)) throw new WeightsRefused("a parameter is not finite");
  const net = { size, columns: NET_COLUMNS, classes: SHAPES, temperature };
  if (checksum !== checksumOf({ kind, schema, ...net, values })) {
    throw new WeightsRefused("it is not what was written: its checksum is another");
  }
  return { ...net, values: numbers };
}

/** The object, where it has just these keys. */
function recordOf(value: unknown, keys: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new WeightsRefused("not an object");
  }
  const own = Object.keys(value);
  for (const key of keys) if (!own.includes(key)) throw new WeightsRefused(`${key} is missing`);
  if (own.length !== keys.length) throw new WeightsRefused("it has more than a sequence net has");
  return value as Record<string, unknown>;
}

function sizeOf(value: unknown): NetSize {
  const { bars, columns, filters, spans, cells, classes } = recordOf(value, SIZE_KEYS);
  return {
    bars: sideOf(bars),
    columns: sideOf(columns),
    filters: pairOf(filters),
    spans: pairOf(spans),
    cells: sideOf(cells),
    classes: sideOf(classes),
  };
}

function pairOf(value: unknown): readonly [number, number] {
  if (!Array.isArray(value) || value.length !== 2) throw new WeightsRefused("its size is no size");
  return [sideOf(value[0]), sideOf(value[1])];
}

function sideOf(value: unknown): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > MOST_SIDE) {
    throw new WeightsRefused("its size is no size");
  }
  return value;
}

function lengthOf(size: NetSize): number {
  const { bars, spans } = size;
  const left = ((bars - spans[0] + 1) >> 1) - spans[1] + 1;
  if (left < 2) throw new WeightsRefused("its convolutions span more than its window");
  const { length } = layoutOf(size);
  if (length > MOST_VALUES) throw new WeightsRefused("it has too many parameters");
  return length;
}
