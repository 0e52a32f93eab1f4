import { studentTail } from "../base/inference.js";
import { meanOf, sumOf } from "../base/stats.js";
import { resample, studentBounds } from "./auc-error.js";
import { type DifferenceTest, twoProportionTest, welchTest } from "./compare.js";
import { BLOCK_SPAN, overlapOf } from "./lesson.js";

/** What decisions came to, each once, in the order in which they were decided. */
export interface Observed {
  readonly values: Float64Array;
  /** When each was decided, and when its outcome was known, epoch ms. */
  readonly decidedAt: Float64Array;
  readonly settledAt: Float64Array;
}

const BOOTSTRAP = { seed: 1, draws: 1_000 };
const NOTHING = { pValue: Number.NaN, low: -Infinity, high: Infinity };

/**
 * Whether the mean of decisions of one sample differs from that of another whose decisions are others: by Student's
 * distribution over draws of either in blocks twice as long as its outcomes overlap, no narrower than where decisions are
 * independent. With fewer than two blocks of either nothing is known.
 * @param kind shares have values of 1 and 0.
 */
export function compareMeans(first: Observed, second: Observed, kind: "shares" | "means"): DifferenceTest {
  const [n, m] = [first.values.length, second.values.length];
  const difference = meanOf(second.values) - meanOf(first.values);
  const parts = [first, second].map((sample, k) => ({
    rows: Int32Array.from(sample.values, (_, row) => row + (k === 0 ? 0 : n)),
    meanBlock: BLOCK_SPAN * overlapOf(sample),
  }));
  if (parts.some(({ rows, meanBlock }) => rows.length < 2 * meanBlock)) return { difference, ...NOTHING };
  const values = Float64Array.of(...first.values, ...second.values);
  const found = resample({ labels: values }, { ...BOOTSTRAP, parts }, difference, (weights) => {
    const sums = [0, 0];
    for (let i = 0; i < values.length; i++) sums[i < n ? 0 : 1] += weights[i] * values[i];
    return sums[1] / m - sums[0] / n;
  });
  const share = ({ values: hits }: Observed) => ({ hits: sumOf(hits), n: hits.length });
  const alone =
    kind === "shares"
      ? twoProportionTest(share(first), share(second))
      : welchTest(first.values, second.values);
  const error = Math.max(found.error, Number.isNaN(alone.error) ? 0 : alone.error);
  if (error === 0) return { difference, ...NOTHING };
  return {
    difference,
    pValue: studentTail(difference / error, found.degrees),
    ...studentBounds({ ...found, error }),
  };
}
