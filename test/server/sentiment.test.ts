import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectProblem } from "../fixtures/expect-problem.js";
import type { TestProgram } from "../fixtures/program.js";
import {
  NO_MARKET,
  NOW,
  RESET_S,
  startTextsPrograms,
  type TextsPrograms,
  TOKEN,
} from "../fixtures/texts-program.js";

let programs: TextsPrograms;
let program: TestProgram;
let synthetic: TestProgram;
beforeAll(async () => {
  programs = await startTextsPrograms();
  ({ program, synthetic } = programs);
});
afterAll(() => programs.close());

const send = (url: string, payload: object, to = program) => to.call({ method: "POST", url, payload });

describe("GET /api/sentiment/:symbol", () => {
  it("200 has every field that the catalogue and both clients read", async () => {
    const { data } = (await program.call("/api/sentiment/aapl")).json();
    expect(data).toMatchObject({
      symbol: "AAPL",
      available: true,
      reason: null,
      overall_sentiment: expect.any(Number),
      sentiment_label: expect.toBeOneOf(["BULLISH", "NEUTRAL", "BEARISH"]),
      confidence: expect.any(Number),
      volume: 3,
      sources: {
        twitter: expect.any(Number),
        reddit: expect.any(Number),
        news: null,
        social: expect.any(Number),
        technical: expect.any(Number),
      },
      trending_score: expect.any(Number),
      metrics: {
        social_mentions: 3,
        news_articles: 0,
        analyst_ratings: { buy: null, hold: null, sell: null },
      },
      price_correlation: null,
      last_updated: new Date(NOW).toISOString(),
      timestamp: new Date(NOW).toISOString(),
    });
    expect(data.sentiment_score).toBe(data.overall_sentiment);
    const { twitter: x, reddit: posts, social } = data.sources;
    expect(x).toBeLessThan(-0.3);
    expect(posts).toBeGreaterThan(0.3);
    expect(data.source_details.twitter.weight).toBeCloseTo(4 / 7, 12);
    expect(data.overall_sentiment).toBeCloseTo((0.4 * x + 0.3 * posts) / 0.7, 12);
    expect(social).toBeCloseTo(data.overall_sentiment, 12);
    expect(data.source_details.news).toMatchObject({
      available: false,
      reason: "no vendor with news is configured in MARKET_DATA",
    });
    expect(
      data.historical.map(({ date, volume }: { date: string; volume: number }) => [date, volume]),
    ).toEqual([
      ["2024-01-04", 1],
      ["2024-01-06", 2],
    ]);
    expect(data.key_phrases).toEqual(data.keywords.map(({ keyword }: { keyword: string }) => keyword));
    expect(data.key_phrases.length).toBeGreaterThan(2);
    expect(data.unavailable).toMatchObject({
      price_correlation: expect.stringContaining("20 are needed"),
      "metrics.analyst_ratings": expect.any(String),
    });
    expect(data.model).toMatchObject({
      method: "lexicon and classifier",
      onnx: {
        configured: true,
        available: false,
        reason: expect.stringMatching(/not installed|cannot be used/),
      },
    });
  });

  it("200 says that nothing is available, and why, for a symbol without texts", async () => {
    const { data } = (await program.call("/api/sentiment/BTC-USD")).json();
    expect(data).toMatchObject({
      available: false,
      overall_sentiment: null,
      sentiment_label: null,
      confidence: null,
      volume: 0,
    });
    expect(data.source_details.reddit).toMatchObject({ available: false, reason: "no documents", volume: 0 });
    expect(data.metrics).toMatchObject({ volume_buzz: null, social_mentions: 0, news_articles: 0 });
  });

  it("200 invents nothing about a synthetic market", async () => {
    const body = (await synthetic.call("/api/sentiment/AAPL")).json();
    expect(body).toMatchObject({
      synthetic: true,
      data: { available: false, reason: NO_MARKET, overall_sentiment: null },
    });
    const { twitter: x, reddit: posts, news, social } = body.data.sources;
    expect([x, posts, news, social]).toEqual([null, null, null, null]);
    expect(body.data).toMatchObject({ historical: [], keywords: [], key_phrases: [], last_updated: null });
  });

  it("400 and 404 for what is no symbol and what no source knows", async () => {
    expectProblem(await program.call("/api/sentiment/%3F"), "symbol_invalid");
    expectProblem(await program.call("/api/sentiment/MSFT"), "symbol_unknown", "MSFT");
  });
});

describe("GET /api/sentiment/aggregate", () => {
  it("200 has the scanned symbols, or those that are named", async () => {
    const { data } = (await program.call("/api/sentiment/aggregate")).json();
    expect(
      data.by_symbol.map(({ symbol, available }: { symbol: string; available: boolean }) => [
        symbol,
        available,
      ]),
    ).toEqual([
      ["AAPL", true],
      ["BTC-USD", false],
    ]);
    expect(data.overall).toMatchObject({ available: true, volume: 3 });
    const one = (await program.call("/api/sentiment/aggregate?symbols=btc")).json().data;
    expect(one.by_symbol).toHaveLength(1);
    expect(one.overall).toMatchObject({ available: false, overall_sentiment: null });
  });

  it("400 for too many symbols and for none", async () => {
    const many = Array.from({ length: 51 }, (_, i) => `A${i}`).join(",");
    expectProblem(
      await program.call(`/api/sentiment/aggregate?symbols=${many}`),
      "invalid_request",
      "symbols",
    );
    expectProblem(await program.call("/api/sentiment/aggregate?symbols="), "invalid_request", "symbols");
  });
});

describe("GET /api/sentiment/twitter-health", () => {
  it("200 has the rate limit of the last answer, and no token", async () => {
    expect(programs.before).toMatchObject({ data: { status: "unknown", rate_limit_remaining: null } });
    const answer = await program.call("/api/sentiment/twitter-health");
    expect(answer.json()).toMatchObject({
      data: {
        status: "healthy",
        reason: null,
        last_update: new Date(NOW).toISOString(),
        rate_limit_limit: 450,
        rate_limit_remaining: 448,
        rate_limit_reset: new Date(RESET_S * 1_000).toISOString(),
        api_version: "2",
      },
      metrics: {
        success: 2,
        fail: 0,
        skipped: 0,
        last_status: 200,
        last_error: null,
        last_ts: new Date(NOW).toISOString(),
      },
    });
    expect(answer.body).not.toContain(TOKEN);
  });

  it("200 says that it is not configured for a synthetic market, which asks nothing", async () => {
    const { data, metrics } = (await synthetic.call("/api/sentiment/twitter-health")).json();
    expect(data).toMatchObject({ status: "not_configured", reason: NO_MARKET, rate_limit_remaining: null });
    expect(metrics).toMatchObject({ success: 0, fail: 0, last_status: null });
    expect(programs.twitter.requests).toHaveLength(2);
  });
});

describe("POST /api/sentiment/enhance-confidence", () => {
  const url = "/api/sentiment/enhance-confidence";

  it("200 moves the confidence by sentiment for or against the side", async () => {
    const measured = (await program.call("/api/sentiment/AAPL")).json().data;
    const push = 0.2 * measured.overall_sentiment * measured.confidence;
    const up = (
      await send(url, { symbol: "AAPL", base_confidence: 0.6, pattern_type: "bullish_engulfing" })
    ).json().data;
    expect(up).toMatchObject({ symbol: "AAPL", base_confidence: 0.6, side: "bullish", reason: null });
    expect(up.enhanced_confidence).toBeCloseTo(0.6 + push, 12);
    expect(up.enhancement_factor).toBeCloseTo(push, 12);
    const down = (await send(url, { symbol: "AAPL", pattern_type: "Bearish Engulfing" })).json().data;
    expect(down).toMatchObject({ base_confidence: 0.5, side: "bearish" });
    expect(down.enhanced_confidence).toBeCloseTo(0.5 - push, 12);
  });

  it("200 leaves it as it is for AUTO, and without texts", async () => {
    const auto = (await send(url, { symbol: "AAPL", base_confidence: 0.6, pattern_type: "AUTO" })).json()
      .data;
    expect(auto).toMatchObject({
      enhanced_confidence: 0.6,
      enhancement_factor: 0,
      reason: "the pattern has no side",
    });
    const none = (await send(url, { symbol: "AAPL", pattern_type: "hammer" }, synthetic)).json();
    expect(none.data).toMatchObject({
      enhanced_confidence: 0.5,
      enhancement_factor: 0,
      sentiment: { available: false, reason: NO_MARKET },
    });
  });

  it("400 for confidences that are none and fields that are unknown", async () => {
    expectProblem(
      await send(url, { symbol: "AAPL", base_confidence: 1.2 }),
      "invalid_request",
      "base_confidence",
    );
    expectProblem(
      await send(url, { symbol: "AAPL", base_confidence: "0.5" }),
      "invalid_request",
      "base_confidence",
    );
    expectProblem(await send(url, { symbol: "AAPL", user: 1 }), "invalid_request", "user");
    expectProblem(await send(url, { base_confidence: 0.5 }), "invalid_request", "symbol");
  });
});

describe("POST /api/sentiment/alert-condition", () => {
  const url = "/api/sentiment/alert-condition";

  it("200 says everything that it falls short of, whatever else the condition holds", async () => {
    const { data } = (
      await send(url, { symbol: "AAPL", pattern_type: "AUTO", name: "mine", nested: { a: 1 } })
    ).json();
    expect(data).toMatchObject({
      should_alert: false,
      priority: "none",
      sentiment_data: { symbol: "AAPL", available: true },
    });
    expect(data.alert_reason).toContain("fewer than 1000 documents");
    expect((await send(url, { symbol: "AAPL", threshold: 0 })).json().data.alert_reason).not.toContain(
      "the score is between",
    );
    expect((await send(url, { symbol: "BTC-USD" })).json().data).toMatchObject({
      should_alert: false,
      alert_reason: "no source has data",
    });
  });

  it("400 without a symbol, or with a threshold that is none", async () => {
    expectProblem(await send(url, { threshold: 0.5 }), "invalid_request", "symbol");
    expectProblem(await send(url, { symbol: "AAPL", threshold: 70 }), "invalid_request", "threshold");
  });
});

describe("POST /api/sentiment/analyze", () => {
  const url = "/api/sentiment/analyze";

  it("200 has the score with the words behind it, at their places", async () => {
    const text = "Apple (NASDAQ: AAPL) beats estimates; shares of $ACME plunge after a fraud probe";
    const { data } = (await send(url, { text })).json();
    expect(data.words.length).toBeGreaterThanOrEqual(2);
    for (const { term, start, end } of [...data.words, ...data.learned])
      expect(text.slice(start, end)).toBe(term);
    const labels = Object.fromEntries(
      data.entities.map(({ symbol, label }: { symbol: string; label: string }) => [symbol, label]),
    );
    expect(labels).toEqual({ AAPL: "positive", ACME: "negative" });
  });

  it("200 has no confidence in a text without a known word", async () => {
    const { data } = (await send(url, { text: "qwrtp zxcvb" }, synthetic)).json();
    expect(data).toMatchObject({ score: 0, label: "neutral", confidence: null, words: [], entities: [] });
  });

  it("400 for no text and for more than is read, 413 for a body beyond measure", async () => {
    expectProblem(await send(url, { text: "" }), "invalid_request", "text");
    expectProblem(await send(url, { text: "a".repeat(20_001) }), "invalid_request", "text");
    expectProblem(await send(url, { text: "a".repeat(3_000_000) }), "body_too_large");
  });
});
