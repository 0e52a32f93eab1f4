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
const detect = (payload: object) => program.call({ method: "POST", url: "/api/detect", payload });

interface Seen {
  readonly id: number;
  readonly symbol: string;
  readonly pattern_type: string;
  readonly interval: string;
  readonly quality: number;
  readonly bar_time: string;
  readonly closed_at: string;
}

const SIGHTING = {
  pattern_type: expect.any(String),
  pattern_name: expect.any(String),
  direction: expect.toBeOneOf(["bullish", "bearish", "neutral"]),
  confidence: null,
  quality: expect.any(Number),
  price: expect.any(Number),
  volume: expect.any(Number),
  metadata: { trend: expect.any(String) },
};

describe("POST /api/detect", () => {
  it("200 has the patterns of the newest closed bars with the fields of the catalogue", async () => {
    const answer = await detect({ symbol: "btc", timeframe: "5m", bars: 200 });
    expect(answer.statusCode).toBe(200);
    const { data } = answer.json();
    expect(data).toMatchObject({ symbol: "BTC-USD", timeframe: "5m", source: "files", synthetic: false });
    expect(data.count).toBe(data.patterns.length);
    expect(data.count).toBeGreaterThan(10);
    for (const pattern of data.patterns) {
      expect(pattern).toMatchObject(SIGHTING);
      expect(pattern.timestamp).toBe(pattern.closed_at);
    }
  });

  it.each<[object, string]>([
    [{}, "body symbol"],
    [{ symbol: "" }, "body symbol"],
    [{ symbol: 7 }, "body symbol"],
    [{ symbol: null }, "body symbol"],
    [{ symbol: ["BTC"] }, "body symbol"],
    [{ symbol: { not: "" } }, "body symbol"],
    [{ symbol: "A".repeat(41) }, "body symbol"],
    [{ symbol: "BTC", timeframe: "2h" }, "body timeframe"],
    [{ symbol: "BTC", timeframe: 5 }, "body timeframe"],
    [{ symbol: "BTC", bars: 0 }, "body bars"],
    [{ symbol: "BTC", bars: 501 }, "body bars"],
    [{ symbol: "BTC", bars: 1.5 }, "body bars"],
    [{ symbol: "BTC", bars: "5" }, "body bars"],
    [{ symbol: "BTC", bars: true }, "body bars"],
    [{ symbol: "BTC", bars: [5] }, "body bars"],
    [{ symbol: "BTC", role: "admin" }, "body role"],
  ])("400 for %j names the field", async (payload, detail) => {
    expectProblem(await detect(payload), "invalid_request", detail);
  });

  it("400 says that a body is missing", async () => {
    expectProblem(await program.call({ method: "POST", url: "/api/detect" }), "invalid_request", "body");
  });

  it("404 for an unknown symbol, 400 for what is none and for an interval that it has not", async () => {
    expectProblem(await detect({ symbol: "ZZZZ" }), "symbol_unknown");
    expectProblem(await detect({ symbol: "$$$" }), "symbol_invalid");
    expectProblem(await detect({ symbol: "AAPL", timeframe: "5m" }), "interval_unavailable");
  });
});

describe("GET /api/patterns/:symbol", () => {
  it("200 lists them newest first, down to a quality given as share or percentage", async () => {
    const all: Seen[] = (await get("/api/patterns/BTC?timeframe=5m&limit=500")).data.patterns;
    const closes = all.map(({ bar_time }) => bar_time);
    expect(closes).toEqual([...closes].sort().reverse());
    const half = (await get("/api/patterns/BTC?timeframe=5m&limit=500&min_confidence=0.5")).data;
    const fifty = (await get("/api/patterns/BTC?timeframe=5m&limit=500&min_confidence=50")).data;
    expect(half.patterns).toEqual(fifty.patterns);
    expect(half.patterns).toEqual(all.filter(({ quality }) => quality >= 0.5));
    expect((await get("/api/patterns/BTC?timeframe=5m&limit=2")).data.patterns).toEqual(all.slice(0, 2));
  });

  it.each([
    ["min_confidence=101", "min_confidence"],
    ["min_confidence=-1", "min_confidence"],
    ["min_confidence=1e1", "min_confidence"],
    ["limit=501", "limit"],
    ["timeframe=9m", "timeframe"],
    ["interval=5m", "interval"],
  ])("400 for %s names %s", async (query, name) => {
    expectProblem(await program.call(`/api/patterns/BTC?${query}`), "invalid_request", `query ${name}`);
  });

  it("404 and 400 for symbols", async () => {
    expectProblem(await program.call("/api/patterns/ZZZZ"), "symbol_unknown");
    expectProblem(await program.call("/api/patterns/%24"), "symbol_invalid");
  });
});

describe.each([
  ["/api/detection_logs", "logs"],
  ["/api/patterns/history/BTC", "detections"],
])("GET %s", (route, field) => {
  const rowsOf = async (query: string): Promise<{ rows: Seen[]; pagination: object }> => {
    const { data } = await get(`${route}?${query}`);
    return { rows: data[field], pagination: data.pagination };
  };

  it("200 pages through everything once, newest first", async () => {
    const first = await rowsOf("limit=40");
    const { total } = first.pagination as { total: number };
    expect(total).toBeGreaterThan(80);
    expect(first.rows[0]).toMatchObject({ id: expect.any(Number), symbol: expect.any(String), ...SIGHTING });
    const second = await rowsOf("limit=40&offset=40");
    expect(second.pagination).toEqual({ limit: 40, offset: 40, total });
    const ids = [...first.rows, ...second.rows].map(({ id }) => id);
    expect(new Set(ids).size).toBe(80);
    expect(await rowsOf(`limit=10&offset=${total}`)).toMatchObject({ rows: [] });
  });

  it("200 filters by pattern, in any spelling, and by interval", async () => {
    const { rows } = await rowsOf("pattern=doji&interval=5m");
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row).toMatchObject({ pattern_type: "doji", interval: "5m" });
    const titled = await rowsOf("pattern=Bullish%20Engulfing");
    expect(titled).toEqual(await rowsOf("pattern=bullish-ENGULFING"));
    for (const row of titled.rows) expect(row.pattern_type).toBe("bullish_engulfing");
  });

  it.each([
    ["limit=0", "limit"],
    ["limit=1001", "limit"],
    ["offset=-1", "offset"],
    ["offset=1000001", "offset"],
    ["offset=1&offset=2", "offset"],
    ["pattern=%27;drop", "pattern"],
    ["pattern=", "pattern"],
    ["interval=1y", "interval"],
    ["order=price", "order"],
  ])("400 for %s names %s", async (query, name) => {
    expectProblem(await program.call(`${route}?${query}`), "invalid_request", `query ${name}`);
  });

  it("404 for a pattern that is not in the table", async () => {
    expectProblem(await program.call(`${route}?pattern=magic`), "pattern_unknown", "magic");
  });
});

describe("GET /api/patterns/history/:symbol", () => {
  it("200 keeps to the symbol and to a stretch of time", async () => {
    const { data } = await get("/api/patterns/history/btc?from=2024-01-05&to=2024-01-06&limit=1000");
    expect(data.symbol).toBe("BTC-USD");
    expect(data.detections.length).toBeGreaterThan(0);
    for (const { symbol, closed_at } of data.detections as Seen[]) {
      expect(symbol).toBe("BTC-USD");
      expect(closed_at >= "2024-01-05" && closed_at < "2024-01-06").toBe(true);
    }
  });
});

describe("GET /api/detection_logs", () => {
  it("200 keeps to a symbol; 400 and 404 for others", async () => {
    const { logs } = (await get("/api/detection_logs?symbol=eth")).data;
    expect(new Set(logs.map(({ symbol }: Seen) => symbol))).toEqual(new Set(["ETH-USD"]));
    expectProblem(await program.call("/api/detection_logs?symbol=$"), "symbol_invalid");
    expectProblem(await program.call("/api/detection_logs?symbol=ZZZZ"), "symbol_unknown");
  });
});

describe("GET /api/detection_stats", () => {
  it("200 counts by day and symbol", async () => {
    const { data } = await get("/api/detection_stats");
    expect(data.daily_detections).toHaveLength(7);
    for (const { date } of data.daily_detections) expect(date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    const { total } = (await get("/api/detection_logs?limit=1")).data.pagination;
    const sum = (rows: { count: number }[]) => rows.reduce((all, { count }) => all + count, 0);
    expect(sum(data.daily_detections)).toBe(total);
    expect(sum(data.top_symbols)).toBe(total);
  });
});

describe("GET /api/pattern-stats", () => {
  it("200 counts by pattern", async () => {
    const { data } = await get("/api/pattern-stats?window=365");
    expect(data[0]).toMatchObject({
      pattern: expect.any(String),
      name: expect.any(String),
      count: expect.any(Number),
      avg_confidence: null,
      avg_quality: expect.any(Number),
    });
  });

  it("400 for a window beyond a year names it", async () => {
    expectProblem(await program.call("/api/pattern-stats?window=366"), "invalid_request", "query window");
  });
});

describe("GET /api/export_detection_logs", () => {
  it("200 has a CSV with one row a detection", async () => {
    const { data } = await get("/api/export_detection_logs?symbol=BTC&days=3650");
    expect(data.filename).toMatch(/^detections-\d{4}-\d{2}-\d{2}\.csv$/);
    const lines = data.csv_content.trimEnd().split(/\r?\n/);
    expect(lines).toHaveLength(data.record_count + 1);
    expect(data.record_count).toBe((await get("/api/detection_logs?symbol=BTC")).data.pagination.total);
  });

  it.each([
    ["days=0", "days"],
    ["days=3651", "days"],
    ["format=xlsx", "format"],
  ])("400 for %s names %s", async (query, name) => {
    expectProblem(
      await program.call(`/api/export_detection_logs?${query}`),
      "invalid_request",
      `query ${name}`,
    );
  });
});

describe("GET /api/get_latest_detection_id", () => {
  it("200 has the id under both names", async () => {
    const newest = (await get("/api/detection_logs?limit=1")).data.logs[0].id;
    const body = await get("/api/get_latest_detection_id");
    expect(body.latest_detection_id).toBe(body.latest_id);
    expect(body.latest_id).toBeGreaterThanOrEqual(newest);
  });
});
