import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { candlesFromRows } from "../../src/core/market/candles.js";
import { REGIMES } from "../../src/core/regime/define.js";
import type { StoredDetection } from "../../src/features/detections/store.js";
import { outcomeOf } from "../../src/features/explain/outcome.js";
import { distanceOf, findSimilar, nearestCases } from "../../src/features/explain/similar.js";
import { APPLE, detectionAt } from "../fixtures/detections.js";

const MINUTE = 60_000;
function stored(id: number, place: number, change: Partial<StoredDetection> = {}): StoredDetection {
  const detection = detectionAt(APPLE, place, change);
  return { ...detection, id, symbol: "AAPL", synthetic: false, detectedAt: detection.closedAt, ...change };
}

const detections = (from: number, to: number) =>
  fc.array(
    fc
      .record({
        place: fc.integer({ min: from, max: to }),
        quality: fc.double({ min: 0, max: 1, noNaN: true }),
        regime: fc.constantFrom(null, ...REGIMES),
        trend: fc.constantFrom("up", "down", "flat"),
        pattern: fc.constantFrom("bullish_engulfing", "hammer"),
        state: fc.constantFrom("confirmed" as const, "forming" as const),
      })
      .map(({ place, trend, ...rest }) => ({ place, rest: { ...rest, facts: { trend, range: 2 } } })),
    { maxLength: 40 },
  );

describe("similar cases", () => {
  const subject = stored(10_000, 500, { regime: "ranging", quality: 0.5 });
  const moment = { closedAt: subject.closedAt, storedBy: subject.detectedAt };

  it("are the same whatever is detected later, or stored later of the past", () => {
    fc.assert(
      fc.property(detections(0, 499), detections(500, 900), detections(0, 499), (past, later, belated) => {
        const pool = past.map(({ place, rest }, i) => stored(i, place, rest));
        const after = later.map(({ place, rest }, i) => stored(20_000 + i, place, rest));
        const late = belated.map(({ place, rest }, i) =>
          stored(30_000 + i, place, { ...rest, detectedAt: moment.storedBy + 1 }),
        );
        const expected = nearestCases(subject, moment, pool);
        expect(nearestCases(subject, moment, [...after, ...late, ...pool])).toEqual(expected);
        for (const { detection } of expected) {
          expect(detection.closedAt).toBeLessThan(subject.closedAt);
          expect(detection).toMatchObject({ pattern: "bullish_engulfing", state: "confirmed" });
        }
      }),
    );
  });

  it("are the nearest by regime, trend and quality: none left out is nearer", () => {
    fc.assert(
      fc.property(detections(0, 499), (past) => {
        const pool = past.map(({ place, rest }, i) => stored(i, place, rest));
        const found = nearestCases(subject, moment, pool, 5);
        const distances = found.map(({ distance }) => distance);
        expect(distances).toEqual([...distances].sort((a, b) => a - b));
        const taken = new Set(found.map(({ detection }) => detection.id));
        const others = pool.filter(
          ({ id, pattern, state }) => !taken.has(id) && pattern === subject.pattern && state === "confirmed",
        );
        if (others.length > 0) expect(found).toHaveLength(5);
        for (const other of others) {
          expect(distanceOf(subject, other)).toBeGreaterThanOrEqual(distances.at(-1) ?? 0);
        }
      }),
    );
  });

  it("have the outcomes that were known when the bar in question closed", async () => {
    const asked: (number | undefined)[] = [];
    const similar = await findSimilar(
      {
        detections: { past: async () => [stored(1, 3)] },
        instruments: { resolve: async () => APPLE },
        candles: {
          async loadRange(instrument, interval, _from, _to, _limit, knownAtMs) {
            asked.push(knownAtMs);
            return setOf(instrument, candlesFromRows("AAPL", interval, []));
          },
        },
      },
      subject,
      moment,
    );
    expect(asked).toEqual([subject.closedAt]);
    expect(similar).toMatchObject({ settled: 0, hits: 0, meanR: null, cases: [{ detection: { id: 1 } }] });
  });
});

function setOf(instrument: typeof APPLE | object, candles: ReturnType<typeof candlesFromRows>) {
  return {
    instrument: { ...APPLE, ...instrument },
    candles,
    adjustedAt: null,
    knownAtMs: null,
    source: "test",
    synthetic: false,
    asOfMs: 0,
    stale: false,
    ageMs: null,
    trouble: null,
    note: null,
    adjustment: null,
  };
}

describe("what became of a detection", () => {
  // At 100 with a range of 2: stop 97, target 104.
  const detection = detectionAt(APPLE, 0);
  const bars = (rows: readonly (readonly [number, number, number, number])[], scale = 1) =>
    candlesFromRows(
      "AAPL",
      "5m",
      rows.map(([open, high, low, close], i) => ({
        time: detection.barTime + 5 * MINUTE * i,
        open: open * scale,
        high: high * scale,
        low: low * scale,
        close: close * scale,
        volume: 1,
      })),
    );
  const signal = [99, 101, 98, 100] as const;

  it("is the target, the stop or the time, after costs, in risks and as a share", () => {
    const target = outcomeOf(detection, bars([signal, [100, 102, 99, 101], [101, 105, 100, 104]]), APPLE);
    // Six basis points of an entry at 100 over a risk of 3.
    expect(target).toMatchObject({ status: "target", hit: true, entry: 100, exit: 104 });
    expect(target.r).toBeCloseTo((4 - 0.06) / 3, 12);
    expect(target.gain).toBeCloseTo(0.04 - 0.0006, 12);
    expect(target.exitTime).toBe(detection.barTime + 10 * MINUTE);
    const stop = outcomeOf(detection, bars([signal, [100, 106, 96, 99]]), APPLE);
    expect(stop).toMatchObject({ status: "stop", hit: false, exit: 97, ambiguous: true });
    const flat = Array.from({ length: 21 }, () => [100, 101, 99, 100] as const);
    expect(outcomeOf(detection, bars([signal, ...flat]), APPLE)).toMatchObject({
      status: "time",
      hit: false,
    });
    expect(outcomeOf(detection, bars([signal, ...flat.slice(0, 5)]), APPLE).status).toBe("open");
  });

  it("is void where the open lies beyond the levels, and nothing without direction, state or bar", () => {
    const gap = outcomeOf(detection, bars([signal, [96, 98, 95, 97]]), APPLE);
    expect(gap).toMatchObject({ status: "void", hit: null, r: null, reason: expect.stringMatching(/open/) });
    const none = (change: Partial<StoredDetection>) =>
      outcomeOf({ ...detection, ...change }, bars([signal, [100, 105, 99, 104]]), APPLE);
    expect(none({ direction: 0 })).toMatchObject({
      status: "none",
      reason: expect.stringMatching(/neither/),
    });
    expect(none({ state: "failed" })).toMatchObject({
      status: "none",
      reason: expect.stringMatching(/failed/),
    });
    expect(none({ facts: { trend: "up", range: null } })).toMatchObject({ status: "none" });
    expect(none({ barTime: detection.barTime + 1 })).toMatchObject({ status: "none" });
  });

  it("is the same after a split", () => {
    fc.assert(
      fc.property(fc.constantFrom(0.1, 0.25, 0.5, 2, 7), (scale) => {
        const rows = [signal, [100, 102, 99, 101], [101, 103.9, 98, 99], [99, 104.5, 98, 104]] as const;
        const before = outcomeOf(detection, bars(rows), APPLE);
        const after = outcomeOf(detection, bars(rows, scale), APPLE);
        expect(after.status).toBe(before.status);
        expect(after.r).toBeCloseTo(before.r ?? 0, 10);
        expect(after.gain).toBeCloseTo(before.gain ?? 0, 10);
      }),
    );
  });
});
