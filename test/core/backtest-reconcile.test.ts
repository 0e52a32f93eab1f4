import { describe, expect, it } from "vitest";
import { PLAIN_RULES, SIZINGS, tradedUnit } from "../../src/core/backtest/rules.js";
import { runBacktest } from "../../src/core/backtest/run.js";
import { marginRules } from "../../src/core/execution/account.js";
import { NO_COSTS } from "../../src/core/execution/costs.js";
import { DAY_MS } from "../../src/core/market/day.js";
import { findStrategy } from "../../src/core/strategies/index.js";
import {
  accountOver,
  causesAt,
  FIRST,
  reconciled,
  roundTrip,
  SYMBOL,
  type Told,
  walkOfDays,
} from "../fixtures/reconcile.js";
import { mapPrices } from "../fixtures/series.js";

const BARS = walkOfDays(40);
const { open, high, low, close } = BARS;
const PLAIN = accountOver(BARS, roundTrip("b", 10, 5, 12));
const cents = (value: number) => Math.round(value * 1e6) / 1e6;

/** Every cause explains a part of its own or says why, and all of them sum to the difference. */
function expectIdentity(found: ReturnType<typeof reconciled>): void {
  for (const { causes, difference, parts } of found.trades) {
    expect(causes.reduce((sum, { micros }) => sum + (micros ?? 0), 0)).toBe(difference);
    if (parts !== null) expect(Object.values(parts).reduce((sum, each) => sum + each, 0)).toBe(difference);
  }
  expect(found.ofTrades).toBe(found.difference);
  expect(Object.values(found.parts).reduce((sum, each) => sum + each, 0)).toBe(found.difference);
  expect(found.causes.reduce((sum, { micros }) => sum + (micros ?? 0), 0)).toBe(found.difference);
}

/** The only trade's causes; the identities hold. */
function causesOf(script: readonly Told[], acting = {}, more = {}, backtest = PLAIN) {
  const found = reconciled(accountOver(BARS, script, acting), backtest, BARS, more);
  expectIdentity(found);
  return { causes: causesAt(found), found, facts: found.trades[0].causes.map(({ facts }) => facts) };
}

describe("a strategy that paper trades bar by bar", () => {
  const bars = walkOfDays(400, 9);
  const strategy = findStrategy("golden_cross");
  if (strategy === null) throw new Error("there is no golden cross");
  const rules = {
    ...PLAIN_RULES,
    sizing: { ...SIZINGS.whole, stake: { kind: "share", share: 0.5 } as const },
  };
  const costs = {
    ...NO_COSTS,
    spreadBps: 10,
    commission: { kind: "percent", rate: 0.001, minimum: 0 } as const,
  };
  const run = (desk = rules.desk) =>
    runBacktest(strategy, [{ candles: bars }], { fast: 3, slow: 8 }, { ...rules, desk });
  /** The market orders of a backtest, by whoever sees them at the closes. */
  const script = ({ orders }: ReturnType<typeof run>): Told[] =>
    orders.map(({ id, side, quantity, submittedAt }) => {
      const bar = Math.round((submittedAt - FIRST) / DAY_MS);
      return { bar, order: { id: `p ${id}`, side, quantity } };
    });
  const recordOf = (backtest: ReturnType<typeof run>, paid = NO_COSTS) => ({
    events: backtest.events,
    costs: paid,
    traded: new Map([[SYMBOL, tradedUnit(SYMBOL, rules.sizing)]]),
    reasons: backtest.reasons,
  });

  it("differs in nothing at equal costs", () => {
    const backtest = run();
    const paper = accountOver(bars, script(backtest), { capital: 100_000 });
    const found = reconciled(paper, recordOf(backtest), bars);
    expect(found.trades.length).toBeGreaterThan(10);
    expect(found.trades.filter(({ causes }) => causes.length > 0)).toEqual([]);
    expect(found.difference).toBe(0);
    const equity = backtest.equity[backtest.equity.length - 1];
    expect(found.backtestNet).toBe(equity - 100_000e6);
  });

  it("differs by spread and commissions alone where only these do", () => {
    const backtest = run({ ...rules.desk, costs });
    const paper = accountOver(bars, script(backtest), { capital: 100_000 });
    const found = reconciled(paper, recordOf(backtest, costs), bars);
    expectIdentity(found);
    const codes = found.causes.map(({ code }) => code).sort();
    expect(codes).toEqual(["costs_differ", "entry_price_differs", "exit_price_differs"]);
    const fees = backtest.trades.reduce((sum, trade) => sum + trade.fees, 0);
    expect(found.parts.commissions).toBe(fees);
    // Half the spread each way, less what ticks take.
    const paid = backtest.trades.reduce(
      (sum, { entryMicros, exitMicros }) => sum + entryMicros + exitMicros,
      0,
    );
    const spread = found.parts.entry_spread + found.parts.exit_spread;
    expect(spread / (paid * 0.0005)).toBeCloseTo(1, 2);
    const left = found.parts.entry_market + found.parts.exit_market;
    expect(Math.abs(left)).toBeLessThan(spread * 0.001);
  });
});

describe("a cause that is planted", () => {
  it("none: the same trade in both", () => {
    const { found } = causesOf(roundTrip("p", 10, 5, 12));
    expect(found.trades).toMatchObject([{ causes: [], difference: 0 }]);
    expect(found.paperNet).toBe(Math.round((open[12] - open[5]) * 1e7));
  });

  it("missing_in_paper and missing_in_backtest: the whole trade", () => {
    const gain = cents(10 * (open[12] - open[5]));
    expect(causesOf([]).causes).toEqual({ missing_in_paper: -gain });
    const alone = causesOf(roundTrip("p", 10, 5, 12), {}, {}, accountOver(BARS, []));
    expect(alone.causes).toEqual({ missing_in_backtest: gain });
  });

  it("refused_in_paper: with the code of the refusal", () => {
    // The order can be borne at the close and no more at the open, which is higher.
    const bar = open.findIndex((price, i) => i > 5 && price > close[i - 1] + 0.5);
    const backtest = accountOver(BARS, roundTrip("b", 10, bar, bar + 5));
    const capital = 10 * (close[bar - 1] + 0.1);
    const { causes, facts } = causesOf(roundTrip("p", 10, bar, null), { capital }, {}, backtest);
    expect(Object.keys(causes)).toEqual(["missing_in_paper", "refused_in_paper"]);
    expect(facts[1]).toMatchObject({ code: "insufficient_buying_power", order: "p", bars: 0 });
  });

  it("unfilled_in_paper: a limit that was not reached", () => {
    const limitPrice = Math.floor(Math.min(...low.slice(5, 8))) - 1;
    const { causes, facts } = causesOf([
      { bar: 5, order: { id: "p", side: "buy", quantity: 10, type: "limit", limitPrice } },
      { bar: 7, cancel: "p" },
    ]);
    expect(Object.keys(causes)).toEqual(["missing_in_paper", "unfilled_in_paper"]);
    expect(facts[1]).toMatchObject({ code: "by_trader", end: "canceled" });
  });

  it("unfilled_in_backtest: the same of the other side", () => {
    const limitPrice = Math.floor(Math.min(...low.slice(5, 8))) - 1;
    const backtest = accountOver(BARS, [
      { bar: 5, order: { id: "b", side: "buy", quantity: 10, type: "limit", limitPrice } },
      { bar: 7, cancel: "b" },
    ]);
    const { causes } = causesOf(roundTrip("p", 10, 5, 12), {}, {}, backtest);
    expect(Object.keys(causes)).toEqual(["missing_in_backtest", "unfilled_in_backtest"]);
  });

  it("refused_in_backtest: what its desk refused at once", () => {
    const refused = [
      {
        orderId: "b",
        symbol: SYMBOL,
        side: null,
        at: BARS.time[4],
        bar: 4,
        end: "rejected",
        reason: "stake_too_small",
      },
    ] as const;
    const { causes, facts } = causesOf(roundTrip("p", 10, 5, 12), {}, { refused }, accountOver(BARS, []));
    expect(Object.keys(causes)).toEqual(["missing_in_backtest", "refused_in_backtest"]);
    expect(facts[1]).toMatchObject({ code: "stake_too_small", bars: -1 });
  });

  it("entry_bar_differs and exit_bar_differs: what the market did in between", () => {
    const late = causesOf(roundTrip("p", 10, 7, 12));
    expect(late.causes).toEqual({ entry_bar_differs: cents(-10 * (open[7] - open[5])) });
    expect(late.facts[0]).toMatchObject({
      bars: 2,
      paper_bar_at: BARS.time[7],
      backtest_bar_at: BARS.time[5],
    });
    const long = causesOf(roundTrip("p", 10, 5, 14));
    expect(long.causes).toEqual({ exit_bar_differs: cents(10 * (open[14] - open[12])) });
  });

  it("exit_bar_differs and exit_reason_differs: still open, worth the last close", () => {
    const { causes, facts } = causesOf(roundTrip("p", 10, 5, null));
    expect(causes).toEqual({
      exit_bar_differs: cents(10 * (close[39] - open[12])),
      exit_reason_differs: null,
    });
    expect(facts.at(-1)).toEqual({ paper: "open", backtest: "trader" });
  });

  it("quantity_differs: a larger account", () => {
    const { causes, facts } = causesOf(roundTrip("p", 25, 5, 12));
    expect(causes).toEqual({ quantity_differs: cents(15 * (open[12] - open[5])) });
    expect(facts[0]).toEqual({ paper: 25, backtest: 10, ratio: 2.5 });
  });

  it("entry_price_differs and exit_price_differs: spread, slippage and ticks", () => {
    const costs = { spreadBps: 20, slippage: { kind: "fixed", bps: 5 } as const };
    const { causes, facts } = causesOf(roundTrip("p", 10, 5, 12), { costs });
    expect(Object.keys(causes)).toEqual(["entry_price_differs", "exit_price_differs"]);
    const [entry] = facts;
    // Against the open, which is known, to within a tick a share.
    expect(Number(entry.spread)).toBeCloseTo(-10 * open[5] * 0.001, 2);
    expect(Number(entry.slippage)).toBeCloseTo(-10 * open[5] * 0.0005, 2);
    expect(Math.abs(Number(entry.gap))).toBeLessThan(0.1);
    expect(causes.entry_price_differs).toBe(-cents(10 * (Number(entry.paper) - open[5])));
    expect(facts[1].spread).toBeCloseTo(-10 * open[12] * 0.001, 2);
  });

  it("entry_price_differs: a gap that is not split up, where paper met a quote within the bar", () => {
    const price = Math.round(((high[5] + low[5]) / 2) * 100) / 100;
    const quote = { price, bid: null, ask: null };
    const { causes, facts, found } = causesOf([
      { bar: 5, order: { id: "p", side: "buy", quantity: 10 }, quote },
      { bar: 12, order: { id: "px", side: "sell", quantity: 10 } },
    ]);
    expect(causes).toEqual({ entry_price_differs: cents(-10 * (price - open[5])) });
    // Neither is told to be 0, nor the market's.
    expect(facts[0]).toMatchObject({ spread: null, gap: null });
    expect(found.parts).toMatchObject({
      entry_unsplit: Math.round(-10e6 * (price - open[5])),
      entry_market: 0,
    });
    expect(facts[0].reason).toMatch(/bid and ask are not kept/);
  });

  it("data_differs: paper was filled outside of the bar that the backtest saw", () => {
    const price = Math.round((high[5] + 3) * 100) / 100;
    const { causes, facts } = causesOf([
      { bar: 5, order: { id: "p", side: "buy", quantity: 10 }, quote: { price, bid: price, ask: price } },
      { bar: 12, order: { id: "px", side: "sell", quantity: 10 } },
    ]);
    expect(causes).toEqual({ data_differs: cents(-10 * (price - open[5])) });
    expect(facts[0]).toMatchObject({ end: "entry", price, low: low[5], high: high[5] });
  });

  it("data_differs: a bar that has changed since the backtest ran", () => {
    const changed = new Map([[SYMBOL, [{ bar: 4, column: "close", was: 1, is: 2 }]]]);
    const { causes, facts } = causesOf(roundTrip("p", 10, 7, 12), {}, { changed });
    expect(Object.keys(causes)).toEqual(["entry_bar_differs", "data_differs"]);
    expect(facts[1]).toEqual({ bar_at: BARS.time[4], column: "close", was: 1, is: 2, bars: 1 });
    const before = new Map([[SYMBOL, [{ bar: 3, column: "close", was: 1, is: 2 }]]]);
    expect(causesOf(roundTrip("p", 10, 7, 12), {}, { changed: before }).causes).not.toHaveProperty(
      "data_differs",
    );
  });

  it("costs_differ: the commission model", () => {
    const costs = { commission: { kind: "per_share", amount: 0.05, minimum: 0, maximumRate: null } as const };
    const { causes, facts } = causesOf(roundTrip("p", 10, 5, 12), { costs });
    expect(causes).toEqual({ costs_differ: -1 });
    expect(facts[0]).toEqual({ paper: 1, backtest: 0, same_model: false });
  });

  it("exit_reason_differs: a stop where the backtest left by its signal", () => {
    const bar = low.findIndex((price, i) => i > 5 && price < open[5] - 0.5 && open[i] > price + 0.02);
    const stopPrice = Math.round((low[bar] + 0.01) * 100) / 100;
    const backtest = accountOver(BARS, roundTrip("b", 10, 5, bar));
    const stopLoss = { stopPrice, limitPrice: null };
    const found = causesOf(
      [{ bar: 5, order: { id: "p", side: "buy", quantity: 10, orderClass: "oto", stopLoss } }],
      {},
      {},
      backtest,
    );
    expect(found.causes).toHaveProperty("exit_reason_differs", null);
    expect(found.facts.at(-1)).toEqual({ paper: "stop", backtest: "trader" });
  });

  it("partial_fill: what the volume left of the order", () => {
    const { causes, facts } = causesOf(
      [
        { bar: 5, order: { id: "p", side: "buy", quantity: 10, timeInForce: "ioc" } },
        { bar: 12, order: { id: "px", side: "sell", quantity: 4 } },
      ],
      { volumeShare: 0.004 },
    );
    expect(causes).toEqual({ partial_fill: cents(-6 * (open[12] - open[5])) });
    expect(facts[0]).toMatchObject({ ordered: 10, filled: 4 });
  });

  it("ambiguous_bar: the stop and the target in one bar", () => {
    const legs = {
      orderClass: "bracket",
      takeProfit: { limitPrice: 0 },
      stopLoss: { stopPrice: 0, limitPrice: null },
    };
    const i = 5;
    legs.takeProfit.limitPrice = Math.round((high[i + 1] - 0.01) * 100) / 100;
    legs.stopLoss.stopPrice = Math.round((low[i + 1] + 0.01) * 100) / 100;
    const wide = { ...BARS, high: high.slice(), low: low.slice() };
    // Nothing of both on the day of the entry.
    legs.takeProfit.limitPrice = Math.max(legs.takeProfit.limitPrice, high[i] + 1, open[i + 1] + 1);
    legs.stopLoss.stopPrice = Math.min(legs.stopLoss.stopPrice, low[i] - 1, open[i + 1] - 1);
    wide.high[i + 1] = legs.takeProfit.limitPrice + 1;
    wide.low[i + 1] = legs.stopLoss.stopPrice - 1;
    const paper = accountOver(wide, [
      { bar: i, order: { id: "p", side: "buy", quantity: 10, ...legs } as Told["order"] & object },
    ]);
    const found = reconciled(paper, accountOver(wide, roundTrip("b", 10, 5, 6)), wide);
    expectIdentity(found);
    const cause = found.trades[0].causes.find(({ code }) => code === "ambiguous_bar");
    const optimistic = 10 * (legs.takeProfit.limitPrice - legs.stopLoss.stopPrice);
    expect(cause).toMatchObject({ micros: null, facts: { of: "paper", pessimistic: 0 } });
    expect(cause?.facts.optimistic).toBeCloseTo(optimistic, 6);
  });

  it("dividends_differ and borrow_differs: what a holding brought and cost", () => {
    const script: Told[] = [...roundTrip("p", 10, 5, 12), { bar: 8, dividend: 0.25 }];
    expect(causesOf(script).causes).toEqual({ dividends_differ: 2.5 });
    const short: Told[] = [
      { bar: 5, order: { id: "p", side: "sell", quantity: 10 } },
      { bar: 12, order: { id: "px", side: "buy", quantity: 10 } },
      { bar: 8, dividend: 0.25 },
    ];
    const account = { ...marginRules("USD"), borrowRate: 0.1 };
    const backtest = accountOver(BARS, short.slice(0, 2), { account });
    const found = reconciled(accountOver(BARS, short, { account }), backtest, BARS);
    expectIdentity(found);
    expect(causesAt(found)).toEqual({ dividends_differ: -2.5 });
    const nights: Told[] = [...short.slice(0, 2), { bar: 8, nights: 3 }];
    const borrowed = reconciled(accountOver(BARS, nights, { account }), backtest, BARS);
    // A year of borrowing has 360 days.
    const owed = cents((10 * close[7] * 0.1 * 3) / 360);
    expect(causesAt(borrowed).borrow_differs).toBeCloseTo(-owed, 5);
  });

  it("split_adjusted: paper traded before a split, at three times the price and a third of the shares", () => {
    const adjusted = { ...BARS, ...mapPrices(BARS, (price) => price / 3) };
    const backtest = accountOver(adjusted, roundTrip("b", 30, 5, 12), { costs: {} });
    const splits = [{ at: BARS.time[30], ratio: 3 }];
    const found = reconciled(accountOver(BARS, roundTrip("p", 10, 5, 12)), backtest, adjusted, { splits });
    expectIdentity(found);
    // The backtest's desk of this test has cents, of which adjusted prices have no whole number.
    const cause = found.trades[0].causes.find(({ code }) => code === "split_adjusted");
    expect(cause?.facts).toMatchObject({ ratio: 3 });
    expect(cause?.facts.paper).toBeCloseTo(open[5], 6);
    expect(found.trades[0].paper).toMatchObject({ quantity: 30, ratio: 3 });
    expect(Math.abs(found.difference)).toBeLessThan(30 * 0.02 * 1e6);
  });

  it("nothing of a split that came while the trade was held and both were told of", () => {
    const halved = { ...BARS, ...mapPrices(BARS, (price) => price / 2) };
    const before = (i: number) => (i < 8 ? BARS : halved);
    const traded = { ...BARS };
    for (const column of ["open", "high", "low", "close"] as const) {
      traded[column] = BARS[column].map((_, i) => before(i)[column][i]);
    }
    const paper = accountOver(traded, [
      { bar: 5, order: { id: "p", side: "buy", quantity: 10 } },
      { bar: 8, split: 2 },
      { bar: 12, order: { id: "px", side: "sell", quantity: 20 } },
    ]);
    const backtest = accountOver(halved, roundTrip("b", 20, 5, 12));
    const found = reconciled(paper, backtest, halved, { splits: [{ at: BARS.time[8], ratio: 2 }] });
    expectIdentity(found);
    expect(found.trades[0].paper?.quantity).toBe(20);
    expect(Math.abs(found.difference)).toBeLessThan(20 * 0.01 * 1e6);
  });
});

describe("a window", () => {
  it("has the trades entered in it, as they stood at its end", () => {
    const paper = accountOver(BARS, roundTrip("p", 10, 5, 12));
    const inside = reconciled(paper, PLAIN, BARS, { toMs: BARS.time[10] });
    expect(inside.trades).toMatchObject([{ causes: [], paper: { exitMs: null, exitBar: 9 } }]);
    expect(inside.paperNet).toBe(Math.round((close[9] - open[5]) * 1e7));
    expect(reconciled(paper, PLAIN, BARS, { toMs: BARS.time[5] }).trades).toEqual([]);
  });

  it("counts only the orders that are asked for", () => {
    const script = [...roundTrip("p", 10, 5, 12), ...roundTrip("q", 10, 20, 25)];
    const found = reconciled(accountOver(BARS, script), PLAIN, BARS, { counts: new Set(["p"]) });
    expect(found.trades).toMatchObject([{ causes: [] }]);
  });
});
