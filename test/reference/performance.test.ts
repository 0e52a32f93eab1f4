import { describe, expect, it } from "vitest";
import { cashRules } from "../../src/core/execution/account.js";
import type { DeskEvent } from "../../src/core/execution/events.js";
import { termsOf } from "../../src/core/execution/order.js";
import { dayOf } from "../../src/core/market/day.js";
import { calendarOf, dailyBarTime } from "../../src/core/market/session.js";
import { dailyEquity } from "../../src/core/performance/equity.js";
import {
  type DailyReturns,
  dailyReturns,
  LEAST_DAYS,
  maxDrawdown,
  performanceOf,
  returnsOfCloses,
} from "../../src/core/performance/returns.js";
import { statisticsOf } from "../../src/core/performance/statistics.js";
import { isClosed, returnOf, signOf } from "../../src/core/performance/trade.js";
import { tradesOf } from "../../src/core/performance/trades.js";
import { DAY_MS, days, deskFor, lines, RUNS, replay, walk } from "../fixtures/recorded-backtests.js";
import { sharedPath } from "../fixtures/shared.js";

const XNYS = calendarOf("XNYS");
const YEAR = { days: 252, riskFree: 0 };
const missing = sharedPath("data", "reference") === null;

/** The open in New York of a date. */
function openOf(midnight: number): number {
  const open = dailyBarTime(XNYS, new Date(midnight).toISOString().slice(0, 10));
  if (open === null) throw new Error(`no session on ${new Date(midnight).toISOString()}`);
  return open;
}

function from(returns: DailyReturns, first: number): DailyReturns {
  return { ...returns, day: returns.day.slice(first), value: returns.value.slice(first) };
}

describe.skipIf(missing)("runs of backtesting.py", () => {
  it.each(RUNS)("%s: the same trades, equity and figures", (...run) => {
    const { recorded, bars, desk, events } = replay(run, () => undefined, openOf);
    const trades = tradesOf(events).trades.filter(isClosed);
    expect(trades).toHaveLength(recorded.trades.length);
    for (const [k, theirs] of recorded.trades.entries()) {
      const trade = trades[k];
      expect([trade.openedAt, trade.closedAt]).toEqual([
        bars[theirs.EntryBar].time,
        bars[theirs.ExitBar].time,
      ]);
      expect(signOf(trade) * trade.quantity).toBe(theirs.Size);
      expect(trade.entryPrice).toBeCloseTo(theirs.EntryPrice, 6);
      expect(trade.exitPrice).toBeCloseTo(theirs.ExitPrice, 6);
      expect(trade.net / 1e6).toBeCloseTo(theirs.PnL, 5);
      expect(returnOf(trade)).toBeCloseTo(theirs.PnL / (theirs.EntryPrice * Math.abs(theirs.Size)), 7);
    }
    const statistics = statisticsOf(trades);
    const stat = (name: string) => recorded.stats[name];
    expect(100 * (statistics.winRate ?? 0)).toBeCloseTo(stat("Win Rate [%]"), 9);
    expect(statistics.fees / 1e6).toBeCloseTo(stat("Commissions [$]") ?? 0, 4);
    expect(statistics.net / 1e6).toBeCloseTo(stat("Equity Final [$]") - run[3], 4);

    const day = Float64Array.from(bars, ({ time }) => Math.floor(time / DAY_MS));
    const closes = { day, close: Float64Array.from(bars, ({ close }) => close) };
    const all = dailyEquity(events, XNYS, new Map([["AAA", closes]]), day[day.length - 1]);
    // A file lacks two sessions.
    const has = (_: number, k: number) => day.includes(all.day[k]);
    const found = { ...all, day: all.day.filter(has), equity: all.equity.filter(has) };
    expect(found.day).toEqual(day);
    expect(all.carried.every((count, k) => count === 0 || !day.includes(all.day[k]))).toBe(true);
    expect(found.equity[day.length - 1]).toBe(desk.equity());
    for (const [k, theirs] of recorded.equity.entries()) {
      expect(Math.abs(found.equity[k] / 1e6 / theirs - 1)).toBeLessThan(1e-7);
    }
    const returns = dailyReturns(found);
    // Theirs begin with the second day.
    const figures = performanceOf(from(returns, 1), YEAR);
    expect(100 * maxDrawdown(returns).depth).toBeCloseTo(-stat("Max. Drawdown [%]"), 5);
    expect(100 * (figures.total.value ?? 0)).toBeCloseTo(stat("Return [%]"), 5);
    expect(100 * (figures.cagr.value ?? 0)).toBeCloseTo(stat("Return (Ann.) [%]"), 6);
    expect(figures.calmar.value).toBeCloseTo(stat("Calmar Ratio"), 6);
  });
});

describe.skipIf(missing)("published figures", () => {
  it("of E. Chan's IGE: a Sharpe ratio of 0.7893 at 4 %, a drawdown of 0.31178", () => {
    const rows = lines("reference", "chan-ige.csv.gz").slice(1);
    const returns = returnsOfCloses({
      day: Float64Array.from(rows, (line) => dayOf(line.slice(0, 10))),
      close: Float64Array.from(rows, (line) => Number(line.split(",")[1])),
    });
    // His rate of a day is 0.04 / 252.
    const figures = performanceOf(returns, { days: 252, riskFree: (1 + 0.04 / 252) ** 252 - 1 });
    expect(figures.sharpe.value).toBeCloseTo(0.7893175, 6);
    const { depth, start, end, trough } = maxDrawdown(returns);
    expect(depth).toBeCloseTo(0.31178, 5);
    expect([start, trough, end].every((day) => day !== null)).toBe(true);
  });

  it("of empyrical's own tests: drawdowns, total returns, and the volatility of days enough", () => {
    const { series, cases } = JSON.parse(
      lines("reference", "empyrical-metric-cases.json.gz").join("\n"),
    ) as Empyrical;
    const counts: Record<string, number> = {};
    for (const { function: name, args, expected, decimals } of cases) {
      const values = series[args.returns ?? ""]?.values;
      // Without an expected value they compare two of their own.
      if (values === undefined || expected === null) continue;
      const figure = figureFor(name, values, args);
      if (figure === undefined) continue;
      counts[name] = (counts[name] ?? 0) + 1;
      const told = `${name} of ${args.returns}`;
      if (typeof expected === "number") expect(figure, told).toBeCloseTo(expected, decimals);
      else expect(figure, told).toBeNull();
    }
    expect(counts).toEqual({ cum_returns_final: 5, max_drawdown: 8, annual_volatility: 1 });
  });
});

interface Empyrical {
  readonly series: Readonly<Record<string, { readonly values: readonly (number | null)[] }>>;
  readonly cases: readonly {
    readonly function: string;
    readonly args: {
      readonly returns?: string;
      readonly starting_value?: number;
    };
    readonly expected: unknown;
    readonly decimals: number;
  }[];
}

/** Ours for one of theirs; undefined where we have none. */
function figureFor(
  name: string,
  values: readonly (number | null)[],
  { starting_value: start = 0 }: Empyrical["cases"][number]["args"],
): number | null | undefined {
  const value = Float64Array.from(values.filter((each) => each !== null));
  const returns = { day: value.map((_, i) => i), value, reason: null };
  const { total, volatility } = performanceOf(returns, YEAR);
  if (name === "max_drawdown") return value.length === 0 ? null : -maxDrawdown(returns).depth;
  if (name === "cum_returns_final") {
    return total.value === null ? null : start === 0 ? total.value : start * (1 + total.value);
  }
  return name === "annual_volatility" && value.length >= LEAST_DAYS ? volatility.value : undefined;
}

describe.skipIf(missing)("Apple, held from 1998 to 2021", () => {
  it("has the returns of closes that are adjusted for its four splits", () => {
    const bars = days("daily", "lean-AAPL-raw.csv.gz").map((bar) => ({ ...bar, time: openOf(bar.time) }));
    // Last day before, and how many of today's shares one was from there on back.
    const splits = [
      ["2000-06-20", 2],
      ["2005-02-25", 2],
      ["2014-06-06", 7],
      ["2020-08-28", 4],
    ].map(([date, ratio]) => ({ day: dayOf(String(date)), ratio: Number(ratio) }));
    const day = Float64Array.from(bars, ({ time }) => Math.floor(time / DAY_MS));
    const events: DeskEvent[] = [];
    const capital = 1_000 * bars[1].open;
    const terms = { account: cashRules("USD"), commission: { kind: "none" }, capital, tick: 0.0001 } as const;
    const desk = deskFor(terms, (event) => events.push(event), bars[0].time);
    const before = (k: number) => {
      const at = bars[k - 1].time + DAY_MS;
      const order = termsOf({ id: "a", symbol: "AAA", side: "buy", quantity: 1_000 });
      if (k === 1) expect(desk.submit(order, { at, open: false })).toEqual([]);
      const split = splits.find((each) => each.day === day[k - 1]);
      if (split !== undefined) desk.split("AAA", split.ratio, at);
    };
    walk(desk, bars, before, () => undefined);
    const raw = { day, close: Float64Array.from(bars, ({ close }) => close) };
    const returns = dailyReturns(dailyEquity(events, XNYS, new Map([["AAA", raw]]), day[day.length - 1]));
    const adjusted = returnsOfCloses({
      day,
      close: raw.close.map((close, k) =>
        splits.reduce((price, each) => (day[k] <= each.day ? price / each.ratio : price), close),
      ),
    });
    // Bought at the second open.
    expect(from(returns, 2).day).toEqual(from(adjusted, 1).day);
    const worst = from(returns, 2).value.map((each, k) => Math.abs(each - adjusted.value[k + 1]));
    expect(Math.max(...worst)).toBeLessThan(1e-12);
    const [trade] = tradesOf(events).trades;
    expect(trade).toMatchObject({ quantity: 112_000, openQuantity: 112_000, closedAt: null });
    expect(trade.entryPrice).toBeCloseTo(bars[1].open / 112, 9);
    // From March 2000 to April 2003 it lost 82 %.
    const { depth, start, trough } = maxDrawdown(returns);
    expect(depth).toBeCloseTo(0.82, 2);
    expect([start, trough]).toEqual([dayOf("2000-03-22"), dayOf("2003-04-17")]);
  });
});
