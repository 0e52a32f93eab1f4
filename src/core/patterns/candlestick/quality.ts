import type { PatternSeries } from "../define.js";
import { EQUAL } from "../settings.js";
import type { Sign } from "./define.js";
import { bodyGap, bodySize, inRanges, ratio, shadow } from "./geometry.js";

/**
 * Quality of a shape: the arithmetic mean of how far each of its defining proportions lies on the way from the
 * threshold at which the shape is just seen to an ideal. The detector has already required every proportion, so
 * none can be missing; a geometric mean would give 0 to each shape that sits on a single threshold and leave
 * nothing to tell such shapes apart. Ideals follow the books where they give one and else lie where about half
 * of the shapes in ordinary series reach them, so that qualities spread over the range.
 *
 * Proportions are ratios of price differences: free of scale, and of where prices stand.
 */
export function quality(...grades: readonly number[]): number {
  let sum = 0;
  for (const value of grades) sum += value;
  return sum / grades.length;
}

/** 0 at the threshold, 1 at the ideal and beyond it, straight between them; 0 for NaN. */
export function grade(value: number, threshold: number, ideal: number): number {
  const way = (value - threshold) / (ideal - threshold);
  return way > 0 ? Math.min(way, 1) : 0;
}

// Grades of the proportions that many shapes share.

/** Body longer than the average, ideally twice as long or as given. */
export function longBody(series: PatternSeries, i: number, ideal = 2): number {
  return grade(bodySize(series, i), 1, ideal);
}

/** Body shorter than the average, ideally a quarter of it. */
export function shortBody(series: PatternSeries, i: number): number {
  return grade(bodySize(series, i), 1, 0.25);
}

/** Body at most 0.1 average ranges, ideally under 0.02. */
export function dojiBody(series: PatternSeries, i: number): number {
  return grade(inRanges(series, i, series.anatomy.body[i]), 0.1, 0.02);
}

/** Shadow at most 0.1 average ranges, ideally under 0.03, which no eye sees. */
export function noShadow(series: PatternSeries, i: number, side: Sign): number {
  return grade(inRanges(series, i, shadow(series, i, side)), 0.1, 0.03);
}

/** Bodies apart, ideally by 0.3 average ranges or as given. */
export function clearGap(series: PatternSeries, i: number, j: number, side: Sign, ideal = 0.3): number {
  return grade(inRanges(series, i, bodyGap(series, i, j, side)), 0, ideal);
}

/** A distance within the equal distance at bar `i`, ideally under a fifth of that. */
export function closeTo(series: PatternSeries, i: number, distance: number): number {
  return grade(ratio(Math.abs(distance), series.anatomy.recentRange[i]), EQUAL, EQUAL / 5);
}

/** A bar well inside the one before it, and a break of both its ends towards `-sign` by the bar `i` after it. */
export function falseBreak(
  { candles: { high, low }, anatomy }: PatternSeries,
  i: number,
  sign: Sign,
): number {
  const inside = anatomy.range[i - 1];
  return quality(
    grade(ratio(inside, anatomy.range[i - 2]), 1, 0.3),
    grade(ratio(sign * (high[i - 1] - high[i]), inside), 0, 1.2),
    grade(ratio(sign * (low[i - 1] - low[i]), inside), 0, 1.2),
  );
}
