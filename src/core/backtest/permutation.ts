import { assert } from "../base/assert.js";
import { deviationOf, meanOf } from "../base/stats.js";

export interface PermutationTest {
  /** `(b + 1) / (count + 1)`, b of the draws having come to as much or more (Phipson and Smyth 2010). */
  readonly p: number;
  /** Mean and standard deviation over the draws. */
  readonly mean: number;
  readonly deviation: number;
  readonly atLeast: number;
  readonly count: number;
}

/** Values that differ by what doubles lack count as equal. */
const SLACK = 1e-12;

/**
 * Whether something came to more than it would have on markets whose bars do not depend on each other. Of one whose
 * bars indeed do not, p is as likely to be at or below each `k / (count + 1)` as that says, whatever a strategy looks
 * at, for it is run anew on each draw; it is no test of what drift alone gives, which all draws have too.
 * @param drawn the same of each draw, of `permutedBars` say; one or more.
 */
export function permutationTest(observed: number, drawn: Float64Array): PermutationTest {
  const count = drawn.length;
  assert(count >= 1, "a draw at least");
  const slack = SLACK * Math.max(1, Math.abs(observed));
  const atLeast = drawn.filter((each) => each >= observed - slack).length;
  return {
    p: (atLeast + 1) / (count + 1),
    mean: meanOf(drawn),
    deviation: deviationOf(drawn),
    atLeast,
    count,
  };
}
