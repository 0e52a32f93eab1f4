import { sumOf } from "../base/stats.js";
import { LAYERS, type LayerName } from "../signals/fuse.js";
import { compositeOf, type LayerVote } from "./layer-stack.js";
import { areaUnderCurve } from "./metrics.js";

/** What one layer did to decisions: each composite beside the one without it, at the weights of its time. */
export interface LayerPart {
  readonly name: LayerName;
  /** Decisions in which it spoke. */
  readonly decisions: number;
  /** Mean of what it adds to the composite towards the direction, and of its size, as shares of 1; null of none. */
  readonly meanMarginal: number | null;
  readonly meanAbsolute: number | null;
  /** Decisions that have ended, and how much of their order the composites get right with and without it; null where nothing tells. */
  readonly settled: number;
  /** Of them with label 1. */
  readonly wins: number;
  readonly aucWith: number | null;
  readonly aucWithout: number | null;
}

/** A decision with the weights that layers had then; a label of null has not ended. */
export interface WeighedVote extends Pick<LayerVote, "values" | "direction"> {
  readonly weights: Readonly<Record<LayerName, number>>;
  readonly label: 0 | 1 | null;
}

/** Leaves one layer out at a time of every decision in which it spoke. */
export function attributeLayers(votes: readonly WeighedVote[]): LayerPart[] {
  return LAYERS.map((name) => {
    const spoke = votes.filter(({ values }) => !Number.isNaN(values[name]));
    const whole = spoke.map((vote) => compositeOf(vote.weights, vote));
    const without = spoke.map(({ values, weights, direction }) =>
      compositeOf(weights, { values: { ...values, [name]: Number.NaN }, direction }),
    );
    const marginals = whole.map((composite, k) => composite - without[k]);
    const ended = spoke.flatMap(({ label }, k) => (label === null ? [] : [{ label, k }]));
    const labels = Float64Array.from(ended, ({ label }) => label);
    const area = (scores: readonly number[]) => {
      const found = areaUnderCurve({ scores: Float64Array.from(ended, ({ k }) => scores[k]), labels });
      return Number.isNaN(found) ? null : found;
    };
    return {
      name,
      decisions: spoke.length,
      meanMarginal: meanOf(marginals),
      meanAbsolute: meanOf(marginals.map(Math.abs)),
      settled: ended.length,
      wins: sumOf(labels),
      aucWith: area(whole),
      aucWithout: area(without),
    };
  });
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
