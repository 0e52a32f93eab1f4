import { lendingColumns } from "../../core/base/columns.js";
import type { Candles } from "../../core/market/candles.js";
import type { Direction, Formation, FormationState, Hit } from "../../core/patterns/define.js";
import { PATTERNS } from "../../core/patterns/index.js";
import { createPatternSeries } from "../../core/patterns/series.js";
import { meetsTrend, type PriorTrend, priorTrend } from "../../core/patterns/trend.js";
import { REGIMES, type Regime } from "../../core/regime/define.js";
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

/** Places of variants and states by name, so that the order of sightings is told by a number. */
const VARIANT_PLACES = new Map(
  PATTERNS.flatMap(({ variants }) => variants.map(({ id }) => id))
    .sort()
    .map((id, place) => [id, place]),
);
const STATE_PLACES: Readonly<Record<FormationState, number>> = {
  confirmed: 0,
  expired: 1,
  failed: 2,
  forming: 3,
};
const PLACES = 4 * VARIANT_PLACES.size;

/**
 * Every pattern seen at bars from `from` on, by bar, variant and state. Pure: the same window gives the same sightings.
 * @param label regimes of the bars, where they are known already.
 */
export function findSightings(candles: Candles, from: number, label?: Int8Array): Sighting[] {
  return lendingColumns(() => sightingsOf(candles, from, label ?? computeRegimes(candles).label));
}

function sightingsOf(candles: Candles, from: number, label: Int8Array): Sighting[] {
  const length = candles.time.length;
  const series = createPatternSeries(candles);
  const hits: Hit[] = [];
  for (const pattern of PATTERNS) pattern.find(series, from, length, hits);
  const ranges = computeRanges(candles, from);
  const trendInto = createTrends(candles);
  return inOrder(hits).map(({ variant, at, start, quality, state, formation }) => {
    const trend = trendInto(start);
    return {
      pattern: variant.id,
      direction: variant.direction,
      at,
      start,
      quality,
      state,
      formation,
      trend,
      trendMet: meetsTrend(variant, trend),
      regime: REGIMES[label[at]] ?? null,
      range: Number.isNaN(ranges[at]) ? null : ranges[at],
    };
  });
}

/** Hits by bar, then by the names of variant and state. */
function inOrder(hits: readonly Hit[]): Hit[] {
  const keys = Float64Array.from(hits, ({ at, variant, state }, index) => {
    const place = 4 * (VARIANT_PLACES.get(variant.id) ?? 0) + STATE_PLACES[state];
    return (at * PLACES + place) * hits.length + index;
  });
  return Array.from(keys.sort(), (key) => hits[key % hits.length]);
}

/** Trends into shapes by their first bar, each looked at once. */
function createTrends(candles: Candles): (start: number) => PriorTrend {
  const known = new Map<number, PriorTrend>();
  return (start) => {
    const found = known.get(start);
    if (found !== undefined) return found;
    const trend = priorTrend(candles, start);
    known.set(start, trend);
    return trend;
  };
}
