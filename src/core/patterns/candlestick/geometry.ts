import type { PatternSeries } from "../define.js";
import type { Sign } from "./define.js";

/** The other side. */
export function against(sign: Sign): Sign {
  return sign === 1 ? -1 : 1;
}

/** part / whole of lengths; a whole of 0 makes anything infinitely large beside it, and nothing stays 0. */
export function ratio(part: number, whole: number): number {
  if (whole !== 0) return part / whole;
  return part > 0 ? Number.POSITIVE_INFINITY : 0;
}

/** Body in average bodies: above 1 is long. */
export function bodySize({ anatomy }: PatternSeries, i: number): number {
  return ratio(anatomy.body[i], anatomy.averageBody[i]);
}

/** A distance in average ranges at bar `i`. */
export function inRanges({ anatomy }: PatternSeries, i: number, distance: number): number {
  return ratio(distance, anatomy.averageRange[i]);
}

/** Upper (1) or lower (-1) end of the body. */
export function bodyEnd({ anatomy }: PatternSeries, i: number, side: Sign): number {
  return side === 1 ? anatomy.top[i] : anatomy.bottom[i];
}

/** Upper (1) or lower (-1) shadow. */
export function shadow(series: PatternSeries, i: number, side: Sign): number {
  const { high, low } = series.candles;
  return side === 1 ? high[i] - bodyEnd(series, i, 1) : bodyEnd(series, i, -1) - low[i];
}

/** How far the body of bar `i` lies above (1) or below (-1) the body of bar `j`; negative where they overlap. */
export function bodyGap(series: PatternSeries, i: number, j: number, side: Sign): number {
  return side === 1
    ? bodyEnd(series, i, -1) - bodyEnd(series, j, 1)
    : bodyEnd(series, j, -1) - bodyEnd(series, i, 1);
}

/** How far the whole of bar `i` lies above (1) or below (-1) that of bar `j`; negative where they overlap. */
export function barGap({ candles: { high, low } }: PatternSeries, i: number, j: number, side: Sign): number {
  return side === 1 ? low[i] - high[j] : low[j] - high[i];
}

/** Distance of the ends of the body of bar `i` from those of bar `j` around it, the lesser of the two. */
export function bodyMargin(series: PatternSeries, i: number, j: number): number {
  const above = bodyEnd(series, j, 1) - bodyEnd(series, i, 1);
  const below = bodyEnd(series, i, -1) - bodyEnd(series, j, -1);
  return Math.min(above, below);
}
