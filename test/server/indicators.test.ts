import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensure } from "../../src/core/base/assert.js";
import { computeIndicator } from "../../src/core/indicators/define.js";
import { parseIndicatorRequest } from "../../src/core/indicators/request.js";
import { type Bar, type Candles, candlesFromRows } from "../../src/core/market/candles.js";
import { expectProblem } from "../fixtures/expect-problem.js";
import type { TestProgram } from "../fixtures/program.js";
import { startScannedProgram } from "../fixtures/scanned.js";

interface Values {
  readonly symbol: string;
  readonly indicators: readonly { readonly request: string; readonly settled: boolean }[];
  readonly time: readonly string[];
  readonly columns: Readonly<Record<string, readonly (number | null)[]>>;
  readonly rows: readonly Readonly<Record<string, string | number | null>>[];
}

let program: TestProgram;
/** Every candle of BTC-USD that the server has. */
let candles: Candles;

beforeAll(async () => {
  program = await startScannedProgram();
  const { data } = (await program.call("/api/candles/BTC?interval=5m&limit=5000")).json();
  const rows = data.map((row: Bar & { timestamp: string }) => ({ ...row, time: Date.parse(row.timestamp) }));
  candles = candlesFromRows("BTC-USD", "5m", rows);
});
afterAll(() => program.close());

const ask = (query: string) => program.call(`/api/indicators/BTC?${query}`);

async function get(query: string): Promise<Values> {
  const answer = await ask(`interval=5m&${query}`);
  expect(answer.statusCode, answer.body.slice(0, 300)).toBe(200);
  return answer.json().data;
}

/** Values of the newest `bars` bars, computed here from all candles. */
function expected(request: string, bars: number): Map<string, Float64Array> {
  const { indicator, values } = ensure(parseIndicatorRequest(request).request, request);
  const columns = computeIndicator(indicator, candles, values);
  return new Map(
    columns.map((column, i) => [`${request}.${indicator.outputs[i].name}`, column.slice(-bars)]),
  );
}

function expectValues(columns: Values["columns"], request: string, bars: number): void {
  for (const [key, wanted] of expected(request, bars)) {
    expect(columns[key], key).toHaveLength(wanted.length);
    for (const [i, value] of wanted.entries()) {
      const given = columns[key][i];
      if (given === null || Number.isNaN(value)) expect(given ?? Number.NaN, `${key} at ${i}`).toBe(value);
      else expect(Math.abs(given - value)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(value)));
    }
  }
}

describe("GET /api/indicators/:symbol", () => {
  it("200 has columns by request and output: what all candles give, though fewer are read", async () => {
    const names = ["rsi(21)", "macd(12,26,9)", "bbands(20,2.5)", "sma", "zscore(50)"];
    const data = await get(`names=${names.join(",")}&limit=50`);
    expect(data.indicators.map(({ request }) => request)).toEqual(names);
    expect(data.indicators[2]).toEqual({
      request: "bbands(20,2.5)",
      name: "bbands",
      parameters: { period: 20, deviations: 2.5 },
      outputs: ["upper", "middle", "lower"],
      since: new Date(candles.time[candles.time.length - 50 - 19]).toISOString(),
      settled: true,
    });
    expect(data.time).toEqual(
      Array.from(candles.time.slice(-50), (openMs) => new Date(openMs).toISOString()),
    );
    for (const name of names) expectValues(data.columns, name, 50);
    const keys = names.flatMap((name) => [...expected(name, 50).keys()]);
    expect(Object.keys(data.columns)).toEqual(keys);
  });

  it("200 has the same values of what is too much to compute at once", async () => {
    const names = ["zscore(500)", "hurst(512)", "rsi"];
    const data = await get(`names=${names.join(",")}&limit=700`);
    for (const name of names) expectValues(data.columns, name, 700);
  });

  it("200 has null through warm-up and says what has not settled", async () => {
    const data = await get("names=rsi,obv,sma(1)&limit=5000");
    expect(data.time).toHaveLength(candles.time.length);
    expect(data.columns["rsi.rsi"].filter((value) => value === null)).toHaveLength(14);
    expect(data.columns["rsi.rsi"][13]).toBeNull();
    for (const name of ["rsi", "obv", "sma(1)"]) expectValues(data.columns, name, 5_000);
    const settled = data.indicators.map(({ settled }) => settled);
    expect(settled).toEqual([false, false, true]);
  });

  it("200 has the same values as rows", async () => {
    const { columns, time } = await get("names=rsi,stoch&limit=10");
    const { rows, ...rest } = await get("names=rsi,stoch&limit=10&format=rows");
    expect(rest).not.toHaveProperty("columns");
    expect(rows.map(({ timestamp }) => timestamp)).toEqual(time);
    expect(Object.keys(rows[0])).toEqual(["timestamp", "rsi.rsi", "stoch.k", "stoch.d"]);
    for (const [key, column] of Object.entries(columns)) expect(rows.map((row) => row[key])).toEqual(column);
  });

  it("200 says where the candles come from, how far they reach and how old they are", async () => {
    const { as_of, source, synthetic, stale } = (
      await program.call("/api/candles/BTC?interval=5m&limit=1")
    ).json();
    expect(source).toBe("files");
    const data = await get("names=rsi");
    expect(data).toMatchObject({ symbol: "BTC-USD", interval: "5m", source, synthetic, as_of, stale });
    expect(data).toMatchObject({ stale: true, age_ms: expect.any(Number) });
  });

  it("200 reads blanks and capitals, and answers once what is asked for twice", async () => {
    const data = await get(`names=${encodeURIComponent(" RSI( 21 ) , rsi,rsi")}&limit=1`);
    expect(data.indicators.map(({ request }) => request)).toEqual(["RSI( 21 )", "rsi"]);
    expect(Object.keys(data.columns)).toEqual(["RSI( 21 ).rsi", "rsi.rsi"]);
  });

  it("200 computes twenty indicators, and 400 refuses one more", async () => {
    const names = Array.from({ length: 21 }, (_, i) => `ema(${i + 2})`);
    expect(Object.keys((await get(`names=${names.slice(1)}&limit=1`)).columns)).toHaveLength(20);
    expectProblem(await ask(`names=${names}`), "invalid_request", "query names: at most 20 indicators");
  });

  it.each(["0x10", "1e2", "Infinity", "-Infinity", "NaN", "%2B14", "1 4", "١٤", "14.", ".5"])(
    "400 for the number %s names the parameter and its range",
    async (item) => {
      const detail = "rsi: period must be a whole number within 2..10000, not";
      expectProblem(await ask(`names=rsi(${item})`), "invalid_request", detail);
    },
  );

  it.each([
    ["rsi(0)", "rsi: period must lie within 2..10000, not 0"],
    ["rsi(10001)", "rsi: period must lie within 2..10000, not 10001"],
    ["rsi(14.5)", "rsi: period must be a whole number within 2..10000, not 14.5"],
    ["bbands(20,101)", "bbands: deviations must lie within 0..100, not 101"],
    ["bbands(20,1e1)", 'bbands: deviations must be a decimal number within 0..100, not "1e1"'],
    ["macd(12,,9)", 'macd: slow must be a whole number within 2..10000, not ""'],
    ["macd(26,12)", "macd: fast must be shorter than slow"],
    ["rsi(1,2,3,4)", "rsi takes period, not 4 values"],
    ["rsi(", '"rsi(" is not an indicator'],
    ["rsi,,sma", '"" is not an indicator'],
    ["magic(3)", "no indicator is called magic"],
    [",", "name at least one indicator"],
    ["", "query names"],
  ])("400 for names=%s says what is wrong", async (names, detail) => {
    expectProblem(await ask(`names=${names}`), "invalid_request", detail);
  });

  it.each(["", "0", "5001", "0x10", "1e2", "Infinity", "-1", "1.5", "%2010"])(
    "400 for limit=%s",
    async (limit) => {
      expectProblem(await ask(`names=rsi&limit=${limit}`), "invalid_request", "query limit");
    },
  );

  it.each([
    ["", "names"],
    ["names=rsi&format=xml", "format"],
    ["names=rsi&interval=7m", "interval"],
    ["names=rsi&interval=1M", "interval"],
    ["names=rsi&period=21", "period"],
    ["names=rsi&names=sma", "names"],
  ])("400 for ?%s", async (query, name) => {
    expectProblem(await ask(query), "invalid_request", name);
  });

  it("400 for more work than an answer is worth", async () => {
    const names = Array.from({ length: 10 }, (_, i) => `zscore(${4_900 + i})`);
    expectProblem(
      await ask(`names=${names}&limit=5000`),
      "invalid_request",
      /query names: windows over 9908 bars come to \d+ million values, more than 50 million/,
    );
  });

  it("404 for a symbol that no source has", async () => {
    expectProblem(await program.call("/api/indicators/NOSUCH?names=rsi"), "symbol_unknown");
  });
});
