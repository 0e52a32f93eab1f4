import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { base64Of, bytesOfBase64, bytesOfColumn, columnOfBytes } from "../../src/core/base/bytes.js";
import {
  bytesOfDataSet,
  type DataSet,
  DataSetRefused,
  dataSetOf,
  decodeDataSet,
  encodeDataSet,
  joinDataSets,
} from "../../src/core/learning/data-set.js";
import { pickLabelled } from "../../src/core/learning/rows.js";
import { SAMPLE_SCHEMA, samplesOf } from "../../src/core/learning/samples.js";
import { featureCase } from "../fixtures/feature-series.js";

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const bits = (column: Float64Array) =>
  Array.from(column, (value) => (Number.isNaN(value) ? "NaN" : Object.is(value, -0) ? "-0" : String(value)));

describe("bytes", () => {
  it("are base64 as Node writes it, and are read back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = base64Of(bytes);
        expect(text).toBe(Buffer.from(bytes).toString("base64"));
        expect(bytesOfBase64(text)).toEqual(bytes);
      }),
    );
    const long = new Uint8Array(100_003).map((_, i) => i * 7);
    expect(base64Of(long)).toBe(Buffer.from(long).toString("base64"));
  });

  it("are not read from a text that would not have been written", () => {
    for (const text of [
      "A",
      "AB",
      "ABC",
      "A===",
      "AB=C",
      "AA=A",
      "AB==",
      "AAB=",
      "AA A",
      "AAé=",
      "====",
      "AA-_",
    ]) {
      expect(bytesOfBase64(text), text).toBeNull();
    }
    expect(bytesOfBase64("")).toEqual(new Uint8Array(0));
  });

  it("hold doubles to the last bit, little end first, all kinds of NaN as one", () => {
    fc.assert(
      fc.property(fc.array(fc.double()), (values) => {
        const column = Float64Array.from(values);
        const bytes = bytesOfColumn(column);
        const read = columnOfBytes(bytes);
        expect(bits(read ?? new Float64Array(1))).toEqual(bits(column));
        const buffer = Buffer.from(bytes);
        for (const [i, value] of values.entries()) expect(buffer.readDoubleLE(8 * i)).toBe(value);
      }),
    );
    const odd = new Float64Array(new BigUint64Array([0xfff8000000000001n, 0x7ff8000000000000n]).buffer);
    const bytes = bytesOfColumn(odd);
    expect(bytes.subarray(0, 8)).toEqual(bytes.subarray(8));
    expect(columnOfBytes(new Uint8Array(9))).toBeNull();
  });
});

const { candles, context } = featureCase("24x7", "1h", 420, 51);
const { sentiment: _, ...without } = context;
const dataSet = dataSetOf(
  samplesOf({ ...candles, symbol: "Ünï\u2028" }, without, { policy: { kind: "barriers" }, costBps: 5 }),
);
const sha256 = digest(bytesOfDataSet(dataSet));
const file = () => JSON.parse(JSON.stringify(encodeDataSet(dataSet, sha256))) as Record<string, unknown>;

describe("a data set as a file", () => {
  it("is read back to the last bit, NaN included, and has the digest it says", () => {
    const { dataSet: read, sha256: said } = decodeDataSet(file());
    expect(said).toBe(sha256);
    expect(digest(bytesOfDataSet(read))).toBe(sha256);
    expect(read.schema).toBe(SAMPLE_SCHEMA);
    expect(read.samples.names).toEqual(dataSet.samples.names);
    expect(read.samples.columns.map(bits)).toEqual(dataSet.samples.columns.map(bits));
    expect(read.facts).toEqual(dataSet.facts);
    expect(read.samples.columns.some((column) => column.some(Number.isNaN))).toBe(true);
    expect(dataSet.facts.length).toBeGreaterThan(30);
  });

  it("has another digest once anything is changed", () => {
    const { samples, facts, schema } = dataSet;
    const touched = (column: Float64Array) => column.map((value, i) => (i === 5 ? value + 1 : value));
    const others: DataSet[] = [
      { ...dataSet, schema: `${schema}0` },
      {
        ...dataSet,
        samples: { ...samples, columns: samples.columns.map((each, k) => (k === 9 ? touched(each) : each)) },
      },
      { ...dataSet, samples: { ...samples, labels: touched(samples.labels) } },
      { ...dataSet, samples: { ...samples, settledAt: touched(samples.settledAt) } },
      { ...dataSet, samples: { ...samples, weights: touched(samples.weights ?? samples.labels) } },
      { ...dataSet, samples: { ...samples, names: samples.names.toReversed() } },
      { ...dataSet, facts: facts.map((fact, i) => (i === 2 ? { ...fact, symbol: "Uni" } : fact)) },
    ];
    const digests = [sha256, ...others.map((each) => digest(bytesOfDataSet(each)))];
    expect(new Set(digests).size).toBe(digests.length);
  });

  it("is refused with a reason where it is not whole", () => {
    const broken: Readonly<Record<string, [(whole: Record<string, unknown>) => unknown, RegExp]>> = {
      nothing: [() => null, /no object/],
      list: [() => [], /no object/],
      format: [(whole) => ({ ...whole, format: "tx-samples-0" }), /format tx-samples-0/],
      names: [(whole) => ({ ...whole, names: ["a"] }), /no name of its own/],
      "names of numbers": [(whole) => ({ ...whole, names: [1] }), /no text/],
      "no columns": [(whole) => ({ ...whole, columns: {} }), /columns is no list/],
      "cut column": [(whole) => ({ ...whole, labels: String(whole.labels).slice(4) }), /no column|length/],
      "odd letters": [(whole) => ({ ...whole, decidedAt: "????" }), /no column/],
      "no weights": [({ weights: _, ...whole }) => whole, /weights is no text/],
      "no schema": [({ schema: _, ...whole }) => whole, /schema is no text/],
      "no digest": [({ sha256: _, ...whole }) => whole, /sha256 is no text/],
      "fewer facts": [
        (whole) => ({ ...whole, facts: (whole.facts as unknown[]).slice(1) }),
        /one for each row/,
      ],
      "facts of others": [
        (whole) => ({ ...whole, facts: (whole.facts as unknown[]).toReversed() }),
        /another row/,
      ],
      "empty facts": [
        (whole) => ({ ...whole, facts: (whole.facts as unknown[]).map(() => ({})) }),
        /no text/,
      ],
      "labels for times": [(whole) => ({ ...whole, settledAt: whole.labels }), /settled before/],
    };
    for (const [name, [change, words]] of Object.entries(broken)) {
      expect(() => decodeDataSet(change(file())), name).toThrow(DataSetRefused);
      expect(() => decodeDataSet(change(file())), name).toThrow(words);
    }
  });
});

describe("a data set in parts", () => {
  const rows = dataSet.samples.labels.length;
  const cut = Math.floor(rows / 3);
  const edges = [0, cut, 2 * cut, rows];
  const parts = [1, 2, 3].map((number) => {
    const picked = Int32Array.from(
      { length: edges[number] - edges[number - 1] },
      (_, k) => edges[number - 1] + k,
    );
    const stretch = { ...pickLabelled(dataSet, picked), schema: dataSet.schema };
    return JSON.parse(JSON.stringify(encodeDataSet(stretch, sha256, { number, of: 3 }))) as Record<
      string,
      unknown
    >;
  });
  const read = parts.map((part) => decodeDataSet(part));

  it("is the whole to the last bit, in whatever order the parts come", () => {
    for (const order of [read, read.toReversed(), [read[1], read[2], read[0]]]) {
      const joined = joinDataSets(order);
      expect(digest(bytesOfDataSet(joined.dataSet))).toBe(sha256);
    }
    expect(digest(bytesOfDataSet(joinDataSets([decodeDataSet(file())]).dataSet))).toBe(sha256);
    const { part: _, ...old } = file();
    expect(decodeDataSet(old).part).toBeNull();
  });

  it("is refused where a part is missing, comes twice or is of another", () => {
    const other = { ...read[1], sha256: "0".repeat(64) };
    const wrong = [
      [],
      read.slice(1),
      [...read, read[2]],
      [read[0], other, read[2]],
      [decodeDataSet(file()), ...read],
    ];
    for (const files of wrong) expect(() => joinDataSets(files)).toThrow(DataSetRefused);
    for (const part of [{ number: 0, of: 3 }, { number: 4, of: 3 }, { number: 1.5, of: 3 }, 7, { of: 1 }])
      expect(() => decodeDataSet({ ...parts[0], part })).toThrow(DataSetRefused);
  });
});
