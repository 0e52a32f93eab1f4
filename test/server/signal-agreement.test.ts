import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createManualClock } from "../fixtures/clock.js";
import { DAILY_NOW, writeDailySeries } from "../fixtures/daily-market.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { measuredConfidence } from "../fixtures/measured.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { barsOfStretches, REGIME_SERIES, TREND_SERIES } from "../fixtures/regime-series.js";

const folder = mkdtempSync(join(tmpdir(), "tx-agreement-"));

let program: TestProgram;
beforeAll(async () => {
  writeDailySeries(folder, {
    MSFT: barsOfStretches(TREND_SERIES.rising),
    IBM: barsOfStretches(TREND_SERIES.falling),
    // Its newest pattern goes against its trend.
    F: barsOfStretches(REGIME_SERIES.trending_bull),
    NVDA: barsOfStretches(REGIME_SERIES.high_volatility),
  });
  program = await startTestProgram({
    clock: createManualClock(DAILY_NOW),
    environment: { MARKET_DATA: "files", FILES_DIR: folder },
  });
  // Threads take their time to start.
  await post("/api/detect", { symbol: "MSFT" });
}, 120_000);
afterAll(async () => {
  await program.close();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(() => vi.restoreAllMocks());

const post = (url: string, payload: object) => program.call({ method: "POST", url, payload });
async function get(url: string) {
  const answer = await program.call(url);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json().data;
}
const recommend = (symbol: string) => get(`/api/recommend/complete?symbol=${symbol}`);
const signals = (symbol: string) => get(`/api/signals/entry-exit?symbol=${symbol}&type=entry`);
const insights = async (symbol: string) =>
  (await post("/api/ml/advanced/insights/comprehensive", { symbol })).json().data;
type Told = { reasons: { code: string }[] };
const codesOf = ({ reasons }: Told) => reasons.map(({ code }) => code);

const patternOf = ({ pattern_type }: { pattern_type: string }) => pattern_type;

/** Says that every pattern has been measured so. */
function measured(value: number, baseRate: number) {
  const confidence = measuredConfidence(value, baseRate, DAILY_NOW);
  vi.spyOn(program.parts.evidence, "confidenceOf").mockReturnValue(confidence);
}

describe("GET /api/recommend/complete", () => {
  it("200 never trades against the measured hit rate, and its sentence names what speaks against it", async () => {
    measured(0.382, 0.4);
    const loses = await recommend("IBM");
    expect(loses).toMatchObject({
      action: "AVOID",
      position_sizing: { recommended_size: 0, kelly_criterion: 0, kelly_measured: true },
    });
    expect(codesOf(loses)).toEqual(["history_loses"]);
    expect(loses.reasoning).toMatch(
      /less often than this reward needs to break even \(0.402 against 0.4\d+\)/,
    );
    measured(0.42, 0.4);
    const even = await recommend("IBM");
    expect(even).toMatchObject({
      action: "HOLD",
      position_sizing: { recommended_size: 0, kelly_criterion: 0 },
    });
    expect(codesOf(even)).toEqual(["no_edge"]);
    expect(even.risk_assessment.factors.map(({ code }: { code: string }) => code)).toContain("no_edge");
    for (const data of [loses, even, await recommend("MSFT")]) {
      const spoken = data.reasoning.includes("Nothing that was looked at speaks against it");
      expect(spoken).toBe(data.risk_assessment.factors.length === 0);
      expect(data.reasoning).toContain("Not looked at");
    }
  });
});

describe("every answer on a symbol", () => {
  it("200 says the same of what is measured", async () => {
    for (const [value, action, code] of [
      [0.382, "AVOID", "history_loses"],
      [0.42, "HOLD", "no_edge"],
      [0.6, "SELL", "layers_agree"],
    ] as const) {
      measured(value, 0.4);
      for (const data of [await recommend("IBM"), await signals("IBM"), await insights("IBM")]) {
        expect(data.action).toBe(action);
        expect(codesOf(data)).toEqual([code]);
      }
      const { signals: entries, left_out } = await signals("IBM");
      expect(entries.length > 0).toBe(action === "SELL");
      if (action === "SELL") continue;
      expect(left_out.length).toBeGreaterThan(0);
      for (const each of left_out) expect(codesOf(each)).toContain(code);
    }
  });

  it("200 holds itself within the caller's settings", async () => {
    const save = async (payload: object) =>
      expect((await post("/api/risk-settings", payload)).statusCode).toBe(200);
    const many = async () =>
      (await post("/api/signals/entry-exit", { symbols: ["IBM"], min_confidence: 0 })).json().data
        .signals_by_symbol.IBM;
    const all = async () => [
      await recommend("IBM"),
      await signals("IBM"),
      await get("/api/entry-signals/IBM"),
      await many(),
      await insights("IBM"),
    ];
    await save({ confidence_threshold: 0.7 });
    try {
      for (const [value, code] of [
        [0.6, "confidence_too_low"],
        [null, "confidence_unknown"],
      ] as const) {
        if (value === null) vi.restoreAllMocks();
        else measured(value, 0.4);
        for (const data of await all()) {
          expect(data.action).toBe("AVOID");
          expect(codesOf(data)).toEqual([code]);
          expect(data.signals ?? []).toEqual([]);
          for (const each of data.left_out ?? []) expect(codesOf(each)).toContain(code);
        }
      }
    } finally {
      await save({ confidence_threshold: null });
    }
    for (const data of await all()) expect(data.action).toBe("SELL");
  });

  it("200 judges a trade by what is left of it at the price now", async () => {
    const { stop_loss, target_price } = await recommend("MSFT");
    const quote = await program.parts.quotes.load(await program.parts.instruments.resolve("MSFT"));
    const price = Math.round(100 * (target_price - 0.25 * (target_price - stop_loss))) / 100;
    vi.spyOn(program.parts.quotes, "load").mockResolvedValue({ ...quote, price });
    for (const data of [await recommend("MSFT"), await signals("MSFT")]) {
      expect(data.action).toBe("AVOID");
      expect(codesOf(data)).toContain("reward_too_small");
    }
    const late = await recommend("MSFT");
    expect(late).toMatchObject({ entry_price: price, stop_loss, target_price });
    expect(late.risk_reward_ratio).toBeCloseTo((target_price - price) / (price - stop_loss), 9);
    const { signals: entries, left_out } = await signals("MSFT");
    for (const each of entries) expect(each.risk_reward_ratio).toBeGreaterThanOrEqual(0.75);
    expect(left_out.some((each: Told) => codesOf(each).includes("reward_too_small"))).toBe(true);
  });

  it("200 enters nothing in a market that is avoided, nor against all layers", async () => {
    const wild = await signals("NVDA");
    expect(wild).toMatchObject({ action: "AVOID", signals: [] });
    expect(wild.left_out.length).toBeGreaterThan(0);
    for (const each of wild.left_out) expect(codesOf(each)).toContain("volatility_extreme");
    for (const symbol of ["MSFT", "IBM", "F"]) {
      for (const each of (await signals(symbol)).signals) {
        expect(each.composite_score).toBeGreaterThanOrEqual(50);
      }
    }
  });

  it("200 goes one way, with its levels and its words", async () => {
    for (const symbol of ["MSFT", "IBM", "F"]) {
      const advice = await recommend(symbol);
      const { signals: entries, action, left_out } = await signals(symbol);
      const told = await insights(symbol);
      expect([action, told.action]).toEqual([advice.action, advice.action]);
      expect(told.trading_recommendation).toBe(advice.action);
      const word = advice.action === "BUY" ? "Buy near" : "Sell near";
      for (const { trading_suggestion } of told.patterns.top_patterns) {
        if (advice.action === "HOLD") expect(trading_suggestion).toMatch(/^No trade/);
        else expect(trading_suggestion).toMatch(new RegExp(`^(${word}|No trade)`));
      }
      if (advice.action === "HOLD") continue;
      for (const entry of entries) expect(entry).toMatchObject({ action, agrees: true });
      for (const each of left_out) expect(codesOf(each)).toContain("other_direction");
      const up = advice.action === "BUY" ? 1 : -1;
      expect(up * (advice.target_price - advice.stop_loss)).toBeGreaterThan(0);
      expect(up * (advice.composite_score - 50)).not.toBe(0);
      const directed = advice.patterns_detected.filter(
        ({ direction }: { direction: string }) => direction === advice.direction,
      );
      expect(directed.length).toBeGreaterThan(0);
    }
    expect(codesOf(await recommend("F"))).toEqual(["layers_split"]);
  });
});

describe("POST /api/signals/entry-exit", () => {
  const many = (payload: object) => post("/api/signals/entry-exit", payload);

  it("200 answers for those that can be read, and says why not for the others", async () => {
    const symbols = ["MSFT", "IBM", "QQQQ", "MSFT", "msft", " Ibm"];
    const { data } = (await many({ symbols, min_confidence: 0 })).json();
    expect(Object.keys(data.signals_by_symbol).sort()).toEqual(["IBM", "MSFT"]);
    expect(data.missing).toEqual([{ symbol: "QQQQ", reason: expect.stringContaining("QQQQ") }]);
    const counts = Object.values<{ signals: unknown[] }>(data.signals_by_symbol).map(
      ({ signals }) => signals.length,
    );
    expect(data.summary).toEqual({
      total_symbols_analyzed: 2,
      symbols_with_signals: counts.filter((count) => count > 0).length,
      total_signals: counts[0] + counts[1],
      min_confidence_threshold: 0,
    });
  });

  it("200 holds the measured hit rate against the least, on both scales, else the quality", async () => {
    const count = async (min_confidence: number) => {
      const { data } = (await many({ symbols: ["MSFT"], min_confidence })).json();
      expect(data.summary.min_confidence_threshold).toBe(
        min_confidence > 1 ? min_confidence / 100 : min_confidence,
      );
      return data.summary.total_signals;
    };
    const all = await count(0);
    const { signals } = await get("/api/entry-signals/MSFT");
    const [quality] = signals
      .map((signal: { quality: number }) => signal.quality)
      .sort((a: number, b: number) => b - a);
    expect(await count(quality)).toBeGreaterThan(0);
    expect(await count(Math.min(1, quality + 0.001))).toBe(0);
    measured(0.55, 0.43);
    expect([await count(0.55), await count(55), await count(0.56), await count(56)]).toEqual([
      all,
      all,
      0,
      0,
    ]);
  });

  it("200 asks for a quality of 0.7 where no least is given, whatever was measured", async () => {
    const { data } = (await many({ symbols: ["MSFT"] })).json();
    expect(data.summary.min_confidence_threshold).toBe(0.7);
    measured(0.55, 0.43);
    const found = (await many({ symbols: ["MSFT"] })).json().data.signals_by_symbol.MSFT.signals;
    const every = (await get("/api/entry-signals/MSFT")).signals;
    const good = every.filter(({ quality }: { quality: number }) => quality >= 0.7);
    expect(found.map(patternOf)).toEqual(good.map(patternOf));
    expect(found.every((each: { judged_by: string }) => each.judged_by === "quality")).toBe(true);
  });

  it("400 names what is not valid", async () => {
    expectProblem(await many({}), "invalid_request", "symbols");
    expectProblem(await many({ symbols: [] }), "invalid_request", "symbols");
    expectProblem(await many({ symbols: Array(21).fill("MSFT") }), "invalid_request", "symbols");
    expectProblem(
      await many({ symbols: ["MSFT"], min_confidence: 101 }),
      "invalid_request",
      "min_confidence",
    );
  });

  it("404 where none of the symbols is known", async () => {
    expectProblem(await many({ symbols: ["QQQQ"] }), "symbol_unknown");
  });
});
