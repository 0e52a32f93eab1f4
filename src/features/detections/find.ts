import type { Candles } from "../../core/market/candles.js";
import {
  type Direction,
  type Formation,
  type FormationState,
  type Hit,
  MEMORY_BARS,
} from "../../core/patterns/define.js";
import { PATTERNS } from "../../core/patterns/index.js";
import { createPatternSeries } from "../../core/patterns/series.js";
import { hasPriorTrend, priorTrend } from "../../core/patterns/trend.js";
import { REGIME_MEMORY, REGIMES, type Regime } from "../../core/regime/define.js";
import { computeRegimes } from "../../core/regime/regime.js";
import { computeRanges } from "../../core/signals/ranges.js";

/** A pattern seen at bar `at` of a window of candles, with what was known at its close. */
export interface Sighting {
  /** Variant of the pattern table. */
  readonly pattern: string;
  readonly direction: Direction;
  readonly at: number;
  readonly start: number;
  readonly quality: number;
  readonly state: FormationState;
  readonly formation: Formation | null;
  readonly trend: "up" | "down" | "flat";
  /** Whether the trend is the one that gives the shape its meaning; null when none is asked for. */
  readonly trendMet: boolean | null;
  /** Regime of the market at `at`; null while there are too few bars to tell. */
  readonly regime: Regime | null;
  /** Average true range of 14 bars at `at`; null while there are too few. */
  readonly range: number | null;
}

/** Bars a window needs before the first bar whose sightings are wanted. */
export const LEAD_BARS = Math.max(MEMORY_BARS, REGIME_MEMORY);

/** Every pattern seen at bars from `from` on, by bar. Pure: the same window gives the same sightings. */
export function findSightings(candles: Candles, from: number): Sighting[] {
  const length = candles.time.length;
  const series = createPatternSeries(candles);
  const hits: Hit[] = [];
  for (const pattern of PATTERNS) pattern.find(series, from, length, hits);
  const ranges = computeRanges(candles, from);
  const { label } = computeRegimes(candles);
  return hits
    .sort((a, b) => a.at - b.at || (keyOf(a) < keyOf(b) ? -1 : 1))
    .map((hit) => ({
      pattern: hit.variant.id,
      direction: hit.variant.direction,
      at: hit.at,
      start: hit.start,
      quality: hit.quality,
      state: hit.state,
      formation: hit.formation,
      trend: priorTrend(candles, hit.start),
      trendMet: hasPriorTrend(hit, candles),
      regime: REGIMES[label[hit.at]] ?? null,
      range: Number.isNaN(ranges[hit.at]) ? null : ranges[hit.at],
    }));
}

const keyOf = ({ variant, state }: Hit) => `${variant.id} ${state}`;
