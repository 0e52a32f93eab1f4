import { describe, expect, it } from "vitest";
import { runBrief } from "../../src/core/backtest/brief.js";
import { permutationTest } from "../../src/core/backtest/permutation.js";
import { permutedBars, permutedListings } from "../../src/core/backtest/permuted-bars.js";
import { kolmogorovTail } from "../../src/core/base/inference.js";
import { createRng } from "../../src/core/base/rng.js";
import { distanceFromUniform } from "../../src/core/base/stats.js";
import { barOpensBetween } from "../../src/core/market/bar-times.js";
import { allocateBars, type Candles, findInvalidBar, sliceCandles } from "../../src/core/market/candles.js";
import { DAY_MS } from "../../src/core/market/day.js";
import { calendarOf } from "../../src/core/market/session.js";
import { STRATEGIES } from "../../src/core/strategies/index.js";
import { resolveValues } from "../../src/core/strategies/parameters.js";
import { type PermutedRun, permutedP } from "../../src/features/backtests/permuted.js";
import stress, { type StressOrder } from "../../src/features/backtests/stress-worker.js";
import { type RunTerms, rulesOf } from "../../src/features/backtests/terms.js";
import type { Workers } from "../../src/platform/workers.js";
import { RUN_TERMS } from "../fixtures/run-terms.js";
import { sized } from "../fixtures/sizes.js";

const TERMS: RunTerms = { ...RUN_TERMS, spreadBps: 10, sizing: "fractional" };
const DAYS = 500;
const DRAWS = 39;
const WALKS = sized({ usual: 80, full: 200 });

/** A walk without drift whose bars have gaps, ranges and volumes of their own. @param echo of each return in the next. */
function walkOf(seed: number, length = DAYS, echo = 0): Candles {
  const rng = createRng(seed, 5);
  const bars = allocateBars(length);
  let [price, last] = [100, 0];
  for (let i = 0; i < length; i++) {
    const open = price * Math.exp(0.003 * rng.normal());
    last = echo * last + 0.015 * rng.normal();
    const close = open * Math.exp(last);
    bars.time[i] = Date.UTC(2015, 0, 1) + i * DAY_MS;
    bars.open[i] = open;
    bars.close[i] = close;
    bars.high[i] = Math.max(open, close) * (1 + 0.004 * rng.next());
    bars.low[i] = Math.min(open, close) * (1 - 0.004 * rng.next());
    bars.volume[i] = Math.floor(1_000 * (1 + rng.next()));
    price = close;
  }
  return { symbol: "BTC-USD", interval: "1d", ...bars };
}

function strategyOf(id: string) {
  const strategy = STRATEGIES.find((each) => each.id === id);
  if (strategy === undefined) throw new Error(`there is a strategy ${id}`);
  return { strategy, values: resolveValues(strategy.parameters, {}).values };
}

/** As a job has it, of a strategy with its default values; null where nothing was traded. */
function pOf(id: string, candles: Candles, draws = DRAWS): number | null {
  const { strategy, values } = strategyOf(id);
  const { equity, trades } = runBrief(strategy, [{ candles }], values, rulesOf(TERMS));
  if (trades.entryBar.length === 0) return null;
  const order: StressOrder = {
    kind: "permuted",
    strategyId: id,
    values,
    series: [candles],
    facts: [],
    lead: [],
    happenings: [],
    terms: TERMS,
    seed: 1,
    from: 0,
    to: draws,
    start: 0,
  };
  const drawn = Float64Array.from(stress(order), ({ totalReturn }) => totalReturn);
  return permutationTest(equity[equity.length - 1] / 1e6 / TERMS.capital - 1, drawn).p;
}

/** The p-value of positions that are moved along the path which they were taken by: a test that is none. */
function shiftedP(id: string, candles: Candles): number | null {
  const { strategy, values } = strategyOf(id);
  const { trades } = runBrief(strategy, [{ candles }], values, rulesOf(TERMS));
  if (trades.entryBar.length === 0) return null;
  const n = DAYS - 1;
  const held = new Uint8Array(n);
  for (const [k, from] of trades.entryBar.entries()) {
    held.fill(1, from, trades.exitBar[k] < 0 ? n : trades.exitBar[k]);
  }
  const returns = Float64Array.from({ length: n }, (_, i) =>
    Math.log(candles.close[i + 1] / candles.close[i]),
  );
  const gained = (shift: number) =>
    returns.reduce((sum, each, i) => sum + held[(i + n - shift) % n] * each, 0);
  const rng = createRng(3);
  return permutationTest(
    gained(0),
    Float64Array.from({ length: 199 }, () => gained(rng.below(n))),
  ).p;
}

/** Does tasks at once, and counts the draws that they were asked for. */
function countingWorkers(): { readonly workers: Workers; drawn(): number } {
  let draws = 0;
  const run = async (_: unknown, order: StressOrder) => {
    if (order.kind === "permuted") draws += order.to - order.from;
    return stress(order);
  };
  return { workers: { run } as unknown as Workers, drawn: () => draws };
}

const numbers = (list: readonly (number | null)[]) => list.flatMap((each) => each ?? []);

describe("the permutation test of strategies that look at what they trade", () => {
  it.each(["golden_cross", "rsi_reversal", "bollinger_reversal"])(
    "has even p-values on walks without drift, with default values: %s",
    (id) => {
      const found = numbers(Array.from({ length: WALKS }, (_, k) => pOf(id, walkOf(100 + k))));
      expect(found.length).toBeGreaterThan(0.9 * WALKS);
      expect(kolmogorovTail(distanceFromUniform(found), found.length)).toBeGreaterThan(0.05);
      const small = found.filter((p) => p <= 0.1).length / found.length;
      // Four standard errors.
      expect(Math.abs(small - 0.1)).toBeLessThan(4 * Math.sqrt(0.09 / WALKS));
    },
  );

  it("would not have them by moving positions along the path that they were taken by", () => {
    const found = numbers(Array.from({ length: WALKS }, (_, k) => shiftedP("rsi_reversal", walkOf(100 + k))));
    expect(kolmogorovTail(distanceFromUniform(found), found.length)).toBeLessThan(0.01);
  });

  it("finds what returns say of those that follow, and not drift", () => {
    const echoes = [1, 2, 3].map((seed) => pOf("macd_cross", walkOf(seed, 1_500, 0.6), 99));
    for (const p of echoes) expect(p).toBeLessThanOrEqual(0.02);
    const rising = walkOf(9);
    for (const column of ["open", "high", "low", "close"] as const) {
      for (let i = 0; i < DAYS; i++) rising[column][i] *= Math.exp(0.004 * i);
    }
    expect(pOf("golden_cross", rising)).toBeGreaterThan(0.1);
  });
});

describe("the p-value of runs", () => {
  const runOf = (id: string, change: object = {}) => ({
    chosen: strategyOf(id),
    data: { series: [walkOf(5)], facts: [], lead: [], happenings: [], terms: TERMS },
    start: 0,
    onDesk: false,
    ...change,
  });
  const told = async (runs: readonly PermutedRun[], trades = 3, most = 200_000) => {
    const { workers, drawn } = countingWorkers();
    const { value, reason } = await permutedP(runs, 0, trades, { workers, seed: 1, most });
    return { value, reason, drawn: drawn() };
  };

  it("is of 199 draws, of 99 where there are many bars, and of none where those would be too many", async () => {
    expect((await told([runOf("golden_cross")])).drawn).toBe(199);
    // Of 2,500 bars 160 are 400,000, and of 4,500 it would be fewer than 99.
    const runs = (count: number) => Array.from({ length: count }, () => runOf("golden_cross"));
    expect((await told(runs(5), 3, 1_000_000)).drawn).toBe(5 * 160);
    expect((await told(runs(9), 3, 1_000_000)).drawn).toBe(9 * 99);
    for (const heavy of [
      runOf("golden_cross", { onDesk: true }),
      runOf("pattern_list"),
      runOf("regime_switched"),
    ]) {
      const { value, reason, drawn } = await told([heavy]);
      expect([value, drawn]).toEqual([null, 0]);
      expect(reason).toContain("too long here; a job has time for more");
    }
  });

  it("is absent where nothing was traded, and where drawn bars lack what a strategy reads", async () => {
    expect((await told([runOf("golden_cross")], 0)).reason).toBe("nothing was traded");
    expect((await told([runOf("pcr_extremes")])).reason).toContain("permuted bars have no put_call_ratio");
  });
});

describe("permuted bars", () => {
  const parts = ({ open, high, low, close, volume }: Candles, i: number) =>
    [open, high, low, close].map((column) => (column[i] / close[i - 1]).toFixed(9)).join(" ") +
    ` ${volume[i]}`;

  it("are the same bars in another order, with the first and the last close where they were", () => {
    const candles = walkOf(4);
    const [drawn] = permutedBars([candles], { calendar: null })(1, 0);
    const rows = (of: Candles) => Array.from({ length: DAYS - 1 }, (_, i) => parts(of, i + 1));
    expect(rows(drawn).sort()).toEqual(rows(candles).sort());
    expect(rows(drawn)).not.toEqual(rows(candles));
    expect(drawn.close[DAYS - 1]).toBeCloseTo(candles.close[DAYS - 1], 8);
    expect(drawn.close[0]).toBe(candles.close[0]);
    expect(findInvalidBar(drawn)).toBeNull();
    const again = permutedBars([candles], { calendar: null });
    expect(again(1, 0)[0].close).toEqual(drawn.close);
    expect(again(1, 1)[0].close).not.toEqual(drawn.close);
    expect(again(2, 0)[0].close).not.toEqual(drawn.close);
  });

  it("stay as they are before the bar that is named", () => {
    const candles = walkOf(4);
    const [drawn] = permutedBars([candles], { calendar: null, fromMs: candles.time[300] })(1, 0);
    expect(drawn.close.subarray(0, 300)).toEqual(candles.close.subarray(0, 300));
    expect(drawn.close[DAYS - 1]).toBeCloseTo(candles.close[DAYS - 1], 8);
    expect(drawn.close.subarray(300, 400)).not.toEqual(candles.close.subarray(300, 400));
  });

  it("change places with bars of the same time of day alone, over the change of clocks and half days", () => {
    const calendar = calendarOf("XNYS");
    const time = barOpensBetween(calendar, "1h", Date.UTC(2023, 9, 1), Date.UTC(2023, 11, 15));
    const walk = walkOf(6, time.length);
    const candles: Candles = { ...walk, symbol: "AAPL", interval: "1h", time };
    // Volume tells the hour since the open.
    let session = -1;
    let hour = 0;
    for (let i = 0; i < time.length; i++) {
      const day = Math.floor(time[i] / DAY_MS);
      hour = day === session ? hour + 1 : 0;
      session = day;
      candles.volume[i] = 1_000 + hour;
    }
    const [drawn] = permutedBars([candles], { calendar })(1, 0);
    expect(drawn.volume).toEqual(candles.volume);
    expect(drawn.close).not.toEqual(candles.close);
  });

  it("move together where symbols have bars of one time", () => {
    const [a, b] = [walkOf(7), { ...walkOf(8), symbol: "ETH-USD" }];
    const late = { ...b };
    for (const column of ["time", "open", "high", "low", "close", "volume"] as const) {
      late[column] = b[column].slice(100);
    }
    const drawn = permutedBars([a, late], { calendar: null })(1, 3);
    const pairs = (one: Candles, other: Candles) =>
      Array.from({ length: DAYS - 101 }, (_, i) => `${parts(one, i + 101)} | ${parts(other, i + 1)}`).sort();
    expect(pairs(drawn[0], drawn[1])).toEqual(pairs(a, late));
    expect(drawn[0].close).not.toEqual(a.close);
  });

  it("take dividends along with the bars whose gaps have them, as the same part of the price", () => {
    const candles = walkOf(4);
    const paid = [40, 320, 321, 450].map((bar, k) => ({
      at: candles.time[bar] - 1,
      kind: "dividend" as const,
      amount: (k + 1) * 0.01 * candles.close[bar - 1],
    }));
    const terms = { calendar: null, fromMs: candles.time[300] };
    const [drawn] = permutedListings([{ candles, happenings: paid }], terms)(1, 0);
    const [first, ...moved] = drawn.happenings ?? [];
    expect(first).toEqual(paid[0]);
    const yields = moved.map((each) => {
      const bar = drawn.candles.time.indexOf(each.at);
      if (each.kind !== "dividend") throw new Error("dividends are what was given");
      return `${parts(drawn.candles, bar)} ${(each.amount / drawn.candles.close[bar - 1]).toFixed(9)}`;
    });
    const given = [320, 321, 450].map((bar, k) => `${parts(candles, bar)} ${((k + 2) * 0.01).toFixed(9)}`);
    expect(yields.sort()).toEqual(given.sort());
    expect(moved.map(({ at }) => at)).toEqual(moved.map(({ at }) => at).sort((a, b) => a - b));
    expect(moved.map(({ at }) => at)).not.toEqual([320, 321, 450].map((bar) => candles.time[bar]));
  });

  it("are led up to by bars that stay, so that a slow strategy trades from the first bar on", () => {
    const candles = walkOf(11);
    const values = { ...strategyOf("golden_cross").values, fast: 5, slow: 44 };
    const order: StressOrder = {
      kind: "permuted",
      strategyId: "golden_cross",
      values,
      series: [sliceCandles(candles, DAYS - 45)],
      facts: [],
      lead: [{ candles: sliceCandles(candles, 0, DAYS - 45), facts: {} }],
      happenings: [],
      terms: TERMS,
      seed: 1,
      from: 0,
      to: 20,
      start: 0,
    };
    const traded = (paths: readonly { trades: number }[]) =>
      paths.reduce((sum, { trades }) => sum + trades, 0);
    expect(traded(stress(order))).toBeGreaterThan(0);
    expect(traded(stress({ ...order, lead: [] }))).toBe(0);
  });
});
