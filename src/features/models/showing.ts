import { FEATURE_MEMORY } from "../../core/learning/features/index.js";
import { SAMPLE_SCHEMA } from "../../core/learning/samples.js";
import { barClose } from "../../core/market/bar-times.js";
import type { Interval } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import { ROUND_TRIP_BPS } from "../../core/signals/levels.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { CandleService } from "../candles/candles.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { KnowledgeStore } from "./knowledge.js";
import type { NewSnapshot } from "./scores.js";
import type { Scoring, Shown } from "./scoring.js";
import type { ShownPattern, ShowOrder } from "./show-worker.js";

const SHOW = defineTask<ShowOrder, ShownPattern[]>(new URL("./show-worker.js", import.meta.url));

/** A pattern on a bar as models see it, and what they say of it. */
export interface ScoredPattern {
  readonly snapshot: NewSnapshot;
  readonly shown: Shown;
}

export interface Showing {
  /**
   * Shows models every confirmed pattern with a direction at bars of a series, each as it was at the close of its bar.
   * @param barTimes opens of bars, epoch ms; those that no candles are found for are passed over.
   */
  show(
    instrument: KnownInstrument,
    interval: Interval,
    barTimes: readonly number[],
    signal?: AbortSignal,
  ): Promise<ScoredPattern[]>;
}

/** Bars since the oldest that is asked for, beside those that features need. */
const SINCE = 10;

export function createShowing(options: {
  readonly candles: Pick<CandleService, "loadLatest">;
  readonly knowledge: KnowledgeStore;
  readonly workers: Workers;
  readonly scoring: Scoring;
}): Showing {
  const { candles, knowledge, workers, scoring } = options;
  return {
    async show(instrument, interval, barTimes, signal) {
      if (barTimes.length === 0) return [];
      const { candles: bars } = await candles.loadLatest(instrument, interval, FEATURE_MEMORY + SINCE);
      const wanted = new Set(barTimes);
      const indexes = Array.from(bars.time.keys()).filter((i) => wanted.has(bars.time[i]));
      if (indexes.length === 0) return [];
      const { calendar, assetClass, id: instrumentId } = instrument;
      const closeOf = (at: number) => barClose(calendarOf(calendar), interval, bars.time[at]);
      const [first, last] = [indexes[0], indexes[indexes.length - 1]];
      const order = {
        ...{ candles: bars, calendar, costBps: ROUND_TRIP_BPS[assetClass], bars: indexes },
        knowledge: await knowledge.load(
          { symbol: instrument.symbol, interval },
          closeOf(first),
          closeOf(last),
        ),
      };
      const found = await workers.run(SHOW, order, signal === undefined ? {} : { signal });
      return found.map(({ at, pattern, direction, regime, values }): ScoredPattern => {
        const shown = { assetClass, interval, regime, pattern, row: values, schema: SAMPLE_SCHEMA };
        const barTime = bars.time[at];
        return {
          shown,
          snapshot: {
            ...{ instrumentId, interval, barTime, pattern, direction, regime, values, schema: SAMPLE_SCHEMA },
            closedAt: closeOf(at),
            scores: scoring.scoreAll(shown),
          },
        };
      });
    },
  };
}
