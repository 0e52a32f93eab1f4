import { contextOf, type Knowledge } from "../../core/learning/features/knowledge.js";
import { newestPatternRows } from "../../core/learning/samples.js";
import type { CalendarId } from "../../core/market/calendar.js";
import { type Candles, sliceCandles } from "../../core/market/candles.js";
import { calendarOf } from "../../core/market/session.js";

/** Bars whose patterns are to be shown to models. */
export interface ShowOrder {
  readonly candles: Candles;
  readonly calendar: CalendarId;
  /** In and out together, basis points. */
  readonly costBps: number;
  readonly knowledge: Knowledge;
  /** Indexes of bars; each is looked at as if none came after it. */
  readonly bars: readonly number[];
}

/** A pattern as a model is shown it. */
export interface ShownPattern {
  readonly at: number;
  readonly pattern: string;
  readonly direction: 1 | -1;
  readonly regime: string | null;
  /** In the order of the sample names. */
  readonly values: Float64Array;
}

/** Rows of every confirmed pattern with a direction at the given bars. */
export default function show({ candles, calendar, costBps, knowledge, bars }: ShowOrder): ShownPattern[] {
  const context = contextOf(calendarOf(calendar), knowledge);
  return bars.flatMap((at) => {
    const rows = newestPatternRows(sliceCandles(candles, 0, at + 1), context, { costBps });
    return rows.map(({ occasion: { direction, hits }, regime, row: values }) => ({
      ...{ at, pattern: hits[0].hit.variant.id, direction, regime, values },
    }));
  });
}
