import { permutationTest } from "../../core/backtest/permutation.js";
import { absent, type Figure, figureOf } from "../../core/performance/figure.js";
import { wordsOf } from "../../core/strategies/parameters.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import { type RunSeries, runSeriesOf } from "./listings.js";
import type { Chosen } from "./order.js";
import type { RunData } from "./series.js";
import type { Stressed, StressOrder } from "./stress-worker.js";

const STRESS = defineTask<StressOrder, Stressed[]>(new URL("./stress-worker.js", import.meta.url));

/** Draws of a test: fewer tell too little, more are not worth their time. */
const DRAWS = { least: 99, most: 199 } as const;
/** Bars of all draws, up to which there are more of them than the least. */
const FEW_BARS = 400_000;
/** Bars of all draws at most, of what is waited for and of a job. */
export const PERMUTED_BARS = { answer: 4_000_000, job: 60_000_000 } as const;
/** Bars of a task: a thread is free for others after some tenths of a second. */
const TASK_BARS = 200_000;
/** As how many bars of a strategy of averages in cash, 0.1 us each, one counts that needs a desk, */
const DESK = 10;
/** and more for the columns of strategies that look for patterns, regimes or sessions, with 1 for each listed pattern. */
const COLUMNS: ReadonlyMap<string, number> = new Map([
  ["pattern_trade", 10],
  ["pattern_list", 10],
  ["regime_switched", 20],
  ["synergy", 10],
  ["opening_range", 8],
]);

/** A run that is made again on permuted bars. */
export interface PermutedRun {
  readonly chosen: Chosen;
  readonly data: RunSeries & Pick<RunData, "terms">;
  /** Bar of the first symbol from which on it may trade; those before stay as they are. */
  readonly start: number;
  readonly onDesk: boolean;
}

export interface PermutedTerms {
  readonly workers: Workers;
  readonly seed: number;
  /** Bars of all draws at most. */
  readonly most: number;
  readonly signal?: AbortSignal | undefined;
}

/** In bars of a strategy of averages in cash. */
function barsOf({ chosen: { strategy, values }, data: { series, lead }, onDesk }: PermutedRun): number {
  const { patterns } = values;
  const listed = typeof patterns === "string" ? wordsOf(patterns).length : 0;
  const weight = (onDesk ? DESK : 1) + (COLUMNS.get(strategy.id) ?? 0) + listed;
  const all = [...series, ...lead.map(({ candles }) => candles)];
  return weight * all.reduce((sum, { time }) => sum + time.length, 0);
}

/**
 * P-value of what runs gained together, each being made anew on permuted bars. Absent, with the reason, where nothing was
 * traded, where a strategy reads what drawn bars have none of, and where it would take too long.
 * @param growth of all runs, the logarithm of final equity over capital.
 */
export async function permutedP(
  runs: readonly PermutedRun[],
  growth: number,
  trades: number,
  { workers, seed, most, signal }: PermutedTerms,
): Promise<Figure> {
  if (trades === 0) return absent("nothing was traded");
  const facts = runs[0].chosen.strategy.facts;
  if (facts.length > 0) return absent(`permuted bars have no ${facts.join(", ")} of their own`);
  const bars = runs.reduce((sum, run) => sum + barsOf(run), 0);
  if (bars * DRAWS.least > most) {
    const detail = `${DRAWS.least} runs over permuted bars would take too long here`;
    return absent(most < PERMUTED_BARS.job ? `${detail}; a job has time for more` : detail);
  }
  const count = Math.max(DRAWS.least, Math.min(DRAWS.most, Math.floor(FEW_BARS / bars)));
  const drawn = new Float64Array(count);
  for (const run of runs) {
    const { chosen, data, start } = run;
    const { strategy, values } = chosen;
    const size = Math.max(1, Math.floor(TASK_BARS / barsOf(run)));
    for (let from = 0; from < count; from += size) {
      signal?.throwIfAborted();
      const to = Math.min(count, from + size);
      const base = { strategyId: strategy.id, values, ...runSeriesOf(data), terms: data.terms, seed };
      const order: StressOrder = { ...base, kind: "permuted", from, to, start };
      const found = await workers.run(STRESS, order, signal === undefined ? {} : { signal });
      for (const [k, { totalReturn }] of found.entries()) drawn[from + k] += growthOf(totalReturn);
    }
  }
  return figureOf(permutationTest(growth, drawn).p);
}

/** The logarithm of what 1 became; of what lost everything that of next to nothing. */
export function growthOf(totalReturn: number): number {
  return Math.log(Math.max(1e-12, 1 + totalReturn));
}
