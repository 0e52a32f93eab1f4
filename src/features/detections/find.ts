import { findIndicator } from "../../core/indicators/index.js";
import { computeIndicator } from "../../core/indicators/define.js";
import { ensure } from "../../core/base/assert.js";
import type { Candles } from "../../core/market/candles.js";
import type { Direction, Hit } from "../../core/patterns/define.js";
import { PATTERNS } from "../../core/patterns/index.js";
import { createPatternSeries } from "../../core/patterns/series.js";
import { hasPriorTrend, priorTrend } from "../../core/patterns/trend.js";

/** A pattern seen at bar `at` of a window of candles, with what was known at its close. */
export interface Sighting {
  /** Variant of the pattern table. */
  readonly pattern: string;
  readonly direction: Direction;
  readonly at: number;
  readonly start: number;
  readonly quality: number;
  readonly trend: "up" | "down" | "flat";
  /** Whether the trend is the one that gives the shape its meaning; null when none is asked for. */
  readonly trendMet: boolean | null;
  /** Average true range of 14 bars at `at`; null while there are too few. */
  readonly range: number | null;
}

/** Bars a window needs before the first bar whose sightings are wanted. */
export const LEAD_BARS = 250;

const atr = ensure(findIndicator("atr"), "the table has atr");

/** Every pattern seen at bars from `from` on, by bar. Pure: the same window gives the same sightings. */
export function findSightings(candles: Candles, from: number): Sighting[] {
  const length = candles.time.length;
  const series = createPatternSeries(candles);
  const hits: Hit[] = [];
  for (const pattern of PATTERNS) pattern.find(series, from, length, hits);
  const [ranges] = computeIndicator(atr, candles, { period: 14 });
  return hits
    .sort((a, b) => a.at - b.at || (a.variant.id < b.variant.id ? -1 : 1))
    .map((hit) => ({
      pattern: hit.variant.id,
      direction: hit.variant.direction,
      at: hit.at,
      start: hit.start,
      quality: hit.quality,
      trend: priorTrend(candles, hit.start),
      trendMet: hasPriorTrend(hit, candles),
      range: Number.isNaN(ranges[hit.at]) ? null : ranges[hit.at],
    }));
}
