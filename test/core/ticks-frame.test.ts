import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TickBatch } from "../../src/core/ticks/batch.js";
import { decodeFrame, encodeFrame, FRAME_RECORDS } from "../../src/core/ticks/frame.js";
import { allocateTicks } from "../../src/core/ticks/tick.js";
import { ticksOf } from "../fixtures/tick-bars.js";

const AT = Date.UTC(2024, 2, 4, 15, 0);
const SYMBOLS = ["SPY", "BTC-USD", "TCS.NS", "EURUSD=X", "^GSPC"];

const numbers = fc.double({ noNaN: false });
const batches = fc
  .record({
    symbols: fc.subarray(SYMBOLS, { minLength: 1 }),
    rows: fc.array(
      fc.record({ symbol: fc.nat(), offset: fc.nat(), price: numbers, size: numbers, id: numbers }),
      { maxLength: 40 },
    ),
    epoch: fc.integer({ min: -1e12, max: 4e12 }),
  })
  .map(({ symbols, rows, epoch }): TickBatch => {
    const trades = rows.map(({ symbol, offset, ...row }) => ({
      ...row,
      symbol: symbol % symbols.length,
      time: epoch + offset,
    }));
    return { symbols, ticks: ticksOf(trades) };
  });

function problemOf(bytes: Uint8Array): string {
  const decoded = decodeFrame(bytes);
  return "problem" in decoded ? decoded.problem : "none";
}

/** Two ticks of two symbols, with a change of its bytes. */
function frame(
  change: (view: DataView, bytes: Uint8Array) => void = () => undefined,
  id?: number,
): Uint8Array {
  const trade = { price: 100, size: 10, ...(id === undefined ? {} : { id }) };
  const ticks = ticksOf([0, 1].map((symbol) => ({ ...trade, symbol, time: AT + symbol })));
  const bytes = encodeFrame({ symbols: ["SPY", "IBM"], ticks });
  change(new DataView(bytes.buffer), bytes);
  return bytes;
}

describe("a frame", () => {
  it("gives back to the bit what was put in", () => {
    fc.assert(
      fc.property(batches, fc.nat(7), (batch, shift) => {
        const bytes = encodeFrame(batch);
        // Bytes of sockets lie anywhere in a larger buffer.
        const moved = new Uint8Array(bytes.length + shift).subarray(shift);
        moved.set(bytes);
        expect(decodeFrame(moved)).toEqual({ batch });
      }),
      { numRuns: 300 },
    );
  });

  it("is laid out as documented", () => {
    const bytes = encodeFrame({
      symbols: ["SPY"],
      ticks: ticksOf([{ time: AT + 0.0, price: 1.5, size: 2 }]),
    });
    const f64 = (value: number) => [...new Uint8Array(Float64Array.of(value).buffer)];
    expect([...bytes]).toEqual([
      ...[0x54, 0x58, 0x54, 0x4b, 1, 0, 1, 0, 1, 0, 0, 0, 52, 0, 0, 0],
      ...f64(AT),
      ...[3, 0x53, 0x50, 0x59],
      ...[0, 0, 0, 0, 0, 0, 0, 0],
      ...f64(1.5),
      ...f64(2),
    ]);
  });

  it("of no ticks is a frame", () => {
    const empty = { symbols: ["SPY"], ticks: allocateTicks(0) };
    expect(decodeFrame(encodeFrame(empty))).toEqual({ batch: empty });
  });

  it("names symbols as anybody spells them, and twice if need be", () => {
    const decoded = decodeFrame(
      encodeFrame({
        symbols: ["btc/usd", "spy", "BTC"],
        ticks: ticksOf([2, 1, 0].map((symbol) => ({ symbol, time: AT, price: 1 }))),
      }),
    );
    expect("batch" in decoded && decoded.batch.symbols).toEqual(["BTC-USD", "SPY"]);
    expect("batch" in decoded && [...decoded.batch.ticks.symbol]).toEqual([0, 1, 0]);
  });

  const broken: readonly [string, Uint8Array, string][] = [
    ["without bytes", new Uint8Array(0), "frame of 0 bytes, which is shorter than its header"],
    ["cut within its header", frame().subarray(0, 23), "frame of 23 bytes, which is shorter than its header"],
    ["cut within its records", frame().subarray(0, 79), "frame of 79 bytes says that it has 80"],
    ["that goes on", Uint8Array.of(...frame(), 0), "frame of 81 bytes says that it has 80"],
    ["of something else", frame((view) => view.setUint8(0, 0x7b)), "frame does not begin with TXTK"],
    ["of the next version", frame((view) => view.setUint8(4, 2)), "version 2 is not known"],
    ["with flags", frame((view) => view.setUint8(5, 2)), "flags 2 are not known"],
    ["without symbols", frame((view) => view.setUint16(6, 0, true)), "frame names no symbol"],
    [
      "with too many records",
      frame((view) => view.setUint32(8, FRAME_RECORDS + 1, true)),
      "65537 records, where 65536 are allowed",
    ],
    [
      "with fewer records than it has",
      frame((view) => view.setUint32(8, 1, true)),
      "records do not end with the frame",
    ],
    [
      "with more records than it has",
      frame((view) => view.setUint32(8, 3, true)),
      "symbol 0 is cut off or empty",
    ],
    ["said to have numbers", frame((view) => view.setUint8(5, 1)), "symbol 0 is cut off or empty"],
    ["said to have no numbers", frame((view) => view.setUint8(5, 0), 7), "records do not end with the frame"],
    [
      "of no time",
      frame((view) => view.setFloat64(16, Number.NaN, true)),
      "epoch is not a whole number of ms",
    ],
    ["with an empty symbol", frame((view) => view.setUint8(24, 0)), "symbol 0 is cut off or empty"],
    [
      "with a symbol that is too long",
      frame((view) => view.setUint8(24, 41)),
      "symbol 0 is cut off or empty",
    ],
    ["with a symbol that is none", frame((view) => view.setUint8(25, 0x20 + 1)), "symbol 0 is not a symbol"],
    [
      "with a record of another symbol",
      frame((view) => view.setUint16(32 + 24, 2, true)),
      "record 1 is of symbol 2 of 2",
    ],
    [
      "with flags in a record",
      frame((view) => view.setUint16(34, 1, true)),
      "record 0 has flags, which are not known",
    ],
  ];
  it.each(broken)("%s is refused", (_, bytes, problem) => {
    expect(problemOf(bytes)).toBe(problem);
  });

  it("that is random, or broken at random, is refused with a reason or read, and nothing is thrown", () => {
    const whole = frame(() => undefined, 5);
    let read = 0;
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fc.tuple(fc.nat(95), fc.nat(255))),
        (random, changes) => {
          expect(problemOf(random)).not.toBe("none");
          const bytes = whole.slice();
          for (const [place, value] of changes) bytes[place] = value;
          const decoded = decodeFrame(bytes);
          if ("problem" in decoded) {
            expect(decoded.problem).toMatch(/^[a-z0-9]/);
            return;
          }
          read++;
          expect(decoded.batch.ticks.time.length).toBe(2);
          for (const symbol of decoded.batch.ticks.symbol)
            expect(decoded.batch.symbols[symbol]).toBeTypeOf("string");
        },
      ),
      { numRuns: 2_000 },
    );
    expect(read).toBeGreaterThan(0);
  });

  it("is not made of what it cannot say", () => {
    const of = (time: number[]) => () =>
      encodeFrame({ symbols: ["SPY"], ticks: ticksOf(time.map((each) => ({ time: each, price: 1 }))) });
    expect(of([AT, AT + 2 ** 32])).toThrow("in a frame");
    expect(of([AT, AT + 2 ** 32 - 1])).not.toThrow();
    expect(of([AT + 0.5])).toThrow("in a frame");
    expect(of([Number.NaN])).toThrow("in a frame");
    expect(() => encodeFrame({ symbols: [], ticks: allocateTicks(0) })).toThrow("0 symbols");
    expect(() => encodeFrame({ symbols: ["Zürich"], ticks: allocateTicks(0) })).toThrow("not a symbol");
  });
});
