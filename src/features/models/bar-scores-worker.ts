import { contextOf, type Knowledge } from "../../core/learning/features/knowledge.js";
import { patternRows } from "../../core/learning/samples.js";
import { decodeTabular, scoreTabular } from "../../core/learning/tabular.js";
import type { CalendarId } from "../../core/market/calendar.js";
import type { Candles } from "../../core/market/candles.js";
import { calendarOf } from "../../core/market/session.js";
import { moved } from "../../platform/workers.js";
import { chosenOf, groupOf } from "./choosing.js";
import type { Purpose } from "./store.js";

/** A series whose bars are to be scored. */
export interface BarScoresOrder {
  readonly candles: Candles;
  readonly calendar: CalendarId;
  /** In and out together, basis points. */
  readonly costBps: number;
  readonly knowledge: Knowledge;
  /** Versions that may be asked, the most specific first, with their weights as they are stored. */
  readonly versions: readonly { readonly version: Purpose; readonly weights: unknown }[];
}

/** Scores the bars of a series in a thread. */
export default function scoreBars(order: BarScoresOrder): Float64Array {
  const scores = barScoresOf(order);
  return moved(scores, [scores.buffer]);
}

/**
 * What the version that counts says at the close of each bar, as a chance of a rise: of the patterns that a trade is
 * offered on the one with the best chance, for a rising pattern its chance, for a falling one 1 less it. A chance of
 * less than a half speaks against a trade and not for the other side: 0.5. NaN where no pattern is.
 */
export function barScoresOf(order: BarScoresOrder): Float64Array {
  const { candles, calendar, costBps, knowledge } = order;
  const versions = order.versions.map(({ version, weights }) => ({ version, model: decodeTabular(weights) }));
  const scores = new Float64Array(candles.time.length).fill(Number.NaN);
  const best = new Float64Array(scores.length).fill(Number.NEGATIVE_INFINITY);
  for (const { occasion, regime, row } of patternRows(candles, contextOf(calendarOf(calendar), knowledge), {
    costBps,
  })) {
    const { at, direction, hits } = occasion;
    const moment = { regime, pattern: hits[0].hit.variant.id };
    const counting = chosenOf(
      versions.map((each) => ({ ...each, group: groupOf(each.model, each.version.grouping, moment) })),
    );
    if (counting === undefined) continue;
    const { score } = scoreTabular(counting.model, row, counting.group);
    if (score <= best[at]) continue;
    best[at] = score;
    scores[at] = 0.5 + direction * Math.max(0, score - 0.5);
  }
  return scores;
}
