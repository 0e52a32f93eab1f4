import {
  MONTE_CARLO_QUANTILES,
  monteCarloOfTrades,
  resultsOfTrades,
} from "../../core/backtest/monte-carlo.js";
import { type Holding, randomEntries } from "../../core/backtest/random-entries.js";
import { quantileOf } from "../../core/base/stats.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { RunJobOrder } from "./jobs-order.js";
import { type RunSeries, runSeriesOf } from "./listings.js";
import type { Chosen } from "./order.js";
import type { RunFound } from "./run-worker.js";
import type { RunData } from "./series.js";
import type { Stressed, StressOrder } from "./stress-worker.js";
import type { RunTerms } from "./terms.js";

const STRESS = defineTask<StressOrder, Stressed[]>(new URL("./stress-worker.js", import.meta.url));
/** Bars of a task: a thread is free for others after some tenths of a second. */
const TASK_BARS = 100_000;
/** Multiples of the costs, and basis points of slippage, that a run is tried under. */
const MULTIPLES = [0, 0.5, 2, 4] as const;
const SLIPPAGES = [5, 10, 25, 50] as const;
const RUIN = 0.5;

export interface StressParts {
  readonly workers: Workers;
  readonly signal: AbortSignal;
  report(phase: string, done: number, total: number): void;
}

/** What a result is worth beside other draws of its trades and bars, other costs and entries at random. */
export async function stressRun(
  parts: StressParts,
  chosen: Chosen,
  data: RunData,
  found: RunFound,
  order: RunJobOrder,
) {
  const base = {
    strategyId: chosen.strategy.id,
    values: chosen.values,
    ...runSeriesOf(data),
    terms: data.terms,
    seed: order.seed,
  };
  const own = found.bounds.headline / data.terms.capital - 1;
  return {
    monte_carlo: tradePaths(found, data, order),
    bootstrap: await barPaths(parts, chosen, base, order, own),
    random_entries: await randomPaths(parts, base, data, found, order, own),
    sensitivity: order.sensitivity ? await otherCosts(parts, base, data) : null,
  };
}

function tradePaths(found: RunFound, { terms }: RunData, order: RunJobOrder) {
  if (order.monte_carlo_paths === 0) return null;
  const closed = found.trades.filter(({ exitMs }) => exitMs !== null);
  const byExit = closed.toSorted((a, b) => (a.exitMs ?? 0) - (b.exitMs ?? 0));
  const results = resultsOfTrades(
    byExit.map(({ net }) => net),
    terms.capital,
  );
  const draw = (method: "bootstrap" | "shuffle") =>
    monteCarloOfTrades(results, { method, paths: order.monte_carlo_paths, seed: order.seed, ruin: RUIN });
  return { ruin: RUIN, bootstrap: draw("bootstrap"), shuffle: draw("shuffle") };
}

type Base = RunSeries & Pick<StressOrder, "strategyId" | "values" | "terms" | "seed">;

async function barPaths(
  parts: StressParts,
  { strategy }: Chosen,
  base: Base,
  order: RunJobOrder,
  own: number,
) {
  const paths = order.bootstrap_paths;
  if (paths === 0) return null;
  if (strategy.facts.length > 0) {
    return { paths: 0, reason: `drawn bars have no ${strategy.facts.join(", ")} of their own` };
  }
  const blockBars = order.block_bars;
  const found = await inTasks(parts, "bootstrap", base, paths, (from, to) => ({
    ...base,
    kind: "bars",
    from,
    to,
    blockBars,
  }));
  return { block_bars: blockBars, ...distributionOf(found, own) };
}

async function randomPaths(
  parts: StressParts,
  base: Base,
  { series }: RunData,
  { trades }: RunFound,
  order: RunJobOrder,
  own: number,
) {
  if (order.random_entries === 0) return null;
  const none = (reason: string) => ({ paths: 0, p: null, reason });
  if (series.length > 1) return none("there are several symbols");
  const holdings: Holding[] = trades.map(({ bars, side }) => ({ bars, way: side === "long" ? 1 : -1 }));
  if (holdings.length === 0) return none("nothing was traded");
  if (randomEntries(holdings, series[0].time.length, 0) === null)
    return none("the trades leave no bars to move");
  const found = await inTasks(parts, "random entries", base, order.random_entries, (from, to) => ({
    ...base,
    kind: "random",
    from,
    to,
    holdings,
  }));
  const better = found.filter(({ totalReturn }) => totalReturn >= own).length;
  return { ...distributionOf(found, own), p: (better + 1) / (found.length + 1), reason: null };
}

async function otherCosts({ workers, signal, report }: StressParts, base: Base, { terms }: RunData) {
  report("sensitivity", 0, 1);
  const scaled = MULTIPLES.map((by) => ({ name: `costs times ${by}`, terms: scaledTerms(terms, by) }));
  const slipped = SLIPPAGES.map((bps) => ({
    name: `slippage ${bps} bps`,
    terms: { ...terms, slippageBps: bps },
  }));
  const all = [{ name: "as ordered", terms }, ...scaled, ...slipped];
  const order: StressOrder = { ...base, kind: "costs", others: all.map((each) => each.terms) };
  const found = await workers.run(STRESS, order, { signal });
  return found.map(({ totalReturn, sharpe, trades }, i) => ({
    name: all[i].name,
    commission_bps: all[i].terms.commissionBps,
    spread_bps: all[i].terms.spreadBps,
    slippage_bps: all[i].terms.slippageBps,
    total_return: totalReturn,
    sharpe: sharpe === null ? null : sharpe * Math.sqrt(terms.yearReturns),
    trades,
  }));
}

function scaledTerms(terms: RunTerms, by: number): RunTerms {
  return {
    ...terms,
    commissionBps: terms.commissionBps * by,
    commissionPerShare: terms.commissionPerShare * by,
    spreadBps: terms.spreadBps * by,
    slippageBps: terms.slippageBps * by,
  };
}

async function inTasks(
  { workers, signal, report }: StressParts,
  phase: string,
  { series }: Base,
  paths: number,
  orderOf: (from: number, to: number) => StressOrder,
): Promise<Stressed[]> {
  const bars = series.reduce((sum, { time }) => sum + time.length, 0);
  const size = Math.max(1, Math.floor(TASK_BARS / bars));
  const found: Stressed[] = [];
  for (let from = 0; from < paths; from += size) {
    signal.throwIfAborted();
    report(phase, from, paths);
    found.push(...(await workers.run(STRESS, orderOf(from, Math.min(paths, from + size)), { signal })));
  }
  return found;
}

function distributionOf(found: readonly Stressed[], own: number) {
  const sorted = Float64Array.from(found, ({ totalReturn }) => totalReturn).sort();
  return {
    paths: found.length,
    own_return: own,
    total_return: MONTE_CARLO_QUANTILES.map((share) => ({ share, value: quantileOf(sorted, share) })),
    loss_probability: sorted.filter((each) => each < 0).length / sorted.length,
  };
}
