import { FEATURE_WARMUP } from "../../core/learning/features/index.js";
import { type newestTradeRow, type OwnTrade, SAMPLE_SCHEMA } from "../../core/learning/samples.js";
import { barClose } from "../../core/market/bar-times.js";
import type { Candles } from "../../core/market/candles.js";
import { calendarOf } from "../../core/market/session.js";
import { ROUND_TRIP_BPS } from "../../core/signals/levels.js";
import { defineTask, type Workers } from "../../platform/workers.js";
import type { KnownInstrument } from "../instruments/store.js";
import type { KnowledgeStore } from "./knowledge.js";
import type { NewSnapshot } from "./scores.js";
import type { Scoring } from "./scoring.js";
import type { TradeOrder } from "./trade-worker.js";

const ROW = defineTask<TradeOrder, ReturnType<typeof newestTradeRow>>(
  new URL("./trade-worker.js", import.meta.url),
);

/** A trade on something that is no pattern of the table, at the newest bar. */
export interface NamedTrade extends OwnTrade {
  /** Name that it is stored as a detection by. */
  readonly pattern: string;
}

/** What the version that counts says of a trade; null with the reason where none does. */
export type TradeScore =
  | { readonly score: number; readonly version: string; readonly snapshot: NewSnapshot }
  | { readonly score: null; readonly reason: string };

/**
 * Asks the models of an asset class and interval, which have learned from trades on patterns, about another one: how they do
 * on those is measured apart, by the name of the trade.
 * @param candles closed bars, the trade at the last of them.
 */
export type TradeScoring = (
  instrument: KnownInstrument,
  candles: Candles,
  trade: NamedTrade,
) => Promise<TradeScore>;

export function createTradeScoring(options: {
  readonly knowledge: Pick<KnowledgeStore, "load">;
  readonly workers: Workers;
  readonly scoring: Pick<Scoring, "count" | "refusalOf" | "scoreAll">;
}): TradeScoring {
  const { knowledge, workers, scoring } = options;
  return async ({ id: instrumentId, symbol, calendar, assetClass }, candles, trade) => {
    const { interval, time } = candles;
    const refusal = scoring.refusalOf({ assetClass, interval }, SAMPLE_SCHEMA);
    // Without a version there is nothing to make a row for.
    if (refusal !== null) return { score: null, reason: refusal };
    const barTime = time[time.length - 1];
    const closedAt = barClose(calendarOf(calendar), interval, barTime);
    const found = await workers.run(ROW, {
      ...{ candles, calendar, trade, costBps: ROUND_TRIP_BPS[assetClass] },
      knowledge: await knowledge.load({ symbol, interval }, closedAt, closedAt),
    });
    if (found === null) {
      return { score: null, reason: `${time.length} of ${FEATURE_WARMUP + 1} bars that models read` };
    }
    const { direction, pattern } = trade;
    const { regime, row } = found;
    const shown = { assetClass, interval, regime, pattern, row, schema: SAMPLE_SCHEMA };
    const counted = scoring.count(shown);
    if (counted.version === null) return { score: null, reason: counted.reason };
    const moment = { instrumentId, interval, barTime, closedAt, pattern, direction, regime };
    const snapshot = { ...moment, schema: SAMPLE_SCHEMA, values: row, scores: scoring.scoreAll(shown) };
    return { score: counted.score, version: counted.version.version, snapshot };
  };
}
