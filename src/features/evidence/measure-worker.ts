import type { CalendarId } from "../../core/market/calendar.js";
import type { Candles } from "../../core/market/candles.js";
import { computeRegimes } from "../../core/regime/regime.js";
import { measureSeries, OCCURRENCE_COLUMNS, type Occurrences } from "../../core/signals/evidence-series.js";
import { moved } from "../../platform/workers.js";
import { MEASURED } from "./measured.js";

/** A series to be measured in a thread. */
export interface MeasureOrder {
  readonly candles: Candles;
  readonly calendar: CalendarId;
  readonly costBps: number;
  readonly asOfMs: number;
  /** Patterns that were seen while they happened, by opens of their bars. */
  readonly seen: readonly { readonly variant: string; readonly times: readonly number[] }[];
}

/** Measures a series; the columns move to the caller. */
export default function measure({ candles, calendar, costBps, asOfMs, seen }: MeasureOrder): Occurrences {
  const seenLive = new Map(seen.map(({ variant, times }) => [variant, new Set(times)]));
  const series = { candles, calendar, costBps, regimes: computeRegimes(candles).label, seenLive };
  const found = measureSeries(series, { ...MEASURED, asOfMs });
  return moved(
    found,
    OCCURRENCE_COLUMNS.map((column) => found[column].buffer),
  );
}
