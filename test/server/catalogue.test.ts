import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { INDICATORS } from "../../src/core/indicators/index.js";
import { PROVIDER_NAMES } from "../../src/providers/index.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";

let program: TestProgram;

beforeAll(async () => {
  program = await startScannedProgram();
});
afterAll(() => program.close());

const get = async (url: string) => (await program.call(url)).json();

describe("every route without parameters", () => {
  it.each([
    "/api/symbols",
    "/api/assets/list",
    "/api/assets",
    "/api/features",
    "/api/coverage",
    "/api/data-coverage",
    "/api/patterns/list",
    "/api/indicators",
  ])("400 names what %s does not know", async (url) => {
    expectProblem(await program.call(`${url}?verbose=1`), "invalid_request", "query verbose");
  });
});

describe("GET /api/symbols", () => {
  it("200 lists instruments with class, exchange and currency", async () => {
    const { data } = await get("/api/symbols");
    expect(data.find(({ symbol }: { symbol: string }) => symbol === "BTC-USD")).toEqual({
      symbol: "BTC-USD",
      name: expect.any(String),
      asset_class: "crypto",
      exchange: expect.any(String),
      currency: "USD",
      calendar: expect.any(String),
    });
  });
});

describe("GET /api/assets/list", () => {
  it("200 sorts instruments into the classes of the catalogue, and so does its alias", async () => {
    const { data } = await get("/api/assets/list");
    expect(Object.keys(data).sort()).toEqual(
      ["commodities", "crypto", "forex", "indices", "last_updated", "stocks", "total_count"].sort(),
    );
    expect(data.stocks.us_markets).toContain("AAPL");
    expect(data.crypto).toMatchObject({ available: true, major_pairs: expect.arrayContaining(["BTC-USD"]) });
    expect(data.forex).toEqual({ available: false, major_pairs: [] });
    expect(data.commodities).toEqual({ available: false, symbols: [] });
    expect(data.total_count).toBe(7);
    expect(data.last_updated).toMatch(/Z$/);
    expect(await get("/api/assets")).toEqual({ success: true, data });
  });
});

describe("GET /api/features", () => {
  it("200 has five groups of features, each with a state", async () => {
    const { data } = await get("/api/features");
    expect(Object.keys(data).sort()).toEqual([
      "analytics",
      "data_sources",
      "pattern_detection",
      "real_time_features",
      "trading_capabilities",
    ]);
    const states = Object.values(data).flatMap((group) =>
      Object.values(group as Record<string, { status: string }>).map(({ status }) => status),
    );
    expect(states.length).toBeGreaterThan(5);
    expect(states.filter((status) => !["active", "optional", "planned"].includes(status))).toEqual([]);
  });
});

describe("GET /api/coverage", () => {
  it("200 has the figures in data, and providers, assets and features beside it", async () => {
    const body = await get("/api/coverage");
    expect(body.data).toMatchObject({ coverage_pct: 100, scanned_assets: 7, total_assets: 7 });
    expect(body.data.last_update).toMatch(/Z$/);
    const { health, ...providers } = body.providers;
    expect(providers).toEqual({
      configured: Object.fromEntries(PROVIDER_NAMES.map((name) => [name, name === "files"])),
      unserved: [],
      priority: { stocks: ["files"], crypto: ["files"], forex: ["files"], india: ["files"] },
    });
    expect(Object.keys(health)).toEqual(["files"]);
    expect(health.files).toMatchObject({
      configured: true,
      breaker: "closed",
      quota: null,
      last_error: null,
    });
    expect(body.assets).toEqual((await get("/api/assets")).data);
    expect(body.features).toEqual((await get("/api/features")).data);
  });
});

describe("GET /api/data-coverage", () => {
  it("200 counts symbols, intervals and patterns", async () => {
    const { data } = await get("/api/data-coverage");
    expect(data).toMatchObject({ symbols: { total: 7, scanned: 7 }, coverage_pct: 100 });
    expect(data.timeframes).toEqual(expect.arrayContaining(["5m", "1d"]));
    expect(data.patterns.length).toBeGreaterThanOrEqual(20);
  });
});

describe("GET /api/patterns/list", () => {
  it("200 has id, name, description, direction and category of each way a pattern shows itself", async () => {
    const { data } = await get("/api/patterns/list");
    const engulfing = data.find(({ id }: { id: string }) => id === "bullish_engulfing");
    expect(engulfing).toMatchObject({
      name: "Bullish Engulfing",
      type: "bullish",
      description: expect.stringMatching(/\w{3}/),
      timeframe: expect.any(String),
      reliability: null,
      category: expect.any(String),
    });
    const ids = data.map(({ id }: { id: string }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("GET /api/indicators", () => {
  it("200 has every row of the table, with null where a range or a settling time has no end", async () => {
    const { data } = await get("/api/indicators");
    expect(data.map(({ name }: { name: string }) => name)).toEqual(INDICATORS.map(({ name }) => name));
    const rsi = data.find(({ name }: { name: string }) => name === "rsi");
    expect(rsi.parameters[0]).toMatchObject({ name: "period", kind: "integer", default: 14 });
    expect(rsi.outputs[0].range).toEqual([0, 100]);
    const open = data.flatMap(({ outputs }: { outputs: { range: unknown[] | null }[] }) => outputs);
    expect(open.some(({ range }: { range: unknown[] | null }) => range?.[1] === null)).toBe(true);
  });
});
