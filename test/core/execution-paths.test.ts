import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type OrderTerms, termsOf } from "../../src/core/execution/order.js";
import { Scene } from "../fixtures/execution-scene.js";

/** Prices of a bar in dollars, small whole numbers. */
interface Shape {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
}

const LEAST = 95;
const MOST = 105;

const anyBar = fc
  .array(fc.integer({ min: LEAST, max: MOST }), { minLength: 4, maxLength: 4 })
  .map(([open, close, a, b]): Shape => {
    return { open, close, high: Math.max(open, close, a, b), low: Math.min(open, close, a, b) };
  });

/**
 * Every way a price can go from the open to the close through high and low with up to three turns, step by step. Three
 * are enough to be at an entry, at one exit and at the other in any order.
 */
function pathsOf({ open, high, low, close }: Shape): number[][] {
  const levels = Array.from({ length: high - low + 1 }, (_, k) => low + k);
  const turns = [[], ...levels.map((a) => [a])];
  const all = turns.flatMap((first) =>
    turns.flatMap((second) => turns.map((third) => [...first, ...second, ...third])),
  );
  return all
    .map((middle) => [open, ...middle, close])
    .filter((points) => Math.max(...points) === high && Math.min(...points) === low)
    .map(stepsThrough);
}

function stepsThrough(points: readonly number[]): number[] {
  const steps = [points[0]];
  for (const point of points.slice(1)) {
    for (let at = steps[steps.length - 1]; at !== point; ) {
      at += Math.sign(point - at);
      steps.push(at);
    }
  }
  return steps;
}

type End = "stop" | "target" | "none";

interface Plan {
  readonly entry: number | null;
  readonly stop: number;
  readonly target: number;
}

/** How a long trade ends on one path; null where it is not entered. */
function endOn(path: readonly number[], { entry, stop, target }: Plan): End | null {
  let inside = entry === null;
  // A limit below the open is met from above, a stop to buy from below: on a path of single steps both by touch.
  for (const price of path) {
    inside ||= price === entry;
    if (inside && price <= stop) return "stop";
    if (inside && price >= target) return "target";
  }
  return inside ? "none" : null;
}

/** What the rule says of all that can happen: the stop first, a target only if nothing else can. */
function ruled(ends: ReadonlySet<End>): { end: End; doubtful: boolean; best: End } {
  const best = ends.has("target") ? "target" : ends.has("none") ? "none" : "stop";
  if (ends.has("stop")) return { end: "stop", doubtful: ends.size > 1, best };
  if (ends.has("none")) return { end: "none", doubtful: ends.size > 1, best };
  return { end: "target", doubtful: false, best };
}

/** Quantity one, so that differences in dollars are those of prices. */
function trade(bar: Shape, { entry, stop, target }: Plan): { end: End | null; more: number } {
  const scene = new Scene();
  scene.desk.mark("AAA", bar.open);
  const at: Partial<OrderTerms> =
    entry === null
      ? {}
      : entry < bar.open
        ? { type: "limit", limitPrice: entry }
        : { type: "stop", stopPrice: entry };
  const terms = termsOf({
    id: "e",
    symbol: "AAA",
    side: "buy",
    quantity: 1,
    timeInForce: "gtc",
    orderClass: "bracket",
    takeProfit: { limitPrice: target },
    stopLoss: { stopPrice: stop, limitPrice: null },
    ...at,
  });
  expect(scene.submit(terms)).toEqual([]);
  scene.bar(bar.open, bar.high, bar.low, bar.close);
  const { orders } = scene.desk.state;
  const { equity, optimistic, pessimistic } = scene.desk.bounds();
  expect(pessimistic).toBe(equity);
  const filled = (id: string) => orders.get(id)?.state === "filled";
  const end = filled("e/stop") ? "stop" : filled("e/target") ? "target" : filled("e") ? "none" : null;
  return { end, more: (optimistic - equity) / 1e6 };
}

describe("one bar, against every way its price can have gone", () => {
  it("an entry with stop and target: the stop if it can be, a target only if it must be, and the best in doubt", () => {
    const seen = new Map<string, number>();
    const anyPlan = fc.record({
      entry: fc.option(fc.integer({ min: LEAST + 2, max: MOST - 2 })),
      below: fc.integer({ min: 1, max: 5 }),
      above: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(anyBar, anyPlan, (bar, { entry, below, above }) => {
        fc.pre(entry !== bar.open);
        const base = entry ?? bar.open;
        const plan = { entry, stop: base - below, target: base + above };
        const worth = { stop: plan.stop, target: plan.target, none: bar.close };
        const ends = new Set<End>();
        let missed = false;
        for (const path of pathsOf(bar)) {
          const end = endOn(path, plan);
          if (end === null) missed = true;
          else ends.add(end);
        }
        const { end, more } = trade(bar, plan);
        if (missed) {
          expect([end, more]).toEqual([null, 0]);
          return;
        }
        const rule = ruled(ends);
        seen.set(`${rule.end} ${rule.best}`, (seen.get(`${rule.end} ${rule.best}`) ?? 0) + 1);
        const gain = rule.doubtful ? Math.max(0, worth[rule.best] - worth[rule.end]) : 0;
        expect([end, more]).toEqual([rule.end, gain]);
      }),
      { numRuns: 1_500 },
    );
    const kinds = ["stop stop", "stop target", "stop none", "none none", "none target", "target target"];
    expect(kinds.filter((kind) => (seen.get(kind) ?? 0) < 5)).toEqual([]);
  }, 60_000);

  it("a trailing stop: a price it can be hit at, and the worst and the best of these", () => {
    let doubts = 0;
    fc.assert(
      fc.property(
        anyBar,
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 0, max: 2 }),
        (bar, trail, lead) => {
          const scene = new Scene();
          const start = bar.open + lead;
          fc.pre(bar.open > start - trail);
          scene.desk.mark("AAA", start);
          scene.submit({ id: "hold", quantity: 1 });
          scene.bar(start, start, start, start);
          scene.submit({ id: "a", side: "sell", quantity: 1, type: "trailing_stop", trailAmount: trail });
          scene.bar(bar.open, bar.high, bar.low, bar.close);
          const worths = new Set(pathsOf(bar).map((path) => trailedTo(path, start, trail) ?? bar.close));
          const { equity, optimistic, pessimistic } = scene.desk.bounds();
          const worth = (micros: number) => micros / 1e6 - 10_000 + start;
          expect(worths).toContain(worth(equity));
          expect(worth(pessimistic)).toBe(Math.min(...worths));
          expect(worth(optimistic)).toBe(Math.max(...worths));
          if (worths.size > 1) doubts++;
        },
      ),
      { numRuns: 1_500 },
    );
    expect(doubts).toBeGreaterThan(100);
  }, 60_000);
});

/** The price a trailing stop is hit at on a path; null where it is not. */
function trailedTo(path: readonly number[], start: number, trail: number): number | null {
  let best = start;
  for (const price of path) {
    best = Math.max(best, price);
    if (price <= best - trail) return best - trail;
  }
  return null;
}
