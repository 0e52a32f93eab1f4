import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Aggregate,
  aggregateSource,
  aggregateSources,
  alertCondition,
  confidenceWith,
  keywordsOf,
  labelOfScore,
  type SourceSentiment,
} from "../../src/core/sentiment/aggregate.js";
import { scoreText } from "../../src/core/sentiment/score.js";
import { LEXICON_ONLY } from "../../src/core/sentiment/shipped.js";

const HOUR = 3_600_000;
const recency = { nowMs: 100 * HOUR, halfLifeMs: 6 * HOUR };
const text = (score: number, hoursAgo: number, confidence: number | null = 0.8) => ({
  score,
  confidence,
  time: recency.nowMs - hoursAgo * HOUR,
});
const source = (score: number, volume = 10): SourceSentiment => ({
  available: true,
  score,
  confidence: 0.8,
  volume,
  weight: volume,
  asOf: 0,
});
const none: SourceSentiment = { available: false, reason: "no token" };
function available(aggregate: Aggregate) {
  if (!aggregate.available) throw new Error(aggregate.reason);
  return aggregate;
}

describe("a source", () => {
  it("is the mean of its texts, halved per half-life", () => {
    const result = aggregateSource([text(1, 0, 0.9), text(-1, 6, 0.6)], recency);
    expect(result).toMatchObject({ available: true, volume: 2, weight: 1.5, asOf: recency.nowMs });
    if (!result.available) throw new Error(result.reason);
    expect(result.score).toBeCloseTo(1 / 3, 12);
    expect(result.confidence).toBeCloseTo(0.8, 12);
  });

  it("sees no future and no text that could not be read", () => {
    const seen = [text(0.5, 1)];
    expect(aggregateSource([...seen, text(-1, -1), text(-1, 1, null)], recency)).toEqual(
      aggregateSource(seen, recency),
    );
  });

  it.each([
    ["no documents", []],
    ["no document could be read", [text(0, 1, null)]],
    ["no document could be read", [text(1, -1)]],
    ["all documents are too old to count", [text(1, 1e6)]],
  ])("is unavailable: %s", (reason, texts) => {
    expect(aggregateSource(texts, recency)).toEqual({ available: false, reason });
  });
});

describe("sources together", () => {
  it("weigh 0.4, 0.3 and 0.3, with the variance between them", () => {
    const all = new Map([
      ["twitter", source(0.5, 500)],
      ["reddit", source(0.1, 300)],
      ["news", source(-0.3, 400)],
    ]);
    const result = available(aggregateSources(all));
    expect(result.score).toBeCloseTo(0.4 * 0.5 + 0.3 * 0.1 - 0.3 * 0.3, 12);
    // Scores 0.5, 0.1, -0.3: mean 0.1, population variance (0.16 + 0 + 0.16) / 3.
    expect(result.variance).toBeCloseTo(0.32 / 3, 12);
    expect(result.confidence).toBeCloseTo(0.6 * (1 - 0.32 / 3) + 0.4, 12);
    expect(result.volume).toBe(1200);
    expect(result.label).toBe("neutral");
  });

  it("share the weight of those that are missing, which stay null", () => {
    const some = new Map([
      ["twitter", none],
      ["reddit", source(0.6)],
      ["news", source(0.2)],
    ]);
    const result = available(aggregateSources(some));
    expect(result.score).toBeCloseTo(0.4, 12);
    expect([...result.weights]).toEqual([
      ["reddit", 0.5],
      ["news", 0.5],
    ]);
    expect(result.scores.get("twitter")).toBeNull();
    expect(result.missing.get("twitter")).toBe("no token");
  });

  it("have no agreement when there is one", () => {
    const result = available(aggregateSources(new Map([["news", source(0.7, 2000)]])));
    expect(result).toMatchObject({ score: 0.7, variance: null, confidence: 0.4, label: "strongly_bullish" });
  });

  it("are unavailable when all are", () => {
    const result = aggregateSources(new Map([["news", none]]));
    expect(result).toEqual({
      available: false,
      reason: "no source has data",
      missing: new Map([["news", "no token"]]),
    });
  });

  it("refuse a source without a weight", () => {
    expect(() => aggregateSources(new Map([["rumours", source(1)]]))).toThrow("rumours");
  });

  it("lie between their extremes, with weights that sum to 1", () => {
    const scores = fc.double({ min: -1, max: 1, noNaN: true });
    const maybe = fc.option(fc.tuple(scores, fc.integer({ min: 1, max: 5000 })), { nil: null });
    fc.assert(
      fc.property(maybe, maybe, maybe, (...sources) => {
        const names = ["twitter", "reddit", "news"];
        const result = aggregateSources(
          new Map(sources.map((each, i) => [names[i] ?? "", each === null ? none : source(...each)])),
        );
        const given = sources.flatMap((each) => (each === null ? [] : [each[0]]));
        expect(result.available).toBe(given.length > 0);
        if (!result.available) return;
        expect(result.score).toBeGreaterThanOrEqual(Math.min(...given) - 1e-12);
        expect(result.score).toBeLessThanOrEqual(Math.max(...given) + 1e-12);
        expect([...result.weights.values()].reduce((a, b) => a + b)).toBeCloseTo(1, 12);
        expect(result.confidence).toBeGreaterThanOrEqual(0);
        expect(result.confidence).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("labels", () => {
  it.each([
    [1, "strongly_bullish"],
    [0.6, "strongly_bullish"],
    [0.5999, "bullish"],
    [0.2, "bullish"],
    [0.1999, "neutral"],
    [0, "neutral"],
    [-0.1999, "neutral"],
    [-0.2, "bearish"],
    [-0.6, "strongly_bearish"],
  ])("of %d is %s", (score, label) => {
    expect(labelOfScore(score)).toBe(label);
  });
});

describe("confidence of a pattern", () => {
  const bullish = aggregateSources(
    new Map([
      ["twitter", source(0.5, 600)],
      ["news", source(0.5, 400)],
    ]),
  );

  it("moves by a fifth of score times confidence, with its side", () => {
    expect(available(bullish).confidence).toBe(1);
    expect(confidenceWith(0.6, 1, bullish)).toMatchObject({ confidence: 0.7, reason: null });
    expect(confidenceWith(0.6, -1, bullish).confidence).toBeCloseTo(0.5, 12);
    expect(confidenceWith(0.95, 1, bullish).confidence).toBe(1);
    expect(confidenceWith(0.05, -1, bullish).confidence).toBe(0);
  });

  it("stays as it is without sentiment or side", () => {
    const missing = aggregateSources(new Map([["news", none]]));
    expect(confidenceWith(0.6, 1, missing)).toEqual({
      confidence: 0.6,
      change: 0,
      reason: "no source has data",
    });
    expect(confidenceWith(0.6, 0, bullish)).toMatchObject({
      confidence: 0.6,
      reason: "the pattern has no side",
    });
  });

  it("is worth an alert from 0.7, 0.5 and 1000 on", () => {
    expect(alertCondition(bullish)).toEqual({ met: true, shortfalls: [] });
    const weak = aggregateSources(new Map([["news", source(0.1, 5)]]));
    expect(alertCondition(weak).shortfalls).toHaveLength(3);
    expect(alertCondition(aggregateSources(new Map())).shortfalls).toEqual(["no source has data"]);
  });
});

describe("keywords", () => {
  it("are the terms most texts hold, once a text", () => {
    const texts = ["profit jumps and jumps", "shares jumps", "shares plunge"].map((each) =>
      scoreText(each, LEXICON_ONLY),
    );
    const keywords = keywordsOf(texts, 2);
    expect(keywords.map(({ keyword, mentions }) => [keyword, mentions])).toEqual([
      ["jumps", 2],
      ["plunge", 1],
    ]);
    expect(keywords[0]?.score).toBeGreaterThan(0);
    expect(keywords[1]?.score).toBeLessThan(0);
  });
});
