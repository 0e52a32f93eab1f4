import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Bars } from "../../src/core/market/candles.js";
import { type Settlement, settleHorizon, settlePlan } from "../../src/core/signals/settlement.js";
import type { TradePlan } from "../../src/core/signals/trade.js";

type Row = readonly [open: number, high: number, low: number, close: number];

function barsOf(rows: readonly Row[]): Bars {
  const column = (pick: (row: Row) => number) => Float64Array.from(rows, pick);
  return {
    time: Float64Array.from(rows, (_, i) => i),
    open: column((row) => row[0]),
    high: column((row) => row[1]),
    low: column((row) => row[2]),
    close: column((row) => row[3]),
    volume: new Float64Array(rows.length),
  };
}

const SIGNAL: Row = [100, 101, 99, 100];
const LONG: TradePlan = { at: 0, direction: 1, stop: 95, target: 110, horizon: 3, costBps: 0 };
const settle = (after: readonly Row[], plan: Partial<TradePlan> = {}) =>
  settlePlan(barsOf([SIGNAL, ...after]), { ...LONG, ...plan });

describe("a settled plan, worked out by hand", () => {
  it("tells its gain, its risk and how far it went each way", () => {
    // In at 102: up to 108 and down to 97 in the first bar, the target in the second after a low of 101.
    const won = settle([
      [102, 108, 97, 105],
      [105, 112, 101, 111],
    ]);
    expect(won).toEqual({
      ...{ end: "target", exitAt: 2, entry: 102, exit: 110, bars: 2, gain: 8 / 102, r: 8 / 5 },
      ...{ mfe: 8 / 5, mae: 5 / 5, ambiguous: false },
    });
  });

  it("does not count what may have come after the end of it", () => {
    const lost = settle([
      [101, 103, 98, 99],
      [99, 109, 94, 108],
    ]);
    expect(lost).toMatchObject({ end: "stop", exit: 95, mfe: 2 / 5, mae: 6 / 5, ambiguous: false });
    const gapped = settle([
      [101, 103, 98, 99],
      [90, 120, 80, 85],
    ]);
    expect(gapped).toMatchObject({ end: "stop", exit: 90, mfe: 2 / 5, mae: 11 / 5, r: -11 / 5 });
  });

  it("takes costs off the gain and the risk, not off the excursions", () => {
    const timed = settle([SIGNAL, SIGNAL, [100, 104, 98, 103]], { costBps: 100 });
    expect(timed).toMatchObject({ end: "time", bars: 3, mfe: 4 / 5, mae: 2 / 5 });
    expect(timed?.gain).toBeCloseTo(0.02, 12);
    expect(timed?.r).toBeCloseTo(2 / 5, 12);
  });

  it("has no figures where it is void, and none at all while bars do not tell", () => {
    const nothing = { gain: null, r: null, mfe: null, mae: null };
    expect(settle([[94, 99, 93, 98]])).toMatchObject({ end: "void", entry: 94, bars: 0, ...nothing });
    expect(settle([SIGNAL, SIGNAL])).toBeNull();
  });
});

describe("a signal settled by time", () => {
  const bars = barsOf([SIGNAL, [101, 103, 97, 102], [102, 120, 90, 104], [104, 105, 99, 98]]);
  const plan = { at: 0, direction: -1, horizon: 3, costBps: 10 } as const;

  it("ends at the close of its last bar, whatever came before", () => {
    const settled = settleHorizon(bars, { ...plan, stop: 104 });
    expect(settled).toMatchObject({ end: "time", exitAt: 3, entry: 101, exit: 98, bars: 3 });
    expect(settled?.gain).toBeCloseTo(3 / 101 - 0.001, 12);
    expect(settled?.r).toBeCloseTo((3 - 0.101) / 4, 12);
    expect([settled?.mfe, settled?.mae]).toEqual([11 / 4, 19 / 4]);
  });

  it("has no risk without a stop, and waits for its bars", () => {
    expect(settleHorizon(bars, { ...plan, stop: null })).toMatchObject({ r: null, mfe: null, mae: null });
    expect(settleHorizon(bars, { ...plan, horizon: 4, stop: 104 })).toBeNull();
  });
});

/** The rules read again, price by price: each bar goes from its open to its worse end, its better end and its close. */
function walk(rows: readonly Row[], plan: TradePlan): Partial<Settlement> | null {
  const { at, direction, stop, target, horizon } = plan;
  const gainAt = (price: number, entry: number) => (price - entry) * direction;
  const isStop = (price: number) => gainAt(price, stop) <= 0;
  const isTarget = (price: number) => gainAt(price, target) >= 0;
  if (rows[at + 1] === undefined) return null;
  const entry = rows[at + 1][0];
  if (isStop(entry) || isTarget(entry)) return { end: "void", entry, bars: 0 };
  const seen = [entry];
  const told = (end: Settlement["end"], bar: number, exit: number, ambiguous = false) => {
    const gains = [...seen, exit].map((price) => gainAt(price, entry));
    const risk = Math.abs(rows[at][3] - stop);
    const [mfe, mae] = [Math.max(...gains) / risk, -Math.min(...gains) / risk];
    return { end, exitAt: bar, entry, exit, bars: bar - at, mfe, mae, ambiguous };
  };
  for (let bar = at + 1; bar <= at + horizon; bar++) {
    if (rows[bar] === undefined) return null;
    const [open, high, low, close] = rows[bar];
    const [worse, better] = direction > 0 ? [low, high] : [high, low];
    if (bar > at + 1 && isStop(open)) return told("stop", bar, open);
    if (bar > at + 1 && isTarget(open)) return told("target", bar, open);
    seen.push(open);
    if (isStop(worse)) return told("stop", bar, stop, isTarget(better));
    seen.push(worse);
    if (isTarget(better)) return told("target", bar, target);
    seen.push(better);
    if (bar === at + horizon) return told("time", bar, close);
  }
  return null;
}

describe("any plan on any bars", () => {
  const step = fc.integer({ min: -6, max: 6 });
  const bar = fc.tuple(step, step, fc.nat(4), fc.nat(4));
  const rowsOf = (steps: readonly (readonly [number, number, number, number])[]) => {
    let price = 100;
    return steps.map(([gap, body, up, down]): Row => {
      const open = Math.max(1, price + gap);
      const close = Math.max(1, open + body);
      price = close;
      return [open, Math.max(open, close) + up, Math.max(0.5, Math.min(open, close) - down), close];
    });
  };

  it("is settled as a plain walk through its prices says", () => {
    const counts: Record<string, number> = {};
    fc.assert(
      fc.property(
        fc.array(bar, { minLength: 1, maxLength: 16 }),
        fc.constantFrom(1, -1),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 14 }),
        fc.integer({ min: 1, max: 12 }),
        (steps, direction, toStop, toTarget, horizon) => {
          const rows = rowsOf(steps);
          const close = rows[0][3];
          const [stop, target] = [close - direction * toStop, close + direction * toTarget];
          const plan: TradePlan = { at: 0, direction, stop, target, horizon, costBps: 0 };
          const expected = walk(rows, plan);
          const settled = settlePlan(barsOf(rows), plan);
          counts[expected?.end ?? "open"] = (counts[expected?.end ?? "open"] ?? 0) + 1;
          if (expected === null) {
            expect(settled).toBeNull();
            return;
          }
          const { mfe, mae, ...exact } = expected;
          expect(settled).toMatchObject(exact);
          if (typeof mfe !== "number" || typeof mae !== "number") return;
          expect(settled?.mfe).toBeCloseTo(mfe, 12);
          expect(settled?.mae).toBeCloseTo(mae, 12);
        },
      ),
      { numRuns: 3_000, seed: 8 },
    );
    for (const end of ["stop", "target", "time", "void", "open"])
      expect(counts[end], end).toBeGreaterThan(30);
  });

  it("is settled the same whatever bars come after its end", () => {
    fc.assert(
      fc.property(
        fc.array(bar, { minLength: 5, maxLength: 14 }),
        fc.array(bar, { maxLength: 6 }),
        (steps, more) => {
          const plan = { ...LONG, stop: 96, target: 105, horizon: 4 };
          const early = settlePlan(barsOf(rowsOf(steps)), plan);
          if (early !== null) expect(settlePlan(barsOf(rowsOf([...steps, ...more])), plan)).toEqual(early);
        },
      ),
    );
  });
});
