import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { badgeOf } from "../../src/core/signals/badge.js";
import { LAYER_WEIGHTS } from "../../src/core/signals/fuse.js";
import { TIMEFRAME_WEIGHTS } from "../../src/core/signals/timeframes.js";
import { bandOfScore } from "../../src/features/signals/heatmap.js";
import { writeMarketFiles, writeParted } from "../fixtures/candle-files.js";
import { createManualClock } from "../fixtures/clock.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

const folder = mkdtempSync(join(tmpdir(), "tx-fused-"));
/** A Tuesday, while shares trade. */
const NOW = Date.parse("2024-07-09T15:07:20Z");

let synthetic: TestProgram;
let files: TestProgram;
beforeAll(async () => {
  writeMarketFiles(folder);
  writeParted(folder, "IBM");
  synthetic = await startTestProgram({ clock: createManualClock(NOW) });
  files = await startTestProgram({ environment: { MARKET_DATA: "files", FILES_DIR: folder } });
  // Threads take their time to start.
  for (const program of [synthetic, files]) {
    await program.call({ method: "POST", url: "/api/detect", payload: { symbol: "AAPL" } });
  }
}, 120_000);
afterAll(async () => {
  await Promise.all([synthetic.close(), files.close()]);
  rmSync(folder, { recursive: true, force: true });
});
afterEach(() => vi.restoreAllMocks());

const detect = (payload: object, program = synthetic) =>
  program.call({ method: "POST", url: "/api/detect-enhanced", payload });
const SYMBOLS = ["AAPL", "MSFT", "TSLA", "BTC-USD", "ETH-USD", "SPY"];

/** The answers of the symbols that have a pattern now. */
async function detections(program = synthetic, timeframe = "1h") {
  const answers = [];
  for (const symbol of SYMBOLS) {
    const answer = await detect({ symbol, timeframe }, program);
    if (answer.statusCode === 200) answers.push(answer.json());
    else expectProblem(answer, "no_pattern", /confirmed pattern/);
  }
  expect(answers.length).toBeGreaterThan(1);
  return answers;
}

type Layer = {
  score: number | null;
  weight: number;
  contribution: number;
  status: string;
  reason: string | null;
};
const layersOf = (data: { layers: Record<string, Layer> }) =>
  ["rule_based", "deep_learning", "multi_timeframe", "sentiment"].map((name) => data.layers[name]);

describe("POST /api/detect-enhanced", () => {
  it("200 reports each layer, and the contributions add up to the composite to the last bit", async () => {
    for (const { data } of await detections()) {
      const layers = layersOf(data);
      expect(layers.reduce((sum, { contribution }) => sum + contribution, 0)).toBe(data.composite_score);
      expect(data).toMatchObject({
        ...{ composite_probability: null, composite_model_version: null },
        composite_probability_reason: expect.stringContaining("not been learned"),
      });
      expect(layers.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
      for (const { score, weight, contribution, reason, status } of layers) {
        expect(contribution).toBe(score === null ? 0 : weight * score);
        expect(reason === null).toBe(score !== null);
        if (score === null) expect({ weight, status }).toEqual({ weight: 0, status: "unavailable" });
      }
      const directed = data.direction !== "neutral";
      expect(data.quality_badge).toBe(directed ? badgeOf(data.composite_score / 100) : null);
      if (directed) expect(data.composite_direction).toBe(data.direction);
      else expect(data.composite_direction).toBeOneOf(["bullish", "bearish"]);
    }
  });

  it("200 gives the weights of silent layers to the others, and says why they are silent", async () => {
    const [{ data }] = await detections();
    const { deep_learning, sentiment, rule_based, multi_timeframe } = data.layers;
    expect(deep_learning).toMatchObject({
      score: null,
      reason: "no sequence net has been promoted",
      model_version: null,
    });
    expect(sentiment.score).toBeNull();
    expect(sentiment.sources.technical).toMatchObject({ score: null, count: 0 });
    const share = LAYER_WEIGHTS.rules / (LAYER_WEIGHTS.rules + LAYER_WEIGHTS.multi_timeframe);
    expect(rule_based.weight).toBeCloseTo(share, 12);
    expect(multi_timeframe.weight).toBeCloseTo(1 - share, 12);
  });

  it("200 reads the intervals on bars that have closed, weighed for the market they are in", async () => {
    for (const { data } of await detections()) {
      const { timeframes, score, weights_for } = data.layers.multi_timeframe;
      expect(Object.keys(timeframes).sort()).toEqual(["1d", "1h", "4h"]);
      const weights = TIMEFRAME_WEIGHTS[weights_for as keyof typeof TIMEFRAME_WEIGHTS];
      let sum = 0;
      for (const interval of ["1h", "4h", "1d"] as const) {
        const frame = timeframes[interval];
        expect(Date.parse(frame.bar_closed_at)).toBeLessThanOrEqual(NOW);
        expect(frame.weight).toBeCloseTo(weights[interval], 12);
        sum += frame.weight * frame.score;
      }
      expect(score).toBeCloseTo(sum, 9);
      expect(Date.parse(data.closed_at)).toBeLessThanOrEqual(NOW);
      expect(data.state).toBe("confirmed");
    }
  });

  it("200 scores fall for a signal downwards when prices rise", async () => {
    for (const { data } of await detections()) {
      const { value, score } = data.layers.multi_timeframe;
      const side = data.direction === "bearish" ? -1 : 1;
      if (data.direction !== "neutral") expect(score).toBeCloseTo(50 + 50 * side * value, 12);
    }
  });

  it("200 prefers what has been better than chance, where that is measured", async () => {
    const [{ data: before }] = await detections();
    const details = before.layers.rule_based.details.filter(
      (each: { direction: string }) => each.direction !== "neutral",
    );
    expect(before).toMatchObject({
      confidence: null,
      evidence: { sample_size: 0, reason: expect.stringMatching(/measured/) },
    });
    const other = details.at(-1).pattern_type;
    const { confidenceOf } = synthetic.parts.evidence;
    vi.spyOn(synthetic.parts.evidence, "confidenceOf").mockImplementation((variant, interval, regime) => ({
      ...confidenceOf(variant, interval, regime),
      ...(variant === other
        ? { value: 0.9, baseRate: 0.1, n: 400, hitRate: 0.91, low: 0.88, high: 0.93, reason: null }
        : { value: 0.1, baseRate: 0.4, n: 400, hitRate: 0.1, low: 0.08, high: 0.13, reason: null }),
    }));
    const { data } = (await detect({ symbol: before.symbol, timeframe: "1h" })).json();
    expect(data).toMatchObject({
      pattern_type: other,
      confidence: 0.9,
      evidence: { sample_size: 400, base_rate: 0.1 },
    });
  });

  it("200 says that a synthetic market is one, and what of a real one is old", async () => {
    const [answer] = await detections();
    expect(answer).toMatchObject({
      synthetic: true,
      data: { synthetic: true, stale: false, source: "synthetic" },
    });
    const recorded = await detect({ symbol: "BTC", timeframe: "5m" }, files);
    if (recorded.statusCode === 200) {
      expect(recorded.json().data).toMatchObject({ synthetic: false, stale: true, source: "files" });
    } else expectProblem(recorded, "no_pattern");
  });

  it("400 names what is not valid", async () => {
    expectProblem(await detect({}), "invalid_request", "symbol");
    expectProblem(await detect({ symbol: "AAPL", timeframe: "7h" }), "invalid_request", "timeframe");
    expectProblem(await detect({ symbol: "AAPL", layers: 1 }), "invalid_request");
    expectProblem(await detect({ symbol: "a b" }), "symbol_invalid");
    expectProblem(await detect({ symbol: "AAPL", timeframe: "5m" }, files), "interval_unavailable");
  });

  it("404 says when there is no such symbol, and when there is no pattern", async () => {
    expectProblem(await detect({ symbol: "QQQQ" }, files), "symbol_unknown");
    vi.spyOn(synthetic.parts.workers, "run").mockResolvedValue({
      sightings: [],
      direction: null,
      regime: null,
      volatility: null,
      range: null,
    });
    // Whose bars were not looked at before.
    expectProblem(await detect({ symbol: "NVDA" }), "no_pattern", "newest 5 1d bars of NVDA");
  });
});

describe("POST /api/detect/enhanced", () => {
  it.each([[undefined], [{}], [{ symbol: "AAPL", anything: [1] }]])(
    "410 says what took its place: %j",
    async (payload) => {
      const request = { method: "POST" as const, url: "/api/detect/enhanced" };
      const answer = await synthetic.call(payload === undefined ? request : { ...request, payload });
      expectProblem(answer, "gone", "/api/detect-enhanced");
    },
  );
});

describe.each(["/api/patterns/heatmap", "/api/pattern-heatmap"])("GET %s", (path) => {
  it("200 has what both clients read: the same rows in two shapes", async () => {
    const body = (await synthetic.call(`${path}?symbol=ETH`)).json();
    expect(body).toMatchObject({ symbol: "ETH-USD", synthetic: true, timeframes: ["15m", "1h", "4h", "1d"] });
    expect(body.heatmap.length).toBeGreaterThan(0);
    expect(body.patterns.map((row: { pattern_name: string }) => row.pattern_name)).toEqual(
      body.heatmap.map((row: { pattern: string }) => row.pattern),
    );
    for (const [i, { timeframes, avg_score, direction }] of body.heatmap.entries()) {
      const cells = body.patterns[i].timeframes;
      expect(cells.map(({ timeframe, ...cell }: { timeframe: string }) => [timeframe, cell])).toEqual(
        Object.entries(timeframes),
      );
      const found = cells.filter(({ detected }: { detected: boolean }) => detected);
      expect(found.length).toBeGreaterThan(0);
      for (const { score, status, color, closed_at, confidence } of found) {
        expect(status).toBe(direction === "neutral" ? "NEUTRAL" : bandOfScore(score));
        expect(color).toBe(body.legend[status].color);
        expect(Date.parse(closed_at)).toBeLessThanOrEqual(NOW);
        expect(confidence).toBeNull();
      }
      for (const cell of cells)
        if (!cell.detected) expect(cell).toMatchObject({ status: "NONE", score: null, quality: null });
      const scores = found.flatMap(({ score }: { score: number | null }) => score ?? []);
      const mean = scores.reduce((sum: number, score: number) => sum + score, 0) / scores.length;
      expect(avg_score).toEqual(scores.length === 0 ? null : mean);
    }
    for (const { timeframes } of body.consensus_patterns) expect(timeframes.length).toBeGreaterThan(1);
    for (const { stale, reason } of body.intervals)
      expect({ stale, reason }).toEqual({ stale: false, reason: null });
  });

  it("200 is there while an interval is missing, and says why it is", async () => {
    const body = (await files.call(`${path}?symbol=AAPL`)).json();
    const reasons = body.intervals.map((each: { timeframe: string; reason: string | null }) => [
      each.timeframe,
      each.reason === null,
    ]);
    expect(Object.fromEntries(reasons)).toMatchObject({ "15m": false, "1d": true });
    for (const row of body.heatmap)
      expect(row.timeframes["15m"]).toMatchObject({ detected: false, reason: expect.any(String) });
  });

  it("200 has the maps of further symbols in their order, or why there is none", async () => {
    const alone = (await synthetic.call(`${path}?symbol=AAPL`)).json();
    const body = (await synthetic.call(`${path}?symbol=ETH&others=AAPL,%20no%20symbol,MSFT`)).json();
    expect(alone.others).toEqual([]);
    expect(body.symbol).toBe("ETH-USD");
    const [apple, none, microsoft] = body.others;
    expect(apple).toEqual({
      symbol: "AAPL",
      heatmap: alone.heatmap,
      consensus_patterns: alone.consensus_patterns,
      intervals: alone.intervals,
      reason: null,
    });
    expect(none).toMatchObject({ symbol: "no symbol", heatmap: [], reason: expect.any(String) });
    expect(microsoft).toMatchObject({ symbol: "MSFT", reason: null });
  });

  it("400 without a symbol, or with too many others", async () => {
    expectProblem(await synthetic.call(path), "invalid_request", "symbol");
    const many = Array.from({ length: 12 }, (_, n) => `S${n}`).join(",");
    expectProblem(await synthetic.call(`${path}?symbol=AAPL&others=${many}`), "invalid_request", "others");
    expectProblem(await synthetic.call(`${path}?symbol=AAPL&x=1`), "invalid_request");
  });

  it("404 for a symbol that no source knows", async () => {
    expectProblem(await files.call(`${path}?symbol=QQQQ`), "symbol_unknown");
  });
});

describe("intervals that end years apart", () => {
  const behind = /bars end at 2022-12-30T21:00:00.000Z, .* 2024-12-31T21:00/;

  it("200 are not joined: the map has nothing of the older ones", async () => {
    const body = (await files.call("/api/patterns/heatmap?symbol=IBM")).json();
    expect(body.heatmap.length).toBeGreaterThan(0);
    const [, hours, fourHours, days] = body.intervals;
    for (const each of [hours, fourHours])
      expect(each).toMatchObject({ stale: true, reason: expect.stringMatching(behind) });
    expect(days).toMatchObject({ stale: true, reason: null });
    for (const { timeframes, avg_score } of body.heatmap) {
      for (const interval of ["1h", "4h"])
        expect(timeframes[interval]).toMatchObject({ detected: false, score: null, stale: true });
      expect(timeframes["1d"]).toMatchObject({ detected: true, score: avg_score, stale: true });
      expect(timeframes["1d"].status).toBeOneOf(["MODERATE", "WEAK", "NEUTRAL"]);
    }
    expect(body.consensus_patterns).toEqual([]);
    const { data } = (await files.call("/api/patterns/confidence/IBM?timeframe=1h")).json();
    expect(data).toMatchObject({ scores: [], intervals: [{ reason: expect.stringMatching(behind) }] });
  });

  it("200 do not agree with each other in a layer, nor is the older one heard where it is asked for", async () => {
    for (const timeframe of ["1d", "1h"]) {
      const { data } = (await files.call(`/api/recommend/complete?symbol=IBM&timeframe=${timeframe}`)).json();
      const { multi_timeframe, rule_based } = data.layers;
      expect(multi_timeframe).toMatchObject({ alignment: null, divergence: null, agreement: "low" });
      expect(multi_timeframe.timeframes["1h"]).toMatchObject({ score: null, weight: 0 });
      expect(multi_timeframe.timeframes["1h"].reason).toMatch(behind);
      expect(multi_timeframe.timeframes["1d"]).toMatchObject({ weight: 1, reason: null });
      if (timeframe === "1h") expect(rule_based).toMatchObject({ score: null, weight: 0 });
      if (timeframe === "1h") expect(rule_based.reason).toMatch(behind);
      expect(data.action).toBe("AVOID");
    }
  });
});

describe("GET /api/ml/multi-timeframe", () => {
  const ask = (query: string, on = files) => on.call(`/api/ml/multi-timeframe?${query}`);

  it("200 fuses the intervals that can be had, and says why the others tell nothing", async () => {
    for (const [symbol, reason] of [
      ["AAPL", /no 1h candles/],
      ["IBM", /bars end at 2022-12-30/],
    ] as const) {
      const { data, ...top } = (await ask(`symbol=${symbol}`)).json();
      expect(top).toMatchObject(data);
      const { "1h": hours, "1d": days } = data.timeframe_breakdown;
      expect(hours).toMatchObject({ prediction: null, success: false, weight: 0 });
      expect(hours.reason).toMatch(reason);
      expect(days).toMatchObject({ prediction: data.fused_score, success: true, weight: 1, reason: null });
      expect(data).toMatchObject({
        symbol,
        confidence: "low",
        metadata: { timeframes_scored: 1, alignment_score: null, divergence_detected: null },
      });
    }
  });

  it("200 weighs all three as is asked, and as a signal on the symbol does without being asked", async () => {
    const { data } = (await ask("symbol=ETH&regime=ranging", synthetic)).json();
    expect(data.metadata).toMatchObject({ timeframes_scored: 3, regime: "ranging" });
    for (const interval of ["1h", "4h", "1d"] as const)
      expect(data.metadata.weights_applied[interval]).toBeCloseTo(TIMEFRAME_WEIGHTS.ranging[interval], 12);
    const { data: usual } = (await ask("symbol=ETH", synthetic)).json();
    const { multi_timeframe } = (
      await synthetic.call("/api/recommend/complete?symbol=ETH&timeframe=1h")
    ).json().data.layers;
    expect(usual.fused_score).toBeCloseTo((multi_timeframe.value + 1) / 2, 12);
    expect(usual.metadata.regime).toBe(multi_timeframe.weights_for);
  });

  it("404 for a symbol that no source knows", async () => {
    expectProblem(await ask("symbol=QQQQ"), "symbol_unknown");
  });
});

describe("GET /api/patterns/confidence/:symbol", () => {
  it("200 has a row for each cell of the heat map that has a pattern", async () => {
    const { heatmap } = (await synthetic.call("/api/patterns/heatmap?symbol=ETH")).json();
    const cells = heatmap.flatMap(
      (row: {
        pattern_type: string;
        timeframes: Record<string, { detected: boolean; score: number; status: string }>;
      }) =>
        Object.entries(row.timeframes).flatMap(([timeframe, { detected, score, status }]) => {
          // Where a single layer speaks, or prices are old, the band is MODERATE at most, and so is the badge.
          const isFree = ["ELITE", "HIGH", "GOOD"].includes(status);
          const badge = score === null ? null : isFree ? badgeOf(score / 100) : "MODERATE";
          return detected ? [`${row.pattern_type} ${timeframe} ${score} ${badge}`] : [];
        }),
    );
    const { data } = (await synthetic.call("/api/patterns/confidence/ETH-USD")).json();
    const rows = data.scores.map(
      (row: { pattern_type: string; timeframe: string; score: number; badge: string | null }) =>
        `${row.pattern_type} ${row.timeframe} ${row.score} ${row.badge}`,
    );
    expect(rows).toEqual(cells);
    for (const { confidence, evidence } of data.scores) {
      expect({ confidence, n: evidence.sample_size }).toEqual({ confidence: null, n: 0 });
    }
  });

  it("200 of one interval alone", async () => {
    const { data } = (await synthetic.call("/api/patterns/confidence/ETH?timeframe=60m")).json();
    expect(data.intervals.map(({ timeframe }: { timeframe: string }) => timeframe)).toEqual(["1h"]);
    for (const { timeframe } of data.scores) expect(timeframe).toBe("1h");
  });

  it("400 for an interval that there is none of, or that the source has not", async () => {
    expectProblem(
      await synthetic.call("/api/patterns/confidence/ETH?timeframe=9d"),
      "invalid_request",
      "timeframe",
    );
    expectProblem(await files.call("/api/patterns/confidence/AAPL?timeframe=5m"), "interval_unavailable");
  });

  it("404 for a symbol that no source knows", async () => {
    expectProblem(await files.call("/api/patterns/confidence/QQQQ"), "symbol_unknown");
  });
});
