import type { JobContext } from "../../platform/jobs.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { LeakSearch } from "./lookahead-worker.js";
import { barsToTest, joinFindings, type SubjectFinding, TESTED_LIMIT } from "./truncation.js";
import type { CutSearch, StrategyRef } from "./truncation-strategy.js";
import type { SubjectRef } from "./truncation-table.js";

const SEARCH = defineTask<LeakSearch, SubjectFinding[]>(new URL("./lookahead-worker.js", import.meta.url));
const CUT = defineTask<CutSearch, SubjectFinding[]>(new URL("./cuts-worker.js", import.meta.url));
/** Parts at least, so that progress is seen. */
const PARTS = 20;
/** Bars that a part looks at, each time anew: of all subjects together, and of one strategy, which takes longer over each. */
const PART_BARS = 45_000_000;
const PART_STEPS = 500_000;

/** What is tested bar by bar, and what by cuts. */
export interface ToTest {
  readonly subjects: readonly SubjectRef[];
  readonly strategies: readonly StrategyRef[];
}

/** How a part is tested; in a thread unless given. */
export interface PartTests {
  readonly workers: Workers;
  readonly search?: (order: LeakSearch, signal: AbortSignal) => Promise<SubjectFinding[]>;
  readonly cut?: (order: CutSearch, signal: AbortSignal) => Promise<SubjectFinding[]>;
}

/** Where something is tested: on the first of the series, strategies on all. */
type Place = Pick<CutSearch, "series" | "calendar">;

/**
 * The test in parts of a second or two, so that whoever else waits for a thread has one in time: first bar by bar, then
 * one strategy after another by cuts. Progress is in bars, and in cuts of each strategy.
 */
export async function testInParts(
  tests: PartTests,
  { subjects, strategies }: ToTest,
  place: Place,
  { signal, report }: JobContext<null>,
): Promise<SubjectFinding[]> {
  const { length } = place.series[0].time;
  const bars = subjects.length === 0 ? [] : barsToTest(length, TESTED_LIMIT);
  const cuts = Math.min(Math.max(...place.series.map(({ time }) => time.length)), TESTED_LIMIT);
  const total = bars.length + strategies.length * cuts;
  const told = (phase: string, done: number) => {
    signal.throwIfAborted();
    report(phase, Math.floor(done), total);
  };
  const found = await testBars(tests, subjects, place, bars, signal, (done) =>
    told(`${subjects.length} subjects`, done),
  );
  for (const [k, ref] of strategies.entries()) {
    const before = bars.length + k * cuts;
    found.push(...(await testCuts(tests, ref, place, cuts, signal, (done) => told(ref.name, before + done))));
  }
  report("done", total, total);
  return found;
}

async function testBars(
  { workers, search }: PartTests,
  subjects: readonly SubjectRef[],
  { series: [candles] }: Place,
  bars: readonly number[],
  signal: AbortSignal,
  told: (done: number) => void,
): Promise<SubjectFinding[]> {
  const run = search ?? ((part, ended) => workers.run(SEARCH, part, { signal: ended }));
  const most = Math.floor(PART_BARS / (subjects.length * candles.time.length));
  const size = Math.max(1, Math.min(Math.ceil(bars.length / PARTS), most));
  let found: SubjectFinding[] = [];
  for (let from = 0; from < bars.length; from += size) {
    told(from);
    const part = { candles, subjects, bars: bars.slice(from, from + size) };
    found = joinFindings(found, await run(part, signal));
  }
  return found;
}

async function testCuts(
  { workers, cut }: PartTests,
  ref: StrategyRef,
  place: Place,
  cuts: number,
  signal: AbortSignal,
  told: (done: number) => void,
): Promise<SubjectFinding[]> {
  const run = cut ?? ((part, ended) => workers.run(CUT, part, { signal: ended }));
  const steps = (cuts * place.series.reduce((sum, { time }) => sum + time.length, 0)) / 2;
  const parts = Math.min(cuts, Math.max(PARTS, Math.ceil(steps / PART_STEPS)));
  let found: SubjectFinding[] = [];
  for (let part = 0; part < parts; part++) {
    told((part * cuts) / parts);
    const order = { strategies: [ref], ...place, most: TESTED_LIMIT, part, parts };
    found = joinFindings(found, await run(order, signal));
  }
  return found;
}
