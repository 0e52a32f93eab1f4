import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { judgeDuel } from "../../src/core/learning/duel.js";
import { binReference, stabilityOf } from "../../src/core/learning/stability.js";
import { judgeDecay, judgeShift, type LiveScores, VOTE_WATCH, WATCH } from "../../src/core/learning/watch.js";
import { sized } from "../fixtures/sizes.js";

const chance = (odds: number) => 1 / (1 + Math.exp(-odds));

/**
 * Decisions one after the other, each settled as four more are made. @param strength how much of what is said is so, by
 * place: 1 for odds that are kept, 0 for none, below 0 for turned ones.
 */
function live(
  seed: number,
  count: number,
  strength: (place: number) => number,
): LiveScores & { odds: Float64Array } {
  const rng = createRng(seed, 84);
  const odds = Float64Array.from({ length: count }, () => rng.normal());
  const labels = odds.map((value, i) => (rng.next() < chance(strength(i) * value) ? 1 : 0));
  const decidedAt = odds.map((_, i) => i);
  return { odds, labels, scores: odds.map(chance), decidedAt, settledAt: decidedAt.map((at) => at + 4) };
}

const newest = (of: LiveScores, to: number): LiveScores => ({
  scores: of.scores.slice(0, to),
  labels: of.labels.slice(0, to),
  decidedAt: of.decidedAt.slice(0, to),
  settledAt: of.settledAt.slice(0, to),
});

describe("judgeDecay", () => {
  it("leaves a model that keeps its chances, at every look over 3,000 decisions", () => {
    const kept = live(1, 3_000, () => 1);
    for (let to = WATCH.least; to <= 3_000; to += 100)
      expect([to, judgeDecay(newest(kept, to))?.reason]).toEqual([to, null]);
  });

  it("takes back what told 1,500 decisions and then tells nothing, within the next 700", () => {
    const dead = live(2, 4_000, (i) => (i < 1_500 ? 1 : 0));
    expect(judgeDecay(newest(dead, 1_500))?.reason).toBeNull();
    const found = judgeDecay(newest(dead, 2_200));
    expect(found).toMatchObject({ samples: WATCH.window, leastAuc: 0.6 });
    expect(["edge_lost", "miscalibrated", "errors_rose"]).toContain(found?.reason);
    expect(judgeDecay(dead)?.reason).not.toBeNull();
  });

  it("takes back what is as good as chance from the first, once enough labels tell", () => {
    const none = live(3, 500, () => 0);
    expect(judgeDecay(newest(none, 99))).toBeNull();
    expect(judgeDecay(none)?.reason).toBe("edge_lost");
  });

  it("takes back what has turned, and says so", () => {
    const turned = live(4, 2_100, (i) => (i < 1_500 ? 1 : -1));
    expect(judgeDecay(turned)?.reason).toBe("worse_than_chance");
  });

  it("finds by the errors themselves what still ranks, and no longer tells how likely", () => {
    // Ranks as before, and says four times the odds that are so: errors as great as those of no model.
    const own = live(5, 4_000, (i) => (i < 2_000 ? 1 : 0.9));
    const scores = own.odds.map((value, i) => chance((i < 2_000 ? 1 : 4) * value));
    const found = judgeDecay({ ...own, scores });
    expect(found?.errorSince).toBeGreaterThan(found?.errorBefore ?? 1);
    expect(["errors_rose", "miscalibrated"]).toContain(found?.reason);
    expect(found?.aucHigh).toBeGreaterThan(0.6);
  });

  it("asks of votes that they say no less than chance, and nothing of how likely", () => {
    const none = live(6, 500, () => 0);
    const shrill = none.odds.map((value) => chance(9 * value));
    expect(judgeDecay({ ...none, scores: shrill }, VOTE_WATCH)?.reason).toBeNull();
    expect(
      judgeDecay(
        live(7, 500, () => -1),
        VOTE_WATCH,
      )?.reason,
    ).toBe("worse_than_chance");
  });
});

describe("judgeShift", () => {
  const rng = createRng(9);
  const column = (shift: number, count: number) =>
    Float64Array.from({ length: count }, () => rng.normal() + shift);
  const reference = binReference(column(0, 2_000));
  const stabilities = [0, 1.5, 0, 1.5].map((shift) => stabilityOf(reference, column(shift, 500)));

  it("weighs columns that have shifted by what a model learned by them", () => {
    expect(judgeShift(stabilities, [0.3, 0.1, 0.3, 0.3])).toMatchObject({ shifted: 0.4, reason: null });
    expect(judgeShift(stabilities, [0.2, 0.4, 0.2, 0.2])).toMatchObject({ reason: "features_shifted" });
    expect(
      judgeShift(
        stabilities.map(() => stabilities[0]),
        [0.2, 0.4, 0.2, 0.2],
      ).shifted,
    ).toBe(0);
  });
});

describe("judgeDuel", () => {
  const duel = (seed: number, noise: number, count = 400) => {
    const own = live(seed, count, () => 1);
    const rng = createRng(seed, 85);
    return judgeDuel(
      own,
      own.odds.map((value) => chance(value + noise * rng.normal())),
    );
  };

  const DUELS = sized({ usual: 16, full: 40 });
  const MOST = sized({ usual: 1, full: 2 });

  it.each([0.1, 0.4])(
    `lets ${MOST} or fewer of ${DUELS} take over that are the active one with noise of %d`,
    (noise) => {
      const promoted = Array.from({ length: DUELS }, (_, seed) => duel(seed, noise)).filter(
        ({ verdict }) => verdict === "promote",
      );
      expect(promoted.length).toBeLessThanOrEqual(MOST);
    },
  );

  it("looks at the first 50, 100, 200 and 400 labels, whenever it is asked", () => {
    const own = live(50, 400, () => 1);
    const blind = newest(own, 400);
    const even = { ...blind, scores: blind.scores.map(() => 0.5) };
    const asked = [49, 50, 73, 99, 150, 260, 400].map((to) =>
      judgeDuel(newest(even, to), own.scores.slice(0, to)),
    );
    expect(asked[0]).toMatchObject({ samples: 0, verdict: "wait" });
    expect(asked.slice(1).map(({ samples }) => [50, 100, 200, 400].includes(samples))).not.toContain(false);
    expect(asked[2]).toEqual(asked[1]);
    expect(asked[6]).toMatchObject({ verdict: "promote" });
    const decided = asked.findIndex(({ verdict }) => verdict === "promote");
    expect(new Set(asked.slice(decided).map(({ samples }) => samples)).size).toBe(1);
  });

  it("gives up what is worse before the last look, and what is not better at it", () => {
    const own = live(60, 400, () => 1);
    const turned = own.scores.map((score) => 1 - score);
    expect(judgeDuel(own, turned)).toMatchObject({ samples: 100, verdict: "refuse" });
    expect(judgeDuel(own, own.scores)).toMatchObject({
      ...{ samples: 400, areaGain: 0, gain: 0, verdict: "refuse" },
    });
  });

  it("lets none take over that is calibrated anew and ranks alike, and none that ranks better and loses log-loss", () => {
    const own = live(61, 400, () => 1);
    const shrill = { ...own, scores: own.odds.map((value) => chance(4 * value)) };
    const calmed = judgeDuel(shrill, own.scores);
    expect(calmed).toMatchObject({ samples: 400, areaGain: 0, verdict: "refuse" });
    expect(calmed.gainLow).toBeGreaterThan(0);
    const rng = createRng(61, 85);
    const blurred = { ...own, scores: own.odds.map((value) => chance(0.3 * value + rng.normal())) };
    const better = judgeDuel(
      blurred,
      shrill.scores.map((score) => 0.5 * score),
    );
    expect(better.areaGain).toBeGreaterThan(0);
    expect(better).toMatchObject({ verdict: "refuse" });
    expect(better.gain).toBeLessThan(0);
    expect(judgeDuel(blurred, own.scores).verdict).toBe("promote");
  });
});
