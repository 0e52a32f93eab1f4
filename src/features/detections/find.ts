import { ensure } from "../../core/base/assert.js";
import { computeIndicator } from "../../core/indicators/define.js";
import { findIndicator } from "../../core/indicators/index.js";
import { type Candles, sliceCandles } from "../../core/market/candles.js";
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

/** Bars behind an average true range; few enough that they lie in a window also where bars are missing. */
const RANGE_BARS = 200;

const atr = ensure(findIndicator("atr"), "the table has atr");

/** Every pattern seen at bars from `from` on, by bar. Pure: the same window gives the same sightings. */
export function findSightings(candles: Candles, from: number): Sighting[] {
  const length = candles.time.length;
  const series = createPatternSeries(candles);
  const hits: Hit[] = [];
  for (const pattern of PATTERNS) pattern.find(series, from, length, hits);
  const ranges = createRanges(candles);
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
      range: ranges(hit.at),
    }));
}

const keyOf = ({ variant, state }: Hit) => `${variant.id} ${state}`;

/** Average true ranges by bar, each over the same number of bars, so that it is the same in every window. */
function createRanges(candles: Candles): (at: number) => number | null {
  const known = new Map<number, number | null>();
  return (at) => {
    const found = known.get(at);
    if (found !== undefined) return found;
    const window = sliceCandles(candles, Math.max(0, at + 1 - RANGE_BARS), at + 1);
    const range = computeIndicator(atr, window, { period: 14 })[0][window.time.length - 1];
    const value = Number.isNaN(range) ? null : range;
    known.set(at, value);
    return value;
  };
}
