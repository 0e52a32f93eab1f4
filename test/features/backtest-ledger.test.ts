import { beforeEach, describe, expect, it } from "vitest";
import { probabilisticSharpe, sharpeSample } from "../../src/core/backtest/overfitting.js";
import { sketchOf } from "../../src/core/backtest/trials.js";
import { createRng } from "../../src/core/base/rng.js";
import { type Candles, sliceCandles } from "../../src/core/market/candles.js";
import { normalCdf, normalQuantile } from "../../src/core/options/normal.js";
import { absent } from "../../src/core/performance/figure.js";
import { createBacktestAnswers } from "../../src/features/backtests/answers.js";
import { createCompare } from "../../src/features/backtests/compare.js";
import { compareOrder, sweepOrder, walkForwardOrder } from "../../src/features/backtests/jobs-order.js";
import { createLedger } from "../../src/features/backtests/ledger.js";
import { singleOrder } from "../../src/features/backtests/order.js";
import { createRunStore, RUNS_KEPT } from "../../src/features/backtests/run-store.js";
import { daysOf } from "../../src/features/backtests/series.js";
import { createLedgerStore } from "../../src/features/backtests/store.js";
import { createSweep } from "../../src/features/backtests/sweep.js";
import { createWalkForward } from "../../src/features/backtests/walk-forward.js";
import type { Database } from "../../src/platform/database.js";
import type { Workers } from "../../src/platform/workers.js";
import { backtestParts, candlesOfCloses, jobContext, useBacktests } from "../fixtures/backtests.js";

let database: Database;
let workers: Workers;

useBacktests((parts) => {
  ({ database, workers } = parts);
});
beforeEach(() => database.query("truncate backtest_datasets, backtest_trials, backtest_runs"));

const BASE = { symbol: "BTC-USD", start_date: "2015-01-01", sizing: { kind: "fractional" } };
const SPACE = { space: { fast: [5, 10, 20], slow: [30, 60] }, method: "grid", trials: 10 };

function walkOf(length: number, seed: number): Candles {
  const rng = createRng(seed);
  let level = 100;
  return candlesOfCloses(
    Array.from({ length }, () => {
      level *= Math.exp(0.02 * rng.normal());
      return level;
    }),
  );
}

interface Overfitting {
  readonly trials: number;
  readonly trials_on_these_bars: number;
  readonly independent_trials: number;
  readonly deflated_sharpe: { readonly value: number | null };
  readonly deflated_from: { readonly hurdle: number; readonly spread: number } | null;
  readonly probability_of_overfitting: { readonly value: number | null };
  readonly cross_validated: { readonly trials: number };
}

const candles = walkOf(800, 4);
const parts = (bars: Candles = candles) => backtestParts(database, workers, bars);
const overfitting = (report: object) => (report as { overfitting: Overfitting }).overfitting;

async function single(change: object, bars: Candles = candles): Promise<Overfitting> {
  const answers = createBacktestAnswers(parts(bars));
  const { report } = await answers.runSingle("ann", singleOrder.parse({ ...BASE, ...change }));
  return overfitting(report);
}

describe("the deflated ratio", () => {
  it("is of the Sharpe ratio beside it, and can be reckoned again from what it is made of", async () => {
    await single({ parameters: { fast: 10, slow: 60 } });
    await single({ parameters: { fast: 5, slow: 30 }, risk_free_rate: 0.02 });
    const answers = createBacktestAnswers(parts());
    const order = singleOrder.parse({ ...BASE, risk_free_rate: 0.05 });
    const { report, found } = await answers.runSingle("ann", order);
    const { deflated_from: from, deflated_sharpe: deflated } = report.overfitting;
    const { sharpe, n, skewness, kurtosis, hurdle, trials, spread } = from ?? expect.fail("nothing");
    const headline = found.report.figures.sharpe.value ?? Number.NaN;
    expect(sharpe * Math.sqrt(report.terms.returns_of_a_year)).toBeCloseTo(headline, 9);
    const spreads = 1 - skewness * sharpe + ((kurtosis - 1) / 4) * sharpe ** 2;
    const errors = ((sharpe - hurdle) * Math.sqrt(n - 1)) / Math.sqrt(spreads);
    expect(normalCdf(errors)).toBeCloseTo(deflated.value ?? Number.NaN, 12);
    const [most, next] = [1 - 1 / trials, 1 - 1 / (trials * Math.E)].map(normalQuantile);
    expect(trials).toBe(3);
    expect(spread * ((1 - 0.5772156649) * most + 0.5772156649 * next)).toBeCloseTo(hurdle, 9);
    const free = await answers.runSingle("ann", singleOrder.parse(BASE));
    expect(free.report.overfitting.deflated_sharpe.value).toBeGreaterThan(deflated.value ?? Number.NaN);
  });

  it("is the same whatever rates the other trials ran under", async () => {
    const values = [
      { fast: 10, slow: 60 },
      { fast: 5, slow: 30 },
      { fast: 20, slow: 50 },
    ];
    const told = async (rates: readonly number[]) => {
      await database.query("truncate backtest_datasets, backtest_trials, backtest_runs");
      let last: Overfitting | undefined;
      for (const [k, parameters] of values.entries()) {
        last = await single({ parameters, risk_free_rate: rates[k] });
      }
      return last;
    };
    const [one, other] = [await told([0.05, 0.05, 0.05]), await told([0, 0.3, 0.05])];
    const { hurdle, spread } = one?.deflated_from ?? expect.fail("nothing");
    expect(hurdle).toBeGreaterThan(0);
    expect(other?.deflated_from?.hurdle).toBeCloseTo(hurdle, 12);
    expect(other?.deflated_from?.spread).toBeCloseTo(spread, 12);
    expect(other?.deflated_sharpe.value).toBeCloseTo(one?.deflated_sharpe.value ?? Number.NaN, 12);
    expect(other?.probability_of_overfitting).toEqual(one?.probability_of_overfitting);
  });
});

describe("trials on one stretch", () => {
  it("never raise the deflated ratio of one by variants of it", async () => {
    const alone = await single({ parameters: { fast: 20, slow: 50 } });
    await single({ parameters: { fast: 20, slow: 51 } });
    const again = await single({ parameters: { fast: 20, slow: 50 } });
    expect(again.trials).toBe(2);
    expect(again.deflated_sharpe.value ?? 2).toBeLessThanOrEqual(alone.deflated_sharpe.value ?? -1);
  });

  it("are no more for another capital", async () => {
    await single({});
    expect((await single({ initial_capital: 123_456 })).trials).toBe(1);
  });

  it("cost what they did however often one of them is made again under other names", async () => {
    const ledger = createLedger({ store: createLedgerStore(database), workers });
    const data = { series: [candles], sha256: "b".repeat(64), synthetic: false, terms: { calendar: null } };
    const day = Float64Array.from(daysOf(data.series, data.terms));
    const rng = createRng(9);
    const rowOf = (k: number, returns: Float64Array) => ({
      strategy: "golden_cross",
      values: { fast: k },
      rules: "",
      sample: sharpeSample(returns),
      totalReturn: null,
      returns,
      sketch: sketchOf(day, returns),
    });
    const trials = Array.from({ length: 150 }, () => day.map(() => 0.01 * rng.normal()));
    const best = trials.reduce((top, each) =>
      (sharpeSample(each)?.sharpe ?? 0) > (sharpeSample(top)?.sharpe ?? 0) ? each : top,
    );
    const sample = sharpeSample(best);
    const judged = { sample, days: day.length, permutation: absent("not looked at"), seed: 1 };
    const id = await ledger.record(
      "ann",
      data,
      trials.map((each, k) => rowOf(k, each)),
    );
    const before = await ledger.judge(id, judged);
    const copies = Array.from({ length: 600 }, (_, k) => best.map((each) => each * (1 + 1e-7 * k)));
    await ledger.record(
      "ann",
      data,
      copies.map((each, k) => rowOf(1_000 + k, each)),
    );
    const after = await ledger.judge(id, judged);
    expect([before.trials, after.trials]).toEqual([150, 750]);
    expect(after.independent_trials).toBe(150);
    expect(after.deflated_sharpe).toEqual(before.deflated_sharpe);
    expect(after.verdicts.deflated_sharpe).toBe("flagged");
    expect(after.cross_validated.trials).toBe(150);
    if (sample === null) throw new Error("the best varies");
    expect(probabilisticSharpe(sample).value).toBeGreaterThan(0.95);
  });
});

describe("trials on stretches that overlap", () => {
  it("count together, whichever end is moved, and are cross-validated on the days that they share", async () => {
    const sweep = createSweep(parts());
    const first = await sweep.run(sweepOrder.parse({ ...BASE, ...SPACE }), jobContext(1));
    const { trials, deflated_sharpe } = overfitting(first.report);
    expect(trials).toBe(6);
    const { parameters } = (first.report as unknown as { strategy: { parameters: object } }).strategy;
    const moved = await single({ parameters }, sliceCandles(candles, 0, 798));
    expect(moved).toMatchObject({ trials: 7, trials_on_these_bars: 1, independent_trials: 6 });
    expect(moved.cross_validated.trials).toBe(6);
    expect(moved.probability_of_overfitting.value).not.toBeNull();
    const alone = deflated_sharpe.value ?? Number.NaN;
    expect(Math.abs((moved.deflated_sharpe.value ?? Number.NaN) - alone)).toBeLessThan(0.05);
    // Nothing in common but the market.
    const later = await single({ parameters }, sliceCandles(walkOf(1_600, 4), 800));
    expect(later.trials).toBe(1);
  });

  it("belong to whoever made them, on symbols and intervals that are theirs", async () => {
    await single({});
    const answers = createBacktestAnswers(parts());
    const { report } = await answers.runSingle("bob", singleOrder.parse(BASE));
    expect(overfitting(report).trials).toBe(1);
    expect((await single({ strategy_id: 2 }, { ...candles, symbol: "ETH-USD" })).trials).toBe(1);
    expect((await single({ strategy_id: 2 }, { ...candles, interval: "1w" })).trials).toBe(1);
  });

  it("count every value that a walk-forward tried", async () => {
    const kind = createWalkForward(parts());
    const order = walkForwardOrder.parse({ ...BASE, ...SPACE, train_bars: 300, test_bars: 100 });
    const { report } = await kind.run(order, jobContext(1));
    const folds = (report as unknown as { folds: object[] }).folds.length;
    expect(folds).toBe(5);
    expect(overfitting(report).trials).toBe(folds * 6 + 1);
    expect((await single({ parameters: { fast: 12, slow: 40 } })).trials).toBe(folds * 6 + 2);
  });
});

describe("a walk-forward over permuted tests", () => {
  it("finds what returns say of those that follow, and nothing on a walk", async () => {
    const pOf = async (bars: Candles, id: number) => {
      const order = walkForwardOrder.parse({
        ...BASE,
        strategy_id: "macd_cross",
        space: { fast: [3, 6], slow: [12, 26] },
        train_bars: 300,
        test_bars: 100,
        step_bars: 80,
      });
      const { report } = await createWalkForward(parts(bars)).run(order, jobContext(id));
      return (report as { overfitting: { permutation_p: { value: number } } }).overfitting.permutation_p
        .value;
    };
    const echoes = createRng(12);
    let [level, last] = [100, 0];
    const echoing = Array.from({ length: 800 }, () => {
      last = 0.6 * last + 0.015 * echoes.normal();
      level *= Math.exp(last);
      return level;
    });
    expect(await pOf(candlesOfCloses(echoing), 1)).toBeLessThanOrEqual(0.02);
    // Three of a hundred at most would be chance.
    expect(await pOf(candles, 2)).toBeGreaterThan(0.03);
  });
});

describe("what was tried", () => {
  it("counts although the sweep was cancelled or came to nothing", async () => {
    const stop = new AbortController();
    const base = jobContext(1, stop.signal);
    let reports = 0;
    const context = {
      ...base,
      report: (phase: string, done: number) => {
        if (phase === "trials" && done > 0 && ++reports === 2) stop.abort();
      },
    };
    const order = sweepOrder.parse({ ...BASE, method: "parzen", trials: 60 });
    await expect(createSweep(parts()).run(order, context)).rejects.toThrow();
    const [{ count }] = await database.query<{ count: number }>(
      "select count(*) as count from backtest_trials",
    );
    expect(count).toBeGreaterThanOrEqual(16);
    expect(count).toBeLessThan(60);
    expect((await single({ parameters: { fast: 199, slow: 399 } })).trials).toBe(count + 1);
  });

  it("counts although a comparison ended before its last strategy", async () => {
    const stop = new AbortController();
    const context = {
      ...jobContext(1, stop.signal),
      report: (phase: string) => {
        if (phase === "macd_cross") stop.abort();
      },
    };
    const strategies = [{ strategy_id: 1 }, { strategy_id: 2 }, { strategy_id: "macd_cross" }];
    const order = compareOrder.parse({ ...BASE, strategies });
    await expect(createCompare(parts()).run(order, context)).rejects.toThrow();
    const rows = await database.query<{ strategy: string }>(
      "select strategy from backtest_trials order by id",
    );
    expect(rows.map(({ strategy }) => strategy)).toEqual(["golden_cross", "rsi_reversal"]);
  });
});

describe("runs that are kept", () => {
  it("are the newest of each kind, and what jobs made is not pushed out by what was answered at once", async () => {
    const runs = createRunStore(database);
    const run = {
      userId: "ann",
      jobId: null,
      kind: "backtest",
      strategy: "golden_cross",
      symbols: ["BTC-USD"],
      interval: "1d",
      synthetic: false,
      hash: "",
      report: {},
      columns: null,
    } as const;
    const heavy = [
      await runs.save({ ...run, kind: "walk-forward", jobId: 1 }),
      await runs.save({ ...run, jobId: 2 }),
    ];
    const other = await runs.save({ ...run, userId: "bob" });
    const small: number[] = [];
    for (let k = 0; k < RUNS_KEPT + 5; k++) small.push(await runs.save(run));
    for (const id of [...heavy, other]) expect(await runs.find(id)).not.toBeNull();
    const left = await runs.list("ann", {}, 2 * RUNS_KEPT);
    expect(left.map(({ id }) => id)).toEqual([...heavy, ...small.slice(5)].sort((a, b) => b - a));
  });
});
