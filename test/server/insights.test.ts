import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { findVariant, PATTERNS } from "../../src/core/patterns/index.js";
import { AppError } from "../../src/platform/errors.js";
import { createManualClock } from "../fixtures/clock.js";
import { DAILY_NOW, writeDailySeries } from "../fixtures/daily-market.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { barsOfStretches, REGIME_SERIES, TREND_SERIES } from "../fixtures/regime-series.js";

const folder = mkdtempSync(join(tmpdir(), "tx-insights-"));
let program: TestProgram;
let synthetic: TestProgram;
beforeAll(async () => {
  writeDailySeries(folder, {
    MSFT: barsOfStretches(TREND_SERIES.rising),
    IBM: barsOfStretches(TREND_SERIES.falling),
    NVDA: barsOfStretches(REGIME_SERIES.high_volatility),
    GE: barsOfStretches([{ bars: 30 }]),
  });
  const clock = createManualClock(DAILY_NOW);
  program = await startTestProgram({ clock, environment: { MARKET_DATA: "files", FILES_DIR: folder } });
  synthetic = await startTestProgram({ clock: createManualClock(DAILY_NOW) });
  // Threads take their time to start.
  for (const each of [program, synthetic]) {
    await each.call({ method: "POST", url: "/api/detect", payload: { symbol: "MSFT" } });
  }
}, 120_000);
afterAll(async () => {
  await Promise.all([program.close(), synthetic.close()]);
  rmSync(folder, { recursive: true, force: true });
});
afterEach(() => vi.restoreAllMocks());

const poster =
  (url: string) =>
  (payload: object, on = program) =>
    on.call({ method: "POST", url, payload });
const detect = poster("/api/ml/advanced/patterns/detect");
const insights = poster("/api/ml/advanced/insights/comprehensive");

describe("POST /api/ml/advanced/patterns/detect", () => {
  it("200 lists what is confirmed on the days that are asked for, newest first, as the other list does", async () => {
    const { data } = (await detect({ symbol: "IBM", lookback_days: 14, min_confidence: 0 })).json();
    const { data: whole } = (await program.call("/api/patterns/IBM?limit=500")).json();
    const since = Date.parse(data.patterns.at(-1).closed_at);
    const confirmed = whole.patterns.filter(
      ({ state, closed_at }: { state: string; closed_at: string }) =>
        state === "confirmed" && Date.parse(closed_at) >= since,
    );
    const brief = ({ pattern_type, closed_at, quality }: Record<string, unknown>) => ({
      pattern_type,
      closed_at,
      quality,
    });
    expect(data.patterns.map(brief)).toEqual(confirmed.map(brief));
    expect(DAILY_NOW - since).toBeLessThan(20 * 86_400_000);
    expect(data).toMatchObject({
      symbol: "IBM",
      timeframe: "1d",
      below_min_confidence: 0,
      older_left_out: 0,
      synthetic: false,
    });
    const counted = Object.values<number>(data.confidence_summary).reduce((sum, each) => sum + each, 0);
    expect(counted).toBe(data.total_patterns);
    for (const pattern of data.patterns) {
      expect(pattern).toMatchObject({ confidence: null, judged_by: "quality", timeframe: "medium" });
      expect(pattern.description.length).toBeGreaterThan(10);
      expect(pattern.key_levels.length).toBeGreaterThan(0);
      if (pattern.direction === "neutral")
        expect(pattern).toMatchObject({ target_price: null, trend_alignment: null });
      else
        expect(pattern.trading_suggestion).toMatch(
          pattern.direction === "bullish" ? /^(Buy near|No trade: )/ : /^(Sell near|No trade: )/,
        );
    }
    // A trade may be entered on the newest five bars, and not once it is over.
    for (const { trading_suggestion, closed_at, direction } of data.patterns) {
      if (direction === "neutral" || Date.parse(closed_at) >= DAILY_NOW - 10 * 86_400_000) continue;
      expect(trading_suggestion).toMatch(/^No trade: (the price has reached|its entry was)/);
    }
    expect(
      data.patterns.some(({ trading_suggestion }: { trading_suggestion: string }) =>
        trading_suggestion.startsWith("Sell near"),
      ),
    ).toBe(true);
  });

  it("200 holds the measured hit rate against the least, on both scales, else the quality", async () => {
    const body = { symbol: "IBM", lookback_days: 30 };
    const { data: all } = (await detect({ ...body, min_confidence: 0 })).json();
    const { data: good } = (await detect({ ...body, min_confidence: 60 })).json();
    expect(good.patterns).toEqual(all.patterns.filter(({ quality }: { quality: number }) => quality >= 0.6));
    expect(good.below_min_confidence).toBe(all.total_patterns - good.total_patterns);
    vi.spyOn(program.parts.evidence, "confidenceOf").mockReturnValue({
      value: 0.72,
      reason: null,
      regime: "any",
      n: 300,
      hitRate: 0.73,
      low: 0.68,
      high: 0.78,
      baseRate: 0.43,
      edgeLow: -0.1,
      edgeHigh: 0.3,
      qValue: 0.5,
      meanR: 0.2,
      asOfMs: DAILY_NOW,
    });
    const { data } = (await detect({ ...body, min_confidence: 0.72 })).json();
    const { data: none } = (await detect({ ...body, min_confidence: 0.73 })).json();
    const measured = data.patterns.filter(
      ({ judged_by }: { judged_by: string }) => judged_by === "confidence",
    );
    expect(measured.length).toBeGreaterThan(0);
    for (const pattern of measured) expect(pattern).toMatchObject({ confidence: 0.72, strength: "strong" });
    for (const { judged_by } of none.patterns) expect(judged_by).toBe("quality");
  });

  it("200 says that a synthetic market is one", async () => {
    const answer = await detect({ symbol: "AAPL", min_confidence: 0 }, synthetic);
    expect(answer.json()).toMatchObject({ synthetic: true, data: { synthetic: true, source: "synthetic" } });
  });

  it("400 names what is not valid", async () => {
    expectProblem(await detect({}), "invalid_request", "symbol");
    expectProblem(await detect({ symbol: "IBM", lookback_days: 0 }), "invalid_request", "lookback_days");
    expectProblem(await detect({ symbol: "IBM", min_confidence: -1 }), "invalid_request", "min_confidence");
    expectProblem(await detect({ symbol: "IBM", timeframe: "5m" }), "interval_unavailable");
  });

  it("404 for a symbol that no source knows", async () => {
    expectProblem(await detect({ symbol: "QQQQ" }), "symbol_unknown");
  });
});

describe("POST /api/ml/advanced/insights/comprehensive", () => {
  it.each([
    ["MSFT", "BUY", "BUY"],
    ["IBM", "SELL", "SELL"],
    ["NVDA", "HOLD", "AVOID"],
  ])("200 %s: %s", async (symbol, trading_recommendation, action) => {
    const { data } = (await insights({ symbol })).json();
    expect(data).toMatchObject({ symbol, trading_recommendation, action, source: "files", synthetic: false });
    const { data: regime } = (
      await program.call({ method: "POST", url: "/api/ml/advanced/regime/detect", payload: { symbol } })
    ).json();
    for (const name of Object.keys(data.regime)) expect(data.regime[name]).toEqual(regime[name]);
    expect(data.key_insights.length).toBeGreaterThan(1);
    expect(data.key_insights[0]).toMatch(new RegExp(`^${action}: `));
  });

  it("200 scores from falling to rising whatever the direction, as the recommendation does", async () => {
    for (const [symbol, side] of [
      ["MSFT", 1],
      ["IBM", -1],
    ] as const) {
      const { data } = (await insights({ symbol })).json();
      const { data: advice } = (await program.call(`/api/recommend/complete?symbol=${symbol}`)).json();
      expect(data.overall_score).toBeCloseTo(50 + side * (advice.composite_score - 50), 9);
    }
  });

  it("200 leaves out what is not asked for, also from the score", async () => {
    const { data } = (
      await insights({
        symbol: "IBM",
        include_patterns: false,
        include_regime: false,
        include_sentiment: false,
      })
    ).json();
    const reason = "it was not asked for";
    expect(data).toMatchObject({ patterns: null, regime: null, sentiment: null, risk_assessment: null });
    expect(data.unavailable).toMatchObject({ patterns: reason, regime: reason, sentiment: reason });
    const { data: all } = (await insights({ symbol: "IBM" })).json();
    expect(data.overall_score).not.toBe(all.overall_score);
    expect(all.sentiment).toMatchObject({ sentiment_score: null, analyst_sentiment: null });
    expect(all.unavailable).toMatchObject({ "sentiment.sentiment_score": expect.any(String) });
  });

  it("200 without a regime where there are too few bars for one", async () => {
    const { data } = (await insights({ symbol: "GE" })).json();
    expect(data).toMatchObject({ regime: null, risk_assessment: null });
    expect(data.unavailable.regime).toMatch(/30 1d candles/);
  });

  it("200 says that a synthetic market is one", async () => {
    expect((await insights({ symbol: "AAPL" }, synthetic)).json()).toMatchObject({
      synthetic: true,
      data: { synthetic: true },
    });
  });

  it("400 names what is not valid", async () => {
    expectProblem(await insights({}), "invalid_request", "symbol");
    expectProblem(
      await insights({ symbol: "IBM", analysis_type: "else" }),
      "invalid_request",
      "analysis_type",
    );
    expectProblem(await insights({ symbol: "a b" }), "symbol_invalid");
  });

  it("404 for a symbol that no source knows", async () => {
    expectProblem(await insights({ symbol: "QQQQ" }), "symbol_unknown");
  });
});

describe("GET /api/ml/advanced/patterns/types", () => {
  const TYPES =
    "head_and_shoulders inverse_head_and_shoulders double_top double_bottom triple_top triple_bottom ascending_triangle descending_triangle symmetrical_triangle flag pennant wedge hammer doji engulfing morning_star evening_star volume_spike volume_divergence support_break resistance_break trend_line_break";

  it("200 names the 22 types, each with variants that the table has, none of them twice", async () => {
    const { data } = (await program.call("/api/ml/advanced/patterns/types")).json();
    expect(data.pattern_types.map(({ type }: { type: string }) => type)).toEqual(TYPES.split(" "));
    const variants: string[] = data.pattern_types.flatMap((type: { variants: string[] }) => type.variants);
    for (const variant of variants) expect(findVariant(variant)).not.toBeNull();
    expect(new Set(variants).size).toBe(variants.length);
    const available = data.pattern_types.filter((type: { available: boolean }) => type.available);
    const hasCharts = PATTERNS.some(({ family }) => family === "chart");
    expect(available.length).toBe(hasCharts ? 22 : 9);
    expect(data).toMatchObject({
      total: 22,
      available: available.length,
      variants_in_types: variants.length,
    });
  });
});

describe("GET /api/ml/advanced/health", () => {
  it("200 is healthy where the detectors find what is known, for everybody", async () => {
    const body = (await program.call("/api/ml/advanced/health")).json();
    expect(body).toMatchObject({
      status: "healthy",
      services: { pattern_detector: { status: "healthy" }, regime_detector: { status: "healthy" } },
      evidence: { measured_at: null, reason: expect.stringMatching(/measured/) },
    });
  });

  it("200 is not where no thread answers or a known pattern is missed", async () => {
    const run = vi.spyOn(program.parts.workers, "run");
    run.mockRejectedValueOnce(new AppError("overloaded", "no thread starts"));
    const dead = (await program.call("/api/ml/advanced/health")).json();
    expect(dead).toMatchObject({
      status: "unhealthy",
      services: { regime_detector: { detail: "no thread starts" } },
    });
    run.mockResolvedValueOnce({ sightings: [], regime: "ranging" });
    const blind = (await program.call("/api/ml/advanced/health")).json();
    expect(blind).toMatchObject({
      status: "unhealthy",
      services: { pattern_detector: { status: "unhealthy" }, regime_detector: { status: "healthy" } },
    });
  });
});
