import { describe, expect, it } from "vitest";
import { hashOf } from "../../src/core/backtest/result.js";
import { runBacktest } from "../../src/core/backtest/run.js";
import { ensure } from "../../src/core/base/assert.js";
import type { Facts } from "../../src/core/strategies/facts.js";
import { maxPain } from "../../src/core/strategies/max-pain.js";
import { createBacktestAnswers } from "../../src/features/backtests/answers.js";
import { reconcileOrder, runJobOrder, walkForwardOrder } from "../../src/features/backtests/jobs-order.js";
import { singleOrder } from "../../src/features/backtests/order.js";
import { createReconcile } from "../../src/features/backtests/reconcile.js";
import { createRunJob } from "../../src/features/backtests/run-job.js";
import { rulesOf } from "../../src/features/backtests/terms.js";
import { createWalkForward } from "../../src/features/backtests/walk-forward.js";
import type { Database } from "../../src/platform/database.js";
import type { Workers } from "../../src/platform/workers.js";
import { backtestParts, candlesOfCloses, jobContext, useBacktests } from "../fixtures/backtests.js";
import { wanderingCandles } from "../fixtures/market-walks.js";
import { accountOver } from "../fixtures/reconcile.js";
import { walkingFacts } from "../fixtures/walking-facts.js";

let database: Database;
let workers: Workers;
useBacktests((parts) => {
  ({ database, workers } = parts);
});

const LENGTH = 400;
const candles = candlesOfCloses([...wanderingCandles("BTC-USD", "1d", LENGTH, 6).close]);
const ORDER = { symbol: "BTC-USD", start_date: "2015-01-01", strategy_id: "max_pain" };

/** What a run needs, with facts that are planted instead of stored. */
function partsOf(facts: Facts) {
  return { ...backtestParts(database, workers, candles), chainFacts: { load: async () => facts } };
}

describe("backtests of strategies that read option chains", () => {
  const facts = walkingFacts(["max_pain"], LENGTH, 4);

  it("decide in threads by the facts of their symbol", async () => {
    const answers = createBacktestAnswers(partsOf(facts));
    const { data, found, chosen } = await answers.runSingle("ann", singleOrder.parse(ORDER));
    expect(data.facts).toEqual([facts]);
    const whole = runBacktest(maxPain, [{ candles, facts }], chosen.values, rulesOf(data.terms));
    expect(whole.trades.length).toBeGreaterThan(5);
    expect(found.hash).toBe(hashOf(whole));
    const others = createBacktestAnswers(partsOf(walkingFacts(["max_pain"], LENGTH, 5)));
    const other = await others.runSingle("ann", singleOrder.parse(ORDER));
    expect(other.data.sha256).not.toBe(data.sha256);
    expect(other.found.hash).not.toBe(found.hash);
  });

  it("walk forward, and have no other bars drawn than those the chains belong to", async () => {
    const walk = walkForwardOrder.parse({
      ...ORDER,
      train_bars: 120,
      test_bars: 60,
      method: "grid",
      trials: 4,
      space: { awayPct: [1, 4], nearPct: [0, 0.5] },
    });
    const { report } = await createWalkForward(partsOf(facts)).run(walk, jobContext(1));
    const { folds } = report as unknown as { folds: { test_trades: number }[] };
    expect(folds.length).toBeGreaterThan(2);
    expect(folds.reduce((sum, { test_trades }) => sum + test_trades, 0)).toBeGreaterThan(3);
    const run = runJobOrder.parse({ ...ORDER, bootstrap_paths: 5, random_entries: 5, sensitivity: true });
    const { report: stressed } = await createRunJob(partsOf(facts)).run(run, jobContext(2));
    const text = JSON.stringify(stressed);
    expect(text).toContain("drawn bars have no max_pain of their own");
    expect(text).toContain("slippage 50 bps");
  });

  it("are held against a paper account with the facts that they were run with", async () => {
    const parts = partsOf(facts);
    const small = { monte_carlo_paths: 0, bootstrap_paths: 0, random_entries: 0, sensitivity: false };
    const kept = await createRunJob(parts).run(runJobOrder.parse({ ...ORDER, ...small }), jobContext(3));
    const { figures } = kept.report as unknown as { figures: { name: string; value: number }[] };
    const account = { id: "paper", name: "Paper", currency: "USD" };
    const { events, costs, traded } = accountOver(candles, [], { capital: 100_000 });
    const record = { account, events, costs, traded, placedFor: new Map() };
    const paper = { find: async () => account, read: async () => record };
    const order = reconcileOrder.parse({ run_id: kept.run_id });
    const { report } = await createReconcile({ ...parts, paper }).run(order, jobContext(4));
    const missing = (report as unknown as { differences: object[] }).differences.length;
    expect(missing).toBeGreaterThan(5);
    expect(missing).toBeGreaterThanOrEqual(
      ensure(
        figures.find(({ name }) => name === "trades"),
        "trades",
      ).value,
    );
  });

  it("are refused without chains, and with too few", async () => {
    const empty = { max_pain: new Float64Array(LENGTH).fill(Number.NaN) };
    const few = { max_pain: empty.max_pain.map((none, i) => (i < 9 ? 1.01 : none)) };
    for (const [given, count] of [
      [empty, 0],
      [few, 9],
    ] as const) {
      const run = createBacktestAnswers(partsOf(given)).runSingle("ann", singleOrder.parse(ORDER));
      await expect(run).rejects.toMatchObject({
        code: "strategy_unfit",
        message: `max_pain needs max_pain at 10 bars at least, and BTC-USD has it at ${count} of 400`,
      });
    }
  });
});
