import { AppError } from "../../platform/errors.js";
import { defineTask } from "../../platform/workers.js";
import { variantOf } from "../catalogue/pattern-names.js";
import type { Answered } from "./answer-views.js";
import {
  type Chosen,
  chosenBy,
  chosenOf,
  type RunFields,
  type SingleOrder,
  strategyOf,
  symbolsOf,
} from "./order.js";
import type { PatternFound } from "./pattern-worker.js";
import { countRun, keepRun, type PerformParts, runCounted, runOrder } from "./perform.js";
import { hashed } from "./report-hash.js";
import type { ReportView } from "./report-view.js";
import type { RunOrder } from "./run-worker.js";
import { loadRun, type RunData } from "./series.js";

const PATTERN = defineTask<RunOrder, PatternFound>(new URL("./pattern-worker.js", import.meta.url));

/** Bars of a backtest that is answered at once, of all symbols: 80 years of days, a month of minutes. */
export const ANSWERED_BARS = 20_000;

/** An order of patterns over symbols, as existing clients send it. */
export interface ListOrder extends RunFields {
  readonly symbols: readonly string[];
  /** The strategy's own where none are named. */
  readonly patterns?: readonly string[] | undefined;
  readonly entry: "immediate" | "next_candle";
  readonly exit: "levels" | "opposite";
  readonly stopLossPct: number;
  readonly takeProfitPct: number;
}

export interface BacktestAnswers {
  /** @throws {AppError} as `chosenBy` and `loadRun`. */
  runSingle(userId: string, order: SingleOrder): Promise<Answered>;
  /** Trades any of a list of patterns in one account. @throws {AppError} as above. */
  runList(userId: string, order: ListOrder): Promise<Answered>;
  /** The same run of one pattern as `runSingle` has, with what became of each time it was seen; it is not kept. */
  runPattern(userId: string, order: SingleOrder): Promise<PatternAnswered>;
}

export interface PatternAnswered extends PatternFound {
  readonly chosen: Chosen;
  readonly data: RunData;
  readonly report: ReportView;
}

/** Backtests that are small enough to be waited for: computed in a thread, counted and kept like all others. */
export function createBacktestAnswers(parts: PerformParts): BacktestAnswers {
  async function answer(
    userId: string,
    chosen: Chosen,
    symbols: readonly string[],
    order: RunFields,
  ): Promise<Answered> {
    const data = await loadRun(parts, [chosen], symbols, order, ANSWERED_BARS);
    const asked = { userId, jobId: null, seed: order.seed };
    const { found, report: told } = await runCounted(parts, chosen, data, asked);
    const { time, equity, benchmark } = found;
    const columns = { time, equity, benchmark };
    const report = hashed(told, columns);
    const run = { kind: "backtest", strategy: chosen.strategy.id, hash: report.hash, report } as const;
    const id = await keepRun(parts, { ...run, columns }, data, asked);
    return { id, chosen, data, found, report };
  }

  return {
    runSingle: (userId, order) => answer(userId, chosenBy(order), symbolsOf(order), order),
    async runPattern(userId, order) {
      const chosen = chosenBy(order);
      const data = await loadRun(parts, [chosen], symbolsOf(order), order, ANSWERED_BARS);
      const traded = await parts.workers.run(PATTERN, runOrder(chosen, data), {});
      const asked = { userId, jobId: null, seed: order.seed };
      const { report } = await countRun(parts, chosen, data, traded.found, asked);
      return { ...traded, chosen, data, report };
    },
    async runList(userId, order) {
      const variants = (order.patterns ?? []).map(variantOf);
      const chosen = chosenOf(strategyOf("pattern_list"), {
        ...(variants.length === 0 ? {} : { patterns: [...new Set(variants)].join(",") }),
        entry: order.entry,
        exit: order.exit,
        stopLossPct: order.stopLossPct,
        takeProfitPct: order.takeProfitPct,
      });
      if (order.symbols.length === 0) throw new AppError("invalid_request", "body symbols: lists nothing");
      return answer(userId, chosen, order.symbols, order);
    },
  };
}
