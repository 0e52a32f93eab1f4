import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { checkCondition } from "../../src/core/rules/check.js";
import { type Condition, nodesOf, RULE_LIMITS } from "../../src/core/rules/condition.js";
import { Evaluator } from "../../src/core/rules/evaluate.js";
import { parseRule } from "../../src/core/rules/parse.js";
import { printRule } from "../../src/core/rules/print.js";
import { wanderingCandles } from "../fixtures/market-walks.js";
import { mutated, randomCondition } from "../fixtures/rules.js";
import { sized } from "../fixtures/sizes.js";

const CANDLES = wanderingCandles("AAA", "1d", 30, 4);

function fault(expression: string) {
  const { condition, problem } = parseRule(expression);
  expect(condition, expression).toBeNull();
  return problem;
}

describe("expressions", () => {
  it("become the JSON form", () => {
    const text = 'Close crosses above SMA(20) and rsi(14) < 30 and not regime("bear")';
    expect(parseRule(text).condition).toEqual({
      kind: "and",
      conditions: [
        {
          kind: "cross",
          left: { kind: "bar", field: "close", ago: 0 },
          way: "above",
          right: { kind: "indicator", name: "sma", parameters: { period: 20 }, output: null, ago: 0 },
        },
        {
          kind: "compare",
          left: { kind: "indicator", name: "rsi", parameters: { period: 14 }, output: null, ago: 0 },
          is: "<",
          right: { kind: "number", value: 30 },
        },
        { kind: "not", condition: { kind: "regime", regime: "trending_bear" } },
      ],
    });
  });

  it.each([
    ["a < b binds less than + and more than for", "close + 1 * 2 > high[1] for 3 bars"],
    ["and binds more than or", 'close > 1 and open > 2 or pattern("hammer")'],
    ["between takes its own and", "rsi between 30 and 70 and change(5) < -3"],
    ["names of parameters", "bbands(20, deviations: 2.5).upper[2] < close"],
    [
      "patterns",
      'pattern("Bullish Engulfing", direction: "bullish", quality: 0.7, confidence: 0.5, within: 3)',
    ],
    ["any pattern", 'pattern(any, direction: "bearish")'],
    ["what differs", "volume != 0 and close != open"],
    ["bounds that are one", "rsi between 50 and 50 and close between 1 - 2 and 0"],
    ["facts", "score >= 0.6 and sentiment > 0 and portfolio.drawdown < 5 and volume_ratio(20) > 2"],
    ["brackets", "((close > 1 or open > 2) for 2 bars) and not not (low < 3)"],
    ["numbers", "close > 1e-7 or close < -0 or close == .5 or close = 5."],
  ])("read %s", (_, text) => {
    const { condition, problem } = parseRule(text);
    expect(problem).toBeNull();
    const printed = printRule(condition as Condition);
    expect(parseRule(printed).condition, printed).toEqual(condition);
    expect(checkCondition(condition).condition).toEqual(condition);
  });

  it("bind as they are said to", () => {
    const printed = (text: string) => printRule(parseRule(text).condition as Condition);
    expect(printed("close + 1 * 2 > high[1] for 3 bars")).toBe("close + (1 * 2) > high[1] for 3 bars");
    expect(printed('close > 1 and open > 2 or regime("bull")')).toBe(
      '(close > 1 and open > 2) or regime("trending_bull")',
    );
    expect(printed("not close > 1 for 2 bars")).toBe("not (close > 1 for 2 bars)");
    expect(printed("close - 1 - 2 > 0")).toBe("(close - 1) - 2 > 0");
  });

  it("that cannot be read say where, and what could stand there", () => {
    expect(fault("close > ")).toMatchObject({
      position: 8,
      expected: expect.arrayContaining(["close", "a number"]),
    });
    expect(fault("close >> 3")).toMatchObject({ position: 7 });
    expect(fault("close")).toMatchObject({
      position: 5,
      expected: expect.arrayContaining(["<", "crosses above"]),
    });
    expect(fault("close crosses over 3")).toMatchObject({ position: 14, expected: ["above", "below"] });
    expect(fault("smaa(20) > 3")).toMatchObject({ position: 0, expected: expect.arrayContaining(["sma"]) });
    expect(fault("close > macd(12, 26, 9).sginal")).toMatchObject({
      position: 24,
      expected: expect.arrayContaining(["signal"]),
    });
    expect(fault("close > sma(length: 3)")).toMatchObject({ position: 12, expected: ["period:"] });
    expect(fault("close > sma(3, 4)")).toMatchObject({ position: 15, message: "sma takes 1 parameters" });
    expect(fault("close > sma(0)")).toMatchObject({
      position: 8,
      message: expect.stringContaining("1..10000"),
    });
    expect(fault('pattern("bulish_engulfing")')).toMatchObject({
      position: 8,
      expected: expect.arrayContaining(["bullish_engulfing"]),
    });
    expect(fault('regime("sideways")')).toMatchObject({
      position: 7,
      expected: expect.arrayContaining(["ranging"]),
    });
    expect(fault("portfolio.cash > 3")).toMatchObject({
      position: 10,
      expected: expect.arrayContaining(["equity"]),
    });
    for (const [text, position] of [
      ["rsi between 5 and 1", 18],
      ["rsi between 5 * 1 and 1 - 3", 22],
      ["close > 1 and close between 3 and -3", 34],
    ] as const) {
      const message = expect.stringContaining("could never hold");
      expect(fault(text), text).toMatchObject({ position, message });
    }
    expect(fault("close ! 3")).toMatchObject({ position: 6, message: '"!" means nothing here' });
    expect(fault("close > 'x")).toMatchObject({ position: 8, message: "The text is not closed" });
    expect(fault("close > 1 close")).toMatchObject({ position: 10, expected: ["and", "or", "the end"] });
    expect(fault("close > 1e999")).toMatchObject({ position: 8 });
    expect(fault("(close > 1) > 2")).toMatchObject({ position: 0 });
    expect(fault("close > 3 ; drop")).toMatchObject({ position: 10, message: '";" means nothing here' });
    expect(fault("close[2000] > 3")).toMatchObject({ position: 0, message: expect.stringContaining("ago") });
  });

  it("have limits of length, depth and parts", () => {
    const nested = (levels: number) => `${"(".repeat(levels)}close > 1${")".repeat(levels)}`;
    expect(parseRule(nested(40)).problem).toBeNull();
    expect(fault(nested(500))?.message).toContain("nested deeper");
    expect(fault(`${"not ".repeat(30)}close > 1`)?.message).toContain("deeper than 24 levels");
    expect(fault(`${"not ".repeat(900)}close > 1`)?.message).toContain("nested deeper");
    expect(fault(`close > ${Array.from({ length: 40 }, () => "1").join("+")}`)?.message).toContain("deeper");
    expect(fault(Array.from({ length: 80 }, () => "close > 1").join(" and "))?.message).toContain(
      "200 parts",
    );
    expect(fault(" ".repeat(RULE_LIMITS.characters + 1))?.message).toContain("4001 characters");
  });

  const RANDOM = sized({ usual: 10_000, full: 100_000 });
  it(`of ${RANDOM}, half of them broken, crash nothing, come back as they were, and never pass the budget of steps`, () => {
    const rng = createRng(20_261_130);
    const counts = { read: 0, refused: 0, evaluated: 0, spent: 0 };
    for (let n = 0; n < RANDOM; n++) {
      const made = randomCondition(rng, rng.below(4));
      const text = printRule(made);
      const parsed = parseRule(n % 2 === 0 ? text : mutated(rng, text));
      if (n % 2 === 0) {
        if (text.length <= RULE_LIMITS.characters && nodesOf(made).length <= RULE_LIMITS.nodes) {
          if (parsed.problem !== null) throw new Error(`${text}: ${parsed.problem.message}`);
          if (JSON.stringify(sorted(parsed.condition)) !== JSON.stringify(sorted(made)))
            throw new Error(text);
        }
      }
      if (parsed.condition === null) {
        counts.refused++;
        if (!(parsed.problem.position >= 0) || parsed.problem.message === "") throw new Error(text);
        continue;
      }
      counts.read++;
      const again = parseRule(printRule(parsed.condition));
      if (JSON.stringify(again.condition) !== JSON.stringify(parsed.condition)) throw new Error(text);
      const budget = n % 5 === 0 ? rng.below(20_000) : rng.below(1_000);
      const evaluator = new Evaluator({ candles: CANDLES }, budget);
      const evaluation = evaluator.evaluate(parsed.condition);
      if (evaluation === null) counts.spent++;
      else counts.evaluated++;
      if (evaluator.steps > budget) throw new Error(`${text} took ${evaluator.steps} of ${budget} steps`);
      if (evaluation !== null && evaluation.verdicts.length !== 30) throw new Error(text);
    }
    expect(counts.read).toBeGreaterThan(RANDOM / 2);
    expect(counts.refused).toBeGreaterThan(0.3 * RANDOM);
    expect(counts.evaluated).toBeGreaterThan(RANDOM / 20);
    expect(counts.spent).toBeGreaterThan(RANDOM / 20);
  });
});

/** With the keys of parameters in one order, and -0 told from 0. */
function sorted(value: unknown): unknown {
  if (Object.is(value, -0)) return "-0";
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}

describe("the JSON form", () => {
  const close = { kind: "bar", field: "close" };
  const compare = (change: object = {}) => ({
    kind: "compare",
    left: close,
    is: ">",
    right: close,
    ...change,
  });

  it("gets what is left out", () => {
    const sma = { kind: "indicator", name: "sma" };
    expect(checkCondition(compare({ right: sma })).condition).toMatchObject({
      left: { ago: 0 },
      right: { parameters: {}, output: null, ago: 0 },
    });
    expect(checkCondition({ kind: "pattern" }).condition).toEqual({
      kind: "pattern",
      pattern: null,
      direction: null,
      quality: null,
      confidence: null,
      within: 1,
    });
  });

  it.each([
    [null, "", "must be a condition"],
    [7, "", "must be a condition"],
    [[], "", "must be a condition"],
    [{}, "kind", "compare, between"],
    [{ kind: "sideways" }, "kind", "compare, between"],
    [compare({ left: { kind: "compare" } }), "left.kind", "number, bar, indicator"],
    [compare({ is: "=>" }), "is", "<, <=, >, >=, ="],
    [compare({ why: 1 }), "", "has no field why (known: left, is, right)"],
    [compare({ left: { kind: "number", value: "3" } }), "left.value", "must be a number"],
    [compare({ left: { kind: "number", value: Number.NaN } }), "left.value", "must be a number"],
    [compare({ left: { ...close, ago: -1 } }), "left.ago", "whole number of bars within 0..1000"],
    [
      compare({ left: { kind: "indicator", name: "smaa" } }),
      "left.name",
      "no indicator is called smaa (known: adx",
    ],
    [
      compare({ left: { kind: "indicator", name: "__proto__" } }),
      "left.name",
      "no indicator is called __proto__",
    ],
    [
      compare({ left: { kind: "indicator", name: "sma", parameters: { length: 3 } } }),
      "left.parameters",
      "sma has no parameter length (known: period)",
    ],
    [
      compare({ left: { kind: "indicator", name: "macd", output: "x" } }),
      "left.output",
      "macd has the outputs",
    ],
    [compare({ left: { kind: "fact", name: "mood" } }), "left.name", "score, sentiment, portfolio.equity"],
    [{ kind: "and", conditions: [compare()] }, "conditions", "two conditions or more"],
    [
      { kind: "or", conditions: [compare(), { kind: "not", condition: 3 }] },
      "conditions.1.condition",
      "condition",
    ],
    [{ kind: "pattern", pattern: "hamer" }, "pattern", "near are hammer"],
    [{ kind: "pattern", quality: 2 }, "quality", "within 0..1"],
    [{ kind: "regime", regime: "bear" }, "regime", "trending_bear"],
    [{ kind: "for", condition: compare(), bars: 0 }, "bars", "within 1..1000"],
  ])("refuses %j at %s", (given, path, message) => {
    const { problems } = checkCondition(given);
    expect(problems).toContainEqual(
      expect.objectContaining({ path, message: expect.stringContaining(message) }),
    );
  });

  it("of any depth and breadth is refused without harm", () => {
    let deep: unknown = compare();
    for (let i = 0; i < 100_000; i++) deep = { kind: "not", condition: deep };
    expect(checkCondition(deep).problems[0].message).toContain("deeper than 24 levels");
    const broad = { kind: "and", conditions: Array.from({ length: 100_000 }, () => compare()) };
    expect(checkCondition(broad).problems[0].message).toContain("200 parts");
  });
});
