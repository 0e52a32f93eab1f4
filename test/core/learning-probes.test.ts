import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import type { Samples } from "../../src/core/learning/define.js";
import { onlineLogistic } from "../../src/core/learning/online-logistic.js";
import { probePermuted, probeShifted, type TrainAndScore } from "../../src/core/learning/probes.js";
import { logisticSamples } from "../fixtures/learning-rows.js";

function cut(samples: Samples, from: number, to: number): Samples {
  return {
    names: samples.names,
    columns: samples.columns.map((column) => column.slice(from, to)),
    labels: samples.labels.slice(from, to),
    decidedAt: samples.decidedAt.slice(from, to),
    settledAt: samples.settledAt.slice(from, to),
  };
}

/** Trains on the first rows and scores from another on. */
function trainUntil(shareTrained: number, shareScored: number): TrainAndScore {
  return (samples, seed) => {
    const n = samples.labels.length;
    const weights = onlineLogistic.train(cut(samples, 0, Math.floor(n * shareTrained)), seed);
    const tail = cut(samples, Math.floor(n * shareScored), n);
    const scores = tail.labels.map((_, i) =>
      onlineLogistic.score(
        weights,
        Float64Array.from(tail.columns, (column) => column[i]),
      ),
    );
    return { scores, labels: tail.labels };
  };
}
const HONEST = trainUntil(0.6, 0.62);

/** Columns that tell nothing, as many as a model can learn by heart. */
function noise(seed: number, n: number): Samples {
  const rng = createRng(seed, 8);
  const columns = Array.from({ length: 40 }, () => Float64Array.from({ length: n }, () => rng.normal()));
  const { labels, decidedAt, settledAt } = logisticSamples(seed, n);
  return { names: columns.map((_, i) => `c${i}`), columns, labels, decidedAt, settledAt };
}

describe("training on labels in another order", () => {
  const terms = { seed: 5, draws: 40, rows: 5 };

  it("reaches one half where splits are apart, however much there is to learn", () => {
    for (const samples of [logisticSamples(41, 600), noise(42, 400)]) {
      const { mean, low, high, leaks, areas } = probePermuted(samples, HONEST, terms);
      expect(areas).toHaveLength(40);
      expect(low).toBeLessThan(0.5);
      expect(high).toBeGreaterThan(0.5);
      expect(Math.abs(mean - 0.5)).toBeLessThan(0.03);
      expect(leaks).toBe(false);
    }
  });

  it("cries seldom: at one of 40 honest ways at most", () => {
    let cried = 0;
    for (let seed = 0; seed < 40; seed++)
      if (probePermuted(logisticSamples(100 + seed, 150), HONEST, { seed, draws: 12, rows: 5 }).leaks)
        cried++;
    expect(cried).toBeLessThanOrEqual(1);
  });

  it("finds a split that overlaps: rows that were trained on are scored", () => {
    expect(probePermuted(noise(43, 400), trainUntil(0.8, 0.6), terms).leaks).toBe(true);
    expect(probePermuted(noise(43, 400), trainUntil(1, 0.6), terms).mean).toBeGreaterThan(0.6);
  });

  it("finds a model that looks at labels of the rows that it scores", () => {
    const rng = createRng(44);
    const peeking: TrainAndScore = (samples, seed) => {
      const { scores, labels } = HONEST(samples, seed);
      return { scores: scores.map((score, i) => score + 0.3 * labels[i] * rng.next()), labels };
    };
    expect(probePermuted(logisticSamples(45, 600), peeking, terms).leaks).toBe(true);
  });

  it("keeps labels of a block together and all of them in all", () => {
    const samples = logisticSamples(46, 103);
    const seen: Float64Array[] = [];
    probePermuted(
      samples,
      (shuffled) => {
        seen.push(shuffled.labels);
        return { scores: shuffled.columns[0], labels: shuffled.labels };
      },
      { seed: 1, draws: 3, rows: 10 },
    );
    const blocks = (labels: Float64Array) =>
      Array.from({ length: 10 }, (_, b) => labels.slice(b * 10, b * 10 + 10).join(""));
    for (const labels of seen) {
      expect([...labels].sort()).toEqual([...samples.labels].sort());
      const text = labels.join("");
      for (const block of blocks(samples.labels)) expect(text).toContain(block);
    }
    expect(new Set(seen.map((labels) => labels.join(""))).size).toBe(3);
  });
});

describe("columns that are moved in time", () => {
  const n = 900;
  const terms = { seed: 7, draws: 400 };
  /** What comes of each row is told in part by the bar after it. */
  const returns = Float64Array.from(
    { length: n + 2 },
    (() => {
      const rng = createRng(50);
      return () => rng.normal();
    })(),
  );
  const rng = createRng(51);
  const labels = Float64Array.from({ length: n }, (_, i) =>
    0.5 * returns[i] + returns[i + 1] + rng.normal() > 0 ? 1 : 0,
  );
  const timed = (column: (i: number) => number): Samples => {
    const { decidedAt, settledAt } = logisticSamples(1, n);
    return {
      names: ["told"],
      columns: [Float64Array.from({ length: n }, (_, i) => column(i))],
      labels,
      decidedAt,
      settledAt,
    };
  };

  it("gain nothing where each is of its row", () => {
    const { gains, value, incumbent } = probeShifted(
      timed((i) => returns[i]),
      HONEST,
      terms,
    );
    expect(incumbent).toBeGreaterThan(0.58);
    expect(value).toBeLessThan(0);
    expect(gains).toBe(false);
  });

  it("gain where they were stamped a row too early", () => {
    expect(
      probeShifted(
        timed((i) => returns[i + 2 > n ? n : i + 2]),
        HONEST,
        terms,
      ).gains,
    ).toBe(true);
  });

  it("lose what a column had that sees a row ahead, which an honest one would gain by looking ahead", () => {
    const ahead = probeShifted(
      timed((i) => returns[i + 1]),
      HONEST,
      terms,
    );
    expect(ahead.gains).toBe(false);
    expect(ahead.value).toBeLessThan(-0.1);
    const honest = probeShifted(
      timed((i) => returns[i]),
      HONEST,
      { ...terms, rows: -1 },
    );
    expect(honest.candidate).toBeCloseTo(ahead.incumbent, 1);
    expect(honest.gains).toBe(true);
  });

  it("come from rows of the same group alone", () => {
    const seen: Samples[] = [];
    const samples = timed((i) => i);
    const run: TrainAndScore = (given) => {
      seen.push(given);
      return { scores: new Float64Array(n), labels: given.labels };
    };
    probeShifted(samples, run, { seed: 1, draws: 2, groups: labels.map((_, i) => i % 3) });
    expect([...seen[1].columns[0].subarray(0, 7)]).toEqual([Number.NaN, Number.NaN, Number.NaN, 0, 1, 2, 3]);
    probeShifted(samples, run, { seed: 1, draws: 2, rows: -2 });
    expect([...seen[3].columns[0].subarray(n - 4)]).toEqual([n - 2, n - 1, Number.NaN, Number.NaN]);
  });
});
