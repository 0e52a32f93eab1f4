import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeFloats, encodeFloats } from "../../src/core/base/base64.js";
import { createRng } from "../../src/core/base/rng.js";
import { WeightsRefused } from "../../src/core/learning/define.js";
import { NET_COLUMNS, WINDOW_BARS } from "../../src/core/learning/sequence-net/columns.js";
import { initialValues, layoutOf, type NetSize } from "../../src/core/learning/sequence-net/layout.js";
import { type SequenceNet, usualSize } from "../../src/core/learning/sequence-net/net.js";
import { decodeNet, type EncodedNet, encodeNet } from "../../src/core/learning/sequence-net/weights.js";
import { SHAPES } from "../../src/core/learning/shapes.js";

function netOf(size: NetSize, seed: number): SequenceNet {
  const values = initialValues(size, createRng(seed)).map(Math.fround);
  return { size, columns: NET_COLUMNS, classes: SHAPES, values, temperature: 1.25 };
}

const small: NetSize = { ...usualSize(SHAPES.length), filters: [2, 3], cells: 3 };
const net = netOf(small, 1);
const text = JSON.stringify(encodeNet(net));
const parsed = () => JSON.parse(text) as EncodedNet;

describe("numbers as base64", () => {
  const floats = fc.array(fc.float({ noDefaultInfinity: true, noNaN: true }), { maxLength: 20 });

  it("are what Node writes, and are read back to the last bit", () => {
    fc.assert(
      fc.property(floats, (list) => {
        const values = Float64Array.from(list);
        const written = encodeFloats(values);
        const bytes = Buffer.alloc(4 * list.length);
        for (const [i, value] of list.entries()) bytes.writeFloatLE(value, 4 * i);
        expect(written).toBe(bytes.toString("base64"));
        expect(decodeFloats(written, list.length)).toEqual(values);
      }),
    );
  });

  it("are refused where the text is of another length or holds anything else", () => {
    const written = encodeFloats(Float64Array.of(1, 2, 3, 4));
    expect(decodeFloats(written, 4)).not.toBeNull();
    for (const count of [0, 3, 5]) expect(decodeFloats(written, count)).toBeNull();
    expect(decodeFloats(written.replace("A", "-"), 4)).toBeNull();
    expect(decodeFloats(`${written.slice(0, -3)}B==`, 4)).toBeNull();
    expect(decodeFloats(`${written.slice(0, -2)}AA`, 4)).toBeNull();
  });
});

describe("a net as JSON", () => {
  it("is read back to the last bit", () => {
    for (const each of [net, netOf(usualSize(SHAPES.length), 2)]) {
      const back = decodeNet(JSON.parse(JSON.stringify(encodeNet(each))));
      expect(back).toEqual(each);
      expect(encodeNet(back)).toEqual(encodeNet(each));
    }
  });

  it("is refused where any character of it was changed to another that JSON still allows", () => {
    let tried = 0;
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 32, max: 126 }), (at, code) => {
        const other = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        let value: unknown;
        try {
          value = JSON.parse(other);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
          return;
        }
        if (JSON.stringify(value) === text) return;
        tried++;
        expect(() => decodeNet(value)).toThrow(WeightsRefused);
      }),
      { numRuns: 2_000 },
    );
    expect(tried).toBeGreaterThan(1_000);
  });

  it("is refused where a part is missing, null, cut off or of another type, and where there is more", () => {
    expect(() => decodeNet({ ...parsed(), note: "x" })).toThrow(WeightsRefused);
    expect(() => decodeNet({ ...parsed(), size: { ...small, note: 1 } })).toThrow(WeightsRefused);
    for (const value of [null, undefined, 3, "text", [], [parsed()]]) {
      expect(() => decodeNet(value)).toThrow(WeightsRefused);
    }
    for (const key of Object.keys(parsed())) {
      const { [key as keyof EncodedNet]: _, ...rest } = parsed();
      expect(() => decodeNet(rest)).toThrow(WeightsRefused);
      for (const value of [null, [], {}, -1, "", Number.NaN, true]) {
        expect(() => decodeNet({ ...rest, [key]: value })).toThrow(WeightsRefused);
      }
    }
    const { values } = parsed();
    for (const cut of [values.slice(4), values.slice(0, -4), `${values}AAAA`, values.slice(1)]) {
      expect(() => decodeNet({ ...parsed(), values: cut })).toThrow(WeightsRefused);
    }
  });

  /** What the net itself would be encoded to, so that its checksum is right. */
  const foreign = (change: Partial<SequenceNet>) => encodeNet({ ...net, ...change });

  it("says why it is refused where it was written by another version with a right checksum", () => {
    const reasonOf = (value: unknown) => {
      expect(() => decodeNet(value)).toThrow(WeightsRefused);
      try {
        decodeNet(value);
      } catch (error) {
        return error instanceof Error ? error.message : "";
      }
      return "";
    };
    const spoilt = (number: number) => net.values.with(5, number);
    expect(reasonOf(foreign({ values: spoilt(Number.NaN) }))).toMatch(/finite/);
    expect(reasonOf(foreign({ values: spoilt(Number.POSITIVE_INFINITY) }))).toMatch(/finite/);
    expect(reasonOf(foreign({ temperature: 0 }))).toMatch(/temperature/);
    expect(reasonOf(foreign({ classes: SHAPES.toReversed() }))).toMatch(/shapes/);
    expect(reasonOf(foreign({ classes: SHAPES.slice(1) }))).toMatch(/shapes/);
    expect(reasonOf(foreign({ columns: NET_COLUMNS.toReversed() }))).toMatch(/columns/);
    const wider = { ...small, cells: 4 };
    expect(reasonOf(foreign({ size: wider }))).toMatch(/base64/);
    const shorter = { ...small, bars: 40 };
    expect(reasonOf(foreign({ size: shorter }))).toMatch(/size/);
    const fewer = { ...small, classes: 3 };
    const values = new Float64Array(layoutOf(fewer).length);
    expect(reasonOf(foreign({ size: fewer, values }))).toMatch(/size/);
    expect(reasonOf({ ...parsed(), schema: 2 })).toMatch(/schema/);
    expect(reasonOf({ ...parsed(), size: { ...small, spans: [WINDOW_BARS, 4] } })).toMatch(/span/);
    expect(reasonOf({ ...parsed(), size: { ...small, cells: 4_000 } })).toMatch(/too many/);
    expect(reasonOf({ ...parsed(), checksum: 1 })).toMatch(/checksum/);
  });
});
