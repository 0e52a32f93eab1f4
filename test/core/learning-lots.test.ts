import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { deviationOf } from "../../src/core/base/stats.js";
import { areaInterval } from "../../src/core/learning/auc-error.js";
import { learnCandidate } from "../../src/core/learning/candidate.js";
import { bootstrapOf } from "../../src/core/learning/evaluation.js";
import { PROMOTION } from "../../src/core/learning/governance.js";
import { tryLots } from "../../src/core/learning/lots-tried.js";
import { servesLot } from "../../src/features/models/card.js";
import { columnLesson, termsOf } from "../fixtures/learning-lessons.js";
import { sized } from "../fixtures/sizes.js";

const terms = termsOf(1, { permutations: 2, draws: 100 });
const BOOTSTRAP = { seed: 1, draws: 200 };

describe("a model of several lots", () => {
  it("may serve those alone in which its tail has enough rows, and in which it ranks", () => {
    const lesson = columnLesson(3, 4_000, 1.5);
    const rng = createRng(4);
    // Nothing tells of the labels of coins, and of funds the newest rows have few.
    const lots = Array.from({ length: 4_000 }, (_, row) =>
      row % 2 === 0 ? "equity 1d" : row % 80 === 1 ? "etf 1d" : "crypto 5m",
    );
    const labels = lesson.samples.labels.map((label, row) =>
      lots[row] === "crypto 5m" ? Number(rng.next() < 0.5) : label,
    );
    const found = learnCandidate({ ...lesson, lots, samples: { ...lesson.samples, labels } }, terms, null);
    if (!("model" in found)) throw new Error(found.reason);
    expect(found.verdict.checks.find(({ rule }) => rule === "auc_above_least")?.passed).toBe(true);
    expect(found.lots.map(({ lot, serves }) => [lot, serves])).toEqual([
      ["crypto 5m", false],
      ["equity 1d", true],
      ["etf 1d", false],
    ]);
    expect(found.lots.reduce((sum, { samples }) => sum + samples, 0)).toBe(found.evaluation.samples);
  });

  it("is told by lot from its own rows, as if there were no others", () => {
    const rng = createRng(5);
    const labels = Float64Array.from({ length: 600 }, () => Number(rng.next() < 0.5));
    const scores = labels.map((label) => 0.3 * label + rng.next());
    const lots = Array.from(labels, (_, row) => (row < 300 ? "a" : "b"));
    const [a, b] = tryLots({ scores, labels }, lots, PROMOTION, BOOTSTRAP);
    const first = { scores: scores.slice(0, 300), labels: labels.slice(0, 300) };
    expect(tryLots(first, lots.slice(0, 300), PROMOTION, BOOTSTRAP)).toEqual([a]);
    expect(b.lot).toBe("b");
    const few = { scores: scores.slice(0, 99), labels: labels.slice(0, 99) };
    expect(tryLots(few, lots.slice(0, 99), { leastAuc: 0 }, BOOTSTRAP)[0].serves).toBe(false);
  });

  it("has intervals about as wide as figures spread where one row in eight overlaps for forty of its lot", () => {
    const [SHARE, RUN, WORLDS] = [8, 40, sized({ usual: 30, full: 60 })];
    // Some three times what a deviation over so many worlds is off by.
    const off = sized({ usual: 0.35, full: 0.25 });
    const ROWS = SHARE * RUN * 15;
    const isSlow = (row: number) => row % SHARE === 0;
    const lots = Array.from({ length: ROWS }, (_, row) => (isSlow(row) ? "equity 1d" : "crypto 5m"));
    const decidedAt = Float64Array.from({ length: ROWS }, (_, row) => row);
    const settledAt = decidedAt.map((row) => row + (isSlow(row) ? SHARE * RUN : 1) - 0.5);
    const areas = new Float64Array(WORLDS);
    const errors = { apart: 0, together: 0 };
    for (let world = 0; world < WORLDS; world++) {
      const rng = createRng(world, 8);
      const [scores, labels] = [new Float64Array(ROWS), new Float64Array(ROWS)];
      for (let row = 0; row < ROWS; row++) {
        if (isSlow(row) && row % (SHARE * RUN) !== 0) {
          [scores[row], labels[row]] = [scores[row - SHARE], labels[row - SHARE]];
          continue;
        }
        scores[row] = rng.normal();
        labels[row] = Number(rng.next() < 1 / (1 + Math.exp(-scores[row])));
      }
      const samples = { names: [], columns: [], labels, decidedAt, settledAt };
      const few = { ...terms, draws: 40, blockRows: 1 };
      const { value, error } = areaInterval({ scores, labels }, bootstrapOf({ samples, lots }, few, lots));
      areas[world] = value;
      errors.apart += error / WORLDS;
      errors.together += areaInterval({ scores, labels }, bootstrapOf({ samples }, few, [])).error / WORLDS;
    }
    const spread = deviationOf(areas);
    expect(errors.apart / spread).toBeGreaterThan(1 - off);
    expect(errors.apart / spread).toBeLessThan(1 + off);
    // Blocks of all rows in time are too short for the one lot, and say too little.
    expect(errors.together / spread).toBeLessThan(0.7);
  });

  it("serves what its stored figures say that it was tried on, and nothing without them", () => {
    const lot = {
      asset_class: "equity",
      timeframe: "1d",
      samples: 300,
      auc: 0.7,
      auc_low: 0.6,
      serves: true,
    };
    expect(servesLot({ lots: [lot] }, "equity", "1d")).toBe(true);
    expect(servesLot({ lots: [lot] }, "equity", "5m")).toBe(false);
    expect(servesLot({ lots: [{ ...lot, serves: false }] }, "equity", "1d")).toBe(false);
    expect(servesLot({}, "equity", "1d")).toBe(false);
    expect(servesLot({ lots: "all" }, "equity", "1d")).toBe(false);
  });
});
