import { describe, expect, it } from "vitest";
import { readyFor } from "../../src/core/backtest/ready.js";
import { ambiguousTrades, hashOf } from "../../src/core/backtest/result.js";
import { type BacktestRules, type Listing, PLAIN_RULES, SIZINGS } from "../../src/core/backtest/rules.js";
import { runBacktest } from "../../src/core/backtest/run.js";
import { createRng } from "../../src/core/base/rng.js";
import { marginRules } from "../../src/core/execution/account.js";
import type { DeskEvent } from "../../src/core/execution/events.js";
import { type Candles, candlesFromRows } from "../../src/core/market/candles.js";
import { equityAt } from "../../src/core/performance/equity-at.js";
import type { Entry, Stand, Strategy } from "../../src/core/strategies/define.js";
import { goldenCross } from "../../src/core/strategies/golden-cross.js";
import { findStrategy, STRATEGIES } from "../../src/core/strategies/index.js";
import { doing } from "../fixtures/doing.js";
import { wanderingCandles } from "../fixtures/market-walks.js";

const DAY_MS = 86_400_000;

function bars(rows: readonly (readonly [open: number, high: number, low: number, close: number])[]): Candles {
  return candlesFromRows(
    "AAA",
    "1d",
    rows.map(([open, high, low, close], i) => ({ time: i * DAY_MS, open, high, low, close, volume: 1_000 })),
  );
}

function enteringAt(bar: number, entry: Entry): Strategy {
  return doing((stand) => {
    if (stand.i === bar) stand.enter(1, entry);
  });
}

const UNITS: BacktestRules = {
  ...PLAIN_RULES,
  sizing: { ...SIZINGS.whole, stake: { kind: "units", units: 10 } },
};

describe("bounds", () => {
  const before = [100, 101, 99, 100] as const;

  it("part by exactly the size of an ambiguous bar that was planted", () => {
    const calm = bars([before, [100, 102, 98, 101], [101, 103, 97, 100], [100, 101, 99, 100]]);
    const planted = bars([before, [100, 102, 98, 101], [101, 111, 89, 100], [100, 101, 99, 100]]);
    const strategy = enteringAt(0, { stop: 90, target: 110 });
    const plain = runBacktest(strategy, [{ candles: calm }], {}, UNITS);
    expect([plain.doubts, ambiguousTrades(plain)]).toEqual([[], []]);
    expect(plain.bounds.optimistic - plain.bounds.pessimistic).toBe(0);
    const result = runBacktest(strategy, [{ candles: planted }], {}, UNITS);
    // The stop came first by the rule; at best it was the target: 20 more on each of 10 units.
    expect(result.trades.map(({ exitReason, net, ambiguous }) => [exitReason, net, ambiguous])).toEqual([
      ["stop", -100e6, true],
    ]);
    expect(ambiguousTrades(result)).toEqual(result.trades);
    expect(
      result.doubts.map(({ orderId, filled, optimisticMicros }) => [orderId, filled, optimisticMicros]),
    ).toEqual([["AAA/0/stop", true, 200e6]]);
    const { pessimistic, equity, optimistic } = result.bounds;
    expect([pessimistic, equity, optimistic]).toEqual([99_900e6, 99_900e6, 100_100e6]);
  });

  it("know of a target that may have come before its entry", () => {
    const candles = bars([before, [100, 112, 94, 97], [97, 98, 96, 97]]);
    const result = runBacktest(enteringAt(0, { limit: 95, stop: 80, target: 110 }), [{ candles }], {}, UNITS);
    expect(result.trades.map(({ entryPrice, closedAt }) => [entryPrice, closedAt])).toEqual([[95, null]]);
    expect(result.doubts.map(({ filled, optimisticMicros }) => [filled, optimisticMicros])).toEqual([
      [false, 130e6],
    ]);
    expect(result.bounds.optimistic - result.bounds.equity).toBe(130e6);
  });
});

/** Orders of all kinds at random, the same for the same seed. */
function random(seed: number): Strategy {
  return doing((stand) => {
    const rng = createRng(seed, stand.i);
    const price = stand.candles.close[stand.i];
    const away = (share: number) => price * (1 + share * (0.2 + rng.next()));
    const dice = rng.below(24);
    if (dice === 0) stand.enter(1, { stop: away(-0.03), target: away(0.03) });
    else if (dice === 1) stand.enter(-1, { stop: away(0.03) });
    else if (dice === 2) stand.enter(1, { limit: away(-0.01), target: away(0.05) });
    else if (dice === 3) stand.enter(rng.below(2) === 0 ? 1 : -1);
    else if (dice === 4) stand.exit();
    else if (dice === 5) stand.weigh(rng.next() - 0.4);
    else if (dice === 6) stand.cancel();
    else if (dice === 7) {
      stand.order({
        side: rng.below(2) === 0 ? "buy" : "sell",
        type: "trailing_stop",
        timeInForce: rng.below(2) === 0 ? "gtc" : "day",
        quantity: 1 + rng.below(20),
        notional: null,
        limitPrice: null,
        stopPrice: null,
        trailAmount: null,
        trailPercent: 2,
        extendedHours: false,
        orderClass: "simple",
        takeProfit: null,
        stopLoss: null,
      });
    }
  });
}

const MARGIN: BacktestRules = {
  ...PLAIN_RULES,
  desk: { ...PLAIN_RULES.desk, account: { ...marginRules("USD"), borrowRate: 0.05, interestRate: 0.08 } },
  sizing: { ...SIZINGS.whole, stake: { kind: "share", share: 1.4 } },
};

/** What the events of a run leave at its last close, counted by other means. */
function equityOf(candles: Candles, events: readonly DeskEvent[]): number {
  const until = candles.time.map((time) => time + DAY_MS);
  const closes = new Map([["AAA", { until, close: candles.close }]]);
  return equityAt(events, until.subarray(-1), closes).equity[0];
}

describe("a run", () => {
  it("leaves out bars that do nothing, and nothing else", () => {
    let fills = 0;
    for (let seed = 0; seed < 24; seed++) {
      const candles = wanderingCandles("AAA", "1d", 260, seed);
      const one = runBacktest(random(seed), [{ candles }], {}, MARGIN);
      // Beside another symbol every bar is walked by the desk.
      const idle = { ...wanderingCandles("ZZZ", "1d", 260, 1), time: candles.time };
      const walk = walkOf(random(seed));
      const first = doing((stand) => {
        if (stand.symbol === "AAA") walk(stand);
      });
      const both = runBacktest(first, [{ candles }, { candles: idle }], {}, MARGIN);
      expect(both.events, `seed ${seed}`).toEqual(one.events);
      expect(both.equity).toEqual(one.equity);
      expect(both.decisions).toEqual(one.decisions);
      expect(equityOf(candles, one.events)).toBe(one.bounds.equity);
      fills += one.events.filter((event) => event.kind === "order" && "fill" in event).length;
    }
    expect(fills).toBeGreaterThan(400);
  });

  it("has one hash for one seed, and another for another", () => {
    const candles = wanderingCandles("AAA", "1d", 300, 9);
    const costs = { ...MARGIN.desk.costs, slippage: { kind: "fixed", bps: 5 }, jitterSeed: 4 } as const;
    const hash = (jitterSeed: number) => {
      const rules = { ...MARGIN, desk: { ...MARGIN.desk, costs: { ...costs, jitterSeed } } };
      return hashOf(runBacktest(random(2), [{ candles }], {}, rules));
    };
    const hashes = new Set(Array.from({ length: 100 }, () => hash(4)));
    expect(hashes.size).toBe(1);
    expect([...hashes][0]).toMatch(/^[0-9a-f]{32}$/);
    expect(hash(5)).not.toBe([...hashes][0]);
  });

  it("fills at the next open what is decided at a close", () => {
    const candles = bars([
      [10, 12, 9, 11],
      [20, 22, 19, 21],
      [30, 33, 29, 31],
    ]);
    const strategy = doing((stand) => {
      if (stand.i === 0) stand.enter(1);
      if (stand.i === 1) stand.exit("enough");
    });
    const { trades, reasons, orders } = runBacktest(strategy, [{ candles }], {}, UNITS);
    expect(
      trades.map(({ entryPrice, exitPrice, openedAt, closedAt }) => [
        entryPrice,
        exitPrice,
        openedAt,
        closedAt,
      ]),
    ).toEqual([[20, 30, DAY_MS, 2 * DAY_MS]]);
    expect(reasons.get(orders[1].id)).toBe("enough");
  });

  it.each([
    ["mark", 1_000e6 + 10 * 21e6 - 10 * 10e6, null],
    ["close", 1_000e6 + 10 * 21e6 - 10 * 10e6, 21],
    ["last_open", 1_000e6 + 10 * 15e6 - 10 * 10e6, 15],
  ] as const)("ends with %s", (closing, equity, exitPrice) => {
    const candles = bars([
      [10, 12, 9, 11],
      [10, 12, 9, 11],
      [15, 22, 14, 21],
    ]);
    const rules: BacktestRules = { ...UNITS, capital: 1_000, closing };
    const result = runBacktest(enteringAt(0, {}), [{ candles }], {}, rules);
    expect(result.trades.map((trade) => trade.exitPrice)).toEqual([exitPrice]);
    expect([result.bounds.equity, result.equity.at(-1)]).toEqual([equity, equity]);
    const ends = { mark: null, close: 3 * DAY_MS, last_open: 2 * DAY_MS };
    expect(result.trades.map(({ closedAt }) => closedAt)).toEqual([ends[closing]]);
  });

  it("tells what was not to be had", () => {
    const candles = bars([
      [10, 12, 9, 11],
      [10, 12, 9, 11],
      [15, 22, 14, 21],
    ]);
    const short = runBacktest(
      doing((stand) => stand.enter(-1)),
      [{ candles }],
      {},
      UNITS,
    );
    expect(short.turned.map(({ bar, reason }) => [bar, reason])).toEqual([
      [0, "short_not_allowed"],
      [1, "short_not_allowed"],
    ]);
    const poor = runBacktest(enteringAt(0, {}), [{ candles }], {}, { ...PLAIN_RULES, capital: 5 });
    expect(poor.turned.map(({ reason }) => reason)).toEqual(["stake_too_small"]);
    const beyond = runBacktest(enteringAt(0, { stop: 10.5 }), [{ candles }], {}, UNITS);
    expect(beyond.turned.map(({ reason }) => reason)).toEqual(["loss_on_wrong_side"]);
  });

  it("keeps shares through a split and takes dividends in", () => {
    const candles = bars([
      [100, 101, 99, 100],
      [100, 101, 99, 100],
      [50, 51, 49, 50],
      [50, 51, 49, 50],
    ]);
    const happenings: Listing["happenings"] = [
      { at: 2 * DAY_MS, kind: "split", ratio: 2 },
      { at: 3 * DAY_MS, kind: "dividend", amount: 0.5 },
    ];
    const result = runBacktest(enteringAt(0, {}), [{ candles, happenings }], {}, UNITS);
    const [trade] = result.trades;
    expect([trade.openQuantity, trade.dividends]).toEqual([20, 10e6]);
    expect([...result.equity]).toEqual([100_000e6, 100_000e6, 100_000e6, 100_010e6]);
  });
});

function walkOf(strategy: Strategy): (stand: Stand<unknown>) => void {
  if (strategy.scope !== "symbol") throw new Error("walks no symbol");
  return strategy.walk;
}

describe("several symbols", () => {
  it("share what there is, and sales of one time pay for the purchases of it", () => {
    const rotation = findStrategy("momentum_rotation") ?? goldenCross;
    const listings = ["AAA", "BBB", "CCC", "DDD"].map((symbol, k) => ({
      candles: wanderingCandles(symbol, "1d", 500, 20 + k),
    }));
    const values = { lookback: 40, hold: 2, every: 10 };
    const { equity, exposure, turned, trades } = runBacktest(rotation, listings, values);
    expect(turned).toEqual([]);
    expect(trades.length).toBeGreaterThan(30);
    // Two halves less what no whole share costs.
    const invested = [...exposure.keys()].filter((k) => exposure[k] > 0.95 * equity[k]).length;
    expect(invested).toBeGreaterThan(0.5 * exposure.length);
    expect(Math.max(...exposure.map((worth, k) => worth / equity[k]))).toBeLessThanOrEqual(1);
  });

  it("are refused what a strategy needs and they have not, all of it at once", () => {
    const rotation = findStrategy("momentum_rotation") ?? goldenCross;
    const daily = { candles: wanderingCandles("AAA", "1d", 50, 1) };
    expect(readyFor(rotation, [daily], { hold: 0 }).problems).toEqual([
      "hold must lie within 1..50, not 0",
      "needs two symbols at least, not 1",
    ]);
    const vwap = findStrategy("vwap_deviation") ?? goldenCross;
    const mute = { candles: { ...daily.candles, volume: new Float64Array(50) } };
    expect(readyFor(vwap, [mute], {}).problems).toEqual([
      "needs volumes with the bars, which AAA lacks",
      "needs bars within the day, which AAA lacks",
    ]);
    expect(readyFor(goldenCross, [daily], { fast: 50, slow: 20, other: 1 }).problems).toEqual([
      "there is no parameter other (known: fast, slow, side)",
    ]);
    expect(readyFor(goldenCross, [daily], { fast: 50, slow: 20 }).problems).toEqual([
      "fast must be shorter than slow",
    ]);
    expect(() => runBacktest(goldenCross, [daily], { fast: 50, slow: 20 })).toThrow("fast must be shorter");
  });
});

describe("the table", () => {
  it("has ids and titles of its own, and words for each parameter", () => {
    expect(new Set(STRATEGIES.map(({ id }) => id)).size).toBe(STRATEGIES.length);
    expect(new Set(STRATEGIES.map(({ title }) => title)).size).toBe(STRATEGIES.length);
    for (const { id, description, parameters } of STRATEGIES) {
      expect(description, id).toMatch(/^[A-Z].*\.$/);
      for (const [name, { meaning }] of Object.entries(parameters))
        expect(meaning, `${id}.${name}`).toMatch(/^\S.+\S$/);
    }
  });
});
