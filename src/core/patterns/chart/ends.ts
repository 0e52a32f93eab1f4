import type { Check, FormationPoint, PatternSeries, PatternVariant } from "../define.js";
import { trendInto, volumeTrend } from "./checks.js";
import { type ChartShape, edge, joined, type Line, patienceOf } from "./shape.js";
import { endKnownAt, sketchTops, type Tops } from "./tops.js";

/** A turn of the market at ends of about one price: falling after a top, rising after a bottom. */
export function turnVariant(id: string, title: string, side: 1 | -1): PatternVariant {
  return {
    id,
    title,
    direction: side === 1 ? -1 : 1,
    outlook: "reversal",
    priorTrend: side === 1 ? "up" : "down",
  };
}

/** What shapes of ends of one kind differ in; `Sizes` is what it measures of a pair of ends. */
export interface EndsKind<Sizes> {
  readonly side: 1 | -1;
  /** Its flag in `kinds.ts`. */
  readonly kind: number;
  readonly variant: PatternVariant;
  /** Points of the shape. */
  readonly size: number;
  /** Of ends that may be such a shape by their heights; null where they are none. */
  measure(tops: Tops): Sizes | null;
  /** The line through the turns, beyond which a close confirms. */
  trigger(tops: Tops, sizes: Sizes): Line;
  stop(tops: Tops, sizes: Sizes): Line;
  reach(tops: Tops, sizes: Sizes): number;
  quality(tops: Tops, sizes: Sizes): number;
  /** @param formedAt bar at whose close the last end is known. */
  points(tops: Tops, formedAt: number): FormationPoint[];
  /** Of the geometry. */
  checks(tops: Tops, sizes: Sizes): Check[];
}

/** Appends the shapes of one kind that are known in [from, to). */
export function sketchEnds<Sizes>(
  series: PatternSeries,
  from: number,
  to: number,
  shapes: ChartShape[],
  kind: EndsKind<Sizes>,
): void {
  sketchTops(series, [from, to], kind.side, kind.kind, shapes, (tops) => {
    const sizes = kind.measure(tops);
    return sizes === null ? null : shapeOfEnds(series, tops, kind, sizes);
  });
}

/** The shape of ends with a line through their turns; null where the last end is none, or not known yet. */
function shapeOfEnds<Sizes>(
  series: PatternSeries,
  tops: Tops,
  kind: EndsKind<Sizes>,
  sizes: Sizes,
): ChartShape | null {
  const trigger = kind.trigger(tops, sizes);
  const formedAt = endKnownAt(series, tops, trigger);
  if (formedAt < 0) return null;
  // The ends at hand are others by the time that a shape is described.
  const own = { ...tops };
  const { first, last } = tops;
  return {
    expected: {
      variant: kind.variant,
      trigger,
      stop: kind.stop(tops, sizes),
      reach: kind.reach(tops, sizes),
    },
    other: null,
    start: first,
    lastAt: last,
    formedAt,
    patience: patienceOf(last - first),
    quality: kind.quality(tops, sizes),
    size: kind.size,
    describe: () => ({
      points: kind.points(own, formedAt),
      edges: [edge("neckline", trigger)],
      checks: joined(kind.checks(own, sizes), [
        trendInto(series, own.first, own.side),
        volumeTrend(series.candles, own.first, own.last),
      ]),
    }),
    description: null,
  };
}
