import type { Candles } from "../market/candles.js";
import type { Hit, Pattern } from "../patterns/define.js";
import { PATTERNS } from "../patterns/index.js";
import { createPatternSeries } from "../patterns/series.js";
import { hasPriorTrend } from "../patterns/trend.js";

/** Variants that expect rising or falling prices. */
export const DIRECTED = Object.freeze(
  PATTERNS.flatMap(({ variants }) => variants.filter(({ direction }) => direction !== 0)).map(({ id }) => id),
);

/**
 * Confirmed sightings of variants in the trend that gives them their meaning, by bar; of several at one bar the one of
 * the best geometry, and of equal ones the first by name. The bars between are absent.
 */
export function hitsByBar(candles: Candles, ids: readonly string[]): ReadonlyMap<number, Hit> {
  const wanted = new Set(ids);
  const series = createPatternSeries(candles);
  const found = new Map<number, Hit>();
  for (const pattern of PATTERNS.filter((each) => isWanted(each, wanted))) {
    const hits: Hit[] = [];
    pattern.find(series, 0, candles.time.length, hits);
    for (const hit of hits) {
      if (!wanted.has(hit.variant.id) || hit.state !== "confirmed") continue;
      if (hasPriorTrend(hit, candles) === false) continue;
      const best = found.get(hit.at);
      if (best === undefined || isBetter(hit, best)) found.set(hit.at, hit);
    }
  }
  return found;
}

function isWanted({ variants }: Pattern, wanted: ReadonlySet<string>): boolean {
  return variants.some(({ id }) => wanted.has(id));
}

function isBetter(hit: Hit, best: Hit): boolean {
  if (hit.quality !== best.quality) return hit.quality > best.quality;
  return hit.variant.id < best.variant.id;
}

/** First bar at which any of them can be seen. */
export function warmupOf(ids: readonly string[]): number {
  const wanted = new Set(ids);
  const rows = PATTERNS.filter((pattern) => isWanted(pattern, wanted));
  return rows.reduce((least, { warmup }) => Math.min(least, warmup), Number.POSITIVE_INFINITY);
}
