import { assert } from "../base/assert.js";
import { type Measure, REGIMES, type Regime, UNKNOWN } from "./define.js";
import { probabilitiesAt, type RegimeColumns } from "./regime.js";
import { metBy, REGIME_RULES } from "./rules.js";

/** A number that speaks for or against a label. */
export interface Reason {
  readonly measure: Measure;
  /** Null where it is not known. */
  readonly value: number | null;
  /** Where it begins to count and where it counts in full. */
  readonly from: number;
  readonly to: number;
  /** How far it is met at this bar alone, 0..1; a label fits as well as the least of its reasons. */
  readonly met: number;
}

export interface Explanation {
  readonly regime: Regime;
  /** Mean of this bar and the two before, 0..1. */
  readonly fit: number;
  readonly probability: number;
  /** Those that hold the label back first. */
  readonly reasons: readonly Reason[];
}

/** Each label with the numbers that made it at a bar, the most probable first. The bar must have a label. */
export function explainRegime({ label, fits, measures }: RegimeColumns, at: number): Explanation[] {
  assert(label[at] !== undefined && label[at] !== UNKNOWN, `bar ${at} has no label`);
  const probabilities = probabilitiesAt(fits, at);
  return REGIMES.map((regime, index) => {
    const reasons = REGIME_RULES[regime].conditions.map((condition) => {
      const { measure, from, to } = condition;
      const value = measures[measure][at];
      return { measure, value: Number.isNaN(value) ? null : value, from, to, met: metBy(condition, value) };
    });
    return {
      regime,
      fit: fits[index][at],
      probability: probabilities[index],
      reasons: reasons.sort((a, b) => a.met - b.met),
    };
  }).sort((a, b) => b.probability - a.probability);
}
