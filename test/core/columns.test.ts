import { describe, expect, it } from "vitest";
import {
  copyColumn,
  createColumn,
  createUnset,
  lendingColumns,
  owningColumns,
} from "../../src/core/base/columns.js";
import { FEATURE_MEMORY } from "../../src/core/learning/features/index.js";
import { newestPatternRows, newestRows } from "../../src/core/learning/samples.js";
import { sliceCandles } from "../../src/core/market/candles.js";
import { findSightings } from "../../src/features/detections/find.js";
import look from "../../src/features/signals/worker.js";
import { featureCase } from "../fixtures/feature-series.js";

const ROOM = 1 << 22;

describe("columns that are lent", () => {
  it("are the caller's own where nobody lends", () => {
    const column = createColumn(5);
    expect(column.buffer.byteLength).toBe(40);
    expect(copyColumn(column).buffer).not.toBe(column.buffer);
  });

  it("are of zeros, apart from each other, and lent again", () => {
    const first = lendingColumns(() => {
      const [one, two] = [createColumn(3).fill(7), createColumn(2).fill(8)];
      expect([...one, ...two]).toEqual([7, 7, 7, 8, 8]);
      expect([...copyColumn(one)]).toEqual([7, 7, 7]);
      return one;
    });
    lendingColumns(() => {
      const again = createColumn(3);
      expect([...again]).toEqual([0, 0, 0]);
      expect(again.buffer).toBe(first.buffer);
      expect(again.byteOffset).toBe(first.byteOffset);
    });
  });

  it("have whatever was there where that is enough", () => {
    const first = lendingColumns(() => createColumn(3).fill(7));
    lendingColumns(() => expect([...createUnset(3)]).toEqual([7, 7, 7]));
    expect([...createUnset(2)]).toEqual([0, 0]);
    expect([...first]).toEqual([7, 7, 7]);
  });

  it("of work within work leave those around it alone, also when it throws", () => {
    lendingColumns(() => {
      const outer = createColumn(4).fill(1);
      lendingColumns(() => createColumn(4).fill(2));
      expect(() =>
        lendingColumns(() => {
          createColumn(4).fill(3);
          throw new RangeError("given up");
        }),
      ).toThrow("given up");
      const next = createColumn(4);
      expect(next.byteOffset).toBe(outer.byteOffset + outer.byteLength);
      expect([...outer]).toEqual([1, 1, 1, 1]);
    });
    expect(createColumn(4).buffer.byteLength).toBe(32);
  });

  it("are the work's own within work that lends, where they are to be kept", () => {
    lendingColumns(() => {
      const lent = createColumn(4);
      const own = owningColumns(() => createColumn(4));
      expect(own.buffer).not.toBe(lent.buffer);
      expect(() =>
        owningColumns(() => {
          throw new RangeError("given up");
        }),
      ).toThrow("given up");
      expect(createColumn(4).buffer).toBe(lent.buffer);
    });
  });

  it("beyond the room are allocated", () => {
    lendingColumns(() => {
      const most = createColumn(ROOM - 1);
      expect(createColumn(2).buffer).not.toBe(most.buffer);
      expect(copyColumn(createColumn(2)).buffer).not.toBe(most.buffer);
      expect(createColumn(1).buffer).toBe(most.buffer);
    });
  });
});

describe("what is made of lent columns", () => {
  const { candles, context } = featureCase("24x7", "1h", 1_000, 43);
  const windows = [700, 800, 900, 1_000].map((to) => sliceCandles(candles, to - FEATURE_MEMORY, to));
  const works: readonly (readonly [string, (window: number) => unknown])[] = [
    ["rows of the newest bar", (n) => newestRows(windows[n], context, { costBps: 10 })],
    ["rows of its patterns", (n) => newestPatternRows(windows[n], context, { costBps: 10 })],
    ["sightings", (n) => findSightings(windows[n], 500)],
    ["a look", (n) => look({ candles: windows[n], from: 590 })],
  ];

  it.each(works)("stays as it was: %s", (_, work) => {
    const kept = windows.map((_, n) => work(n));
    expect(kept.some((made) => JSON.stringify(made).length > 200)).toBe(true);
    const then = structuredClone(kept);
    lendingColumns(() => createColumn(ROOM).fill(Number.NaN));
    expect(kept).toEqual(then);
    for (const made of kept) for (const column of columnsIn(made)) expect(column.byteOffset).toBe(0);
    expect(windows.map((_, n) => work(n))).toEqual(then);
  });
});

/** Every column that a value holds, however deep. */
function columnsIn(value: unknown): Float64Array[] {
  if (value instanceof Float64Array) return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(columnsIn) : [];
}
