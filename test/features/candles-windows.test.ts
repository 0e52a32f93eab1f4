import { describe, expect, it } from "vitest";
import type { Candles } from "../../src/core/market/candles.js";
import { INTERVALS, type Interval } from "../../src/core/market/interval.js";
import { WINDOW_KIND } from "../../src/features/candles/encoding.js";
import { mergeStretches, missingStretches } from "../../src/features/candles/store.js";

describe("windows as bytes", () => {
  const column = (...values: number[]) => Float64Array.from(values);
  const window = {
    candles: {
      symbol: "BTC-USD",
      interval: "5m" as const,
      time: column(1, 2, 3),
      open: column(10, 11, 12),
      high: column(13, 13, 13),
      low: column(9, 9, 9),
      close: column(11, 12, 12.25),
      volume: column(0, 1e-9, 7),
    },
    adjustedAt: null,
    source: "yahoo",
    asOfMs: 4,
    trouble: "späte Kurse",
  };
  const bytes = WINDOW_KIND.encode(window);
  const edited = (edit: (copy: Uint8Array) => void) => {
    const copy = bytes.slice();
    edit(copy);
    return WINDOW_KIND.decode(copy);
  };

  it("come back as they were, from any place in memory", () => {
    expect(WINDOW_KIND.decode(bytes)).toEqual(window);
    for (let shift = 0; shift < 9; shift++) {
      const buffer = new Uint8Array(bytes.length + shift);
      buffer.set(bytes, shift);
      expect(WINDOW_KIND.decode(buffer.subarray(shift))).toEqual(window);
    }
    for (const interval of INTERVALS) {
      const empty = { ...window, source: null, trouble: null, candles: emptyOf(interval) };
      expect(WINDOW_KIND.decode(WINDOW_KIND.encode(empty))).toEqual(empty);
    }
  });

  it("keep what their prices are adjusted for", () => {
    const adjusted = {
      ...window,
      adjustedAt: column(Number.NaN, 1_700_000_000_000, Number.POSITIVE_INFINITY),
    };
    expect(WINDOW_KIND.decode(WINDOW_KIND.encode(adjusted))).toEqual(adjusted);
  });

  it("that are cut, longer or of another build are a miss", () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(WINDOW_KIND.decode(bytes.subarray(0, length))).toBeNull();
    }
    expect(WINDOW_KIND.decode(Buffer.concat([bytes, Buffer.alloc(8)]))).toBeNull();
    expect(WINDOW_KIND.decode(Buffer.from("null"))).toBeNull();
    expect(WINDOW_KIND.decode(Buffer.from('{"symbol":"BTC-USD"}'))).toBeNull();
    expect(WINDOW_KIND.decode(withHeader({ symbol: "X", interval: "5m", length: 0 }))).toBeNull();
    const facts = {
      symbol: "X",
      interval: "5m",
      length: 0,
      source: null,
      asOfMs: 1,
      trouble: null,
      adjusted: false,
    };
    expect(WINDOW_KIND.decode(withHeader(facts))).not.toBeNull();
    expect(WINDOW_KIND.decode(withHeader({ ...facts, interval: "3m" }))).toBeNull();
    expect(WINDOW_KIND.decode(withHeader({ ...facts, shape: 2 }))).toBeNull();
    expect(WINDOW_KIND.decode(withHeader([1, 2]))).toBeNull();
  });

  it("that were tampered with so that a bar cannot be are a miss", () => {
    const start = bytes.length - 6 * 3 * 8;
    expect(edited((copy) => copy.fill(0, start, start + 24))).toBeNull();
    expect(edited((copy) => copy.fill(255, start + 24, start + 48))).toBeNull();
    expect(edited((copy) => copy.fill(0, start + 72, start + 96))).toBeNull();
    expect(edited((copy) => copy.fill(255, 0, 4))).toBeNull();
  });

  function emptyOf(interval: Interval): Candles {
    const none = new Float64Array(0);
    return {
      symbol: "A",
      interval,
      time: none,
      open: none,
      high: none,
      low: none,
      close: none,
      volume: none,
    };
  }

  function withHeader(header: unknown): Uint8Array {
    const text = Buffer.from(JSON.stringify(header));
    const padded = Buffer.alloc(Math.ceil((4 + text.length) / 8) * 8);
    padded.writeUInt32BE(text.length);
    text.copy(padded, 4);
    return padded;
  }
});

describe("stretches", () => {
  it("merge when they overlap or touch, and what is missing lies between", () => {
    const merged = mergeStretches([
      { from: 30, to: 40 },
      { from: 0, to: 10 },
      { from: 10, to: 12 },
      { from: 5, to: 8 },
      { from: 20, to: 20 },
      { from: 25, to: 22 },
    ]);
    expect(merged).toEqual([
      { from: 0, to: 12 },
      { from: 30, to: 40 },
    ]);
    expect(missingStretches({ from: -5, to: 50 }, merged)).toEqual([
      { from: -5, to: 0 },
      { from: 12, to: 30 },
      { from: 40, to: 50 },
    ]);
    expect(missingStretches({ from: 2, to: 12 }, merged)).toEqual([]);
    expect(missingStretches({ from: 11, to: 31 }, merged)).toEqual([{ from: 12, to: 30 }]);
    expect(missingStretches({ from: 50, to: 50 }, merged)).toEqual([]);
    expect(missingStretches({ from: 60, to: 50 }, merged)).toEqual([]);
    expect(missingStretches({ from: 12, to: 30 }, [])).toEqual([{ from: 12, to: 30 }]);
  });
});
