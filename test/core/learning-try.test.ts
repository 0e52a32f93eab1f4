import { describe, expect, it } from "vitest";
import { tryModel } from "../../src/core/learning/candidate.js";
import { PROMOTION } from "../../src/core/learning/governance.js";
import { splitSamples } from "../../src/core/learning/split.js";
import { columnLesson, termsOf } from "../fixtures/learning-lessons.js";
import { learned } from "../fixtures/learning-tally.js";

const terms = termsOf(1, { permutations: 2, draws: 50 });
const { model } = learned(columnLesson(1, 1_200, 1.5), terms);
/** A row a minute, of which each is settled by the fourth after it. */
const lesson = columnLesson(2, 2_000, 1.5);
const { decidedAt, settledAt } = lesson.samples;
const { tail } = splitSamples(lesson.samples, terms.split);

const tried = (learnedUntilMs: number) =>
  tryModel(model, lesson, terms, { incumbent: null, learnedUntilMs }).stretches[0];

/** A hundredth of the rows. */
const EMBARGO = 20;

describe("tryModel", () => {
  it("tries on what was decided after the outcomes of all it may have learned from were known, and the embargo", () => {
    const last = tail[50];
    const { samples, from } = tried(decidedAt[last]);
    const after = tail.filter((row) => decidedAt[row] > settledAt[last]).slice(EMBARGO);
    expect(after.length).toBe(tail.length - 55 - EMBARGO);
    expect({ samples, from }).toEqual({ samples: after.length, from: decidedAt[after[0]] });
  });

  it("waits for an outcome that came late, of a decision among the first", () => {
    const late = settledAt.slice();
    late[3] = decidedAt[tail[100]];
    const delayed = { ...lesson, samples: { ...lesson.samples, settledAt: late } };
    const found = tryModel(model, delayed, terms, { incumbent: null, learnedUntilMs: decidedAt[10] });
    expect(found.stretches[0].from).toBe(decidedAt[tail[101 + EMBARGO]]);
  });

  it("says nothing below as many rows as the rules ask for, where it would be refused for good", () => {
    const few = tail[tail.length - PROMOTION.leastSamples];
    expect(tryModel(model, lesson, terms, { incumbent: null, learnedUntilMs: decidedAt[few] })).toMatchObject(
      {
        reason: "too_few_samples",
      },
    );
    const found = tryModel(model, lesson, terms, { incumbent: null, learnedUntilMs: 0 });
    expect(found).toMatchObject({ evaluation: { samples: tail.length } });
  });
});
