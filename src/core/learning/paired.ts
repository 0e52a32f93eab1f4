import { meanOf } from "../base/stats.js";
import { resample, studentBounds } from "./auc-error.js";
import { check, type RuleCheck } from "./governance.js";

/** What a candidate gained over the active version on the same drawn cases. */
export interface PairedGain {
  readonly samples: number;
  readonly gain: number;
  /** Its interval, 95 %. */
  readonly low: number;
  readonly high: number;
}

/** Cases of one kind, which count together as much as those of another. */
export interface PairedPart {
  /** Of the candidate less the active version, case by case, in the order in which they were drawn. */
  readonly gains: Float64Array;
  /** Mean length of blocks of cases that hang together; 1 where none does. */
  readonly meanBlock: number;
}

const DRAWS = 1_000;

/** The mean of the means of the parts, with its interval by a bootstrap of pairs in blocks and Student's distribution. */
export function pairedGain(parts: readonly PairedPart[], seed: number): PairedGain {
  const all = Float64Array.from(parts.flatMap(({ gains }) => Array.from(gains)));
  let from = 0;
  const placed = parts.map(({ gains, meanBlock }) => {
    const rows = Int32Array.from(gains.keys(), (k) => from + k);
    from += gains.length;
    return { rows, meanBlock };
  });
  const meanBy = (weights: Float64Array) =>
    meanOf(
      placed.map(({ rows }) => {
        let sum = 0;
        for (const row of rows) sum += weights[row] * all[row];
        return sum / rows.length;
      }),
    );
  const gain = meanBy(new Float64Array(all.length).fill(1));
  const terms = { seed, draws: DRAWS, parts: placed };
  const { low, high } = studentBounds(resample({ labels: all }, terms, gain, meanBy));
  return { samples: all.length, gain, low, high };
}

/** Rules of what is compared with the active version: it loses nothing, and it gains beyond chance. */
export const PAIRED_RULES = ["not_worse_than_active", "better_than_active"] as const;
export type PairedRule = (typeof PAIRED_RULES)[number];

/** @param found null without an active version, which passes. */
export function pairedChecks(
  found: Pick<PairedGain, "gain" | "low"> | null,
): readonly RuleCheck<PairedRule>[] {
  return [
    check("not_worse_than_active", found?.gain ?? null, 0, found === null || found.gain >= 0),
    check("better_than_active", found?.low ?? null, 0, found === null || found.low > 0),
  ];
}
