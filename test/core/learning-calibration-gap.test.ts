import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { meanOf } from "../../src/core/base/stats.js";
import { calibrationGap } from "../../src/core/learning/calibration-gap.js";
import { expectedCalibrationError, type Scored } from "../../src/core/learning/metrics.js";

const TERMS = { seed: 1, draws: 200, meanBlock: 1 };
const SETS = 60;

/** Scores that are even over 0.2..0.8; the chance of label 1 is the score and a shift. */
function shiftedRows(seed: number, rows: number, shift: number): Scored {
  const rng = createRng(seed, 84);
  const scores = Float64Array.from({ length: rows }, () => 0.2 + 0.6 * rng.next());
  return { scores, labels: scores.map((score) => (rng.next() < score + shift ? 1 : 0)) };
}

const over = (rows: number, shift: number, figure: (scored: Scored) => number) =>
  meanOf(Float64Array.from({ length: SETS }, (_, seed) => figure(shiftedRows(seed, rows, shift))));
const squared = (scored: Scored) => calibrationGap(scored, TERMS) ** 2;

describe("calibrationGap", () => {
  it("is small where chances are kept, which the plain mean distance of few rows is not", () => {
    expect(over(400, 0, (scored) => expectedCalibrationError(scored))).toBeGreaterThan(0.05);
    expect(over(400, 0, (scored) => calibrationGap(scored, TERMS))).toBeLessThan(0.02);
  });

  it.each([400, 1_600])("is the distance that was planted, whatever the number of rows: %d", (rows) => {
    expect(Math.sqrt(over(rows, 0.12, squared))).toBeGreaterThan(0.11);
    expect(Math.sqrt(over(rows, 0.12, squared))).toBeLessThan(0.13);
  });

  it("takes off more where outcomes come in runs", () => {
    const rng = createRng(5);
    const scores = Float64Array.from({ length: 600 }, () => 0.2 + 0.6 * rng.next());
    let state = 0.5;
    const labels = scores.map((score, i) => {
      if (i % 40 === 0) state = 0.6 * rng.next() - 0.3;
      return rng.next() < score + state ? 1 : 0;
    });
    const single = calibrationGap({ scores, labels }, TERMS);
    expect(calibrationGap({ scores, labels }, { ...TERMS, meanBlock: 40 })).toBeLessThan(single);
  });

  it("says nothing of no rows", () => {
    const none = new Float64Array();
    expect(calibrationGap({ scores: none, labels: none }, TERMS)).toBeNaN();
  });
});
