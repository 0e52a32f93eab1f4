import { describe, expect, it } from "vitest";
import { createRng, shuffle } from "../../src/core/base/rng.js";
import type { Samples } from "../../src/core/learning/define.js";
import { gradientTrees } from "../../src/core/learning/gradient-trees.js";
import {
  GROUP_SETTINGS,
  type GroupedTrees,
  groupedAttribution,
  groupedLogOdds,
  groupedScore,
  trainGroupedTrees,
} from "../../src/core/learning/grouped-trees.js";
import { pickSamples } from "../../src/core/learning/rows.js";
import { trainTrees } from "../../src/core/learning/trees/boost.js";
import { splitLater } from "../../src/core/learning/trees/later.js";
import { lossAt, meanLoss } from "../../src/core/learning/trees/loss.js";
import { TREE_SETTINGS } from "../../src/core/learning/trees/settings.js";
import { logOddsOf, logOddsOfAll } from "../../src/core/learning/trees/trees.js";
import { plantedSamples, rowOf, stretchOf } from "../fixtures/planted-samples.js";

const kind = gradientTrees();
const planted = plantedSamples(3_000, 8, 31);
const early = stretchOf(planted, 0, 2_000);
const late = stretchOf(planted, 2_000, 3_000);

describe("gradient trees", () => {
  it("tell later rows better than the share of ones, and explain each score", () => {
    const trees = kind.train(early, 5);
    const share = early.labels.reduce((sum, label) => sum + label, 0) / 2_000;
    const blind = new Float64Array(1_000).fill(Math.log(share / (1 - share)));
    const loss = meanLoss(logOddsOfAll(trees, late.columns), late.labels);
    expect(loss).toBeLessThan(0.9 * meanLoss(blind, late.labels));
    for (let at = 0; at < 50; at++) {
      const row = rowOf(late, at);
      const { base, parts } = kind.explain(trees, row);
      const logOdds = parts.reduce((sum, part) => sum + part, base);
      expect(1 / (1 + Math.exp(-logOdds))).toBeCloseTo(kind.score(trees, row), 12);
    }
    expect(kind.train(early, 5)).toEqual(trees);
  });

  it("are none where labels hang on nothing, or too few to tell", () => {
    let trees = 0;
    for (let seed = 1; seed <= 10; seed++) {
      const labels = early.labels.slice();
      shuffle(labels, createRng(seed));
      trees += kind.train({ ...early, labels }, seed).roots.length - 1;
    }
    expect(trees / 10).toBeLessThan(10);
    expect(kind.train(early, 1).roots.length - 1).toBeGreaterThan(50);
    const few = kind.train(stretchOf(planted, 0, 200), 1);
    expect(few.roots).toHaveLength(1);
    expect(() => kind.train({ ...early, labels: new Float64Array(2_000) }, 1)).toThrow("both classes");
  });

  it("learn their number only from rows that had settled before the last fifth and its embargo", () => {
    const settledAt = early.decidedAt.map((time, row) => time + (row % 2 === 0 ? 0 : 300));
    const split = splitLater({ ...early, settledAt });
    expect(split?.later).toEqual(Int32Array.from({ length: 400 }, (_, i) => 1_600 + i));
    const open = Array.from({ length: 1_600 }, (_, row) => row).filter(
      (row) => row + (row % 2 === 0 ? 0 : 300) < 1_580,
    );
    expect([...(split?.lesson ?? [])]).toEqual(open);
    // Bars of many symbols close at once, and are told apart by nothing.
    const decidedAt = early.decidedAt.map((time) => Math.floor(time / 700));
    expect(splitLater({ ...early, decidedAt, settledAt: decidedAt })?.later[0]).toBe(1_400);
    expect(splitLater(stretchOf(planted, 0, 0))).toBeNull();
  });
});

const KEYS = ["crypto|1h|range", "equity|1d|trend", "equity|1h|trend", "fx|1d|range"];

/** Rows in four groups, in which columns 0 and 1 say the same, or in the second and third the opposite; the last is small. */
function groupedRows(rows: number, seed: number, differ: boolean): { samples: Samples; keys: string[] } {
  const samples = plantedSamples(rows, 8, seed);
  const rng = createRng(seed, 9);
  const keys = Array.from({ length: rows }, () => KEYS[rng.next() < 0.02 ? 3 : rng.below(3)]);
  const labels = samples.labels.map((_, row) => {
    const sign = differ && (keys[row] === KEYS[1] || keys[row] === KEYS[2]) ? -1 : 1;
    const logOdds = sign * samples.columns[0][row] + samples.columns[1][row];
    return rng.next() < 1 / (1 + Math.exp(-logOdds)) ? 1 : 0;
  });
  return { samples: { ...samples, labels }, keys };
}

function losses(trees: GroupedTrees, { samples, keys }: ReturnType<typeof groupedRows>) {
  let [grouped, global] = [0, 0];
  for (const [row, label] of samples.labels.entries()) {
    const values = rowOf(samples, row);
    grouped += lossAt(groupedLogOdds(trees, values, keys[row]), label);
    global += lossAt(logOddsOf(trees.global, values), label);
  }
  return { grouped: grouped / keys.length, global: global / keys.length };
}

describe("grouped trees", () => {
  const settings = {
    ...GROUP_SETTINGS,
    global: { ...TREE_SETTINGS, rounds: 60 },
    group: { ...GROUP_SETTINGS.group, rounds: 60 },
    halfAt: 300,
  };
  const differing = groupedRows(4_000, 41, true);
  const trees = trainGroupedTrees(differing.samples, differing.keys, settings, 7);

  it("learn what groups differ by", () => {
    const { grouped, global } = losses(trees, groupedRows(3_000, 42, true));
    expect(grouped).toBeLessThan(0.95 * global);
    expect([...trees.groups.keys()]).toEqual(KEYS.slice(0, 3));
    expect(trainGroupedTrees(differing.samples, differing.keys, settings, 7)).toEqual(trees);
  });

  it("lose next to nothing where groups do not differ", () => {
    const same = groupedRows(4_000, 43, false);
    const { grouped, global } = losses(
      trainGroupedTrees(same.samples, same.keys, settings, 7),
      groupedRows(3_000, 44, false),
    );
    expect(grouped).toBeLessThan(1.01 * global);
  });

  it("take of a group the share that its rows are worth", () => {
    const rows = differing.keys.filter((key) => key === KEYS[1]).length;
    expect(trees.groups.get(KEYS[1])?.share).toBeCloseTo(rows / (rows + 300), 12);
    // Rows of which one in ten counts ten times are worth less than so many.
    const weights = differing.samples.labels.map((_, row) => (row % 10 === 0 ? 10 : 1));
    const weighed = trainGroupedTrees({ ...differing.samples, weights }, differing.keys, settings, 7);
    const own = [...weights].filter((_, row) => differing.keys[row] === KEYS[1]);
    const worth =
      own.reduce((sum, each) => sum + each, 0) ** 2 / own.reduce((sum, each) => sum + each * each, 0);
    expect(worth).toBeLessThan(0.5 * rows);
    expect(weighed.groups.get(KEYS[1])?.share).toBeCloseTo(worth / (worth + 300), 12);
    const shy = trainGroupedTrees(differing.samples, differing.keys, { ...settings, halfAt: 1e9 }, 7);
    for (let row = 0; row < 20; row++) {
      const values = rowOf(differing.samples, row);
      for (const key of KEYS) {
        expect(groupedLogOdds(shy, values, key)).toBeCloseTo(logOddsOf(shy.global, values), 4);
      }
    }
  });

  it("say what all say of a group that is small, of one class, or not known", () => {
    const values = rowOf(differing.samples, 3);
    for (const key of [KEYS[3], "index|1m|range", "__proto__"]) {
      expect(groupedScore(trees, values, key)).toBe(1 / (1 + Math.exp(-logOddsOf(trees.global, values))));
    }
    const labels = differing.samples.labels.map((label, row) =>
      differing.keys[row] === KEYS[1] ? 1 : label,
    );
    const single = trainGroupedTrees({ ...differing.samples, labels }, differing.keys, settings, 7);
    expect(single.groups.has(KEYS[1])).toBe(false);
    const few = stretchOf(differing.samples, 0, 200);
    const none = trainGroupedTrees(few, differing.keys.slice(0, 200), settings, 7);
    expect([none.groups.size, none.global.roots.length]).toEqual([0, 1]);
  });

  it("are as many as the tests of walk-forward folds say, each by the rows that it learned from", () => {
    const { samples, keys } = groupedRows(2_000, 45, false);
    // The newest labels hang on nothing: by the last fifth alone there would be next to no trees.
    const noisy = samples.labels.slice(1_600);
    shuffle(noisy, createRng(4));
    const labels = Float64Array.from([...samples.labels.slice(0, 1_600), ...noisy]);
    const given = { ...samples, labels };
    const range = (from: number, to: number) => Int32Array.from({ length: to - from }, (_, k) => from + k);
    const folds = [400, 800, 1_200, 1_600].map((cut) => ({
      train: range(0, cut - 5),
      test: range(cut, cut + 400),
    }));
    const few = { train: range(0, 30), test: range(60, 300) };
    const shallow = { ...settings, leastRows: 1e9 };
    const found = trainGroupedTrees(given, keys, shallow, 7, [few, ...folds]).global.roots.length - 1;
    const best = folds.map(({ train, test }) => {
      const later = { samples: pickSamples(given, test) };
      return trainTrees(pickSamples(given, train), shallow.global, 7, { later }).roots.length - 1;
    });
    const rows = folds.map(({ train }) => train.length);
    const sum = best.reduce((total, each, k) => total + each * rows[k], 0);
    expect(found).toBe(Math.round(sum / rows.reduce((total, each) => total + each)));
    expect(found).toBeGreaterThan(2 * best[3]);
    expect(trainGroupedTrees(given, keys, shallow, 7, [few])).toEqual(
      trainGroupedTrees(given, keys, shallow, 7),
    );
  });

  it("say nothing else of one group for what another has learned", () => {
    const labels = differing.samples.labels.slice();
    const others = Int32Array.from(differing.keys.flatMap((key, row) => (key === KEYS[1] ? [] : [row])));
    const part = (settingsOf: typeof settings) =>
      trainGroupedTrees({ ...differing.samples, labels }, differing.keys, settingsOf, 7).groups;
    // With no trees of all, a group hangs on its own rows alone.
    const alone = { ...settings, global: { ...TREE_SETTINGS, rounds: 0 } };
    const before = part(alone).get(KEYS[1]);
    const ones = others.reduce((sum, row) => sum + labels[row], 0);
    // The same share of ones, so that the base of all stays.
    for (const [i, row] of others.entries()) labels[row] = i < ones ? 1 : 0;
    expect(part(alone).get(KEYS[1])).toEqual(before);
    expect(before?.trees.roots.length).toBeGreaterThan(1);
  });

  it("explain a score of a group by parts that sum to its log-odds", () => {
    for (let row = 0; row < 40; row++) {
      const values = rowOf(differing.samples, row);
      for (const key of [...KEYS, "none"]) {
        const { base, parts } = groupedAttribution(trees, values, key);
        const sum = parts.reduce((before, part) => before + part, base);
        expect(Math.abs(sum - groupedLogOdds(trees, values, key))).toBeLessThan(1e-9);
      }
    }
  });
});
