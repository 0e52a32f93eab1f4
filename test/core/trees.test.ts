import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng, shuffle } from "../../src/core/base/rng.js";
import type { Samples } from "../../src/core/learning/define.js";
import { binColumns, shiftOf, wordOf } from "../../src/core/learning/trees/bins.js";
import { boostTrees, trainTrees } from "../../src/core/learning/trees/boost.js";
import { createDraws } from "../../src/core/learning/trees/draws.js";
import { chanceOf, interceptOf, lossAt, meanLoss } from "../../src/core/learning/trees/loss.js";
import { TREE_SETTINGS, type TreeSettings } from "../../src/core/learning/trees/settings.js";
import { importancesOf, logOddsOf, logOddsOfAll, type Trees } from "../../src/core/learning/trees/trees.js";
import { type PlainNode, plainTree } from "../fixtures/plain-trees.js";
import { plantedSamples, rowOf, stretchOf } from "../fixtures/planted-samples.js";

const FULL: TreeSettings = { ...TREE_SETTINGS, rowShare: 1, columnShare: 1, rounds: 20 };

const codesOf = (column: Float64Array, bins?: number) => {
  const { words, edges } = binColumns([column], bins);
  return { codes: Array.from(words[0], (word) => word & 255), edges: [...edges[0]] };
};

describe("bins", () => {
  const value = fc.oneof(fc.constant(Number.NaN), fc.double({ noNaN: true, noDefaultInfinity: true }));
  const few = fc.oneof(fc.constant(Number.NaN), fc.integer({ min: -4, max: 4 }));

  it("keep the order of values, never part equal ones, and give what is missing a code of its own", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(value, few), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 2, max: 255 }),
        (values, bins) => {
          const { codes, edges } = codesOf(Float64Array.from(values), bins);
          expect(edges.length).toBeLessThanOrEqual(bins);
          expect(edges.at(-1)).toBe(Number.MAX_VALUE);
          for (let i = 1; i < edges.length; i++) expect(edges[i]).toBeGreaterThan(edges[i - 1]);
          for (const [i, each] of values.entries()) {
            const plain = Number.isNaN(each) ? edges.length : edges.findIndex((edge) => each <= edge);
            expect(codes[i]).toBe(plain);
          }
          const distinct = new Set(values.filter((each) => !Number.isNaN(each)).map((each) => each + 0));
          if (distinct.size <= bins) {
            expect(new Set(codes.filter((code) => code < edges.length)).size).toBe(distinct.size);
          }
        },
      ),
      { seed: 3 },
    );
  });

  it("hold as many rows each, and edges lie halfway between values", () => {
    const rng = createRng(4);
    const { codes, edges } = codesOf(
      Float64Array.from({ length: 10_000 }, () => rng.normal()),
      100,
    );
    expect(edges).toHaveLength(100);
    const counts = edges.map((_, bin) => codes.filter((code) => code === bin).length);
    expect([Math.min(...counts), Math.max(...counts)]).toEqual([100, 100]);
    expect(codesOf(Float64Array.of(5, 1, 1, 2)).edges).toEqual([1.5, 3.5, Number.MAX_VALUE]);
    // Half of the rows are 0, and the other bins share what is left.
    const heavy = Float64Array.from({ length: 1_000 }, (_, i) => (i % 2 === 0 ? 0 : i));
    const loads = codesOf(heavy, 11);
    const load = (bin: number) => loads.codes.filter((code) => code === bin).length;
    expect(load(0)).toBe(500);
    expect(loads.edges.slice(1).map((_, bin) => load(bin + 1))).toEqual(new Array(10).fill(50));
  });

  it("pack four columns into a word", () => {
    const { columns } = plantedSamples(50, 9, 2);
    const { words, edges } = binColumns(columns);
    expect(words).toHaveLength(3);
    for (const [column, values] of columns.entries()) {
      const codes = Array.from(words[wordOf(column)], (word) => (word >>> shiftOf(column)) & 255);
      expect(codes).toEqual(codesOf(values).codes);
    }
    expect(edges).toHaveLength(9);
  });

  it("refuse infinite values and columns of different lengths", () => {
    expect(() => binColumns([Float64Array.of(1, Number.POSITIVE_INFINITY)])).toThrow("finite or NaN");
    expect(() => binColumns([new Float64Array(2), new Float64Array(3)])).toThrow("one length");
    expect(codesOf(Float64Array.of(Number.NaN, Number.NaN))).toEqual({
      codes: [1, 1],
      edges: [Number.MAX_VALUE],
    });
  });
});

describe("log-loss", () => {
  it("is minus the logarithm of the chance of what came, also where the chance rounds to 1", () => {
    for (const logOdds of [-30, -2, 0, 0.5, 7]) {
      expect(lossAt(logOdds, 1)).toBeCloseTo(-Math.log(chanceOf(logOdds)), 9);
      expect(lossAt(logOdds, 0)).toBeCloseTo(-Math.log(chanceOf(-logOdds)), 9);
    }
    expect(lossAt(800, 0)).toBe(800);
    expect(meanLoss(Float64Array.of(0, 3), Float64Array.of(1, 0), Float64Array.of(1, 0.5))).toBeCloseTo(
      (Math.log(2) + 0.5 * lossAt(3, 0)) / 1.5,
      12,
    );
  });

  it("has an intercept that expects as many ones as there are", () => {
    const { labels, columns } = plantedSamples(400, 8, 3);
    const rows = Int32Array.from({ length: 400 }, (_, row) => row);
    const weights = columns[1].map((each) => 0.1 + each * each);
    const base = interceptOf(rows, labels, weights, columns[0]);
    let [expected, ones] = [0, 0];
    for (const row of rows) {
      expected += weights[row] * chanceOf(columns[0][row] + base);
      ones += weights[row] * labels[row];
    }
    expect(expected).toBeCloseTo(ones, 9);
    const zero = new Float64Array(400);
    expect(interceptOf(rows, labels, weights, zero)).toBeCloseTo(interceptOf(rows, labels, weights), 12);
    expect(() => interceptOf(rows, zero)).toThrow("labels are of both classes");
  });
});

/** A tree as the plain one tells it. */
function toldFrom(trees: Trees, node: number): PlainNode {
  const column = trees.columns[node];
  if (column < 0) return { value: expect.closeTo(trees.values[node], 9), cover: trees.covers[node] };
  return {
    column,
    threshold: trees.thresholds[node],
    missingLeft: trees.missingLeft[node] === 1,
    left: toldFrom(trees, node + 1),
    right: toldFrom(trees, trees.rights[node]),
  };
}

/** The leaf of a row below a node, by thresholds. */
function leafOf(trees: Trees, root: number, row: Float64Array): number {
  let node = root;
  while (trees.columns[node] >= 0) {
    const value = row[trees.columns[node]];
    const left = Number.isNaN(value) ? trees.missingLeft[node] === 1 : value <= trees.thresholds[node];
    node = left ? node + 1 : trees.rights[node];
  }
  return node;
}

describe("a tree", () => {
  it("is the one that trying every threshold on every row gives", () => {
    const cases = fc.record({
      seed: fc.integer({ min: 1, max: 1_000_000 }),
      depth: fc.integer({ min: 1, max: 4 }),
      leafRows: fc.integer({ min: 5, max: 40 }),
      lambda: fc.constantFrom(0, 1, 10),
      leastGain: fc.constantFrom(0, 1),
      bins: fc.constantFrom(4, 16),
    });
    fc.assert(
      fc.property(cases, ({ seed, ...chosen }) => {
        const settings = { ...FULL, ...chosen, rounds: 1, learningRate: 0.5 };
        const planted = plantedSamples(200, 8, seed);
        const trees = trainTrees(planted, settings, 1);
        const chance = chanceOf(trees.base);
        const rows = Array.from(planted.labels, (label, row) => ({
          values: [...rowOf(planted, row)],
          gradient: chance - label,
          hessian: chance * (1 - chance),
        }));
        const thresholds = binColumns(planted.columns, settings.bins).edges.map((each) => [...each]);
        const plain = plainTree(rows, thresholds, settings);
        if ("value" in plain) expect(trees.roots).toHaveLength(1);
        else expect(plain).toEqual(toldFrom(trees, 0));
      }),
      { numRuns: 60, seed: 21 },
    );
  });

  it("says by thresholds what it said by bins, and every leaf has rows enough", () => {
    const planted = plantedSamples(1_500, 10, 6);
    const trees = trainTrees(planted, { ...FULL, depth: 6, leafRows: 7, learningRate: 0.3 }, 1);
    for (let tree = 0; tree + 1 < trees.roots.length; tree++) {
      const counts = new Map<number, number>();
      for (let row = 0; row < 1_500; row++) {
        const node = leafOf(trees, trees.roots[tree], rowOf(planted, row));
        counts.set(node, (counts.get(node) ?? 0) + 1);
      }
      for (const [node, count] of counts) {
        expect(trees.covers[node]).toBe(count);
        expect(count).toBeGreaterThanOrEqual(7);
      }
      expect(trees.covers[trees.roots[tree]]).toBe(1_500);
    }
  });

  it("sends what no row lacked to where most rows went", () => {
    const planted = plantedSamples(600, 8, 12);
    const whole = { ...planted, columns: planted.columns.map((column) => column.map((each) => each || 0)) };
    const trees = trainTrees(whole, { ...FULL, rounds: 5 }, 1);
    expect(trees.columns.length).toBeGreaterThan(20);
    for (const [node, column] of trees.columns.entries()) {
      if (column < 0) continue;
      const left = trees.covers[node + 1] >= trees.covers[trees.rights[node]];
      expect(trees.missingLeft[node]).toBe(left ? 1 : 0);
    }
  });

  it("sees that a value is missing", () => {
    const rng = createRng(5);
    const column = Float64Array.from({ length: 400 }, (_, row) => (row % 3 === 0 ? Number.NaN : rng.next()));
    const labels = column.map((each, row) => (Number.isNaN(each) === row % 10 > 0 ? 1 : 0));
    const time = column.map((_, row) => row);
    const samples = { names: ["a"], columns: [column], labels, decidedAt: time, settledAt: time };
    const trees = trainTrees(samples, { ...FULL, depth: 1 }, 1);
    const missing = logOddsOf(trees, Float64Array.of(Number.NaN));
    expect(missing - logOddsOf(trees, Float64Array.of(0.9))).toBeGreaterThan(1);
    expect(logOddsOf(trees, Float64Array.of(-5))).toBe(logOddsOf(trees, Float64Array.of(5)));
  });
});

describe("boosting", () => {
  const planted = plantedSamples(2_000, 10, 7);
  const loss = (trees: Trees, samples: Samples) =>
    meanLoss(logOddsOfAll(trees, samples.columns), samples.labels);

  it("lowers the loss with every tree that has all rows", () => {
    let before = loss(trainTrees(planted, { ...FULL, rounds: 0 }, 1), planted);
    for (let rounds = 1; rounds <= 10; rounds++) {
      const after = loss(trainTrees(planted, { ...FULL, rounds }, 1), planted);
      expect(after).toBeLessThan(before);
      before = after;
    }
  });

  it("is the same of one seed to the last bit, and another of another", () => {
    expect(trainTrees(planted, TREE_SETTINGS, 4)).toEqual(trainTrees(planted, TREE_SETTINGS, 4));
    const [one, other] = [4, 5].map((seed) => trainTrees(planted, { ...FULL, rowShare: 0.5 }, seed));
    expect(one).not.toEqual(other);
    const [three, four] = [4, 5].map((seed) => trainTrees(planted, { ...FULL, columnShare: 0.5 }, seed));
    expect(three).not.toEqual(four);
    expect(trainTrees(planted, FULL, 4)).toEqual(trainTrees(planted, FULL, 5));
  });

  it("draws the share of rows and columns that was asked for", () => {
    const trees = trainTrees(planted, { ...TREE_SETTINGS, rowShare: 0.3, columnShare: 0.2, rounds: 40 }, 4);
    const used = new Set<number>();
    for (let tree = 0; tree + 1 < trees.roots.length; tree++) {
      expect(trees.covers[trees.roots[tree]]).toBe(600);
      const columns = trees.columns.slice(trees.roots[tree], trees.roots[tree + 1]);
      const own = new Set(columns.filter((column) => column >= 0));
      expect(own.size).toBeLessThanOrEqual(2);
      for (const column of own) used.add(column);
    }
    expect(used.size).toBe(10);
  });

  it("has in every leaf the Newton step of the rows that were drawn, after all trees before", () => {
    const settings = { ...TREE_SETTINGS, rounds: 12, rowShare: 0.6, learningRate: 0.3, lambda: 2 };
    const weights = planted.columns[3].map((each) => 0.5 + each * each);
    const offset = planted.columns[8];
    const trees = trainTrees({ ...planted, weights }, settings, 6, { offset });
    const logOdds = offset.map((each) => each + trees.base);
    const every = Int32Array.from({ length: 2_000 }, (_, row) => row);
    const draws = createDraws(every, 10, settings, 6);
    expect(trees.roots).toHaveLength(13);
    for (let round = 0; round < 12; round++) {
      const { rows, others, columns } = draws.draw(round);
      expect([...rows, ...others].sort((a, b) => a - b)).toEqual([...every]);
      expect([rows.length, columns.length, new Set(columns).size]).toEqual([1_200, 8, 8]);
      const drawn = new Set(rows);
      const leaves = every.map((row) => leafOf(trees, trees.roots[round], rowOf(planted, row)));
      const sums = new Map<number, [number, number, number]>();
      for (const row of drawn) {
        const chance = chanceOf(logOdds[row]);
        const [gradient, hessian, cover] = sums.get(leaves[row]) ?? [0, 0, 0];
        sums.set(leaves[row], [
          gradient + weights[row] * (chance - planted.labels[row]),
          hessian + weights[row] * chance * (1 - chance),
          cover + weights[row],
        ]);
      }
      for (const [leaf, [gradient, hessian, cover]] of sums) {
        expect(trees.values[leaf]).toBeCloseTo((-0.3 * gradient) / (hessian + 2), 10);
        expect(trees.covers[leaf]).toBeCloseTo(cover, 8);
      }
      for (const row of every) logOdds[row] += trees.values[leaves[row]];
    }
  });

  it("hangs on the order of values alone", () => {
    const cubes = { ...planted, columns: planted.columns.map((column) => column.map((each) => each ** 3)) };
    const [one, other] = [planted, cubes].map((samples) => trainTrees(samples, TREE_SETTINGS, 2));
    expect({ ...other, thresholds: one.thresholds }).toEqual(one);
    expect(other.thresholds).not.toEqual(one.thresholds);
  });

  it("never takes the second of two columns that are the same", () => {
    const { splits, gains } = importancesOf(trainTrees(planted, FULL, 1));
    expect([splits[7], gains[7]]).toEqual([0, 0]);
    expect(splits[0]).toBeGreaterThan(5);
    // What the labels hang on is worth more than what they do not.
    expect(Math.min(gains[0], gains[1], gains[2])).toBeGreaterThan(Math.max(gains[8], gains[9]));
  });

  it("counts a row of weight 2 as two rows", () => {
    const coarse = planted.columns.map((column) => column.map((each) => Math.round(8 * each)));
    const samples = { ...planted, columns: coarse };
    const weights = planted.labels.map((_, row) => 1 + (row % 3 === 0 ? 1 : 0));
    const twice = Int32Array.from([...weights].flatMap((weight, row) => (weight === 2 ? [row, row] : [row])));
    const at = (column: Float64Array) => Float64Array.from(twice, (row) => column[row]);
    const doubled = { ...samples, columns: coarse.map(at), labels: at(planted.labels) };
    const settings = { ...FULL, leafRows: 1, leafHessian: 4 };
    const weighted = logOddsOfAll(trainTrees({ ...samples, weights }, settings, 1), coarse);
    const copied = logOddsOfAll(trainTrees(doubled, settings, 1), coarse);
    for (const [row, each] of weighted.entries()) expect(each).toBeCloseTo(copied[row], 9);
  });

  it("takes log-odds from before as given, and learns from some rows of many", () => {
    const { names, labels, columns } = planted;
    const offset = new Float64Array(2_000).fill(1.5);
    const shifted = trainTrees(planted, FULL, 1, { offset });
    const plain = trainTrees(planted, FULL, 1);
    expect(shifted.base + 1.5).toBeCloseTo(plain.base, 10);
    const [a, b] = [shifted, plain].map((trees) => logOddsOfAll(trees, columns));
    for (const [row, each] of a.entries()) expect(each + 1.5).toBeCloseTo(b[row], 8);
    // Log-odds that explain the labels leave less to learn.
    const known = trainTrees(planted, FULL, 1, { offset: b });
    const left = importancesOf(known).gains.reduce((sum, gain) => sum + gain, 0);
    expect(left).toBeLessThan(0.7 * importancesOf(plain).gains.reduce((sum, gain) => sum + gain, 0));
    const rows = Int32Array.from({ length: 1_000 }, (_, i) => 2 * i + 1);
    const binned = binColumns(columns);
    const some = boostTrees({ names, binned, labels, rows }, FULL, 1);
    const blind = labels.map((label, row) => (row % 2 === 0 ? 1 - label : label));
    expect(boostTrees({ names, binned, labels: blind, rows }, FULL, 1)).toEqual(some);
  });

  it("stops once later rows are told no better, and keeps the trees up to the best", () => {
    const [early, late] = [stretchOf(planted, 0, 1_000), stretchOf(planted, 1_000, 2_000)];
    const settings = { ...FULL, depth: 6, learningRate: 0.3, leafRows: 2, patience: 10, rounds: 100 };
    const stopped = trainTrees(early, settings, 1, { later: { samples: late } });
    const kept = stopped.roots.length - 1;
    expect(kept).toBeGreaterThan(1);
    expect(kept).toBeLessThan(60);
    expect(stopped).toEqual(trainTrees(early, { ...settings, rounds: kept }, 1));
    for (let rounds = 1; rounds <= kept + settings.patience; rounds++) {
      const other = loss(trainTrees(early, { ...settings, rounds }, 1), late);
      if (rounds !== kept) expect(other).toBeGreaterThan(loss(stopped, late));
    }
  });

  it("grows no tree that later rows do not bear out", () => {
    const labels = planted.labels.slice();
    shuffle(labels, createRng(3));
    const noise = { ...planted, labels };
    const later = { samples: stretchOf(noise, 1_000, 2_000) };
    const trees = trainTrees(stretchOf(noise, 0, 1_000), { ...FULL, depth: 6 }, 1, { later });
    expect(trees.roots.length - 1).toBeLessThanOrEqual(2);
  });

  it("refuses later rows that overlap in time or have other columns, and settings out of range", () => {
    const early = stretchOf(planted, 0, 1_001);
    const late = stretchOf(planted, 1_000, 2_000);
    expect(trainTrees(early, FULL, 1, { later: { samples: late } }).roots.length).toBeGreaterThan(1);
    const settledAt = early.settledAt.map((time, row) => (row === 17 ? 1_000.5 : time));
    const open = { ...early, settledAt };
    expect(() => trainTrees(open, FULL, 1, { later: { samples: late } })).toThrow("have settled");
    const other = { ...late, names: [...late.names].reverse() };
    expect(() => trainTrees(early, FULL, 1, { later: { samples: other } })).toThrow("the same columns");
    for (const wrong of [
      { depth: 0 },
      { depth: 17 },
      { learningRate: 0 },
      { leafRows: 0 },
      { rowShare: 1.1 },
      { lambda: -1 },
      { bins: 256 },
      { patience: 0 },
      { rounds: 0.5 },
    ]) {
      expect(() => trainTrees(planted, { ...FULL, ...wrong }, 1)).toThrow();
    }
  });
});
