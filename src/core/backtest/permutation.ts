import { assert } from "../base/assert.js";
import { createRng, shuffleBlocks } from "../base/rng.js";
import { deviationOf, meanOf } from "../base/stats.js";
import { absent, type Figure, figureOf } from "../performance/figure.js";

/** How positions are torn from the returns they were taken for. */
export type PermutationScheme =
  /** Moved along by any number of periods, around the end: what follows upon each other stays together. */
  | { readonly kind: "shift" }
  /** Cut into blocks of so many periods, which are put in another order. */
  | { readonly kind: "blocks"; readonly periods: number };

export interface PermutationTerms {
  readonly scheme: PermutationScheme;
  /** Permutations that are drawn, 1 or more. */
  readonly count: number;
  readonly seed: number;
}

export interface PermutationTest {
  /** `(b + 1) / (count + 1)`, b of the permutations having earned as much or more (Phipson and Smyth 2010). */
  readonly p: Figure;
  /** Sum of positions times returns, and its mean and standard deviation over the permutations. */
  readonly observed: number;
  readonly mean: number;
  readonly deviation: number;
  readonly atLeast: number;
  readonly count: number;
}

/**
 * Whether positions earned more than the same positions would have at other times (T. Masters 2018). Costs are left
 * out: other times turn over as much, but for where blocks meet.
 * @param positions held while the return beside each was earned, of any size and sign.
 * @param returns of what is traded, by period, of the same length.
 */
export function permutationTest(
  positions: Float64Array,
  returns: Float64Array,
  { scheme, count, seed }: PermutationTerms,
): PermutationTest {
  const n = positions.length;
  assert(returns.length === n, "a position for each return");
  assert(count >= 1, "a permutation at least");
  assert(scheme.kind === "shift" || scheme.periods >= 1, "a block has a period");
  const observed = n === 0 ? 0 : earned(positions, returns, 0);
  const rng = createRng(seed);
  const drawn = Float64Array.from({ length: n === 0 ? 0 : count }, () =>
    scheme.kind === "shift"
      ? earned(positions, returns, rng.below(n))
      : earned(shuffleBlocks(positions, scheme.periods, rng), returns, 0),
  );
  // Sums of the same numbers in another order differ by what doubles lack, and count as equal.
  const slack = 1e-12 * returns.reduce((sum, each, i) => sum + Math.abs(each * positions[i]), 0);
  const atLeast = drawn.filter((each) => each >= observed - slack).length;
  return {
    p: uselessFor(positions) ?? figureOf((atLeast + 1) / (count + 1)),
    observed,
    mean: meanOf(drawn),
    deviation: deviationOf(drawn),
    atLeast,
    count,
  };
}

/** Why positions cannot be told from others; null where they can. */
function uselessFor(positions: Float64Array): Figure | null {
  if (positions.length === 0) return absent("no period");
  return positions.every((each) => each === positions[0]) ? absent("the position never changed") : null;
}

/** @param shift how many periods later each position is held. */
function earned(positions: Float64Array, returns: Float64Array, shift: number): number {
  const n = positions.length;
  let sum = 0;
  for (let i = 0, at = n - shift; i < n; i++, at++) {
    if (at >= n) at -= n;
    sum += positions[at] * returns[i];
  }
  return sum;
}
