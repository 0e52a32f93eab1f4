import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { reconcileTrades } from "../../src/core/backtest/reconcile.js";
import { CAUSES } from "../../src/core/backtest/reconcile-causes.js";
import { pairTrades } from "../../src/core/backtest/reconcile-pairs.js";
import type { SideTrade } from "../../src/core/backtest/reconcile-trades.js";
import { createRng } from "../../src/core/base/rng.js";
import { NO_COSTS } from "../../src/core/execution/costs.js";
import { madeTrade, SYMBOL, walkOfDays } from "../fixtures/reconcile.js";

const BARS = walkOfDays(60);

/** Trades of any figures: the sums are to hold whatever they are. */
function anyTrade(id: string) {
  return fc
    .record({
      entryBar: fc.integer({ min: 0, max: 40 }),
      held: fc.integer({ min: 0, max: 15 }),
      side: fc.constantFrom("long" as const, "short" as const),
      quantity: fc.integer({ min: 1, max: 40 }).map((units) => units / 4),
      open: fc.boolean(),
      entryMicros: fc.integer({ min: 1, max: 5_000_000_000 }),
      exitMicros: fc.integer({ min: 0, max: 5_000_000_000 }),
      fees: fc.integer({ min: 0, max: 3_000_000 }),
      dividends: fc.integer({ min: -1_000_000, max: 1_000_000 }),
      borrow: fc.integer({ min: 0, max: 1_000_000 }),
      ordered: fc.constantFrom(null, 1, 2),
      ratio: fc.constantFrom(1, 1, 1, 3),
      costs: fc.constantFrom(null, 0, 1_000, 77_777),
      fills: fc.constantFrom(1, 1, 2),
    })
    .map(({ held, open, costs, fills, ordered, ...given }) => {
      const end = { fills, spread: costs, slippage: costs, reason: null, beyond: null };
      const exitBar = open ? 59 : given.entryBar + held;
      const made = { ...given, id, exitBar, ordered: ordered === null ? null : ordered * given.quantity };
      const exit = open ? { exitMs: null, exitReason: null } : {};
      return madeTrade({ ...made, ...exit, entry: end, exit: { ...end, fills: open ? 0 : fills } });
    });
}

const anyList = (name: string) =>
  fc.nat(7).chain((count) => fc.tuple(...Array.from({ length: count }, (_, k) => anyTrade(`${name}${k}`))));

const terms = {
  tolerance: 2,
  markets: new Map([[SYMBOL, { candles: BARS, splits: [] }]]),
  paper: { costs: NO_COSTS },
  backtest: { costs: NO_COSTS },
};
const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);
const found = (paper: readonly SideTrade[], backtest: readonly SideTrade[]) =>
  reconcileTrades({ trades: paper, lost: [] }, { trades: backtest, lost: [] }, terms);

describe("two lists of any trades", () => {
  it("differ by what their trades, the parts and the causes sum to, to the micro", () => {
    let pairs = 0;
    fc.assert(
      fc.property(anyList("p"), anyList("b"), (paper, backtest) => {
        const one = found(paper, backtest);
        const difference = sum(paper.map(({ net }) => net)) - sum(backtest.map(({ net }) => net));
        expect(one.difference).toBe(difference);
        expect(one.ofTrades).toBe(difference);
        expect(sum(Object.values(one.parts))).toBe(difference);
        expect(sum(one.causes.map(({ micros }) => micros ?? 0))).toBe(difference);
        for (const trade of one.trades) {
          const net = (trade.paper?.net ?? 0) - (trade.backtest?.net ?? 0);
          expect(trade.difference).toBe(net);
          expect(sum(trade.causes.map(({ micros }) => micros ?? 0))).toBe(net);
          for (const { code } of trade.causes) expect(CAUSES).toHaveProperty(code);
          if (trade.parts === null) continue;
          pairs++;
          expect(sum(Object.values(trade.parts))).toBe(net);
        }
        expect(one.trades.flatMap((trade) => trade.paper ?? []).length).toBe(paper.length);
        expect(new Set(one.trades.flatMap((trade) => trade.backtest?.id ?? [])).size).toBe(backtest.length);
      }),
      { numRuns: 800 },
    );
    expect(pairs).toBeGreaterThan(400);
  });

  it("are paired alike in whatever order they come", () => {
    fc.assert(
      fc.property(anyList("p"), anyList("b"), fc.nat(1_000), (paper, backtest, seed) => {
        const rng = createRng(seed);
        const mixed = (trades: readonly SideTrade[]) =>
          trades
            .map((trade) => ({ trade, at: rng.next() }))
            .sort((a, b) => a.at - b.at)
            .map(({ trade }) => trade);
        expect(found(mixed(paper), mixed(backtest))).toEqual(found(paper, backtest));
      }),
      { numRuns: 300 },
    );
  });
});

describe("the pairing", () => {
  type Pairing = readonly (readonly [number, number])[];
  /** Every pairing that does not cross, one by one. */
  function* pairings(n: number, m: number, i = 0, j = 0): Generator<Pairing> {
    yield [];
    for (let a = i; a < n; a++) {
      for (let b = j; b < m; b++) for (const rest of pairings(n, m, a + 1, b + 1)) yield [[a, b], ...rest];
    }
  }
  const tolerance = 2;
  /** Of the rule as it is stated; infinite for what may not be a pair. */
  function costOf(pairs: Pairing, paper: readonly SideTrade[], backtest: readonly SideTrade[]): number[] {
    const alone = (paper.length + backtest.length - 2 * pairs.length) * ((tolerance + 1) / 2);
    const cost = [alone, 0, 0];
    for (const [i, j] of pairs) {
      const [a, b] = [paper[i], backtest[j]];
      const away = Math.abs(a.entryBar - b.entryBar);
      if (away > tolerance) return [Number.POSITIVE_INFINITY, 0, 0];
      cost[0] += away;
      cost[1] += Math.abs(a.exitBar - b.exitBar);
      cost[2] += Math.abs(Math.log(a.quantity / b.quantity));
    }
    return cost;
  }
  const isLess = (a: readonly number[], b: readonly number[]) => {
    const k = a.findIndex((each, at) => Math.abs(each - b[at]) > 1e-6);
    return k >= 0 && a[k] < b[k];
  };
  const ordered = (name: string) =>
    fc
      .array(
        fc.tuple(fc.integer({ min: 0, max: 14 }), fc.integer({ min: 0, max: 6 }), fc.constantFrom(1, 2, 4)),
        {
          maxLength: 5,
        },
      )
      .map((rows) =>
        rows
          .toSorted((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2])
          .map(([entryBar, held, quantity], k) =>
            madeTrade({ id: `${name}${k}`, entryBar, exitBar: entryBar + held, quantity }),
          ),
      );

  it("is the cheapest of all that do not cross", () => {
    fc.assert(
      fc.property(ordered("p"), ordered("b"), (paper, backtest) => {
        const chosen: [number, number][] = pairTrades(paper, backtest, tolerance).flatMap((pair) =>
          pair.paper === null || pair.backtest === null
            ? []
            : [[paper.indexOf(pair.paper), backtest.indexOf(pair.backtest)]],
        );
        chosen.sort((a, b) => a[0] - b[0]);
        const own = costOf(chosen, paper, backtest);
        expect(own[0]).toBeLessThan(Number.POSITIVE_INFINITY);
        for (const other of pairings(paper.length, backtest.length)) {
          expect(isLess(costOf(other, paper, backtest), own)).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("leaves one alone rather than shifting all others", () => {
    const at = (name: string, bars: readonly number[]) =>
      bars.map((bar) => madeTrade({ id: `${name}${bar}`, entryBar: bar, exitBar: bar + 1 }));
    const pairs = pairTrades(at("p", [10, 13, 16, 19]), at("b", [13, 16, 19, 22]), 3);
    expect(pairs.map(({ paper, backtest }) => [paper?.id ?? null, backtest?.id ?? null])).toEqual([
      ["p10", null],
      ["p13", "b13"],
      ["p16", "b16"],
      ["p19", "b19"],
      [null, "b22"],
    ]);
  });

  it("takes the same quantity of two that were entered and left together", () => {
    const trade = (id: string, quantity: number) => madeTrade({ id, entryBar: 5, exitBar: 9, quantity });
    const [first, second] = pairTrades([trade("p", 20)], [trade("b1", 10), trade("b2", 20)], 3);
    expect([first, second].find(({ paper }) => paper !== null)?.backtest?.id).toBe("b2");
  });

  it("never pairs a long trade with a short one, nor two symbols", () => {
    const trade = (id: string, given: Partial<SideTrade>) =>
      madeTrade({ id, entryBar: 5, exitBar: 9, ...given });
    expect(pairTrades([trade("p", {})], [trade("b", { side: "short" })], 3)).toHaveLength(2);
    expect(pairTrades([trade("p", {})], [trade("b", { symbol: "BBB" })], 3)).toHaveLength(2);
  });

  it("bears thousands of trades that all overlap", () => {
    const many = (name: string) =>
      Array.from({ length: 3_000 }, (_, k) => madeTrade({ id: `${name}${k}`, entryBar: k, exitBar: 5_000 }));
    const pairs = pairTrades(many("p"), many("b"), 3);
    expect(pairs.every(({ paper, backtest }) => paper?.entryBar === backtest?.entryBar)).toBe(true);
  });
});
