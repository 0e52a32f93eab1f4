import { lowerBound } from "../base/search.js";
import type { Candles } from "../market/candles.js";
import type { Hit, Pattern, PatternSeries } from "../patterns/define.js";
import { createPatternSeries } from "../patterns/series.js";
import { hasPriorTrend } from "../patterns/trend.js";
import { REGIMES } from "../regime/define.js";
import { computeRegimes } from "../regime/regime.js";
import { PLAIN_SIGNAL, type SignalSnapshot } from "./snapshot.js";

/** Candles with what the detectors and their readers want of them, each computed once. */
export interface ReadMarket {
  readonly series: PatternSeries;
  /** Index into `REGIMES` for each bar. */
  readonly regime: Int8Array;
}

export function readMarket(candles: Candles): ReadMarket {
  return { series: createPatternSeries(candles), regime: computeRegimes(candles).label };
}

/**
 * The signals of a pattern as a strategy: one for each confirmed shape with a direction, in the trend that gives it its
 * meaning, at bars that open in [fromMs, toMs). Confidence is how well the geometry fits; entry the close of the bar.
 */
export function patternSnapshots(
  { series, regime }: ReadMarket,
  pattern: Pattern,
  strategyId: string,
  fromMs: number,
  toMs: number,
): SignalSnapshot[] {
  const { candles } = series;
  const { symbol, interval, time, close } = candles;
  const hits: Hit[] = [];
  pattern.find(series, lowerBound(time, fromMs), lowerBound(time, toMs), hits);
  return hits
    .filter((hit) => hit.state === "confirmed" && hit.variant.direction !== 0)
    .filter((hit) => hasPriorTrend(hit, candles) !== false)
    .map(({ variant, at, quality }) => ({
      strategyId,
      symbol,
      interval,
      time: time[at],
      side: variant.direction > 0 ? "buy" : "sell",
      entry: close[at],
      asked: PLAIN_SIGNAL,
      confidence: quality,
      conditions: { variant: variant.id, regime: REGIMES[regime[at]] ?? null },
    }));
}
