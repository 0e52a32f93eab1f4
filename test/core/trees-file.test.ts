import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WeightsRefused } from "../../src/core/learning/define.js";
import { gradientTrees } from "../../src/core/learning/gradient-trees.js";
import {
  decodeGroupedTrees,
  encodeGroupedTrees,
  GROUP_SETTINGS,
  trainGroupedTrees,
} from "../../src/core/learning/grouped-trees.js";
import { TREE_SETTINGS } from "../../src/core/learning/trees/settings.js";
import { plantedSamples, rowOf } from "../fixtures/planted-samples.js";

type File = Record<string, unknown[]>;

const kind = gradientTrees({ ...TREE_SETTINGS, rounds: 12, learningRate: 0.2 });
const planted = plantedSamples(800, 8, 14);
const trees = kind.train(planted, 1);
const text = JSON.stringify(kind.encode(trees));
const file = () => JSON.parse(text) as File;
const rows = [0, 1, 2, 3].map((row) => rowOf(planted, row));

describe("a file of trees", () => {
  it("is read back to the last bit", () => {
    const read = kind.decode(file());
    expect(read).toEqual(trees);
    expect(trees.roots.length).toBeGreaterThan(5);
    for (const row of rows) {
      expect(kind.score(read, row)).toBe(kind.score(trees, row));
      expect(kind.explain(read, row)).toEqual(kind.explain(trees, row));
    }
    const none = gradientTrees({ ...TREE_SETTINGS, rounds: 0 });
    const empty = none.train(planted, 1);
    expect(none.decode(JSON.parse(JSON.stringify(none.encode(empty))))).toEqual(empty);
    expect(none.score(empty, rows[0])).toBeCloseTo(
      planted.labels.reduce((sum, label) => sum + label, 0) / 800,
      12,
    );
  });

  const lists = Object.keys(file()).filter((key) => key !== "base");
  const strange = fc.oneof(
    fc.constantFrom<unknown>(Number.NaN, Number.POSITIVE_INFINITY, null, undefined, "1", true, [], {}),
    fc.constantFrom<unknown>(1e300, -1e300, -2, 0.5),
  );

  it("is refused with a reason whichever number in it is none, or a place or length is wrong", () => {
    const faults = fc.record({
      key: fc.constantFrom(...lists),
      place: fc.nat(),
      by: strange,
      fault: fc.constantFrom("replace", "drop", "repeat", "cut", "no list", "no key"),
    });
    const counts = { refused: 0, kept: 0 };
    fc.assert(
      fc.property(faults, ({ key, place, by, fault }) => {
        const broken = file();
        const list = broken[key];
        const at = place % list.length;
        if (fault === "replace") list[at] = by;
        if (fault === "drop") list.splice(at, 1);
        if (fault === "repeat") list.splice(at, 0, list[at]);
        if (fault === "cut") list.length = at;
        if (fault === "no list") Object.assign(broken, { [key]: by });
        if (fault === "no key") delete broken[key];
        try {
          const read = kind.decode(broken);
          // Only another finite number that could have been there may pass, and it must be of use.
          if (key !== "names") expect(fault).toBe("replace");
          expect(["thresholds", "values", "gains", "names"]).toContain(key);
          for (const whole of rows) {
            const row = whole.slice(0, read.names.length);
            const { base, parts } = kind.explain(read, row);
            const sum = parts.reduce((before, part) => before + part, base);
            expect(1 / (1 + Math.exp(-sum))).toBeCloseTo(kind.score(read, row), 9);
          }
          counts.kept++;
        } catch (error) {
          if (!(error instanceof WeightsRefused)) throw error;
          expect(error.message).toMatch(/^[a-z].{8,}$/i);
          counts.refused++;
        }
      }),
      { numRuns: 1_500, seed: 2 },
    );
    expect(counts.refused).toBeGreaterThan(20 * counts.kept);
  });

  it("is refused whichever node points elsewhere, or covers or asks for something else", () => {
    const whole = file();
    const nodes = whole.columns.length;
    const refused = (key: string, at: number, by: unknown) => {
      const broken = file();
      broken[key][at] = by;
      expect(() => kind.decode(broken), `${key} ${at} ${by}`).toThrow(WeightsRefused);
    };
    for (let node = 0; node < Math.min(nodes, 60); node++) {
      const right = whole.rights[node];
      for (const by of [0, node, node + 1, Number(right) + 1, Number(right) - 1, nodes - 1, nodes]) {
        if (by !== right) refused("rights", node, by);
      }
      refused("covers", node, Number(whole.covers[node]) + 1);
      refused("columns", node, whole.columns[node] === -1 ? 0 : -1);
      refused("columns", node, 8);
    }
    for (let tree = 0; tree < whole.roots.length; tree++) {
      for (const by of [0, 1, Number(whole.roots[tree]) + 1, nodes]) {
        if (by !== whole.roots[tree]) refused("roots", tree, by);
      }
    }
  });

  it.each([
    ["trees are no object", null],
    ["trees are no object", []],
    ["trees are no object", "{}"],
    ["trees lack names, base, roots", {}],
    ["trees have what is not known: more", { ...file(), more: 1 }],
    ["base is no finite number", { ...file(), base: Number.NaN }],
    ["base is out of range", { ...file(), base: 1e9 }],
    ["names repeat", { ...file(), names: ["a", "a"] }],
    ["a name is no text", { ...file(), names: ["a", ""] }],
    ["columns is out of range", { ...file(), names: ["a"] }],
    ["roots begin with 0", { ...file(), roots: [] }],
    ["covers are above 0", { ...file(), covers: file().covers.map((cover) => -Number(cover)) }],
  ])("is refused because %s", (reason, broken) => {
    expect(() => kind.decode(broken)).toThrow(reason);
    expect(() => kind.decode(broken)).toThrow(WeightsRefused);
  });

  it("is refused where trees are too deep or not one after another", () => {
    const chain = (depth: number) => {
      const inner = Array.from({ length: depth }, (_, i) => i);
      // Each node has a leaf to its left and the next one to its right.
      return {
        names: ["a"],
        base: 0,
        roots: [0, 2 * depth + 1],
        columns: [...inner.flatMap(() => [0, -1]), -1],
        thresholds: [...inner.flatMap((i) => [i + 1, 0]), 0],
        missingLeft: new Array(2 * depth + 1).fill(0),
        rights: [...inner.flatMap((i) => [2 * i + 2, 0]), 0],
        values: [...inner.flatMap(() => [0, 0.1]), 0.2],
        covers: [...inner.flatMap((i) => [depth + 1 - i, 1]), 1],
        gains: [...inner.flatMap(() => [1, 0]), 0],
      };
    };
    expect(kind.score(kind.decode(chain(16)), Float64Array.of(20))).toBeCloseTo(1 / (1 + Math.exp(-0.2)), 12);
    expect(() => kind.decode(chain(17))).toThrow("no deeper than 16");
    expect(() => kind.decode({ ...chain(3), roots: [0, 3, 7] })).toThrow(WeightsRefused);
  });
});

describe("a file of grouped trees", () => {
  const keys = Array.from(planted.labels, (_, row) => (row % 2 === 0 ? "a" : "b"));
  const labels = planted.labels.map((label, row) => (row % 2 === 0 ? label : 1 - label));
  const settings = { ...GROUP_SETTINGS, leastRows: 100, leastOfClass: 20 };
  const grouped = trainGroupedTrees({ ...planted, labels }, keys, settings, 3);
  const encoded = () => JSON.parse(JSON.stringify(encodeGroupedTrees(grouped)));

  it("is read back to the last bit", () => {
    expect([...grouped.groups.keys()]).toEqual(["a", "b"]);
    expect(decodeGroupedTrees(encoded())).toEqual(grouped);
  });

  it("is refused with a part that does not fit", () => {
    const breaks: readonly ((broken: ReturnType<typeof encoded>) => void)[] = [
      (broken) => broken.groups.reverse(),
      (broken) => broken.groups.push(broken.groups[1]),
      (broken) => (broken.groups[0].share = 1.5),
      (broken) => (broken.groups[0].share = null),
      (broken) => (broken.groups[0].key = 1),
      (broken) => (broken.groups[1].trees.names[2] = "other"),
      (broken) => broken.groups[1].trees.values.pop(),
      (broken) => delete broken.groups[1].trees,
      (broken) => (broken.groups = {}),
      (broken) => (broken.global = null),
      (broken) => delete broken.global,
      (broken) => (broken.groups[0] = null),
    ];
    for (const change of breaks) {
      const broken = encoded();
      change(broken);
      expect(() => decodeGroupedTrees(broken), change.toString()).toThrow(WeightsRefused);
    }
  });
});
