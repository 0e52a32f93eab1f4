import { assert } from "../base/assert.js";
import { lowerBound } from "../base/search.js";
import { quantileOf, sumOf } from "../base/stats.js";
import { WeightsRefused } from "./define.js";
import { readColumn, readFields } from "./read-weights.js";

/** From which index on a column has moved, by custom (N. Siddiqi 2006, Credit Risk Scorecards). */
export const STABILITY_LIMITS = {
  /** Below it a column stands still. */
  moved: 0.1,
  /** From it on a model should not be trusted with it. */
  shifted: 0.25,
} as const;

/** Counted to each bin beside what fell into it, so that an empty one has a logarithm: Jeffreys' prior. */
const SMOOTHING = 0.5;
const BINS = 10;

/** How a column was distributed. Bins: up to the first edge, from each edge to the next, after the last, and NaN. */
export interface ReferenceBins {
  /** Strictly ascending; a value at an edge belongs to the bin that ends there. */
  readonly edges: Float64Array;
  /** Values of each bin, that of NaN last: two more than edges. */
  readonly counts: Float64Array;
}

/**
 * Bins of about equal counts by quantiles of a column; fewer where many values are equal.
 * @param bins without that of NaN. Infinite values are kept, at either end.
 */
export function binReference(column: Float64Array, bins = BINS): ReferenceBins {
  assert(Number.isInteger(bins) && bins >= 2, "there are bins");
  const sorted = column.filter((value) => !Number.isNaN(value)).sort();
  const edges: number[] = [];
  for (let k = 1; k < bins && sorted.length > 0; k++) {
    const edge = quantileOf(sorted, k / bins);
    const after = edges.length === 0 || edge > edges[edges.length - 1];
    // Nothing lies above the highest value.
    if (Number.isFinite(edge) && after && edge < sorted[sorted.length - 1]) edges.push(edge);
  }
  const ascending = Float64Array.from(edges);
  return { edges: ascending, counts: countBins(ascending, column) };
}

function countBins(edges: Float64Array, column: Float64Array): Float64Array {
  const counts = new Float64Array(edges.length + 2);
  for (const value of column) counts[Number.isNaN(value) ? edges.length + 1 : lowerBound(edges, value)]++;
  return counts;
}

/** How far a column has moved from what it was. */
export interface Stability {
  /** Population stability index: 0 for the same shares, symmetric; NaN where either column is empty. */
  readonly index: number;
  /** What it stays below in 95 of 100 columns that have not moved. */
  readonly chance: number;
  /** Index that each bin adds, that of NaN last. */
  readonly parts: Float64Array;
}

/**
 * Population stability index, `sum (q - p) ln(q / p)` over bins (H. Jeffreys 1946, N. Siddiqi 2006), of shares with half
 * a value counted to each bin. Of two samples of one distribution it is about chi-squared by 1/n + 1/m (B. Yurdakul
 * 2018), which is well above the usual limits where samples are small.
 * @param independent how many of the recent values do not follow from each other, m: values of one market at one time, or
 * of windows that overlap, are nearly one.
 */
export function stabilityOf(
  { edges, counts }: ReferenceBins,
  recent: Float64Array,
  independent = recent.length,
): Stability {
  const found = countBins(edges, recent);
  const [n, m] = [sumOf(counts), recent.length];
  const bins = counts.length;
  let [index, used] = [n * m === 0 ? Number.NaN : 0, 0];
  const parts = counts.map((count, bin) => {
    if (count + found[bin] > 0) used++;
    const p = (count + SMOOTHING) / (n + SMOOTHING * bins);
    const q = (found[bin] + SMOOTHING) / (m + SMOOTHING * bins);
    const part = (q - p) * Math.log(q / p);
    index += part;
    return part;
  });
  return { index, chance: (1 / n + 1 / independent) * chiSquareQuantile(used - 1), parts };
}

/** The chi-squared value with 95 % below it (E. Wilson and M. Hilferty 1931). */
function chiSquareQuantile(degrees: number): number {
  if (degrees < 1) return 0;
  const spread = 2 / (9 * degrees);
  return degrees * (1 - spread + 1.6448536269514722 * Math.sqrt(spread)) ** 3;
}

/** `steady` below the limits or within chance, `moved` and `shifted` from the limits on, `unknown` without values. */
export function stabilityVerdict({ index, chance }: Stability): "steady" | "moved" | "shifted" | "unknown" {
  if (Number.isNaN(index)) return "unknown";
  if (index < STABILITY_LIMITS.moved || index <= chance) return "steady";
  return index < STABILITY_LIMITS.shifted ? "moved" : "shifted";
}

/** JSON of bins. */
export function encodeBins({ edges, counts }: ReferenceBins): unknown {
  return { edges: [...edges], counts: [...counts] };
}

/** @throws {WeightsRefused} for all that is not whole, finite and of one shape. */
export function decodeBins(value: unknown): ReferenceBins {
  const fields = readFields(value, ["edges", "counts"], "bins");
  const edges = readColumn(fields.edges, null, "edges");
  for (let i = 1; i < edges.length; i++)
    if (edges[i] <= edges[i - 1]) throw new WeightsRefused("edges do not ascend");
  const counts = readColumn(fields.counts, edges.length + 2, "counts", 0, Number.MAX_SAFE_INTEGER);
  if (!counts.every(Number.isInteger)) throw new WeightsRefused("a count is no whole number");
  return { edges, counts };
}
