import { ensure } from "../../core/base/assert.js";
import { barsPerYear } from "../../core/market/bar-times.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import { REGIME_MEMORY, REGIME_WARMUP, REGIMES, type Regime } from "../../core/regime/define.js";
import type { Explanation } from "../../core/regime/explain.js";
import { AppError } from "../../platform/errors.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { CandleService, CandleSet } from "../candles/candles.js";
import type { Instruments } from "../instruments/instruments.js";
import { createIndexReader, type IndexReading } from "./volatility-index.js";
import label, { type NewestRegime, type RegimeResult, type RegimeTask } from "./worker.js";

/** The regime of the newest closed bar. */
export interface RegimeReading extends NewestRegime {
  readonly set: CandleSet;
  readonly regime: Regime;
  /** The label and the numbers that made it. */
  readonly explanation: Explanation;
  /** Bars in a row that have the label, as far back as was looked. */
  readonly duration: number;
  /** Whether it may have begun before that. */
  readonly longer: boolean;
  /** Whether so many bars were there that earlier ones would change nothing but the duration. */
  readonly settled: boolean;
  /** Of a year of its bars, as a fraction. */
  readonly yearlyVolatility: number;
  readonly index: IndexReading;
}

export interface RegimeTimeline {
  readonly set: CandleSet;
  /** First bar that was asked for. */
  readonly from: number;
  readonly result: RegimeResult;
}

export interface Regimes {
  /**
   * The regime now, looking back so many days.
   * @param withIndex whether the volatility index of the market counts, where it has one and a source shows it.
   * @throws {AppError} `no_data` when there are too few bars, and as candles do.
   */
  detect(symbol: string, interval: Interval, days: number, withIndex: boolean): Promise<RegimeReading>;
  /** Labels of the newest bars, now or as they were known at a moment. @throws {AppError} as `detect`. */
  timeline(symbol: string, interval: Interval, bars: number, knownAtMs?: number): Promise<RegimeTimeline>;
}

const MOST_BARS = 5_000;
/** Bars that are labelled in half a millisecond or so, at once; more are labelled in a thread. */
const IMMEDIATE_BARS = 1_000;
const DAYS_A_YEAR = 365.25;
const LABEL = defineTask<RegimeTask, RegimeResult>(new URL("./worker.js", import.meta.url));

export function createRegimes(options: {
  candles: Pick<CandleService, "loadLatest">;
  instruments: Pick<Instruments, "resolve">;
  workers: Workers;
  gateway: { readonly synthetic: boolean };
}): Regimes {
  const { candles, instruments, workers } = options;
  const readIndex = createIndexReader(options);

  async function run(task: RegimeTask): Promise<RegimeResult> {
    return task.candles.time.length <= IMMEDIATE_BARS ? label(task) : workers.run(LABEL, task);
  }

  function requireBars(set: CandleSet): void {
    const { length } = set.candles.time;
    if (length > REGIME_WARMUP) return;
    const text = `${set.instrument.symbol} has ${length} ${set.candles.interval} candles, and a regime needs ${REGIME_WARMUP + 1}`;
    throw new AppError("no_data", text);
  }

  return {
    async detect(symbol, interval, days, withIndex) {
      const instrument = await instruments.resolve(symbol);
      const yearly = barsPerYear(calendarOf(instrument.calendar), interval);
      const wanted = Math.min(MOST_BARS, Math.max(1, Math.ceil((yearly * days) / DAYS_A_YEAR)));
      const set = await candles.loadLatest(instrument, interval, wanted + REGIME_MEMORY);
      requireBars(set);
      const index = await readIndex(set, withIndex);
      const { length } = set.candles.time;
      const from = Math.max(0, length - wanted);
      const result = await run({ candles: set.candles, from, volatilityIndex: index.column });
      const newest = ensure(result.newest, "a label");
      const regime = REGIMES[ensure(result.label.at(-1), "a bar")];
      const duration = Math.min(ensure(result.duration.at(-1), "a bar"), length - from);
      return {
        ...newest,
        set,
        regime,
        explanation: ensure(
          newest.explanations.find((each) => each.regime === regime),
          regime,
        ),
        duration,
        longer: duration >= length - Math.max(from, REGIME_WARMUP),
        settled: length >= REGIME_MEMORY,
        yearlyVolatility: newest.volatility * Math.sqrt(yearly),
        index,
      };
    },

    async timeline(symbol, interval, bars, knownAtMs) {
      const instrument = await instruments.resolve(symbol);
      const set = await candles.loadLatest(instrument, interval, bars + REGIME_MEMORY, knownAtMs);
      requireBars(set);
      const from = Math.max(0, set.candles.time.length - bars);
      return { set, from, result: await run({ candles: set.candles, from, volatilityIndex: null }) };
    },
  };
}
