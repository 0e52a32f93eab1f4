import { defineTask } from "../../platform/workers.js";
import { breakdownOf } from "./breakdown.js";
import type { Outside } from "./outside.js";
import type { PerformParts } from "./perform.js";
import type { ToldFound } from "./report-view.js";
import type { RunColumns } from "./run-store.js";
import type { RunTrade } from "./run-trades.js";
import type { RunData } from "./series.js";
import type { Stitched, StitchedTest, StitchOrder } from "./stitch-worker.js";
import type { Walked } from "./walked.js";

const STITCH = defineTask<StitchOrder, Stitched>(new URL("./stitch-worker.js", import.meta.url));

/** Where a test begins to count: a bar is of the first test that has it. */
interface Counted {
  readonly place: number;
  readonly tested: NonNullable<Walked["tested"]>;
  readonly at: number;
  readonly skip: number;
  readonly fromMs: number;
}

/** The tests as one account, as a report tells of a backtest; trades are as they were made in their tests. */
export async function stitchTests(
  { workers }: Pick<PerformParts, "workers">,
  { series, terms, benchmark }: RunData,
  walked: readonly Walked[],
  { time, growth }: Outside,
  signal: AbortSignal | undefined,
): Promise<{ readonly found: Omit<ToldFound, "hash">; readonly columns: RunColumns }> {
  const counted = countedTests(walked, series[0].time);
  const tests = counted.map(
    ({ tested: { equity, long, short, entered }, at, skip, fromMs }): StitchedTest => {
      const own = entered.filter(({ closedAt }) => closedAt === null || closedAt >= fromMs);
      return { equity, long, short, entered: own, at, skip };
    },
  );
  const order = { series, terms, benchmark, time, growth, tests };
  const stitched = await workers.run(STITCH, order, signal === undefined ? {} : { signal });
  const trades = counted.flatMap(({ tested, place, fromMs }) =>
    tested.told
      .filter(({ exitMs }) => exitMs === null || exitMs >= fromMs)
      .map((trade): RunTrade => ({ ...trade, fold: place + 1 })),
  );
  const found = {
    report: stitched.report,
    time,
    bounds: boundsOf(counted, growth.length === 0 ? terms.capital : stitched.equity[growth.length - 1]),
    doubts: counted.flatMap(({ tested, fromMs }) => tested.doubts.filter(({ at }) => at >= fromMs)),
    trades,
    breakdown: breakdownOf(trades),
    turned: sumOf(counted.map(({ tested }) => tested.turned)),
  };
  return { found, columns: { time, equity: stitched.equity, benchmark: stitched.benchmark } };
}

function countedTests(walked: readonly Walked[], time: Float64Array): Counted[] {
  const counted: Counted[] = [];
  let [next, at] = [0, 0];
  for (const [place, { fold, tested }] of walked.entries()) {
    const [{ from, to }] = fold.test;
    const skip = Math.max(0, next - from);
    if (tested !== null) counted.push({ place, tested, at, skip, fromMs: time[from + skip] });
    at += to - from - skip;
    next = to;
  }
  return counted;
}

/** Each test's best and worst in parts of what it came to, one after another as the tests are. */
function boundsOf(counted: readonly Counted[], headline: number): ToldFound["bounds"] {
  let [worst, best] = [1, 1];
  for (const {
    tested: { bounds },
  } of counted) {
    if (bounds.equity <= 0) continue;
    worst *= Math.max(0, bounds.pessimistic) / bounds.equity;
    best *= bounds.optimistic / bounds.equity;
  }
  return { pessimistic: headline * worst, headline, optimistic: headline * best };
}

function sumOf(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const each of all) {
    for (const [reason, count] of Object.entries(each)) sums[reason] = (sums[reason] ?? 0) + count;
  }
  return sums;
}
