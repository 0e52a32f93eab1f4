import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import type { Samples } from "../../src/core/learning/define.js";
import { LEARNING_TERMS } from "../../src/core/learning/lesson.js";
import { findOverlap, type SampleSplit, SPLIT_TERMS, splitSamples } from "../../src/core/learning/split.js";
import { learnStack } from "../../src/core/learning/stack-candidate.js";
import { gatherMaterial, lessonOf } from "../../src/features/retraining/lesson.js";
import { columnLesson, termsOf } from "../fixtures/learning-lessons.js";
import { learned } from "../fixtures/learning-tally.js";
import { pulledWalk } from "../fixtures/planted-walks.js";

const ROWS = 1_000;
const EMBARGO = 10;
const NONE = { ...SPLIT_TERMS, embargoShare: 0 };

/**
 * Episodes of ten rows that share one outcome, a coin, and one value of the column, a number that tells nothing of it.
 * Outcomes are known at once, so that there is nothing to purge; an episode lies across each border of a split.
 */
function episodes(seed: number): Samples {
  const rng = createRng(seed, 91);
  const coins = Array.from({ length: ROWS / 10 + 1 }, () => ({ value: rng.next(), label: rng.below(2) }));
  const of = (row: number) => coins[Math.floor((row + 5) / 10)];
  const decidedAt = Float64Array.from({ length: ROWS }, (_, row) => row);
  return {
    names: ["fingerprint"],
    columns: [decidedAt.map((row) => of(row).value)],
    labels: decidedAt.map((row) => of(row).label),
    decidedAt,
    settledAt: decidedAt.map((row) => row + 0.5),
  };
}

/** How many of the first rows of a part the nearest row of an earlier one tells rightly. */
function remembered({ columns: [column], labels }: Samples, before: Int32Array, after: Int32Array): number {
  let told = 0;
  for (const row of after.subarray(0, 5)) {
    const away = Array.from(before, (other) => Math.abs(column[other] - column[row]));
    if (labels[before[away.indexOf(Math.min(...away))]] === labels[row]) told++;
  }
  return told;
}

const borders = ({ folds, train, calibration, tail }: SampleSplit): (readonly [Int32Array, Int32Array])[] => [
  ...folds.map((fold) => [fold.train, fold.test] as const),
  [train, calibration],
  [calibration, tail],
];

describe("the embargo of a split", () => {
  it("is a hundredth of the rows wherever candidates are learned", () => {
    expect(LEARNING_TERMS.split.embargoShare).toBe(0.01);
  });

  it("cuts what lasts across a border, which purging alone leaves to be remembered", () => {
    let [purged, embargoed, rows] = [0, 0, 0];
    for (let seed = 0; seed < 40; seed++) {
      const samples = episodes(seed);
      const [open, kept] = [splitSamples(samples, NONE), splitSamples(samples)].map(borders);
      for (const [k, [before, after]] of kept.entries()) {
        purged += remembered(samples, ...open[k]);
        embargoed += remembered(samples, before, after);
        rows += 5;
      }
    }
    expect(purged).toBe(rows);
    // A coin a border: six of 40 seeds.
    expect(Math.abs(embargoed / rows - 0.5)).toBeLessThan(4 * Math.sqrt(0.25 / (rows / 5)));
  });

  it("leaves no row within it in any part that something follows", () => {
    const samples = episodes(1);
    for (const [before, after] of borders(splitSamples(samples))) {
      expect(before.at(-1)).toBe(after[0] - EMBARGO - 1);
    }
  });

  it("is missed where it is not kept", () => {
    const samples = episodes(2);
    const { embargo } = splitSamples(samples);
    const open = splitSamples(samples, NONE);
    expect(findOverlap(open, samples)).toBeNull();
    expect(findOverlap({ ...open, embargo }, samples)).toMatch(/training of fold 0 .* embargo from/);
  });

  it("is of the rows of each interval, however many others come between", () => {
    // Beside a daily row there are nine of minutes, whose hundredth is not a day.
    const DAY = 1_440;
    const lots = Array.from({ length: ROWS }, (_, row) => (row % 10 === 0 ? "1d" : "1m"));
    const decidedAt = Float64Array.from(lots, (_, row) => DAY * Math.floor(row / 10) + (row % 10));
    const samples = { ...episodes(3), decidedAt, settledAt: decidedAt.map((time) => time + 0.5) };
    const { calibration, tail } = splitSamples(samples, SPLIT_TERMS, lots);
    const begins = decidedAt[tail[0]];
    const newest = (lot: string) =>
      Math.max(...[...calibration].filter((row) => lots[row] === lot).map((row) => decidedAt[row]));
    // One daily row of a hundred, and nine of 900 others.
    expect(begins - newest("1d")).toBe(2 * DAY);
    expect(begins - newest("1m")).toBe(2 * DAY - 9);
    const together = splitSamples(samples).calibration;
    expect(findOverlap(splitSamples(samples), samples)).toBeNull();
    expect(together.length).toBe(calibration.length);
  });

  it("stands between the stretches of a candidate, whose outcomes were known before it began", () => {
    const lesson = columnLesson(4, 1_200, 1.5);
    const { stretches } = learned(lesson, termsOf(1, { permutations: 2, draws: 50 }));
    const [training, calibration, tail] = stretches;
    const minutes = (ms: number | null) => (ms ?? Number.NaN) / 60_000;
    // Twelve rows, one a minute, after the outcome of the last before them.
    expect(minutes(calibration.from) - minutes(training.settled)).toBe(13);
    expect(minutes(tail.from) - minutes(calibration.settled)).toBe(13);
    expect(minutes(tail.settled) - minutes(tail.to)).toBe(4);
  });

  it("is of the intervals that a lesson tells of its rows, without their asset classes, as data sets do", () => {
    const series = { candles: pulledWalk(700, 3, 0.3), calendar: "24x7", costBps: 5 } as const;
    const material = gatherMaterial([{ ...series, assetClass: "crypto" }], { kind: "barriers" });
    const lesson = lessonOf({ ...material, lots: [] }, "regime");
    expect(lesson.intervals).toEqual(material.facts.map(({ interval }) => interval));
    expect(lesson.intervals?.length).toBe(lesson.samples.labels.length);
  });

  it("keeps weights of layers from decisions just before those that calibrate them", () => {
    const votesOf = (turned: (row: number) => boolean) => {
      const rng = createRng(5, 92);
      return Array.from({ length: ROWS }, (_, row) => {
        const value = () => 2 * rng.next() - 1;
        const values = { rules: value(), deep: value(), multi_timeframe: value(), sentiment: value() };
        const wins = rng.next() < 1 / (1 + Math.exp(-3 * values.sentiment));
        return {
          ...{ values, direction: 1 as const, label: wins === turned(row) ? (0 as const) : (1 as const) },
          ...{ decidedAt: row, settledAt: row + 0.5 },
        };
      });
    };
    const [plain, within, before] = [
      () => false,
      (row: number) => row >= 500 - EMBARGO && row < 500,
      (row: number) => row >= 500 - 2 * EMBARGO && row < 500 - EMBARGO,
    ].map((turned) => learnStack(votesOf(turned), null)?.stack.weights);
    expect(plain).toBeDefined();
    expect(within).toEqual(plain);
    expect(before).not.toEqual(plain);
  });
});
