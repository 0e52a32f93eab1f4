import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Bars } from "../../src/core/market/candles.js";
import { isHit, type Trade, type TradePlan, tradeOutcome } from "../../src/core/signals/trade.js";

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
const CALM: Row = [100, 102, 98, 100];
const long: TradePlan = { at: 0, direction: 1, stop: 95, target: 110, horizon: 3, costBps: 0 };

/** The trade on a signal at 100 with the stop at 95 and the target at 110, and what the bars after it are. */
function outcome(after: readonly Row[], plan: Partial<TradePlan> = {}): Trade | null {
  return tradeOutcome(barsOf([SIGNAL, ...after]), { ...long, ...plan });
}

describe("a trade", () => {
  it("ends at its target, at its stop or at the close of its last bar", () => {
    expect(outcome([CALM, [105, 111, 104, 108]])).toEqual({
      ...{ end: "target", exitAt: 2, entry: 100, exit: 110, r: 2, ambiguous: false },
    });
    expect(outcome([[101, 103, 95, 96]])).toEqual({
      ...{ end: "stop", exitAt: 1, entry: 101, exit: 95, r: -1.2, ambiguous: false },
    });
    expect(outcome([CALM, CALM, [100, 104, 99, 103]])).toEqual({
      ...{ end: "time", exitAt: 3, entry: 100, exit: 103, r: 0.6, ambiguous: false },
    });
  });

  it("is not settled while bars do not tell", () => {
    expect(outcome([])).toBeNull();
    expect(outcome([CALM, CALM])).toBeNull();
  });

  it("takes the stop where one bar has both, and says so", () => {
    expect(outcome([[100, 111, 94, 105]])).toMatchObject({ end: "stop", exit: 95, ambiguous: true });
    expect(outcome([CALM, [100, 109, 94, 105]])).toMatchObject({ end: "stop", ambiguous: false });
  });

  it("fills at the open behind a gap, for the worse and for the better", () => {
    expect(outcome([CALM, [90, 92, 88, 91]])).toMatchObject({ end: "stop", exit: 90, r: -2 });
    expect(outcome([CALM, [115, 116, 90, 100]])).toMatchObject({ end: "target", exit: 115, r: 3 });
  });

  it("is void where its entry would lie beyond stop or target", () => {
    for (const open of [94, 95, 110, 112]) {
      const row: Row = [open, open + 1, open - 1, open];
      const trade = { end: "void", exitAt: 1, entry: open, exit: open, r: 0, ambiguous: false };
      expect(outcome([row])).toEqual(trade);
    }
  });

  it("pays its costs on the entry, in units of the planned risk", () => {
    expect(outcome([[102, 111, 101, 110]], { costBps: 50 })?.r).toBeCloseTo((8 - 0.51) / 5, 12);
  });

  it("is a hit only where the target came first and it gained", () => {
    const hit = outcome([[100, 111, 99, 110]]) as Trade;
    expect(isHit(hit)).toBe(true);
    expect(isHit({ ...hit, r: 0 })).toBe(false);
    expect(isHit({ ...hit, end: "time" })).toBe(false);
    const costly = outcome([[109.9, 111, 109, 110]], { costBps: 20 }) as Trade;
    expect([costly.end, isHit(costly)]).toEqual(["target", false]);
  });

  it("is what a plain reading of the rules says, on any bars", () => {
    const step = fc.integer({ min: -6, max: 6 });
    const bar = fc.tuple(step, step, fc.nat(4), fc.nat(4));
    const plan = fc.record({
      at: fc.nat(3),
      direction: fc.constantFrom(1 as const, -1 as const),
      stop: fc.integer({ min: 1, max: 8 }),
      target: fc.integer({ min: 1, max: 12 }),
      horizon: fc.integer({ min: 1, max: 8 }),
      costBps: fc.constantFrom(0, 10, 100),
    });
    fc.assert(
      fc.property(
        fc.array(bar, { minLength: 4, maxLength: 16 }),
        plan,
        (moves, { stop, target, ...rest }) => {
          const rows = rowsOf(moves);
          const close = rows[rest.at][3];
          const { direction } = rest;
          const order = { ...rest, stop: close - direction * stop, target: close + direction * target };
          expect(tradeOutcome(barsOf(rows), order)).toEqual(plainly(rows, order));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it("does not change with bars after its end", () => {
    const rows = rowsOf(Array.from({ length: 12 }, (_, i) => [((i * 7) % 5) - 2, ((i * 3) % 7) - 3, 2, 2]));
    const settled = tradeOutcome(barsOf(rows), { ...long, stop: 97, target: 104, horizon: 8 }) as Trade;
    for (let length = settled.exitAt + 1; length <= rows.length; length++) {
      const part = barsOf(rows.slice(0, length));
      expect(tradeOutcome(part, { ...long, stop: 97, target: 104, horizon: 8 })).toEqual(settled);
    }
  });
});

function rowsOf(moves: readonly (readonly [number, number, number, number])[]): Row[] {
  let price = 100;
  return moves.map(([gap, move, above, below]) => {
    const open = price + gap;
    const close = open + move;
    price = close;
    return [open, Math.max(open, close) + above, Math.min(open, close) - below, close];
  });
}

/** The rules one by one, in units of the trade's own direction. */
function plainly(rows: readonly Row[], plan: TradePlan): Trade | null {
  const { at, direction, costBps, horizon } = plan;
  const after = rows.slice(at + 1, at + 1 + horizon);
  if (after.length === 0) return null;
  const toward = (price: number) => direction * price;
  const entry = after[0][0];
  const done = (end: Trade["end"], bar: number, exit: number, ambiguous = false): Trade => ({
    end,
    exitAt: at + 1 + bar,
    entry,
    exit,
    r:
      end === "void"
        ? 0
        : (toward(exit) - toward(entry) - (entry * costBps) / 10_000) / toward(rows[at][3] - plan.stop),
    ambiguous,
  });
  if (toward(entry) <= toward(plan.stop)) return done("void", 0, entry);
  if (toward(entry) >= toward(plan.target)) return done("void", 0, entry);
  for (const [bar, [open, high, low]] of after.entries()) {
    const prices = [high, low].map(toward);
    if (toward(open) <= toward(plan.stop)) return done("stop", bar, open);
    if (toward(open) >= toward(plan.target)) return done("target", bar, open);
    const stopped = Math.min(...prices) <= toward(plan.stop);
    const reached = Math.max(...prices) >= toward(plan.target);
    if (stopped) return done("stop", bar, plan.stop, reached);
    if (reached) return done("target", bar, plan.target);
  }
  return after.length < horizon ? null : done("time", horizon - 1, after[horizon - 1][3]);
}
