import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { sharpeSample } from "../../src/core/backtest/overfitting.js";
import { sketchOf } from "../../src/core/backtest/trials.js";
import { createRng } from "../../src/core/base/rng.js";
import type { Candles } from "../../src/core/market/candles.js";
import { figureOf } from "../../src/core/performance/figure.js";
import { createCompare } from "../../src/features/backtests/compare.js";
import {
  compareOrder,
  type RunResult,
  runJobOrder,
  sweepOrder,
  walkForwardOrder,
} from "../../src/features/backtests/jobs-order.js";
import { createLedger } from "../../src/features/backtests/ledger.js";
import { createRunJob } from "../../src/features/backtests/run-job.js";
import { createLedgerStore } from "../../src/features/backtests/store.js";
import { createSweep } from "../../src/features/backtests/sweep.js";
import { createWalkForward } from "../../src/features/backtests/walk-forward.js";
import type { Database } from "../../src/platform/database.js";
import { createWorkers, type Workers } from "../../src/platform/workers.js";
import { backtestParts, candlesOfCloses, jobContext, useBacktests } from "../fixtures/backtests.js";
import { silentLog } from "../fixtures/log.js";
import { sized } from "../fixtures/sizes.js";

let database: Database;
let workers: Workers;

useBacktests((parts) => {
  ({ database, workers } = parts);
});
beforeEach(() => database.query("truncate backtest_datasets, backtest_trials, backtest_runs"));

const BASE = {
  symbol: "BTC-USD",
  start_date: "2015-01-01",
  benchmark: "hold",
  sizing: { kind: "fractional" },
};
const SPACE = { space: { fast: [2, 20], slow: [5, 60] }, method: "grid", trials: 10 };

/** Long waves with noise, of which a slow average makes most; then waves of 14 bars, of which only a fast one does. */
function wavesOf(length: number, cut: number, planted: boolean): number[] {
  const rng = createRng(3);
  return Array.from({ length }, (_, i) => {
    const noise = 0.012 * rng.normal();
    if (planted && i >= cut) return 100 * Math.exp(0.12 * Math.sin((2 * Math.PI * (i - cut)) / 14));
    return 100 * Math.exp(0.35 * Math.sin((2 * Math.PI * i) / 260) + noise);
  });
}

interface Fold {
  readonly parameters: { readonly fast: number; readonly slow: number };
  readonly train: { readonly start: string; readonly end: string };
  readonly test: { readonly start: string; readonly end: string };
  readonly test_return: number;
  readonly train_return: number;
}

/** What a report says of its own findings, whatever else was tried. */
function ownOf(report: object) {
  const { overfitting } = report as { overfitting: { permutation_p: { value: number }; limits: object } };
  return { permutation_p: overfitting.permutation_p, limits: overfitting.limits };
}

async function walk(candles: Candles, id: number, change: object = {}, pool = workers) {
  const kind = createWalkForward(backtestParts(database, pool, candles));
  const order = walkForwardOrder.parse({ ...BASE, ...SPACE, train_bars: 520, test_bars: 104, ...change });
  return kind.run(order, jobContext(id));
}

describe("a walk-forward", () => {
  it("chooses by the training bars alone: an edge that is planted in the tests is not found", async () => {
    const cut = 520;
    const [plain, planted] = [false, true].map((is) => candlesOfCloses(wavesOf(cut + 104, cut, is)));
    const before = (await walk(plain, 1)).report.folds as Fold[];
    const after = (await walk(planted, 2)).report.folds as Fold[];
    expect(before).toHaveLength(1);
    expect(after[0].parameters).toEqual(before[0].parameters);
    expect(after[0].train_return).toBe(before[0].train_return);
    expect(after[0].test_return).not.toBe(before[0].test_return);
    // The edge is there for who looks: on the test bars the fast pair is the best by far.
    const sweep = createSweep(
      backtestParts(database, workers, candlesOfCloses(wavesOf(cut + 104, cut, true).slice(cut))),
    );
    const found = await sweep.run(sweepOrder.parse({ ...BASE, ...SPACE }), jobContext(3));
    const { parameters } = found.report.strategy as { parameters: object };
    expect(parameters).toMatchObject({ fast: 2, slow: 5 });
    expect(after[0].parameters).not.toMatchObject({ fast: 2, slow: 5 });
  });

  it("tests each bar once after its training, and chains the tests to one account", async () => {
    const candles = candlesOfCloses(wavesOf(1_200, 0, false));
    const { report } = await walk(candles, 1, { embargo_bars: 5 });
    const folds = report.folds as Fold[];
    expect(folds).toHaveLength(6);
    for (const [i, { train, test }] of folds.entries()) {
      expect(Date.parse(train.end)).toBeLessThan(Date.parse(test.start) - 5 * 86_400_000);
      if (i > 0) expect(Date.parse(test.start)).toBe(Date.parse(folds[i - 1].test.end) + 86_400_000);
    }
    const grown = folds.reduce((level, { test_return }) => level * (1 + test_return), 1);
    const outside = report.out_of_sample as { total_return: number; bars: number };
    expect(outside.total_return).toBeCloseTo(grown - 1, 9);
    expect(outside.bars).toBe(6 * 104);
    const overfitting = report.overfitting as Record<string, { value: number | null }>;
    expect(overfitting.permutation_p.value).toBeGreaterThan(0);
    expect(overfitting.probability_of_overfitting.value).toBeGreaterThanOrEqual(0);
    const anchored = (await walk(candles, 2, { mode: "anchored" })).report.folds as Fold[];
    expect(new Set(anchored.map(({ train }) => train.start)).size).toBe(1);
  });

  it("counts each choice on the bars that it was made on, and the tests as one trial of the whole", async () => {
    await walk(candlesOfCloses(wavesOf(1_200, 0, false)), 1);
    const rows = await database.query<{ bars: number; trials: number }>(
      `select d.bars, count(*)::int as trials from backtest_datasets d join backtest_trials t on t.dataset_id = d.id
       group by d.id, d.bars order by d.bars, d.id`,
    );
    // Of the four pairs one has no fast average that is faster than its slow one.
    expect(rows).toEqual([
      ...Array.from({ length: 6 }, () => ({ bars: 520, trials: 3 })),
      { bars: 1_200, trials: 1 },
    ]);
  });
});

describe("a sweep", () => {
  it("tries each point within the constraints, the best of which it tells as a backtest alone does", async () => {
    const candles = candlesOfCloses(wavesOf(900, 0, false));
    const parts = backtestParts(database, workers, candles);
    const order = sweepOrder.parse({
      ...BASE,
      ...SPACE,
      cross_validation: { purge_bars: 5, embargo_bars: 5 },
    });
    const { report } = await createSweep(parts).run(order, jobContext(1));
    const trials = report.trials as { parameters: { fast: number; slow: number }; score: number }[];
    expect(trials.map(({ parameters: { fast, slow } }) => [fast, slow])).toEqual([
      [2, 5],
      [2, 60],
      [20, 60],
    ]);
    const best = trials.reduce((top, each) => (each.score > top.score ? each : top));
    expect(report.strategy).toMatchObject({ parameters: best.parameters });
    expect(report.overfitting).toMatchObject({ trials: 3, cross_validated: { trials: 3 } });
    const crossed = report.cross_validation as { folds: object[]; paths: object[] };
    expect([crossed.folds.length, crossed.paths.length]).toEqual([15, 5]);
    const alone = createRunJob(parts);
    const single = runJobOrder.parse({
      ...BASE,
      parameters: best.parameters,
      bootstrap_paths: 0,
      random_entries: 0,
    });
    const told = (await alone.run(single, jobContext(2))).report;
    expect(told.figures).toEqual(report.figures);
    expect(told.overfitting).toMatchObject({ trials: 3 });
  });

  it("finds what is equal whatever the seed is, and one run of a job that is begun twice", async () => {
    const parts = backtestParts(database, workers, candlesOfCloses(wavesOf(600, 0, false)));
    const order = sweepOrder.parse({ ...BASE, strategy_id: 3, method: "parzen", trials: 24 });
    const kind = createSweep(parts);
    const [first, again] = [await kind.run(order, jobContext(7)), await kind.run(order, jobContext(7))];
    expect(again.hash).toBe(first.hash);
    expect(again.run_id).toBe(first.run_id);
    expect(again.report.overfitting).toEqual(first.report.overfitting);
    expect(await database.query("select id from backtest_runs")).toHaveLength(1);
    const other = await kind.run({ ...order, seed: 2 }, jobContext(8));
    expect(other.hash).not.toBe(first.hash);
  });
});

describe("a run", () => {
  /** Of them each number of threads has a third. */
  const RUNS = 3 * sized({ usual: 1, full: 34 });

  it(`has one report and one hash at one thread, at two and at three, with all that is drawn, in ${RUNS} runs`, {
    timeout: 600_000,
  }, async () => {
    const [two, three] = [2, 3].map((threads) => createWorkers({ log: silentLog, threads }));
    onTestFinished(async () => {
      await two.close();
      await three.close();
    });
    const candles = candlesOfCloses(wavesOf(800, 0, false));
    const order = runJobOrder.parse({
      ...BASE,
      bootstrap_paths: 150,
      random_entries: 150,
      monte_carlo_paths: 200,
    });
    const found: { run: RunResult; walked: RunResult }[] = [];
    const hashes = new Set<string>();
    for (const [i, pool] of [workers, two, three].entries()) {
      const parts = backtestParts(database, pool, candles);
      for (let more = 3; more < RUNS; more += 3)
        hashes.add((await createRunJob(parts).run(order, jobContext(100 + RUNS * i + more))).hash);
      const run = await createRunJob(parts).run(order, jobContext(1 + i));
      found.push({ run, walked: await walk(candles, 10 + i, {}, pool) });
    }
    const [one, ...others] = found;
    const own = ({ report }: RunResult) => ({ ...report, overfitting: ownOf(report) });
    for (const each of others) {
      expect([each.run.hash, each.walked.hash]).toEqual([one.run.hash, one.walked.hash]);
      expect(own(each.run)).toEqual(own(one.run));
      expect(own(each.walked)).toEqual(own(one.walked));
    }
    expect([...hashes.add(one.run.hash)]).toEqual([one.run.hash]);
    const { permutation_p } = ownOf(one.run.report);
    expect(permutation_p.value).toBeGreaterThan(0);
    // The trials of the walk-forward count after the first run, whose hash does not follow from them.
    expect(others[0].run.report.overfitting).not.toEqual(one.run.report.overfitting);
  });

  it("has another hash wherever a figure of its report is another, and one of what the engine did", async () => {
    const rng = createRng(8);
    let level = 100;
    const closes = Array.from({ length: 600 }, () => {
      level *= Math.exp(0.02 * rng.normal());
      return level;
    });
    const parts = backtestParts(database, workers, candlesOfCloses(closes));
    const less = { monte_carlo_paths: 0, bootstrap_paths: 0, random_entries: 0, sensitivity: false };
    const run = (change: object, id: number) =>
      createRunJob(parts).run(runJobOrder.parse({ ...BASE, ...less, ...change }), jobContext(id));
    const first = await run({}, 1);
    const [other, dearer, compound] = [
      await run({ seed: 2 }, 2),
      await run({ risk_free_rate: 0.05 }, 3),
      await run({ convention: "compound" }, 4),
    ];
    const { permutation_p: p } = ownOf(first.report);
    expect(ownOf(other.report).permutation_p).not.toEqual(p);
    const all = [first, other, dearer, compound];
    expect(new Set(all.map(({ hash }) => hash)).size).toBe(4);
    expect(new Set(all.map(({ report }) => report.run_hash)).size).toBe(1);
    expect((await run({}, 5)).hash).toBe(first.hash);
  });

  it("is dearer where costs are, by what they are on what was traded", async () => {
    const parts = backtestParts(database, workers, candlesOfCloses(wavesOf(800, 0, false)));
    const order = runJobOrder.parse({
      ...BASE,
      costs: { spread_bps: 20 },
      bootstrap_paths: 0,
      random_entries: 50,
    });
    const { report } = await createRunJob(parts).run(order, jobContext(1));
    const { sensitivity, random_entries } = report.stress as {
      sensitivity: { name: string; total_return: number; spread_bps: number; trades: number }[];
      random_entries: { paths: number; p: number };
    };
    const byName = new Map(sensitivity.map((each) => [each.name, each]));
    const [own, free, double] = ["as ordered", "costs times 0", "costs times 2"].map((name) =>
      byName.get(name),
    );
    expect(free?.total_return).toBeGreaterThan(own?.total_return ?? Number.NaN);
    expect(own?.total_return).toBeGreaterThan(double?.total_return ?? Number.NaN);
    // Fractions of units: each closed trade costs a share of 20 bps of what it has, to the first order.
    const trades = own?.trades ?? 0;
    const ratio = Math.log1p(free?.total_return ?? 0) - Math.log1p(own?.total_return ?? 0);
    expect(ratio / (trades * 0.002)).toBeGreaterThan(0.8);
    expect(ratio / (trades * 0.002)).toBeLessThan(1.2);
    expect(random_entries.paths).toBe(50);
    expect(random_entries.p).toBeGreaterThan(0);
  });

  it("frees its thread within two seconds of being cancelled", async () => {
    const candles = candlesOfCloses(wavesOf(60_000, 0, false));
    const parts = backtestParts(database, workers, candles);
    const order = sweepOrder.parse({
      ...BASE,
      strategy_id: "regime_switched",
      method: "random",
      trials: 200,
    });
    const stop = new AbortController();
    const running = createSweep(parts).run(order, jobContext(1, stop.signal));
    const ended = running.then(
      () => "done",
      () => "ended",
    );
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const asked = performance.now();
    stop.abort();
    expect(await ended).toBe("ended");
    expect(performance.now() - asked).toBeLessThan(2_000);
    expect(workers.queued()).toBe(0);
    expect(await database.query("select id from backtest_runs")).toEqual([]);
  });
});

describe("a comparison", () => {
  it("counts all strategies before it judges any", async () => {
    const parts = backtestParts(database, workers, candlesOfCloses(wavesOf(700, 0, false)));
    const strategies = [{ strategy_id: 1 }, { strategy_id: 2 }, { strategy_id: "macd_cross" }];
    const { report } = await createCompare(parts).run(
      compareOrder.parse({ ...BASE, strategies }),
      jobContext(1),
    );
    const rows = report.compared as { sharpe: number; is_best: boolean; overfitting: { trials: number } }[];
    expect(rows.map(({ overfitting }) => overfitting.trials)).toEqual([3, 3, 3]);
    const best = rows.reduce((top, each) => (each.sharpe > top.sharpe ? each : top));
    expect(rows.filter(({ is_best }) => is_best)).toEqual([best]);
  });

  it("cross-validates trials of the same days once, and judges each as it would alone", async () => {
    let asked = 0;
    const counting: Workers = {
      ...workers,
      run(...order) {
        asked++;
        return workers.run(...order);
      },
    };
    const ledger = createLedger({ store: createLedgerStore(database), workers: counting });
    const rng = createRng(5);
    const trials = Array.from({ length: 6 }, (_, k) => {
      const returns = Float64Array.from({ length: k < 4 ? 300 : 200 }, () => 0.01 * rng.normal());
      const sketch = sketchOf(
        returns.map((_, i) => i),
        returns,
      );
      return { returns, sketch, sample: sharpeSample(returns) };
    });
    const sha256 = "a".repeat(64);
    const series = [candlesOfCloses(wavesOf(300, 0, false))];
    const data = { series, sha256, synthetic: false, terms: { calendar: null } };
    const rows = trials.map(({ returns, sketch, sample }, k) => {
      return {
        strategy: "golden_cross",
        values: { fast: 10 + k },
        rules: "",
        sample,
        totalReturn: null,
        returns,
        sketch,
      };
    });
    const id = await ledger.record("ann", data, rows);
    const judged = trials.map(({ returns, sample }, k) => {
      return { sample, days: returns.length, permutation: figureOf(k / 10), seed: 1 };
    });
    const together = await ledger.judgeAll(id, judged);
    // All trials once, and those of either length.
    expect(asked).toBe(3);
    for (const [k, each] of judged.entries()) expect(await ledger.judge(id, each)).toEqual(together[k]);
    expect(new Set(together.map(({ deflated_sharpe }) => deflated_sharpe.value)).size).toBe(6);
  });
});
