import { describe, expect, it } from "vitest";
import {
  type Evaluation,
  judgeCandidate,
  PROMOTION,
  PROMOTION_RULES,
} from "../../src/core/learning/governance.js";
import { GOOD } from "../fixtures/models.js";

const BETTER = {
  samples: 1_000,
  gain: 0,
  gainLow: -0.01,
  gainHigh: 0.01,
  areaGain: 0.02,
  areaGainLow: 0.01,
  areaGainHigh: 0.03,
};

/** What each rule alone refuses, at the edge and past it. */
const PAST: Readonly<Record<string, Partial<Evaluation>>> = {
  enough_samples: { samples: PROMOTION.leastSamples - 1, wins: 100 },
  both_labels: { wins: PROMOTION.leastOfEach - 1 },
  auc_above_least: { auc: PROMOTION.leastAuc },
  interval_above_half: { aucLeast: 0.5 },
  calibrated: { calibrationGap: PROMOTION.mostCalibrationGap + 1e-9 },
  sees_no_future: { unstableFeatures: 1 },
  no_outcome_before_settled: { earlyOutcomes: 1 },
  no_gain_by_shuffled_labels: { permutedLow: 0.5 + 1e-9 },
  no_gain_by_shifted_features: { shiftGainLow: 1e-9 },
};

describe("judgeCandidate", () => {
  it("promotes what passes every rule, with every value beside its limit", () => {
    const verdict = judgeCandidate(GOOD, BETTER);
    expect(verdict).toMatchObject({ promoted: true, refusedBy: null });
    expect(verdict.checks.map(({ rule }) => rule)).toEqual([...PROMOTION_RULES]);
    expect(verdict.checks[2]).toEqual({ rule: "auc_above_least", passed: true, value: 0.7, limit: 0.6 });
    expect(judgeCandidate(GOOD, null).promoted).toBe(true);
  });

  it.each(Object.entries(PAST))("refuses by %s alone", (rule, changed) => {
    const verdict = judgeCandidate({ ...GOOD, ...changed }, BETTER);
    expect(verdict).toMatchObject({ promoted: false, refusedBy: rule });
    expect(verdict.checks.filter(({ passed }) => !passed).map((check) => check.rule)).toEqual([rule]);
  });

  it("refuses what is worse than the active version", () => {
    expect(judgeCandidate(GOOD, { ...BETTER, gain: -1e-9 }).refusedBy).toBe("not_worse_than_active");
  });

  it("refuses what may rank no better than the active version, whatever log-loss it saves", () => {
    const saving = { ...BETTER, gain: 0.05, gainLow: 0.03, gainHigh: 0.07, areaGainLow: 0 };
    expect(judgeCandidate(GOOD, saving).refusedBy).toBe("ranks_better_than_active");
  });

  it("refuses what could not be measured, by any of its figures", () => {
    const figures = Object.keys(GOOD) as (keyof Evaluation)[];
    // These tell something, and decide nothing.
    const told = new Set([
      "aucLow",
      "aucHigh",
      "candidates",
      "logLoss",
      "baseLogLoss",
      "brier",
      "calibrationError",
      "permutedAuc",
      "shiftGain",
    ]);
    for (const figure of figures) {
      const verdict = judgeCandidate({ ...GOOD, [figure]: Number.NaN }, null);
      expect([figure, verdict.promoted]).toEqual([figure, told.has(figure)]);
    }
    expect(judgeCandidate(GOOD, { ...BETTER, gain: Number.NaN }).promoted).toBe(false);
    expect(judgeCandidate(GOOD, { ...BETTER, areaGainLow: Number.NaN }).promoted).toBe(false);
  });
});
