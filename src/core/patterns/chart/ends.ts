import type { Check, FormationPoint, PatternSeries, PatternVariant } from "../define.js";
import { trendInto, volumeTrend } from "./checks.js";
import { type ChartShape, edge, type Line, patienceOf } from "./shape.js";
import { endKnownAt, type Tops } from "./tops.js";

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

/** What shapes of ends differ in; what is only wanted of those that are shown is a function. */
export interface EndsSketch {
  readonly variant: PatternVariant;
  /** The line through the turns, beyond which a close confirms. */
  readonly trigger: Line;
  readonly stop: Line;
  readonly reach: number;
  readonly size: number;
  quality(): number;
  /** @param formedAt bar at whose close the last end is known. */
  points(formedAt: number): FormationPoint[];
  /** Of the geometry. */
  checks(): Check[];
}

/** The shape of ends with a line through their turns; null where the last end is none, or not known yet. */
export function shapeOfEnds(series: PatternSeries, tops: Tops, sketch: EndsSketch): ChartShape | null {
  const { side, first, last } = tops;
  const { variant, trigger, stop, reach, size } = sketch;
  const formedAt = endKnownAt(series, tops, trigger);
  if (formedAt < 0) return null;
  return {
    expected: { variant, trigger, stop, reach },
    other: null,
    start: first,
    lastAt: last,
    formedAt,
    patience: patienceOf(last - first),
    quality: sketch.quality(),
    size,
    describe: () => ({
      points: sketch.points(formedAt),
      edges: [edge("neckline", trigger)],
      checks: [...sketch.checks(), trendInto(series, first, side), volumeTrend(series.candles, first, last)],
    }),
    description: null,
  };
}
