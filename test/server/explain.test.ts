import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { PATTERNS } from "../../src/core/patterns/index.js";
import { LAYER_WEIGHTS } from "../../src/core/signals/fuse.js";
import { levelsFor } from "../../src/core/signals/levels.js";
import { figure } from "../../src/features/explain/words.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";

let program: TestProgram;
beforeAll(async () => {
  program = await startScannedProgram();
});
afterAll(() => program.close());

const get = async (url: string) => (await program.call(url)).json();
const post = (url: string, payload: object) => program.call({ method: "POST", url, payload });
const variants = PATTERNS.flatMap((pattern) => pattern.variants.map((variant) => ({ pattern, variant })));

describe("GET /api/explain/pattern/:name", () => {
  it("200 for every variant of the table, in each spelling, with texts of its own", async () => {
    const told = new Set<string>();
    for (const { pattern, variant } of variants) {
      const { data } = await get(`/api/explain/pattern/${encodeURIComponent(variant.title)}`);
      expect(data).toMatchObject({
        name: variant.title,
        pattern_type: variant.id,
        bars: pattern.bars,
        description: pattern.description,
        timeframe: "1d",
        success_rate: null,
        avg_return: null,
        evidence: { confidence: null, reason: expect.stringMatching(/evidence/i), sample_size: 0 },
      });
      for (const field of ["how_it_works", "entry_strategy", "exit_strategy", "risk_management"]) {
        expect(data[field].length, `${variant.id} ${field}`).toBeGreaterThan(60);
      }
      told.add(data.how_it_works);
    }
    expect(told.size).toBe(variants.length);
    const expected = await get("/api/explain/pattern/bullish_engulfing");
    for (const name of [
      "Bullish%20Engulfing",
      "bullish-ENGULFING",
      "BullishEngulfing",
      "bullish%20engulfing%20",
    ]) {
      expect(await get(`/api/explain/pattern/${name}`), name).toEqual(expected);
    }
  });

  it("200 says buy for what expects a rise, sell for a fall and no trade for neither", async () => {
    const entryOf = async (name: string) => (await get(`/api/explain/pattern/${name}`)).data.entry_strategy;
    expect(await entryOf("bullish_engulfing")).toMatch(/^Buy at the open/);
    expect(await entryOf("bearish_engulfing")).toMatch(/^Sell at the open/);
    expect(await entryOf("doji")).toMatch(/no trade/);
  });

  it("200 has the newest stored detections with what became of them", async () => {
    const { logs } = (await get("/api/detection_logs?pattern=bullish_engulfing&limit=5")).data;
    const { examples } = (await get("/api/explain/pattern/bullish_engulfing")).data;
    expect(examples.map((each: { detection_id: number }) => each.detection_id)).toEqual(
      logs.map(({ id }: { id: number }) => id),
    );
    for (const { outcome } of examples) {
      if (outcome.status === "none") expect(outcome.reason).toMatch(/too few bars for a range/);
      else expect(outcome.status).toBeOneOf(["target", "stop", "time", "void", "open"]);
    }
  });

  it.each<[string, readonly string[]]>([
    ["cup and handle", ["cup_with_handle"]],
    ["cup_and_handle", ["cup_with_handle"]],
    ["Head & Shoulders", ["head_and_shoulders"]],
    ["inverted head and shoulders", ["inverse_head_and_shoulders"]],
    ["dry-up", ["volume_dry_up"]],
    ["bullish flag", ["bull_flag"]],
    ["flags", ["bull_flag", "bear_flag"]],
    ["wedge", ["rising_wedge", "falling_wedge"]],
    ["trendline break", ["uptrend_line_break", "downtrend_line_break"]],
    ["macd crossover", ["bullish_macd_cross", "bearish_macd_cross"]],
    ["bearish macd crossover", ["bearish_macd_cross"]],
    ["volume climax", ["selling_climax", "buying_climax"]],
    [
      "channel",
      [
        "ascending_channel_breakout",
        "ascending_channel_breakdown",
        "descending_channel_breakout",
        "descending_channel_breakdown",
      ],
    ],
  ])("200 finds %s by its words, with all that they mean", async (name, meant) => {
    const { data } = await get(`/api/patterns/explain?pattern=${encodeURIComponent(name)}`);
    expect(data.meant.map(({ pattern_type }: { pattern_type: string }) => pattern_type)).toEqual(meant);
    expect(data.pattern_type).toBe(meant[0]);
    // Where one is needed, several are not guessed at.
    const one = await post("/api/patterns/validate", { symbol: "AAPL", pattern: name });
    if (meant.length === 1) expect(one.json().data.pattern).toBe(meant[0]);
    else expectProblem(one, "pattern_unknown", meant.join(", "));
  });

  it("404 for an unknown one names those that are near", async () => {
    expectProblem(
      await program.call("/api/explain/pattern/bulish_engulfin"),
      "pattern_unknown",
      "bullish_engulfing",
    );
    expectProblem(
      await program.call("/api/explain/pattern/morning%20starr"),
      "pattern_unknown",
      "morning_star",
    );
    expectProblem(
      await program.call("/api/explain/pattern/zzzzqqqq"),
      "pattern_unknown",
      /no known pattern$/,
    );
  });

  it("400 for a timeframe that is none", async () => {
    expectProblem(
      await program.call("/api/explain/pattern/doji?timeframe=7m"),
      "invalid_request",
      "timeframe",
    );
  });
});

describe("GET and POST /api/patterns/explain", () => {
  it("200 are the same as by name", async () => {
    const expected = await get("/api/explain/pattern/hammer?timeframe=5m");
    expect(await get("/api/patterns/explain?pattern=Hammer&timeframe=5m")).toEqual(expected);
    const answer = await post("/api/patterns/explain", {
      pattern: "HAMMER",
      timeframe: "5m",
      symbol: "AAPL",
    });
    expect(answer.json()).toEqual(expected);
  });

  it("400 without a pattern, 404 for an unknown one", async () => {
    expectProblem(await program.call("/api/patterns/explain"), "invalid_request", "pattern");
    expectProblem(await post("/api/patterns/explain", {}), "invalid_request", "pattern");
    expectProblem(await post("/api/patterns/explain", { pattern: "zzzzqqqq" }), "pattern_unknown");
  });
});

async function alertsOf(): Promise<Record<string, never>[]> {
  return (await get("/api/alerts?limit=50")).alerts;
}

describe("POST /api/explain/alert", () => {
  it("200 explains each alert with its own levels", async () => {
    const alerts = (await alertsOf()) as unknown as {
      id: number;
      symbol: string;
      alert_type: string;
      pattern: string;
      metadata: { risk_suggestions: { entry: number; stop_loss: number } | null; suggested_action: string };
    }[];
    expect(alerts.length).toBeGreaterThan(3);
    for (const alert of alerts.slice(0, 12)) {
      const { data } = (await post("/api/explain/alert", { alert_id: alert.id })).json();
      const risk = alert.metadata.risk_suggestions;
      expect(data).toMatchObject({
        alert_id: alert.id,
        symbol: alert.symbol,
        pattern_type: alert.pattern,
        // The files end long ago.
        recommended_action: risk === null ? "WATCH" : "HOLD",
        confidence: null,
        additional_data: { entry: risk?.entry ?? null, stop_loss: risk?.stop_loss ?? null },
      });
      expect(data.explanation).toMatch(/shape fits with quality \d\.\d\d of 1/);
      expect(data.explanation).toMatch(/rules of alerts let it pass/);
      expect(data.market_context).toMatch(/trend before the shape is (up|down|flat)/);
      expect(data.risk_factors).toContain("No hit rate of the pattern has been measured");
    }
    const [{ id, symbol, alert_type }] = alerts;
    expect((await post("/api/explain/alert", { alert_id: String(id) })).statusCode).toBe(200);
    const named = (await post("/api/explain/alert", { alert_type, symbol })).json();
    expect(named.data).toMatchObject({ alert_id: id, symbol });
  });

  it("200 keeps the confidence of when it was raised, beside what has been measured since", async () => {
    const alert = ensure(
      (await get("/api/alerts?limit=50")).alerts.find(
        ({ direction }: { direction: string }) => direction !== "neutral",
      ) as { id: number } | undefined,
      "an alert with a direction",
    );
    const { evidence } = program.parts;
    const later = { value: 0.52, reason: null, n: 400, hitRate: 0.53, baseRate: 0.43 };
    const known = evidence.confidenceOf("doji", "1d", null);
    vi.spyOn(evidence, "confidenceOf").mockReturnValue({ ...known, ...later });
    onTestFinished(() => void vi.restoreAllMocks());
    const { data } = (await post("/api/explain/alert", { alert_id: alert.id })).json();
    expect(data.confidence).toBeNull();
    expect(data.confidence_factors).toMatchObject({
      confidence_when_raised: null,
      measured_confidence: 0.52,
    });
  });

  it("400 without what names one, 404 for none", async () => {
    expectProblem(await post("/api/explain/alert", {}), "invalid_request", "alert_id");
    expectProblem(await post("/api/explain/alert", { alert_type: "doji" }), "invalid_request", "alert_id");
    expectProblem(await post("/api/explain/alert", { alert_id: 0 }), "invalid_request", "alert_id");
    expectProblem(await post("/api/explain/alert", { alert_id: 999_999 }), "alert_not_found");
    expectProblem(
      await post("/api/explain/alert", { alert_type: "magic", symbol: "BTC" }),
      "pattern_unknown",
    );
    const none = { alert_type: "hammer", symbol: "ZZZZ" };
    expectProblem(await post("/api/explain/alert", none), "symbol_unknown");
  });
});

describe("POST /api/explain/reasoning", () => {
  it("200 has the fields of both shapes, in data and beside it", async () => {
    const alert = (await get("/api/alerts?limit=50")).alerts.find(
      (each: { direction: string }) => each.direction !== "neutral",
    );
    const answer = await post("/api/explain/reasoning", {
      symbol: alert.symbol,
      pattern_name: alert.alert_type,
      alert_id: alert.id,
    });
    const { data, ...top } = answer.json();
    expect(top).toMatchObject({
      success: true,
      symbol: alert.symbol,
      pattern: alert.alert_type,
      composite_score: null,
      composite_reason: "The layers of this alert have not been read",
      quality_badge: null,
      shape_quality: alert.score,
      recommendation: {
        action: "HOLD",
        confidence: null,
        entry_price: null,
        stop_loss: null,
        target_price: null,
        risk_reward_ratio: null,
        risk_score: expect.any(Number),
        risk_level: expect.toBeOneOf(["LOW", "MEDIUM", "HIGH"]),
      },
      historical_accuracy: { pattern_type: alert.pattern, accuracy: null, sample_size: 0, avg_return: null },
    });
    expect(data).toMatchObject({
      alert_id: alert.id,
      detection_id: alert.detection_id,
      reasoning_steps: top.reasoning,
      recommendation: top.recommendation,
      historical_accuracy: top.historical_accuracy,
      timestamp: alert.closed_at,
    });
    const titles = top.reasoning.map(({ title }: { title: string }) => title);
    expect(titles).toEqual([
      "Shape",
      "Prior trend",
      "Market regime",
      "Volume",
      "Levels",
      "Trade",
      "Evidence",
      "Similar cases",
      "Alert rules",
    ]);
    for (const { icon, description } of top.reasoning) {
      expect(icon).not.toBe("");
      expect(description).not.toMatch(/undefined|NaN/);
    }
  });

  it("200 has the composite that all answers on the pattern have, as of when its layers were read", async () => {
    let compared = 0;
    for (const symbol of ["BTC-USD", "ETH-USD", "SOL-USD", "ADA-USD"]) {
      for (const timeframe of ["5m", "1h"]) {
        const found = await post("/api/detect-enhanced", { symbol, timeframe });
        if (found.statusCode !== 200) continue;
        const fused = found.json().data;
        const pattern = fused.pattern_type;
        const top = (await post("/api/explain/reasoning", { symbol, pattern, timeframe })).json();
        const { composite_score, quality_badge, quality } = fused;
        expect(top).toMatchObject({
          composite_score,
          quality_badge,
          composite_reason: null,
          shape_quality: quality,
        });
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(2);
    const [alert] = (await get("/api/alerts?limit=1")).alerts;
    const { database } = program.parts;
    const direction = alert.direction === "bearish" ? -1 : 1;
    await database.query(
      `insert into alert_layers (alert_id, direction, rules, multi_timeframe, weights, composite, as_of)
       values ($1, $2, $3, $4, $5, 71.5, $6)`,
      [alert.id, direction, 0.4 * direction, 0.5 * direction, LAYER_WEIGHTS, alert.closed_at],
    );
    const { data } = await get(`/api/alerts/${alert.id}`);
    const body = { symbol: alert.symbol, alert_id: alert.id };
    expect((await post("/api/explain/reasoning", body)).json()).toMatchObject({
      composite_score: data.composite_score,
      composite_as_of: data.layers_as_of,
      quality_badge: alert.direction === "neutral" ? null : "GOOD",
    });
    await database.query("delete from alert_layers");
  });

  it("200 of a pattern without alert, its steps having the numbers of the stored detection", async () => {
    const { logs } = (await get("/api/detection_logs?limit=1000")).data;
    const row = logs.find(
      (each: { direction: string; metadata: { average_true_range: number | null } }) =>
        each.direction === "bearish" && each.metadata.average_true_range !== null,
    );
    const body = { symbol: row.symbol, pattern: row.pattern_name, timeframe: row.interval };
    const { data } = (await post("/api/explain/reasoning", body)).json();
    expect(data.detection_id).toBe(row.id);
    const levels = levelsFor(-1, row.price, row.metadata.average_true_range, null);
    const told = data.reasoning_steps.find(({ title }: { title: string }) => title === "Levels").description;
    expect(told).toContain(`stop ${figure(levels?.stop ?? 0)}, target ${figure(levels?.target ?? 0)}`);
    for (const { closed_at } of data.similar_cases.cases) expect(closed_at < row.closed_at).toBe(true);
  });

  it("200 recommends no trade that is over or of which old prices do not tell, as the detection says", async () => {
    const { logs } = (await get("/api/detection_logs?limit=1000")).data;
    const ends = new Set<string>();
    for (const row of logs) {
      if (row.direction === "neutral" || row.state !== "confirmed" || ends.size > 2) continue;
      const body = { symbol: row.symbol, pattern: row.pattern_type, timeframe: row.interval };
      const { data, recommendation } = (await post("/api/explain/reasoning", body)).json();
      if (data.detection_id !== row.id) continue;
      const { outcome } = (await get(`/api/detections/${row.id}`)).data;
      expect(data).toMatchObject({ trade: outcome, stale: true });
      expect(data.age_ms).toBeGreaterThan(30 * 86_400_000);
      if (outcome.status === "none") continue;
      ends.add(outcome.status);
      const none = { entry_price: null, stop_loss: null, target_price: null };
      expect(recommendation).toMatchObject({ action: "HOLD", ...none });
      const over =
        outcome.status === "open" ? "Prices are older" : `over since the bar of ${outcome.exit_time}`;
      expect(data.summary).toContain(over);
      expect(data.summary).not.toMatch(/near .* at the next open|[Nn]othing that is known speaks against/);
      const step = data.reasoning_steps.find(({ title }: { title: string }) => title === "Trade");
      expect(step).toMatchObject({ status: "failed", details: expect.stringMatching(/ days ago/) });
      expect(step.description).toContain(over);
    }
    expect(ends.size).toBeGreaterThan(1);
  });

  it("200 says hold, and why, where the pattern is not there", async () => {
    const seen = new Set(
      (await get("/api/detection_logs?symbol=AAPL&limit=1000")).data.logs.map(
        (each: { pattern_type: string }) => each.pattern_type,
      ),
    );
    const absent = variants.find(({ variant }) => !seen.has(variant.id))?.variant.title;
    const body = (await post("/api/explain/reasoning", { symbol: "AAPL", pattern: absent })).json();
    expect(body).toMatchObject({
      composite_score: null,
      composite_reason: expect.stringContaining("not seen on its newest"),
      quality_badge: null,
      shape_quality: null,
      recommendation: { action: "HOLD", entry_price: null },
      data: { detection_id: null, timestamp: null },
    });
    expect(body.data.summary).toMatch(/not seen on its newest 20 closed 1d bars/);
  });

  it("400 for two patterns, and for an alert of another", async () => {
    const two = { symbol: "AAPL", pattern: "hammer", pattern_name: "doji" };
    expectProblem(await post("/api/explain/reasoning", two), "invalid_request", "pattern_name");
    const same = { symbol: "AAPL", pattern: "Bullish Engulfing", pattern_name: "bullish_engulfing" };
    expect((await post("/api/explain/reasoning", same)).statusCode).toBe(200);
    const [alert] = (await alertsOf()) as unknown as { id: number; symbol: string; pattern: string }[];
    const other = alert.pattern === "doji" ? "hammer" : "doji";
    const body = { symbol: alert.symbol, alert_id: alert.id, pattern: other };
    expectProblem(await post("/api/explain/reasoning", body), "invalid_request", "alert_id");
  });

  it("400 without a pattern, 404 for an alert on another symbol", async () => {
    expectProblem(await post("/api/explain/reasoning", { symbol: "AAPL" }), "invalid_request", "pattern");
    const [alert] = (await alertsOf()) as unknown as { id: number; symbol: string }[];
    const other = alert.symbol === "BTC-USD" ? "ETH-USD" : "BTC-USD";
    const body = { symbol: other, alert_id: alert.id };
    expectProblem(await post("/api/explain/reasoning", body), "alert_not_found", other);
    expectProblem(await post("/api/explain/reasoning", { symbol: "$", pattern: "doji" }), "symbol_invalid");
  });
});
