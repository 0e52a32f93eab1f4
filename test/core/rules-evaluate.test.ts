import { describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { createRng } from "../../src/core/base/rng.js";
import { type Candles, sliceCandles } from "../../src/core/market/candles.js";
import type { RuleFacts } from "../../src/core/rules/condition.js";
import { Evaluator, leadOf, MOST_LEAD } from "../../src/core/rules/evaluate.js";
import { parseRule } from "../../src/core/rules/parse.js";
import { printRule } from "../../src/core/rules/print.js";
import { testRule } from "../../src/core/rules/test-run.js";
import { FALSE, TRUE, UNKNOWN } from "../../src/core/rules/verdict.js";
import { wanderingCandles } from "../fixtures/market-walks.js";
import { plainVerdict, randomCondition } from "../fixtures/rules.js";

const NONE = Number.NaN;
const CLOSED = {
  frequency: "once_per_bar",
  cooldownMs: 0,
  expiresAt: null,
  quiet: null,
  digest: null,
} as const;

function ruleOf(text: string) {
  const { condition, problem } = parseRule(text);
  return ensure(condition, problem?.message ?? text);
}

/** Flat bars with these closes. */
function closing(closes: readonly number[]): Candles {
  const close = Float64Array.from(closes);
  const time = close.map((_, i) => i * 86_400_000);
  const volume = close.map(() => 1_000);
  return { symbol: "AAA", interval: "1d", time, open: close, high: close, low: close, close, volume };
}

function verdicts(text: string, candles: Candles, facts: RuleFacts = {}): string {
  const evaluation = ensure(new Evaluator({ candles, facts }).evaluate(ruleOf(text)), text);
  return Array.from(evaluation.verdicts, (each) => (each === UNKNOWN ? "?" : String(each))).join("");
}

describe("verdicts", () => {
  it("of crossings ask on which side it was when it last was on one", () => {
    expect(verdicts("close crosses above 10", closing([9, 11, 10, 11, 9, 10, 10, 11, 12]))).toBe("010000010");
    expect(verdicts("close crosses below 10", closing([9, 11, 10, 11, 9, 10, 10, 11, 9]))).toBe("?00010001");
    expect(verdicts("close crosses above 10", closing([10, 10, 11, 9, 11]))).toBe("00?01");
    expect(verdicts("close crosses above 10", closing([9, NONE, 11, 9, 11]))).toBe("0??01");
  });

  it("of levels, ranges and lasting conditions", () => {
    const candles = closing([9, 11, 12, 10, 12, 13, 14]);
    expect(verdicts("close > 11", candles)).toBe("0010111");
    expect(verdicts("close between 10 and 12", candles)).toBe("0111100");
    expect(verdicts("not (close = 12)", candles)).toBe(verdicts("close != 12", candles));
    expect(new Set(verdicts("close != 12", candles))).toEqual(new Set("01"));
    expect(verdicts("close > 11 for 2 bars", candles)).toBe("0000011");
    expect(verdicts("close > 8 for 3 bars", candles)).toBe("??11111");
    expect(verdicts("close[2] < close", candles)).toBe("??10011");
    expect(verdicts("change(1) > 0", candles)).toBe("?110111");
    expect(verdicts("close / (close - 12) > 0", candles)).toBe("00?0?11");
    expect(verdicts("volume_ratio(3) = 1", candles)).toBe("???1111");
  });

  it("are unknown where it counts, and only there", () => {
    const candles = closing([1, 2, 3]);
    const facts = { score: Float64Array.of(NONE, 0.7, NONE) };
    expect(verdicts("score > 0.5", candles, facts)).toBe("?1?");
    expect(verdicts("score > 0.5 and close > 9", candles, facts)).toBe("000");
    expect(verdicts("score > 0.5 or close > 0", candles, facts)).toBe("111");
    expect(verdicts("not (score > 0.5)", candles, facts)).toBe("?0?");
    expect(verdicts("score > 0.5 or score <= 0.5", candles, facts)).toBe("?1?");
  });

  it("of a bar that forms take patterns and the regime of the bar before, and prices of its own", () => {
    const closed = wanderingCandles("AAA", "1d", 300, 7);
    const grown = wanderingCandles("AAA", "1d", 301, 7);
    for (const column of ["open", "high", "low", "volume"] as const) grown[column][300] = NONE;
    const evaluator = new Evaluator({ candles: grown, forming: true });
    const before = new Evaluator({ candles: closed });
    for (const text of [
      'pattern(any, direction: "bullish", within: 2)',
      'regime("ranging") or regime("breakout")',
    ]) {
      const verdict = ensure(evaluator.evaluate(ruleOf(text)), text).verdicts;
      const known = ensure(before.evaluate(ruleOf(text)), text).verdicts;
      expect(verdict).toEqual(Int8Array.of(...known, known[299]));
    }
    const price = ensure(evaluator.evaluate(ruleOf("close > 0 and high > 0")), "prices");
    expect(price.verdicts[300]).toBe(UNKNOWN);
    expect(price.unknownAt(300)).toEqual(["high"]);
  });

  it("that are unknown say for the lack of what", () => {
    const evaluator = new Evaluator({ candles: closing([1, 2, 3]) });
    const condition = ruleOf(
      "close > 0 and (score > 0.5 or sma(2) + sma(3) > 1) and sentiment > 0 for 2 bars",
    );
    const evaluation = ensure(evaluator.evaluate(condition), "within the budget");
    expect(evaluation.unknownAt(0)).toEqual(["score", "sma(2)", "sma(3)", "sentiment"]);
    expect(evaluation.unknownAt(1)).toEqual(["score", "sma(3)", "sentiment"]);
    expect(evaluation.unknownAt(2)).toEqual(["sentiment"]);
    const seen = ensure(evaluator.evaluate(ruleOf('pattern(any, confidence: 0.5) or regime("bear")')), "it");
    expect(seen.unknownAt(0)).toEqual(["pattern(any, confidence: 0.5)", 'regime("trending_bear")']);
  });

  it("are those of a plain evaluation bar by bar, and see no future", () => {
    const rng = createRng(99);
    const candles = wanderingCandles("AAA", "1d", 150, 12);
    const column = () => candles.close.map(() => (rng.below(4) === 0 ? NONE : 2 * rng.next() - 1));
    const facts = { score: column(), sentiment: column(), "portfolio.drawdown": column() };
    const confidenceOf = (variant: string) => (variant.length % 3 === 0 ? null : (variant.length % 10) / 10);
    const counts = { [TRUE]: 0, [FALSE]: 0, [UNKNOWN]: 0 };
    for (let n = 0; n < 400; n++) {
      const condition = randomCondition(rng);
      const text = printRule(condition);
      const evaluation = ensure(
        new Evaluator({ candles, facts, confidenceOf }, 1e9).evaluate(condition),
        text,
      );
      for (const i of [0, 1, 5, 20, 119, rng.below(150), 149]) {
        const plain = plainVerdict(condition, candles, i, facts, confidenceOf);
        const verdict = plain === null ? UNKNOWN : plain ? TRUE : FALSE;
        expect(evaluation.verdicts[i], `${text} at ${i}`).toBe(verdict);
        counts[verdict]++;
        expect(evaluation.unknownAt(i).length > 0).toBe(verdict === UNKNOWN);
      }
      const cut = 1 + rng.below(149);
      const before = new Evaluator(
        {
          candles: sliceCandles(candles, 0, cut),
          facts: Object.fromEntries(Object.entries(facts).map(([key, each]) => [key, each.slice(0, cut)])),
          confidenceOf,
        },
        1e9,
      ).evaluate(condition);
      expect(before?.verdicts, text).toEqual(evaluation.verdicts.slice(0, cut));
    }
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(300);
  });
});

describe("the budget of steps", () => {
  it("is counted, and refuses what would pass it", () => {
    const candles = wanderingCandles("AAA", "1d", 1_000, 1);
    const condition = ruleOf("close > sma(200) and rsi(14) < 30");
    const evaluator = new Evaluator({ candles });
    expect(evaluator.evaluate(condition)).not.toBeNull();
    const { steps } = evaluator;
    expect(steps).toBeGreaterThan(200_000);
    expect(new Evaluator({ candles }, steps).evaluate(condition)).not.toBeNull();
    const tight = new Evaluator({ candles }, steps - 1);
    expect(tight.evaluate(condition)).toBeNull();
    expect(tight.steps).toBeLessThan(steps);
    // What was computed before costs nothing again.
    expect(evaluator.evaluate(condition)).not.toBeNull();
    expect(evaluator.steps).toBe(steps);
  });
});

describe("the lead", () => {
  it("is what makes a verdict independent of where the series begins", () => {
    const candles = wanderingCandles("AAA", "1d", 1_500, 5);
    for (const text of [
      "close > sma(200)[3]",
      "ema(20) crosses above ema(50)",
      'pattern("hammer", within: 5) or pattern(any, direction: "bearish")',
      'regime("ranging") for 4 bars',
      "change(30)[2] > 1 and volume_ratio(40) > 1",
    ]) {
      const condition = ruleOf(text);
      const lead = leadOf(condition, "1d");
      const whole = ensure(new Evaluator({ candles }).evaluate(condition), text).verdicts;
      for (let last = 1_400; last < 1_500; last++) {
        const part = sliceCandles(candles, last - lead, last + 1);
        expect(ensure(new Evaluator({ candles: part }).evaluate(condition), text).verdicts[lead], text).toBe(
          whole[last],
        );
      }
    }
  });

  it("has an end where a sum has none", () => {
    expect(leadOf(ruleOf("obv > 0"), "1d")).toBe(MOST_LEAD);
    expect(leadOf(ruleOf("close > 3"), "1d")).toBe(0);
    expect(leadOf(ruleOf("ema(2000) > 1"), "1d")).toBe(MOST_LEAD);
  });

  it("reaches the first bar at which a long window has a value", () => {
    for (const bars of [2_100, 5_000, 10_000]) {
      expect(leadOf(ruleOf(`close > sma(${bars})`), "1d")).toBe(bars - 1);
      expect(leadOf(ruleOf(`ema(${bars})[3] > 1`), "1d")).toBeGreaterThanOrEqual(bars + 2);
    }
  });
});

describe("a test run", () => {
  const closes = (candles: Candles) => candles.time.map((time) => time + 86_400_000);
  const run = (text: string, candles: Candles, from = 0, change: object = {}) =>
    testRule(
      { when: ruleOf(text), rearm: null, terms: { ...CLOSED, ...change } },
      { candles },
      closes(candles),
      from,
    );

  it("fires at each edge, and tells what followed", () => {
    const candles = closing([9, 11, 12, 9, 11, 22, 9]);
    expect(run("close > 10", candles)).toMatchObject({
      firings: [
        {
          bar: 1,
          dueAt: null,
          next: [expect.closeTo(100 / 11), expect.closeTo(-200 / 11), null],
        },
        { bar: 4, dueAt: null, next: [expect.closeTo(100), null, null] },
      ],
      suppressed: {},
      holds: 4,
      unknown: 0,
      lacks: [],
    });
  });

  it("counts from a bar on, and takes a level that held before for no edge", () => {
    const candles = closing([9, 11, 12, 9, 11, 12]);
    expect(run("close > 10", candles, 2)?.firings.map(({ bar }) => bar)).toEqual([4]);
    expect(run("close > 10", candles, 1)?.firings.map(({ bar }) => bar)).toEqual([1, 4]);
    expect(run("close > 10", candles, 1, { frequency: "once" })?.firings.map(({ bar }) => bar)).toEqual([1]);
  });

  it("counts edges that a cool-down swallows, and names what is unknown", () => {
    const candles = closing([9, 11, 9, 11, 9, 11, 9]);
    expect(run("close > 10", candles, 0, { cooldownMs: 3 * 86_400_000 })).toMatchObject({
      firings: [{ bar: 1 }, { bar: 5 }],
      suppressed: { cooldown: 1 },
    });
    expect(run("close > sma(3) and score > 1", candles)).toMatchObject({
      firings: [],
      lacks: [
        { operand: "score", bars: 4 },
        { operand: "sma(3)", bars: 2 },
      ],
    });
  });
});
