import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeMarketFiles } from "../fixtures/candle-files.js";
import { createManualClock } from "../fixtures/clock.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import { startTestProgram, type TestProgram } from "../fixtures/program.js";

const NOW = Date.parse("2024-07-09T15:07:20Z");
const folder = mkdtempSync(join(tmpdir(), "tx-overview-"));

/** A real market of seven symbols, none of them an index or a fund; and a synthetic one that has nearly all. */
let program: TestProgram;
let synthetic: TestProgram;
beforeAll(async () => {
  const environment = { MARKET_DATA: "files", FILES_DIR: writeMarketFiles(folder) };
  program = await startTestProgram({ environment });
  synthetic = await startTestProgram({ clock: createManualClock(NOW) });
  // The first prices of a synthetic market are drawn from its beginning.
  const { overview } = synthetic.parts;
  await Promise.all([overview.loadConditions(), overview.loadIndices(), overview.loadSectors()]);
}, 60_000);
afterAll(async () => {
  await Promise.all([program.close(), synthetic.close()]);
  rmSync(folder, { recursive: true, force: true });
});

async function get(url: string, from: TestProgram = program) {
  const answer = await from.call(url);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json();
}

const ROUTES = ["indicators", "conditions", "indices", "sectors", "status"];
describe.each(ROUTES)("GET /api/market/%s", (name) => {
  it("400 names a parameter that it does not know", async () => {
    expectProblem(await program.call(`/api/market/${name}?apikey=1`), "invalid_request", "query apikey");
  });
});

describe("GET /api/market/indicators", () => {
  it("200 is null with the reason for what no source has, and counts the scanned symbols", async () => {
    const { data } = await get("/api/market/indicators");
    const missing = { source: null, as_of: null, stale: null, age_ms: null };
    expect(data.vix).toEqual({
      symbol: "^VIX",
      value: null,
      change: null,
      change_percent: null,
      level: null,
      synthetic: false,
      reason: "No configured source knows ^VIX",
      ...missing,
    });
    expect(data["s&p_500"]).toMatchObject({ symbol: "SPY", price: null, trend: null, ...missing });
    expect(data.indices).toEqual({
      "s&p_500": data["s&p_500"],
      nasdaq: data.nasdaq,
      dow_jones: data.dow_jones,
    });
    const { advancing, declining, unchanged, unavailable, share } = data.breadth;
    expect(advancing + declining + unchanged + unavailable).toBe(7);
    expect(share).toBeCloseTo(advancing / (advancing + declining + unchanged), 12);
    // The files end in January 2024, and their figures say so.
    expect(data.breadth).toMatchObject({
      source: "files",
      stale: true,
      synthetic: false,
      universe: "scanned symbols",
    });
    expect(data.sentiment).toMatchObject({ conditions: 1, reason: null });
  });

  it("200 of a synthetic market has all but the volatility index, each labelled", async () => {
    const { data, synthetic: label } = await get("/api/market/indicators", synthetic);
    expect(label).toBe(true);
    expect(data.vix).toMatchObject({ value: null, reason: "The synthetic market has no volatility index" });
    for (const key of ["s&p_500", "nasdaq", "dow_jones"]) {
      expect(data[key]).toMatchObject({ source: "synthetic", synthetic: true, stale: false, reason: null });
      expect(data[key].price).toBeGreaterThan(0);
    }
    expect(data.sentiment.conditions).toBe(4);
  });
});

describe("GET /api/market/conditions", () => {
  it("200 has the conditions that are known, and why others are not", async () => {
    const { data } = await get("/api/market/conditions");
    expect(data.conditions).toHaveLength(1);
    expect(data.conditions[0]).toMatchObject({ name: "Breadth", kind: "breadth", stale: true });
    expect(data.unavailable.map(({ name }: { name: string }) => name)).toEqual([
      "VIX",
      "S&P 500",
      "Nasdaq 100",
      "Dow Jones Industrial Average",
    ]);
    expect(data).toMatchObject({ source: "files", stale: true });
    expect(["bullish", "neutral", "bearish"]).toContain(data.overallSentiment);
    expect(data.recommendedActions.at(-1)).toContain("stale");
  });

  it("200 of a synthetic market adds its conditions up", async () => {
    const { data } = await get("/api/market/conditions", synthetic);
    const good = data.conditions.filter(({ status }: { status: string }) => status === "favorable").length;
    expect(data.favorable_share).toBeCloseTo(good / data.conditions.length, 12);
    expect(data.stale).toBe(false);
    expect(data.source).toBe("synthetic");
  });
});

describe("GET /api/market/indices", () => {
  it("200 is null with the reason where no source has them", async () => {
    const { data } = await get("/api/market/indices");
    expect(data).toMatchObject({
      dow: { symbol: "^DJI", last: null, reason: "No configured source knows ^DJI" },
      nasdaq: { symbol: "^IXIC", last: null },
      sp500: { symbol: "^GSPC", last: null },
      source: null,
    });
  });

  it("200 of a synthetic market has their changes", async () => {
    const { data } = await get("/api/market/indices", synthetic);
    for (const { last, change, changePercent } of [data.dow, data.nasdaq, data.sp500]) {
      expect(changePercent).toBeCloseTo((100 * change) / (last - change), 9);
    }
    expect(data.source).toBe("synthetic");
  });
});

describe("GET /api/market/sectors", () => {
  it("200 ranks eleven funds", async () => {
    const { data } = await get("/api/market/sectors", synthetic);
    expect(data.sectors).toHaveLength(11);
    expect(data.sectors.map(({ rank }: { rank: number }) => rank)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    ]);
    const changes = data.sectors.map(({ change_percent }: { change_percent: number }) => change_percent);
    expect(changes).toEqual([...changes].sort((a: number, b: number) => b - a));
    expect([data.leader, data.laggard]).toEqual([data.sectors[0].symbol, data.sectors[10].symbol]);
  });

  it("200 without a source has no ranks", async () => {
    const { data } = await get("/api/market/sectors");
    expect(data).toMatchObject({ leader: null, laggard: null, source: null });
    expect(data.sectors[0]).toMatchObject({ rank: null, price: null, symbol: "XLB", sector: "Materials" });
  });
});

describe("GET /api/market/status", () => {
  it("200 says whether the exchange trades, until when, and by which calendar", async () => {
    const { data } = await get("/api/market/status", synthetic);
    expect(data).toEqual({
      state: "open",
      is_open: true,
      reason: null,
      next_change: "2024-07-09T20:00:00.000Z",
      description: "New York Stock Exchange: open until 2024-07-09T20:00:00.000Z",
      calendar: "XNYS",
      session: {
        date: "2024-07-09",
        open: "2024-07-09T13:30:00.000Z",
        close: "2024-07-09T20:00:00.000Z",
        early: false,
      },
      known: true,
      source: "calendar",
      as_of: "2024-07-09T15:07:20.000Z",
    });
    expect((await get("/api/market/status?calendar=XNSE", synthetic)).data).toMatchObject({
      state: "closed",
      reason: "after the close",
      next_change: "2024-07-10T03:45:00.000Z",
    });
  });

  it("400 for a calendar that is not kept", async () => {
    expectProblem(
      await program.call("/api/market/status?calendar=XLON"),
      "invalid_request",
      "query calendar",
    );
  });
});

describe.each(["quote", "bars"])("GET /api/market/%s/:symbol", (name) => {
  it.each([
    ["symbol_invalid", "%24%24"],
    ["symbol_unknown", "ZZZZ"],
    ["invalid_request", "A".repeat(41)],
  ] as const)("%s for %s", async (code, symbol) => {
    expectProblem(await program.call(`/api/market/${name}/${symbol}`), code);
  });
});

describe("GET /api/market/quote/:symbol", () => {
  it("200 has the last price, with its source, its time and that it is old", async () => {
    const { data } = await get("/api/market/quote/BTC");
    const { data: whole } = await get("/api/market/BTC-USD");
    expect(data).toMatchObject({
      symbol: "BTC-USD",
      last: whole.price,
      bid: null,
      ask: null,
      volume: whole.volume,
      timestamp: whole.timestamp,
      source: "files",
      synthetic: false,
      stale: true,
    });
  });
});

describe("GET /api/market/quotes", () => {
  it("200 has quotes in the order asked for, and why others have none", async () => {
    const { data } = await get("/api/market/quotes?symbols=eth,ZZZZ,AAPL,eth,%24%24");
    expect(data.quotes.map(({ symbol }: { symbol: string }) => symbol)).toEqual(["ETH-USD", "AAPL"]);
    expect(data.unavailable).toMatchObject([
      { symbol: "ZZZZ", reason: "No configured source knows ZZZZ" },
      { symbol: "$$" },
    ]);
  });

  it.each([
    ["", "query symbols"],
    ["symbols=", "query symbols"],
    ["symbols=%2C%2C", "lists nothing"],
    [`symbols=${Array.from({ length: 51 }, (_, i) => `A${i}`).join(",")}`, "more than 50"],
  ])("400 for ?%s", async (query, detail) => {
    expectProblem(await program.call(`/api/market/quotes?${query}`), "invalid_request", detail);
  });
});

describe("GET /api/market/bars/:symbol", () => {
  it("200 has the newest bars, oldest first, by any spelling of the timeframe", async () => {
    const { data } = await get("/api/market/bars/AAPL?timeframe=daily&limit=5");
    const { data: all } = await get("/api/historical/AAPL?period=max");
    expect(data).toMatchObject({ symbol: "AAPL", timeframe: "1d", source: "files", synthetic: false });
    expect(data.bars).toEqual(all.candles.slice(-5));
    expect((await get("/api/market/bars/BTC?timeframe=60min")).data.bars).toHaveLength(100);
  });

  it("400 for a timeframe that there is not, and limits beyond", async () => {
    expectProblem(await program.call("/api/market/bars/AAPL?timeframe=1h"), "interval_unavailable");
    for (const [query, name] of [
      ["timeframe=2h", "query timeframe"],
      ["limit=0", "query limit"],
      ["limit=5001", "query limit"],
    ]) {
      expectProblem(await program.call(`/api/market/bars/AAPL?${query}`), "invalid_request", name);
    }
  });
});
