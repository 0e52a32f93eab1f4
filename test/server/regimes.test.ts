import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bar, type Candles, candlesFromRows } from "../../src/core/market/candles.js";
import type { Interval } from "../../src/core/market/interval.js";
import { REGIME_MEMORY, REGIMES } from "../../src/core/regime/define.js";
import { computeRegimes, countTransitions, probabilitiesAt } from "../../src/core/regime/regime.js";
import { writeMarketFiles } from "../fixtures/candle-files.js";
import { createManualClock } from "../fixtures/clock.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";
import { barsOfStretches, REGIME_SERIES } from "../fixtures/regime-series.js";

const folder = mkdtempSync(join(tmpdir(), "tx-regimes-"));
const NOW = Date.parse("2024-07-09T15:07:20Z");

/** Bars by the day from the first trading days of 2022 on; weekends and holidays of 2022 are passed over. */
function writeDays(name: string, candles: Candles, most = candles.time.length): void {
  const rows = ["timestamp,open,high,low,close,volume"];
  let day = Date.UTC(2022, 0, 3);
  const closed = ["2022-01-17", "2022-02-21", "2022-04-15", "2022-05-30", "2022-06-20", "2022-07-04"];
  closed.push(
    "2022-09-05",
    "2022-11-24",
    "2022-12-26",
    "2023-01-02",
    "2023-01-16",
    "2023-02-20",
    "2023-04-07",
  );
  for (let i = 0; i < most; day += 86_400_000) {
    const date = new Date(day).toISOString().slice(0, 10);
    if ([0, 6].includes(new Date(day).getUTCDay()) || closed.includes(date)) continue;
    const values = [candles.open, candles.high, candles.low, candles.close, candles.volume];
    rows.push(`${date},${values.map((column) => column[i].toFixed(6)).join(",")}`);
    i++;
  }
  writeFileSync(join(folder, `${name}-1d.csv`), `${rows.join("\n")}\n`);
}

let program: TestProgram;
let synthetic: TestProgram;
beforeAll(async () => {
  writeMarketFiles(folder);
  writeDays("MSFT", barsOfStretches(REGIME_SERIES.trending_bear));
  writeDays("IBM", barsOfStretches(REGIME_SERIES.ranging), 100);
  writeDays("^VIX", barsOfStretches([{ bars: 360, drift: 0.001 }]));
  program = await startTestProgram({ environment: { MARKET_DATA: "files", FILES_DIR: folder } });
  synthetic = await startTestProgram({ clock: createManualClock(NOW) });
}, 60_000);
afterAll(async () => {
  await Promise.all([program.close(), synthetic.close()]);
  rmSync(folder, { recursive: true, force: true });
});

async function get(url: string) {
  const answer = await program.call(url);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json().data;
}
const post = (payload: object, on: TestProgram = program) =>
  on.call({ method: "POST", url: "/api/ml/advanced/regime/detect", payload });

async function detect(payload: object) {
  const answer = await post(payload);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json().data;
}

/** The bars of an answer of the market, to compute from beside the server. */
async function barsOf(symbol: string, interval: Interval = "1d"): Promise<Candles> {
  const path = `/api/market/bars/${encodeURIComponent(symbol)}`;
  const { bars } = await get(`${path}?limit=5000&timeframe=${interval}`);
  const rows = bars.map((bar: Bar & { timestamp: string }) => ({ ...bar, time: Date.parse(bar.timestamp) }));
  return candlesFromRows(symbol, interval, rows);
}

describe("POST /api/ml/advanced/regime/detect", () => {
  it("200 has the fields of the catalogue, as computed beside it", async () => {
    const data = await detect({ symbol: "AAPL", include_market_data: false });
    const columns = computeRegimes(await barsOf("AAPL"));
    const last = columns.label.length - 1;
    const label = columns.label[last];
    expect(data).toMatchObject({
      symbol: "AAPL",
      timeframe: "1d",
      current_regime: REGIMES[label],
      confidence: probabilitiesAt(columns.fits, last)[label],
      regime_strength: expect.toBeOneOf(["weak", "moderate", "strong"]),
      trend_direction: expect.toBeOneOf(["bullish", "bearish", "sideways"]),
      volatility_level: expect.toBeOneOf(["low", "medium", "high", "extreme"]),
      momentum_score: columns.momentum[last],
      regime_duration: columns.duration[last],
      duration_complete: true,
      risk_level: expect.toBeOneOf(["low", "medium", "high", "extreme"]),
      settled: true,
      source: "files",
      synthetic: false,
      stale: true,
      market_data: { symbol: "^VIX", value: null, reason: "Market data were not asked for" },
    });
    expect(data.confidence).toBe(data.regime_probabilities[data.current_regime]);
    const sum = Object.values<number>(data.regime_probabilities).reduce((total, each) => total + each, 0);
    expect(Object.keys(data.regime_probabilities).sort()).toEqual([...REGIMES].sort());
    expect(Math.abs(sum - 1)).toBeLessThan(1e-12);
    expect(data.key_indicators.trend).toBe(columns.measures.trend[last]);
    expect(data.trading_implications.length).toBeGreaterThan(1);
    expect(data.recommended_strategies.length).toBeGreaterThan(0);
    expect(data.explanations).toHaveLength(9);
  });

  it("200 calls a falling market falling, at high risk, and says by which numbers", async () => {
    const data = await detect({ symbol: "msft" });
    expect(data).toMatchObject({
      symbol: "MSFT",
      current_regime: "trending_bear",
      regime_strength: "strong",
      trend_direction: "bearish",
      risk_level: "high",
      settled: false,
      duration_complete: true,
    });
    expect(data.momentum_score).toBeLessThan(-0.5);
    expect(data.regime_duration).toBeGreaterThan(40);
    const { regime, reasons } = data.explanations[0];
    expect(regime).toBe("trending_bear");
    expect(reasons[0]).toMatchObject({ measure: "trend", met: 1, counts_from: -0.1, full_at: -0.5 });
    expect(data.trading_implications[0]).toMatch(/^Trending down: trend -1\.00/);
  });

  it("200 counts the volatility index where a source has it, and says what it was", async () => {
    const { market_data, key_indicators } = await detect({ symbol: "MSFT" });
    const index = await barsOf("^VIX");
    expect(market_data).toEqual({ symbol: "^VIX", value: index.close.at(-1), source: "files", reason: null });
    expect(key_indicators.volatility_index).toBe(index.close.at(-1));
    const without = await detect({ symbol: "MSFT", include_market_data: false });
    expect(key_indicators.volatility_rank).toBeGreaterThan(without.key_indicators.volatility_rank);
    const late = await detect({ symbol: "AAPL" });
    expect(late.market_data).toMatchObject({ value: null, reason: expect.stringContaining("as late as") });
    const coin = await detect({ symbol: "BTC", timeframe: "5m", lookback_days: 30 });
    expect(coin.market_data.reason).toBe("^VIX counts for daily bars only");
  });

  it("200 counts the duration no further back than it was told to look", async () => {
    const short = await detect({ symbol: "MSFT", lookback_days: 30 });
    expect(short).toMatchObject({ regime_duration: 21, duration_complete: false });
  });

  it("200 for more bars than are labelled at once has the same labels", { timeout: 60_000 }, async () => {
    const bars = await barsOf("BTC", "5m");
    const columns = computeRegimes(bars);
    const { regime } = await get("/api/regimes/BTC?timeframe=5m&limit=1100");
    expect(regime).toEqual(Array.from(columns.label.slice(-1_100), (label) => REGIMES[label]));
    const data = await detect({ symbol: "BTC", timeframe: "5m", lookback_days: 3_650 });
    expect(data).toMatchObject({ current_regime: regime.at(-1), settled: true });
  });

  it("200 of a synthetic market says so", { timeout: 60_000 }, async () => {
    const answer = await post({ symbol: "AAPL" }, synthetic);
    expect(answer.statusCode, answer.body).toBe(200);
    expect(answer.json()).toMatchObject({ synthetic: true, data: { synthetic: true } });
    expect(answer.json().data.market_data.reason).toBe("The synthetic market has no volatility index");
  });

  it.each<[object, string]>([
    [{}, "body symbol"],
    [{ symbol: "" }, "body symbol"],
    [{ symbol: 7 }, "body symbol"],
    [{ symbol: "AAPL", timeframe: "2h" }, "body timeframe"],
    [{ symbol: "AAPL", lookback_days: 29 }, "body lookback_days"],
    [{ symbol: "AAPL", lookback_days: 3_651 }, "body lookback_days"],
    [{ symbol: "AAPL", lookback_days: 90.5 }, "body lookback_days"],
    [{ symbol: "AAPL", lookback_days: "90" }, "body lookback_days"],
    [{ symbol: "AAPL", include_market_data: "yes" }, "body include_market_data"],
    [{ symbol: "AAPL", model: "x" }, "body model"],
  ])("400 for %j names the field", async (payload, detail) => {
    expectProblem(await post(payload), "invalid_request", detail);
  });

  it("400 and 404 for symbols, intervals and series that are too short", async () => {
    expectProblem(await post({ symbol: "$$$" }), "symbol_invalid");
    expectProblem(await post({ symbol: "ZZZZ" }), "symbol_unknown");
    expectProblem(await post({ symbol: "AAPL", timeframe: "5m" }), "interval_unavailable");
    const short = "IBM has 100 1d candles, and a regime needs 119";
    expectProblem(await post({ symbol: "IBM" }), "no_data", short);
  });
});

describe("GET /api/ml/advanced/regime/types", () => {
  it("200 lists the nine with their conditions", async () => {
    const { regime_types: types } = await get("/api/ml/advanced/regime/types");
    expect(types.map(({ type }: { type: string }) => type)).toEqual([...REGIMES]);
    for (const { description, conditions } of types) {
      expect(description).toMatch(/\.$/);
      expect(conditions.length).toBeGreaterThan(1);
    }
  });

  it("400 for parameters that it does not have", async () => {
    expectProblem(await program.call("/api/ml/advanced/regime/types?x=1"), "invalid_request", "query x");
  });
});

describe("GET /api/ml/market-regime", () => {
  it("200 is the same reading in short, without a cluster and with why", async () => {
    const short = await get("/api/ml/market-regime?symbol=MSFT&lookback_days=90");
    const whole = await detect({ symbol: "MSFT", lookback_days: 90 });
    expect(short).toMatchObject({
      symbol: "MSFT",
      regime: whole.current_regime,
      confidence: whole.confidence,
      features: whole.key_indicators,
      cluster_id: null,
      cluster_reason: expect.stringContaining("rules"),
      recommended_strategies: whole.recommended_strategies,
      source: "files",
    });
  });

  it.each([
    ["symbol=MSFT&lookback_days=29", "lookback_days"],
    ["symbol=MSFT&lookback_days=366", "lookback_days"],
    ["symbol=MSFT&lookback_days=9e1", "lookback_days"],
    ["symbol=", "symbol"],
    ["symbol=MSFT&timeframe=1d", "timeframe"],
  ])("400 for %s names %s", async (query, name) => {
    expectProblem(await program.call(`/api/ml/market-regime?${query}`), "invalid_request", `query ${name}`);
  });

  it("404 for SPY, which it means without a symbol, where no source has it", async () => {
    expectProblem(await program.call("/api/ml/market-regime"), "symbol_unknown", "SPY");
  });
});

describe("GET /api/regimes/:symbol", () => {
  it("200 has the labels of the newest bars, their spells and what followed what", async () => {
    const data = await get("/api/regimes/AAPL?limit=250");
    const bars = await barsOf("AAPL");
    const columns = computeRegimes(bars);
    const from = bars.time.length - 250;
    const labels = columns.label.subarray(from);
    expect(data.regime).toEqual(Array.from(labels, (label) => REGIMES[label]));
    expect(data.time[0]).toBe(new Date(bars.time[from]).toISOString());
    expect(data.duration.at(-1)).toBe(columns.duration.at(-1));
    expect(data.transitions.counts).toEqual(countTransitions(labels).counts);
    for (const row of data.transitions.rates) {
      if (row === null) continue;
      expect(row.reduce((sum: number, rate: number) => sum + rate, 0)).toBeCloseTo(1, 12);
    }
    const covered = data.spells.reduce((sum: number, { bars: count }: { bars: number }) => sum + count, 0);
    expect(covered).toBe(250);
    expect(data.spells.at(-1)).toMatchObject({ regime: data.regime.at(-1), until: data.time.at(-1) });
  });

  it("200 is null where too few bars came before", async () => {
    const { regime, spells } = await get("/api/regimes/MSFT?limit=5000");
    expect(regime.indexOf(null)).toBe(0);
    expect(regime.lastIndexOf(null)).toBe(117);
    expect(spells[0].bars).toBeGreaterThan(0);
  });

  it("200 as of a moment has what was known then", async () => {
    const whole = await get("/api/regimes/MSFT?limit=200");
    const then = await get(`/api/regimes/MSFT?limit=100&as_of=${whole.time[150]}`);
    expect(then.time).toEqual(whole.time.slice(50, 150));
    expect(then.regime).toEqual(whole.regime.slice(50, 150));
    expect(then.duration.at(-1)).toBe(whole.duration[149]);
  });

  it.each([
    ["limit=0", "limit"],
    ["limit=5001", "limit"],
    ["timeframe=9m", "timeframe"],
    ["as_of=yesterday", "as_of"],
    ["interval=1d", "interval"],
  ])("400 for %s names %s", async (query, name) => {
    expectProblem(await program.call(`/api/regimes/AAPL?${query}`), "invalid_request", `query ${name}`);
  });

  it("404 for what no source knows, and for too short a series", async () => {
    expectProblem(await program.call("/api/regimes/ZZZZ"), "symbol_unknown");
    expectProblem(await program.call("/api/regimes/IBM"), "no_data");
  });
});

it("a window of the memory decides: the series for these answers are longer", async () => {
  expect((await barsOf("AAPL")).time.length).toBeGreaterThan(REGIME_MEMORY + 20);
});
