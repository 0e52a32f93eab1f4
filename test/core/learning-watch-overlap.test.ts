import { describe, expect, it } from "vitest";
import { judgeDecay, type LiveScores, WATCH } from "../../src/core/learning/watch.js";
import { type OverlapTerms, overlappingRows } from "../fixtures/overlapping-rows.js";
import { sized } from "../fixtures/sizes.js";

const SETS = sized({ usual: 5, full: 20 });
const TERMS = { ...WATCH, draws: 200 };

/** Of so many versions, those that any look takes back, each at 50 labels more than the one before. */
function takenBack(of: OverlapTerms, labelsOf: (rows: LiveScores) => LiveScores = (rows) => rows): number {
  let taken = 0;
  for (let seed = 1; seed <= SETS; seed++) {
    const { scores, labels, decidedAt, settledAt } = labelsOf(overlappingRows(seed, of));
    for (let to = 50; to <= of.rows; to += 50) {
      const cut = (column: Float64Array) => column.slice(0, to);
      const seen = { scores: cut(scores), labels: cut(labels) };
      const found = judgeDecay({ ...seen, decidedAt: cut(decidedAt), settledAt: cut(settledAt) }, TERMS);
      if (found === null || found.reason === null) continue;
      taken++;
      break;
    }
  }
  return taken;
}

describe("the watch where 30 decisions are open at once", () => {
  it.each([
    ["0.60", 0.37],
    ["0.655", 0.57],
  ])(
    `leaves ${SETS - 1} or more of ${SETS} calibrated versions with an AUC of %s over 1,500 labels`,
    (_, edge) => {
      expect(takenBack({ rows: 1_500, overlap: 30, memory: 30, edge })).toBeLessThanOrEqual(1);
      expect(takenBack({ rows: 1_500, overlap: 30, memory: 1, edge })).toBeLessThanOrEqual(1);
    },
  );

  it("takes back most of those whose labels turned, and of those that tell nothing once there are enough", () => {
    const turned = { rows: 1_500, overlap: 30, memory: 30, edge: -0.57, claimed: 0.57 };
    expect(takenBack(turned)).toBeGreaterThanOrEqual(0.8 * SETS);
    expect(takenBack({ ...turned, overlap: 5, memory: 5, edge: 0 })).toBeGreaterThanOrEqual(
      sized({ usual: 4, full: 16 }),
    );
    expect(takenBack({ ...turned, memory: 1, rows: 1_500, edge: 0 })).toBeGreaterThanOrEqual(
      sized({ usual: 3, full: 11 }),
    );
  });
});
