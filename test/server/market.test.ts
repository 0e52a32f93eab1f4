import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectProblem } from "../fixtures/expect-problem.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";

let program: TestProgram;

beforeAll(async () => {
  program = await startScannedProgram();
});
afterAll(() => program.close());

const get = async (url: string) => (await program.call(url)).json();

interface Candle {
  readonly timestamp: string;
  readonly closed_at: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

const PROVENANCE = {
  source: "files",
  synthetic: false,
  as_of: expect.stringMatching(/Z$/),
  stale: expect.any(Boolean),
  age_ms: expect.any(Number),
};

const QUOTE = {
  symbol: "BTC-USD",
  price: expect.any(Number),
  change: expect.any(Number),
  change_percent: expect.any(Number),
  change_pct: expect.any(Number),
  volume: expect.any(Number),
  high: expect.any(Number),
  low: expect.any(Number),
  open: expect.any(Number),
  market_cap: null,
  pe_ratio: null,
  timestamp: expect.stringMatching(/Z$/),
  ...PROVENANCE,
};

function expectCandles(candles: readonly Candle[]): void {
  for (const [i, { timestamp, closed_at, open, high, low, close }] of candles.entries()) {
    expect(Date.parse(closed_at)).toBeGreaterThan(Date.parse(timestamp));
    if (i > 0) expect(Date.parse(timestamp)).toBeGreaterThan(Date.parse(candles[i - 1].timestamp));
    expect(low).toBeLessThanOrEqual(Math.min(open, close));
    expect(high).toBeGreaterThanOrEqual(Math.max(open, close));
  }
}

/** What every route with a symbol in its path refuses. */
const SYMBOL_ROUTES = [
  "/api/market/",
  "/api/market-data/",
  "/api/candles/",
  "/api/historical/",
  "/api/intraday/",
];

describe.each(SYMBOL_ROUTES)("GET %s:symbol", (route) => {
  it.each([
    ["symbol_invalid", "%24%24%24"],
    ["symbol_invalid", "..%2F..%2Fetc"],
    ["symbol_invalid", "%E2%82%AC"],
    ["symbol_unknown", "ZZZZ"],
    ["uri_too_long", "A".repeat(101)],
    ["invalid_request", "A".repeat(41)],
    ["invalid_request", "%00"],
  ] as const)("%s for %s", async (code, symbol) => {
    expectProblem(await program.call(`${route}${symbol}`), code);
  });

  it("400 names a parameter that it does not know, and one that comes twice", async () => {
    expectProblem(await program.call(`${route}BTC?apikey=1`), "invalid_request", "query apikey");
    if (route !== "/api/market/" && route !== "/api/market-data/") {
      const twice = await program.call(`${route}BTC?interval=1h&interval=1h`);
      expectProblem(twice, "invalid_request", "query interval");
    }
  });
});

describe("GET /api/market-scan", () => {
  it("200 ranks by the size of the change, or by volume, and so does its alias", async () => {
    const { data, unavailable } = await get("/api/market-scan");
    expect(data).toHaveLength(7);
    expect(unavailable).toEqual([]);
    expect(data[0]).toMatchObject({ ...QUOTE, symbol: expect.any(String) });
    const sizes = data.map(({ change_percent }: { change_percent: number }) => Math.abs(change_percent));
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    const volumes = (await get("/api/scan?type=volume&limit=3")).data.map(
      ({ volume }: { volume: number }) => volume,
    );
    expect(volumes).toEqual([...volumes].sort((a: number, b: number) => b - a));
    expect(volumes).toHaveLength(3);
  });

  it.each([
    ["type=other", "type"],
    ["limit=0", "limit"],
    ["limit=101", "limit"],
    ["limit=1e1", "limit"],
    ["limit=5&limit=6", "limit"],
    ["limit=", "limit"],
  ])("400 for %s names %s", async (query, name) => {
    expectProblem(await program.call(`/api/market-scan?${query}`), "invalid_request", `query ${name}`);
  });
});

describe("GET /api/market/:symbol", () => {
  it.each(["BTC", "btc-usd", "BTC%2FUSD", "X%3ABTCUSD", "BITCOIN"])("200 understands %s", async (symbol) => {
    expect((await get(`/api/market/${symbol}`)).data).toMatchObject(QUOTE);
  });

  it("200 has the change as fields of both clients, from the same value", async () => {
    const { data } = await get("/api/market/BTC");
    expect(data.change_pct).toBe(data.change_percent);
    expect(data.change_percent).toBeCloseTo((100 * data.change) / (data.price - data.change), 9);
  });
});

describe("GET /api/market-data/:symbol", () => {
  it("200 has quote, daily indicators and session", async () => {
    const { data } = await get("/api/market-data/AAPL");
    expect(data).toMatchObject({ ...QUOTE, symbol: "AAPL", provider: "files" });
    for (const name of ["rsi14", "sma20", "sma50", "atr14"])
      expect(data.indicators[name]).toEqual(expect.any(Number));
    expect(data.session).toEqual({
      open: expect.any(Boolean),
      next_change: expect.any(String),
      calendar: "XNYS",
    });
  });
});

describe("GET /api/candles", () => {
  it("200 has symbol, period, interval and candles inside data", async () => {
    const { data } = await get("/api/candles?symbol=btc&period=5d&interval=60m&limit=20");
    expect(data).toMatchObject({
      symbol: "BTC-USD",
      period: "5d",
      interval: "1h",
      trouble: null,
      ...PROVENANCE,
    });
    expect(data.candles).toHaveLength(20);
    expectCandles(data.candles);
  });

  it.each([
    ["", "symbol"],
    ["symbol=", "symbol"],
    ["symbol=BTC&period=3d", "period"],
    ["symbol=BTC&interval=7m", "interval"],
    ["symbol=BTC&limit=0", "limit"],
    ["symbol=BTC&limit=5001", "limit"],
    ["symbol=BTC&limit=-1", "limit"],
    ["symbol=BTC&limit=0x10", "limit"],
    ["symbol=BTC&limit=%207%20", "limit"],
    ["symbol=BTC&symbol=ETH", "symbol"],
  ])("400 for ?%s names %s", async (query, name) => {
    expectProblem(await program.call(`/api/candles?${query}`), "invalid_request", `query ${name}`);
  });

  it("400 for an interval that the symbol has not, 404 for an unknown symbol", async () => {
    expectProblem(await program.call("/api/candles?symbol=AAPL&interval=1h"), "interval_unavailable", "AAPL");
    expectProblem(await program.call("/api/candles?symbol=ZZZZ"), "symbol_unknown");
  });
});

describe("GET /api/candles/:symbol", () => {
  it.each([1, 2, 100])("200 lists exactly the newest %i closed candles", async (limit) => {
    const body = await get(`/api/candles/BTC?timeframe=15m&limit=${limit}`);
    expect(body).toMatchObject({ symbol: "BTC-USD", interval: "15m", ...PROVENANCE });
    expect(body.data).toHaveLength(limit);
    expectCandles(body.data);
    expect(body.data.at(-1).closed_at).toBe("2024-01-06T05:00:00.000Z");
  });

  it("200 takes interval for timeframe", async () => {
    const byInterval = await get("/api/candles/BTC?interval=1h&limit=3");
    expect(byInterval.data).toEqual((await get("/api/candles/BTC?timeframe=1h&limit=3")).data);
    expect(byInterval.interval).toBe("1h");
  });
});

describe("GET /api/historical/:symbol", () => {
  it("200 gives what lies between two moments, however they are written", async () => {
    const byDate = await get("/api/historical/BTC?from=2024-01-02&to=2024-01-03&interval=1h");
    expect(byDate.data.candles).toHaveLength(24);
    expect(byDate.data.candles[0].timestamp).toBe("2024-01-02T00:00:00.000Z");
    const times = [
      "from=2024-01-02T02:00:00%2B02:00&to=2024-01-03T00:00Z",
      "from=1704153600000&to=1704240000000",
    ];
    for (const query of times) {
      const { data } = await get(`/api/historical/BTC?${query}&interval=1h`);
      expect(data.candles).toEqual(byDate.data.candles);
    }
  });

  it.each([
    ["from=yesterday", "from"],
    ["from=2024-02-30", "from"],
    ["from=2024-1-2", "from"],
    ["from=0000-01-01", "from"],
    ["to=999999999999999", "to"],
    ["to=2024-01-01T25:00:00Z", "to"],
    ["from=2024-01-03&to=2024-01-02", "from"],
    ["period=7d", "period"],
    ["interval=2h", "interval"],
  ])("400 for %s names %s", async (query, name) => {
    expectProblem(await program.call(`/api/historical/BTC?${query}`), "invalid_request", `query ${name}`);
  });

  it("404 for a stretch without candles", async () => {
    expectProblem(await program.call("/api/historical/BTC?from=2020-01-01&to=2020-02-01"), "no_data");
  });
});

describe("GET /api/intraday/:symbol", () => {
  it("200 has the candles of the last days", async () => {
    const { data } = await get("/api/intraday/BTC?interval=30m&days=2");
    expect(data).toMatchObject({ symbol: "BTC-USD", interval: "30m" });
    expect(data.candles.length).toBeGreaterThan(48);
    expectCandles(data.candles);
  });

  it.each([
    ["interval=1d", "interval"],
    ["interval=1w", "interval"],
    ["days=0", "days"],
    ["days=6", "days"],
  ])("400 for %s names %s", async (query, name) => {
    expectProblem(await program.call(`/api/intraday/BTC?${query}`), "invalid_request", `query ${name}`);
  });
});
