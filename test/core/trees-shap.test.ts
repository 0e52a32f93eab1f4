import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { trainTrees } from "../../src/core/learning/trees/boost.js";
import { TREE_SETTINGS } from "../../src/core/learning/trees/settings.js";
import { attributeOf } from "../../src/core/learning/trees/shap.js";
import { logOddsOf, type Trees } from "../../src/core/learning/trees/trees.js";
import { plantedSamples, rowOf } from "../fixtures/planted-samples.js";

/** Mean of the leaves of a tree where some columns are known: an unknown one goes both ways as the rows did. */
function expectedBelow(trees: Trees, row: Float64Array, known: number, node: number): number {
  const column = trees.columns[node];
  if (column < 0) return trees.values[node];
  const [left, right] = [node + 1, trees.rights[node]];
  if ((known >> column) & 1) {
    const value = row[column];
    const goesLeft = Number.isNaN(value) ? trees.missingLeft[node] === 1 : value <= trees.thresholds[node];
    return expectedBelow(trees, row, known, goesLeft ? left : right);
  }
  const share = trees.covers[left] / trees.covers[node];
  return (
    share * expectedBelow(trees, row, known, left) + (1 - share) * expectedBelow(trees, row, known, right)
  );
}

/** Shapley values by their definition, over all sets of columns (L. Shapley 1953). */
function plainShapley(trees: Trees, row: Float64Array): { base: number; parts: number[] } {
  const n = row.length;
  const worth = Array.from({ length: 2 ** n }, (_, known) => {
    let sum = trees.base;
    for (const root of trees.roots.slice(0, -1)) sum += expectedBelow(trees, row, known, root);
    return sum;
  });
  const factorial = (k: number): number => (k <= 1 ? 1 : k * factorial(k - 1));
  const parts = Array.from({ length: n }, (_, column) => {
    let part = 0;
    for (let known = 0; known < 2 ** n; known++) {
      if ((known >> column) & 1) continue;
      const size = known.toString(2).replaceAll("0", "").length;
      const weight = (factorial(size) * factorial(n - size - 1)) / factorial(n);
      part += weight * (worth[known | (1 << column)] - worth[known]);
    }
    return part;
  });
  return { base: worth[0], parts };
}

const arbitrary = fc.record({
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  depth: fc.integer({ min: 1, max: 8 }),
  rounds: fc.integer({ min: 1, max: 4 }),
  leafRows: fc.integer({ min: 1, max: 20 }),
  weighted: fc.boolean(),
});

describe("TreeSHAP", () => {
  it("is the Shapley value by its definition, with columns asked for again and missing values", () => {
    fc.assert(
      fc.property(arbitrary, ({ seed, depth, rounds, leafRows, weighted }) => {
        const planted = plantedSamples(200, 8, seed);
        const rng = createRng(seed, 1);
        const weights = planted.labels.map(() => 0.1 + rng.next());
        const samples = weighted ? { ...planted, weights } : planted;
        const trees = trainTrees(samples, { ...TREE_SETTINGS, depth, rounds, leafRows }, seed);
        for (const at of [0, 1, 2]) {
          const row = rowOf(planted, at);
          const { base, parts } = attributeOf(trees, row);
          const plain = plainShapley(trees, row);
          expect(base).toBeCloseTo(plain.base, 10);
          for (const [column, part] of parts.entries()) expect(part).toBeCloseTo(plain.parts[column], 10);
        }
      }),
      { numRuns: 40, seed: 8 },
    );
  });

  it("sums to the log-odds to 1e-9, down to sixteen splits deep", () => {
    const planted = plantedSamples(3_000, 12, 5);
    for (const depth of [3, 6, 10, 16]) {
      const settings = { ...TREE_SETTINGS, depth, rounds: 20, leafRows: 1, lambda: 0, learningRate: 1 };
      const trees = trainTrees(planted, settings, 3);
      for (let at = 0; at < 60; at++) {
        const row = rowOf(planted, at);
        const { base, parts } = attributeOf(trees, row);
        const sum = parts.reduce((before, part) => before + part, base);
        expect(Math.abs(sum - logOddsOf(trees, row))).toBeLessThan(1e-9);
      }
    }
  });

  it("gives nothing to a column that no tree asks for, and refuses rows of other columns", () => {
    const planted = plantedSamples(500, 8, 9);
    const trees = trainTrees(planted, { ...TREE_SETTINGS, rounds: 10, columnShare: 1 }, 1);
    // Column 7 copies column 0, and the first of two that are the same is taken.
    expect(attributeOf(trees, rowOf(planted, 0)).parts[7]).toBe(0);
    expect(attributeOf(trees, rowOf(planted, 0)).parts[0]).not.toBe(0);
    expect(() => attributeOf(trees, new Float64Array(7))).toThrow("the row has the columns of the trees");
  });
});
