import type { Interval } from "../../core/market/interval.js";
import type { Condition } from "../../core/rules/condition.js";
import { leadOf, STEP_BUDGET } from "../../core/rules/evaluate.js";
import { AppError } from "../../platform/errors.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { CandleService, CandleSet } from "../candles/candles.js";
import type { Instruments } from "../instruments/instruments.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { RuleTerms } from "./language.js";
import type { TestResult, TestTask } from "./test-worker.js";

export interface RuleTest {
  readonly when: Condition;
  readonly rearm: Condition | null;
  readonly terms: RuleTerms;
  readonly symbols: readonly string[];
  readonly interval: Interval;
  readonly bars: number;
}

/** What became of a rule on one symbol; of one that could not be tried, why. */
export interface SymbolTest {
  readonly symbol: string;
  readonly tried: {
    readonly set: CandleSet;
    readonly from: number;
    readonly result: NonNullable<TestResult>;
  } | null;
  readonly error: string | null;
}

export interface RuleTesting {
  /**
   * What a rule would have done on the newest closed bars, had it been made before them; on each symbol once, in however many
   * spellings it is named.
   * @throws {AppError} as candles do where no symbol could be tried; `invalid_request` where it takes too many steps.
   */
  test(order: RuleTest): Promise<SymbolTest[]>;
}

const TEST = defineTask<TestTask, TestResult>(new URL("./test-worker.js", import.meta.url));

export function createRuleTesting(options: {
  readonly candles: Pick<CandleService, "loadLatest">;
  readonly instruments: Pick<Instruments, "resolve">;
  readonly workers: Workers;
}): RuleTesting {
  const { candles, instruments, workers } = options;

  async function tryOn(instrument: KnownInstrument, { when, rearm, terms, interval, bars }: RuleTest) {
    const lead = Math.max(leadOf(when, interval), rearm === null ? 0 : leadOf(rearm, interval));
    // One more before the first, whose level is no edge.
    const set = await candles.loadLatest(instrument, interval, bars + lead + 1);
    const { length } = set.candles.time;
    if (length === 0) throw new AppError("no_data", `${instrument.symbol} has no ${interval} candles`);
    const from = Math.max(0, length - bars);
    const task = { when, rearm, terms, candles: set.candles, calendar: instrument.calendar, from };
    const result = await workers.run(TEST, task);
    if (result === null) {
      const detail = `The rule takes more than ${STEP_BUDGET} steps over ${length} bars: ask for fewer, or for less of it`;
      throw new AppError("invalid_request", detail);
    }
    return { set, from, result };
  }

  return {
    async test(order) {
      const tests: SymbolTest[] = [];
      const symbols = new Set<string>();
      let first: AppError | null = null;
      for (const text of order.symbols) {
        try {
          const instrument = await instruments.resolve(text);
          const { symbol } = instrument;
          if (symbols.has(symbol)) continue;
          symbols.add(symbol);
          tests.push({ symbol, tried: await tryOn(instrument, order), error: null });
        } catch (error) {
          if (!(error instanceof AppError) || error.code === "database_unavailable") throw error;
          first ??= error;
          tests.push({ symbol: text, tried: null, error: error.message });
        }
      }
      if (first !== null && tests.every(({ tried }) => tried === null)) throw first;
      return tests;
    },
  };
}
