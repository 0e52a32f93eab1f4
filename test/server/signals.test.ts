import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createManualClock } from "../fixtures/clock.js";
import { DAILY_NOW, writeDailySeries } from "../fixtures/daily-market.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { measuredConfidence } from "../fixtures/measured.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { barsOfStretches, REGIME_SERIES, TREND_SERIES } from "../fixtures/regime-series.js";

const folder = mkdtempSync(join(tmpdir(), "tx-signals-"));
const SYNTHETIC_NOW = Date.parse("2024-07-09T15:07:20Z");
const DAY_MS = 86_400_000;
const clock = createManualClock(DAILY_NOW);

let program: TestProgram;
let synthetic: TestProgram;
beforeAll(async () => {
  writeDailySeries(folder, {
    // Rising and falling with a pattern that goes the same way, standing, wild, and rising with a pattern against it.
    MSFT: barsOfStretches(TREND_SERIES.rising),
    IBM: barsOfStretches(TREND_SERIES.falling),
    KO: barsOfStretches(REGIME_SERIES.ranging),
    NVDA: barsOfStretches(REGIME_SERIES.high_volatility),
    F: barsOfStretches(REGIME_SERIES.trending_bull),
    GE: barsOfStretches([{ bars: 10 }]),
  });
  program = await startTestProgram({ clock, environment: { MARKET_DATA: "files", FILES_DIR: folder } });
  synthetic = await startTestProgram({ clock: createManualClock(SYNTHETIC_NOW) });
  // Threads take their time to start.
  for (const each of [program, synthetic]) {
    await each.call({ method: "POST", url: "/api/detect", payload: { symbol: "MSFT" } });
  }
}, 120_000);
afterAll(async () => {
  await Promise.all([program.close(), synthetic.close()]);
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => clock.set(DAILY_NOW));
afterEach(() => vi.restoreAllMocks());

async function get(url: string, on = program) {
  const answer = await on.call(url);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json().data;
}
const recommend = (symbol: string, more = "") => get(`/api/recommend/complete?symbol=${symbol}${more}`);
const codesOf = ({ reasons }: { reasons: { code: string }[] }) => reasons.map(({ code }) => code);

/** Says that every pattern has been measured so. */
function measured(value: number, baseRate: number) {
  const confidence = measuredConfidence(value, baseRate, DAILY_NOW);
  vi.spyOn(program.parts.evidence, "confidenceOf").mockReturnValue(confidence);
}

describe("GET /api/recommend/complete", () => {
  it.each([
    ["MSFT", "BUY", "bullish", "layers_agree"],
    ["IBM", "SELL", "bearish", "layers_agree"],
    ["KO", "HOLD", "bearish", "undecided"],
    ["NVDA", "AVOID", "bullish", "volatility_extreme"],
    ["F", "HOLD", "bullish", "layers_split"],
  ])("200 %s: %s", async (symbol, action, direction, code) => {
    const data = await recommend(symbol);
    expect(data).toMatchObject({ symbol, action, direction, timeframe: "1d", stale: false, source: "files" });
    expect(codesOf(data)).toEqual([code]);
    expect(data.reasoning).toMatch(new RegExp(`^${action}: `));
    const up = direction === "bullish" ? 1 : -1;
    expect(up * (data.target_price - data.entry_price)).toBeGreaterThan(0);
    expect(up * (data.entry_price - data.stop_loss)).toBeGreaterThan(0);
    const trades = action === "BUY" || action === "SELL";
    expect(data.position_sizing.recommended_size > 0).toBe(trades);
  });

  it("200 avoids a trade whose stop or target the price has reached since", async () => {
    const { stop_loss, target_price, current_price } = await recommend("MSFT");
    const quote = await program.parts.quotes.load(await program.parts.instruments.resolve("MSFT"));
    expect(quote.price).toBe(current_price);
    for (const price of [stop_loss, target_price]) {
      vi.spyOn(program.parts.quotes, "load").mockResolvedValue({ ...quote, price });
      const data = await recommend("MSFT");
      expect(data).toMatchObject({ action: "AVOID", current_price: price });
      expect(codesOf(data)).toEqual(["price_beyond_levels"]);
    }
  });

  it("200 avoids prices that are old", async () => {
    clock.set(DAILY_NOW + 30 * DAY_MS);
    const old = await recommend("MSFT");
    expect(old).toMatchObject({ action: "AVOID", stale: true });
    expect(codesOf(old)).toEqual(["prices_stale"]);
    expect(old.risk_assessment.risk_mitigation).toContain("Wait for fresh prices");
  });

  it("200 has what both clients read, with a confidence only where one is measured", async () => {
    const without = await recommend("IBM");
    expect(without).toMatchObject({
      confidence: null,
      confidence_ratio: null,
      confidence_reason: "No evidence has been measured yet",
      risk_analysis: { max_loss: null, max_gain: null, probability_success: null },
      position_sizing: {
        unit: "percent_of_equity",
        kelly_criterion: 0,
        kelly_measured: false,
        quantity: null,
      },
      sentiment: { score: null, label: null, reason: expect.any(String) },
    });
    expect(without.risk_assessment.risk_score).toBe(10 + 15 * without.risk_assessment.factors.length);
    measured(0.6, 0.43);
    const data = await recommend("IBM", "&account_size=50000");
    expect(data).toMatchObject({
      confidence: 60,
      confidence_ratio: 0.6,
      risk_analysis: { probability_success: 0.6 },
    });
    const { quantity, notional, recommended_size, max_size, kelly_criterion, kelly_measured } =
      data.position_sizing;
    // By the settings 1 % at risk, no more than 10,000 in the position.
    const distance = data.stop_loss - data.entry_price;
    expect(quantity).toBe(Math.floor(Math.min(500 / distance, 10_000 / data.entry_price)));
    expect(notional).toBeCloseTo(quantity * data.entry_price, 9);
    expect([recommended_size, max_size]).toEqual([expect.closeTo((100 * notional) / 50_000, 9), 20]);
    expect(data.risk_analysis.max_loss).toBeCloseTo(quantity * distance, 9);
    expect(data.risk_analysis.max_gain).toBeCloseTo(quantity * (data.entry_price - data.target_price), 9);
    expect(kelly_measured).toBe(true);
    expect(kelly_criterion).toBeCloseTo(0.6 - 0.4 / data.risk_reward_ratio, 9);
  });

  it("200 avoids what has done worse than chance", async () => {
    measured(0.3, 0.43);
    const data = await recommend("IBM");
    expect(data.action).toBe("AVOID");
    expect(codesOf(data)).toEqual(["worse_than_chance", "history_loses"]);
  });

  it("200 keeps within the caller's settings", async () => {
    const save = (payload: object) => program.call({ method: "POST", url: "/api/risk-settings", payload });
    measured(0.6, 0.43);
    await save({ confidence_threshold: 0.7, max_position_size: 5 });
    const refused = await recommend("IBM", "&account_size=50000");
    expect(refused).toMatchObject({
      action: "AVOID",
      position_size: null,
      risk_assessment: { risk_score: 100 },
    });
    expect(codesOf(refused)).toEqual(["confidence_too_low"]);
    await save({ confidence_threshold: 0.5 });
    const allowed = await recommend("IBM");
    expect(allowed).toMatchObject({ action: "SELL", position_sizing: { max_size: 5 } });
    expect(allowed.position_sizing.recommended_size).toBeLessThanOrEqual(5);
    await save({ confidence_threshold: null, max_position_size: 10_000 });
  });

  it("200 has layers whose contributions add up, and says which intervals are missing", async () => {
    const { layers, composite_score } = await recommend("IBM");
    const parts = ["rule_based", "deep_learning", "multi_timeframe", "sentiment"].map(
      (name) => layers[name].contribution,
    );
    expect(parts.reduce((sum, part) => sum + part, 0)).toBe(composite_score);
    const { timeframes } = layers.multi_timeframe;
    expect(timeframes["1d"]).toMatchObject({ weight: 1, reason: null });
    for (const interval of ["1h", "4h"]) {
      expect(timeframes[interval]).toMatchObject({
        score: null,
        weight: 0,
        reason: expect.stringMatching(/./),
      });
    }
  });

  it("200 holds where too few bars say anything", async () => {
    const data = await recommend("GE");
    expect(data).toMatchObject({ target_price: null, stop_loss: null, risk_reward_ratio: null });
    expect(["HOLD", "AVOID"]).toContain(data.action);
  });

  it("200 says that a synthetic market is one", async () => {
    const answer = await synthetic.call("/api/recommend/complete?symbol=ETH&timeframe=1h");
    expect(answer.json()).toMatchObject({ synthetic: true, data: { synthetic: true, source: "synthetic" } });
  });

  it("400 names what is not valid", async () => {
    const path = "/api/recommend/complete";
    expectProblem(await program.call(path), "invalid_request", "symbol");
    expectProblem(
      await program.call(`${path}?symbol=MSFT&account_size=0`),
      "invalid_request",
      "account_size",
    );
    expectProblem(await program.call(`${path}?symbol=MSFT&timeframe=5m`), "interval_unavailable");
    expectProblem(await program.call(`${path}?symbol=a%20b`), "symbol_invalid");
  });

  it("404 for a symbol that no source knows", async () => {
    expectProblem(await program.call("/api/recommend/complete?symbol=QQQQ"), "symbol_unknown");
  });
});

describe("GET /api/signals/entry-exit", () => {
  it("200 has a trade for each pattern, on closed bars, and whether all layers agree", async () => {
    const data = await get("/api/signals/entry-exit?symbol=MSFT");
    expect(data).toMatchObject({ symbol: "MSFT", action: "BUY", market_context: { price_from: "quote" } });
    expect(data.signals.length).toBeGreaterThan(0);
    for (const signal of data.signals) {
      expect(signal).toMatchObject({
        type: "entry",
        confidence: null,
        judged_by: "quality",
        timeframe: "1d",
      });
      expect(signal.agrees).toBe(signal.action === data.action);
      expect(Date.parse(signal.timestamp)).toBeLessThanOrEqual(DAILY_NOW);
      const up = signal.action === "BUY" ? 1 : -1;
      const { price } = data.market_context;
      expect(up * (price - signal.stop_loss)).toBeGreaterThan(0);
      expect(up * (signal.price_target - price)).toBeGreaterThan(0);
      expect(signal.risk_reward_ratio).toBeCloseTo(
        Math.abs((signal.take_profit - signal.entry_price) / (signal.entry_price - signal.stop_loss)),
        9,
      );
    }
    const patterns = data.signals.map(({ pattern_type }: { pattern_type: string }) => pattern_type);
    expect(new Set(patterns).size).toBe(patterns.length);
  });

  it("200 has the part that is asked for", async () => {
    expect((await get("/api/signals/entry-exit?symbol=MSFT&type=exit")).signals).toEqual([]);
    const { exits_reason } = await get("/api/signals/entry-exit?symbol=MSFT&type=entry");
    expect(exits_reason).toBe("They were not asked for");
  });

  it("400 and 404 as elsewhere", async () => {
    const path = "/api/signals/entry-exit";
    expectProblem(await program.call(`${path}?symbol=MSFT&type=both`), "invalid_request", "type");
    expectProblem(await program.call(`${path}?symbol=MSFT&timeframe=5m`), "interval_unavailable");
    expectProblem(await program.call(`${path}?symbol=QQQQ`), "symbol_unknown");
  });
});

describe("GET /api/entry-signals/:symbol", () => {
  it("200 is the entry part", async () => {
    const { signals } = await get("/api/signals/entry-exit?symbol=IBM&type=entry");
    expect((await get("/api/entry-signals/IBM")).signals).toEqual(signals);
  });

  it("400 and 404 as elsewhere", async () => {
    expectProblem(await program.call("/api/entry-signals/MSFT?timeframe=1x"), "invalid_request", "timeframe");
    expectProblem(await program.call("/api/entry-signals/QQQQ"), "symbol_unknown");
  });
});

describe("GET /api/exit-signals/:symbol", () => {
  const exits = (query: string) => get(`/api/exit-signals/MSFT${query}`);
  const reasonsOf = ({ signals }: { signals: { reason: string }[] }) => signals.map(({ reason }) => reason);

  it("200 says that no position is known", async () => {
    expect(await exits("")).toMatchObject({
      positions: 0,
      signals: [],
      reason: expect.stringContaining("entry_price"),
    });
  });

  it("200 closes a position at its stop and target, by the caller's settings where it has none", async () => {
    const { current_price: price } = await exits("");
    const within = await exits(`?entry_price=${price.toFixed(4)}`);
    expect(reasonsOf(within)).not.toContain("stop_reached");
    const lost = await exits(`?entry_price=${(price * 1.03).toFixed(4)}`);
    expect(lost.signals[0]).toMatchObject({ reason: "stop_reached", urgency: "high", action: "SELL" });
    expect(lost.signals[0].stop_loss / lost.signals[0].entry_price).toBeCloseTo(0.98, 9);
    expect(lost.signals[0].pnl_percent).toBeCloseTo(100 * (1 / 1.03 - 1), 3);
    const kept = await exits(
      `?entry_price=${(price * 1.03).toFixed(4)}&stop_loss=${(price * 0.9).toFixed(4)}`,
    );
    expect(reasonsOf(kept)).not.toContain("stop_reached");
    const won = await exits(`?entry_price=${(price * 1.06).toFixed(4)}&side=SHORT`);
    expect(won.signals.find(({ reason }: { reason: string }) => reason === "target_reached")).toMatchObject({
      action: "BUY",
    });
  });

  it("200 counts the bars since it was opened, and follows its best price", async () => {
    const wide = "entry_price=100&stop_loss=1&take_profit=100000";
    const opened = (days: number) => new Date(DAILY_NOW - days * DAY_MS).toISOString();
    expect(reasonsOf(await exits(`?${wide}&opened_at=${opened(40)}`))).toContain("time_over");
    expect(reasonsOf(await exits(`?${wide}&opened_at=${opened(5)}`))).not.toContain("time_over");
    expect(reasonsOf(await exits(`?${wide}`))).not.toContain("time_over");
    // IBM has fallen far from where it stood when it was bought.
    const fallen = await get(
      `/api/exit-signals/IBM?entry_price=50&stop_loss=1&take_profit=1000&opened_at=${opened(60)}`,
    );
    expect(fallen.signals[0]).toMatchObject({ reason: "trailing_stop_reached", urgency: "high" });
  });

  it("200 finds what is held by any spelling of the symbol", async () => {
    const payload = { symbol: "BTC", side: "buy", quantity: 0.5 };
    const bought = await synthetic.call({ method: "POST", url: "/api/paper-trades", payload });
    expect(bought.json().trade).toMatchObject({ symbol: "BTC-USD", status: "filled" });
    for (const spelling of ["BTC", "btc-usd", "BTC-USD"]) {
      const data = await get(`/api/exit-signals/${spelling}`, synthetic);
      expect(data, spelling).toMatchObject({ symbol: "BTC-USD", positions: 1 });
      expect(await get(`/api/signals/entry-exit?symbol=${spelling}&type=exit`, synthetic)).toMatchObject({
        exits_reason: null,
      });
    }
  });

  it("400 names what is not valid", async () => {
    const path = "/api/exit-signals/MSFT";
    expectProblem(await program.call(`${path}?side=buy`), "invalid_request", "side");
    expectProblem(await program.call(`${path}?stop_loss=3`), "invalid_request", "stop_loss");
    expectProblem(await program.call(`${path}?entry_price=0`), "invalid_request", "entry_price");
    expectProblem(await program.call(`${path}?entry_price=5&side=up`), "invalid_request", "side");
    for (const levels of ["stop_loss=290&take_profit=310&side=short", "stop_loss=310&take_profit=290"]) {
      const query = `entry_price=300&${levels}`;
      expectProblem(await program.call(`${path}?${query}`), "invalid_request", "take_profit");
    }
    expectProblem(
      await program.call(`${path}?entry_price=5&opened_at=2030-01-01`),
      "invalid_request",
      "opened_at",
    );
  });

  it("404 for a symbol that no source knows", async () => {
    expectProblem(await program.call("/api/exit-signals/QQQQ"), "symbol_unknown");
  });
});
