import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import type { Candles } from "../../src/core/market/candles.js";
import { createBacktestAnswers } from "../../src/features/backtests/answers.js";
import { walkForwardOrder } from "../../src/features/backtests/jobs-order.js";
import { singleOrder } from "../../src/features/backtests/order.js";
import { createWalkForward } from "../../src/features/backtests/walk-forward.js";
import { plainWalk } from "../../src/features/backtests/walk-order.js";
import { requireFold, untestedNotes } from "../../src/features/backtests/walked.js";
import type { Database } from "../../src/platform/database.js";
import type { Workers } from "../../src/platform/workers.js";
import { backtestParts, candlesOfCloses, jobContext, useBacktests } from "../fixtures/backtests.js";

let database: Database;
let workers: Workers;
useBacktests((parts) => {
  ({ database, workers } = parts);
});

const BASE = { symbol: "BTC-USD", start_date: "2015-01-01", sizing: { kind: "fractional" } };
const WALK = { space: { fast: [3, 8], slow: [20] }, method: "grid", trials: 10, train_bars: 200 };

function waves(length: number): Candles {
  const rng = createRng(5);
  const closes = Array.from({ length }, (_, i) => {
    return 100 * Math.exp(0.2 * Math.sin((2 * Math.PI * i) / 45) + 0.01 * rng.normal());
  });
  return candlesOfCloses(closes);
}

interface Figure {
  readonly name: string;
  readonly value: number | null;
  readonly reason: string | null;
}
interface Told {
  readonly figures: readonly Figure[];
  readonly months: object;
  readonly drawdowns: object;
  readonly breakdown: object;
  readonly data: { readonly notes: readonly string[] };
  readonly period: { readonly end: string };
  readonly fills: Record<string, { readonly final_equity: number }>;
  readonly trades: readonly (Record<string, unknown> & {
    readonly fold: number;
    readonly entry_date: string;
  })[];
  readonly folds: readonly {
    readonly fold: number;
    readonly parameters: Record<string, number>;
    readonly test: { readonly start: string; readonly end: string };
    readonly test_return: number;
    readonly test_trades: number;
    readonly fills: { readonly pessimistic: number; readonly headline: number; readonly optimistic: number };
  }[];
}

async function walk(candles: Candles, id: number, change: object = {}) {
  const kind = createWalkForward(backtestParts(database, workers, candles));
  const order = walkForwardOrder.parse({ ...BASE, ...WALK, test_bars: 100, ...change });
  return (await kind.run(order, jobContext(id))).report as unknown as Told;
}

const figureOf = ({ figures }: Pick<Told, "figures">, name: string) =>
  figures.find((each) => each.name === name);

describe("the report of a walk-forward", () => {
  it("is of one test what a plain run over its bars tells", async () => {
    const candles = waves(300);
    const report = await walk(candles, 1);
    const [{ test, parameters }] = report.folds;
    const answers = createBacktestAnswers(backtestParts(database, workers, candles));
    const order = singleOrder.parse({ ...BASE, start_date: test.start, parameters });
    const plain = (await answers.runSingle("ann", order)).report;
    expect(plain.trades.length).toBeGreaterThan(1);
    expect(report.figures.map(({ name }) => name)).toEqual(plain.figures.map(({ name }) => name));
    for (const [k, { name, value, reason }] of plain.figures.entries()) {
      if (value === null) expect(report.figures[k], name).toMatchObject({ value, reason });
      else expect(report.figures[k].value, name).toBeCloseTo(value, 6);
    }
    expect(report.trades).toEqual(plain.trades.map((trade) => ({ fold: 1, ...trade })));
    expect(report.breakdown).toEqual(plain.breakdown);
    expect(JSON.stringify(report.months).slice(0, 60)).toBe(JSON.stringify(plain.months).slice(0, 60));
    expect(report.fills.headline.final_equity).toBeCloseTo(plain.fills.headline.final_equity, 6);
  });

  it("is of several tests one account, which each leaves to the next", async () => {
    const report = await walk(waves(600), 2);
    const { folds, trades, fills } = report;
    expect(folds).toHaveLength(4);
    const grown = folds.reduce((level, { test_return }) => level * (1 + test_return), 1);
    expect(figureOf(report, "final_equity")?.value).toBeCloseTo(100_000 * grown, 3);
    expect(fills.headline.final_equity).toBeCloseTo(100_000 * grown, 3);
    for (const way of ["pessimistic", "optimistic"] as const) {
      const bound = folds.reduce((level, each) => (level * each.fills[way]) / 100_000, 100_000);
      expect(fills[way].final_equity).toBeCloseTo(bound, 3);
    }
    for (const { fold, test, test_trades } of folds) {
      const own = trades.filter((trade) => trade.fold === fold);
      expect(own).toHaveLength(test_trades);
      for (const { entry_date } of own) {
        expect(entry_date >= test.start && entry_date <= test.end, entry_date).toBe(true);
      }
    }
    expect(figureOf(report, "exposure")?.value).toBeLessThan(0.9);
    expect(figureOf(report, "cagr")?.value).not.toBeNull();
  });

  it("counts a bar of two tests once, as a test alone that has it first", async () => {
    const [apart, over] = [await walk(waves(400), 3), await walk(waves(400), 4, { step_bars: 50 })];
    expect(over.folds).toHaveLength(3);
    expect(figureOf(over, "final_equity")?.value).toBeGreaterThan(0);
    const days = new Set(over.trades.map(({ fold, entry_date }) => `${fold} ${entry_date}`));
    expect(days.size).toBe(over.trades.length);
    // The first test is the same in both, and counts as a whole.
    expect(over.trades.filter(({ fold }) => fold === 1)).toEqual(
      apart.trades.filter(({ fold }) => fold === 1),
    );
  });

  it("is held beside its benchmark from the first close on, or beside none with the reason", async () => {
    const candles = waves(400);
    const { close } = candles;
    const held = await walk(candles, 5);
    expect(figureOf(held, "benchmark_return")?.value).toBeCloseTo(close[399] / close[200] - 1, 9);
    const none = await walk(candles, 6, { benchmark: "none" });
    expect(figureOf(none, "beta")).toMatchObject({ value: null, reason: "no benchmark was given" });
  });

  it("says which bars are in no test", async () => {
    const { data, period } = await walk(waves(437), 7);
    expect(data.notes.join("\n")).toContain(
      "200 bars from 2015-01-01 to 2015-07-19 are before the first test",
    );
    expect(data.notes.join("\n")).toContain(
      "37 bars from 2016-02-05 to 2016-03-12 are after the last whole test and in none: tests end with 2016-02-04",
    );
    expect(period.end.slice(0, 10)).toBe("2016-03-12");
    const time = waves(100).time;
    const range = (from: number) => ({ train: [], test: [{ from, to: from + 10 }] });
    expect(untestedNotes([range(0), range(30), range(90)], time)).toEqual([
      expect.stringContaining("20 bars from 2015-01-11 to 2015-01-30 are between two tests"),
      expect.stringContaining("50 bars from"),
    ]);
  });

  it("is refused at once where the stretch is too short for a fold", () => {
    const kind = createWalkForward(backtestParts(database, workers, waves(299)));
    const order = walkForwardOrder.parse({ ...BASE, ...WALK, test_bars: 100 });
    const short = expect.objectContaining({ code: "invalid_request" });
    expect(() => kind.check?.(order, "ann")).toThrow(short);
    expect(() => kind.check?.(order, "ann")).toThrow(/200 and 100 more are not within the 299 bars/);
    const terms = { ...order, embargo_bars: 5 };
    expect(() => requireFold(terms, 304)).toThrow(/200, 5 between and 100 more/);
    expect(() => requireFold(terms, 305)).not.toThrow();
  });
});

describe("an order of a walk-forward in the words of existing clients", () => {
  const parts = () => backtestParts(database, workers, waves(600));
  const plain = (change: object) => plainWalk(parts(), walkForwardOrder.parse({ ...BASE, ...change }));

  it("names a strategy and periods, which are bars or times whose bars the calendar has", () => {
    const told = plain({ strategy: "rsi_reversal", train_period: "1y", test_period: 60 });
    expect(told).toMatchObject({ strategy_id: "rsi_reversal", train_bars: 365, test_bars: 60 });
    expect(plain({ train_period: "26w", test_period: "30" })).toMatchObject({
      train_bars: 182,
      test_bars: 30,
    });
    expect(plain({ strategy: 2, strategy_id: 2, test_period: "3mo" }).test_bars).toBe(91);
    const order = walkForwardOrder.parse({ ...BASE, train_bars: 70 });
    expect(plainWalk(parts(), order)).toEqual(order);
    expect(plainWalk(parts(), told)).toEqual(told);
  });

  it.each([
    [{ strategy: 1, strategy_id: 2 }, /another name for strategy_id/],
    [{ train_period: 100, train_bars: 100 }, /in place of train_bars/],
    [{ test_period: "1d" }, /1d is 1 bars/],
    [{ train_period: "999999y" }, /train_period/],
  ])("is refused where it contradicts itself or is of no length: %j", (change, detail) => {
    expect(() => plain(change)).toThrow(detail);
  });

  it("has its answer in those words beside the others", async () => {
    const change = { strategy: 1, train_period: "200d", test_period: 100, train_bars: undefined };
    const report = await walk(waves(400), 8, { ...change, test_bars: undefined });
    const { folds, oos, out_of_sample } = report as unknown as Record<"oos" | "out_of_sample", object> & {
      folds: Record<string, object>[];
    };
    expect(folds).toHaveLength(2);
    expect(oos).toEqual(out_of_sample);
    for (const { params, parameters, metrics, test_return, train_score } of folds) {
      expect(params).toEqual(parameters);
      expect(metrics).toMatchObject({ test_return, train_score });
    }
  });
});
