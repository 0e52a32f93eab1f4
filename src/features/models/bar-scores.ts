import { SAMPLE_SCHEMA } from "../../core/learning/samples.js";
import { encodeTabular } from "../../core/learning/tabular.js";
import { barClose } from "../../core/market/bar-times.js";
import type { Candles } from "../../core/market/candles.js";
import { INTERVAL_MS, isInterval } from "../../core/market/interval.js";
import { calendarOf } from "../../core/market/session.js";
import { ROUND_TRIP_BPS } from "../../core/signals/levels.js";
import { AppError } from "../../platform/errors.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { BarScoresOrder } from "./bar-scores-worker.js";
import { cardSchema } from "./card.js";
import type { KnowledgeStore } from "./knowledge.js";
import type { Lot, OpenTrees, Scoring } from "./scoring.js";
import type { ModelVersion } from "./store.js";

const SCORE = defineTask<BarScoresOrder, Float64Array>(new URL("./bar-scores-worker.js", import.meta.url));

/** What models say of all bars of a series, as they would have said it at the close of each. */
export interface BarScores {
  /**
   * The versions that are asked of an asset class and interval: those of a number, or else those that serve.
   * @throws {AppError} `strategy_unfit` where there are none, `model_refused`.
   */
  follow(lot: Lot, number?: string): Promise<readonly OpenTrees[]>;
  /** A column of scores, 0..1, as `barScoresOf` has it. */
  load(instrument: KnownInstrument, candles: Candles, versions: readonly OpenTrees[]): Promise<Float64Array>;
}

export function createBarScores(options: {
  readonly scoring: Pick<Scoring, "servingOf" | "openNumbered">;
  readonly knowledge: Pick<KnowledgeStore, "load">;
  readonly workers: Workers;
}): BarScores {
  const { scoring, knowledge, workers } = options;
  return {
    async follow(lot, number) {
      const found =
        number === undefined
          ? scoring.servingOf(lot, SAMPLE_SCHEMA)
          : await scoring.openNumbered(lot, SAMPLE_SCHEMA, number);
      if (found.length > 0) return found;
      const where = `${lot.assetClass} ${lot.interval}`;
      const reason =
        number === undefined
          ? `no model is active for ${where}`
          : `none for ${where} has a version ${number} that reads the features of today`;
      throw new AppError("strategy_unfit", `model_score needs a learned model, and ${reason}`);
    },

    async load({ symbol, calendar, assetClass }, candles, versions) {
      const { interval, time } = candles;
      const closeOf = (at: number) => barClose(calendarOf(calendar), interval, at);
      return workers.run(SCORE, {
        candles,
        calendar,
        costBps: ROUND_TRIP_BPS[assetClass],
        knowledge: await knowledge.load(
          { symbol, interval },
          closeOf(time[0]),
          closeOf(time[time.length - 1]),
        ),
        versions: versions.map(({ version, model }) => ({
          version: {
            learner: version.learner,
            assetClass: version.assetClass,
            interval: version.interval,
            grouping: version.grouping,
          },
          weights: encodeTabular(model),
        })),
      });
    },
  };
}

/**
 * The moment from which on a version has seen no bar: the end of the newest that it read, or the last decision that it
 * learned from where its card names none. Null where neither is known.
 */
export function learnedUntil({ card, lastDecisionMs }: Pick<ModelVersion, "card" | "lastDecisionMs">) {
  const newest = cardSchema.safeParse(card).data?.learned_from.newest_bars ?? [];
  const ends = newest.map(({ series, opens_at }) => {
    const interval = series.slice(series.lastIndexOf(" ") + 1);
    return Date.parse(opens_at) + (isInterval(interval) ? INTERVAL_MS[interval] : 0);
  });
  const all = lastDecisionMs === null ? ends : [...ends, lastDecisionMs + 1];
  return all.length === 0 ? null : Math.max(...all);
}
