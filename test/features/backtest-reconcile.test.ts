import { describe, expect, it } from "vitest";
import { PLAIN_RULES, SIZINGS } from "../../src/core/backtest/rules.js";
import { runBacktest } from "../../src/core/backtest/run.js";
import { NO_COSTS } from "../../src/core/execution/costs.js";
import type { Candles } from "../../src/core/market/candles.js";
import { DAY_MS } from "../../src/core/market/day.js";
import { findStrategy } from "../../src/core/strategies/index.js";
import { splitsOf } from "../../src/features/backtests/corporate-actions.js";
import { reconcileOrder, runJobOrder } from "../../src/features/backtests/jobs-order.js";
import type { PaperRecord } from "../../src/features/backtests/paper-record.js";
import { createReconcile } from "../../src/features/backtests/reconcile.js";
import { changedBars } from "../../src/features/backtests/reconcile-source.js";
import { createRunJob } from "../../src/features/backtests/run-job.js";
import type { CandleSet } from "../../src/features/candles/candles.js";
import type { Database } from "../../src/platform/database.js";
import type { Workers } from "../../src/platform/workers.js";
import {
  backtestParts,
  candlesOfCloses,
  FIRST_DAY,
  jobContext,
  useBacktests,
} from "../fixtures/backtests.js";
import { accountOver, type Told, walkOfDays } from "../fixtures/reconcile.js";

let database: Database;
let workers: Workers;
useBacktests((parts) => {
  ({ database, workers } = parts);
});

const BARS = candlesOfCloses([...walkOfDays(120, 9).close]);
const PARAMETERS = { fast: 3, slow: 8 };
const ORDER = {
  symbol: "BTC-USD",
  strategy_id: "golden_cross",
  parameters: PARAMETERS,
  start_date: "2015-01-01",
  costs: { spread_bps: 0 },
  sizing: { kind: "whole", share: 0.3 },
};
const SMALL = { monte_carlo_paths: 0, bootstrap_paths: 0, random_entries: 0, sensitivity: false };

/** An account that does what the strategy does on these bars. */
function paperOver(candles: Candles, currency = "USD", paid = NO_COSTS): PaperRecord {
  const strategy = findStrategy("golden_cross");
  if (strategy === null) throw new Error("there is no golden cross");
  const sizing = { ...SIZINGS.whole, stake: { kind: "share", share: 0.3 } as const };
  const { orders } = runBacktest(strategy, [{ candles }], PARAMETERS, {
    ...PLAIN_RULES,
    desk: { ...PLAIN_RULES.desk, costs: paid },
    sizing,
  });
  const script = orders.map(({ id, side, quantity, submittedAt }): Told => {
    const bar = Math.round((submittedAt - FIRST_DAY) / DAY_MS);
    return { bar, order: { id: `p ${id}`, side, quantity } };
  });
  const { events, costs, traded } = accountOver(candles, script, { capital: 100_000, costs: paid });
  return { account: { id: "paper", name: "Paper", currency }, costs, events, traded, placedFor: new Map() };
}

/** What a reconciliation needs, over bars as they were and as they are. */
function partsOver(was: Candles, is: Candles, record: PaperRecord) {
  const parts = backtestParts(database, workers, is);
  const former = backtestParts(database, workers, was);
  const loadRange: typeof parts.candles.loadRange = (...asked) =>
    (asked[5] === undefined ? parts : former).candles.loadRange(...asked);
  const paper = { find: async () => record.account, read: async () => record };
  return { ...parts, candles: { loadRange }, paper };
}

let jobs = 0;
/** Keeps a run on bars and holds it against an account once they have changed. */
async function afterChange(was: Candles, is: Candles, record: PaperRecord) {
  const order = runJobOrder.parse({ ...ORDER, ...SMALL });
  const kept = await createRunJob(backtestParts(database, workers, was)).run(order, jobContext(++jobs));
  const known = partsOver(was, is, record);
  const kind = createReconcile(known);
  return kind.run(reconcileOrder.parse({ run_id: kept.run_id, account_id: undefined }), jobContext(++jobs));
}

/** The same bars with another close of one. */
function withClose(candles: Candles, bar: number, by: number): Candles {
  return {
    ...candles,
    high: candles.high.map((high, i) => (i === bar ? high + by : high)),
    close: candles.close.map((close, i) => (i === bar ? close + by : close)),
  };
}

interface Shown {
  readonly changed_bars: number;
  readonly totals: Readonly<Record<string, number>>;
  readonly counts: Readonly<Record<string, number>>;
  readonly differences: readonly {
    readonly causes: readonly { readonly code: string; readonly facts: object }[];
  }[];
}

describe("a kept backtest", () => {
  it("is run on the bars it saw, and says which have changed where paper did otherwise", async () => {
    const paper = paperOver(BARS);
    const bar = 60;
    const changed = withClose(BARS, bar, 7);
    const { report } = await afterChange(BARS, changed, paper);
    // It is the backtest that was kept, so that an account that did the same differs in nothing.
    expect(report as unknown as Shown).toMatchObject({ changed_bars: 1, differences: [] });
    const other = (await afterChange(BARS, changed, paperOver(changed))).report as unknown as Shown;
    const codes = other.differences.flatMap(({ causes }) => causes.map(({ code }) => code));
    expect(codes).toContain("data_differs");
    const cause = other.differences
      .flatMap(({ causes }) => causes)
      .find(({ code }) => code === "data_differs");
    expect(cause?.facts).toMatchObject({
      bars: 1,
      was: BARS.high[bar],
      is: BARS.high[bar] + 7,
      column: "high",
    });
  });

  it("fails with the reason where it comes out otherwise on the bars there are", async () => {
    const order = runJobOrder.parse({ ...ORDER, ...SMALL });
    const kept = await createRunJob(backtestParts(database, workers, BARS)).run(order, jobContext(++jobs));
    const gone = candlesOfCloses([...walkOfDays(120, 4).close]);
    const kind = createReconcile(partsOver(gone, gone, paperOver(BARS)));
    const asked = reconcileOrder.parse({ run_id: kept.run_id });
    await expect(kind.run(asked, jobContext(++jobs))).rejects.toMatchObject({ code: "conflict" });
  });

  it("is refused for an account of another currency", async () => {
    await expect(afterChange(BARS, BARS, paperOver(BARS, "INR"))).rejects.toMatchObject({
      code: "invalid_request",
      message: expect.stringContaining("kept in INR"),
    });
  });
});

describe("a backtest that is run now", () => {
  it("pays what the account pays, unless its order names costs", async () => {
    const dear = { ...NO_COSTS, spreadBps: 60 };
    const paper = paperOver(BARS, "USD", dear);
    const kind = createReconcile(partsOver(BARS, BARS, paper));
    const { costs: _, ...order } = ORDER;
    const told = async (change: object) => {
      const asked = reconcileOrder.parse({ order: { ...order, ...change } });
      return (await kind.run(asked, jobContext(++jobs))).report as unknown as Shown & { terms: object };
    };
    const same = await told({});
    expect(same.counts.paired).toBeGreaterThan(2);
    expect(same.terms).toMatchObject({ costs_of: "account", costs: { spread_bps: 60 } });
    // Paper trades in cents.
    expect(Math.abs(same.totals.difference)).toBeLessThan(50);
    const other = await told({ costs: { spread_bps: 0 } });
    expect(other.terms).toMatchObject({ costs_of: "order", costs: { spread_bps: 0 } });
    expect(other.totals.difference).toBeLessThan(-500);
  });
});

describe("bars that have changed", () => {
  it("are told column by column, ones that are gone as nothing, new ones not at all", () => {
    expect(changedBars(BARS, BARS)).toEqual([]);
    const is = withClose(BARS, 5, 1);
    expect(changedBars(BARS, is)).toEqual([
      { bar: 5, column: "high", was: BARS.high[5], is: BARS.high[5] + 1 },
      { bar: 5, column: "close", was: BARS.close[5], is: BARS.close[5] + 1 },
    ]);
    const cut = candlesOfCloses([...BARS.close.slice(0, 119)]);
    expect(changedBars(BARS, cut).map(({ bar, is: now }) => [bar, now])).toEqual(Array(5).fill([119, null]));
    expect(changedBars(cut, BARS)).toEqual([]);
  });

  it("are adjusted for splits that their source or a view has applied", () => {
    const split = (exDay: number, ratio: number) => ({ kind: "split", exDay, ratio }) as const;
    const effects = [
      { action: split(19_000, 2), effect: "applied", reason: null },
      { action: split(19_100, 3), effect: "in_source", reason: null },
      { action: split(19_200, 5), effect: "undone", reason: null },
    ];
    const set = { instrument: { calendar: "24x7" }, adjustment: { effects } } as unknown as CandleSet;
    expect(splitsOf(set)).toEqual([
      { at: 19_000 * DAY_MS, ratio: 2 },
      { at: 19_100 * DAY_MS, ratio: 3 },
    ]);
    expect(splitsOf({ ...set, adjustment: null })).toEqual([]);
  });
});
